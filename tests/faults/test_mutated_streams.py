"""Streams of three dialects, broken at random in all ways that bytes can be, read and shown in every dialect.

The event with the figures stays as it is and stands alone: who gets that far is charged by it, whatever came before.
"""

import json
import random
from typing import Any

import pytest

from onetoken_app.providers.event_stream import EventReader
from onetoken_app.providers.protocol import ChatCounts, Dialect, UnusableReply
from onetoken_app.providers.registry import PROVIDERS
from onetoken_app.relay.dialects.anthropic_messages import PassedOnMessages
from onetoken_app.relay.dialects.gemini import Framing, PassedOnGemini
from onetoken_app.relay.dialects.openai_chat import PassedOnChat
from tests.relay.test_garbled_answers import EVENTS, answers_for
from tests.support.scripted_gemini import GEMINI_USAGE, generated
from tests.support.scripted_messages import MESSAGE_USAGE
from tests.support.scripted_upstream import USUAL_USAGE, usage_chunk

STREAMS = 100_000
TOKENS_MAX = 1_000
LAST: dict[str, Any] = {
    "openai": usage_chunk(USUAL_USAGE),
    "anthropic": {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": MESSAGE_USAGE},
    "gemini": generated([{"text": "."}], usage=GEMINI_USAGE),
}
OUTPUT_TOKENS = 5
"""What the last event of each states."""


def broken(stream: bytes, chance: random.Random) -> bytes:
    """Break a stream in one to four places."""
    mutated = bytearray(stream)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(mutated) + 1)
        length = chance.randint(1, 40)
        kind = chance.randrange(5)
        if kind == 0:
            mutated[place : place + 1] = chance.randbytes(1)
        elif kind == 1:
            del mutated[place : place + length]
        elif kind == 2:
            mutated[place:place] = mutated[place : place + length]
        elif kind == 3:
            mutated[place:place] = chance.choice(STRANGE)
        else:
            del mutated[place:]
    return bytes(mutated)


STRANGE = [
    b"\r\n",
    b"\r",
    b"\n\n",
    b"\xe2\x80\xa8",
    b"\xff",
    b"\xed\xa0\x80",
    b"null",
    b'"',
    b"{",
    b"}",
    b"1e999",
    b"-1",
    b"data:",
]


def pieces_of(stream: bytes, chance: random.Random) -> list[bytes]:
    """Cut a stream as a network does."""
    pieces = []
    while stream:
        length = chance.choice([1, 7, 64, 1_500])
        pieces.append(stream[:length])
        stream = stream[length:]
    return pieces


def stream_of(name: str) -> bytes:
    """Write a provider's stream up to its figures."""
    payloads = [json.dumps(event).encode() for event in EVENTS[name]]
    return b"".join(b"data: " + one + b"\n\n" for one in payloads if not PROVIDERS[name].is_end(one))


def passed_on(name: str) -> Any:
    """Return what shows a stream to callers of its own dialect."""
    if name == "openai":
        return PassedOnChat(model_name="mock", wants_usage=True)
    if name == "gemini":
        return PassedOnGemini(model_name="mock", framing=Framing(is_array=True, request_id="req_1"))
    return PassedOnMessages(model_name="mock")


def read(name: str, stream: bytes, chance: random.Random) -> ChatCounts | None:
    """Read a stream as the relay does; ``None``: it was given up."""
    provider, counts = PROVIDERS[name], ChatCounts(tokens_max=TOKENS_MAX)
    events, own = EventReader(), passed_on(name)
    reader, answer = provider.reader(), chance.choice(answers_for(provider))
    try:
        for piece in pieces_of(stream, chance):
            for payload in events.feed(piece):
                if provider.is_end(payload):
                    return None
                own.event(payload)
                answer.events(reader.event(payload))
                provider.read_event(payload, counts)
                if counts.has_failed:
                    return None
    except UnusableReply:
        return None
    answer.end(counts.usage)
    return counts


@pytest.mark.row("D3")
@pytest.mark.long
@pytest.mark.very_long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
class TestMutatedStreams:
    def test_none_falls_over_and_figures_that_came_whole_count(self, name: str) -> None:
        chance, whole, whole_count = random.Random(20_261_127), stream_of(name), 0
        last = b"\n\ndata: " + json.dumps(LAST[name]).encode() + b"\n\n"
        for _ in range(STREAMS // 3 + 1):
            counts = read(name, broken(whole, chance) + last, chance)
            if counts is None:
                continue
            whole_count += 1
            assert counts.usage is not None
            assert counts.usage.output_total == OUTPUT_TOKENS
            assert 0 <= counts.usage.input_total <= TOKENS_MAX
        assert whole_count > STREAMS // 60, "hardly any stream was read to its end"

    def test_one_that_is_whole_is_read_to_its_end(self, name: str) -> None:
        chance = random.Random(1)
        last = b"data: " + json.dumps(LAST[name]).encode() + b"\n\n"
        counts = read(name, stream_of(name) + last, chance)
        assert counts is not None
        assert counts.usage is not None
        assert counts.usage.output_total == OUTPUT_TOKENS

    def test_everything_was_tried_in_every_dialect(self, name: str) -> None:
        shown = {type(answer).__name__ for answer in answers_for(PROVIDERS[name])}
        assert len(shown) == len(Dialect) - 1
