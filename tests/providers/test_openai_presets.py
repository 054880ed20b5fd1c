"""Vendors that speak Chat Completions in their own way: what goes to them, and what is counted of their answers."""

import json
from typing import Any

import msgspec
import pytest

from onetoken_app.conversation.answered import Finished, ReasoningPiece, StopReason, TextPiece
from onetoken_app.providers.openai import OpenAiProvider
from onetoken_app.providers.openai_presets import OPENAI, PRESETS
from onetoken_app.providers.protocol import ChatCounts
from onetoken_app.providers.registry import PROVIDERS, usual_base_url
from onetoken_app.token_usage import TokenUsage
from tests.providers.test_openai import TARGET, choice


def sent_to(name: str, *, is_streaming: bool = False, **members: Any) -> dict[str, Any]:
    """Return the body that goes to a vendor."""
    raw = {member: msgspec.Raw(json.dumps(value).encode()) for member, value in members.items()}
    request = PROVIDERS[name].request_for(TARGET, raw, is_streaming=is_streaming, headers={})
    body: dict[str, Any] = json.loads(request.body)
    del body["model"]
    return body


def counted_of(name: str, *documents: dict[str, Any]) -> ChatCounts:
    """Read a vendor's events; return what was counted."""
    counts = ChatCounts(tokens_max=100_000)
    for document in documents:
        PROVIDERS[name].read_event(json.dumps(document).encode(), counts)
    return counts


class TestRequests:
    @pytest.mark.parametrize("name", ["deepseek", "llamacpp", "ollama", "mistral"])
    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            pytest.param({"max_completion_tokens": 5}, {"max_tokens": 5}, id="the newer name"),
            pytest.param({"max_tokens": 6}, {"max_tokens": 6}, id="the older name"),
            pytest.param({"max_completion_tokens": 5, "max_tokens": 6}, {"max_tokens": 5}, id="both"),
            pytest.param({"max_completion_tokens": None, "max_tokens": 6}, {"max_tokens": 6}, id="one of them is null"),
            pytest.param({}, {}, id="none"),
        ],
    )
    def test_a_limit_that_would_be_ignored_gets_the_name_that_is_heeded(
        self, name: str, given: dict[str, Any], sent: dict[str, Any]
    ) -> None:
        assert sent_to(name, **given) == sent

    def test_volcengine_is_told_the_limit_that_bounds_the_reasoning_too(self) -> None:
        assert sent_to("volcengine", max_tokens=6) == {"max_completion_tokens": 6}

    def test_mistral_gets_no_member_that_it_refuses(self) -> None:
        assert sent_to("mistral", is_streaming=True, store=True, tools=[], stream_options={"include_usage": True}) == {}

    @pytest.mark.parametrize("name", sorted(PRESETS.keys() - {"mistral"}))
    def test_all_others_are_asked_for_usage_and_store_nothing(self, name: str) -> None:
        assert sent_to(name, is_streaming=True, store=True) == {
            "store": False, "stream_options": {"include_usage": True},
        }  # fmt: skip

    def test_tools_stay_where_there_are_some(self) -> None:
        assert sent_to("dashscope", tools=[{"type": "function"}]) == {"tools": [{"type": "function"}]}
        assert sent_to("dashscope", tools=[]) == {}
        assert sent_to("openai", tools=[]) == {"tools": []}


class TestUsage:
    def test_deepseek_says_at_the_top_what_was_cached(self) -> None:
        usage = {
            "prompt_tokens": 100, "completion_tokens": 7, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36
        }  # fmt: skip
        assert counted_of("deepseek", {"choices": [], "usage": usage}).usage == TokenUsage(
            input=36, cache_read=64, output=7
        )

    def test_the_usual_place_goes_before_a_vendors_own(self) -> None:
        usage = {
            "prompt_tokens": 100, "completion_tokens": 7, "cached_tokens": 64,
            "prompt_tokens_details": {"cached_tokens": 60},
        }  # fmt: skip
        seen = counted_of("moonshot", {"choices": [], "usage": usage}).usage
        assert seen == TokenUsage(input=40, cache_read=60, output=7)

    def test_moonshot_may_say_it_within_a_choice(self) -> None:
        last = {
            **choice(finish_reason="stop"),
            "usage": {"prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": 3},
        }
        counts = counted_of("moonshot", {"choices": [choice(content="abc")]}, {"choices": [last]})
        assert (counts.usage, counts.is_usage_latest) == (TokenUsage(input=6, cache_read=3, output=4), True)

    def test_moonshot_may_say_it_beside_a_shape_of_tomorrow(self) -> None:
        last = {**choice(tomorrow="abc", finish_reason="stop"), "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
        counts = counted_of("moonshot", {"choices": [last]})
        assert (counts.usage, counts.ascii_characters) == (TokenUsage(input=9, output=4), 3)

    @pytest.mark.parametrize(
        ("total", "output"),
        [
            pytest.param(14_428, 4_308, id="beside the completion, as its total says"),
            pytest.param(None, 4_308, id="no total"),
            pytest.param(11_619, 1_499, id="within the completion, as its total says"),
        ],
    )
    def test_xai_counts_reasoning_apart(self, total: int | None, output: int) -> None:
        usage = {
            "prompt_tokens": 10_120, "completion_tokens": 1_499, "total_tokens": total,
            "prompt_tokens_details": {"cached_tokens": 128},
            "completion_tokens_details": {"reasoning_tokens": 2_809},
        }  # fmt: skip
        seen = counted_of("xai", {"choices": [], "usage": usage}).usage
        assert seen is not None
        assert (seen.input, seen.cache_read, seen.output_total) == (9_992, 128, output)

    def test_openai_counts_reasoning_within(self) -> None:
        usage = {
            "prompt_tokens": 1, "completion_tokens": 10, "total_tokens": 11,
            "completion_tokens_details": {"reasoning_tokens": 4},
        }  # fmt: skip
        seen = counted_of("openai", {"choices": [], "usage": usage}).usage
        assert seen is not None
        assert (seen.output_total, seen.reasoning) == (10, 4)

    def test_negative_reasoning_is_not_believed(self) -> None:
        usage = {
            "prompt_tokens": 1, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": -4}
        }  # fmt: skip
        assert counted_of("xai", {"choices": [], "usage": usage}).has_absurd_usage

    def test_a_place_kept_free_for_figures_says_nothing(self) -> None:
        free = {"total_tokens": 0, "total_characters": 0}
        counts = counted_of("minimax", {"choices": [choice(role="", content="abc")], "usage": free})
        assert (counts.usage, counts.has_absurd_usage) == (None, False)
        counts = counted_of("minimax", {"choices": [], "usage": {"total_tokens": 8}})
        assert counts.has_absurd_usage


class TestEnds:
    @pytest.mark.parametrize(
        ("name", "reason"),
        [("deepseek", "insufficient_system_resource"), ("zhipu", "network_error"), ("openrouter", "error")],
    )
    def test_an_end_that_means_a_failure_is_one(self, name: str, reason: str) -> None:
        assert counted_of(name, {"choices": [choice(finish_reason=reason)]}).has_failed
        assert counted_of(name, {"choices": [choice(finish_reason=reason, tomorrow="x")]}).has_failed
        assert not counted_of(name, {"choices": [choice(finish_reason="stop")]}).has_failed

    def test_minimax_says_in_the_body_that_it_failed(self) -> None:
        failed = {"choices": None, "base_resp": {"status_code": 1004, "status_msg": "words of theirs"}}
        assert counted_of("minimax", failed).has_failed
        assert not counted_of("minimax", {"choices": [choice(content="a")], "base_resp": {"status_code": 0}}).has_failed
        assert not counted_of("openai", failed).has_failed

    def test_an_empty_reason_is_no_end(self) -> None:
        counts = counted_of("ollama", {"choices": [choice(content="a", finish_reason="")]})
        assert not counts.has_finished
        assert PROVIDERS["ollama"].reader().event(
            json.dumps({"choices": [choice(content="a", finish_reason="")]}).encode()
        ) == [TextPiece("a")]

    @pytest.mark.parametrize(
        ("reason", "means"), [("sensitive", StopReason.REFUSED), ("model_length", StopReason.LENGTH)]
    )
    def test_ends_with_names_of_their_own_are_understood(self, reason: str, means: StopReason) -> None:
        event = json.dumps({"choices": [choice(finish_reason=reason)]}).encode()
        assert PROVIDERS["zhipu"].reader().event(event) == [Finished(means)]


class TestContent:
    def test_what_mistral_thought_and_said_comes_as_a_list(self) -> None:
        said = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "yes"},
        ]
        document = {"choices": [choice(content=said)]}
        counts = counted_of("mistral", document)
        assert (counts.ascii_characters, counts.output_event_count) == (5, 1)
        events = PROVIDERS["mistral"].reader().event(json.dumps(document).encode())
        assert events == [ReasoningPiece("hm"), TextPiece("yes")]


class TestRegistry:
    def test_every_preset_is_a_provider_and_openai_is_the_plain_one(self) -> None:
        assert PRESETS.keys() <= PROVIDERS.keys()
        assert OpenAiProvider()._preset is OPENAI

    @pytest.mark.parametrize("name", sorted(PRESETS))
    def test_an_address_is_one_that_a_channel_may_have(self, name: str) -> None:
        assert PRESETS[name].base_url == usual_base_url(name)
        assert usual_base_url(name).startswith("https://") or name in {"vllm", "llamacpp", "ollama"}
        assert not usual_base_url(name).endswith("/")

    def test_only_the_operator_knows_where_others_are(self) -> None:
        assert usual_base_url("nobody") == ""
