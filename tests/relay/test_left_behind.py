"""What a call leaves behind in memory: nothing that only the collector finds, which stops every other call."""

import asyncio
import gc

import pytest

from onetoken_app.relay.open_call import OpenCall
from tests.relay.conftest import RunningRelay, until
from tests.support.scripted_upstream import Exchange, answers_usually


def open_calls() -> int:
    """Count the calls that are still in memory."""
    return sum(isinstance(thing, OpenCall) for thing in gc.get_objects())


class TestCall:
    @pytest.mark.parametrize("is_streaming", [True, False], ids=["a stream", "a plain answer"])
    async def test_is_gone_from_memory_without_the_collector(self, relay: RunningRelay, *, is_streaming: bool) -> None:
        is_watched = asyncio.Event()

        async def answers_once_its_caller_is_watched(exchange: Exchange) -> None:
            await is_watched.wait()
            await answers_usually(exchange)

        relay.upstream.behave = answers_once_its_caller_is_watched
        gc.collect()
        gc.disable()
        try:
            asking = asyncio.create_task(relay.post({"stream": is_streaming}))
            await until(lambda: any(call.watcher for call in relay.runtime.supervisor.calls))
            is_watched.set()
            assert (await asking).status_code == 200
            await relay.until_idle()
            await until(lambda: open_calls() == 0)
        finally:
            gc.enable()
