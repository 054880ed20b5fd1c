"""Tells organizations by mail that their balance fell below the threshold they set: once each time that it does."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.credit.alerts import crossings, tell_crossing
from onetoken_app.database import read_session
from onetoken_app.jobs.job import ReadingJob, Step
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.settings import Settings

CROSSINGS_AT_ONCE = 50
"""How many are told of in one unit of work."""


async def _tell(session: AsyncSession, settings: Settings, *, organization_ids: Sequence[str]) -> bool:
    """Write to some; there may be more."""
    room = mail_room(settings)
    for organization_id in organization_ids:
        await tell_crossing(session, organization_id, mail_room=room)
    return len(organization_ids) == CROSSINGS_AT_ONCE


async def _look(_settings: Settings) -> Step | None:
    """Find out whom there is to tell."""
    async with read_session() as session:
        found = await crossings(session, count_max=CROSSINGS_AT_ONCE)
    return partial(_tell, organization_ids=found) if found else None


JOB = ReadingJob(name="tell_low_balances", every=timedelta(minutes=1), look=_look)
