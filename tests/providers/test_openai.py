"""OpenAI's adapter: what goes upstream, and what is counted of what comes back."""

import json
from typing import Any

import msgspec
import pytest

from onetoken_app.providers.openai import OpenAiProvider
from onetoken_app.providers.protocol import CHOICES_MAX, ChatCounts, UnusableReply, UpstreamTarget
from onetoken_app.token_usage import TokenUsage

TARGET = UpstreamTarget(
    channel_id="chn_1",
    provider="openai",
    base_url="https://api.example.com/v1",
    credential="sk-secret",
    upstream_model="their-name",
    region="mainland",
    bills_after_hang_up=False,
)


def sent(*, is_streaming: bool = False, **members: Any) -> dict[str, Any]:
    """Return the body that goes upstream."""
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in members.items()}
    body: dict[str, Any] = json.loads(
        OpenAiProvider().request_for(TARGET, raw, is_streaming=is_streaming, headers={}).body
    )
    return body


def counted(*documents: Any) -> ChatCounts:
    """Read events; return what was counted."""
    counts = ChatCounts(tokens_max=1_000)
    for document in documents:
        OpenAiProvider().read_event(document if isinstance(document, bytes) else json.dumps(document).encode(), counts)
    return counts


def choice(index: int = 0, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    """Write one choice."""
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


class TestChatCounts:
    def test_choices_without_end_are_not_remembered(self) -> None:
        counts = counted(*[{"choices": [choice(number)]} for number in range(1_000)])
        assert len(counts._open_choices) == CHOICES_MAX
        assert not counts.has_finished


class TestChatRequest:
    def test_the_model_is_renamed_and_the_rest_stays(self) -> None:
        assert sent(model="mine", messages=[], logit_bias={"1": 2}) == {
            "model": "their-name", "messages": [], "logit_bias": {"1": 2}
        }  # fmt: skip

    def test_usage_is_always_asked_for_on_streams(self) -> None:
        assert sent(is_streaming=True)["stream_options"] == {"include_usage": True}
        asked = sent(is_streaming=True, stream_options={"include_usage": False, "include_obfuscation": False})
        assert asked["stream_options"] == {"include_usage": True, "include_obfuscation": False}
        assert sent(is_streaming=True, stream_options=None)["stream_options"] == {"include_usage": True}

    def test_stream_options_are_not_added_without_a_stream(self) -> None:
        assert "stream_options" not in sent(model="mine")

    def test_storing_is_switched_off_where_it_was_asked_for(self) -> None:
        assert sent(store=True)["store"] is False
        assert "store" not in sent(model="mine")

    def test_headers_are_our_own(self) -> None:
        request = OpenAiProvider().request_for(TARGET, {}, is_streaming=True, headers={})
        assert set(request.headers) == {"authorization", "content-type", "accept", "accept-encoding", "user-agent"}
        assert request.headers["authorization"] == "Bearer sk-secret"
        assert request.headers["accept-encoding"] == "identity"
        assert "sk-secret" not in repr(request) + repr(TARGET)


class TestCounting:
    def test_counts_every_kind_of_output_once(self) -> None:
        counts = counted(
            {"choices": [choice(content="abc")]},
            {"choices": [choice(reasoning_content="de", reasoning="de")]},
            {"choices": [choice(refusal="f")]},
            {"choices": [choice(tool_calls=[{"index": 0, "function": {"name": "gh", "arguments": "{}"}}])]},
            {"choices": [choice(content="你好!")]},
        )
        assert (counts.ascii_characters, counts.other_characters, counts.output_event_count) == (11, 2, 5)

    def test_an_empty_delta_is_no_output(self) -> None:
        assert counted({"choices": [choice(role="assistant", content="")]}).output_event_count == 0

    @pytest.mark.parametrize("choices", [None, []])
    def test_choices_may_be_missing_or_null(self, choices: Any) -> None:
        counts = counted({"choices": choices, "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
        assert counts.usage == TokenUsage(input=3, output=2)

    @pytest.mark.parametrize(
        ("delta", "characters"),
        [
            pytest.param({"tool_calls": [{"index": 0, "custom": {"input": "abc"}}]}, 3, id="a custom tool's input"),
            pytest.param({"reasoning_details": [{"type": "text", "text": "abc"}]}, 3, id="details of reasoning"),
            pytest.param({"thinking": "abc"}, 3, id="a name of tomorrow"),
            pytest.param({"audio": {"data": "AAAA"}}, 0, id="sound"),
            pytest.param({"images": [{"url": "data:..."}]}, 0, id="a picture"),
        ],
    )
    def test_no_output_passes_uncounted(self, delta: dict[str, Any], characters: int) -> None:
        counts = counted({"choices": [choice(**delta)]})
        assert (counts.ascii_characters, counts.output_event_count) == (characters, 1)

    @pytest.mark.parametrize("delta", [{"role": "assistant"}, {"role": "assistant", "padding": None}, {"content": ""}])
    def test_a_delta_without_output_is_none(self, delta: dict[str, Any]) -> None:
        assert counted({"choices": [choice(**delta)]}).output_event_count == 0

    def test_a_surrogate_pair_cut_in_two_is_counted(self) -> None:
        counts = counted(
            b'{"choices":[{"delta":{"content":"\\ud83d"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}'
        )
        assert (counts.other_characters, counts.usage) == (1, TokenUsage(input=1, output=2))

    def test_output_beside_an_error_is_not_counted(self) -> None:
        counts = counted({"choices": [choice(content="abc")], "error": {"message": "no"}})
        assert (counts.has_failed, counts.output_event_count) == (True, 0)

    @pytest.mark.parametrize("error", [None, False, 0, "", [], {}])
    def test_an_empty_error_is_none(self, error: object) -> None:
        assert not counted({"choices": [choice(content="abc")], "error": error}).has_failed

    def test_whole_numbers_may_be_written_with_a_point(self) -> None:
        raw = b'{"choices":[],"usage":{"prompt_tokens":5e0,"completion_tokens":2.0}}'
        assert counted(raw).usage == TokenUsage(input=5, output=2)

    def test_content_of_an_unfamiliar_shape_is_counted(self) -> None:
        counts = counted({"choices": [choice(content=[{"type": "text", "text": "abc"}])]})
        assert (counts.ascii_characters, counts.output_event_count) == (3, 1)

    def test_it_has_finished_when_every_open_choice_has(self) -> None:
        counts = counted(
            {"choices": [choice(0, content="a"), choice(1, content="b")]}, {"choices": [choice(0, "stop")]}
        )
        assert not counts.has_finished
        OpenAiProvider().read_event(json.dumps({"choices": [choice(1, "length")]}).encode(), counts)
        assert counts.has_finished

    def test_an_error_in_band_is_seen(self) -> None:
        assert counted({"error": {"message": "boom"}}).has_failed
        assert not counted({"error": None, "choices": []}).has_failed

    @pytest.mark.parametrize("garbage", [b"{", b"[]", b"hello", b'{"choices":[{"delta":{"content":"\xff"}}]}', b"1"])
    def test_garbage_is_refused_without_its_text(self, garbage: bytes) -> None:
        with pytest.raises(UnusableReply) as caught:
            counted(garbage)
        assert "hello" not in str(caught.value)

    def test_a_plain_reply_needs_choices(self) -> None:
        with pytest.raises(UnusableReply):
            OpenAiProvider().read_reply(b'{"object":"list"}', ChatCounts(tokens_max=1))


class TestUsage:
    @pytest.mark.parametrize(
        ("figures", "usage"),
        [
            pytest.param({}, TokenUsage(input=100, output=50), id="no details"),
            pytest.param(
                {"prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}},
                TokenUsage(input=10, cache_read=60, cache_write_5m=30, output=50),
                id="the prompt includes cached ones",
            ),
            pytest.param(
                {"prompt_tokens_details": {"cached_tokens": 90, "cache_write_tokens": 90}},
                TokenUsage(input=0, cache_read=90, cache_write_5m=10, output=50),
                id="parts never exceed the whole",
            ),
            pytest.param(
                {"completion_tokens_details": {"reasoning_tokens": 20}},
                TokenUsage(input=100, output=50, reasoning=20),
                id="the completion includes reasoning",
            ),
            pytest.param(
                {"prompt_tokens_details": {"audio_tokens": 30, "image_tokens": 20, "text_tokens": 50}},
                TokenUsage(input=50, audio_in=30, image_in=20, output=50),
                id="the prompt includes sounds and pictures",
            ),
            pytest.param(
                {"completion_tokens_details": {"audio_tokens": 30, "image_tokens": 5, "reasoning_tokens": 20}},
                TokenUsage(input=100, output=15, reasoning=15, audio_out=30, image_out=5),
                id="the completion includes sounds and pictures",
            ),
            pytest.param(
                {"prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 70, "image_tokens": 20}},
                TokenUsage(input=10, cache_read=60, audio_in=10, image_in=20, output=50),
                id="cached ones are taken for the dearer ones where nothing is said",
            ),
            pytest.param(
                {
                    "prompt_tokens_details": {
                        "cached_tokens": 60,
                        "audio_tokens": 40,
                        "cached_tokens_details": {"text_tokens": 50, "audio_tokens": 10},
                    }
                },
                TokenUsage(input=10, cache_read=60, audio_in=30, output=50),
                id="cached ones are what the provider says",
            ),
            pytest.param(
                {"prompt_tokens_details": {"audio_tokens": 10**400, "image_tokens": 10**9}},
                TokenUsage(input=0, audio_in=100, output=50),
                id="sounds and pictures never exceed the whole",
            ),
            pytest.param(
                {"prompt_tokens_details": None, "completion_tokens_details": None},
                TokenUsage(input=100, output=50),
                id="details may be null",
            ),
        ],
    )
    def test_is_split_into_disjoint_counts(self, figures: dict[str, Any], usage: TokenUsage) -> None:
        document = {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50, **figures}}
        assert counted(document).usage == usage

    @pytest.mark.parametrize("detail", ["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"])
    @pytest.mark.parametrize("figure", [-1, -(10**18), 1.5, "3", True])
    def test_hostile_details_are_no_figures(self, detail: str, figure: object) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {detail: figure}}
        counts = counted({"choices": [], "usage": usage})
        assert (counts.usage, counts.has_absurd_usage) == (None, True)

    @pytest.mark.parametrize("member", ["prompt_tokens", "completion_tokens"])
    @pytest.mark.parametrize("figure", [-1, 2**63, 10**12 + 1, 10**400, None, "5", True])
    def test_hostile_figures_are_no_figures(self, member: str, figure: object) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 5, member: figure}
        counts = counted({"choices": [], "usage": usage})
        assert (counts.usage, counts.has_absurd_usage) == (None, True)

    @pytest.mark.parametrize(
        "usage",
        [
            pytest.param(TokenUsage(audio_in=1_001), id="more sounds than the window holds"),
            pytest.param(TokenUsage(audio_out=1_001), id="more generated sound than an answer holds"),
            pytest.param(TokenUsage(images=10_001), id="pictures"),
            pytest.param(TokenUsage(web_searches=9_000, tool_calls=1_001), id="calls of tools"),
            pytest.param(TokenUsage(audio_ms=86_400_001), id="more than a day of sound"),
            pytest.param(TokenUsage(requests=2), id="more than one request"),
        ],
    )
    def test_absurd_counts_of_every_kind_are_not_believed(self, usage: TokenUsage) -> None:
        counts = ChatCounts(tokens_max=1_000)
        counts.note_usage(usage)
        assert (counts.usage, counts.has_absurd_usage) == (None, True)

    def test_null_is_missing_and_zero_is_zero(self) -> None:
        assert counted({"choices": [], "usage": None}).usage is None
        zero = counted({"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}})
        assert zero.usage == TokenUsage()

    def test_absurd_figures_are_flagged_and_do_not_replace_good_ones(self) -> None:
        good = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        counts = counted(good, {"choices": [], "usage": {"prompt_tokens": 1_001, "completion_tokens": 1}})
        assert counts.usage == TokenUsage(input=1, output=1)
        assert counts.has_absurd_usage
