"""Removes the counts of failed sign-ins that slow nobody down any more; anybody can make one for any address."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identity import service as identity
from onetoken_app.jobs.job import ROWS_AT_ONCE, Job
from onetoken_app.settings import Settings


async def _step(session: AsyncSession, _settings: Settings) -> bool:
    """Remove some."""
    count = await identity.purge_throttles(session, now=clock.utc_now(), count_max=ROWS_AT_ONCE)
    return count == ROWS_AT_ONCE


JOB = Job(name="purge_stale_throttles", every=timedelta(hours=1), step=_step)
