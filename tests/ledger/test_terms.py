"""Credit limits and freezes, on both databases: exact at the commit, and in the journal."""

import asyncio

import pytest

from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import queries, service
from onetoken_app.ledger.batches import Desk
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import CreditLimitTooLow, LedgerConflict, NoSuchAccount, OwnerIsFrozen
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import BalanceTooLow, ExtendHold, HoldClosed, HoldPlaced, OwnerFrozen, PlaceHold
from onetoken_app.ledger.queries import StandingView
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.ledger.credit import USD, give_promotion, the_prepaid
from tests.ledger.desks import a_close, a_hold, an_owner, do, rows, the_report


async def set_limit(owner_id: str, limit_nanos: int, *, reference: str = "limit:1") -> None:
    async with unit_of_work() as session:
        await service.set_credit_limit(
            session, owner_id=owner_id, currency=USD, limit_nanos=limit_nanos, reference=reference
        )


async def freeze(owner_id: str, *, reference: str = "freeze:1") -> None:
    async with unit_of_work() as session:
        await service.freeze_owner(session, owner_id=owner_id, reference=reference)


async def unfreeze(owner_id: str, *, reference: str = "unfreeze:1") -> None:
    async with unit_of_work() as session:
        await service.unfreeze_owner(session, owner_id=owner_id, reference=reference)


async def the_standing(owner_id: str) -> StandingView:
    async with read_session() as session:
        return await queries.standing_of(session, owner_id=owner_id, currency=USD)


class TestSetCreditLimit:
    async def test_holds_may_use_it_at_once(self, desk: Desk, owner_id: str) -> None:
        await set_limit(owner_id, 50)
        assert do(desk, a_hold(owner_id, 1_051)) == BalanceTooLow(1_050)
        assert do(desk, a_hold(owner_id, 1_050)) == HoldPlaced(1_050)
        assert await the_standing(owner_id) == StandingView(credit_limit_nanos=50, is_frozen=False)
        assert (await the_report()).first_wrong_row is None

    async def test_a_limit_below_what_is_in_use_is_refused_with_figures(self, desk: Desk, owner_id: str) -> None:
        await set_limit(owner_id, 50)
        do(desk, a_hold(owner_id, 1_040))
        with pytest.raises(CreditLimitTooLow) as refusal:
            await set_limit(owner_id, 39, reference="limit:2")
        assert refusal.value.metadata == {"in_use_nanos": 40, "limit_nanos": 39}
        await set_limit(owner_id, 40, reference="limit:3")
        assert (await the_standing(owner_id)).credit_limit_nanos == 40
        assert (await the_report()).first_wrong_row is None

    async def test_is_set_once_per_reference(self, owner_id: str) -> None:
        await set_limit(owner_id, 50)
        await set_limit(owner_id, 60, reference="limit:2")
        await set_limit(owner_id, 50)
        with pytest.raises(LedgerConflict):
            await set_limit(owner_id, 70)
        assert (await the_standing(owner_id)).credit_limit_nanos == 60

    async def test_needs_an_account(self, owner_id: str) -> None:
        assert owner_id
        with pytest.raises(NoSuchAccount):
            await set_limit("org_none", 50)

    async def test_is_not_negative(self, owner_id: str) -> None:
        with pytest.raises(ValueError, match="at least 0"):
            await set_limit(owner_id, -1)


class TestFreezeOwner:
    async def test_no_new_hold_is_placed_and_open_ones_go_on(self, desk: Desk, owner_id: str) -> None:
        await give_promotion(owner_id, 10)
        first = a_hold(owner_id, 20, request_id="req_1")
        do(desk, first)
        await freeze(owner_id)
        assert do(desk, a_hold(owner_id, 1)) == OwnerFrozen()
        assert do(desk, a_hold(owner_id, 0)) == OwnerFrozen()
        assert do(desk, first) == HoldPlaced(20)
        assert do(desk, ExtendHold("req_1", 30)) == HoldPlaced(30)
        assert do(desk, a_close("req_1", 25)) == HoldClosed(Outcome.SETTLED, 25, 0, is_first=True)
        assert (await the_standing(owner_id)).is_frozen
        assert (await the_report()).first_wrong_row is None

    async def test_freezes_in_every_currency_whenever_it_is_opened(self, desk: Desk, owner_id: str) -> None:
        await freeze(owner_id)
        async with unit_of_work() as session:
            await service.open_account(session, owner_id=owner_id, currency=Currency.CNY)
        assert do(desk, PlaceHold("req_1", owner_id, Currency.CNY, 0, b"")) == OwnerFrozen()
        assert (await the_report()).first_wrong_row is None

    async def test_ends(self, desk: Desk, owner_id: str) -> None:
        await freeze(owner_id)
        await freeze(owner_id, reference="freeze:2")
        await unfreeze(owner_id)
        await freeze(owner_id, reference="freeze:2")
        assert do(desk, a_hold(owner_id, 1)) == HoldPlaced(1)
        assert (await the_report()).first_wrong_row is None

    async def test_others_are_not_frozen(self, desk: Desk, owner_id: str) -> None:
        async with unit_of_work() as session:
            other_id = await an_owner(session, balance_nanos=1)
        await freeze(other_id)
        assert do(desk, a_hold(owner_id, 1)) == HoldPlaced(1)

    async def test_an_end_under_the_reference_of_the_freeze_is_a_conflict(self, owner_id: str) -> None:
        await freeze(owner_id)
        with pytest.raises(LedgerConflict):
            await unfreeze(owner_id, reference="freeze:1")
        with pytest.raises(NoSuchAccount):
            await freeze("org_none", reference="freeze:2")

    async def test_the_client_says_so(self, client: LedgerClient, owner_id: str) -> None:
        await freeze(owner_id)
        with pytest.raises(OwnerIsFrozen):
            await client.place_hold(a_hold(owner_id, 1))

    async def test_after_the_commit_no_process_places_a_hold(
        self, postgresql_database: Database, postgresql_settings: Settings
    ) -> None:
        assert postgresql_database is not None
        async with unit_of_work() as session:
            owner_id = await an_owner(session, balance_nanos=1_000_000)
        clients = [LedgerClient() for _ in range(2)]
        await asyncio.gather(*(client.start(postgresql_settings, new_id(Kind.EPOCH)) for client in clients))
        is_frozen = asyncio.Event()

        async def call(client: LedgerClient) -> int:
            placed_count = 0
            while True:
                was_frozen = is_frozen.is_set()
                try:
                    await client.place_hold(a_hold(owner_id, 1))
                except OwnerIsFrozen:
                    return placed_count
                assert not was_frozen
                placed_count += 1

        callers = [asyncio.create_task(call(clients[number % 2])) for number in range(8)]
        await asyncio.sleep(0.05)
        await freeze(owner_id)
        is_frozen.set()
        placed_count = sum(await asyncio.gather(*callers))
        await asyncio.gather(*(client.stop() for client in clients))
        assert await the_prepaid(owner_id) == (1_000_000, placed_count)


class TestJournal:
    async def test_terms_are_entries_of_the_journal(self, desk: Desk, owner_id: str) -> None:
        await set_limit(owner_id, 50)
        await freeze(owner_id)
        entries = rows(desk, "SELECT kind, reference FROM ledger_transaction ORDER BY sequence_number")
        assert [tuple(row) for row in entries[-2:]] == [("credit_limit", "limit:1"), ("freeze", "freeze:1")]
