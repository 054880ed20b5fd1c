"""Answers that no provider should give, translated: whatever comes, it is told or refused, and nothing falls over."""

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onetoken_app.providers.event_stream import EventReader
from onetoken_app.providers.protocol import ChatCounts, Dialect, Provider, UnusableReply
from onetoken_app.providers.registry import PROVIDERS
from onetoken_app.relay.dialects.anthropic_messages import PassedOnMessages
from onetoken_app.relay.dialects.anthropic_messages_answer import MessagesAnswer
from onetoken_app.relay.dialects.gemini import Framing, PassedOnGemini
from onetoken_app.relay.dialects.gemini_answer import GeminiAnswer
from onetoken_app.relay.dialects.openai_chat import PassedOnChat
from onetoken_app.relay.dialects.openai_chat_answer import ChatAnswer
from tests.relay.test_translate import SPOKEN, interleaved_calls
from tests.support.scripted_gemini import BARE_CALL, CALL, THOUGHT, generated
from tests.support.scripted_messages import message, message_events
from tests.support.scripted_upstream import completion

GENERATED = [THOUGHT, {"text": "hello\u2028there"}, CALL, BARE_CALL]
STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 2.5, 10**30, "", "x\ud83d", "\u2028\n", [], {}, [{}], {"type": "tool_use"}]
)
EVENTS = {
    "openai": [event for event in interleaved_calls() if isinstance(event, dict)],
    "anthropic": message_events(SPOKEN),
    "gemini": [generated([part], finish=None) for part in GENERATED] + [generated()],
}
PLAIN = {"openai": completion(), "anthropic": message(SPOKEN), "gemini": generated(GENERATED)}


def spoilt(document: Any, draw: Any) -> Any:
    """Return a document in which one value anywhere is another."""
    whole = copy.deepcopy(document)
    places = list(places_in(whole))
    holder, name = draw(st.sampled_from(places))
    holder[name] = draw(STRANGE)
    return whole


def places_in(value: Any) -> Any:
    """Yield every place of a document that holds a value."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, name
        if isinstance(inner, dict | list):
            yield from places_in(inner)


def answers_for(provider: Provider) -> list[MessagesAnswer | ChatAnswer | GeminiAnswer]:
    """Return what writes the answer of a provider in other dialects."""
    framing = Framing(is_array=False, request_id="req_1")
    every: dict[Dialect, MessagesAnswer | ChatAnswer | GeminiAnswer] = {
        Dialect.MESSAGES: MessagesAnswer(request_id="req_1", model_name="mock"),
        Dialect.CHAT: ChatAnswer(request_id="req_1", model_name="mock", created_seconds=1, wants_usage=True),
        Dialect.GEMINI: GeminiAnswer(request_id="req_1", model_name="mock", framing=framing),
    }
    return [answer for dialect, answer in every.items() if dialect is not provider.dialect]


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
class TestGarbled:
    @given(chosen=st.data())
    def test_a_stream_out_of_order_and_out_of_shape(self, name: str, chosen: Any) -> None:
        provider, counts = PROVIDERS[name], ChatCounts(tokens_max=1_000)
        reader, answer = provider.reader(), chosen.draw(st.sampled_from(answers_for(provider)))
        events = chosen.draw(st.lists(st.sampled_from(EVENTS[name]), max_size=12))
        written = answer.opening()
        for event in events:
            payload = json.dumps(spoilt(event, chosen.draw) if chosen.draw(st.booleans()) else event).encode()
            assert provider.is_end(payload) in {True, False}
            try:
                written += answer.events(reader.event(payload))
                provider.read_event(payload, counts)
                if name == "anthropic":
                    PassedOnMessages(model_name="mock").event(payload)
                if name == "gemini":
                    PassedOnGemini(model_name="mock", framing=Framing(is_array=True, request_id="r")).event(payload)
            except UnusableReply:
                break
        written += answer.end(counts.usage)
        stream = EventReader()
        shown = [json.loads(one) for one in stream.feed(written) if one != b"[DONE]"]
        if isinstance(answer, MessagesAnswer):
            self._check_blocks(shown)

    @staticmethod
    def _check_blocks(shown: list[dict[str, Any]]) -> None:
        """Check that blocks do not overlap, and that every piece lies within its own."""
        open_index, count = None, 0
        for event in shown:
            if event["type"] == "content_block_start":
                assert open_index is None
                assert event["index"] == count
                open_index, count = count, count + 1
            elif event["type"] == "content_block_delta":
                assert event["index"] == open_index
            elif event["type"] == "content_block_stop":
                assert event["index"] == open_index
                open_index = None
        assert open_index is None
        assert [event["type"] for event in shown][-2:] == ["message_delta", "message_stop"]

    @given(chosen=st.data())
    def test_a_plain_reply_out_of_shape(self, name: str, chosen: Any) -> None:
        provider, counts = PROVIDERS[name], ChatCounts(tokens_max=1_000)
        body = json.dumps(spoilt(PLAIN[name], chosen.draw)).encode()
        try:
            provider.read_reply(body, counts)
            for answer in answers_for(provider):
                with suppress(UnusableReply):
                    answer.plain(provider.reader().plain(body), counts.usage)
        except UnusableReply:
            pass


class TestNames:
    def test_half_a_surrogate_pair_in_a_members_name_is_passed_on(self) -> None:
        payload = b'{"model":"theirs","x\\ud83d":1,"choices":[]}'
        shown = PassedOnChat(model_name="mock", wants_usage=True).event(payload)
        assert shown == b'data: {"model":"mock","x\\ud83d":1,"choices":[]}\n\n'
