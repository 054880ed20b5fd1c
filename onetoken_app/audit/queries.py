"""Reads the audit log."""

import json

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import AuditEntry


async def latest_facts(session: AsyncSession, *, action: str) -> dict[str, Fact] | None:
    """Return what the newest line of an action says; ``None``: it never happened."""
    query = (
        select(AuditEntry.facts)
        .where(AuditEntry.action == action)
        .order_by(col(AuditEntry.sequence_number).desc())
        .limit(1)
    )
    written = (await session.exec(query)).first()
    return None if written is None else dict(json.loads(written))
