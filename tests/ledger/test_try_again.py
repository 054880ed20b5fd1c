"""PostgreSQL takes a batch back because of others (deadlock, serialization): it is done again, and refuses nobody."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from onetoken_app.database import Database, unit_of_work
from onetoken_app.ledger.batches import TRIES_MAX, DatabaseGone, Desk, answer
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import Answer, DeadHolds, FindDeadHolds, HoldClosed, HoldPlaced
from onetoken_app.ledger.sql import DriverConnection
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner, do, rows, the_report
from tests.ledger.test_credit_beside_calls import deadlocks_of
from tests.support.postgresql import PostgresqlServer


@pytest.fixture
async def owner_ids(postgresql_database: Database) -> list[str]:
    """Two owners with 1 000 nanos each, in the order of their accounts."""
    assert not postgresql_database.is_sqlite
    async with unit_of_work() as session:
        return [await an_owner(session, balance_nanos=1_000) for _ in range(2)]


@pytest.fixture
def desk(postgresql_settings: Settings, owner_ids: list[str]) -> Iterator[Desk]:
    """A writer's desk on PostgreSQL."""
    assert owner_ids
    opened = a_desk(postgresql_settings)
    yield opened
    opened.backend.close()


def takes_back(desk: Desk, monkeypatch: pytest.MonkeyPatch, *, times: int) -> list[int]:
    """Let the database take back so many transactions; the list grows with each that began."""
    begun: list[int] = []
    transaction = desk.backend.transaction

    @contextmanager
    def taken_back() -> Iterator[DriverConnection]:
        begun.append(1)
        with transaction() as connection:
            yield connection
            if len(begun) <= times:
                raise psycopg.errors.SerializationFailure

    monkeypatch.setattr(desk.backend, "transaction", taken_back)
    return begun


class TestAnswer:
    async def test_a_batch_that_lost_a_deadlock_is_done_again_as_a_whole(
        self, desk: Desk, owner_ids: list[str], postgresql_settings: Settings, postgresql_server: PostgresqlServer
    ) -> None:
        before = deadlocks_of(postgresql_server)
        holds = [a_hold(owner_id, 10) for owner_id in owner_ids]
        answers: list[Answer] = []
        url = postgresql_settings.database_url
        assert url is not None
        pid = rows(desk, "SELECT pg_backend_pid()")[0][0]
        rows(desk, "SELECT set_config('deadlock_timeout', '2s', false)")
        batch = threading.Thread(target=lambda: answers.extend(answer(desk, holds)))
        lock = "SELECT 1 FROM ledger_account WHERE owner_id = %s FOR UPDATE"
        with psycopg.connect(url.get_secret_value()) as other:
            other.execute("SET deadlock_timeout = '1min'")  # so that the batch is the one that loses
            other.execute(lock, (owner_ids[1],))
            batch.start()
            waits = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
            while not other.execute(waits, (pid,)).fetchall():
                time.sleep(0.005)  # noqa: ASYNC251 # nothing else runs on this loop
            other.execute(lock, (owner_ids[0],))
        batch.join()
        assert answers == [HoldPlaced(10), HoldPlaced(10)]
        assert deadlocks_of(postgresql_server) == before + 1
        assert (await the_report()).open_hold_count == 2

    async def test_nothing_is_refused_while_the_database_takes_back(
        self, desk: Desk, owner_ids: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold = a_hold(owner_ids[0], 10)
        begun = takes_back(desk, monkeypatch, times=TRIES_MAX - 1)
        assert do(desk, hold) == HoldPlaced(10)
        assert len(begun) == TRIES_MAX
        takes_back(desk, monkeypatch, times=3)
        closed, placed = answer(desk, [a_close(hold.request_id, 4), a_hold(owner_ids[1], 5)])
        assert (closed, placed) == (HoldClosed(Outcome.SETTLED, 4, 0, is_first=True), HoldPlaced(5))
        takes_back(desk, monkeypatch, times=3)
        assert do(desk, FindDeadHolds()) == DeadHolds([])
        assert (await the_report()).is_ok

    @pytest.mark.parametrize("count", [1, 2], ids=["one operation", "a batch"])
    async def test_a_database_that_goes_on_taking_back_counts_as_gone(
        self, desk: Desk, owner_ids: list[str], monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        begun = takes_back(desk, monkeypatch, times=1_000)
        with pytest.raises(DatabaseGone):
            answer(desk, [a_hold(owner_ids[0], 10) for _ in range(count)])
        assert len(begun) == TRIES_MAX
        assert (await the_report()).open_hold_count == 0
