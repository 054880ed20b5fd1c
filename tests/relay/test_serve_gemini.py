"""Gemini's API through the official client, over a channel that speaks it too."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types

from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import NO_TLS, RunningRelay, running_relay
from tests.support.scripted_gemini import (
    BARE_CALL,
    CALL,
    GEMINI_CHARGE_NANOS,
    THOUGHT,
    generated,
    speaks_gemini,
)
from tests.support.scripted_upstream import Exchange, answers

ASKED = "Say hello."
CONTENTS: list[Any] = [{"role": "user", "parts": [{"text": ASKED}]}]
PARTS = [THOUGHT, {"text": "hello\u2028there 你好"}, CALL, BARE_CALL]


@asynccontextmanager
async def client_of(relay: RunningRelay) -> AsyncIterator[genai.Client]:
    """Run the official client while the block runs."""
    async with httpx.AsyncClient(verify=NO_TLS, trust_env=False, timeout=20) as connections:
        options = types.HttpOptions(base_url=f"http://127.0.0.1:{relay.port}", httpx_async_client=connections)
        yield genai.Client(api_key=relay.secret, http_options=options)


async def called(relay: RunningRelay, **config: Any) -> types.GenerateContentResponse:
    """Make a plain call."""
    async with client_of(relay) as client:
        return await client.aio.models.generate_content(
            model="mock", contents=ASKED, config=types.GenerateContentConfig(**config)
        )


async def streamed(relay: RunningRelay, **config: Any) -> list[types.GenerateContentResponse]:
    """Make a streaming call."""
    async with client_of(relay) as client:
        stream = await client.aio.models.generate_content_stream(
            model="mock", contents=ASKED, config=types.GenerateContentConfig(**config)
        )
        return [event async for event in stream]


def parts_of(answers_: list[types.GenerateContentResponse]) -> list[types.Part]:
    """Return the parts of all answers."""
    return [
        part
        for answer in answers_
        for candidate in answer.candidates or []
        for part in (candidate.content.parts if candidate.content else None) or []
    ]


@pytest.fixture
async def gemini_relay(relay_settings: Settings) -> AsyncIterator[RunningRelay]:
    """A relay whose upstream speaks Gemini's API."""
    async with running_relay(relay_settings, provider="gemini", upstream_model="theirs") as relay:
        relay.upstream.behave = speaks_gemini()
        yield relay


class TestPlain:
    async def test_every_part_comes_as_it_was_and_is_charged_once(self, gemini_relay: RunningRelay) -> None:
        gemini_relay.upstream.behave = speaks_gemini(PARTS)
        answer = await called(gemini_relay, max_output_tokens=50)
        thought, text, call, bare = parts_of([answer])
        assert (thought.thought, thought.text, text.text) == (True, "hm", "hello\u2028there 你好")
        assert call.function_call is not None
        assert (call.function_call.args, call.thought_signature) == ({"city": "Bern"}, b"sig")
        assert bare.function_call is not None
        assert answer.model_version == "mock"
        record = await gemini_relay.only_record()
        assert (record.charge_nanos, record.usage_source) == (GEMINI_CHARGE_NANOS, UsageSource.UPSTREAM)
        assert (record.cache_read_tokens, record.output_tokens, record.reasoning_tokens) == (3, 5, 2)
        assert record.interface_path == "/v1/models/{model}:generateContent"

    async def test_the_request_goes_on_as_it_came_to_the_model_of_the_channel(self, gemini_relay: RunningRelay) -> None:
        await called(gemini_relay, max_output_tokens=50, top_k=3, system_instruction="Be brief.")
        (exchange,) = gemini_relay.upstream.exchanges
        assert exchange.request_line.startswith("POST /v1/models/theirs:generateContent ")
        assert exchange.headers["x-goog-api-key"] != gemini_relay.secret
        assert "authorization" not in exchange.headers
        assert exchange.body["generationConfig"] == {"maxOutputTokens": 50, "topK": 3}
        assert exchange.body["contents"][0]["parts"] == [{"text": ASKED}]

    async def test_a_refused_prompt_is_charged_as_its_figures_say(self, gemini_relay: RunningRelay) -> None:
        blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 10}}
        gemini_relay.upstream.behave = answers(200, blocked)
        answer = await called(gemini_relay)
        assert answer.prompt_feedback is not None
        record = await gemini_relay.only_record()
        assert (record.input_tokens, record.output_tokens) == (10, 0)

    async def test_two_spellings_mean_the_same_limit(self, gemini_relay: RunningRelay) -> None:
        body = {"contents": CONTENTS, "generation_config": {"max_output_tokens": 7}}
        answer = await gemini_relay.post(json.dumps(body), path="/v1beta/models/mock:generateContent")
        assert answer.status_code == 200
        (exchange,) = gemini_relay.upstream.exchanges
        assert exchange.body["generationConfig"] == {"max_output_tokens": 7}


class TestStream:
    async def test_every_part_comes_as_it_was_and_is_charged_once(self, gemini_relay: RunningRelay) -> None:
        gemini_relay.upstream.behave = speaks_gemini(PARTS)
        events = await streamed(gemini_relay)
        assert [part.text for part in parts_of(events)] == ["hm", "hello\u2028there 你好", None, None]
        assert {event.model_version for event in events} == {"mock"}
        record = await gemini_relay.only_record()
        assert (record.charge_nanos, record.usage_source) == (GEMINI_CHARGE_NANOS, UsageSource.UPSTREAM)
        assert record.is_streaming

    async def test_without_sse_it_is_one_array(self, gemini_relay: RunningRelay) -> None:
        gemini_relay.upstream.behave = speaks_gemini(PARTS)
        body = json.dumps({"contents": CONTENTS})
        answer = await gemini_relay.post(body, path="/v1beta/models/mock:streamGenerateContent")
        assert answer.headers["content-type"] == "application/json"
        first, *others = answer.json()
        assert first == {"responseId": answer.headers["x-request-id"]}
        assert [other["candidates"][0]["content"]["parts"][0] for other in others] == PARTS
        assert (await gemini_relay.only_record()).charge_nanos == GEMINI_CHARGE_NANOS

    @pytest.mark.parametrize("query", ["?alt=sse", ""])
    async def test_a_stream_that_breaks_ends_with_an_error_in_its_form(
        self, gemini_relay: RunningRelay, query: str
    ) -> None:
        async def breaks(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(generated([{"text": "hello"}], finish=None, usage={"promptTokenCount": 10}))
            await exchange.send_event({"error": {"code": 503, "message": ASKED, "status": "UNAVAILABLE"}})
            await exchange.end_stream()

        gemini_relay.upstream.behave = breaks
        body = json.dumps({"contents": CONTENTS})
        answer = await gemini_relay.post(body, path=f"/v1beta/models/mock:streamGenerateContent{query}")
        *_, last = answer.json() if not query else [json.loads(line[6:]) for line in answer.text.split("\n\n") if line]
        assert (last["error"]["code"], last["error"]["status"]) == (502, "INTERNAL")
        assert ASKED not in answer.text
        record = await gemini_relay.only_record()
        assert record.charge_nanos > 0
        assert record.usage_source == UsageSource.ESTIMATED

    async def test_one_that_ends_without_a_reason_is_cut(self, gemini_relay: RunningRelay) -> None:
        async def stops(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(generated([{"text": "hello"}], finish=None))
            await exchange.end_stream()

        gemini_relay.upstream.behave = stops
        with pytest.raises(errors.ServerError) as caught:
            await streamed(gemini_relay)
        assert caught.value.code == 502


class TestRefusals:
    async def test_an_unknown_key_is_told_in_googles_form(self, gemini_relay: RunningRelay) -> None:
        answer = await gemini_relay.post(
            json.dumps({"contents": CONTENTS}), path="/v1beta/models/mock:generateContent", authorization="",
            x_goog_api_key="ot-nobody",
        )  # fmt: skip
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
        assert answer.json()["error"]["details"][0]["reason"] == "invalid_api_key"

    async def test_the_official_client_reads_our_errors(self, gemini_relay: RunningRelay) -> None:
        async with client_of(gemini_relay) as client:
            with pytest.raises(errors.ClientError) as caught:
                await client.aio.models.generate_content(model="nobody", contents=ASKED)
        assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")

    @pytest.mark.parametrize(
        ("members", "parameter"),
        [
            pytest.param({"cachedContent": "cachedContents/1"}, "cachedContent", id="content kept at the provider"),
            pytest.param({"cached_content": "cachedContents/1"}, "cachedContent", id="the same in the other spelling"),
            pytest.param({"tools": [{"googleSearch": {}}]}, "tools", id="a tool that the provider runs"),
            pytest.param({"tools": [{"code_execution": {}}]}, "tools", id="code that the provider runs"),
            pytest.param({"contents": []}, "contents", id="nothing asked"),
            pytest.param(
                {"generationConfig": {"maxOutputTokens": -1}}, "generationConfig.maxOutputTokens", id="negative"
            ),
            pytest.param(
                {"generationConfig": {"maxOutputTokens": 1.5}}, "generationConfig.maxOutputTokens", id="a part"
            ),
            pytest.param(
                {"generationConfig": {"candidateCount": 10**9}}, "generationConfig.candidateCount", id="too many"
            ),
            pytest.param({"generationConfig": {}, "generation_config": {}}, "generationConfig", id="both spellings"),
        ],
    )
    async def test_what_no_price_covers_is_refused_by_name(
        self, gemini_relay: RunningRelay, members: dict[str, Any], parameter: str
    ) -> None:
        body = json.dumps({"contents": CONTENTS, **members})
        answer = await gemini_relay.post(body, path="/v1beta/models/mock:generateContent")
        (detail,) = answer.json()["error"]["details"]
        assert (answer.status_code, detail["metadata"]["param"]) == (400, parameter)
        assert not gemini_relay.upstream.exchanges

    async def test_a_file_kept_at_the_provider_is_refused(self, gemini_relay: RunningRelay) -> None:
        kept = {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1"}}
        body = json.dumps({"contents": [{"parts": [kept]}]})
        answer = await gemini_relay.post(body, path="/v1beta/models/mock:generateContent")
        assert answer.status_code == 400


class TestModels:
    async def test_they_are_listed_and_shown(self, gemini_relay: RunningRelay) -> None:
        async with client_of(gemini_relay) as client:
            listed = [model async for model in await client.aio.models.list()]
            shown = await client.aio.models.get(model="mock")
        assert [model.name for model in listed] == ["models/mock"]
        assert shown.input_token_limit == listed[0].input_token_limit


class TestCounting:
    async def test_the_provider_is_asked_and_nothing_is_charged(self, gemini_relay: RunningRelay) -> None:
        gemini_relay.upstream.behave = answers(200, {"totalTokens": 31})
        async with client_of(gemini_relay) as client:
            counted = await client.aio.models.count_tokens(model="mock", contents=ASKED)
        assert counted.total_tokens == 31
        (exchange,) = gemini_relay.upstream.exchanges
        assert exchange.body["generateContentRequest"]["model"] == "models/theirs"
        assert await gemini_relay.records() == []
