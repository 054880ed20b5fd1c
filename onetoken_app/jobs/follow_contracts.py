"""Lends from a contract's first day on and no more after its last, on the organization's clocks."""

from datetime import timedelta
from functools import partial

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.billing.following import contracts_to_follow, follow_contracts
from onetoken_app.database import read_session
from onetoken_app.jobs.job import ReadingJob, Step
from onetoken_app.settings import Settings

CONTRACTS_AT_ONCE = 20
"""How many are followed in one unit of work: calls wait meanwhile."""


async def _follow_some(session: AsyncSession, _settings: Settings, *, organization_ids: list[str]) -> bool:
    """Follow some; whether there are more."""
    await follow_contracts(session, organization_ids=organization_ids[:CONTRACTS_AT_ONCE])
    return len(organization_ids) > CONTRACTS_AT_ONCE


async def _look(_settings: Settings) -> Step | None:
    """Find out whose day has come; what a stop or a night without this service missed is found as well."""
    async with read_session() as session:
        found = await contracts_to_follow(session, now=clock.utc_now())
    return partial(_follow_some, organization_ids=found) if found else None


JOB = ReadingJob(name="follow_contracts", every=timedelta(minutes=5), look=_look)
