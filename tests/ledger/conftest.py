"""Fixtures: an owner with credit, a writer's desk in this process, and a client with a real writer process."""

from collections.abc import AsyncIterator, Iterator

import pytest

from onetoken_app.database import Database, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.batches import Desk
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.settings import Settings
from tests.ledger.desks import a_desk, an_owner


@pytest.fixture
def desk(database_settings: Settings) -> Iterator[Desk]:
    """A writer's desk on a fresh database: the test runs once on each engine."""
    opened = a_desk(database_settings)
    yield opened
    opened.backend.close()


@pytest.fixture
async def owner_id(database: Database) -> str:  # noqa: ARG001 # opens the database for this process
    """An owner with 1 000 nanos of credit."""
    async with unit_of_work() as session:
        return await an_owner(session, balance_nanos=1_000)


@pytest.fixture
async def client(database_settings: Settings) -> AsyncIterator[LedgerClient]:
    """A client whose writer is a process of its own, on a fresh database of each engine."""
    started = LedgerClient()
    await started.start(database_settings, new_id(Kind.EPOCH))
    yield started
    await started.stop()
