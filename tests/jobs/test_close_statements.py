"""The job reads beside everybody else, then puts months on file, a few at a time, until none is left."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.billing.statement_queries import statements_of
from onetoken_app.database import current_database, read_session, unit_of_work
from onetoken_app.jobs import close_statements
from onetoken_app.jobs.job import ReadingJob, Step
from onetoken_app.jobs.scheduler import jobs_running
from onetoken_app.settings import Settings
from tests.support.builders import an_organization


@dataclass(slots=True)
class Watched:
    """The job, with a bell that rings when it finds nothing more to do."""

    idle: asyncio.Event = field(default_factory=asyncio.Event)
    steps_count: int = 0

    async def look(self, settings: Settings) -> Step | None:
        """Look as the job does, and write meanwhile as anybody may."""
        async with asyncio.timeout(10), unit_of_work() as session:
            await (await session.connection()).execute(sa.text("UPDATE policy_revision SET number = number"))
        step = await close_statements.JOB.look(settings)
        if step is None:
            self.idle.set()
            return None
        self.steps_count += 1
        return step

    def job(self) -> ReadingJob:
        """Return it."""
        return ReadingJob(name="close", every=timedelta(hours=1), look=self.look)


async def some_organizations(session: AsyncSession, *, count: int) -> list[str]:
    """Add verified organizations that have been here for forty days."""
    ids = [await an_organization(session) for _ in range(count)]
    moment = clock.iso_instant(clock.utc_now() - timedelta(days=40))
    await (await session.connection()).execute(sa.text("UPDATE ledger_account SET created_at = :at"), {"at": moment})
    return ids


class TestCloseStatements:
    @pytest.mark.usefixtures("database")
    async def test_closes_what_is_over_of_everybody(
        self, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(close_statements, "MONTHS_AT_ONCE", 2)
        async with unit_of_work() as session:
            organization_ids = await some_organizations(session, count=3)
        watched = Watched()
        async with jobs_running(database_settings, jobs=(watched.job(),), first_run_seconds=0):
            await asyncio.wait_for(watched.idle.wait(), 30)
        assert current_database().is_sqlite == database_settings.is_sqlite
        async with read_session() as session:
            closed = [await statements_of(session, one) for one in organization_ids]
        assert {len(months) for months in closed} <= {1, 2}  # forty days ago began last month or the one before
        assert watched.steps_count >= 2

    @pytest.mark.usefixtures("sqlite_database")
    async def test_an_organization_that_was_never_verified_gets_none(self, sqlite_settings: Settings) -> None:
        async with unit_of_work() as session:
            (organization_id,) = await some_organizations(session, count=1)
            await (await session.connection()).execute(
                sa.text("UPDATE organizations_organization SET verified_at = NULL")
            )
        assert await close_statements.JOB.look(sqlite_settings) is None
        async with read_session() as session:
            assert await statements_of(session, organization_id) == []
