"""A stop while many streams are open: no call more is taken, each stream ends whole and is settled, the exit is 0."""

import asyncio
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from onetoken_app.relay.runtime import raise_descriptor_limit
from tests.faults.test_many_streams import ask
from tests.faults.test_several_processes import until_ready
from tests.support.installation import Installation, RunningProcess, apply_file
from tests.support.postgresql import PostgresqlServer
from tests.support.scripted_upstream import (
    USUAL_USAGE,
    Exchange,
    ScriptedUpstream,
    chunk,
    scripted_upstream,
    usage_chunk,
)

STREAMS = 200
NOT_READY_SECONDS_MAX = 1.0


@pytest.mark.row("D1")
@pytest.mark.long
@pytest.mark.timeout(300)
class TestStopUnderStreams:
    @pytest.mark.parametrize("verb", ["relay", "up"])
    async def test_one_process_ends_its_streams(self, tmp_path: Path, verb: str) -> None:
        await stopped_while_streaming(Installation(tmp_path), verb)

    async def test_several_processes_end_their_streams(
        self, tmp_path: Path, postgresql_server: PostgresqlServer
    ) -> None:
        url = postgresql_server.url(postgresql_server.create_database())
        await stopped_while_streaming(Installation(tmp_path).on_postgresql(url), "workers")


async def stopped_while_streaming(installation: Installation, verb: str) -> None:
    """Stop a server under streams that wait for a word of ours, and look at what each caller got."""
    raise_descriptor_limit()
    goes_on = asyncio.Event()

    async def waits_midway(exchange: Exchange) -> None:
        await exchange.begin_stream()
        await exchange.send_event(chunk("hello", usage=None))
        await goes_on.wait()
        await exchange.send_event(chunk(finish_reason="stop", usage=None))
        await exchange.send_event(usage_chunk(USUAL_USAGE))
        await exchange.send_event("[DONE]")
        await exchange.end_stream()

    async with scripted_upstream(waits_midway, backlog=STREAMS) as upstream:
        (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
        with ExitStack() as stack:
            running = await started(stack, installation, verb)
            streams = [asyncio.create_task(ask(running, secret)) for _ in range(STREAMS)]
            await until_asked(upstream, STREAMS)
            running.process.terminate()
            assert await seconds_until_not_ready(running) <= NOT_READY_SECONDS_MAX
            await until_nobody_listens(running)
            goes_on.set()
            async with asyncio.timeout(60):
                answers = await asyncio.gather(*streams)
            assert await asyncio.to_thread(running.process.wait, 60) == 0
        assert all(answer.is_whole for answer in answers), Counter(answer.status for answer in answers)
        report = await asyncio.to_thread(installation.verified)
        assert (report["settled"], report["open_holds"]) == (STREAMS, 0)


async def started(stack: ExitStack, installation: Installation, verb: str) -> RunningProcess:
    """Start a server until the stack ends."""
    if verb != "workers":
        return await asyncio.to_thread(stack.enter_context, installation.serving(verb))
    running = stack.enter_context(installation.server("relay", "--workers", "4"))
    await until_ready(running)
    return running


async def until_asked(upstream: ScriptedUpstream, count: int) -> None:
    """Wait until so many calls have reached the provider."""
    async with asyncio.timeout(60):
        while len(upstream.exchanges) < count:  # noqa: ASYNC110 # another process calls
            await asyncio.sleep(0.02)


async def seconds_until_not_ready(running: RunningProcess) -> float:
    """Ask whether calls may be sent, on new connections, until the answer is no; nobody there is a no too."""
    since = time.monotonic()
    async with asyncio.timeout(60):
        while True:
            try:
                async with httpx.AsyncClient(trust_env=False, timeout=0.5) as client:
                    if (await client.get(f"{running.url}/readyz")).status_code == 503:
                        return time.monotonic() - since
            except httpx.TransportError:
                return time.monotonic() - since
            await asyncio.sleep(0.02)


async def until_nobody_listens(running: RunningProcess) -> None:
    """Wait until new connections are refused: one that is only queued would wait until the last stream has ended."""
    async with asyncio.timeout(10):
        while True:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            except ConnectionRefusedError:
                return
            writer.close()
            await asyncio.sleep(0.05)
