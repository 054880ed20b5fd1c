"""A writer that died and cannot be started at once: the ledger refuses meanwhile, and works again without a restart."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import writer_process
from onetoken_app.ledger.client import LedgerClient, hello
from onetoken_app.ledger.errors import LedgerUnavailable
from onetoken_app.ledger.operations import HoldPlaced
from onetoken_app.ledger.writer_process import WriterProcess, WriterStartFailed
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_hold, the_report
from tests.ledger.test_client import kill_writer, until


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Let this process open no file and no socket; what is open stays so."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def until_starts_have_failed(count: int = 2) -> str:
    """Wait until so many starts have failed; return what the log names as the last one's reason."""
    reasons: list[str] = []
    with capture_logs() as lines:

        async def have_failed() -> bool:
            reasons[:] = [line.get("error_class", "") for line in lines if line["event"] == "ledger_writer_failed"]
            return len(reasons) >= count

        await until(have_failed)
    return reasons[-1]


async def works_again(client: LedgerClient) -> None:
    """Wait until a writer is there."""

    async def is_available() -> bool:
        return client.is_available

    await until(is_available)


class TestRevival:
    async def test_survives_that_descriptors_run_out(self, client: LedgerClient, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        await client.place_hold(hold)
        with no_descriptor_left():
            kill_writer(client)
            assert await until_starts_have_failed() == "EMFILE"
            closing = asyncio.create_task(client.close_hold(a_close(hold.request_id, 4)))
            with pytest.raises(LedgerUnavailable):
                await client.place_hold(a_hold(owner_id, 10))
        assert (await closing).amount_nanos == 4
        await works_again(client)
        assert await client.place_hold(a_hold(owner_id, 10)) == HoldPlaced(10)
        assert (await the_report()).is_ok

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(BlockingIOError(11, "Resource temporarily unavailable"), id="no process left"),
            pytest.param(OSError(12, "Cannot allocate memory"), id="no memory left"),
            pytest.param(RuntimeError("can't start new thread"), id="no thread left"),
            pytest.param(ValueError("something else"), id="whatever else it is"),
        ],
    )
    async def test_survives_that_no_process_can_be_started(
        self, client: LedgerClient, owner_id: str, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def fail(_theirs: object) -> None:
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(writer_process, "_spawn", fail)
            kill_writer(client)
            await until_starts_have_failed()
            assert not client.is_available
        await works_again(client)
        assert await client.place_hold(a_hold(owner_id, 10)) == HoldPlaced(10)

    async def test_survives_that_nobody_can_say_how_the_writer_ended(
        self, client: LedgerClient, owner_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ends = WriterProcess.exit_code

        async def fail(writer: WriterProcess) -> int:
            await ends(writer)
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as broken, capture_logs() as lines:
            broken.setattr(WriterProcess, "exit_code", fail)
            kill_writer(client)

            async def is_noticed() -> bool:
                return any(line["event"] == "ledger_writer_died" for line in lines)

            await until(is_noticed)
        await works_again(client)
        assert await client.place_hold(a_hold(owner_id, 10)) == HoldPlaced(10)


def descriptors() -> set[str]:
    """Name what this process has open; one of them is the folder that says so."""
    return {descriptor.name for descriptor in Path("/proc/self/fd").iterdir()}


class TestStart:
    async def test_leaves_no_descriptor_behind_when_there_is_no_process(
        self, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_theirs: object) -> None:
            raise BlockingIOError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(writer_process, "_spawn", fail)
        before = descriptors()
        with pytest.raises(WriterStartFailed) as failure:
            await WriterProcess.start(hello(sqlite_settings, new_id(Kind.EPOCH)), LedgerClient())
        assert failure.value.exit_code is None
        assert descriptors() == before

    async def test_is_told_as_unavailable_at_the_start_of_the_relay(self, sqlite_settings: Settings) -> None:
        client = LedgerClient()
        with no_descriptor_left(), pytest.raises(LedgerUnavailable):
            await client.start(sqlite_settings, new_id(Kind.EPOCH))
