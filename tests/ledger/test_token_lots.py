"""Lots of tokens, on both databases: what they pay of a call, exactly, in races, after their end, and after a crash."""

import asyncio
import random
from datetime import timedelta
from fractions import Fraction

import pytest

from onetoken_app import clock
from onetoken_app.database import Database, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import service
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import LedgerConflict
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    BalanceTooLow,
    BudgetReached,
    CloseHold,
    ExtendHold,
    HoldClosed,
    HoldPlaced,
    PlaceHold,
)
from onetoken_app.ledger.operations import BudgetPeriod as CountedPeriod
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.ledger.credit import (
    LATER,
    MONTH,
    NOW,
    SOON,
    USD,
    a_budget,
    expire,
    give_promotion,
    the_lots,
    the_prepaid,
    the_use,
)
from tests.ledger.desks import an_owner, do, rows, the_report
from tests.ledger.test_admission import ADMITTED, CALLERS, EXPECTED, kinds_of

MODEL = "mdl_1"
REQUEST = "req_1"


@pytest.fixture
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utc_now", lambda: NOW)


async def sell_tokens(
    owner_id: str, count: int, unit_nanos: int, *, reference: str = "package:t", soon: bool = False
) -> None:
    async with unit_of_work() as session:
        await service.sell_package(
            session,
            owner_id=owner_id,
            currency=USD,
            amount_nanos=count * unit_nanos,
            expires_at=SOON if soon else LATER,
            reference=reference,
            scopes=[MODEL],
            token_count=count,
        )


def a_hold(
    owner_id: str, nanos: int, tokens: int, *, units: int = 0, request_id: str = REQUEST, scope: str = MODEL
) -> PlaceHold:
    return PlaceHold(
        request_id, owner_id, USD, nanos, b"context", scope=scope, token_count=tokens, units_nanos=units
    )  # fmt: skip


def a_close(
    nanos: int,
    tokens: int,
    *,
    units: int = 0,
    request_id: str = REQUEST,
    outcome: Outcome = Outcome.SETTLED,
) -> CloseHold:
    return CloseHold(
        request_id, outcome, nanos, UsageSource.UPSTREAM, [], scope=MODEL, token_count=tokens, units_nanos=units
    )


def settled(nanos: int, absorbed: int = 0) -> HoldClosed:
    return HoldClosed(Outcome.SETTLED, nanos, absorbed, is_first=True)


@pytest.mark.usefixtures("_frozen")
class TestOneCall:
    async def test_tokens_pay_at_their_own_price_before_all_other_credit(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 100, 3)
        await give_promotion(owner_id, 50)
        assert do(desk, a_hold(owner_id, 500, 60)) == HoldPlaced(180)
        assert do(desk, a_close(470, 41)) == settled(123)
        assert await the_lots(owner_id) == {"promotion:1": (50, 0), "package:t": (59 * 3, 0)}
        assert await the_prepaid(owner_id) == (700, 0)
        assert (await the_report()).first_wrong_row is None

    async def test_what_passes_the_end_is_charged_at_the_usual_price_in_the_same_close(
        self, desk: Desk, owner_id: str
    ) -> None:
        await sell_tokens(owner_id, 10, 3)
        assert do(desk, a_hold(owner_id, 200, 40)) == HoldPlaced(30 + 150)
        assert do(desk, a_close(100, 30)) == settled(30 + 67)
        assert await the_lots(owner_id) == {}
        assert await the_prepaid(owner_id) == (1_000 - 30 - 67, 0)
        taken = rows(desk, "SELECT amount_nanos FROM ledger_posting ORDER BY transaction_number, posting_number")[-2:]
        assert [row[0] for row in taken] == [30, 67]
        assert (await the_report()).first_wrong_row is None

    async def test_what_is_no_token_is_never_paid_by_tokens(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 100, 3)
        assert do(desk, a_hold(owner_id, 107, 50, units=7)) == HoldPlaced(157)
        assert do(desk, a_close(57, 20, units=7)) == settled(67)
        assert await the_prepaid(owner_id) == (693, 0)

    async def test_other_models_take_no_tokens(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 100, 3)
        assert do(desk, a_hold(owner_id, 50, 50, scope="mdl_2")) == HoldPlaced(50)
        assert do(desk, a_close(50, 50)) == settled(50)
        assert await the_lots(owner_id) == {"package:t": (300, 0)}

    async def test_a_call_that_costs_nothing_takes_no_tokens(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 100, 3)
        do(desk, a_hold(owner_id, 500, 60))
        assert do(desk, a_close(0, 41)) == settled(0)
        do(desk, a_hold(owner_id, 500, 60, request_id="req_2"))
        void = a_close(0, 0, request_id="req_2", outcome=Outcome.VOIDED)
        assert do(desk, void) == HoldClosed(Outcome.VOIDED, 0, 0, is_first=True)
        assert await the_lots(owner_id) == {"package:t": (300, 0)}

    async def test_the_last_token_is_usable_and_then_money_pays(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 300, 3)
        assert (await the_prepaid(owner_id)) == (100, 0)
        for number, tokens in enumerate((299, 1)):
            request_id = f"req_{number}"
            assert do(desk, a_hold(owner_id, 9_000, tokens, request_id=request_id)) == HoldPlaced(3 * tokens)
            assert do(desk, a_close(9_000, tokens, request_id=request_id)) == settled(3 * tokens)
        assert await the_lots(owner_id) == {}
        assert do(desk, a_hold(owner_id, 101, 1, request_id="req_2")) == BalanceTooLow(100)
        assert do(desk, a_hold(owner_id, 100, 1, request_id="req_2")) == HoldPlaced(100)

    async def test_too_little_says_what_is_available_of_the_usual_price(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 300, 3)
        # Half of the call is paid by tokens; of the other half's 400, 100 are there.
        assert do(desk, a_hold(owner_id, 800, 600)) == BalanceTooLow(500)

    async def test_several_lots_pay_in_the_order_of_their_ends(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 10, 5, reference="package:later")
        await sell_tokens(owner_id, 10, 2, reference="package:soon", soon=True)
        do(desk, a_hold(owner_id, 100, 15))
        assert do(desk, a_close(90, 12)) == settled(10 * 2 + 2 * 5)
        assert await the_lots(owner_id) == {"package:later": (40, 0)}

    async def test_an_extension_takes_more_tokens_and_then_more_money(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 100, 3)
        do(desk, a_hold(owner_id, 50, 50))
        assert do(desk, ExtendHold(REQUEST, 90, MODEL, 90)) == HoldPlaced(270)
        assert do(desk, ExtendHold(REQUEST, 90, MODEL, 90)) == HoldPlaced(270)
        assert do(desk, ExtendHold(REQUEST, 400, MODEL, 200)) == HoldPlaced(300 + 200)
        assert do(desk, a_close(300, 150)) == settled(300 + 100)
        assert (await the_report()).first_wrong_row is None

    async def test_more_than_the_hold_is_money_and_what_nobody_covers_is_absorbed(
        self, desk: Desk, owner_id: str
    ) -> None:
        await sell_tokens(owner_id, 300, 3)
        do(desk, a_hold(owner_id, 300, 200))
        assert do(desk, a_close(400, 400)) == settled(600 + 100, absorbed=100)
        assert await the_lots(owner_id) == {"package:t": (300, 0)}
        assert (await the_report()).first_wrong_row is None

    async def test_asking_again_returns_the_first_answers(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 10, 3)
        hold = a_hold(owner_id, 200, 40)
        assert do(desk, hold) == do(desk, hold) == HoldPlaced(180)
        do(desk, a_close(100, 30))
        assert do(desk, a_close(100, 30)) == HoldClosed(Outcome.SETTLED, 97, 0, is_first=False)

    async def test_a_budget_counts_what_the_tokens_were_bought_for(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 100, 3)
        budget_id = await a_budget(owner_id, 200)
        budgets = [CountedPeriod(budget_id, MONTH)]
        hold = PlaceHold(REQUEST, owner_id, USD, 10, b"", scope=MODEL, budgets=budgets, token_count=67)
        assert do(desk, hold) == BudgetReached(budget_id, 200, 200)
        hold = PlaceHold(REQUEST, owner_id, USD, 1_000, b"", scope=MODEL, budgets=budgets, token_count=66)
        assert do(desk, hold) == HoldPlaced(198)
        do(desk, a_close(900, 10))
        assert await the_use(owner_id) == {budget_id: (30, 0)}


@pytest.mark.usefixtures("_frozen")
class TestEnds:
    async def test_a_lot_that_ends_during_a_call_pays_what_was_held_and_nothing_new(
        self, desk: Desk, owner_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await sell_tokens(owner_id, 100, 3, soon=True)
        do(desk, a_hold(owner_id, 60, 60))
        monkeypatch.setattr(clock, "utc_now", lambda: SOON + timedelta(seconds=1))
        assert await expire() == 1
        assert do(desk, a_hold(owner_id, 60, 60, request_id="req_2")) == HoldPlaced(60)
        assert do(desk, a_close(40, 40)) == settled(120)
        assert await expire() == 1
        assert await the_lots(owner_id) == {}
        forfeited = rows(desk, "SELECT posted_nanos FROM ledger_account WHERE kind = 'forfeited'")
        assert forfeited[0][0] == 60 * 3
        assert (await the_report()).first_wrong_row is None

    @pytest.mark.parametrize(
        ("true_nanos", "true_tokens", "charged", "tokens_left"),
        [
            pytest.param(80, 40, 30 + 60, 0, id="more was used: money pays the difference"),
            pytest.param(16, 8, 24, 2, id="less was used: money and then tokens are given back"),
            pytest.param(0, 0, 0, 10, id="nothing was used: all is given back"),
            pytest.param(40, 20, 30 + 20, 0, id="the checkpoint was right"),
        ],
    )
    async def test_a_late_truth_corrects_a_recovery(
        self, *, desk: Desk, owner_id: str, true_nanos: int, true_tokens: int, charged: int, tokens_left: int
    ) -> None:
        await sell_tokens(owner_id, 10, 3)
        do(desk, a_hold(owner_id, 100, 50))
        recovered = do(desk, a_close(40, 20, outcome=Outcome.RECOVERED))
        assert recovered == HoldClosed(Outcome.RECOVERED, 50, 0, is_first=True)
        late = do(desk, a_close(true_nanos, true_tokens))
        assert late == HoldClosed(Outcome.RECOVERED, charged, 0, is_first=False)
        assert await the_lots(owner_id) == ({"package:t": (3 * tokens_left, 0)} if tokens_left else {})
        assert await the_prepaid(owner_id) == (1_000 - charged - 3 * tokens_left, 0)
        assert (await the_report()).first_wrong_row is None


@pytest.mark.usefixtures("_frozen")
class TestSell:
    async def test_refuses_a_price_that_no_token_can_have(self, owner_id: str) -> None:
        async with unit_of_work() as session:
            with pytest.raises(ValueError, match="whole number"):
                await service.sell_package(
                    session, owner_id=owner_id, currency=USD, amount_nanos=100, expires_at=None, reference="p",
                    token_count=3,
                )  # fmt: skip

    async def test_the_same_reference_with_other_tokens_is_refused(self, owner_id: str) -> None:
        await sell_tokens(owner_id, 10, 4)
        await sell_tokens(owner_id, 10, 4)
        with pytest.raises(LedgerConflict):
            await sell_tokens(owner_id, 20, 2)


@pytest.mark.usefixtures("_frozen")
class TestManyCalls:
    @pytest.mark.parametrize("seed", range(3))
    async def test_every_charge_is_what_exact_fractions_say(self, desk: Desk, owner_id: str, seed: int) -> None:
        chance = random.Random(seed)
        left = {"package:a": (chance.randint(50, 100), 2), "package:b": (chance.randint(20, 40), 5)}
        await sell_tokens(owner_id, *left["package:a"], reference="package:a", soon=True)
        await sell_tokens(owner_id, *left["package:b"], reference="package:b")
        money = (await the_prepaid(owner_id))[0]
        for number in range(12):
            request_id, most, units = f"req_{number}", chance.randint(5, 40), chance.randint(0, 3)
            tokens = chance.randint(1, most)
            price = Fraction(chance.randint(1, 60), chance.randint(1, 40))
            usual, usual_units = round(tokens * price), chance.randint(0, units)
            assert isinstance(
                do(desk, a_hold(owner_id, round(most * price) + 1 + units, most, units=units, request_id=request_id)),
                HoldPlaced,
            )
            expected, rest = 0, tokens if usual else 0
            for name, (count, unit) in left.items():
                taken = min(rest, count)
                left[name] = (count - taken, unit)
                expected, rest = expected + taken * unit, rest - taken
            in_money = (Fraction(usual * rest, tokens) + Fraction(1, 2)).__floor__() + usual_units
            closed = do(desk, a_close(usual + usual_units, tokens, units=usual_units, request_id=request_id))
            assert closed == settled(expected + in_money)
            money -= in_money
        assert await the_prepaid(owner_id) == (money, 0)
        assert await the_lots(owner_id) == {name: (count * unit, 0) for name, (count, unit) in left.items() if count}
        assert (await the_report()).first_wrong_row is None

    async def test_a_batch_settles_them_one_after_another(self, desk: Desk, owner_id: str) -> None:
        await sell_tokens(owner_id, 200, 5)
        holds = [a_hold(owner_id, 1, 50, request_id=f"req_{number}") for number in range(5)]
        answers = answer(desk, holds)
        assert [type(one) for one in answers] == [HoldPlaced] * 4 + [BalanceTooLow]


TOKENS, UNIT_NANOS = 7, 11


async def an_owner_of_tokens() -> str:
    """Sell tokens for exactly ``ADMITTED`` calls, all but one token of another, and leave no money."""
    count = ADMITTED * TOKENS + TOKENS - 1
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=count * UNIT_NANOS)
    await sell_tokens(owner_id, count, UNIT_NANOS)
    return owner_id


async def the_outcomes(clients: list[LedgerClient], owner_id: str) -> list[HoldPlaced | BaseException]:
    """Ask for all holds at once, spread over the clients; close those that were placed; return the answers."""
    names = [new_id(Kind.REQUEST) for _ in range(CALLERS)]
    outcomes = await asyncio.gather(
        *(
            clients[number % len(clients)].place_hold(a_hold(owner_id, 900, TOKENS, request_id=name))
            for number, name in enumerate(names)
        ),
        return_exceptions=True,
    )
    placed = [name for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, HoldPlaced)]
    await asyncio.gather(
        *(
            clients[number % len(clients)].close_hold(a_close(900, TOKENS, request_id=name))
            for number, name in enumerate(placed)
        )
    )
    return outcomes


@pytest.mark.row("A2")
class TestRace:
    async def test_admits_exactly_the_calls_that_tokens_are_left_for(
        self, client: LedgerClient, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert database is not None
        owner_id = await an_owner_of_tokens()
        assert kinds_of(await the_outcomes([client], owner_id)) == EXPECTED
        monkeypatch.setattr(clock, "utc_now", lambda: NOW)
        assert await the_lots(owner_id) == {"package:t": ((TOKENS - 1) * UNIT_NANOS, 0)}
        assert (await the_report()).first_wrong_row is None

    async def test_four_writers_on_postgresql_admit_no_more(
        self, postgresql_database: Database, postgresql_settings: Settings
    ) -> None:
        assert postgresql_database is not None
        owner_id = await an_owner_of_tokens()
        clients = [LedgerClient() for _ in range(4)]
        await asyncio.gather(*(client.start(postgresql_settings, new_id(Kind.EPOCH)) for client in clients))
        outcomes = await the_outcomes(clients, owner_id)
        await asyncio.gather(*(client.stop() for client in clients))
        assert kinds_of(outcomes) == EXPECTED
        assert await the_lots(owner_id) == {"package:t": ((TOKENS - 1) * UNIT_NANOS, 0)}
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count) == (None, ADMITTED)
