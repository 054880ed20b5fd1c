"""Several channels of a model: who is asked next when one fails, and who is not asked any more."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from onetoken_app.catalog.models import Route
from onetoken_app.database import unit_of_work
from onetoken_app.relay import health
from onetoken_app.relay.health import FAILURES_LEAST, Health
from onetoken_app.relay.narrowing import ATTEMPTS_MAX
from onetoken_app.settings import Settings
from tests.relay.conftest import RunningRelay, running_relay, until
from tests.support.builders import a_channel
from tests.support.scripted_upstream import (
    Exchange,
    ScriptedUpstream,
    answers,
    answers_usually,
    scripted_upstream,
    streams,
)

WRONG = {"error": {"message": "no"}}


def health_of(pair: "Pair") -> Health:
    """Return what the relay knows of its channels."""
    return pair.relay.runtime.upstreams.health


async def stays_silent(exchange: Exchange) -> None:
    """Accept and say nothing."""
    await exchange.until_peer_closes()


class Pair:
    """A relay whose model has two channels."""

    def __init__(self, relay: RunningRelay, second: ScriptedUpstream) -> None:
        """Take both; the first is asked first."""
        self.relay, self.first, self.second = relay, relay.upstream, second

    @property
    def asked(self) -> tuple[int, int]:
        """How often each was asked."""
        return len(self.first.exchanges), len(self.second.exchanges)


async def _pair(relay: RunningRelay, stack: AsyncExitStack) -> Pair:
    """Add a second channel, which is asked when the first is not."""
    second = await stack.enter_async_context(scripted_upstream(answers_usually))
    async with unit_of_work() as session:
        channel_id = await a_channel(session, relay.settings, base_url=second.base_url)
        session.add(Route(model_id=relay.model.id, channel_id=channel_id, upstream_model="mock", priority=1))
    await relay.until_policy_is_current()
    return Pair(relay, second)


@pytest.fixture
async def pair(relay: RunningRelay) -> AsyncIterator[Pair]:
    """A relay whose model has two channels."""
    async with AsyncExitStack() as stack:
        yield await _pair(relay, stack)


@pytest.mark.row("D2")
class TestAnotherChannel:
    @pytest.mark.parametrize(
        "status", [pytest.param(500, id="failed"), pytest.param(429, id="busy"), pytest.param(401, id="refused us")]
    )
    async def test_is_asked_when_one_fails(self, pair: Pair, *, status: int) -> None:
        pair.first.behave = answers(status, WRONG)
        assert (await pair.relay.post()).status_code == 200
        assert pair.asked == (1, 1)
        assert (await pair.relay.only_record()).attempt_count == 2

    async def test_is_asked_when_one_does_not_begin_in_time(self, relay_settings: Settings) -> None:
        settings = relay_settings.model_copy(update={"upstream_plain_answer_seconds": 0.3})
        async with running_relay(settings) as relay, AsyncExitStack() as stack:
            pair = await _pair(relay, stack)
            pair.first.behave = stays_silent
            assert (await relay.post()).status_code == 200
            assert pair.asked == (1, 1)

    async def test_a_refused_request_is_not_asked_again(self, pair: Pair) -> None:
        pair.first.behave = answers(400, WRONG)
        assert (await pair.relay.post()).status_code == 400
        assert pair.asked == (1, 0)

    async def test_both_are_tried_before_one_is_tried_again(self, pair: Pair) -> None:
        pair.first.behave = pair.second.behave = answers(503, WRONG)
        assert (await pair.relay.post()).json()["error"]["code"] == "upstream_failed"
        assert pair.asked == (2, 1)


class TestLeftAlone:
    async def test_a_channel_is_not_asked_before_the_time_it_named(self, pair: Pair) -> None:
        pair.first.behave = answers(429, WRONG, retry_after="30")
        for _ in range(5):
            assert (await pair.relay.post()).status_code == 200
        assert pair.asked == (1, 5)

    async def test_the_only_channel_neither_and_the_caller_is_told_how_long(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(429, WRONG, retry_after="30")
        for _ in range(3):
            answer = await relay.post()
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_busy")
            assert 28 <= int(answer.headers["retry-after"]) <= 30
        assert len(relay.upstream.exchanges) == 1
        await relay.until_idle()
        assert (await relay.balance()).held_nanos == 0

    async def test_a_short_time_is_waited_for(self, relay: RunningRelay) -> None:
        statuses = [429]

        async def behave(exchange: Exchange) -> None:
            if statuses:
                await exchange.answer(statuses.pop(), WRONG, retry_after="1")
            else:
                await answers_usually(exchange)

        relay.upstream.behave = behave
        assert (await relay.post()).status_code == 200
        assert len(relay.upstream.exchanges) == 2

    async def test_a_credential_that_was_refused_is_not_sent_again(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(401, WRONG)
        codes = [(await relay.post()).json()["error"]["code"] for _ in range(3)]
        assert codes == ["upstream_credentials", "no_channel_available", "no_channel_available"]
        assert len(relay.upstream.exchanges) == 1

    async def test_streams_that_break_count_as_failures(self, pair: Pair) -> None:
        pair.first.behave = streams("garbage")
        for _ in range(FAILURES_LEAST):
            await pair.relay.post({"stream": True})
        assert pair.asked == (FAILURES_LEAST, 0)
        assert (await pair.relay.post({"stream": True})).status_code == 200
        assert pair.asked == (FAILURES_LEAST, 1)

    async def test_a_request_that_is_refused_or_a_caller_who_leaves_is_no_failure(self, pair: Pair) -> None:
        pair.first.behave = answers(422, WRONG)
        for _ in range(FAILURES_LEAST + 5):
            await pair.relay.post()
        assert pair.asked == (FAILURES_LEAST + 5, 0)


class TestWholeTraffic:
    @pytest.mark.row("D5")
    async def test_a_dead_channel_gets_next_to_nothing(self, pair: Pair) -> None:
        pair.first.behave = answers(503, WRONG)
        call_count = 4 * FAILURES_LEAST
        statuses = Counter([(await pair.relay.post()).status_code for _ in range(call_count)])
        assert pair.first.exchanges
        assert len(pair.first.exchanges) == FAILURES_LEAST
        assert statuses[200] >= call_count - ATTEMPTS_MAX

    @pytest.mark.row("D5")
    async def test_a_channel_that_heals_comes_back(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "OPEN_SECONDS", 0.2)
        pair.relay.forget_health()
        pair.first.behave = answers(503, WRONG)
        for _ in range(FAILURES_LEAST + 5):
            await pair.relay.post()
        assert len(pair.first.exchanges) < FAILURES_LEAST + 5
        pair.first.behave = answers_usually
        pair.second.exchanges.clear()
        async with asyncio.timeout(20):
            while health_of(pair).ways_out():
                assert (await pair.relay.post()).status_code == 200
        pair.second.exchanges.clear()
        for _ in range(5):
            assert (await pair.relay.post()).status_code == 200
        assert not pair.second.exchanges

    @pytest.mark.row("D4")
    async def test_an_upstream_that_always_fails_is_not_asked_three_times_as_often(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(503, WRONG)
        saved = 20
        for _ in range(3 * saved):
            relay.forget_health()
            assert (await relay.post()).status_code == 502
        assert len(relay.upstream.exchanges) <= 1.2 * 3 * saved + saved


async def resets(exchange: Exchange) -> None:
    """Break the connection instead of answering."""
    exchange.reset()


async def sends_garbage(exchange: Exchange) -> None:
    """Answer something that is no HTTP."""
    await exchange.send(b"no http at all\r\n\r\n")
    exchange.hang_up()


@pytest.mark.row("D2")
class TestNothingIsLeft:
    async def test_sockets_and_tasks_are_what_they_were(self, relay_settings: Settings) -> None:
        settings = relay_settings.model_copy(update={"upstream_plain_answer_seconds": 0.1})
        async with running_relay(settings) as relay:
            assert (await relay.post()).status_code == 200
            await relay.until_idle()
            baseline = len(asyncio.all_tasks())
            for behave in (stays_silent, resets, sends_garbage):
                relay.upstream.behave = behave
                relay.forget_health()
                statuses = {answer.status_code for answer in await asyncio.gather(*(relay.post() for _ in range(15)))}
                assert statuses <= {502, 504}
            await relay.until_idle()
            await until(lambda: relay.upstream.open_connection_count == 0)
            await until(lambda: len(asyncio.all_tasks()) <= baseline)
