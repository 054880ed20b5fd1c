"""Removes what a call was claimed by once it counts no more, a day after the call."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.jobs.job import ROWS_AT_ONCE, Job
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.claims import COUNTS_FOR
from onetoken_app.settings import Settings


async def _step(session: AsyncSession, _settings: Settings) -> bool:
    """Remove some."""
    claimed_before = clock.utc_now() - COUNTS_FOR
    count = await ledger.purge_claims(session, claimed_before=claimed_before, count_max=ROWS_AT_ONCE)
    return count == ROWS_AT_ONCE


JOB = Job(name="purge_claims", every=timedelta(minutes=10), step=_step)
