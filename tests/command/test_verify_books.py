"""The books as a whole: each close has the record of its call, unless the audit log says that it was purged."""

from datetime import timedelta

import pytest
from sqlmodel import col, delete

from onetoken_app import clock
from onetoken_app.command.ledger_verify import verify_books
from onetoken_app.database import Database, unit_of_work
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.recording import insert_statement
from onetoken_app.usage.service import purge_records
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner, do
from tests.usage.drafts import NOON, a_draft, insert

CALLS = {"req_old": NOON - timedelta(days=30), "req_young": NOON}


@pytest.fixture
async def _two_calls(database_settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls, charged and recorded, a month apart."""
    monkeypatch.setattr(clock, "utc_now", lambda: min(CALLS.values()))
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=1_000)
    desk = a_desk(database_settings)
    for request_id, moment in CALLS.items():
        monkeypatch.setattr(clock, "utc_now", lambda moment=moment: moment + timedelta(seconds=1))
        draft = a_draft(
            request_id=request_id, requested_at=moment, organization_id=owner_id, charge_nanos=10,
            usage_source=UsageSource.UPSTREAM,
        )  # fmt: skip
        do(desk, a_hold(owner_id, 10, request_id=request_id))
        do(desk, a_close(request_id, 10, extra=[insert_statement(draft, is_sqlite=database.is_sqlite)]))
    desk.backend.close()


async def remove(request_id: str) -> None:
    """Take a record away, without a word."""
    async with unit_of_work() as session:
        await session.exec(delete(UsageRecord).where(col(UsageRecord.request_id) == request_id))


async def purge(*, days: int) -> None:
    """Remove records as the job does."""
    async with unit_of_work() as session:
        await purge_records(session, requested_before=NOON - timedelta(days=days), count_max=10)


@pytest.mark.usefixtures("_two_calls")
class TestVerifyBooks:
    async def test_purged_records_are_not_missed(self) -> None:
        await purge(days=1)
        report = await verify_books()
        assert (report.ok, report.settled) == (True, 2)

    @pytest.mark.parametrize("request_id", CALLS)
    async def test_a_record_that_somebody_took_away_is_missed(self, request_id: str) -> None:
        await remove(request_id)
        assert (await verify_books()).first_wrong_row == f"usage_record {request_id}"

    async def test_a_purge_excuses_no_younger_record(self) -> None:
        await purge(days=1)
        await remove("req_young")
        assert (await verify_books()).first_wrong_row == "usage_record req_young"

    async def test_an_old_record_that_is_still_there_has_to_agree(self) -> None:
        await purge(days=1)
        await insert(a_draft(request_id="req_old", charge_nanos=11, usage_source=UsageSource.UPSTREAM))
        assert (await verify_books()).first_wrong_row == "usage_record req_old"
