"""Jobs are done while the installation runs, step by step, by one process at a time."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.database import Database, read_session, unit_of_work, use_database
from onetoken_app.errors import Unavailable
from onetoken_app.identity.models import SignInSession, SignInThrottle
from onetoken_app.jobs.job import Job
from onetoken_app.jobs.scheduler import JOBS, jobs_running
from onetoken_app.settings import Settings
from onetoken_app.usage.models import UsageRecord
from tests.support.builders import a_person
from tests.usage.drafts import a_draft, insert


class Tally:
    """A job that counts its steps, and says when it has done enough of them."""

    def __init__(self, *, steps: int = 1) -> None:
        self.wanted_count = steps
        self.count = 0
        self.done = asyncio.Event()

    async def step(self, _session: AsyncSession, _settings: Settings) -> bool:
        self.count += 1
        if self.count >= self.wanted_count:
            self.done.set()
        return self.count < self.wanted_count

    def job(self, name: str = "tally", *, every: timedelta = timedelta(hours=1)) -> Job:
        return Job(name=name, every=every, step=self.step)


class TestJobsRunning:
    @pytest.mark.usefixtures("database")
    async def test_a_job_goes_on_until_nothing_is_left(self, database_settings: Settings) -> None:
        tally = Tally(steps=3)
        async with jobs_running(database_settings, jobs=(tally.job(),), first_run_seconds=0):
            await asyncio.wait_for(tally.done.wait(), 10)
        assert tally.count == 3

    @pytest.mark.usefixtures("sqlite_database")
    async def test_a_job_is_done_again_when_it_is_due(self, sqlite_settings: Settings) -> None:
        tally = Tally(steps=2)

        async def once(session: AsyncSession, settings: Settings) -> bool:
            await tally.step(session, settings)
            return False

        job = Job(name="again", every=timedelta(seconds=1), step=once)
        async with jobs_running(sqlite_settings, jobs=(job,), first_run_seconds=0):
            await asyncio.wait_for(tally.done.wait(), 10)

    @pytest.mark.usefixtures("sqlite_database")
    async def test_trouble_of_one_job_does_not_keep_others_from_theirs(
        self, sqlite_settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tally = Tally()

        async def fail(_session: AsyncSession, _settings: Settings) -> bool:
            raise Unavailable("The database does not answer.")

        jobs = (Job(name="fails", every=timedelta(hours=1), step=fail), tally.job())
        async with jobs_running(sqlite_settings, jobs=jobs, first_run_seconds=0):
            await asyncio.wait_for(tally.done.wait(), 10)
        written = capsys.readouterr()
        assert "job_failed" in written.out + written.err

    @pytest.mark.usefixtures("sqlite_database")
    async def test_the_end_waits_for_the_step_and_for_no_more(self, sqlite_settings: Settings) -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()
        ended: list[bool] = []

        async def endless(_session: AsyncSession, _settings: Settings) -> bool:
            begun.set()
            await may_end.wait()
            ended.append(True)
            return True

        async with jobs_running(
            sqlite_settings, jobs=(Job("endless", timedelta(hours=1), endless),), first_run_seconds=0
        ):
            await asyncio.wait_for(begun.wait(), 10)
            asyncio.get_running_loop().call_later(0.1, may_end.set)
        assert ended == [True]

    async def test_one_process_at_a_time_does_a_step(self, postgresql_settings: Settings) -> None:
        begun, may_end = asyncio.Event(), asyncio.Event()
        other = Tally()

        async def hold(_session: AsyncSession, _settings: Settings) -> bool:
            begun.set()
            await may_end.wait()
            return False

        database = Database(postgresql_settings)
        use_database(database)
        try:
            leading = (Job("leads", timedelta(hours=1), hold),)
            following = (other.job(every=timedelta(seconds=1)),)
            async with jobs_running(postgresql_settings, jobs=leading, first_run_seconds=0):
                await asyncio.wait_for(begun.wait(), 10)
                async with jobs_running(postgresql_settings, jobs=following, first_run_seconds=0):
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(other.done.wait(), 1.5)
                    may_end.set()
                    await asyncio.wait_for(other.done.wait(), 10)
        finally:
            use_database(None)
            await database.dispose()


class TestJobs:
    @pytest.mark.usefixtures("database")
    async def test_they_remove_what_is_over_and_keep_the_rest(self, database_settings: Settings) -> None:
        now = clock.utc_now()
        kept_days = timedelta(days=database_settings.usage_retention_days)
        await insert(
            a_draft(request_id="old", requested_at=now - kept_days - timedelta(days=1)),
            a_draft(request_id="new", requested_at=now - kept_days + timedelta(minutes=1)),
        )
        async with unit_of_work() as session:
            person_id = await a_person(session)
            for secret, age in ((b"old", timedelta(days=8)), (b"new", timedelta(days=6))):
                session.add(SignInSession(secret_digest=secret, person_id=person_id, expires_at=now - age))
            for subject, age in (("account:old", timedelta(hours=2)), ("account:new", timedelta(0))):
                session.add(SignInThrottle(subject=subject, last_failure_at=now - age))
        wanted = [{"new"}, {b"new"}, {"account:new"}]
        async with jobs_running(database_settings, first_run_seconds=0), asyncio.timeout(10):
            while await kept() != wanted:  # noqa: ASYNC110 # what is waited for is a row
                await asyncio.sleep(0.01)

    def test_each_has_its_own_name(self) -> None:
        assert len({job.name for job in JOBS}) == len(JOBS)


async def kept() -> list[set[Any]]:
    """Name the records, sessions and counts that are there."""
    columns: list[Any] = [UsageRecord.request_id, SignInSession.secret_digest, SignInThrottle.subject]
    async with read_session() as session:
        return [set(await session.exec(select(column))) for column in columns]
