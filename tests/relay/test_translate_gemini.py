"""Gemini's callers over providers of other dialects, and other callers over Gemini, through the official clients."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.genai import types

from onetoken_app.settings import Settings
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay
from tests.relay.test_serve_gemini import CONTENTS, called, parts_of, streamed
from tests.relay.test_serve_messages import ASKED, client_of
from tests.support.scripted_gemini import BARE_CALL, CALL, GEMINI_CHARGE_NANOS, THOUGHT, speaks_gemini
from tests.support.scripted_messages import MESSAGE_CHARGE_NANOS, THINKING, TOOL_USE, speaks_messages
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, USUAL_USAGE, Json, answers, completion

SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CALLS: list[Json] = [
    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}},
    {"id": "c2", "type": "function", "function": {"name": "now", "arguments": ""}},
]
TOOL: Any = {"name": "weather", "description": "Of a city.", "parameters": SCHEMA}
HISTORY: list[Any] = [
    {"role": "user", "parts": [{"text": "What is it like in Bern?"}]},
    {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Bern"}}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}]},
]


@pytest.fixture
async def over_gemini(relay_settings: Settings) -> AsyncIterator[RunningRelay]:
    """A relay whose upstream speaks Gemini's API."""
    async with running_relay(relay_settings, provider="gemini", upstream_model="theirs") as relay:
        relay.upstream.behave = speaks_gemini()
        yield relay


async def generate(relay: RunningRelay, **members: Any) -> Any:
    """Call as Gemini's callers do, by hand."""
    body = json.dumps({"contents": CONTENTS, **members})
    return await relay.post(body, path="/v1beta/models/mock:generateContent")


class TestGeminiOverChat:
    async def test_words_and_calls_come_back(self, relay: RunningRelay) -> None:
        message = {"role": "assistant", "content": "hello", "tool_calls": CALLS}
        relay.upstream.behave = answers(
            200,
            completion(usage=USUAL_USAGE)
            | {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]},
        )
        answer = await called(relay, tools=[types.Tool(function_declarations=[types.FunctionDeclaration(**TOOL)])])
        text, first, second = parts_of([answer])
        assert (text.text, first.function_call.args, second.function_call.args) == ("hello", {"city": "Bern"}, {})  # type: ignore[union-attr] # as the test says
        assert answer.usage_metadata is not None
        assert answer.usage_metadata.total_token_count == 15
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS
        (exchange,) = relay.upstream.exchanges
        assert exchange.body["tools"][0]["function"]["parameters"]["type"] == "object"

    async def test_a_stream_ends_with_reason_and_figures(self, relay: RunningRelay) -> None:
        events = await streamed(relay)
        assert "".join(part.text or "" for part in parts_of(events)) == "hello there"
        last = events[-1]
        assert last.candidates is not None
        assert (last.candidates[0].finish_reason, last.usage_metadata.total_token_count) == ("STOP", 15)  # type: ignore[union-attr] # as the test says
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_history_goes_up_with_calls_and_their_answers(self, relay: RunningRelay) -> None:
        answer = await generate(
            relay,
            contents=HISTORY,
            systemInstruction={"parts": [{"text": "Be brief."}]},
            tools=[{"functionDeclarations": [TOOL]}],
            toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
            generationConfig={"maxOutputTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]},
        )
        assert answer.status_code == 200, answer.text
        (exchange,) = relay.upstream.exchanges
        system, user, assistant, tool = exchange.body["messages"]
        assert (system["content"], user["content"]) == ("Be brief.", "What is it like in Bern?")
        assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"]
        assert json.loads(tool["content"]) == {"result": "sunny"}
        assert exchange.body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
        assert (exchange.body["max_completion_tokens"], exchange.body["stop"]) == (9, ["x"])

    @pytest.mark.parametrize(
        ("members", "parameter"),
        [
            pytest.param({"safetySettings": [{"category": "X"}]}, "safetySettings", id="settings of safety"),
            pytest.param({"generationConfig": {"topK": 3}}, "generationConfig.topK", id="a draw of theirs"),
            pytest.param(
                {"generationConfig": {"thinkingConfig": {"thinkingBudget": 99}}},
                "generationConfig.thinkingConfig",
                id="a budget of thoughts",
            ),
            pytest.param({"contents": [{"parts": [{"videoMetadata": {}}]}]}, "contents", id="a part of another kind"),
            pytest.param({"contents": [{"role": "x", "parts": [{"text": "a"}]}]}, "contents", id="nobody's role"),
            pytest.param(
                {"contents": [{"parts": [{"functionResponse": {"name": "a", "response": {}}}]}]},
                "contents",
                id="an answer to nothing",
            ),
        ],
    )  # fmt: skip
    async def test_what_has_no_word_is_refused_by_name(
        self, relay: RunningRelay, members: dict[str, Any], parameter: str
    ) -> None:
        answer = await generate(relay, **members)
        assert (answer.status_code, answer.json()["error"]["details"][0]["metadata"]["param"]) == (400, parameter)
        assert not relay.upstream.exchanges


class TestGeminiOverMessages:
    async def test_thoughts_and_calls_come_back(self, relay_settings: Settings) -> None:
        blocks = [THINKING, {"type": "text", "text": "hello"}, TOOL_USE]
        async with running_relay(relay_settings, provider="anthropic", upstream_model="theirs") as relay:
            relay.upstream.behave = speaks_messages(blocks, stop_reason="tool_use")
            events = await streamed(relay)
            record = await relay.only_record()
        parts = parts_of(events)
        assert "".join(part.text or "" for part in parts if part.thought) == "hm"
        assert "".join(part.text or "" for part in parts if not part.thought) == "hello"
        assert [part.function_call.args for part in parts if part.function_call] == [{"city": "Bern"}]
        assert record.charge_nanos == MESSAGE_CHARGE_NANOS


class TestOthersOverGemini:
    @pytest.mark.parametrize("is_streaming", [False, True])
    async def test_chat_gets_words_thoughts_and_calls(self, over_gemini: RunningRelay, *, is_streaming: bool) -> None:
        over_gemini.upstream.behave = speaks_gemini([THOUGHT, {"text": "hello"}, CALL, BARE_CALL])
        async with over_gemini.client() as client:
            if is_streaming:
                async with client.chat.completions.stream(model="mock", messages=MESSAGES) as stream:
                    choice: Any = (await stream.get_final_completion()).choices[0]
            else:
                choice = (await client.chat.completions.create(model="mock", messages=MESSAGES)).choices[0]
        assert (choice.message.content, choice.finish_reason) == ("hello", "tool_calls")
        assert [call.function.arguments for call in choice.message.tool_calls or ()] == ['{"city":"Bern"}', "{}"]
        assert (await over_gemini.only_record()).charge_nanos == GEMINI_CHARGE_NANOS

    async def test_what_chat_asks_goes_up_in_geminis_words(self, over_gemini: RunningRelay) -> None:
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
        answer = await over_gemini.post(
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
                    {"role": "assistant", "content": None, "tool_calls": CALLS[:1]},
                    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
                ],
                "tools": [{"type": "function", "function": TOOL}],
                "tool_choice": "required",
                "max_completion_tokens": 9,
                "stop": "x",
            }
        )
        assert answer.status_code == 200, answer.text
        (exchange,) = over_gemini.upstream.exchanges
        user, model, tool = exchange.body["contents"]
        assert user["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
        assert model["parts"] == [{"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Bern"}}}]
        assert tool["parts"][0]["functionResponse"]["response"] == {"result": "sunny"}
        assert exchange.body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
        assert exchange.body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
        assert exchange.body["generationConfig"] == {"maxOutputTokens": 9, "stopSequences": ["x"]}
        assert exchange.body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == SCHEMA

    async def test_messages_gets_blocks(self, over_gemini: RunningRelay) -> None:
        over_gemini.upstream.behave = speaks_gemini([THOUGHT, {"text": "hello"}, CALL])
        async with client_of(over_gemini) as client, client.messages.stream(**ASKED) as stream:
            answer = await stream.get_final_message()
        assert [block.type for block in answer.content] == ["thinking", "text", "tool_use"]
        assert answer.stop_reason == "tool_use"
        assert (await over_gemini.only_record()).charge_nanos == GEMINI_CHARGE_NANOS

    async def test_a_blocked_answer_is_a_refusal(self, over_gemini: RunningRelay) -> None:
        over_gemini.upstream.behave = speaks_gemini([{"text": "no"}], finish="PROHIBITED_CONTENT")
        answer = await over_gemini.post()
        assert answer.json()["choices"][0]["finish_reason"] == "content_filter"

    @pytest.mark.parametrize(
        ("members", "parameter"),
        [({"user": "u"}, "user"), ({"parallel_tool_calls": False}, "parallel_tool_calls"), ({"seed": 1}, "seed")],
    )
    async def test_what_gemini_has_no_word_for_is_refused(
        self, over_gemini: RunningRelay, members: dict[str, Any], parameter: str
    ) -> None:
        answer = await over_gemini.post(members)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, parameter)
