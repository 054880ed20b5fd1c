"""The client with real writer processes: answers, cancellation, death, fencing, and stopping."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from onetoken_app.database import Database, read_session, unit_of_work, write_lock, write_lock_file
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import queries
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import InsufficientFunds, LedgerConflict, LedgerRefused, LedgerUnavailable
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    ExtendHold,
    HoldClosed,
    HoldPlaced,
    PlaceHold,
    RecordProgress,
    Statement,
)
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_hold, an_owner, the_report

PLENTY_NANOS = 10**15


async def the_held_nanos(owner_id: str) -> int:
    async with read_session() as session:
        return (await queries.balance_of(session, owner_id=owner_id, currency=Currency.USD)).held_nanos


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process or task is about to do; the test's time-out bounds it."""
    while not await condition():  # noqa: ASYNC110 # what is waited for happens in another process
        await asyncio.sleep(0.01)


async def a_placed_hold(client: LedgerClient, owner_id: str) -> PlaceHold:
    """Place a hold; while the ledger is away, ask again for another request: one whose answer was lost is voided."""
    while True:
        hold = a_hold(owner_id, 1_000)
        try:
            await client.place_hold(hold)
        except LedgerUnavailable:
            await asyncio.sleep(0.01)
        else:
            return hold


def kill_writer(client: LedgerClient) -> None:
    """Kill the writer as the kernel would when memory ends."""
    assert client._writer is not None
    os.kill(client._writer.pid, signal.SIGKILL)


@contextmanager
def frozen(settings: Settings) -> Iterator[None]:
    """Keep the database from answering the writer: its lock is taken, or the session that serves it is stopped."""
    if settings.database_url is None:
        with write_lock(write_lock_file(settings)):
            yield
        return
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'onetoken-ledger' AND datname = current_database()"
    )
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        pids = [row[0] for row in connection.execute(query)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class TestLedgerClient:
    async def test_carries_a_call_from_hold_to_close(self, client: LedgerClient, owner_id: str) -> None:
        hold = a_hold(owner_id, 600)
        assert await client.place_hold(hold) == HoldPlaced(600)
        assert await client.extend_hold(ExtendHold(hold.request_id, 700)) == HoldPlaced(700)
        await client.record_progress(RecordProgress(hold.request_id, 5, b"context"))
        closed = await client.close_hold(a_close(hold.request_id, 650))
        assert closed == HoldClosed(Outcome.SETTLED, 650, 0, is_first=True)
        assert await client.find_dead_holds() == []

    async def test_says_what_is_available_when_it_is_too_little(self, client: LedgerClient, owner_id: str) -> None:
        with pytest.raises(InsufficientFunds) as refusal:
            await client.place_hold(a_hold(owner_id, 1_001))
        assert (refusal.value.http_status, refusal.value.metadata) == (402, {"available_nanos": 1_000})

    async def test_names_a_conflict(self, client: LedgerClient, owner_id: str) -> None:
        with pytest.raises(LedgerConflict):
            await client.close_hold(a_close("req_unknown", 1))
        with pytest.raises(LedgerConflict):
            await client.record_progress(RecordProgress("req_unknown", 1, b""))
        assert await the_held_nanos(owner_id) == 0

    async def test_reports_what_the_database_refuses(self, client: LedgerClient, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        with pytest.raises(LedgerRefused):
            await client.close_hold(a_close(hold.request_id, 1, extra=[Statement("NOT SQL", [])]))
        assert await the_held_nanos(owner_id) == 10

    async def test_what_cannot_be_sent_fails_its_own_caller(self, client: LedgerClient, owner_id: str) -> None:
        with pytest.raises(OverflowError):
            await client.place_hold(a_hold(owner_id, 2**64))
        assert await client.place_hold(a_hold(owner_id, 1)) == HoldPlaced(1)

    async def test_a_cancelled_caller_leaves_no_hold_behind(self, client: LedgerClient, owner_id: str) -> None:
        for turns in range(6):
            hold = a_hold(owner_id, 10)
            caller = asyncio.create_task(client.place_hold(hold))
            for _ in range(turns):
                await asyncio.sleep(0)
            caller.cancel()
            await asyncio.wait([caller])
            assert caller.cancelled()

        async def nothing_is_held() -> bool:
            return not client._pending and await the_held_nanos(owner_id) == 0

        await until(nothing_is_held)

    async def test_a_void_of_its_own_is_recorded_like_any_call(
        self, database: Database, database_settings: Settings, owner_id: str
    ) -> None:
        mark = "?" if database.is_sqlite else "%s"
        async with unit_of_work() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("CREATE TABLE record (id varchar(32) PRIMARY KEY)")
        client = LedgerClient(
            record_of_void=lambda hold: [Statement(f"INSERT INTO record VALUES ({mark})", [hold.request_id])]
        )
        await client.start(database_settings, new_id(Kind.EPOCH))
        holds = [a_hold(owner_id, 10), a_hold(owner_id, 10)]
        for hold in holds:
            caller = asyncio.create_task(client.place_hold(hold))
            await asyncio.sleep(0)
            caller.cancel()
        await client.stop()
        async with unit_of_work() as session:
            connection = await session.connection()
            found = (await connection.exec_driver_sql("SELECT id FROM record")).scalars().all()
        assert sorted(found) == sorted(hold.request_id for hold in holds)
        assert (await the_report()).voided_count == 2

    async def test_a_void_whose_record_cannot_be_made_is_left_to_recovery_and_harms_nobody(
        self, database: Database, database_settings: Settings, owner_id: str
    ) -> None:
        def fail(_hold: PlaceHold) -> list[Statement]:
            raise ValueError("the record cannot be made")

        assert database is not None
        client = LedgerClient(record_of_void=fail)
        await client.start(database_settings, new_id(Kind.EPOCH))
        caller = asyncio.create_task(client.place_hold(a_hold(owner_id, 10)))
        await asyncio.sleep(0)
        caller.cancel()
        neighbour = await client.place_hold(a_hold(owner_id, 20))
        assert (neighbour, caller.cancelled(), client.is_available) == (HoldPlaced(20), True, True)
        await client.stop()
        report = await the_report()
        assert (report.first_wrong_row, report.voided_count, report.open_hold_count) == (None, 0, 2)

    async def test_a_cancelled_close_happens_all_the_same(self, client: LedgerClient, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        closer = asyncio.create_task(client.close_hold(a_close(hold.request_id, 7)))
        await asyncio.sleep(0)
        closer.cancel()

        async def nothing_is_held() -> bool:
            return await the_held_nanos(owner_id) == 0

        await until(nothing_is_held)
        assert (await client.close_hold(a_close(hold.request_id, 1))).amount_nanos == 7

    async def test_a_database_that_is_not_there_is_said_at_the_start(self, settings: Settings) -> None:
        settings.data_dir.mkdir()
        with pytest.raises(LedgerUnavailable):
            await LedgerClient().start(settings, new_id(Kind.EPOCH))

    async def test_a_stopped_client_refuses_and_its_closes_are_done(
        self, database: Database, database_settings: Settings, owner_id: str
    ) -> None:
        assert database is not None
        client = LedgerClient()
        await client.start(database_settings, new_id(Kind.EPOCH))
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        closing = asyncio.create_task(client.close_hold(a_close(hold.request_id, 7)))
        await asyncio.sleep(0)
        await client.stop()
        assert (await closing).amount_nanos == 7
        with pytest.raises(LedgerUnavailable):
            await client.place_hold(a_hold(owner_id, 1))
        with pytest.raises(LedgerUnavailable):
            await client.close_hold(a_close(hold.request_id, 7))


class TestWriterDeath:
    async def test_is_restarted_and_refuses_at_once_meanwhile(self, client: LedgerClient, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        epoch_id = client.epoch_id
        kill_writer(client)
        lost = [client.place_hold(a_hold(owner_id, 10)) for _ in range(5)]
        outcomes = await asyncio.gather(*lost, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} <= {LedgerUnavailable, HoldPlaced}
        closed = await client.close_hold(a_close(hold.request_id, 4))
        assert (closed.amount_nanos, client.epoch_id, client.is_available) == (4, epoch_id, True)

    async def test_an_epoch_ended_by_somebody_else_is_left_for_a_new_one(
        self, client: LedgerClient, owner_id: str
    ) -> None:
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        ended = client.epoch_id
        async with unit_of_work() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("UPDATE ledger_epoch SET ended_at = '2026-05-18T00:00:00.000000Z'")
        closed = await client.close_hold(a_close(hold.request_id, 4))
        assert (closed.is_first, client.epoch_id == ended) == (True, False)
        assert await client.place_hold(a_hold(owner_id, 10)) == HoldPlaced(10)

    async def test_loses_and_doubles_nothing_when_killed_under_load(
        self, client: LedgerClient, database: Database
    ) -> None:
        assert database is not None
        async with unit_of_work() as session:
            owner = await an_owner(session, balance_nanos=PLENTY_NANOS)
        closed: dict[str, HoldClosed] = {}

        async def call(amount_nanos: int) -> None:
            hold = await a_placed_hold(client, owner)
            closed[hold.request_id] = await client.close_hold(a_close(hold.request_id, amount_nanos))

        async def kill_now_and_then() -> None:
            for _ in range(5):
                await asyncio.sleep(0.4)
                if client.is_available:
                    kill_writer(client)

        killer = asyncio.create_task(kill_now_and_then())
        number = 0
        while not killer.done():
            number += 20
            await asyncio.gather(*(call(amount) for amount in range(number, number + 20)))
        await killer

        async def all_is_answered() -> bool:
            return not client._pending

        await until(all_is_answered)
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count, report.open_hold_count) == (None, len(closed), 0)
        async with read_session() as session:
            balance = await queries.balance_of(session, owner_id=owner, currency=Currency.USD)
        assert balance.posted_nanos == PLENTY_NANOS - sum(one.amount_nanos for one in closed.values())
