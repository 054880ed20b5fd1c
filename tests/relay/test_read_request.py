"""Reading a request: what money depends on is checked, everything else passes."""

import json
from typing import Any

import pytest

from onetoken_app.errors import BadRequest
from onetoken_app.providers.protocol import UnusableReply
from onetoken_app.relay.dialects.openai_chat import read_request, shaped_chunk, shaped_reply
from onetoken_app.relay.dialects.openai_chat_members import REFUSED_MEMBERS
from onetoken_app.relay.errors import UnsupportedParameter
from onetoken_app.relay.json_bounds import JSON_VALUES_MAX, check_bounds

MESSAGES = b'"messages":[{"role":"user","content":"hi"}]'


@pytest.mark.row("A18")
class TestReadRequest:
    @pytest.mark.parametrize(
        ("body", "parameter"),
        [
            pytest.param(b"{not json", None, id="malformed"),
            pytest.param(b"[]", None, id="no object"),
            pytest.param(b"", None, id="empty"),
            pytest.param(b'{"model":"mock"}', "messages", id="no messages"),
            pytest.param(b'{"model":"mock","messages":"hi"}', "messages", id="messages are no list"),
            pytest.param(b'{"messages":[]}', "model", id="no model"),
            pytest.param(b'{"model":7,"messages":[]}', "model", id="model is no text"),
            pytest.param(b'{"model":"mock","messages":[],"stream":"yes"}', "stream", id="stream is no flag"),
            pytest.param(
                b'{"model":"mock","messages":[],"stream":true,"stream_options":[]}', "stream_options", id="bad options"
            ),
            pytest.param(b'{"model":"mock","messages":' + b"[" * 100 + b"]" * 100 + b"}", None, id="100 deep"),
            pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, None, id="100 000 deep"),
        ],
    )
    def test_refuses_what_cannot_be_used(self, body: bytes, parameter: str | None) -> None:
        with pytest.raises(BadRequest) as caught:
            read_request(body)
        assert caught.value.parameter == parameter

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(b"1e999", id="a number beyond any double"),
            pytest.param(b"-1e999", id="a negative one"),
            pytest.param(b"1" * 5_000, id="five thousand digits"),
            pytest.param(b'"\xff"', id="a byte that is no UTF-8"),
            pytest.param(b'"\\ud83d"', id="half of a surrogate pair"),
        ],
    )
    @pytest.mark.parametrize(
        "body",
        [
            b'{"model":"mock","messages":[{"role":"user","content":%s}]}',
            b'{"model":"mock","messages":[],"tools":[{"function":{"parameters":{"maximum":%s}}}]}',
            b'{"model":"mock","messages":[],"metadata":{"x":[%s]}}',
        ],
        ids=["in a message", "in a tool", "in a member that is passed on"],
    )
    def test_refuses_values_that_nobody_could_read_later(self, body: bytes, value: bytes) -> None:
        with pytest.raises(BadRequest):
            read_request(body % value)

    @pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "n"])
    @pytest.mark.parametrize("value", ["0", "-1", "true", "1.5", '"5"', "1e3", "1" * 31, "-9223372036854775808", "[1]"])
    def test_refuses_hostile_numbers(self, name: str, value: str) -> None:
        with pytest.raises(BadRequest) as caught:
            read_request(b'{"model":"mock",%s,"%s":%s}' % (MESSAGES, name.encode(), value.encode()))
        assert caught.value.parameter == name

    def test_either_limit_counts_and_null_is_no_limit(self) -> None:
        for limit in (b'"max_tokens":5', b'"max_completion_tokens":5', b'"max_tokens":5,"max_completion_tokens":5'):
            assert read_request(b'{"model":"mock",%s,%s}' % (MESSAGES, limit)).output_tokens_max == 5
        assert read_request(b'{"model":"mock",%s,"max_tokens":null,"n":null}' % MESSAGES).output_tokens_max is None

    def test_two_different_limits_are_refused(self) -> None:
        with pytest.raises(BadRequest) as caught:
            read_request(b'{"model":"mock",%s,"max_tokens":5,"max_completion_tokens":7}' % MESSAGES)
        assert caught.value.parameter == "max_tokens"

    @pytest.mark.parametrize(
        ("member", "parameter"),
        [
            *(pytest.param(f'"{name}":1', name, id=name) for name in sorted(REFUSED_MEMBERS)),
            pytest.param('"service_tier":"priority"', "service_tier", id="a dearer tier"),
            pytest.param('"modalities":["text","audio"]', "modalities", id="sound"),
            pytest.param('"tools":[{"type":"web_search"}]', "tools", id="a tool that the provider runs"),
            pytest.param('"MODEL":"dear"', "model", id="a second model in capitals"),
            pytest.param('"Max_Tokens":9', "max_tokens", id="a second limit in capitals"),
            pytest.param('"\u017ftream":true', "stream", id="a letter that folds to s"),
            pytest.param('"stream":true,"stream_options":{"Include_Usage":false}', "include_usage", id="in an option"),
        ],
    )
    def test_refuses_what_no_price_covers(self, member: str, parameter: str) -> None:
        with pytest.raises(UnsupportedParameter) as caught:
            read_request(b'{"model":"mock",%s,%s}' % (MESSAGES, member.encode()))
        assert caught.value.parameter == parameter

    @pytest.mark.parametrize(
        "member",
        [
            '"service_tier":"auto"', '"modalities":["text"]', '"audio":null', '"tools":[{"type":"function"}]',
            '"enable_search":false',
            '"tools":[{"type":"custom"}]', '"Tomorrow":1', '"topP":1',
        ],
    )  # fmt: skip
    def test_what_costs_nothing_more_passes(self, member: str) -> None:
        read_request(b'{"model":"mock",%s,%s}' % (MESSAGES, member.encode()))

    def test_of_duplicate_members_the_last_is_used_and_sent(self) -> None:
        request = read_request(b'{"model":"a","model":"mock",%s,"max_tokens":1,"max_tokens":9}' % MESSAGES)
        assert (request.model_name, request.output_tokens_max) == ("mock", 9)
        assert bytes(request.members["max_tokens"]) == b"9"

    def test_it_shows_nothing_of_the_content(self) -> None:
        assert "hi" not in repr(read_request(b'{"model":"mock",%s}' % MESSAGES))


class TestCheckBounds:
    def test_brackets_within_strings_do_not_count(self) -> None:
        check_bounds(json.dumps({"a": "[{" * 1_000, "b": '\\"[[[' * 100, "c": "\\"}).encode())

    def test_many_siblings_are_not_deep(self) -> None:
        check_bounds(json.dumps([{"a": [1, {}]} for _ in range(10_000)]).encode())

    def test_64_levels_are_fine_and_65_are_not(self) -> None:
        check_bounds(b"[" * 64 + b"]" * 64 + b",[]")
        with pytest.raises(BadRequest):
            check_bounds(b"[" * 65 + b"]" * 65)

    @pytest.mark.parametrize("piece", [b"{}", b'""', b"1", b"[]"])
    def test_too_many_values_are_refused_whatever_they_are(self, piece: bytes) -> None:
        check_bounds(b"[" + piece + (b"," + piece) * (JSON_VALUES_MAX // 2 - 2) + b"]")
        with pytest.raises(BadRequest):
            check_bounds(b"[" + piece + (b"," + piece) * (JSON_VALUES_MAX + 1) + b"]")

    def test_a_long_text_full_of_commas_and_quotes_is_one_value(self) -> None:
        check_bounds(json.dumps({"a": 'x,"y",[' * JSON_VALUES_MAX}).encode())


CHUNK = (
    b'{"id":"c","model":"upstream-name","choices":[{"index":0,"delta":'
    b'{"content":"a \\"usage\\" b"}}],"usage":null,"x":1}'
)


class TestHasMedia:
    @pytest.mark.parametrize(
        ("message", "has_media"),
        [
            pytest.param({"content": "hi"}, False, id="a text"),
            pytest.param({"content": None, "tool_calls": []}, False, id="no content"),
            pytest.param({"content": [{"type": "text", "text": "hi"}]}, False, id="a text in parts"),
            pytest.param({"content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}, True, id="a link"),
            pytest.param({"content": [{"type": "file", "file": {"file_id": "f"}}]}, True, id="a file"),
            pytest.param({"content": [{"type": ["text"]}]}, True, id="a kind that is none"),
            pytest.param({"content": None, "audio": {"id": "audio_1"}}, True, id="a sound of an earlier answer"),
            pytest.param("hi", False, id="no message"),
        ],
    )
    def test_anything_but_text_is_seen(self, message: object, *, has_media: bool) -> None:
        body = json.dumps({"model": "mock", "messages": [{"content": "hi"}, message]}).encode()
        assert read_request(body).has_media is has_media


class TestShapedChunk:
    def test_bytes_pass_unchanged_where_nothing_differs(self) -> None:
        assert shaped_chunk(CHUNK, model_name=None, wants_usage=True) is CHUNK

    def test_only_the_models_name_is_changed(self) -> None:
        shaped = shaped_chunk(CHUNK, model_name="mock", wants_usage=True)
        assert shaped is not None
        assert json.loads(shaped) == {**json.loads(CHUNK), "model": "mock"}

    def test_null_usage_is_left_out_when_it_was_not_asked_for(self) -> None:
        shaped = shaped_chunk(CHUNK, model_name=None, wants_usage=False)
        assert shaped is not None
        assert "usage" not in json.loads(shaped)

    @pytest.mark.parametrize("choices", ["[]", "null", "[ ]"])
    def test_the_chunk_that_only_carries_usage_is_left_out(self, choices: str) -> None:
        payload = b'{"choices":%s,"usage":{"prompt_tokens":1}}' % choices.encode()
        assert shaped_chunk(payload, model_name=None, wants_usage=False) is None
        assert shaped_chunk(payload, model_name=None, wants_usage=True) is payload

    def test_usage_on_the_finish_chunk_leaves_the_chunk(self) -> None:
        payload = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}'
        shaped = shaped_chunk(payload, model_name=None, wants_usage=False)
        assert shaped is not None
        assert json.loads(shaped) == {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}

    @pytest.mark.parametrize("payload", [b"{garbage", b"[]", b'"usage"', b'{"usage":', b"\xff"])
    def test_what_is_no_chunk_is_the_providers_fault_and_not_the_callers(self, payload: bytes) -> None:
        with pytest.raises(UnusableReply):
            shaped_chunk(payload, model_name="mock", wants_usage=False)


class TestShapedReply:
    def test_unknown_members_are_kept(self) -> None:
        reply: dict[str, Any] = {"model": "upstream-name", "choices": [], "reasoning": {"a": [1.0]}, "usage": {}}
        assert json.loads(shaped_reply(json.dumps(reply).encode(), model_name="mock")) == {**reply, "model": "mock"}
