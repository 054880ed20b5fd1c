"""Removes the metadata of calls when its retention is over, by whole days of UTC."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.jobs.job import ROWS_AT_ONCE, Job
from onetoken_app.settings import Settings
from onetoken_app.usage import service as usage


async def _step(session: AsyncSession, settings: Settings) -> bool:
    """Remove some."""
    today = clock.utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    requested_before = today - timedelta(days=settings.usage_retention_days)
    count = await usage.purge_records(session, requested_before=requested_before, count_max=ROWS_AT_ONCE)
    return count == ROWS_AT_ONCE


JOB = Job(name="purge_usage_records", every=timedelta(hours=1), step=_step)
