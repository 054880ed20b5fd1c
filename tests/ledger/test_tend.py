"""The embedded database's log is copied back: between batches when it is long, whole when the writer is idle."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from onetoken_app.clock import monotonic_seconds
from onetoken_app.database import Database, unit_of_work
from onetoken_app.ledger.backends import CHECKPOINT_ROWS
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner


@pytest.fixture
def sqlite_desk(sqlite_settings: Settings) -> Iterator[Desk]:
    """A desk on the embedded database."""
    opened = a_desk(sqlite_settings)
    yield opened
    opened.backend.close()


async def write_a_long_log(desk: Desk) -> None:
    """Write as many rows as make a checkpoint due."""
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=1_000_000)
    for _ in range(CHECKPOINT_ROWS // 1_000 + 1):
        holds = [a_hold(owner_id, 1) for _ in range(200)]
        answer(desk, [*holds, *(a_close(hold.request_id, 1) for hold in holds)])


def log_bytes(settings: Settings) -> int:
    """Return the size of the log."""
    return settings.database_file.with_name(settings.database_file.name + "-wal").stat().st_size


class TestTend:
    async def test_the_log_does_not_grow_under_load(
        self, sqlite_desk: Desk, sqlite_database: Database, sqlite_settings: Settings
    ) -> None:
        assert sqlite_database.is_sqlite
        await write_a_long_log(sqlite_desk)
        sqlite_desk.backend.tend(is_idle=False)
        size = log_bytes(sqlite_settings)
        await write_a_long_log(sqlite_desk)
        assert log_bytes(sqlite_settings) < size * 3 // 2

    async def test_the_log_is_empty_when_idle(
        self, sqlite_desk: Desk, sqlite_database: Database, sqlite_settings: Settings
    ) -> None:
        assert sqlite_database.is_sqlite
        await write_a_long_log(sqlite_desk)
        sqlite_desk.backend.tend(is_idle=True)
        assert log_bytes(sqlite_settings) == 0

    async def test_waits_for_no_reader(
        self, sqlite_desk: Desk, sqlite_database: Database, sqlite_settings: Settings
    ) -> None:
        assert sqlite_database.is_sqlite
        with closing(sqlite3.connect(sqlite_settings.database_file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM ledger_hold").fetchall()
            await write_a_long_log(sqlite_desk)
            started = monotonic_seconds()
            sqlite_desk.backend.tend(is_idle=True)
            assert monotonic_seconds() - started < 2.5
            assert log_bytes(sqlite_settings) > 0
