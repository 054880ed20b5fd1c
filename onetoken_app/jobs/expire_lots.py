"""Forfeits what is left of promotional credit and packages that have expired."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.jobs.job import Job
from onetoken_app.ledger.service import LOTS_AT_ONCE, expire_lots
from onetoken_app.settings import Settings


async def _step(session: AsyncSession, _settings: Settings) -> bool:
    """Forfeit some; calls wait meanwhile."""
    return await expire_lots(session) == LOTS_AT_ONCE


JOB = Job(name="expire_lots", every=timedelta(minutes=10), step=_step)
