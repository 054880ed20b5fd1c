"""Claims: one hold at a time has one, across batches, processes and deaths; for a day."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.jobs.purge_claims import JOB
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.claims import COUNTS_FOR, release_statement
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import AlreadyClaimed
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.models import Claim
from onetoken_app.ledger.operations import BalanceTooLow, HoldPlaced, HoldRepeated, PlaceHold
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_desk, an_owner, do, rows, the_report, until_gone

CLAIM = "ab" * 32


def claiming(owner_id: str, *, fingerprint: str = "same", amount_nanos: int = 10) -> PlaceHold:
    """Ask for a hold with the claim."""
    return PlaceHold(
        new_id(Kind.REQUEST), owner_id, Currency.USD, amount_nanos, b"context", CLAIM, (fingerprint, "older")
    )


def told(first: PlaceHold, outcome: Outcome | None, amount_nanos: int, *, is_same: bool = True) -> HoldRepeated:
    """Say what a repeat is told."""
    return HoldRepeated(first.request_id, is_same, Currency.USD, outcome, amount_nanos)


class TestClaims:
    def test_a_repeat_in_the_same_batch_and_in_a_later_one(self, desk: Desk, owner_id: str) -> None:
        first, second = claiming(owner_id), claiming(owner_id)
        assert answer(desk, [first, second, first]) == [HoldPlaced(10), told(first, None, 0), HoldPlaced(10)]
        assert do(desk, claiming(owner_id)) == told(first, None, 0)
        _, repeated = answer(desk, [a_close(first.request_id, 7), second])
        assert repeated == told(first, Outcome.SETTLED, 7)
        assert do(desk, second) == told(first, Outcome.SETTLED, 7)
        assert rows(desk, "SELECT count(*) FROM ledger_hold") == [(1,)]

    def test_another_fingerprint_is_another_request(self, desk: Desk, owner_id: str) -> None:
        first = claiming(owner_id)
        do(desk, first)
        other = PlaceHold(new_id(Kind.REQUEST), owner_id, Currency.USD, 10, b"context", CLAIM, ("other",))
        assert do(desk, other) == told(first, None, 0, is_same=False)

    def test_a_fingerprint_under_an_older_key_is_the_same_request(self, desk: Desk, owner_id: str) -> None:
        first = claiming(owner_id)
        do(desk, first)
        later = PlaceHold(new_id(Kind.REQUEST), owner_id, Currency.USD, 10, b"context", CLAIM, ("newer", "same"))
        assert do(desk, later) == told(first, None, 0)

    def test_what_is_not_held_claims_nothing(self, desk: Desk, owner_id: str) -> None:
        assert do(desk, claiming(owner_id, amount_nanos=1_001)) == BalanceTooLow(1_000)
        assert do(desk, claiming(owner_id)) == HoldPlaced(10)

    def test_a_correction_counts_for_what_a_repeat_is_told(self, desk: Desk, owner_id: str) -> None:
        first = claiming(owner_id)
        do(desk, first)
        do(desk, a_close(first.request_id, 3, outcome=Outcome.RECOVERED))
        assert do(desk, claiming(owner_id)) == told(first, Outcome.RECOVERED, 3)
        do(desk, a_close(first.request_id, 9))
        assert do(desk, claiming(owner_id)) == told(first, Outcome.RECOVERED, 9)

    def test_a_void_that_releases_it_makes_room(self, desk: Desk, owner_id: str) -> None:
        first, second = claiming(owner_id), claiming(owner_id)
        do(desk, first)
        release = release_statement(CLAIM, first.request_id, is_sqlite=desk.backend.connection.is_sqlite)
        do(desk, a_close(first.request_id, 0, outcome=Outcome.VOIDED, extra=[release]))
        assert do(desk, second) == HoldPlaced(10)
        do(desk, a_close(first.request_id, 0, outcome=Outcome.VOIDED, extra=[release]))
        assert do(desk, claiming(owner_id)) == told(second, None, 0)

    def test_it_counts_for_a_day(self, desk: Desk, owner_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = claiming(owner_id), claiming(owner_id)
        do(desk, first)
        now = clock.utc_now()
        monkeypatch.setattr(clock, "utc_now", lambda: now + COUNTS_FOR - timedelta(minutes=1))
        assert do(desk, second) == told(first, None, 0)
        monkeypatch.setattr(clock, "utc_now", lambda: now + COUNTS_FOR + timedelta(minutes=1))
        assert do(desk, second) == HoldPlaced(10)
        assert do(desk, claiming(owner_id)) == told(second, None, 0)

    def test_it_outlives_the_process_that_placed_the_hold(
        self, desk: Desk, owner_id: str, database_settings: Settings
    ) -> None:
        first, dying = claiming(owner_id), a_desk(database_settings)
        do(dying, first)
        until_gone(dying, present=desk)
        assert do(desk, claiming(owner_id)) == told(first, None, 0)
        do(desk, a_close(first.request_id, 2, outcome=Outcome.RECOVERED))
        assert do(desk, claiming(owner_id)) == told(first, Outcome.RECOVERED, 2)


@pytest.mark.row("A8")
class TestClaimsAcrossProcesses:
    async def test_of_fifty_through_four_writers_on_postgresql_one_is_held(
        self, postgresql_settings: Settings, postgresql_database: Database
    ) -> None:
        assert not postgresql_database.is_sqlite
        async with unit_of_work() as session:
            owner_id = await an_owner(session, balance_nanos=1_000)
        clients = [LedgerClient() for _ in range(4)]
        await asyncio.gather(*(client.start(postgresql_settings, new_id(Kind.EPOCH)) for client in clients))
        holds = [claiming(owner_id) for _ in range(50)]
        found = await asyncio.gather(
            *(clients[number % 4].place_hold(hold) for number, hold in enumerate(holds)), return_exceptions=True
        )
        (held,) = [hold for hold, outcome in zip(holds, found, strict=True) if isinstance(outcome, HoldPlaced)]
        repeated = [outcome.repeated for outcome in found if isinstance(outcome, AlreadyClaimed)]
        assert repeated == [told(held, None, 0)] * 49
        await clients[3].close_hold(a_close(held.request_id, 5))
        await asyncio.gather(*(client.stop() for client in clients))
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count, report.open_hold_count) == (None, 1, 0)


class TestPurgeClaims:
    async def test_what_counts_no_more_goes(
        self, database: Database, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert database is not None
        async with unit_of_work() as session:
            owner_id = await an_owner(session, balance_nanos=1_000)
        desk = a_desk(database_settings)
        do(desk, claiming(owner_id))
        desk.backend.close()
        now = clock.utc_now()
        for age, left in ((COUNTS_FOR - timedelta(minutes=1), 1), (COUNTS_FOR + timedelta(minutes=1), 0)):
            monkeypatch.setattr(clock, "utc_now", lambda age=age: now + age)
            async with unit_of_work() as session:
                assert not await JOB.step(session, database_settings)
            async with read_session() as session:
                assert len((await session.exec(select(Claim))).all()) == left
