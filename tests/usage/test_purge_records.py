"""Records go when their time is over, oldest first, and the audit log says up to when."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from onetoken_app.audit.models import ActorKind, AuditEntry
from onetoken_app.audit.verification import verify_audit
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.purges import purged_before
from onetoken_app.usage.service import purge_records
from tests.usage.drafts import NOON, a_draft, insert

pytestmark = pytest.mark.usefixtures("database")


async def kept() -> list[str]:
    """Name the records that are there."""
    async with read_session() as session:
        return list(await session.exec(select(UsageRecord.request_id).order_by(col(UsageRecord.request_id))))


async def lines() -> list[AuditEntry]:
    """Read the audit log."""
    async with read_session() as session:
        assert (await verify_audit(session)).is_ok
        return list(await session.exec(select(AuditEntry)))


async def purge(*, requested_before: datetime = NOON, count_max: int = 10) -> int:
    """Purge in a unit of its own."""
    async with unit_of_work() as session:
        return await purge_records(session, requested_before=requested_before, count_max=count_max)


class TestPurgeRecords:
    async def test_removes_what_is_older_and_nothing_else(self) -> None:
        moment = timedelta(microseconds=1)
        await insert(
            a_draft(request_id="old", requested_at=NOON - moment), a_draft(request_id="new", requested_at=NOON)
        )
        assert await purge() == 1
        assert await kept() == ["new"]

    async def test_takes_the_oldest_first_and_no_more_than_asked(self) -> None:
        for age in (1, 3, 2):
            await insert(a_draft(request_id=f"age_{age}", requested_at=NOON - timedelta(days=age)))
        assert [await purge(count_max=2), await purge(count_max=2), await purge(count_max=2)] == [2, 1, 0]
        assert await kept() == []

    async def test_says_once_for_each_moment_that_it_was_the_system(self) -> None:
        for age in (1, 2, 3, 4):
            await insert(a_draft(requested_at=NOON - timedelta(days=age)))
        await purge(requested_before=NOON - timedelta(days=2), count_max=1)
        await purge(requested_before=NOON - timedelta(days=2), count_max=1)
        await purge(requested_before=NOON)
        assert [(line.action, line.actor_kind) for line in await lines()] == [
            ("usage_records_purged", ActorKind.SYSTEM)
        ] * 2
        async with read_session() as session:
            assert await purged_before(session) == NOON

    async def test_says_nothing_when_there_is_nothing_to_do(self) -> None:
        await insert(a_draft())
        assert await purge() == 0
        assert await lines() == []
        async with read_session() as session:
            assert await purged_before(session) is None
