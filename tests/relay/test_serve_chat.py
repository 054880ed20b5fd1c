"""Calls through the official client, and what they cost."""

import asyncio

import openai
import pytest

from onetoken_app.database import read_session
from onetoken_app.keys.queries import keys_of
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import MESSAGES, RunningRelay
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS


class TestPlain:
    async def test_the_answer_comes_and_is_charged_once(self, relay: RunningRelay) -> None:
        async with relay.client() as client:
            answer = await client.chat.completions.create(model="mock", messages=MESSAGES)
        assert answer.choices[0].message.content == "hello there"
        assert answer._request_id is not None
        record = await relay.only_record()
        assert record.request_id == answer._request_id
        assert record.charge_nanos == USUAL_CHARGE_NANOS
        assert record.usage_source is UsageSource.UPSTREAM
        assert (record.response_status, record.error_code, record.attempt_count) == (200, "", 1)
        assert record.upstream_request_id == "up-1"

    async def test_the_record_names_the_keys_project(self, relay: RunningRelay) -> None:
        await relay.post()
        record = await relay.only_record()
        async with read_session() as session:
            (key,) = await keys_of(session, relay.organization_id)
        assert (record.project_id, record.api_key_id) == (key.project_id, key.id)

    async def test_the_synchronous_client_works_as_well(self, relay: RunningRelay) -> None:
        def ask() -> str | None:
            with openai.OpenAI(api_key=relay.secret, base_url=relay.base_url, max_retries=0) as client:
                return client.chat.completions.create(model="mock", messages=MESSAGES).choices[0].message.content

        assert await asyncio.to_thread(ask) == "hello there"


class TestRequestId:
    @pytest.mark.parametrize("is_streaming", [False, True], ids=["plain", "streamed"])
    async def test_it_comes_under_both_names_that_clients_look_for(
        self, relay: RunningRelay, *, is_streaming: bool
    ) -> None:
        answer = await relay.post({"stream": is_streaming})
        assert answer.status_code == 200
        record = await relay.only_record()
        assert [answer.headers[name] for name in ("x-request-id", "request-id")] == [record.request_id] * 2


class TestStreaming:
    @pytest.mark.parametrize("wants_usage", [True, False], ids=["usage asked for", "usage not asked for"])
    async def test_the_stream_comes_whole(self, relay: RunningRelay, *, wants_usage: bool) -> None:
        options = {"stream_options": {"include_usage": True}} if wants_usage else {}
        async with relay.client() as client:
            stream = await client.chat.completions.create(model="mock", messages=MESSAGES, stream=True, **options)  # type: ignore[call-overload] # by hand
            chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == "hello there"
        assert any(chunk.usage for chunk in chunks) is wants_usage
        assert relay.upstream.exchanges[0].body["stream_options"] == {"include_usage": True}
        record = await relay.only_record()
        assert (record.charge_nanos, record.is_streaming) == (USUAL_CHARGE_NANOS, True)
