"""The spool: what is in it survives, what is torn is dropped, and a close from it is done once."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onetoken_app.database import Database, read_session
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import queries, spool, spooling
from onetoken_app.ledger.client import LedgerClient, spool_folder
from onetoken_app.ledger.errors import LedgerUnavailable
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, RecordProgress, Statement
from onetoken_app.ledger.spool import Spool, SpoolFull, left_spool, left_spools
from onetoken_app.money import Currency
from onetoken_app.relay.recovery import apply_left_spools, recover_dead_holds
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_hold, the_report
from tests.ledger.test_client import frozen, kill_writer, until

CLOSES = [a_close(f"req_{number}", number, extra=[Statement("SQL", [number, None, "x"], 0)]) for number in range(5)]


def left_in(path: Path) -> list[CloseHold]:
    """Read a spool whose owner is gone."""
    with left_spool(path) as left:
        assert left is not None
        return left.closes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the spool of ``epo_1`` is."""
    return tmp_path / "spool" / "epo_1.spool"


@pytest.fixture
def opened(path: Path) -> Spool:
    """A spool with five closes, written in two goes."""
    kept = Spool(path.parent, "epo_1")
    kept.keep(CLOSES[:2])
    kept.keep(CLOSES[2:])
    return kept


@pytest.mark.row("A9")
class TestSpool:
    def test_what_is_kept_is_read_in_its_order_once_its_owner_is_gone(self, opened: Spool, path: Path) -> None:
        with left_spool(path) as left:
            assert left is None
        opened.close()
        assert left_in(path) == CLOSES
        assert left_spools(path.parent) == [path]
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    def test_one_that_was_emptied_leaves_nothing(self, opened: Spool, path: Path) -> None:
        opened.clear()
        opened.keep(CLOSES[:1])
        opened.clear()
        opened.close()
        assert left_spools(path.parent) == []

    @pytest.mark.parametrize("cut", [1, 7, 8, 9, 40])
    def test_a_torn_end_is_dropped_and_all_before_it_stays(self, opened: Spool, path: Path, cut: int) -> None:
        opened.close()
        os.truncate(path, path.stat().st_size - cut)
        with left_spool(path) as left:
            assert left is not None
            assert (left.closes, left.is_torn) == (CLOSES[:4], True)

    @pytest.mark.parametrize(
        "garbage",
        [
            pytest.param(b"\x00" * 64, id="zeros"),
            pytest.param(b"\xff" * 64, id="ones"),
            pytest.param(b"\x00\x00\x00\x01\x00\x00\x00\x00\xc0", id="a wrong checksum"),
        ],
    )
    def test_garbage_at_the_end_is_dropped(self, opened: Spool, path: Path, garbage: bytes) -> None:
        opened.close()
        with path.open("ab") as file:
            file.write(garbage)
        assert left_in(path) == CLOSES

    def test_it_has_a_bound(self, opened: Spool, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spool, "SPOOL_BYTES_MAX", path.stat().st_size + 1)
        with pytest.raises(SpoolFull):
            opened.keep(CLOSES)
        opened.close()
        assert left_in(path) == CLOSES

    def test_a_full_disk_leaves_what_was_there(
        self, opened: Spool, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", fail)
            with pytest.raises(OSError, match="No space"):
                opened.keep(CLOSES)
        opened.keep(CLOSES[:1])
        opened.close()
        assert left_in(path) == [*CLOSES, CLOSES[0]]

    def test_a_folder_that_was_never_made_holds_none(self, tmp_path: Path) -> None:
        assert left_spools(tmp_path / "spool") == []


async def killed(client: LedgerClient) -> None:
    """End a client as a kill of its process would: nothing is said to anybody, and its file is let go of."""
    assert client._watch is not None
    assert client._spooling is not None
    client._watch.cancel()
    await asyncio.gather(client._watch, return_exceptions=True)
    client._is_stopping = True
    assert client._writer is not None
    client._writer._is_closing = True
    kill_writer(client)
    await client._writer.close()
    client._writer = client._watch = None
    left, client._spooling._spool = client._spooling._spool, Spool(Path("nowhere"), "none")
    if left._descriptor is not None:
        os.close(left._descriptor)
    client._pending.clear()


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to the spool at once: what is tried is what happens then."""
    monkeypatch.setattr(spooling, "SPOOL_AFTER_SECONDS", 0.1)


@pytest.fixture
async def successor(client: LedgerClient) -> AsyncIterator[LedgerClient]:
    """A client that is started once the first one was killed."""
    assert client.is_available
    next_one = LedgerClient()
    yield next_one
    await next_one.stop()


async def charged_nanos(owner_id: str) -> int:
    """Say what an owner has been charged, and that nothing is held."""
    async with read_session() as session:
        balance = await queries.balance_of(session, owner_id=owner_id, currency=Currency.USD)
    assert balance.held_nanos == 0
    return 1_000 - balance.posted_nanos


@pytest.mark.row("A9")
class TestFrozenDatabase:
    async def test_closes_are_done_at_once_new_holds_are_refused_and_the_database_catches_up(
        self, client: LedgerClient, owner_id: str, database_settings: Settings
    ) -> None:
        holds = [a_hold(owner_id, 10) for _ in range(20)]
        await asyncio.gather(*map(client.place_hold, holds))
        with frozen(database_settings):
            closes = [client.close_hold(a_close(hold.request_id, 4)) for hold in holds]
            closed = await asyncio.wait_for(asyncio.gather(*closes), 20)
            assert {answer.amount_nanos for answer in closed} == {4}
            assert not client.is_available
            with pytest.raises(LedgerUnavailable):
                await client.place_hold(a_hold(owner_id, 10))
            (file,) = left_spools(spool_folder(database_settings))
            assert file.stat().st_size > 0

        async def has_caught_up() -> bool:
            return client.is_available and file.stat().st_size == 0

        await until(has_caught_up)
        assert await charged_nanos(owner_id) == 20 * 4
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count, report.open_hold_count) == (None, 20, 0)

    async def test_where_the_spool_takes_nothing_closes_wait_for_the_database(
        self, client: LedgerClient, owner_id: str, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spool, "SPOOL_BYTES_MAX", 0)
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        with frozen(database_settings):
            closing = asyncio.create_task(client.close_hold(a_close(hold.request_id, 4)))
            done, _ = await asyncio.wait([closing], timeout=1)
            assert not done
        assert (await closing).amount_nanos == 4
        assert await charged_nanos(owner_id) == 4

    @pytest.mark.parametrize("was_recovered_elsewhere", [False, True], ids=["in time", "recovered elsewhere first"])
    async def test_after_a_kill_the_spooled_close_is_the_truth(
        self, client: LedgerClient, successor: LedgerClient, owner_id: str, database: Database,
        database_settings: Settings, *, was_recovered_elsewhere: bool,
    ) -> None:  # fmt: skip
        hold, folder = a_hold(owner_id, 10), spool_folder(database_settings)
        await client.place_hold(hold)
        await client.record_progress(RecordProgress(hold.request_id, 5, b"context"))
        with frozen(database_settings):
            assert (await client.close_hold(a_close(hold.request_id, 9))).amount_nanos == 9
            await killed(client)
        await successor.start(database_settings, new_id(Kind.EPOCH))
        if was_recovered_elsewhere:
            await successor.close_hold(a_close(hold.request_id, 5, outcome=Outcome.RECOVERED))
        assert await apply_left_spools(successor, folder) == 1
        assert await apply_left_spools(successor, folder) == 0
        assert left_spools(folder) == []
        await recover_dead_holds(successor, is_sqlite=database.is_sqlite)
        assert await charged_nanos(owner_id) == 9
        assert (await the_report()).first_wrong_row is None

    async def test_a_spool_that_names_no_hold_is_said_and_dropped(
        self, client: LedgerClient, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spooling, "SPOOL_AFTER_SECONDS", 60.0)
        folder = spool_folder(database_settings)
        left = Spool(folder, "epo_0")
        left.keep(CLOSES[:1])
        left.close()
        assert await apply_left_spools(client, folder) == 1
        assert left_spools(folder) == []

    async def test_a_record_that_the_database_refuses_does_not_keep_the_charge(
        self, client: LedgerClient, owner_id: str, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spooling, "SPOOL_AFTER_SECONDS", 60.0)
        hold, folder = a_hold(owner_id, 10), spool_folder(database_settings)
        await client.place_hold(hold)
        left = Spool(folder, "epo_0")
        left.keep([a_close(hold.request_id, 4, extra=[Statement("NOT SQL", [])])])
        left.close()
        assert await apply_left_spools(client, folder) == 1
        assert await charged_nanos(owner_id) == 4

    async def test_a_kill_before_a_spooled_close_is_done_without_its_refused_record_costs_nothing(
        self, client: LedgerClient, successor: LedgerClient, owner_id: str, database_settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        hold, folder = a_hold(owner_id, 10), spool_folder(database_settings)
        await client.place_hold(hold)
        await client.record_progress(RecordProgress(hold.request_id, 5, b"context"))
        is_asked_again, send = asyncio.Event(), client._flush

        def send_but_the_second() -> None:
            closes = [one.operation for one in client._pending.values() if isinstance(one.operation, CloseHold)]
            if any(not close.extra for close in closes):
                is_asked_again.set()
            else:
                send()

        monkeypatch.setattr(client, "_flush", send_but_the_second)
        with frozen(database_settings):
            await client.close_hold(a_close(hold.request_id, 9, extra=[Statement("NOT SQL", [])]))
        await is_asked_again.wait()
        assert client._spooling is not None
        client._spooling.look_after()
        assert not client.is_available
        await killed(client)
        await successor.start(database_settings, new_id(Kind.EPOCH))
        assert await apply_left_spools(successor, folder) == 1
        await recover_dead_holds(successor, is_sqlite=database_settings.is_sqlite)
        assert await charged_nanos(owner_id) == 9

    async def test_a_close_that_the_database_never_takes_stays_for_whoever_starts_next(
        self, client: LedgerClient, owner_id: str, database_settings: Settings
    ) -> None:
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        with frozen(database_settings):
            await client.close_hold(a_close(hold.request_id, 2**63, extra=[Statement("NOT SQL", [])]))

        async def has_caught_up() -> bool:
            return client.is_available

        await until(has_caught_up)
        await client.stop()
        (file,) = left_spools(spool_folder(database_settings))
        assert [close.request_id for close in left_in(file)] == [hold.request_id]
