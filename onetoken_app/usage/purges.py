"""How far records of calls have been purged, as the audit log says: the one place that both sides read and write."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit.queries import latest_facts
from onetoken_app.clock import parse_instant

PURGED = "usage_records_purged"
"""The action in the audit log."""
REQUESTED_BEFORE = "requested_before"
"""Its fact: calls that arrived before this moment may have lost their record."""


async def purged_before(session: AsyncSession) -> datetime | None:
    """Return the moment from which on every call has its record; ``None``: none was ever removed."""
    facts = await latest_facts(session, action=PURGED)
    return parse_instant(str(facts[REQUESTED_BEFORE])) if facts else None
