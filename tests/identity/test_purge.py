"""What signing in leaves behind goes when it serves nobody any more."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import SignInSession, SignInThrottle
from onetoken_app.identity.service import admit_sign_in_attempt, purge_sessions, purge_throttles
from tests.support.builders import a_person

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG_AGO, LATER = NOW - timedelta(days=8), NOW + timedelta(hours=1)


async def add_session(secret: str, *, expires_at: datetime, revoked_at: datetime | None = None) -> None:
    """Add a session of somebody."""
    async with unit_of_work() as session:
        person_id = await a_person(session)
        session.add(
            SignInSession(
                secret_digest=secret.encode(), person_id=person_id, expires_at=expires_at, revoked_at=revoked_at
            )
        )


@pytest.mark.usefixtures("database")
class TestPurgeSessions:
    async def test_removes_those_that_ended_before_and_keeps_the_others(self) -> None:
        await add_session("expired", expires_at=LONG_AGO)
        await add_session("revoked", expires_at=LATER, revoked_at=LONG_AGO)
        await add_session("ended of late", expires_at=LATER, revoked_at=NOW)
        await add_session("open", expires_at=LATER)
        async with unit_of_work() as session:
            assert await purge_sessions(session, ended_before=NOW - timedelta(days=7), count_max=10) == 2
        async with read_session() as session:
            left = set(await session.exec(select(SignInSession.secret_digest)))
        assert left == {b"ended of late", b"open"}

    async def test_removes_no_more_than_asked(self) -> None:
        for number in range(3):
            await add_session(f"expired {number}", expires_at=LONG_AGO)
        async with unit_of_work() as session:
            assert await purge_sessions(session, ended_before=NOW, count_max=2) == 2


class TestPurgeThrottles:
    @pytest.mark.usefixtures("database")
    async def test_removes_those_that_are_forgotten(self) -> None:
        async with unit_of_work() as session:
            session.add(
                SignInThrottle(subject="account:old", failure_count=9, last_failure_at=NOW - timedelta(hours=1))
            )
            session.add(SignInThrottle(subject="account:new", failure_count=1, last_failure_at=NOW))
        async with unit_of_work() as session:
            assert await purge_throttles(session, now=NOW, count_max=10) == 1
        async with read_session() as session:
            assert list(await session.exec(select(SignInThrottle.subject))) == ["account:new"]

    @pytest.mark.usefixtures("postgresql_database")
    async def test_leaves_a_row_that_a_guess_has_locked(self) -> None:
        async with unit_of_work() as session:
            await admit_sign_in_attempt(session, email="owner@bench.example", caller_ip="127.0.0.1", now=NOW)
        async with unit_of_work() as guessing, unit_of_work() as purging:
            await admit_sign_in_attempt(guessing, email="owner@bench.example", caller_ip="127.0.0.1", now=NOW)
            assert await purge_throttles(purging, now=LATER + timedelta(days=36_500), count_max=10) == 0
        async with read_session() as session:
            counts = await session.exec(select(SignInThrottle.failure_count).order_by(col(SignInThrottle.subject)))
        assert list(counts) == [2, 2]
