"""A19: whatever a call waits for fails, one thing after the other: nothing stays held, and the caller is told."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from onetoken_app.database import read_session
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.operations import CloseHold, ExtendHold, HoldClosed, HoldPlaced, PlaceHold, RecordProgress
from onetoken_app.ledger.verification import verify
from onetoken_app.providers.protocol import UpstreamRequest
from onetoken_app.relay.forwarding import UpstreamClient, UpstreamReply
from onetoken_app.relay.policy_cache import PolicyCache
from onetoken_app.relay.policy_snapshot import Caller, PolicySnapshot
from onetoken_app.relay.request_body import BUFFERED_BODIES_MAX
from onetoken_app.settings import Settings
from tests.relay.conftest import App, RunningRelay, running_relay
from tests.support.scripted_upstream import Exchange, chunk, completion, streams, usage_chunk, usage_of

WORDS = "word " * 100
"""Longer than what a call for one token of output holds: its hold is extended."""
USAGE = usage_of(10, 150)
FULL_CHARGE_NANOS = 10 * 1_000 + 150 * 2_000
ANSWERING = ("sending", "receiving")
"""Points at which the connection to the caller is what fails, so that nobody can be told."""


class Planted(Exception):
    """A mistake that nobody foresaw."""


@dataclass(slots=True)
class Saboteur:
    """Notes what a call waits for, and lets one of these waits fail."""

    fails_at: int = -1
    failure: Callable[[], Exception] = Planted
    passed: list[str] = field(default_factory=list)

    def arm(self, fails_at: int, failure: Callable[[], Exception]) -> None:
        """Let the wait at this place of the next call fail."""
        self.fails_at, self.failure = fails_at, failure
        self.passed.clear()

    def passes(self, point: str) -> None:
        """Go by a point, or fail there."""
        self.passed.append(point)
        if len(self.passed) - 1 == self.fails_at:
            raise self.failure()

    def wrap(self, app: App) -> App:
        """Fail where a server's own functions are awaited."""

        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            has_body = False

            async def received() -> Any:
                nonlocal has_body
                if not has_body:
                    # Later ones belong to the watcher, which begins whenever its time has come.
                    has_body = True
                    self.passes("receiving")
                return await receive()

            async def sent(message: Any) -> None:
                self.passes("sending")
                await send(message)

            await app(scope, received, sent)

        return wrapped


class SabotagedLedger(LedgerClient):
    """A ledger that fails before it did what it was asked for, or after."""

    def __init__(self, real: LedgerClient, saboteur: Saboteur) -> None:
        super().__init__()
        self._real, self._saboteur = real, saboteur

    @property
    def is_available(self) -> bool:
        return self._real.is_available

    async def place_hold(self, operation: PlaceHold) -> HoldPlaced:
        self._saboteur.passes("asking for a hold")
        placed = await self._real.place_hold(operation)
        self._saboteur.passes("hearing of a hold")
        return placed

    async def extend_hold(self, operation: ExtendHold) -> HoldPlaced:
        self._saboteur.passes("asking for an extension")
        placed = await self._real.extend_hold(operation)
        self._saboteur.passes("hearing of an extension")
        return placed

    async def record_progress(self, operation: RecordProgress) -> None:
        await self._real.record_progress(operation)

    async def close_hold(self, operation: CloseHold) -> HoldClosed:
        self._saboteur.passes("asking for a close")
        closed = await self._real.close_hold(operation)
        self._saboteur.passes("hearing of a close")
        return closed


class SabotagedClient(UpstreamClient):
    """Connections to upstreams that fail at any of their awaits."""

    def __init__(self, real: UpstreamClient, saboteur: Saboteur) -> None:
        self._real, self._saboteur = real, saboteur

    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        self._saboteur.passes("asking an upstream")
        return SabotagedReply(await self._real.send(request), self._saboteur)


class SabotagedReply(UpstreamReply):
    """An answer that fails at any of its pieces."""

    def __init__(self, real: UpstreamReply, saboteur: Saboteur) -> None:
        assert real._connection is not None
        super().__init__(real._client, real._place, real._connection)
        self._saboteur = saboteur

    async def next_piece(self) -> bytes:
        self._saboteur.passes("reading an upstream")
        return await super().next_piece()


class SabotagedPolicy(PolicyCache):
    """A policy that cannot be asked."""

    def __init__(self, real: PolicyCache, saboteur: Saboteur) -> None:
        self._real, self._saboteur = real, saboteur

    @property
    def is_fresh(self) -> bool:
        return self._real.is_fresh

    def snapshot(self) -> PolicySnapshot:
        return self._real.snapshot()

    async def caller_of(self, digest: bytes) -> Caller | None:
        self._saboteur.passes("asking whose key it is")
        return await self._real.caller_of(digest)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a caller saw of one call."""

    is_complete: bool = False
    error_code: str = ""


async def seen_of(relay: RunningRelay, *, is_streaming: bool) -> Seen:
    """Make one call and say how it looked."""
    try:
        answer = await relay.post({"stream": is_streaming, "max_tokens": 1})
    except httpx.HTTPError:
        return Seen()
    if answer.text.endswith("data: [DONE]\n\n"):
        return Seen(is_complete=True)
    last = answer.text.strip().rpartition("\n")[2].removeprefix("data: ")
    try:
        end = json.loads(last)
    except ValueError:
        return Seen()
    return Seen(is_complete="choices" in end and not is_streaming, error_code=end.get("error", {}).get("code", ""))


async def answers_at_length(exchange: Exchange) -> None:
    """Answer more than was asked for."""
    if exchange.body["stream"]:
        await streams(chunk(WORDS), chunk(finish_reason="stop"), usage_chunk(USAGE), "[DONE]")(exchange)
    else:
        await exchange.answer(200, completion(WORDS, usage=USAGE))


async def check_nothing_is_left(relay: RunningRelay, point: str) -> None:
    """Check that a call that ended holds nothing: no money, no slot, no room."""
    await relay.until_idle()
    runtime = relay.runtime
    assert (await relay.balance()).held_nanos == 0, point
    assert (runtime.supervisor.open_count, runtime.supervisor.arrived_count) == (0, 0), point
    assert runtime.body_room._bytes_left == runtime.settings.request_body_bytes_max * BUFFERED_BODIES_MAX, point


async def check_call(relay: RunningRelay, point: str, *, is_streaming: bool) -> None:
    """Make one call whose wait fails, and check how it ended for the caller and in the books."""
    before = {record.request_id for record in await relay.records()}
    seen = await seen_of(relay, is_streaming=is_streaming)
    await check_nothing_is_left(relay, point)
    added = [record for record in await relay.records() if record.request_id not in before]
    charge_nanos = sum(record.charge_nanos for record in added)
    assert len(added) <= 1, point
    if seen.is_complete:
        assert charge_nanos == FULL_CHARGE_NANOS, point
    elif point not in ANSWERING:
        assert seen.error_code, f"nobody told the caller: {point}"
        assert charge_nanos == 0 or is_streaming, point
    assert charge_nanos <= FULL_CHARGE_NANOS, point


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """Without it, each planted mistake is drawn with its frames and locals, which takes longer than the call."""
    with capture_logs():
        yield


@pytest.mark.row("A19")
@pytest.mark.parametrize("failure", [Planted, ConnectionResetError], ids=["a mistake", "a lost connection"])
@pytest.mark.parametrize("is_streaming", [False, True], ids=["plain", "streaming"])
class TestEveryAwait:
    async def test_whichever_fails_nothing_stays_held_and_the_caller_is_told(
        self, relay_settings_on_each: Settings, *, is_streaming: bool, failure: type[Exception]
    ) -> None:
        saboteur = Saboteur()
        async with running_relay(relay_settings_on_each, wrap=saboteur.wrap) as relay:
            relay.upstream.behave = answers_at_length
            runtime = relay.runtime
            runtime.policy = SabotagedPolicy(runtime.policy, saboteur)
            runtime.ledger = SabotagedLedger(runtime.ledger, saboteur)
            runtime.upstreams = replace(runtime.upstreams, client=SabotagedClient(runtime.upstreams.client, saboteur))
            assert await seen_of(relay, is_streaming=is_streaming) == Seen(is_complete=True)
            await check_nothing_is_left(relay, "no failure")
            points = list(saboteur.passed)
            assert len(set(points)) >= 8
            for place, point in enumerate(points):
                saboteur.arm(place, failure)
                await check_call(
                    relay, f"{point} ({place})" if point not in ANSWERING else point, is_streaming=is_streaming
                )
            assert {close.request_id for close in await relay.closes()} == {
                record.request_id for record in await relay.records()
            }
            async with read_session() as session:
                assert (await verify(session)).is_ok
