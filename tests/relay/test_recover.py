"""Holds of processes that died are closed, whatever stands in them, and the books stay right."""

from datetime import UTC, datetime

import pytest
from sqlmodel import col, select
from structlog.testing import capture_logs

from onetoken_app.command.ledger_verify import verify_books
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import LedgerRefused
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.models import HoldClose
from onetoken_app.ledger.operations import CloseHold, HoldClosed, RecordProgress
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import Currency
from onetoken_app.relay import recovery
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.recording import encode_draft
from tests.ledger.desks import a_desk, a_hold, do
from tests.support.builders import PLENTY_NANOS, an_organization
from tests.usage.drafts import a_draft

OTHER_VERSION = b"of another version"
ENDED_AT = "2026-11-23T00:00:00.000000Z"


class StubbornClient(LedgerClient):
    """A client whose database refuses whatever is closed for ``req_1``."""

    async def close_hold(self, operation: CloseHold) -> HoldClosed:
        """Close other holds."""
        if operation.request_id == "req_1":
            raise LedgerRefused("The ledger did not take this; nothing of it was done.")
        return await super().close_hold(operation)


@pytest.fixture
async def organization_id(database: Database) -> str:  # noqa: ARG001 # opens the database for this process
    """An organization with plenty of money."""
    async with unit_of_work() as session:
        return await an_organization(session, balance_nanos=PLENTY_NANOS)


def a_context(request_id: str, organization_id: str, *, price_version_id: int = 1) -> bytes:
    """Pack a draft that this version can read."""
    return encode_draft(
        a_draft(request_id=request_id, organization_id=organization_id, price_version_id=price_version_id)
    )


def dies(settings: Settings, organization_id: str, contexts: dict[str, bytes]) -> None:
    """Leave open holds with these contexts behind, with progress, of a process whose epoch has ended."""
    desk = a_desk(settings)
    for request_id, context in contexts.items():
        do(desk, a_hold(organization_id, 5, request_id=request_id, context=context))
        do(desk, RecordProgress(request_id, 2, context))
    with desk.backend.transaction() as connection:
        connection.write("UPDATE ledger_epoch SET ended_at = ? WHERE id = ?", [(ENDED_AT, desk.epoch_id)])
    desk.backend.close()


async def recovered_by(ledger: LedgerClient, settings: Settings) -> int:
    """Start a client and recover with it; return how many holds were."""
    await ledger.start(settings, new_id(Kind.EPOCH))
    try:
        return await recovery.recover_dead_holds(ledger, is_sqlite=settings.is_sqlite)
    finally:
        await ledger.stop()


async def the_closes() -> dict[str, tuple[Outcome, int]]:
    """Return outcome and charge of each close."""
    async with read_session() as session:
        return {
            close.request_id: (close.outcome, close.amount_nanos) for close in await session.exec(select(HoldClose))
        }


async def the_record(request_id: str) -> UsageRecord:
    """Return the record of a call."""
    async with read_session() as session:
        return (await session.exec(select(UsageRecord).where(col(UsageRecord.request_id) == request_id))).one()


class TestRecoverDeadHolds:
    async def test_charges_the_last_progress(self, database_settings: Settings, organization_id: str) -> None:
        dies(database_settings, organization_id, {"req_1": a_context("req_1", organization_id)})
        assert await recovered_by(LedgerClient(), database_settings) == 1
        assert await the_closes() == {"req_1": (Outcome.RECOVERED, 2)}
        record = await the_record("req_1")
        assert (record.model_name, record.charge_nanos, record.error_code) == ("mock", 2, recovery.PROCESS_DIED)
        assert (await verify_books()).ok

    async def test_one_that_nobody_can_read_is_given_back_and_keeps_no_other_from_its_close(
        self, database_settings: Settings, organization_id: str
    ) -> None:
        contexts = {name: a_context(name, organization_id) for name in ("req_1", "req_2", "req_3")}
        dies(database_settings, organization_id, contexts | {"req_2": OTHER_VERSION})
        before = datetime.now(UTC)
        with capture_logs() as lines:
            assert await recovered_by(LedgerClient(), database_settings) == 3
        closes = await the_closes()
        assert closes == {
            "req_1": (Outcome.RECOVERED, 2),
            "req_2": (Outcome.RECOVERED, 0),
            "req_3": (Outcome.RECOVERED, 2),
        }
        named = [line["request_id"] for line in lines if line["event"] == "hold_context_unreadable"]
        assert named == ["req_2"]
        record = await the_record("req_2")
        assert (record.organization_id, record.currency, record.charge_nanos) == (organization_id, Currency.USD, 0)
        assert (record.usage_source, record.error_code) == (UsageSource.NONE, recovery.PROCESS_DIED)
        assert abs((record.requested_at - before).total_seconds()) < 60
        async with read_session() as session:
            assert (await balance_of(session, owner_id=organization_id, currency=Currency.USD)).held_nanos == 0
        report = await verify_books()
        assert (report.first_wrong_row, report.recovered) == (None, 3)

    async def test_one_whose_record_the_database_refuses_is_given_back(
        self, database_settings: Settings, organization_id: str
    ) -> None:
        context = a_context("req_1", organization_id, price_version_id=2**63)
        dies(database_settings, organization_id, {"req_1": context})
        assert await recovered_by(LedgerClient(), database_settings) == 1
        assert await the_closes() == {"req_1": (Outcome.RECOVERED, 0)}
        assert (await verify_books()).ok

    async def test_one_that_cannot_be_closed_stays_open_and_the_rest_is_closed(
        self, database_settings: Settings, organization_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recovery, "_HOLDS_AT_ONCE", 1)
        names = ("req_1", "req_2", "req_3")
        dies(database_settings, organization_id, {name: a_context(name, organization_id) for name in names})
        with capture_logs() as lines:
            assert await recovered_by(StubbornClient(), database_settings) == 2
        assert set(await the_closes()) == {"req_2", "req_3"}
        assert [line["request_id"] for line in lines if line["event"] == "hold_not_recovered"] == ["req_1"]
        report = await verify_books()
        assert (report.open_holds, report.ok) == (0, False)
        assert report.first_wrong_row is not None
        assert report.first_wrong_row.startswith("ledger_hold req_1: it is open, and its epoch ended")
