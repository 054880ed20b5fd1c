"""Callers of one dialect over providers of another, through the official clients, and what that costs."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest

from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay
from tests.relay.test_serve_messages import ASKED, client_of
from tests.support.scripted_messages import (
    MESSAGE_CHARGE_NANOS,
    THINKING,
    TOOL_USE,
    TOOL_USE_WITHOUT_ARGUMENTS,
    message_events,
    named,
    speaks_messages,
    streamed_events,
)
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    Json,
    answers,
    chunk,
    completion,
    streams,
    usage_chunk,
)

SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PIXEL = "iVBORw0KGgo="
CALLS: list[Json] = [
    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}},
    {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
]
SPOKEN = [THINKING, {"type": "text", "text": "hello\u2028there 你好"}, TOOL_USE, TOOL_USE_WITHOUT_ARGUMENTS]


@pytest.fixture
async def over_messages(relay_settings: Settings) -> AsyncIterator[RunningRelay]:
    """A relay whose upstream speaks Messages."""
    async with running_relay(relay_settings, provider="anthropic", upstream_model="theirs") as relay:
        relay.upstream.behave = speaks_messages()
        yield relay


def interleaved_calls() -> list[Json | str]:
    """Return a stream of reasoning, words and two calls whose arguments come in turns."""

    def calls(*fragments: Json) -> Json:
        delta = {"tool_calls": list(fragments)}
        return {**chunk(), "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}

    return [
        {**chunk(), "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}, "finish_reason": None}]},
        chunk("hello "),
        chunk("there"),
        calls({"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}}),
        calls({"index": 0, "function": {"arguments": '{"city":'}}),
        calls({"index": 1, "id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}}),
        calls({"index": 0, "function": {"arguments": '"Bern"}'}}),
        chunk(finish_reason="tool_calls"),
        usage_chunk(USUAL_USAGE),
        "[DONE]",
    ]


class TestChatOverMessages:
    async def test_a_plain_answer_comes_whole(self, over_messages: RunningRelay) -> None:
        over_messages.upstream.behave = speaks_messages(SPOKEN, stop_reason="tool_use")
        async with over_messages.client() as client:
            answer = await client.chat.completions.create(model="mock", messages=MESSAGES)
        (choice,) = answer.choices
        assert (choice.finish_reason, choice.message.content) == ("tool_calls", "hello\u2028there 你好")
        assert choice.message.model_dump()["reasoning_content"] == "hm"
        calls = [call.to_dict()["function"] for call in choice.message.tool_calls or ()]
        assert calls == [
            {"name": "weather", "arguments": '{"city":"Bern"}'}, {"name": "now", "arguments": "{}"}
        ]  # fmt: skip
        assert answer.model == "mock"
        assert answer.usage
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 5)
        assert answer.usage.prompt_tokens_details
        assert answer.usage.prompt_tokens_details.cached_tokens == 3
        record = await over_messages.only_record()
        assert (record.charge_nanos, record.usage_source) == (MESSAGE_CHARGE_NANOS, UsageSource.UPSTREAM)

    @pytest.mark.parametrize("wants_usage", [True, False], ids=["usage asked for", "usage not asked for"])
    async def test_a_stream_comes_whole(self, over_messages: RunningRelay, *, wants_usage: bool) -> None:
        over_messages.upstream.behave = speaks_messages(SPOKEN, stop_reason="tool_use")
        body = {"stream": True, "stream_options": {"include_usage": wants_usage}}
        answer = await over_messages.post(body)
        events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
        assert events.pop() == "[DONE]"
        chunks = [json.loads(event) for event in events]
        deltas = [one["choices"][0]["delta"] for one in chunks if one["choices"]]
        assert "".join(delta.get("content", "") for delta in deltas) == "hello\u2028there 你好"
        assert deltas[0]["role"] == "assistant"
        arguments = ["", ""]
        for call in (call for delta in deltas for call in delta.get("tool_calls", ())):
            arguments[call["index"]] += call["function"].get("arguments", "")
        assert list(map(json.loads, arguments)) == [{"city": "Bern"}, {}]
        assert any(one.get("usage") for one in chunks) is wants_usage
        assert len({one["id"] for one in chunks}) == 1
        assert (await over_messages.only_record()).charge_nanos == MESSAGE_CHARGE_NANOS

    async def test_everything_that_was_asked_arrives(self, over_messages: RunningRelay) -> None:
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
        pdf = {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"}}
        asked = {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Where?"}, picture, pdf]},
                {"role": "assistant", "content": None, "tool_calls": CALLS},
                {"role": "tool", "tool_call_id": "c1", "content": "sun"},
                {"role": "tool", "tool_call_id": "c2", "content": "noon"},
                {"role": "user", "content": "And?"},
            ],
            "tools": [{"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "parallel_tool_calls": False, "stop": "END", "temperature": 0.5, "top_p": 0.9, "user": "u1",
            "reasoning_effort": "low", "max_completion_tokens": 99,
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}},
        }  # fmt: skip
        assert (await over_messages.post(asked)).status_code == 200
        (exchange,) = over_messages.upstream.exchanges
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        assert exchange.body == {
            "model": "theirs", "max_tokens": 99, "stream": False,
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Where?"},
                        {"type": "image", "source": source},
                        {"type": "document", "title": "a.pdf", "source": {**source, "media_type": "application/pdf"}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bern"}},
                        {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "c1", "content": "sun"},
                        {"type": "tool_result", "tool_use_id": "c2", "content": "noon"},
                        {"type": "text", "text": "And?"},
                    ],
                },
            ],
            "tools": [{"name": "weather", "description": "d", "input_schema": SCHEMA}],
            "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
            "stop_sequences": ["END"], "temperature": 0.5, "top_p": 0.9, "metadata": {"user_id": "u1"},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        }  # fmt: skip

    async def test_an_answers_limit_is_the_models_where_none_was_given(self, over_messages: RunningRelay) -> None:
        await over_messages.post()
        assert over_messages.upstream.exchanges[0].body["max_tokens"] == 4_096

    @pytest.mark.parametrize(
        ("members", "parameter"),
        [
            pytest.param({"n": 2}, "n", id="several answers"),
            pytest.param({"logprobs": True}, "logprobs", id="probabilities"),
            pytest.param({"seed": 1}, "seed", id="a seed"),
            pytest.param({"from_tomorrow": 1}, "from_tomorrow", id="an unknown member"),
            pytest.param({"temperature": 1.5}, "temperature", id="a higher temperature"),
            pytest.param({"tool_choice": "perhaps"}, "tool_choice", id="an unknown choice"),
            pytest.param({"response_format": {"type": "json_object"}}, "response_format", id="any JSON"),
            pytest.param({"reasoning_effort": "minimal"}, "reasoning_effort", id="an effort without a word"),
            pytest.param({"reasoning_effort": []}, "reasoning_effort", id="an effort that is a list"),
            pytest.param({"tools": [{"type": "custom"}]}, "tools", id="a tool without a schema"),
            pytest.param({"messages": [{"role": "user", "content": "x", "name": "Pat"}]}, "messages", id="a name"),
            pytest.param({"messages": [*MESSAGES, {"role": "system", "content": "x"}]}, "messages", id="late orders"),
            pytest.param(
                {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages", id="sound"
            ),
            pytest.param({"messages": [{}]}, "messages", id="no message"),
        ],
    )
    async def test_what_messages_cannot_say_is_refused_by_name(
        self, over_messages: RunningRelay, members: Any, parameter: str
    ) -> None:
        answer = await over_messages.post(members)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["code"], error["param"]) == ("unsupported_parameter", parameter)
        assert not over_messages.upstream.exchanges

    async def test_an_error_within_the_stream_is_the_callers_and_charges_what_came(
        self, over_messages: RunningRelay
    ) -> None:
        failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Say hello"}}
        over_messages.upstream.behave = streamed_events(*message_events()[:5], failure)
        async with over_messages.client() as client:
            stream = await client.chat.completions.create(model="mock", messages=MESSAGES, stream=True)
            with pytest.raises(openai.APIError, match="failed while it was answering"):
                [piece async for piece in stream]
        record = await over_messages.only_record()
        assert (record.usage_source, record.error_code) == (UsageSource.ESTIMATED, "upstream_failed")
        assert record.output_tokens == 2


class TestMessagesOverChat:
    async def test_a_plain_answer_comes_whole(self, relay: RunningRelay) -> None:
        reply = completion(usage=USUAL_USAGE)
        reply["choices"][0]["message"]["tool_calls"] = CALLS
        reply["choices"][0]["finish_reason"] = "tool_calls"
        relay.upstream.behave = answers(200, reply)
        async with client_of(relay) as client:
            answer = await client.messages.create(**ASKED)
        assert [block.to_dict() for block in answer.content] == [
            {"type": "text", "text": "hello there"},
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bern"}},
            {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
        ]
        assert (answer.stop_reason, answer.model) == ("tool_use", "mock")
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10, 5)
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_a_stream_of_parallel_calls_becomes_blocks_that_do_not_overlap(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(*interleaved_calls())
        async with client_of(relay) as client, client.messages.stream(**ASKED) as stream:
            events = [event.type async for event in stream]
            answer = await stream.get_final_message()
        assert [block.to_dict(exclude_none=True) for block in answer.content] == [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "hello there"},
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bern"}},
            {"type": "tool_use", "id": "c2", "name": "now", "input": {}},
        ]
        assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("tool_use", 10, 5)
        assert (events[0], events[-1]) == ("message_start", "message_stop")
        record = await relay.only_record()
        assert (record.charge_nanos, record.interface_path) == (USUAL_CHARGE_NANOS, "/v1/messages")

    async def test_everything_that_was_asked_arrives(self, relay: RunningRelay) -> None:
        source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        marked = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
        result = {"type": "tool_result", "tool_use_id": "c1", "is_error": True}
        asked = {
            "model": "mock", "max_tokens": 99, "system": [marked],
            "messages": [
                {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "Where?"}]},
                {"role": "assistant", "content": [{**THINKING, "signature": ""}, {**TOOL_USE, "id": "c1"}]},
                {"role": "user", "content": [{**result, "content": "rain"}, {"type": "text", "text": "And?"}]},
            ],
            "tools": [{"name": "weather", "description": "d", "input_schema": SCHEMA}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
            "stop_sequences": ["END"], "temperature": 0.5, "top_p": 0.9, "metadata": {"user_id": "u1"},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
            "thinking": {"type": "adaptive"},
        }  # fmt: skip
        assert (await relay.post(asked, path="/v1/messages")).status_code == 200
        function = {"name": "weather", "arguments": '{"city":"Bern"}'}
        form = {"name": "answer", "schema": SCHEMA, "strict": True}
        assert relay.upstream.exchanges[0].body == {
            "model": "mock", "max_completion_tokens": 99, "stream": False,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                        {"type": "text", "text": "Where?"},
                    ],
                },
                {
                    "role": "assistant", "content": None,
                    "tool_calls": [{"id": "c1", "type": "function", "function": function}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "Error: rain"},
                {"role": "user", "content": "And?"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
            ],
            "tool_choice": "required", "parallel_tool_calls": False, "stop": ["END"],
            "temperature": 0.5, "top_p": 0.9, "user": "u1", "reasoning_effort": "low",
            "response_format": {"type": "json_schema", "json_schema": form},
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("members", "parameter"),
        [
            pytest.param({"top_k": 3}, "top_k", id="a member without a word"),
            pytest.param({"thinking": {"type": "enabled", "budget_tokens": 2_000}}, "thinking", id="a budget"),
            pytest.param({"output_config": {"effort": "max"}}, "output_config", id="an effort without a word"),
            pytest.param({"output_config": {"effort": []}}, "output_config", id="an effort that is a list"),
            pytest.param({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools", id="a tool of its own"),
            pytest.param(
                {"messages": [{"role": "assistant", "content": [THINKING]}]}, "messages", id="signed thinking"
            ),
            pytest.param(
                {"messages": [{"role": "user", "content": [{"type": "x"}]}]}, "messages", id="a strange block"
            ),
            pytest.param({"messages": [{"role": "system", "content": "x"}]}, "messages", id="late orders"),
            pytest.param({"system": 3}, "system", id="strange instructions"),
        ],
    )
    async def test_what_chat_cannot_say_is_refused_by_name(
        self, relay: RunningRelay, members: Any, parameter: str
    ) -> None:
        answer = await relay.post({**ASKED, **members}, path="/v1/messages")
        assert answer.status_code == 400
        assert answer.json()["error"]["details"] == {"code": "unsupported_parameter", "param": parameter}
        assert not relay.upstream.exchanges

    async def test_a_stream_that_breaks_ends_with_the_callers_error(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hello"), breaks=True)
        async with client_of(relay) as client:
            with pytest.raises(anthropic.APIStatusError, match="charged for what was delivered"):
                async with client.messages.stream(**ASKED) as stream:
                    await stream.get_final_message()
        record = await relay.only_record()
        assert (record.usage_source, record.output_tokens) == (UsageSource.ESTIMATED, 2)

    async def test_arguments_that_are_no_json_are_not_delivered_or_charged(self, relay: RunningRelay) -> None:
        reply = completion(usage=USUAL_USAGE)
        reply["choices"][0]["message"]["tool_calls"] = [{**CALLS[0], "function": {"name": "x", "arguments": '{"a'}}]
        relay.upstream.behave = answers(200, reply)
        assert (await relay.post(ASKED, path="/v1/messages")).status_code == 502
        assert (await relay.only_record()).charge_nanos == 0


class TestCutAnywhere:
    @pytest.mark.parametrize("dialect", ["chat", "messages"])
    async def test_no_cut_of_the_bytes_changes_the_answer_or_the_charge(
        self, relay_settings: Settings, dialect: str
    ) -> None:
        is_chat = dialect == "chat"
        raw = (
            b"".join(map(named, message_events(SPOKEN)))
            if is_chat
            else b"".join(
                f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()
                for event in interleaved_calls()
            )
        ).replace(b"\n", b"\r\n")

        async def trickles(exchange: Exchange) -> None:
            await exchange.begin_stream()
            for at in range(len(raw)):
                await exchange.send_piece(raw[at : at + 1])
            await exchange.end_stream()

        provider = "anthropic" if is_chat else "openai"
        path = "/v1/chat/completions" if is_chat else "/v1/messages"
        async with running_relay(relay_settings, provider=provider) as relay:
            relay.upstream.behave = trickles
            answer = await relay.post({**ASKED, "stream": True}, path=path)
            assert answer.text.endswith("[DONE]\n\n" if is_chat else '{"type":"message_stop"}\n\n')
            charge_nanos = MESSAGE_CHARGE_NANOS if is_chat else USUAL_CHARGE_NANOS
            assert (await relay.only_record()).charge_nanos == charge_nanos
