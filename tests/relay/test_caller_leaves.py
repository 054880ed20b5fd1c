"""Callers who hang up, stall or are given up by the server; the stages of leaving are in test_disconnect_matrix.py."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay, until
from tests.relay.test_who_pays import ESTIMATED_CHARGE_NANOS, TWO_WORDS
from tests.support.scripted_upstream import USUAL_USAGE, Exchange, chunk, streams, usage_chunk

CUT_WITHIN_SECONDS = 1.0


class RawCaller:
    """A caller on a bare socket, who may leave in any way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, relay: RunningRelay, *, is_streaming: bool, **headers: str) -> None:
        """Send a whole request."""
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        body = json.dumps({"model": "mock", "messages": MESSAGES, "stream": is_streaming}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer {relay.secret}\r\n"
            f"content-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        await self._writer.drain()

    async def read_until(self, part: bytes) -> None:
        """Read until the answer contains ``part``."""
        await self._reader.readuntil(part)

    async def skip_until(self, end: bytes) -> None:
        """Read a long answer until ``end`` has come."""
        tail = b""
        while end not in tail:
            piece = await self._reader.read(65536)
            assert piece, "the connection was closed first"
            tail = tail[-len(end) :] + piece

    def leave(self, *, with_reset: bool) -> None:
        """Close the connection with a FIN or a RST."""
        if with_reset:
            connection = self._writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.close()


@asynccontextmanager
async def raw_caller(relay: RunningRelay) -> AsyncIterator[RawCaller]:
    """Connect a caller."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    try:
        yield RawCaller(reader, writer)
    finally:
        writer.close()


def stays_silent(*, words: tuple[str, ...] = ()) -> tuple[Any, asyncio.Event]:
    """Answer with these words and then stay silent until the relay closes; the event is set when it does."""
    cut = asyncio.Event()

    async def behave(exchange: Exchange) -> None:
        if words:
            await exchange.begin_stream()
        for word in words:
            await exchange.send_event(chunk(word))
        await exchange.until_peer_closes()
        cut.set()

    return behave, cut


@pytest.mark.row("A4", "D18")
@pytest.mark.parametrize("with_reset", [False, True], ids=["with a FIN", "with a RST"])
class TestUpstreamIsCut:
    async def test_while_the_upstream_keeps_talking_it_is_cut_too(
        self, relay: RunningRelay, *, with_reset: bool
    ) -> None:
        cut = asyncio.Event()

        async def talks(exchange: Exchange) -> None:
            await exchange.begin_stream()
            try:
                while True:
                    await exchange.send_event(chunk("word " * 200))
                    await asyncio.sleep(0.001)
            finally:
                cut.set()

        relay.upstream.behave = talks
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=True)
            await caller.read_until(b"word")
            caller.leave(with_reset=with_reset)
            await asyncio.wait_for(cut.wait(), CUT_WITHIN_SECONDS)
        assert (await relay.only_record()).usage_source is UsageSource.ESTIMATED


@pytest.mark.row("A4")
class TestUpstreamThatBillsAnyway:
    async def test_it_is_not_read_on_for_ever(self, relay_settings: Settings) -> None:
        settings = relay_settings.model_copy(update={"hang_up_drain_seconds": 0.3})
        async with running_relay(settings, bills_after_hang_up=True) as relay:
            relay.upstream.behave, cut = stays_silent(words=TWO_WORDS)
            async with raw_caller(relay) as caller:
                await caller.ask(relay, is_streaming=True)
                await caller.read_until(b"again")
                caller.leave(with_reset=False)
                await asyncio.wait_for(cut.wait(), 3)
            assert (await relay.only_record()).charge_nanos == ESTIMATED_CHARGE_NANOS


class TestServerGivesUp:
    async def test_a_cancelled_request_coroutine_still_settles(self, relay_settings: Settings) -> None:
        requests: list[asyncio.Task[Any]] = []

        def remembering(app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
            async def wrapped(scope: Any, receive: Any, send: Any) -> None:
                request = asyncio.current_task()
                assert request is not None
                requests.append(request)
                try:
                    await app(scope, receive, send)
                except asyncio.CancelledError:
                    return

            return wrapped

        async with running_relay(relay_settings, wrap=remembering) as relay:
            relay.upstream.behave, cut = stays_silent(words=TWO_WORDS)
            async with raw_caller(relay) as caller:
                await caller.ask(relay, is_streaming=True)
                await caller.read_until(b"again")
                requests[0].cancel()
                await asyncio.wait_for(cut.wait(), CUT_WITHIN_SECONDS)
            assert (await relay.only_record()).charge_nanos == ESTIMATED_CHARGE_NANOS


class TestSlowCaller:
    async def test_one_who_reads_late_gets_the_end_that_waited(self, relay: RunningRelay) -> None:
        async def talks_at_length(exchange: Exchange) -> None:
            events = [chunk("word " * 10_000)] * 200
            await streams(*events, chunk(finish_reason="stop"), usage_chunk(USUAL_USAGE), "[DONE]")(exchange)

        relay.upstream.behave = talks_at_length
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=True)
            await relay.upstream.arrived.wait()
            (call,) = relay.runtime.supervisor.calls
            await until(lambda: call.reply.is_writing)
            await caller.skip_until(b"data: [DONE]\n\n")
        assert (await relay.only_record()).error_code == ""


@pytest.mark.row("D14")
class TestStalledCaller:
    async def test_one_who_stops_reading_is_given_up_and_settled(self, relay_settings: Settings) -> None:
        settings = relay_settings.model_copy(update={"upstream_idle_seconds": 1.0})
        async with running_relay(settings) as relay:
            stopped = asyncio.Event()

            async def floods(exchange: Exchange) -> None:
                await exchange.begin_stream()
                try:
                    while True:
                        await exchange.send_event(chunk("word " * 10_000))
                finally:
                    stopped.set()

            relay.upstream.behave = floods
            async with raw_caller(relay) as caller:
                await caller.ask(relay, is_streaming=True)
                await asyncio.wait_for(stopped.wait(), 20)
                # Its place is free at once: nobody waits for it to hear the end.
                async with asyncio.timeout(5):
                    record = await relay.only_record()
            assert record.error_code == "caller_stalled"
            assert record.usage_source is UsageSource.ESTIMATED
