"""Budgets as hard caps, on both databases: in the commit that places a hold, whoever else holds at the same time."""

import asyncio

import pytest

from onetoken_app.database import Database, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import service
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import BudgetExhausted, NoSuchBudget
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    BudgetPeriod,
    BudgetReached,
    ExtendHold,
    HoldClosed,
    HoldConflict,
    HoldPlaced,
    PlaceHold,
    Refused,
)
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.ledger.credit import MONTH, USD, a_budget, a_counted_hold, change_budget, the_use
from tests.ledger.desks import a_close, a_hold, an_owner, do, rows, the_report

HOLD_NANOS = 1_000
ADMITTED = 37
CALLERS = 200


class TestPlaceHold:
    async def test_counts_what_is_held_and_then_what_was_charged(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 100)
        assert do(desk, a_counted_hold(owner_id, 60, budget_id, request_id="req_1")) == HoldPlaced(60)
        assert await the_use(owner_id) == {budget_id: (0, 60)}
        assert do(desk, a_counted_hold(owner_id, 41, budget_id)) == BudgetReached(budget_id, 100, 40)
        assert do(desk, a_close("req_1", 25)) == HoldClosed(Outcome.SETTLED, 25, 0, is_first=True)
        assert await the_use(owner_id) == {budget_id: (25, 0)}
        assert do(desk, a_counted_hold(owner_id, 75, budget_id)) == HoldPlaced(75)
        assert (await the_report()).first_wrong_row is None

    async def test_in_one_batch_too(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 100)
        first = a_counted_hold(owner_id, 60, budget_id)
        answers = answer(
            desk,
            [
                first,
                a_counted_hold(owner_id, 60, budget_id),
                a_close(first.request_id, 10),
                a_counted_hold(owner_id, 60, budget_id),
                first,
            ],
        )
        assert answers[1:4:2] == [BudgetReached(budget_id, 100, 40), HoldPlaced(60)]
        assert answers[4] == HoldConflict()
        assert await the_use(owner_id) == {budget_id: (10, 60)}
        assert (await the_report()).first_wrong_row is None

    async def test_every_budget_must_allow_it(self, desk: Desk, owner_id: str) -> None:
        wide, narrow = await a_budget(owner_id, 100), await a_budget(owner_id, 50)
        assert do(desk, a_counted_hold(owner_id, 51, wide, narrow)) == BudgetReached(narrow, 50, 50)
        assert do(desk, a_counted_hold(owner_id, 50, narrow, wide, narrow)) == HoldPlaced(50)
        assert await the_use(owner_id) == {wide: (0, 50), narrow: (0, 50)}

    async def test_each_period_begins_anew(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 100)
        do(desk, a_counted_hold(owner_id, 100, budget_id))
        later = PlaceHold("req_2", owner_id, USD, 100, b"", budgets=[BudgetPeriod(budget_id, "2027-02")])
        assert do(desk, later) == HoldPlaced(100)
        assert await the_use(owner_id, period="2027-02") == {budget_id: (0, 100)}

    async def test_what_costs_nothing_exceeds_nothing(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 0)
        assert do(desk, a_counted_hold(owner_id, 0, budget_id)) == HoldPlaced(0)
        assert do(desk, a_counted_hold(owner_id, 1, budget_id)) == BudgetReached(budget_id, 0, 0)

    async def test_a_repeat_counts_once(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 100)
        hold = a_counted_hold(owner_id, 60, budget_id)
        assert [do(desk, hold), do(desk, hold)] == [HoldPlaced(60), HoldPlaced(60)]
        assert await the_use(owner_id) == {budget_id: (0, 60)}

    async def test_too_little_money_counts_nothing(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 10_000)
        do(desk, a_counted_hold(owner_id, 1_001, budget_id))
        assert await the_use(owner_id) == {budget_id: (0, 0)}

    async def test_a_budget_of_another_owner_or_currency_is_refused(self, desk: Desk, owner_id: str) -> None:
        async with unit_of_work() as session:
            other_id = await an_owner(session)
            in_cny = await service.create_budget(
                session, owner_id=owner_id, subject="key_1", currency=Currency.CNY, limit_nanos=100
            )
        for budget_id in (await a_budget(other_id, 100), in_cny, "bud_none"):
            assert do(desk, a_counted_hold(owner_id, 1, budget_id)) == Refused("BudgetUnknown")

    async def test_a_hold_without_budgets_asks_for_none(self, desk: Desk, owner_id: str) -> None:
        await a_budget(owner_id, 0)
        asked: list[str] = []
        read = type(desk.backend.connection).read
        hold = a_hold(owner_id, 10)

        def noted(self: object, sql: str, parameters: tuple[object, ...] = ()) -> list[object]:
            asked.append(sql)
            return read(self, sql, parameters)  # type: ignore[arg-type] # the same method

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(desk.backend.connection), "read", noted)
            do(desk, hold)
            do(desk, a_close(hold.request_id, 5))
        assert asked
        assert not [sql for sql in asked if "budget_period" in sql or "FROM ledger_hold_budget" in sql]


class TestLimits:
    async def test_a_raised_limit_counts_at_once_and_a_lowered_one_stops_new_holds(
        self, desk: Desk, owner_id: str
    ) -> None:
        budget_id = await a_budget(owner_id, 100)
        do(desk, a_counted_hold(owner_id, 100, budget_id, request_id="req_1"))
        await change_budget(owner_id, budget_id, limit_nanos=110)
        assert do(desk, a_counted_hold(owner_id, 10, budget_id)) == HoldPlaced(10)
        await change_budget(owner_id, budget_id, limit_nanos=50)
        assert do(desk, a_counted_hold(owner_id, 1, budget_id)) == BudgetReached(budget_id, 50, 0)
        assert do(desk, a_close("req_1", 100)) == HoldClosed(Outcome.SETTLED, 100, 0, is_first=True)
        assert await the_use(owner_id) == {budget_id: (100, 10)}

    async def test_one_that_is_switched_off_counts_and_refuses_nothing(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 10)
        await change_budget(owner_id, budget_id, is_enabled=False)
        assert do(desk, a_counted_hold(owner_id, 60, budget_id)) == HoldPlaced(60)
        assert await the_use(owner_id) == {budget_id: (0, 60)}

    async def test_one_that_was_removed_is_passed_over_and_counts_its_open_holds(
        self, desk: Desk, owner_id: str
    ) -> None:
        budget_id = await a_budget(owner_id, 60)
        do(desk, a_counted_hold(owner_id, 60, budget_id, request_id="req_1"))
        async with unit_of_work() as session:
            await service.remove_budget(session, owner_id=owner_id, budget_id=budget_id)
        assert do(desk, a_counted_hold(owner_id, 60, budget_id)) == HoldPlaced(60)
        do(desk, a_close("req_1", 20))
        seen = rows(desk, "SELECT spent_nanos, held_nanos FROM ledger_budget_period")
        assert ([tuple(row) for row in seen], await the_use(owner_id)) == ([(20, 0)], {})
        assert (await the_report()).first_wrong_row is None

    async def test_is_its_owners_alone(self, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 60)
        with pytest.raises(NoSuchBudget):
            await change_budget("org_other", budget_id, limit_nanos=1)
        with pytest.raises(ValueError, match="at least 0"):
            await change_budget(owner_id, budget_id, limit_nanos=-1)


class TestExtendAndClose:
    async def test_an_extension_is_covered_or_refused_by_name(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 100)
        do(desk, a_counted_hold(owner_id, 60, budget_id, request_id="req_1"))
        assert do(desk, ExtendHold("req_1", 90)) == HoldPlaced(90)
        assert do(desk, ExtendHold("req_1", 101)) == BudgetReached(budget_id, 100, 10)
        assert await the_use(owner_id) == {budget_id: (0, 90)}

    async def test_a_charge_above_the_hold_is_exact_and_may_exceed_the_budget(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 100)
        do(desk, a_counted_hold(owner_id, 100, budget_id, request_id="req_1"))
        assert do(desk, a_close("req_1", 130)) == HoldClosed(Outcome.SETTLED, 130, 0, is_first=True)
        assert await the_use(owner_id) == {budget_id: (130, 0)}
        assert (await the_report()).first_wrong_row is None

    async def test_a_void_gives_all_of_it_back(self, desk: Desk, owner_id: str) -> None:
        budget_id = await a_budget(owner_id, 100)
        do(desk, a_counted_hold(owner_id, 100, budget_id, request_id="req_1"))
        do(desk, a_close("req_1", 100, outcome=Outcome.VOIDED))
        assert await the_use(owner_id) == {budget_id: (0, 0)}

    @pytest.mark.parametrize("true_nanos", [5, 70])
    async def test_a_correction_brings_it_to_the_true_amount(self, desk: Desk, owner_id: str, true_nanos: int) -> None:
        budget_id = await a_budget(owner_id, 100)
        do(desk, a_counted_hold(owner_id, 100, budget_id, request_id="req_1"))
        do(desk, a_close("req_1", 30, outcome=Outcome.RECOVERED))
        do(desk, a_close("req_1", true_nanos))
        assert await the_use(owner_id) == {budget_id: (true_nanos, 0)}
        assert (await the_report()).first_wrong_row is None


async def admitted(clients: list[LedgerClient]) -> tuple[int, int]:
    """Ask for all holds at once, spread over the clients, then close them; count who was admitted and who was not."""
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=10**9)
    budget_id = await a_budget(owner_id, ADMITTED * HOLD_NANOS + HOLD_NANOS - 1)
    holds = [a_counted_hold(owner_id, HOLD_NANOS, budget_id) for _ in range(CALLERS)]
    outcomes = await asyncio.gather(
        *(clients[number % len(clients)].place_hold(hold) for number, hold in enumerate(holds)),
        return_exceptions=True,
    )
    placed = [hold for hold, outcome in zip(holds, outcomes, strict=True) if isinstance(outcome, HoldPlaced)]
    await asyncio.gather(
        *(
            clients[number % len(clients)].close_hold(a_close(hold.request_id, HOLD_NANOS))
            for number, hold in enumerate(placed)
        )
    )
    assert await the_use(owner_id, period=MONTH) == {budget_id: (ADMITTED * HOLD_NANOS, 0)}
    return len(placed), sum(isinstance(outcome, BudgetExhausted) for outcome in outcomes)


class TestManyAtOnce:
    async def test_exactly_what_the_budget_allows_is_admitted(self, client: LedgerClient, database: Database) -> None:
        assert database is not None
        assert await admitted([client]) == (ADMITTED, CALLERS - ADMITTED)
        assert (await the_report()).first_wrong_row is None

    async def test_four_writers_on_postgresql_admit_no_more(
        self, postgresql_database: Database, postgresql_settings: Settings
    ) -> None:
        assert postgresql_database is not None
        clients = [LedgerClient() for _ in range(4)]
        await asyncio.gather(*(client.start(postgresql_settings, new_id(Kind.EPOCH)) for client in clients))
        counts = await admitted(clients)
        await asyncio.gather(*(client.stop() for client in clients))
        assert counts == (ADMITTED, CALLERS - ADMITTED)
        assert (await the_report()).first_wrong_row is None
