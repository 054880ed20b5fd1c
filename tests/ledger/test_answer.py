"""Batches on both databases: what is durable, what is fenced, and how one poisoned operation fails alone."""

import pytest

from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.ledger import queries
from onetoken_app.ledger.batches import DatabaseGone, Desk, answer
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    BalanceTooLow,
    DeadHold,
    DeadHolds,
    ExtendHold,
    FindDeadHolds,
    HoldClosed,
    HoldPlaced,
    ProgressRecorded,
    RecordProgress,
    Refused,
    Statement,
)
from onetoken_app.ledger.queries import BalanceView
from onetoken_app.ledger.recovery import EPOCH_GRACE_SECONDS
from onetoken_app.ledger.store import EpochEnded, instant_text
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner, do, rows, the_report, until_gone


async def the_balance(owner_id: str) -> BalanceView:
    async with read_session() as session:
        return await queries.balance_of(session, owner_id=owner_id, currency=Currency.USD)


def a_statement(desk: Desk, key: str, *, count: int = 2) -> Statement:
    """Insert into a table of the caller's own, with room for the charge."""
    mark = "?" if desk.backend.connection.is_sqlite else "%s"
    values = ", ".join([mark] * count)
    return Statement(f"INSERT INTO receipt VALUES ({values})", [key, -1], charge_position=1)


@pytest.fixture
def receipts(desk: Desk) -> Desk:
    """A desk beside which a caller has a table of its own."""
    with desk.backend.transaction() as connection:
        connection.write_foreign("CREATE TABLE receipt (id varchar(32) PRIMARY KEY, charge bigint)", [()])
    return desk


class TestAnswer:
    async def test_a_whole_life_is_durable(self, desk: Desk, owner_id: str) -> None:
        hold = a_hold(owner_id, 600)
        request_id = hold.request_id
        assert do(desk, hold) == HoldPlaced(600)
        assert await the_balance(owner_id) == BalanceView(1_000, 600, 400)
        assert do(desk, ExtendHold(request_id, 700)) == HoldPlaced(700)
        assert do(desk, RecordProgress(request_id, 100, b"one")) == ProgressRecorded()
        assert do(desk, RecordProgress(request_id, 200, b"two")) == ProgressRecorded()
        assert rows(desk, "SELECT amount_nanos, context FROM ledger_hold_progress") == [(200, b"two")]
        assert do(desk, a_close(request_id, 650)) == HoldClosed(Outcome.SETTLED, 650, 0, is_first=True)
        assert do(desk, a_close(request_id, 1)) == HoldClosed(Outcome.SETTLED, 650, 0, is_first=False)
        assert await the_balance(owner_id) == BalanceView(350, 0, 350)
        assert (await the_report()).is_ok

    async def test_a_batch_is_worked_through_in_order(self, desk: Desk, owner_id: str) -> None:
        first, second = a_hold(owner_id, 800), a_hold(owner_id, 800)
        answers = answer(desk, [first, second, a_close(first.request_id, 100), second])
        assert answers == [
            HoldPlaced(800),
            BalanceTooLow(200),
            HoldClosed(Outcome.SETTLED, 100, 0, is_first=True),
            HoldPlaced(800),
        ]
        assert await the_balance(owner_id) == BalanceView(900, 800, 100)

    async def test_a_charge_beyond_the_balance_is_absorbed(self, desk: Desk, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        answers = answer(desk, [hold, a_close(hold.request_id, 1_500)])
        assert answers[1] == HoldClosed(Outcome.SETTLED, 1_000, 500, is_first=True)
        posted = rows(desk, "SELECT kind, posted_nanos FROM ledger_account WHERE owner_id = '' ORDER BY kind")
        assert posted == [("absorbed", -500), ("grants", -1_000), ("revenue", 1_500)]
        assert (await the_report()).is_ok

    async def test_callers_statements_commit_with_the_close_and_once(self, receipts: Desk, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        close = a_close(hold.request_id, 7, extra=[a_statement(receipts, hold.request_id)])
        answer(receipts, [hold, close, close])
        do(receipts, close)
        assert rows(receipts, "SELECT id, charge FROM receipt") == [(hold.request_id, 7)]

    async def test_a_poisoned_operation_fails_alone(self, receipts: Desk, owner_id: str) -> None:
        holds = [a_hold(owner_id, 10) for _ in range(3)]
        answer(receipts, holds)
        closes = [a_close(hold.request_id, 5, extra=[a_statement(receipts, hold.request_id)]) for hold in holds]
        poisoned = a_close(holds[1].request_id, 5, extra=[a_statement(receipts, "x", count=1)])
        answers = answer(receipts, [closes[0], poisoned, closes[2]])
        assert [type(given) for given in answers] == [HoldClosed, Refused, HoldClosed]
        assert await the_balance(owner_id) == BalanceView(990, 10, 980)
        assert do(receipts, closes[1]) == HoldClosed(Outcome.SETTLED, 5, 0, is_first=True)
        assert (await the_report()).is_ok

    async def test_writes_of_an_ended_epoch_are_refused_whole(
        self, desk: Desk, owner_id: str, database_settings: Settings
    ) -> None:
        hold = a_hold(owner_id, 10)
        do(desk, hold)
        with desk.backend.transaction() as connection:
            connection.write(
                "UPDATE ledger_epoch SET ended_at = ? WHERE id = ?", [("2026-05-18T00:00:00.000000Z", desk.epoch_id)]
            )
        with pytest.raises(EpochEnded):
            answer(desk, [a_hold(owner_id, 10), a_close(hold.request_id, 5)])
        with pytest.raises(EpochEnded):
            a_desk(database_settings, epoch_id=desk.epoch_id)
        assert await the_balance(owner_id) == BalanceView(1_000, 10, 990)


class TestFullDisk:
    async def test_does_nothing_of_the_batch_and_goes_on_when_there_is_room(
        self, sqlite_database: Database, sqlite_settings: Settings
    ) -> None:
        assert sqlite_database.is_sqlite
        async with unit_of_work() as session:
            owner_id = await an_owner(session, balance_nanos=1_000)
        desk = a_desk(sqlite_settings)
        hold = a_hold(owner_id, 10)
        do(desk, hold)
        desk.backend.connection.cursor.execute("PRAGMA max_page_count = 1")
        with pytest.raises(DatabaseGone):
            answer(desk, [a_hold(owner_id, 1, context=bytes(1024)) for _ in range(200)])
        assert await the_balance(owner_id) == BalanceView(1_000, 10, 990)
        desk.backend.connection.cursor.execute("PRAGMA max_page_count = 1000000")
        assert do(desk, a_close(hold.request_id, 4)) == HoldClosed(Outcome.SETTLED, 4, 0, is_first=True)
        desk.backend.close()
        assert (await the_report()).is_ok


class TestFindDeadHolds:
    async def test_lists_the_holds_of_the_dead_with_their_last_progress(
        self, owner_id: str, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dead = a_desk(database_settings)
        holds = [a_hold(owner_id, 10, context=b"start") for _ in range(3)]
        answer(dead, [*holds, RecordProgress(holds[1].request_id, 4, b"later"), a_close(holds[2].request_id, 1)])
        heir = a_desk(database_settings)
        until_gone(dead, present=heir)
        do(heir, a_hold(owner_id, 10))
        monkeypatch.setattr("onetoken_app.ledger.recovery.EPOCH_GRACE_SECONDS", 0.0)
        placed_at = instant_text(rows(heir, "SELECT min(placed_at) FROM ledger_hold")[0][0])
        expected = [
            DeadHold(holds[0].request_id, owner_id, Currency.USD, placed_at, 0, b"start"),
            DeadHold(holds[1].request_id, owner_id, Currency.USD, placed_at, 4, b"later"),
        ]
        expected.sort(key=lambda hold: hold.request_id)
        assert do(heir, FindDeadHolds()) == DeadHolds(expected)
        assert do(heir, FindDeadHolds(holds_max=1)) == DeadHolds(expected[:1])
        assert do(heir, FindDeadHolds(after_request_id=expected[0].request_id)) == DeadHolds(expected[1:])
        recovered = a_close(holds[1].request_id, 4, outcome=Outcome.RECOVERED)
        assert do(heir, recovered) == HoldClosed(Outcome.RECOVERED, 4, 0, is_first=True)
        do(heir, a_close(holds[0].request_id, 0, outcome=Outcome.VOIDED))
        assert do(heir, FindDeadHolds()) == DeadHolds([])
        heir.backend.close()
        report = await the_report()
        assert (report.is_ok, report.recovered_count, report.open_hold_count) == (True, 1, 1)

    async def test_ends_no_epoch_on_postgresql_whose_owner_lives(
        self, postgresql_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("onetoken_app.ledger.recovery.EPOCH_GRACE_SECONDS", 0.0)
        living, other = a_desk(postgresql_settings), a_desk(postgresql_settings)
        do(other, FindDeadHolds())
        assert rows(living, "SELECT count(*) FROM ledger_epoch WHERE ended_at IS NOT NULL") == [(0,)]
        living.backend.close()
        other.backend.close()

    async def test_leaves_time_on_postgresql_to_start_a_writer_again(
        self, postgresql_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seconds = [100.0]
        monkeypatch.setattr("onetoken_app.clock.monotonic_seconds", lambda: seconds[0])
        dead, other = a_desk(postgresql_settings), a_desk(postgresql_settings)
        until_gone(dead, present=other)
        do(other, FindDeadHolds())
        seconds[0] += EPOCH_GRACE_SECONDS - 0.1
        do(other, FindDeadHolds())
        back = a_desk(postgresql_settings, epoch_id=dead.epoch_id)
        seconds[0] += 60
        do(other, FindDeadHolds())
        assert rows(other, "SELECT count(*) FROM ledger_epoch WHERE ended_at IS NOT NULL") == [(0,)]
        until_gone(back, present=other)
        do(other, FindDeadHolds())
        seconds[0] += EPOCH_GRACE_SECONDS
        do(other, FindDeadHolds())
        assert rows(other, "SELECT id FROM ledger_epoch WHERE ended_at IS NOT NULL") == [(dead.epoch_id,)]
        other.backend.close()
