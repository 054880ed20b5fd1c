"""What is charged where a provider's figures and what the caller was sent do not fit each other."""

import asyncio
from typing import Any

import openai
import pytest

from onetoken_app.money import Nanos
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay, until
from tests.relay.test_caller_leaves import raw_caller
from tests.relay.test_who_pays import ESTIMATED_CHARGE_NANOS, TWO_WORDS, stream_texts
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Behaviour,
    Exchange,
    answers,
    chunk,
    completion,
    streams,
    usage_chunk,
    usage_of,
)

LONG = "word " * 1_000
"""1 250 tokens by the rule."""


async def charge_of(relay: RunningRelay, behave: Behaviour) -> Nanos:
    """Return what one stream to its end is charged."""
    relay.upstream.behave = behave
    await stream_texts(relay)
    return (await relay.only_record()).charge_nanos


async def talks_on(exchange: Exchange) -> None:
    """Answer without an end, a piece at a time."""
    await exchange.begin_stream()
    while True:
        await exchange.send_event(chunk(LONG))
        await asyncio.sleep(0.02)


class TestPlainAnswerThatIsNotDelivered:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({**completion(usage=USUAL_USAGE), "error": {"message": "boom"}}, id="an error beside it"),
            pytest.param(b'{"\xff":1,"choices":[{"message":{"content":"hi"}}],"model":"theirs"}', id="a bad name"),
        ],
    )
    async def test_it_is_not_charged(self, relay_settings: Settings, body: Any) -> None:
        async with running_relay(relay_settings, upstream_model="theirs") as relay:
            relay.upstream.behave = answers(200, body)
            assert (await relay.post()).status_code == 502
            record = await relay.only_record()
            assert (record.charge_nanos, record.usage_source) == (0, UsageSource.NONE)

    async def test_an_empty_error_is_no_error(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, {**completion(usage=USUAL_USAGE), "error": []})
        assert (await relay.post()).status_code == 200
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS


class TestRunningFigures:
    async def test_zeros_on_every_chunk_do_not_make_a_cut_answer_free(self, relay: RunningRelay) -> None:
        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            for word in TWO_WORDS:
                await exchange.send_event(chunk(word, usage=usage_of(0, 0)))
            await exchange.until_peer_closes()

        relay.upstream.behave = behave
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=True)
            await caller.read_until(b"again")
            caller.leave(with_reset=False)
            record = await relay.only_record()
        assert (record.charge_nanos, record.usage_source) == (ESTIMATED_CHARGE_NANOS, UsageSource.ESTIMATED)

    async def test_figures_that_output_came_after_are_not_the_last_word(self, relay: RunningRelay) -> None:
        early = chunk("hello", usage=usage_of(1, 1))
        charge_nanos = await charge_of(relay, streams(early, chunk(LONG), chunk(finish_reason="stop"), "[DONE]"))
        assert charge_nanos > 1_250 * 2_000

    async def test_nor_are_figures_that_absurd_ones_follow(self, relay: RunningRelay) -> None:
        last = usage_chunk(usage_of(1, 10**9))
        charge_nanos = await charge_of(relay, streams(chunk(LONG, usage=usage_of(1, 1)), chunk(None), last, "[DONE]"))
        assert charge_nanos > 1_250 * 2_000


class TestOutputWithoutText:
    async def test_an_input_of_a_custom_tool_is_charged_when_the_caller_leaves(self, relay: RunningRelay) -> None:
        call = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "run", "input": LONG}}
        event = chunk()
        event["choices"][0]["delta"] = {"tool_calls": [call]}
        relay.upstream.behave = streams(event, ends=False)
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=True)
            await caller.read_until(b"word")
            caller.leave(with_reset=False)
            assert (await relay.only_record()).charge_nanos > 1_250 * 2_000


class TestLeavingBeforeTheFigures:
    async def test_they_are_waited_for_when_the_answer_was_finished(self, relay: RunningRelay) -> None:
        goes_on = asyncio.Event()

        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(chunk("hi", finish_reason="stop"))
            await goes_on.wait()
            await exchange.send_event(usage_chunk(usage_of(1_000, 10_000)))
            await exchange.send_event("[DONE]")
            await exchange.end_stream()

        relay.upstream.behave = behave
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=True)
            await caller.read_until(b"stop")
            (call,) = relay.runtime.supervisor.calls
            caller.leave(with_reset=False)
            await until(lambda: call.has_caller_left)
            goes_on.set()
            record = await relay.only_record()
        assert (record.charge_nanos, record.error_code) == (1_000 * 1_000 + 10_000 * 2_000, "caller_left")

    async def test_but_not_for_long(self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("onetoken_app.relay.open_call.FIGURES_SECONDS_MAX", 0.1)
        cut = asyncio.Event()

        async def finishes(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(chunk("".join(TWO_WORDS), finish_reason="stop"))
            await exchange.until_peer_closes()
            cut.set()

        relay.upstream.behave = finishes
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=True)
            await caller.read_until(b"stop")
            caller.leave(with_reset=False)
            await asyncio.wait_for(cut.wait(), 3)
        assert (await relay.only_record()).charge_nanos == ESTIMATED_CHARGE_NANOS


class TestManyChoices:
    async def test_figures_of_all_choices_together_are_believed(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, context_window_tokens=8_000, output_tokens_max=400) as relay:
            relay.upstream.behave = answers(200, completion(usage=usage_of(10, 40_000)))
            assert (await relay.post({"n": 100})).status_code == 200
            assert (await relay.only_record()).output_tokens == 40_000


class TestOutputBeyondTheHold:
    async def test_the_hold_is_extended_as_long_as_there_is_money(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(*[chunk(LONG)] * 5, chunk(finish_reason="stop"), "[DONE]")
        async with relay.client() as client:
            stream = await client.chat.completions.create(model="mock", messages=MESSAGES, stream=True, max_tokens=1)
            assert [part async for part in stream][-1].choices[0].finish_reason == "stop"
        record = await relay.only_record()
        assert (record.output_tokens, (await relay.closes())[0].absorbed_nanos) == (5 * 1_250, 0)

    async def test_the_stream_ends_where_the_balance_does(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, balance_nanos=8_000_000) as relay:
            relay.upstream.behave = talks_on
            async with relay.client() as client:
                stream = await client.chat.completions.create(
                    model="mock", messages=MESSAGES, stream=True, max_tokens=1
                )
                with pytest.raises(openai.APIError) as caught:
                    _ = [part async for part in stream]
            assert caught.value.code == "insufficient_funds"
            record = await relay.only_record()
            assert record.error_code == "insufficient_funds"
            assert 0 < record.charge_nanos <= 8_000_000
            assert (await relay.closes())[0].absorbed_nanos == 0


class TestPictures:
    async def test_a_link_to_one_holds_what_the_model_can_read_at_most(self, relay_settings: Settings) -> None:
        picture = {"type": "image_url", "image_url": {"url": "https://example.com/a"}}
        call = {"messages": [{"role": "user", "content": [picture]}], "max_tokens": 1}
        async with running_relay(relay_settings, balance_nanos=7_000_000, context_window_tokens=8_000) as relay:
            answer = await relay.post(call)
            assert (answer.status_code, answer.json()["error"]["metadata"]["required"]) == (402, "0.008002")


class TestHalfASurrogatePair:
    async def test_a_stream_with_one_is_passed_on_unchanged(self, relay: RunningRelay) -> None:
        halves = [
            '{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}',
            '{"choices":[{"delta":{"content":"\\ude00"}}]}',
        ]
        relay.upstream.behave = streams(*halves, chunk(finish_reason="stop", usage=USUAL_USAGE), "[DONE]")
        answer = await relay.post({"stream": True})
        assert halves[0] in answer.text
        assert answer.text.endswith("data: [DONE]\n\n")
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS
