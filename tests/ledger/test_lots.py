"""Lots of credit beside the prepaid account, on both databases: what pays first, what expires, what is limited."""

from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.database import unit_of_work
from onetoken_app.ledger import service, store
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.errors import InsufficientFunds, LedgerConflict, NoSuchAccount
from onetoken_app.ledger.kinds import AccountKind, Outcome
from onetoken_app.ledger.operations import BalanceTooLow, CloseHold, ExtendHold, HoldClosed, HoldPlaced, PlaceHold
from onetoken_app.money import Currency
from onetoken_app.token_usage import UsageSource
from tests.ledger.credit import (
    LATER,
    NOW,
    SOON,
    expire,
    give_promotion,
    sell,
    the_lot_views,
    the_lots,
    the_prepaid,
)
from tests.ledger.desks import a_close, a_hold, do, rows, the_report


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utc_now", lambda: NOW)


def at(monkeypatch: pytest.MonkeyPatch, *, days: int) -> None:
    """Let days go by."""
    monkeypatch.setattr(clock, "utc_now", lambda: NOW + timedelta(days=days))


def a_scoped_hold(owner_id: str, amount_nanos: int, scope: str) -> PlaceHold:
    return PlaceHold("req_1", owner_id, Currency.USD, amount_nanos, b"context", scope=scope)


def parts_of(desk: Desk, request_id: str) -> list[tuple[str, int]]:
    """Name the lots that a hold is on, in order; the prepaid account has no name."""
    return [
        tuple(row)
        for row in rows(
            desk,
            "SELECT account.lot_id, part.amount_nanos FROM ledger_hold_part AS part "
            "JOIN ledger_account AS account ON account.id = part.account_id "
            "WHERE part.request_id = ? ORDER BY part.part_number",
            request_id,
        )
    ]


class TestOrderOfSpending:
    async def test_promotions_then_packages_then_prepaid_what_expires_first_before_the_rest(
        self, desk: Desk, owner_id: str
    ) -> None:
        await sell(owner_id, 10, expires_at=None, reference="package:never")
        await sell(owner_id, 10, expires_at=SOON, reference="package:soon")
        await give_promotion(owner_id, 10, expires_at=LATER, reference="promotion:later")
        await give_promotion(owner_id, 10, expires_at=SOON, reference="promotion:soon")
        assert do(desk, a_hold(owner_id, 45, request_id="req_1")) == HoldPlaced(45)
        order = ["promotion:soon", "promotion:later", "package:soon", "package:never"]
        assert parts_of(desk, "req_1") == [*((name, 10) for name in order), ("", 5)]
        assert do(desk, a_close("req_1", 25)) == HoldClosed(Outcome.SETTLED, 25, 0, is_first=True)
        assert await the_lots(owner_id) == {"package:soon": (5, 0), "package:never": (10, 0)}
        assert await the_prepaid(owner_id) == (980, 0)
        assert (await the_report()).first_wrong_row is None

    async def test_all_accounts_together_are_the_limit(self, desk: Desk, owner_id: str) -> None:
        await give_promotion(owner_id, 10)
        assert do(desk, a_hold(owner_id, 1_011)) == BalanceTooLow(1_010)
        assert do(desk, a_hold(owner_id, 1_010)) == HoldPlaced(1_010)

    async def test_a_charge_above_the_hold_takes_from_lots_too(self, desk: Desk, owner_id: str) -> None:
        hold = a_hold(owner_id, 1_000)
        do(desk, hold)
        await give_promotion(owner_id, 10)
        assert do(desk, a_close(hold.request_id, 1_015)) == HoldClosed(Outcome.SETTLED, 1_010, 5, is_first=True)
        assert (await the_report()).first_wrong_row is None

    async def test_other_currencies_pay_nothing(self, desk: Desk, owner_id: str) -> None:
        async with unit_of_work() as session:
            await service.open_account(session, owner_id=owner_id, currency=Currency.CNY)
            await service.grant_promotional_credit(
                session, owner_id=owner_id, currency=Currency.CNY, amount_nanos=5, expires_at=SOON, reference="cny"
            )
        assert do(desk, a_hold(owner_id, 1_001)) == BalanceTooLow(1_000)


class TestScopes:
    @pytest.mark.parametrize(
        ("scope", "parts"),
        [
            pytest.param("mdl_1", [("package:1", 10), ("", 5)], id="a package pays for what it names"),
            pytest.param("mdl_2", [("package:1", 10), ("", 5)], id="a package may name several things"),
            pytest.param("mdl_3", [("", 15)], id="and pays for nothing else"),
            pytest.param("", [("", 15)], id="nor for what says nothing"),
        ],
    )
    async def test_limit_what_a_package_pays_for(
        self, desk: Desk, owner_id: str, scope: str, parts: list[tuple[str, int]]
    ) -> None:
        await sell(owner_id, 10, scopes=["mdl_2", "mdl_1"])
        assert do(desk, a_scoped_hold(owner_id, 15, scope)) == HoldPlaced(15)
        assert parts_of(desk, "req_1") == parts

    async def test_an_extension_and_an_excess_say_what_they_are_for(self, desk: Desk, owner_id: str) -> None:
        await sell(owner_id, 100, scopes=["mdl_1"])
        do(desk, a_scoped_hold(owner_id, 900, ""))
        assert do(desk, ExtendHold("req_1", 901)) == BalanceTooLow(0)
        assert do(desk, ExtendHold("req_1", 950, "mdl_1")) == HoldPlaced(950)
        close = CloseHold("req_1", Outcome.SETTLED, 1_001, UsageSource.UPSTREAM, [], "mdl_1")
        assert do(desk, close) == HoldClosed(Outcome.SETTLED, 1_000, 1, is_first=True)
        assert (await the_report()).first_wrong_row is None


class TestExpiry:
    async def test_an_expired_lot_takes_no_new_hold_and_settles_its_open_one(
        self, desk: Desk, owner_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await give_promotion(owner_id, 10)
        do(desk, a_hold(owner_id, 6, request_id="req_1"))
        at(monkeypatch, days=1)
        do(desk, a_hold(owner_id, 3, request_id="req_2"))
        assert parts_of(desk, "req_2") == [("", 3)]
        assert do(desk, a_close("req_1", 8)) == HoldClosed(Outcome.SETTLED, 8, 0, is_first=True)
        assert await the_lots(owner_id) == {"promotion:1": (4, 0)}
        assert await the_prepaid(owner_id) == (998, 3)

    async def test_what_is_left_is_forfeited_and_what_is_held_at_a_later_run(
        self, desk: Desk, owner_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await give_promotion(owner_id, 10)
        do(desk, a_hold(owner_id, 6, request_id="req_1"))
        assert await expire() == 0
        at(monkeypatch, days=1)
        assert [await expire(), await expire()] == [1, 0]
        assert await the_lots(owner_id) == {"promotion:1": (6, 6)}
        do(desk, a_close("req_1", 2))
        assert [await expire(), await expire()] == [1, 0]
        assert await the_lots(owner_id) == {}
        forfeited = "SELECT posted_nanos FROM ledger_account WHERE kind = 'forfeited'"
        assert [row[0] for row in rows(desk, forfeited)] == [8]
        assert (await the_report()).first_wrong_row is None

    async def test_a_step_is_bounded(self, owner_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(3):
            await give_promotion(owner_id, 10, reference=f"promotion:{number}")
        at(monkeypatch, days=1)
        assert [await expire(lots_max=2) for _ in range(3)] == [2, 1, 0]

    async def test_lots_that_are_over_are_not_loaded(
        self, desk: Desk, owner_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await give_promotion(owner_id, 10, reference="promotion:used")
        await give_promotion(owner_id, 10, expires_at=LATER, reference="promotion:expired")
        hold = a_hold(owner_id, 10)
        answer(desk, [hold, a_close(hold.request_id, 10)])
        at(monkeypatch, days=31)
        with desk.backend.transaction() as connection:
            books = store.load_for_operations(
                connection, [a_hold(owner_id, 1)], epoch_id=desk.epoch_id, moment=clock.utc_now()
            )
        assert [account.kind for account in books.accounts.values()] == [AccountKind.PREPAID]

    async def test_a_correction_gives_back_to_the_lot_that_paid(
        self, desk: Desk, owner_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await give_promotion(owner_id, 10)
        hold = a_hold(owner_id, 15)
        answer(desk, [hold, a_close(hold.request_id, 13, outcome=Outcome.RECOVERED)])
        at(monkeypatch, days=1)
        assert do(desk, a_close(hold.request_id, 4)) == HoldClosed(Outcome.RECOVERED, 4, 0, is_first=False)
        assert (await the_lots(owner_id), await the_prepaid(owner_id)) == ({"promotion:1": (6, 0)}, (1_000, 0))
        assert (await the_report()).first_wrong_row is None

    async def test_a_correction_in_the_same_batch_does_too(self, desk: Desk, owner_id: str) -> None:
        await give_promotion(owner_id, 10)
        hold = a_hold(owner_id, 15)
        recovery = a_close(hold.request_id, 13, outcome=Outcome.RECOVERED)
        answer(desk, [hold, recovery, a_close(hold.request_id, 4)])
        assert (await the_lots(owner_id), await the_prepaid(owner_id)) == ({"promotion:1": (6, 0)}, (1_000, 0))


class TestOpenLots:
    async def test_a_repeat_changes_nothing(self, owner_id: str) -> None:
        for _ in range(2):
            await give_promotion(owner_id, 10)
            await sell(owner_id, 10, scopes=["mdl_2", "mdl_1"])
        assert await the_lots(owner_id) == {"promotion:1": (10, 0), "package:1": (10, 0)}
        assert await the_prepaid(owner_id) == (990, 0)

    async def test_another_lot_under_the_reference_is_a_conflict(self, owner_id: str) -> None:
        await give_promotion(owner_id, 10)
        await sell(owner_id, 10, scopes=["mdl_1"])
        with pytest.raises(LedgerConflict):
            await give_promotion(owner_id, 10, expires_at=LATER)
        with pytest.raises(LedgerConflict):
            await sell(owner_id, 10, scopes=["mdl_2"])
        with pytest.raises(LedgerConflict):
            await sell(owner_id, 10, reference="promotion:1")

    async def test_a_package_costs_no_more_than_there_is(self, owner_id: str) -> None:
        with pytest.raises(InsufficientFunds) as refusal:
            await sell(owner_id, 1_001)
        assert refusal.value.metadata == {"available_nanos": 1_000}
        assert (await the_lots(owner_id), await the_prepaid(owner_id)) == ({}, (1_000, 0))

    async def test_an_owner_without_account_is_named(self, owner_id: str) -> None:
        assert owner_id
        with pytest.raises(NoSuchAccount):
            await give_promotion("org_none", 10)

    async def test_a_view_says_what_a_lot_is(self, owner_id: str) -> None:
        await sell(owner_id, 10, scopes=["mdl_1"])
        [now], [later] = await the_lot_views(owner_id), await the_lot_views(owner_id, now=LATER)
        assert (now.kind, now.expires_at, now.scopes, now.is_expired) == (AccountKind.PACKAGE, LATER, ("mdl_1",), False)
        assert later.is_expired

    async def test_nothing_is_no_lot(self, owner_id: str) -> None:
        with pytest.raises(ValueError, match="more than 0"):
            await give_promotion(owner_id, 0)
        with pytest.raises(ValueError, match="a scope"):
            await sell(owner_id, 1, scopes=["x" * 65])
