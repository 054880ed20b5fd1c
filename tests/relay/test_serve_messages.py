"""Anthropic's Messages through the official client, over a channel that speaks it too."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest

from onetoken_app.relay.dialects.anthropic_messages_members import REFUSED_MEMBERS, VERSIONS
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import NO_TLS, RunningRelay, running_relay
from tests.support.scripted_messages import (
    MESSAGE_CHARGE_NANOS,
    MESSAGE_USAGE,
    THINKING,
    TOOL_USE,
    TOOL_USE_WITHOUT_ARGUMENTS,
    message,
    message_events,
    named,
    speaks_messages,
    streamed_events,
)
from tests.support.scripted_upstream import Exchange, answers

ASKED: Any = {"model": "mock", "max_tokens": 50, "messages": [{"role": "user", "content": "Say hello."}]}
EVERY_BLOCK = [THINKING, {"type": "text", "text": "hello\u2028there 你好"}, TOOL_USE, TOOL_USE_WITHOUT_ARGUMENTS]
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "busy with: Say hello."}}


def client_of(relay: RunningRelay, **options: Any) -> anthropic.AsyncAnthropic:
    """Return the official client, which does not retry by itself unless told to."""
    usual = {
        "api_key": relay.secret, "base_url": f"http://127.0.0.1:{relay.port}", "max_retries": 0, "timeout": 20,
        "http_client": anthropic.DefaultAsyncHttpxClient(verify=NO_TLS, trust_env=False),
    }  # fmt: skip
    return anthropic.AsyncAnthropic(**{**usual, **options})


@pytest.fixture
async def messages_relay(relay_settings: Settings) -> AsyncIterator[RunningRelay]:
    """A relay whose upstream speaks Messages."""
    async with running_relay(relay_settings, provider="anthropic", upstream_model="theirs") as relay:
        relay.upstream.behave = speaks_messages()
        yield relay


class TestPlain:
    async def test_every_block_comes_as_it_was_and_is_charged_once(self, messages_relay: RunningRelay) -> None:
        messages_relay.upstream.behave = speaks_messages(EVERY_BLOCK, stop_reason="tool_use")
        async with client_of(messages_relay) as client:
            answer = await client.messages.create(**ASKED)
        assert [block.to_dict() for block in answer.content] == EVERY_BLOCK
        assert (answer.model, answer.stop_reason) == ("mock", "tool_use")
        record = await messages_relay.only_record()
        assert answer._request_id == record.request_id
        assert (record.charge_nanos, record.usage_source) == (MESSAGE_CHARGE_NANOS, UsageSource.UPSTREAM)
        assert (record.interface_path, record.upstream_request_id) == ("/v1/messages", "up-1")

    async def test_the_upstream_gets_its_own_headers_and_model(self, messages_relay: RunningRelay) -> None:
        async with client_of(messages_relay) as client:
            await client.messages.create(**ASKED, extra_headers={"anthropic-beta": "interleaved-thinking-2025-05-14"})
        (exchange,) = messages_relay.upstream.exchanges
        assert exchange.body == {**ASKED, "model": "theirs"}
        assert exchange.headers["x-api-key"] == "sk-upstream"
        assert exchange.headers["anthropic-version"] in VERSIONS
        assert exchange.headers["anthropic-beta"] == "interleaved-thinking-2025-05-14"
        assert "authorization" not in exchange.headers

    async def test_caches_are_counted_by_how_long_they_last(self, messages_relay: RunningRelay) -> None:
        split = {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 4}
        usage = {**MESSAGE_USAGE, "cache_creation_input_tokens": 11, "cache_creation": split}
        messages_relay.upstream.behave = speaks_messages(usage=usage)
        async with client_of(messages_relay) as client, client.messages.stream(**ASKED) as stream:
            await stream.get_final_message()
        record = await messages_relay.only_record()
        assert (record.input_tokens, record.cache_read_tokens) == (6, 3)
        assert (record.cache_write_5m_tokens, record.cache_write_1h_tokens) == (7, 4)


class TestStreaming:
    async def test_the_stream_comes_whole(self, messages_relay: RunningRelay) -> None:
        messages_relay.upstream.behave = speaks_messages(EVERY_BLOCK, stop_reason="tool_use")
        async with client_of(messages_relay) as client, client.messages.stream(**ASKED) as stream:
            answer = await stream.get_final_message()
        assert [block.to_dict(exclude_none=True) for block in answer.content] == EVERY_BLOCK
        assert (answer.model, answer.stop_reason, answer.usage.output_tokens) == ("mock", "tool_use", 5)
        record = await messages_relay.only_record()
        assert (record.charge_nanos, record.usage_source) == (MESSAGE_CHARGE_NANOS, UsageSource.UPSTREAM)

    async def test_every_event_has_its_name_and_none_is_lost(self, messages_relay: RunningRelay) -> None:
        unknown = {"type": "from_tomorrow", "value": [1]}
        events = message_events(EVERY_BLOCK)
        messages_relay.upstream.behave = streamed_events(*events[:2], unknown, *events[2:])
        answer = await messages_relay.post({**ASKED, "stream": True}, path="/v1/messages")
        blocks = answer.text.removesuffix("\n\n").split("\n\n")
        read = [block.split("\ndata: ") for block in blocks]
        shown = [json.loads(data) for _, data in read]
        assert [name for name, _ in read] == [f"event: {event['type']}" for event in shown]
        assert shown[0]["message"]["model"] == "mock"
        assert shown[1:] == [*events[1:2], unknown, *events[2:]]

    @pytest.mark.parametrize(
        ("events", "charge_nanos", "source"),
        [
            pytest.param(message_events()[:3], 0, UsageSource.NONE, id="before any output"),
            pytest.param(message_events()[:5], 11_300, UsageSource.ESTIMATED, id="after some output"),
            pytest.param(message_events()[:-1], MESSAGE_CHARGE_NANOS, UsageSource.UPSTREAM, id="after the figures"),
        ],
    )
    async def test_what_was_delivered_before_an_error_is_charged(
        self, messages_relay: RunningRelay, events: list[Any], charge_nanos: int, source: UsageSource
    ) -> None:
        messages_relay.upstream.behave = streamed_events(*events, OVERLOADED)
        async with client_of(messages_relay) as client:
            with pytest.raises(anthropic.APIStatusError) as caught:
                async with client.messages.stream(**ASKED) as stream:
                    await stream.get_final_message()
        assert "Say hello" not in str(caught.value)
        record = await messages_relay.only_record()
        assert (record.charge_nanos, record.usage_source) == (charge_nanos, source)
        assert record.error_code == "upstream_failed"

    async def test_a_stream_that_ends_without_its_last_event_has_ended_well(self, messages_relay: RunningRelay) -> None:
        messages_relay.upstream.behave = streamed_events(*message_events()[:-1])
        async with client_of(messages_relay) as client, client.messages.stream(**ASKED) as stream:
            assert await stream.get_final_text() == "hello there"
        assert (await messages_relay.only_record()).charge_nanos == MESSAGE_CHARGE_NANOS

    async def test_no_cut_of_the_bytes_changes_the_answer_or_the_charge(self, messages_relay: RunningRelay) -> None:
        raw = b"".join(map(named, message_events(EVERY_BLOCK))).replace(b"\n", b"\r\n")

        async def trickles(exchange: Exchange) -> None:
            await exchange.begin_stream()
            for at in range(len(raw)):
                await exchange.send_piece(raw[at : at + 1])
            await exchange.end_stream()

        messages_relay.upstream.behave = trickles
        async with client_of(messages_relay) as client, client.messages.stream(**ASKED) as stream:
            answer = await stream.get_final_message()
        assert [block.to_dict(exclude_none=True) for block in answer.content] == EVERY_BLOCK
        assert (await messages_relay.only_record()).charge_nanos == MESSAGE_CHARGE_NANOS


class TestRefusals:
    async def test_errors_are_the_clients_own(self, messages_relay: RunningRelay) -> None:
        async with client_of(messages_relay) as client:
            with pytest.raises(anthropic.NotFoundError) as caught:
                await client.messages.create(**{**ASKED, "model": "nothing"})
            assert caught.value.body == {
                "type": "error",
                "error": {
                    "type": "not_found_error",
                    "message": "This model does not exist or is not open to this key. GET /v1/models lists what is.",
                    "details": {"code": "model_not_found"},
                },
                "request_id": caught.value.request_id,
            }
        async with client_of(messages_relay, api_key="otk_live_wrong") as client:
            with pytest.raises(anthropic.AuthenticationError):
                await client.messages.create(**ASKED)
        assert not messages_relay.upstream.exchanges

    @pytest.mark.parametrize("name", sorted(REFUSED_MEMBERS))
    async def test_members_without_a_price_are_refused_by_name(self, messages_relay: RunningRelay, name: str) -> None:
        answer = await messages_relay.post({**ASKED, name: "x"}, path="/v1/messages")
        assert answer.status_code == 400
        assert answer.json()["error"]["details"] == {"code": "unsupported_parameter", "param": name}

    @pytest.mark.parametrize(
        ("members", "headers", "parameter"),
        [
            pytest.param({"max_tokens": None}, {}, "max_tokens", id="no limit"),
            pytest.param({"messages": "hi"}, {}, "messages", id="messages that are no list"),
            pytest.param({"messages": 5}, {}, "messages", id="messages that are a number"),
            pytest.param({"Max_Tokens": 9}, {}, "max_tokens", id="a misspelt limit"),
            pytest.param({"service_tier": "priority"}, {}, "service_tier", id="a dearer tier"),
            pytest.param({"tools": [{"type": "web_search_20250305"}]}, {}, "tools", id="a tool of the provider"),
            pytest.param({}, {"anthropic-beta": "files-api-2025-04-14"}, "anthropic-beta", id="a beta with files"),
            pytest.param({}, {"anthropic-version": "2023-01-01"}, "anthropic-version", id="another version"),
            pytest.param(
                {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}]},
                {}, "messages", id="a kept file",
            ),
        ],
    )  # fmt: skip
    async def test_what_is_not_served_is_named(
        self, messages_relay: RunningRelay, members: Any, headers: dict[str, str], parameter: str
    ) -> None:
        answer = await messages_relay.post({**ASKED, **members}, path="/v1/messages", **headers)
        assert (answer.status_code, answer.headers["x-should-retry"]) == (400, "false")
        assert answer.json()["error"]["details"]["param"] == parameter
        assert not messages_relay.upstream.exchanges

    @pytest.mark.parametrize(
        ("status", "shown", "kind"),
        [
            pytest.param(401, 502, "api_error", id="our credential"),
            pytest.param(429, 503, "overloaded_error", id="our limit"),
            pytest.param(529, 502, "api_error", id="an overloaded provider"),
            pytest.param(400, 400, "invalid_request_error", id="a bad request"),
        ],
    )
    async def test_an_upstreams_refusal_becomes_ours(
        self, messages_relay: RunningRelay, status: int, shown: int, kind: str
    ) -> None:
        messages_relay.upstream.behave = answers(status, OVERLOADED)
        answer = await messages_relay.post(ASKED, path="/v1/messages")
        assert (answer.status_code, answer.json()["error"]["type"]) == (shown, kind)
        assert "Say hello" not in answer.text
        assert (await messages_relay.only_record()).charge_nanos == 0

    async def test_an_error_in_the_form_of_a_success_is_not_charged(self, messages_relay: RunningRelay) -> None:
        messages_relay.upstream.behave = answers(200, OVERLOADED)
        assert (await messages_relay.post(ASKED, path="/v1/messages")).status_code == 502
        assert (await messages_relay.only_record()).charge_nanos == 0

    async def test_a_reply_that_is_no_message_is_not_delivered(self, messages_relay: RunningRelay) -> None:
        messages_relay.upstream.behave = answers(200, {"object": "list"})
        answer = await messages_relay.post(ASKED, path="/v1/messages")
        assert answer.json()["error"]["details"]["code"] == "upstream_unusable_reply"

    async def test_an_unreadable_path_below_answers_in_the_same_voice(self, messages_relay: RunningRelay) -> None:
        answer = await messages_relay.post(ASKED, path="/v1/messages/batches")
        assert (answer.status_code, answer.json()["type"]) == (404, "error")


class TestUsage:
    async def test_missing_figures_are_estimated(self, messages_relay: RunningRelay) -> None:
        body = message()
        del body["usage"]
        messages_relay.upstream.behave = answers(200, body)
        await messages_relay.post(ASKED, path="/v1/messages")
        record = await messages_relay.only_record()
        assert (record.input_tokens, record.output_tokens) == (7, 3)
        assert record.usage_source is UsageSource.ESTIMATED

    async def test_figures_of_zero_are_figures(self, messages_relay: RunningRelay) -> None:
        messages_relay.upstream.behave = speaks_messages(usage={"input_tokens": 0, "output_tokens": 0})
        await messages_relay.post(ASKED, path="/v1/messages")
        record = await messages_relay.only_record()
        assert (record.charge_nanos, record.usage_source) == (0, UsageSource.UPSTREAM)


class TestModels:
    async def test_the_official_client_lists_them(self, messages_relay: RunningRelay) -> None:
        async with client_of(messages_relay) as client:
            (model,) = [model async for model in client.models.list()]
            one = await client.models.retrieve("mock")
        assert (model.id, model.type, one.id) == ("mock", "model", "mock")

    async def test_without_its_header_the_list_is_openais(self, messages_relay: RunningRelay) -> None:
        answer = await messages_relay.get("/v1/models")
        assert answer.json()["object"] == "list"
