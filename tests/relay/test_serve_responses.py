"""OpenAI's Responses through the official client, over channels of other dialects, and what that costs."""

import json
from typing import Any

import openai
import pydantic
import pytest

from onetoken_app.relay.dialects.openai_responses import REFUSED_MEMBERS, RESTS_ON_WHAT_IS_KEPT
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import RunningRelay, running_relay
from tests.relay.test_translate import PIXEL, SCHEMA, SPOKEN, interleaved_calls
from tests.support.scripted_messages import MESSAGE_CHARGE_NANOS, speaks_messages
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    answers,
    chunk,
    completion,
    streams,
    usage_chunk,
)

PATH = "/v1/responses"
ASKED: Any = {"model": "mock", "input": "Say hello."}
WEATHER: Any = {"type": "function", "name": "weather", "description": "d", "parameters": SCHEMA, "strict": False}


class Place(pydantic.BaseModel):
    """What an answer is parsed into."""

    city: str


async def ask(relay: RunningRelay, **members: Any) -> Any:
    """Send a request by hand."""
    return await relay.post(json.dumps({**ASKED, **members}).encode(), path=PATH)


def events_of(text: str) -> list[dict[str, Any]]:
    """Take a stream apart, after checking that each event is named and counted."""
    events = []
    for count, block in enumerate(text.removesuffix("\n\n").split("\n\n")):
        name, body = block.removeprefix(": ka\n").split("\n")
        event = json.loads(body.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        assert event["sequence_number"] == count
        events.append(event)
    return events


class TestPlain:
    async def test_an_answer_comes_whole_and_is_charged_once(self, relay: RunningRelay) -> None:
        async with relay.client() as client:
            answer = await client.responses.create(**ASKED, instructions="Be brief.")
        assert (answer.output_text, answer.status, answer.model) == ("hello there", "completed", "mock")
        assert (answer.instructions, answer.to_dict()["store"]) == ("Be brief.", False)
        assert answer.usage
        assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (10, 5, 15)
        assert answer.usage.input_tokens_details.cache_write_tokens == 0
        record = await relay.only_record()
        assert (record.charge_nanos, record.interface_path) == (USUAL_CHARGE_NANOS, PATH)
        assert record.usage_source == UsageSource.UPSTREAM

    async def test_an_answer_is_parsed_into_a_structure(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion('{"city":"Bern"}', usage=USUAL_USAGE))
        async with relay.client() as client:
            answer = await client.responses.parse(**ASKED, text_format=Place)
        assert answer.output_parsed == Place(city="Bern")
        assert relay.upstream.exchanges[0].body["response_format"]["type"] == "json_schema"

    async def test_everything_that_was_asked_arrives(self, relay: RunningRelay) -> None:
        picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}
        pdf = {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"}
        answered = {"type": "output_text", "text": "Let me look.", "annotations": []}
        call = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather"}
        listed = [
            {"role": "developer", "content": "In French."},
            {"role": "user", "content": [{"type": "input_text", "text": "Where?"}, picture, pdf]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "id": "msg_1", "role": "assistant", "content": [answered]},
            {**call, "arguments": '{"city":"Bern"}'},
            {**call, "call_id": "c2", "arguments": ""},
            {"type": "function_call_output", "call_id": "c1", "output": "sun"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "rain"}]},
        ]
        form = {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}
        asked = {
            "instructions": "Be brief.", "input": listed, "tools": [WEATHER], "max_output_tokens": 99, "store": False,
            "tool_choice": {"type": "function", "name": "weather"}, "parallel_tool_calls": False, "top_p": 0.9,
            "temperature": 0.5, "reasoning": {"effort": "low", "summary": "auto"}, "text": {"format": form},
            "user": "u1", "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k", "truncation": "disabled",
        }  # fmt: skip
        assert (await ask(relay, **asked)).status_code == 200
        function = {"name": "weather", "arguments": '{"city":"Bern"}'}
        tool = {"name": "weather", "description": "d", "parameters": SCHEMA, "strict": False}
        assert relay.upstream.exchanges[0].body == {
            "model": "mock", "max_completion_tokens": 99, "stream": False,
            "messages": [
                {"role": "system", "content": "Be brief.\n\nIn French."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Where?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                        {
                            "type": "file",
                            "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"},
                        },
                    ],
                },
                {
                    "role": "assistant", "content": "Let me look.",
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": function},
                        {"id": "c2", "type": "function", "function": {**function, "arguments": "{}"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "sun"},
                {"role": "tool", "tool_call_id": "c2", "content": "rain"},
            ],
            "tools": [{"type": "function", "function": tool}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}}, "parallel_tool_calls": False,
            "temperature": 0.5, "top_p": 0.9, "user": "u1", "reasoning_effort": "low",
            "response_format": {
                "type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}
            },
        }  # fmt: skip


class TestStreamed:
    async def test_reasoning_words_and_calls_in_turns_come_as_items(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(*interleaved_calls())
        async with relay.client() as client, client.responses.stream(**ASKED) as stream:
            types = [event.type async for event in stream]
            answer = await stream.get_final_response()
        assert types[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
        assert types[-2:] == ["response.output_item.done", "response.completed"]
        assert (types.count("response.output_item.added"), types.count("response.output_item.done")) == (4, 4)
        reasoning, message, weather, now = [item.to_dict() for item in answer.output]
        assert reasoning["summary"] == [{"type": "summary_text", "text": "hm"}]
        assert (message["type"], answer.output_text) == ("message", "hello there")
        assert [(one["call_id"], one["name"], one["arguments"]) for one in (weather, now)] == [
            ("c1", "weather", '{"city":"Bern"}'), ("c2", "now", "{}")
        ]  # fmt: skip
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_what_a_channel_of_messages_says_comes_whole(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, provider="anthropic") as relay:
            relay.upstream.behave = speaks_messages(SPOKEN, stop_reason="tool_use")
            async with relay.client() as client, client.responses.stream(**ASKED) as stream:
                answer = await stream.get_final_response()
            assert answer.output_text == "hello\u2028there 你好"
            assert answer.usage
            assert (answer.usage.input_tokens, answer.usage.input_tokens_details.cached_tokens) == (10, 3)
            assert (await relay.only_record()).charge_nanos == MESSAGE_CHARGE_NANOS

    @pytest.mark.parametrize(
        ("finish_reason", "why"),
        [
            pytest.param("length", "max_output_tokens", id="the limit"),
            pytest.param("content_filter", "content_filter", id="a filter"),
        ],
    )
    async def test_an_answer_that_was_stopped_is_incomplete_and_charged(
        self, relay: RunningRelay, finish_reason: str, why: str
    ) -> None:
        relay.upstream.behave = streams(
            chunk("hello"), chunk(finish_reason=finish_reason), usage_chunk(USUAL_USAGE), "[DONE]"
        )
        *_, last = events_of((await ask(relay, stream=True)).text)
        assert last["type"] == "response.incomplete"
        assert last["response"]["incomplete_details"] == {"reason": why}
        assert last["response"]["output"][0]["status"] == "incomplete"
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_what_comes_after_the_reason_still_arrives(self, relay: RunningRelay) -> None:
        *pieces, reason, figures, done = interleaved_calls()
        late = {"tool_calls": [{"index": 1, "function": {"arguments": '{"a":1}'}}]}
        more = {**chunk(), "choices": [{"index": 0, "delta": late, "finish_reason": None}]}
        relay.upstream.behave = streams(*pieces, reason, more, figures, done)
        *_, last = events_of((await ask(relay, stream=True)).text)
        assert last["response"]["output"][-1]["arguments"] == '{"a":1}'

    async def test_a_stream_that_breaks_off_ends_with_an_error_that_clients_raise(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hello there, this is cut"))
        *_, delta, last = events_of((await ask(relay, stream=True)).text)
        assert (delta["type"], last["type"]) == ("response.output_text.delta", "error")
        assert (last["code"], last["param"]) == ("upstream_unusable_reply", None)
        assert (await relay.only_record()).usage_source == UsageSource.ESTIMATED
        async with relay.client() as client:
            stream = await client.responses.create(**ASKED, stream=True)
            with pytest.raises(openai.APIError):
                _ = [event async for event in stream]

    async def test_no_cut_of_the_bytes_changes_the_answer_or_the_charge(self, relay: RunningRelay) -> None:
        said: list[Any] = [{"of": "an unknown kind"}, chunk("\u2028你好"), *interleaved_calls()]
        blocks = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in said]
        raw = "".join(f"data: {block}\r\n\r\n" for block in blocks).encode()

        async def trickles(exchange: Exchange) -> None:
            await exchange.begin_stream()
            for at in range(len(raw)):
                await exchange.send_piece(raw[at : at + 1])
            await exchange.end_stream()

        relay.upstream.behave = trickles
        *_, last = events_of((await ask(relay, stream=True)).text)
        assert last["response"]["output"][0]["content"][0]["text"] == "\u2028你好"
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS


class TestRefused:
    @pytest.mark.parametrize(
        ("members", "parameter"),
        [
            pytest.param({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input", id="an item by its id"),
            pytest.param(
                {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
                "input",
                id="a file that is kept",
            ),
            pytest.param({"tools": [{"type": "web_search"}]}, "tools", id="a tool that the provider runs"),
            pytest.param({"service_tier": "flex"}, "service_tier", id="a tier"),
            pytest.param({"Store": True}, "store", id="a look-alike"),
            pytest.param({"tomorrow": 1}, "tomorrow", id="an unknown member"),
            pytest.param({"include": ["message.output_text.logprobs"]}, "include", id="an output that there is not"),
            pytest.param({"text": {"verbosity": "low"}}, "text", id="a verbosity"),
            pytest.param({"reasoning": {"effort": ["low"]}}, "reasoning", id="an effort of a strange kind"),
            pytest.param(
                {"input": [{"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}]},
                "input",
                id="encrypted reasoning, which only its own provider can read",
            ),
            *[
                pytest.param({name: "x"}, name, id=name)
                for name in sorted(REFUSED_MEMBERS | set(RESTS_ON_WHAT_IS_KEPT))
            ],
        ],
    )
    async def test_what_is_kept_or_unpriced_or_without_a_word_is_refused_by_name(
        self, relay: RunningRelay, members: dict[str, Any], parameter: str
    ) -> None:
        answer = await ask(relay, **members)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["code"], error["param"]) == ("unsupported_parameter", parameter)
        assert not relay.upstream.exchanges

    @pytest.mark.parametrize(
        "members", [{"input": None}, {"input": 3}, {"max_output_tokens": 0}, {"max_output_tokens": 1.5}], ids=str
    )
    async def test_what_money_depends_on_has_to_be_readable(self, relay: RunningRelay, members: dict[str, Any]) -> None:
        assert (await ask(relay, **members)).json()["error"]["code"] == "invalid_request"

    async def test_no_answer_can_be_fetched_or_deleted_later(self, relay: RunningRelay) -> None:
        async with relay.client() as client:
            with pytest.raises(openai.NotFoundError, match="No answer is kept here"):
                await client.responses.retrieve("resp_1")
            with pytest.raises(openai.NotFoundError, match="No answer is kept here"):
                await client.responses.delete("resp_1")
