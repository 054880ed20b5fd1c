"""PostgreSQL: an operator's file, approved transfers and calls move money at once; nobody waits in a circle."""

import asyncio

import pytest
from sqlmodel import select

from onetoken_app.command.apply import Applied, apply
from onetoken_app.command.marked_yaml import BadFile
from onetoken_app.database import Database, read_session
from onetoken_app.errors import Conflict
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.models import Account, AccountKind
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.payments.models import OrderState
from onetoken_app.settings import Settings
from tests.ledger.desks import the_report
from tests.ledger.test_credit_beside_calls import call_until, deadlocks_of
from tests.payments.orders import AMOUNT, Cast, an_order_in, approve, the_balance
from tests.support.installation import PASSWORD, apply_file
from tests.support.postgresql import PostgresqlServer

CREDIT_UNITS = range(10, 34)
CODES = ("91350100M000100Y43", "DE-HRB 86891")


def a_file(*, credit_units: int) -> bytes:
    """Write a file with two organizations that have so much credit."""
    first = apply_file(base_url="https://upstream.test.example/v1", credit=f"{credit_units}.00")
    second = first[first.index("  - name: Test Ltd") :].replace("Test Ltd", "Second Ltd").replace(CODES[0], CODES[1])
    return (first + second.replace("owner@", "second@")).encode()


@pytest.fixture
def settings(postgresql_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings under which files may name the test's password."""
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    return postgresql_settings


async def raise_credit(settings: Settings) -> None:
    """Apply a file again and again, each time with more credit and nothing else."""
    for units in CREDIT_UNITS:
        assert (await apply(a_file(credit_units=units), settings=settings)).changes


async def approve_all(orders: list[tuple[Cast, str]]) -> None:
    """Approve one transfer after another."""
    for number, (cast, order_id) in enumerate(orders):
        assert await approve(cast, order_id, bank_entry=f"TRANSFER-{number}")


@pytest.mark.long
class TestCreditsMeet:
    async def test_files_transfers_and_calls_lose_nothing(
        self, settings: Settings, postgresql_database: Database, postgresql_server: PostgresqlServer
    ) -> None:
        assert not postgresql_database.is_sqlite
        await apply(a_file(credit_units=1), settings=settings)
        orders = [await an_order_in(OrderState.REPORTED) for _ in CREDIT_UNITS]
        called, _ = await an_order_in(OrderState.CREDITED)
        before = deadlocks_of(postgresql_server)
        client = LedgerClient()
        await client.start(settings, new_id(Kind.EPOCH))
        is_over = asyncio.Event()
        async with asyncio.TaskGroup() as all_at_once:
            calls = all_at_once.create_task(call_until(is_over, client, [called.organization_id]))
            await asyncio.gather(raise_credit(settings), approve_all(orders))
            is_over.set()
        await client.stop()
        assert deadlocks_of(postgresql_server) == before
        assert {(await the_balance(cast)).available_nanos for cast, _ in orders} == {AMOUNT}
        assert 0 < AMOUNT - (await the_balance(called)).available_nanos < NANOS_PER_UNIT
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count) == (None, calls.result().total())

    async def test_totals_of_two_files_at_once_do_not_add_up(
        self, settings: Settings, postgresql_database: Database
    ) -> None:
        assert not postgresql_database.is_sqlite
        await apply(a_file(credit_units=1), settings=settings)
        for units in range(10, 100, 10):
            both = (apply(a_file(credit_units=total), settings=settings) for total in (units, units + 1))
            results = await asyncio.gather(*both, return_exceptions=True)
            assert {type(result) for result in results} <= {Applied, BadFile, Conflict}
            async with read_session() as session:
                posted = await session.exec(select(Account.posted_nanos).where(Account.kind == AccountKind.PREPAID))
                (nanos,) = set(posted)
            assert nanos in (units * NANOS_PER_UNIT, (units + 1) * NANOS_PER_UNIT)
