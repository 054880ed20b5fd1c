"""PostgreSQL: credits of several accounts in one unit of work, beside the writers of two processes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import queries, service
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_hold, an_owner, the_report
from tests.support.postgresql import PostgresqlServer

CREDIT_NANOS = 10**12
GRANT_NANOS, TOP_UP_NANOS, CHARGE_NANOS = 5, 7, 11
ROUNDS = 6
OWNERS = 5
CALLERS = 16


@pytest.fixture
async def owner_ids(postgresql_database: Database) -> list[str]:
    """Owners with plenty of credit."""
    assert not postgresql_database.is_sqlite
    async with unit_of_work() as session:
        return [await an_owner(session, balance_nanos=CREDIT_NANOS) for _ in range(OWNERS)]


@pytest.fixture
async def clients(postgresql_settings: Settings, owner_ids: list[str]) -> AsyncIterator[list[LedgerClient]]:
    """The ledger as two relay processes see it."""
    assert owner_ids
    async with AsyncExitStack() as stack:
        clients = [LedgerClient(), LedgerClient()]
        for client in clients:
            await client.start(postgresql_settings, new_id(Kind.EPOCH))
            stack.push_async_callback(client.stop)
        yield clients


def deadlocks_of(server: PostgresqlServer) -> int:
    """Count the deadlocks that a server has told of since its start."""
    return (server.data_dir / "log").read_text(errors="replace").count("deadlock detected")


async def credit_all(owner_ids: Sequence[str], *, name: str) -> None:
    """Give credit to all owners in one unit of work, again and again, of both kinds."""
    for number in range(ROUNDS):
        async with unit_of_work() as session:
            for owner_id in owner_ids:
                reference = f"{name}:{number}:{owner_id}"
                await service.grant_credit(
                    session, owner_id=owner_id, currency=Currency.USD, amount_nanos=GRANT_NANOS, reference=reference
                )
                await service.top_up(
                    session,
                    owner_id=owner_id,
                    currency=Currency.USD,
                    amount_nanos=TOP_UP_NANOS,
                    reference=f"top_up:{reference}",
                )


async def call_until(is_over: asyncio.Event, client: LedgerClient, owner_ids: Sequence[str]) -> Counter[str]:
    """Hold and close for one owner after another; count the calls of each."""
    counts: Counter[str] = Counter()
    while not is_over.is_set():
        for owner_id in owner_ids:
            hold = a_hold(owner_id, 1_000)
            await client.place_hold(hold)
            closed = await client.close_hold(a_close(hold.request_id, CHARGE_NANOS))
            assert (closed.amount_nanos, closed.is_first) == (CHARGE_NANOS, True)
            counts[owner_id] += 1
    return counts


class TestCreditBesideCalls:
    async def test_waits_for_nobody_in_a_circle_and_loses_nothing(
        self,
        clients: list[LedgerClient],
        owner_ids: list[str],
        postgresql_server: PostgresqlServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # A slow machine may make calls wait for their turn; what is looked for here is that none waits for ever.
        monkeypatch.setattr("onetoken_app.ledger.client.ANSWER_SECONDS_MAX", 60.0)
        deadlocks_before = deadlocks_of(postgresql_server)
        is_over = asyncio.Event()
        orders = {"forwards": owner_ids, "backwards": owner_ids[::-1], "from the middle": owner_ids[2:] + owner_ids[:2]}
        async with asyncio.TaskGroup() as all_at_once:
            callers = [
                all_at_once.create_task(call_until(is_over, clients[number % 2], owner_ids[number % OWNERS :]))
                for number in range(CALLERS)
            ]
            await asyncio.gather(*(credit_all(order, name=name) for name, order in orders.items()))
            is_over.set()
        counts = sum((caller.result() for caller in callers), Counter())
        assert deadlocks_of(postgresql_server) == deadlocks_before
        credited = len(orders) * ROUNDS * (GRANT_NANOS + TOP_UP_NANOS)
        for owner_id in owner_ids:
            async with read_session() as session:
                balance = await queries.balance_of(session, owner_id=owner_id, currency=Currency.USD)
            expected = CREDIT_NANOS + credited - counts[owner_id] * CHARGE_NANOS
            assert (balance.posted_nanos, balance.held_nanos) == (expected, 0)
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count) == (None, counts.total())
