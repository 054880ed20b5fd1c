"""The database hangs in the middle of calls: answers end all the same, new calls are refused, nothing is lost."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from onetoken_app.ledger import spooling
from onetoken_app.ledger.client import spool_folder
from onetoken_app.ledger.spool import left_spools
from onetoken_app.settings import Settings
from tests.ledger.test_client import frozen
from tests.relay.conftest import RunningRelay, quick, running_relay, until
from tests.support.postgresql import PostgresqlServer
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    answers_usually,
    chunk,
    usage_chunk,
)

CALLS_OF_A_KIND = 10


@contextmanager
def stopped(server: PostgresqlServer) -> Iterator[None]:
    """Stop every process of a PostgreSQL, as a machine that hangs does."""
    pids = [server.pid]
    os.kill(server.pid, signal.SIGSTOP)  # first, so that it starts no more
    pids += [int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]
    for pid in pids[1:]:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class Halfway:
    """An upstream that stops in the middle of every answer until it is told to go on."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    async def behave(self, exchange: Exchange) -> None:
        """Answer, with a pause before the end."""
        if not exchange.body.get("stream"):
            await self.goes_on.wait()
            await answers_usually(exchange)
            return
        await exchange.begin_stream()
        await exchange.send_event(chunk("hello"))
        await self.goes_on.wait()
        for event in (chunk(finish_reason="stop"), usage_chunk(USUAL_USAGE), "[DONE]"):
            await exchange.send_event(event)
        await exchange.end_stream()


def is_whole(answer: httpx.Response) -> bool:
    """Whether an answer has its end."""
    assert answer.status_code == 200
    return answer.text.endswith("data: [DONE]\n\n") or "choices" in json.loads(answer.text)


async def begun_calls(relay: RunningRelay, upstream: Halfway) -> list[asyncio.Task[httpx.Response]]:
    """Begin calls of both kinds; all of them are held for and wait for their upstream."""
    relay.upstream.behave = upstream.behave
    calls = [asyncio.create_task(relay.post({"stream": number % 2 == 0})) for number in range(2 * CALLS_OF_A_KIND)]
    await until(lambda: len(relay.upstream.exchanges) == len(calls))
    return calls


async def check_books(relay: RunningRelay) -> None:
    """Check that each call was charged once, and that nothing is left on disk or held."""
    relay.upstream.behave = answers_usually
    await until(lambda: relay.runtime.is_ready, seconds=30)
    assert (await relay.post()).status_code == 200
    await relay.until_idle()
    assert [record.charge_nanos for record in await relay.records()] == [USUAL_CHARGE_NANOS] * (2 * CALLS_OF_A_KIND + 1)
    assert len(await relay.closes()) == 2 * CALLS_OF_A_KIND + 1
    assert (await relay.balance()).held_nanos == 0
    await until(lambda: all(not path.stat().st_size for path in left_spools(spool_folder(relay.settings))))


@pytest.mark.row("A9", "D7")
class TestFrozenDatabase:
    async def test_open_calls_end_whole_and_new_ones_are_refused(
        self, relay_settings_on_each: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spooling, "SPOOL_AFTER_SECONDS", 0.2)
        async with running_relay(relay_settings_on_each) as relay:
            upstream = Halfway()
            calls = await begun_calls(relay, upstream)
            with frozen(relay.settings):
                upstream.goes_on.set()
                assert all(map(is_whole, await asyncio.gather(*calls)))
                (file,) = left_spools(spool_folder(relay.settings))
                assert b"hello" not in file.read_bytes()
                refused = await relay.post()
                assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ledger_unavailable")
            await check_books(relay)

    @pytest.mark.parametrize(
        "seconds",
        [
            pytest.param(4, id="4 s"),
            pytest.param(60, id="60 s", marks=[pytest.mark.long, pytest.mark.very_long, pytest.mark.timeout(300)]),
        ],
    )
    async def test_a_postgresql_that_is_stopped_loses_and_doubles_nothing(
        self, postgresql_settings: Settings, postgresql_server: PostgresqlServer, seconds: float
    ) -> None:
        async with running_relay(quick(postgresql_settings)) as relay:
            upstream = Halfway()
            calls = await begun_calls(relay, upstream)
            stopped_at = time.monotonic()
            with stopped(postgresql_server):
                upstream.goes_on.set()
                assert all(map(is_whole, await asyncio.gather(*calls)))
                await asyncio.sleep(max(0, stopped_at + seconds - time.monotonic()))
                refused = await relay.post()
                assert (refused.status_code, refused.headers["x-should-retry"]) == (503, "true")
            await check_books(relay)
