"""Tells organizations by mail that their prices change; what was published noted whom it concerns."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.database import read_session
from onetoken_app.jobs.job import ReadingJob, Step
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.pricing.notices import notices_waiting, tell_of_prices
from onetoken_app.settings import Settings

NOTICES_AT_ONCE = 50
"""How many organizations are told in one unit of work."""


async def _tell(session: AsyncSession, settings: Settings, *, notice_ids: Sequence[int]) -> bool:
    """Write to some; there may be more."""
    room = mail_room(settings)
    for notice_id in notice_ids:
        await tell_of_prices(session, notice_id, mail_room=room)
    return len(notice_ids) == NOTICES_AT_ONCE


async def _look(_settings: Settings) -> Step | None:
    """Find out whom there is to tell."""
    async with read_session() as session:
        found = await notices_waiting(session, count_max=NOTICES_AT_ONCE)
    return partial(_tell, notice_ids=found) if found else None


JOB = ReadingJob(name="tell_price_changes", every=timedelta(minutes=1), look=_look)
