"""Accounts and grants, on both databases, beside a writer."""

import pytest

from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.ledger import queries, service
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.errors import LedgerConflict, NoSuchAccount
from onetoken_app.ledger.queries import BalanceView
from onetoken_app.money import Currency
from tests.ledger.desks import a_close, a_hold, the_report

OWNER = "org_1"


async def grant(amount_nanos: int, reference: str, *, owner_id: str = OWNER) -> None:
    async with unit_of_work() as session:
        await service.grant_credit(
            session, owner_id=owner_id, currency=Currency.USD, amount_nanos=amount_nanos, reference=reference
        )


async def the_balance(owner_id: str = OWNER) -> BalanceView:
    async with read_session() as session:
        return await queries.balance_of(session, owner_id=owner_id, currency=Currency.USD)


@pytest.fixture
async def account_id(database: Database) -> str:  # noqa: ARG001 # opens the database for this process
    """An account without money."""
    async with unit_of_work() as session:
        return await service.open_account(session, owner_id=OWNER, currency=Currency.USD)


class TestOpenAccount:
    async def test_opens_one_per_owner_and_currency(self, account_id: str) -> None:
        async with unit_of_work() as session:
            again = await service.open_account(session, owner_id=OWNER, currency=Currency.USD)
            other = await service.open_account(session, owner_id=OWNER, currency=Currency.CNY)
        assert again == account_id != other

    async def test_an_owner_without_account_has_nothing(self, account_id: str) -> None:
        assert account_id
        assert await the_balance("org_2") == BalanceView(0, 0, 0)

    async def test_a_credit_limit_is_available(self, account_id: str) -> None:
        assert account_id
        async with unit_of_work() as session:
            await service.open_account(session, owner_id="org_2", currency=Currency.USD, floor_nanos=-50)
        assert await the_balance("org_2") == BalanceView(0, 0, 50)


class TestGrantCredit:
    async def test_gives_once_per_reference(self, account_id: str) -> None:
        assert account_id
        await grant(100, "apply:1")
        await grant(100, "apply:1")
        await grant(20, "apply:2")
        assert await the_balance() == BalanceView(120, 0, 120)
        assert (await the_report()).is_ok

    async def test_another_amount_under_the_reference_is_a_conflict(self, account_id: str) -> None:
        assert account_id
        await grant(100, "apply:1")
        with pytest.raises(LedgerConflict):
            await grant(101, "apply:1")
        assert await the_balance() == BalanceView(100, 0, 100)

    async def test_an_owner_without_account_is_named(self, account_id: str) -> None:
        assert account_id
        with pytest.raises(NoSuchAccount):
            await grant(1, "apply:1", owner_id="org_2")

    async def test_nothing_is_no_grant(self, account_id: str) -> None:
        assert account_id
        with pytest.raises(ValueError, match="more than 0"):
            await grant(0, "apply:1")

    async def test_an_error_in_the_unit_of_work_leaves_nothing(self, account_id: str) -> None:
        assert account_id

        async def give_and_fail() -> None:
            async with unit_of_work() as session:
                await service.grant_credit(
                    session, owner_id=OWNER, currency=Currency.USD, amount_nanos=5, reference="apply:1"
                )
                raise NoSuchAccount("the command failed later")

        with pytest.raises(NoSuchAccount):
            await give_and_fail()
        assert await the_balance() == BalanceView(0, 0, 0)

    async def test_shares_the_chain_with_the_writer(self, account_id: str, desk: Desk) -> None:
        assert account_id
        await grant(100, "apply:1")
        hold = a_hold(OWNER, 60)
        answer(desk, [hold, a_close(hold.request_id, 30)])
        await grant(100, "apply:2")
        hold = a_hold(OWNER, 170)
        answer(desk, [hold, a_close(hold.request_id, 170)])
        assert await the_balance() == BalanceView(0, 0, 0)
        assert (await the_report()).is_ok


class TestGrantedTotal:
    async def test_adds_up_the_grants_under_a_prefix(self, account_id: str) -> None:
        assert account_id
        for amount, reference in ((1, "apply:a"), (2, "apply:b"), (4, "APPLY:c"), (8, "other")):
            await grant(amount, reference)
        async with read_session() as session:
            total = await queries.granted_total(
                session, owner_id=OWNER, currency=Currency.USD, reference_prefix="apply:"
            )
            none = await queries.granted_total(
                session, owner_id="org_2", currency=Currency.USD, reference_prefix="apply:"
            )
        assert (total, none) == (3, 0)
