"""Adds up calls that closed, so that charts and statements of months are read from few rows."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.jobs.job import Job
from onetoken_app.settings import Settings
from onetoken_app.usage import rollups

TRANSACTIONS_AT_ONCE = 500
"""They end in a few rows, which one statement makes: milliseconds in which the ledger's writer waits."""


async def _step(session: AsyncSession, _settings: Settings) -> bool:
    """Add some."""
    return await rollups.roll_up(session, transactions_max=TRANSACTIONS_AT_ONCE) == TRANSACTIONS_AT_ONCE


JOB = Job(name="roll_up_usage", every=timedelta(seconds=10), step=_step)
