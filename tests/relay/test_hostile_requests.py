"""Hostile requests: they cost their sender an error, never other callers their deadlines or their time."""

import asyncio
import contextlib
import json
from typing import Any, NoReturn

import httpx
import pytest

from onetoken_app.clock import monotonic_seconds
from onetoken_app.relay import settlement, supervision
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import MESSAGES, App, RunningRelay, running_relay
from tests.support.scripted_upstream import Exchange, chunk

GAP_SECONDS_MAX = 1.0
"""Far above what is reached, far below what one body took before: it must hold on a busy machine."""


def fails(*_given: object, **_named: object) -> NoReturn:
    """Fail as a mistake of ours would."""
    message = "planted"
    raise ValueError(message)


async def longest_gap(until_set: asyncio.Event) -> float:
    """Return the longest time for which the event loop did nothing else."""
    longest = 0.0
    while not until_set.is_set():
        began_at = monotonic_seconds()
        await asyncio.sleep(0.005)
        longest = max(longest, monotonic_seconds() - began_at)
    return longest


async def drips(exchange: Exchange) -> None:
    """Begin to answer, and stop in the middle."""
    await exchange.begin_stream()
    await exchange.send_event(chunk("hello"))
    await exchange.until_peer_closes()


class TestLargeBodies:
    @pytest.mark.parametrize(
        "messages",
        [
            pytest.param(b"[" + b'{"a":' * 59 + b"[" + b"[]," * 2_000_000 + b"[]]" + b"}" * 59 + b"]", id="deep"),
            pytest.param(b"[" + b"{}," * 2_500_000 + b"{}]", id="many pieces"),
            pytest.param(b'["' + "\u4e2d\u6587".encode() * 1_300_000 + b'"]', id="a long text"),
        ],
    )
    async def test_they_do_not_stop_the_others(self, relay: RunningRelay, messages: bytes) -> None:
        over = asyncio.Event()
        watching = asyncio.create_task(longest_gap(over))
        await relay.post(b'{"model":"mock","messages":%s}' % messages)
        over.set()
        assert await watching < GAP_SECONDS_MAX
        await relay.until_idle()


class TestMistakesOfOurs:
    async def test_a_call_that_cannot_be_metered_is_closed_at_nothing(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settlement, "meter", fails)
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.charge_nanos, record.usage_source) == (0, UsageSource.NONE)

    async def test_one_call_that_cannot_be_looked_after_leaves_the_others_their_deadlines(
        self, relay_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supervision, "estimate", fails)
        async with running_relay(relay_settings.model_copy(update={"upstream_idle_seconds": 1.0})) as relay:
            relay.upstream.behave = drips
            first = asyncio.create_task(relay.post({"stream": True}))
            await relay.upstream.arrived.wait()
            await asyncio.sleep(2 * supervision.SWEEP_SECONDS)
            monkeypatch.undo()
            assert "upstream_timeout" in (await first).text
            assert "upstream_timeout" in (await relay.post({"stream": True})).text


class TestMistakesOfTheServer:
    async def test_a_connection_that_cannot_be_watched_is_closed(self, relay_settings: Settings) -> None:
        def failing_after_the_body(app: App) -> App:
            async def wrapped(scope: Any, receive: Any, send: Any) -> None:
                messages = [await receive()]

                async def once() -> Any:
                    return messages.pop()

                await app(scope, once, send)

            return wrapped

        async with running_relay(relay_settings, wrap=failing_after_the_body) as relay:
            relay.upstream.behave = drips
            with contextlib.suppress(httpx.HTTPError):  # the server cuts it off, or answers by itself
                await relay.post({"stream": True})
            assert (await relay.only_record()).error_code == "caller_left"


@pytest.mark.row("A18")
class TestPoisonedNumbers:
    async def test_one_is_refused_and_nothing_is_held(self, relay: RunningRelay) -> None:
        body = json.dumps({"model": "mock", "messages": MESSAGES, "stream": True, "tools": [{"maximum": 7}]})
        answer = await relay.post(body.replace("7", "1e999").encode())
        assert (answer.status_code, relay.upstream.exchanges) == (400, [])
        assert (await relay.balance()).held_nanos == 0
