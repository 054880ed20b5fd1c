"""Removes mails a month after they were sent or given up, and links a month after they expired."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identity.mailed_links import purge_links
from onetoken_app.jobs.job import ROWS_AT_ONCE, Job
from onetoken_app.notifications.service import purge_letters
from onetoken_app.settings import Settings

KEPT = timedelta(days=30)


async def _step(session: AsyncSession, _settings: Settings) -> bool:
    """Remove some."""
    before = clock.utc_now() - KEPT
    letters = await purge_letters(session, ended_before=before, count_max=ROWS_AT_ONCE)
    links = await purge_links(session, expired_before=before, count_max=ROWS_AT_ONCE)
    return ROWS_AT_ONCE in {letters, links}


JOB = Job(name="purge_mails", every=timedelta(hours=1), step=_step)
