"""A relay that is asked to stop, and one that is killed: nothing is lost, nothing is charged that was not proved."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import select

from onetoken_app.database import Database, DatabaseInUse, read_session, unit_of_work, use_database
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.models import HoldClose, HoldProgress
from onetoken_app.ledger.queries import balance_of
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Currency
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.settings import PREFIX, Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord
from tests.relay.conftest import MESSAGES, RunningRelay
from tests.relay.test_who_pays import ESTIMATED_CHARGE_NANOS, TWO_WORDS
from tests.support.builders import PLENTY_NANOS, a_channel, a_key, a_model, an_organization
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    ScriptedUpstream,
    answers_usually,
    chunk,
    scripted_upstream,
    usage_chunk,
)

SERVERS = {
    "uvicorn": ["-m", "uvicorn", "--factory", "--no-access-log", "--loop", "uvloop"],
    "granian": ["-m", "granian", "--factory", "--interface", "asgi", "--no-ws", "--workers", "1"],
}
APP = "onetoken_app.command.serve_relay:create_app"


@dataclass(slots=True)
class Installation:
    """A database with one organization, and an upstream; relays are started on it as processes."""

    settings: Settings
    upstream: ScriptedUpstream
    secret: str
    organization_id: str

    @asynccontextmanager
    async def served_by(self, server: str) -> AsyncIterator["Served"]:
        """Start a relay process; kill it at the end if it still lives."""
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            sys.executable, *SERVERS[server], "--host", "127.0.0.1", "--port", str(port), APP,
            env={**os.environ, **environment_of(self.settings)}, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        served = Served(self, process, port)
        try:
            await served.until_ready()
            yield served
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            served.log = (await process.communicate())[1]

    async def records(self) -> list[UsageRecord]:
        """Return all usage records."""
        async with read_session() as session:
            return list(await session.exec(select(UsageRecord)))

    async def check_ledger(self) -> None:
        """Check that nothing is held and the ledger is whole."""
        async with read_session() as session:
            balance = await balance_of(session, owner_id=self.organization_id, currency=Currency.USD)
        assert balance.held_nanos == 0
        async with read_session() as session:
            assert (await verify(session)).is_ok


@dataclass(slots=True)
class Served:
    """A running relay process."""

    installation: Installation
    process: asyncio.subprocess.Process
    port: int
    log: bytes = b""

    async def until_ready(self) -> None:
        """Wait until it admits calls."""
        async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
            while self.process.returncode is None:
                try:
                    if (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        message = f"the relay ended with {self.process.returncode}"
        raise RuntimeError(message)

    async def ask(self, *, is_streaming: bool = True) -> tuple[int, str]:
        """Make one call; return its status and whole text."""
        bearer = {"authorization": f"Bearer {self.installation.secret}"}
        call: dict[str, Any] = {"model": "mock", "messages": MESSAGES, "stream": is_streaming}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            answer = await client.post(f"http://127.0.0.1:{self.port}/v1/chat/completions", headers=bearer, json=call)
        return answer.status_code, answer.text

    async def leave_mid_stream(self, after: bytes) -> None:
        """Make a call on a bare socket and leave once ``after`` has come."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self._call())
        if after:
            await asyncio.wait_for(reader.readuntil(after), 10)
        else:
            await asyncio.wait_for(self.installation.upstream.arrived.wait(), 10)
        writer.transport.abort()

    async def ask_and_read_nothing(self) -> socket.socket:
        """Make a call on a bare socket with little room, and leave it be."""
        caller = socket.socket()
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", self.port))
        caller.sendall(self._call())
        return caller

    def _call(self) -> bytes:
        """Write a call as it goes over the wire."""
        body = json.dumps({"model": "mock", "messages": MESSAGES, "stream": True}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: relay\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self.installation.secret}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@pytest.fixture
async def installation(relay_settings: Settings) -> AsyncIterator[Installation]:
    """An installation that no relay serves yet."""
    database = Database(relay_settings)
    use_database(database)
    async with scripted_upstream(answers_usually) as upstream:
        async with unit_of_work() as session:
            organization_id = await an_organization(session, balance_nanos=PLENTY_NANOS)
            channel_id = await a_channel(session, relay_settings, base_url=upstream.base_url)
            await a_model(session, relay_settings, channel_id=channel_id)
            key = await a_key(session, relay_settings, organization_id=organization_id)
        yield Installation(relay_settings, upstream, key.secret, organization_id)
    use_database(None)
    await database.dispose()


@pytest.mark.parametrize("server", SERVERS)
class TestBothServers:
    async def test_a_caller_who_leaves_is_noticed_and_a_stop_leaves_nothing_open(
        self, installation: Installation, server: str
    ) -> None:
        cuts: list[asyncio.Event] = []

        async def behave(exchange: Exchange) -> None:
            cut = asyncio.Event()
            cuts.append(cut)
            if len(cuts) > 1:
                await exchange.begin_stream()
                for word in TWO_WORDS:
                    await exchange.send_event(chunk(word))
            await exchange.until_peer_closes()
            cut.set()

        installation.upstream.behave = behave
        async with installation.served_by(server) as served:
            await served.leave_mid_stream(b"")
            await asyncio.wait_for(cuts[0].wait(), 1)
            await served.leave_mid_stream(b"again")
            await asyncio.wait_for(cuts[1].wait(), 1)
            installation.upstream.behave = answers_usually
            status, text = await served.ask()
            assert (status, text.endswith("data: [DONE]\n\n")) == (200, True)
            served.process.terminate()
            assert await asyncio.wait_for(served.process.wait(), 20) in {0, -signal.SIGTERM}
        charges = sorted(record.charge_nanos for record in await installation.records())
        assert charges == sorted([0, ESTIMATED_CHARGE_NANOS, USUAL_CHARGE_NANOS])
        await installation.check_ledger()

    async def test_the_connection_of_one_who_reads_nothing_does_not_stay(
        self, installation: Installation, server: str
    ) -> None:
        async def floods(exchange: Exchange) -> None:
            await exchange.begin_stream()
            while True:
                await exchange.send_event(chunk("word " * 10_000))

        installation.upstream.behave = floods
        installation.settings = installation.settings.model_copy(update={"upstream_idle_seconds": 1.0})
        async with installation.served_by(server) as served:
            callers = [await served.ask_and_read_nothing() for _ in range(3)]
            for caller in callers:
                await asyncio.wait_for(_end_of(caller), 30)
                caller.close()
        assert [record.error_code for record in await installation.records()] == ["caller_stalled"] * 3
        await installation.check_ledger()

    async def test_what_follows_a_request_with_two_lengths_is_not_read_as_a_request(
        self, installation: Installation, server: str
    ) -> None:
        async with installation.served_by(server) as served:
            for path in ("/v1/chat/completions", "/anything"):
                reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
                writer.write(
                    f"POST {path} HTTP/1.1\r\nhost: relay\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n"
                    f"0\r\n\r\nGET /livez HTTP/1.1\r\nhost: relay\r\n\r\n".encode()
                )
                answer = await asyncio.wait_for(reader.read(), 10)
                writer.close()
                assert answer.count(b"HTTP/1.1") == 1
                assert b"200 OK" not in answer


class TestStop:
    async def test_open_streams_end_whole_within_the_drain_time(self, relay: RunningRelay) -> None:
        goes_on = asyncio.Event()

        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(chunk("hello"))
            await goes_on.wait()
            for event in (chunk(finish_reason="stop"), usage_chunk(USUAL_USAGE), "[DONE]"):
                await exchange.send_event(event)
            await exchange.end_stream()

        relay.upstream.behave = behave
        call = asyncio.ensure_future(relay.post({"stream": True}))
        await relay.upstream.arrived.wait()
        relay.runtime.begin_drain()
        await asyncio.sleep(0)
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{relay.port}/readyz")).status_code == 503
            assert (await client.get(f"http://127.0.0.1:{relay.port}/livez")).status_code == 200
        refused = await relay.post()
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "shutting_down")
        goes_on.set()
        assert (await call).text.endswith("data: [DONE]\n\n")
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_streams_that_do_not_end_are_ended_in_band_and_settled(self, relay: RunningRelay) -> None:
        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            for word in TWO_WORDS:
                await exchange.send_event(chunk(word))
            await exchange.until_peer_closes()

        relay.upstream.behave = behave
        call = asyncio.ensure_future(relay.post({"stream": True}))
        await relay.upstream.arrived.wait()
        relay.runtime.begin_drain()
        answer = await call
        assert "shutting_down" in answer.text
        assert "[DONE]" not in answer.text
        assert (await relay.only_record()).charge_nanos == ESTIMATED_CHARGE_NANOS


class TestOwnership:
    async def test_a_second_relay_on_one_embedded_database_is_refused(self, relay: RunningRelay) -> None:
        with pytest.raises(DatabaseInUse):
            await RelayRuntime().start(relay.settings)


class TestKill:
    @pytest.fixture
    def relay_settings(self, relay_settings_on_each: Settings) -> Settings:
        """What is recovered, and when, depends on the database."""
        return relay_settings_on_each

    async def test_dead_holds_are_closed_at_their_last_progress_by_the_next_start(
        self, installation: Installation
    ) -> None:
        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            for word in TWO_WORDS:
                await exchange.send_event(chunk(word))
            await exchange.until_peer_closes()

        installation.upstream.behave = behave
        async with installation.served_by("uvicorn") as served:
            calls = [asyncio.ensure_future(served.ask()) for _ in range(3)]
            async with asyncio.timeout(20):
                while len(await progresses()) < 3:  # noqa: ASYNC110 # another process writes them
                    await asyncio.sleep(0.05)
            served.process.kill()
            await served.process.wait()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(answer, httpx.TransportError) for answer in answers)
        installation.upstream.behave = answers_usually
        async with installation.served_by("uvicorn") as served:
            closes = await closes_of(3)
            assert [close.outcome for close in closes] == [Outcome.RECOVERED] * 3
            assert {close.usage_source for close in closes} == {UsageSource.CHECKPOINT}
            assert {close.amount_nanos for close in closes} == {ESTIMATED_CHARGE_NANOS}
            assert (await served.ask(is_streaming=False))[0] == 200
            served.process.terminate()
            await served.process.wait()
        records = await installation.records()
        assert sorted(record.error_code for record in records) == ["", *["process_died"] * 3]
        await installation.check_ledger()


async def closes_of(count: int) -> list[HoldClose]:
    """Return all closes once there are so many; on PostgreSQL a process is taken for dead at a second look."""
    async with asyncio.timeout(20):
        while True:
            async with read_session() as session:
                closes = list(await session.exec(select(HoldClose)))
            if len(closes) >= count:
                return closes
            await asyncio.sleep(0.1)


async def progresses() -> list[HoldProgress]:
    """Return all durable progress."""
    async with read_session() as session:
        return list(await session.exec(select(HoldProgress)))


async def _end_of(connection: socket.socket) -> None:
    """Wait, without reading, until the other side ended a connection."""
    established = 1  # the first byte of the kernel's TCP_INFO
    while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == established:  # noqa: ASYNC110 # the kernel's
        await asyncio.sleep(0.05)


def environment_of(settings: Settings) -> dict[str, str]:
    """Write settings as a process is given them."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        PREFIX + name.upper(): str(value.get_secret_value() if isinstance(value, SecretStr) else value)
        for name, value in values.items()
        if value is not None
    }


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
