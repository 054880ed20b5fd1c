"""A balance for exactly 37 holds and 200 callers at once."""

import asyncio

import pytest

from onetoken_app.database import Database, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.operations import HoldPlaced
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_hold, an_owner, the_report

HOLD_NANOS = 1_000
ADMITTED = 37
CALLERS = 200
EXPECTED = [("HoldPlaced", ADMITTED), ("InsufficientFunds", CALLERS - ADMITTED)]


async def the_outcomes(clients: list[LedgerClient]) -> list[HoldPlaced | BaseException]:
    """Ask for all holds at once, spread over the clients; close those that were placed; return the answers."""
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=ADMITTED * HOLD_NANOS + HOLD_NANOS - 1)
    holds = [a_hold(owner_id, HOLD_NANOS) for _ in range(CALLERS)]
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
    return outcomes


def kinds_of(outcomes: list[HoldPlaced | BaseException]) -> list[tuple[str, int]]:
    """Count the answers by kind."""
    names = [type(outcome).__name__ for outcome in outcomes]
    return sorted((name, names.count(name)) for name in set(names))


@pytest.mark.row("A2")
class TestAdmission:
    async def test_admits_exactly_what_the_balance_covers(self, client: LedgerClient, database: Database) -> None:
        assert database is not None
        outcomes = await the_outcomes([client])
        assert kinds_of(outcomes) == EXPECTED
        assert (await the_report()).is_ok

    async def test_four_writers_on_postgresql_admit_no_more(
        self, postgresql_database: Database, postgresql_settings: Settings
    ) -> None:
        assert postgresql_database is not None
        clients = [LedgerClient() for _ in range(4)]
        await asyncio.gather(*(client.start(postgresql_settings, new_id(Kind.EPOCH)) for client in clients))
        outcomes = await the_outcomes(clients)
        await asyncio.gather(*(client.stop() for client in clients))
        assert kinds_of(outcomes) == EXPECTED
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count) == (None, ADMITTED)
