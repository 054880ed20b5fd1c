"""Removes sign-in sessions a week after they ended; the audit log keeps that somebody signed in."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identity import service as identity
from onetoken_app.jobs.job import ROWS_AT_ONCE, Job
from onetoken_app.settings import Settings

KEPT = timedelta(days=7)


async def _step(session: AsyncSession, _settings: Settings) -> bool:
    """Remove some."""
    count = await identity.purge_sessions(session, ended_before=clock.utc_now() - KEPT, count_max=ROWS_AT_ONCE)
    return count == ROWS_AT_ONCE


JOB = Job(name="purge_ended_sessions", every=timedelta(hours=1), step=_step)
