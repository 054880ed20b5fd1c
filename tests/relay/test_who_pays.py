"""The table ``who pays`` of docs/relay-api.md: one test a row."""

import asyncio
from typing import Any

import openai
import pytest

from onetoken_app.ledger.kinds import Outcome
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import MESSAGES, RunningRelay
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Behaviour,
    Exchange,
    answers,
    answers_usually,
    chunk,
    completion,
    streams,
    usage_chunk,
    usage_of,
)

TWO_WORDS = ("hello there", " and again")
# "Say hello." is 10 characters, 3 tokens, and 4 for the message; the two pieces are 21 characters, 6 tokens.
ESTIMATED_INPUT, ESTIMATED_OUTPUT = 7, 6
ESTIMATED_CHARGE_NANOS = ESTIMATED_INPUT * 1_000 + ESTIMATED_OUTPUT * 2_000


async def stream_texts(relay: RunningRelay, *, messages: Any = MESSAGES) -> list[str]:
    """Read a stream to its end; return its texts."""
    async with relay.client() as client:
        stream = await client.chat.completions.create(model="mock", messages=messages, stream=True)
        return [text async for part in stream for choice in part.choices if (text := choice.delta.content)]


@pytest.mark.row("A5", "A6")
class TestSuccess:
    async def test_the_providers_usage_is_charged(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion(usage=usage_of(1_000, 10, cached=900)))
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.input_tokens, record.cache_read_tokens, record.output_tokens) == (100, 900, 10)
        assert record.charge_nanos == 100 * 1_000 + 900 * 100 + 10 * 2_000
        assert record.usage_source is UsageSource.UPSTREAM

    async def test_usage_on_the_finish_chunk_is_charged(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hi"), chunk(finish_reason="stop", usage=USUAL_USAGE), "[DONE]")
        assert await stream_texts(relay) == ["hi"]
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_missing_usage_is_estimated(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(*map(chunk, TWO_WORDS), chunk(finish_reason="stop"), "[DONE]")
        assert await stream_texts(relay) == list(TWO_WORDS)
        record = await relay.only_record()
        assert (record.usage_source, record.charge_nanos) == (UsageSource.ESTIMATED, ESTIMATED_CHARGE_NANOS)

    async def test_missing_usage_of_a_plain_answer_is_estimated(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion("".join(TWO_WORDS)))
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.usage_source, record.charge_nanos) == (UsageSource.ESTIMATED, ESTIMATED_CHARGE_NANOS)

    async def test_explicit_zero_usage_charges_nothing(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hi"), chunk(finish_reason="stop"), usage_chunk(usage_of(0, 0)), "[DONE]")
        await stream_texts(relay)
        record = await relay.only_record()
        assert (record.usage_source, record.charge_nanos) == (UsageSource.UPSTREAM, 0)
        assert (await relay.closes())[0].outcome is Outcome.SETTLED

    @pytest.mark.parametrize(
        "figures",
        [
            pytest.param(usage_of(10, 600_000_000), id="more than four context windows"),
            pytest.param(usage_of(10, -5), id="negative"),
            pytest.param({"prompt_tokens": "ten", "completion_tokens": 5}, id="no number"),
            pytest.param({"prompt_tokens": True, "completion_tokens": 5}, id="true is no number"),
            pytest.param([], id="no object"),
        ],
    )
    async def test_absurd_usage_is_not_believed(self, relay: RunningRelay, figures: object) -> None:
        relay.upstream.behave = answers(200, {**completion("".join(TWO_WORDS)), "usage": figures})
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.usage_source, record.charge_nanos) == (UsageSource.ESTIMATED, ESTIMATED_CHARGE_NANOS)

    async def test_usage_above_the_hold_is_charged_in_full(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion(usage=usage_of(1_000, 100_000)))
        assert (await relay.post({"max_tokens": 1})).status_code == 200
        assert (await relay.only_record()).charge_nanos == 1_000 * 1_000 + 100_000 * 2_000


class TestUpstreamError:
    async def test_before_any_output_nothing_is_charged(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(500, {"error": {"message": "boom"}})
        assert (await relay.post()).status_code == 502
        record = await relay.only_record()
        assert (record.charge_nanos, record.usage_source, record.error_code) == (0, UsageSource.NONE, "upstream_failed")
        assert (await relay.closes())[0].outcome is Outcome.VOIDED

    async def test_nothing_generated_is_not_charged(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk(""), {"error": {"message": "boom"}})
        with pytest.raises(openai.APIError):
            await stream_texts(relay)
        assert (await relay.only_record()).charge_nanos == 0

    @pytest.mark.parametrize(
        "behave",
        [
            pytest.param(streams(*map(chunk, TWO_WORDS), breaks=True), id="the connection breaks"),
            pytest.param(streams(*map(chunk, TWO_WORDS)), id="the stream ends without its end"),
            pytest.param(streams(*map(chunk, TWO_WORDS), "{garbage"), id="garbage follows"),
            pytest.param(streams(*map(chunk, TWO_WORDS), {"error": {"message": "boom"}}), id="it says so in-band"),
        ],
    )
    async def test_after_partial_output_what_was_delivered_is_estimated(
        self, relay: RunningRelay, behave: Behaviour
    ) -> None:
        relay.upstream.behave = behave
        with pytest.raises(openai.APIError) as caught:
            await stream_texts(relay)
        assert "boom" not in str(caught.value)
        record = await relay.only_record()
        assert (record.usage_source, record.charge_nanos) == (UsageSource.ESTIMATED, ESTIMATED_CHARGE_NANOS)
        assert record.response_status == 200
        assert record.error_code in {"upstream_unusable_reply", "upstream_failed"}

    async def test_after_partial_output_the_providers_usage_counts_if_given(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hi"), usage_chunk(USUAL_USAGE), breaks=True)
        with pytest.raises(openai.APIError):
            await stream_texts(relay)
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_after_partial_output_the_stated_input_stays_what_it_was(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(
            usage_chunk(usage_of(2_000, 1, cached=1_900)), chunk("hi"), chunk(" there"), breaks=True
        )
        with pytest.raises(openai.APIError):
            await stream_texts(relay, messages=[{"role": "user", "content": "word " * 2_000}])
        record = await relay.only_record()
        assert (record.input_tokens, record.cache_read_tokens, record.output_tokens) == (100, 1_900, 2)
        assert (record.usage_source, record.charge_nanos) == (UsageSource.ESTIMATED, 100_000 + 190_000 + 4_000)


@pytest.mark.row("A7")
class TestRetries:
    async def test_failing_attempts_then_success_are_one_charge(self, relay: RunningRelay) -> None:
        statuses = [503, 429]

        async def behave(exchange: Exchange) -> None:
            if statuses:
                await exchange.answer(statuses.pop(), {"error": {}})
            else:
                await answers_usually(exchange)

        relay.upstream.behave = behave
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.charge_nanos, record.attempt_count) == (USUAL_CHARGE_NANOS, 3)

    async def test_a_refused_request_is_not_tried_again(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(400, {"error": {"message": "Say hello. is not allowed"}})
        answer = await relay.post()
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "upstream_rejected_request")
        assert "Say hello" not in answer.text
        assert len(relay.upstream.exchanges) == 1
        assert (await relay.only_record()).charge_nanos == 0


class TestManyAtOnce:
    async def test_a_balance_for_some_admits_exactly_those(self, relay: RunningRelay) -> None:
        answers_ = await asyncio.gather(*(relay.post() for _ in range(20)))
        assert {answer.status_code for answer in answers_} == {200}
        await relay.until_idle()
        charges = [record.charge_nanos for record in await relay.records()]
        assert charges == [USUAL_CHARGE_NANOS] * 20
