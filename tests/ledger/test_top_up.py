"""Money that customers paid: credited once per reference, from clearing, on the same chain as everything else."""

import pytest
from sqlmodel import select

from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.ledger import queries, service
from onetoken_app.ledger.errors import LedgerConflict, NoSuchAccount
from onetoken_app.ledger.models import Account, AccountKind
from onetoken_app.ledger.queries import BalanceView
from onetoken_app.money import Currency
from tests.ledger.desks import the_report

OWNER = "org_1"


async def top_up(amount_nanos: int, reference: str, *, owner_id: str = OWNER) -> None:
    async with unit_of_work() as session:
        await service.top_up(
            session, owner_id=owner_id, currency=Currency.USD, amount_nanos=amount_nanos, reference=reference
        )


@pytest.fixture(autouse=True)
async def _account(database: Database) -> None:  # noqa: ARG001 # opens the database for this process
    """An account without money."""
    async with unit_of_work() as session:
        await service.open_account(session, owner_id=OWNER, currency=Currency.USD)


async def the_balance() -> BalanceView:
    async with read_session() as session:
        return await queries.balance_of(session, owner_id=OWNER, currency=Currency.USD)


class TestTopUp:
    async def test_credits_once_per_reference_from_clearing(self) -> None:
        await top_up(100, "top_up:1")
        await top_up(100, "top_up:1")
        await top_up(20, "top_up:2")
        assert await the_balance() == BalanceView(120, 0, 120)
        async with read_session() as session:
            query = select(Account.posted_nanos).where(Account.kind == AccountKind.CLEARING)
            assert (await session.exec(query)).one() == -120
        assert (await the_report()).is_ok

    async def test_is_no_grant(self) -> None:
        await top_up(100, "apply:1")
        async with read_session() as session:
            total = await queries.granted_total(
                session, owner_id=OWNER, currency=Currency.USD, reference_prefix="apply:"
            )
        assert total == 0

    async def test_a_grant_under_its_reference_is_a_conflict(self) -> None:
        await top_up(100, "top_up:1")
        with pytest.raises(LedgerConflict):
            async with unit_of_work() as session:
                await service.grant_credit(
                    session, owner_id=OWNER, currency=Currency.USD, amount_nanos=100, reference="top_up:1"
                )
        assert (await the_balance()).posted_nanos == 100

    async def test_an_owner_without_account_is_named(self) -> None:
        with pytest.raises(NoSuchAccount):
            await top_up(1, "top_up:1", owner_id="org_2")

    @pytest.mark.parametrize("amount_nanos", [0, -1])
    async def test_nothing_and_less_is_no_top_up(self, amount_nanos: int) -> None:
        with pytest.raises(ValueError, match="more than 0"):
            await top_up(amount_nanos, "top_up:1")
