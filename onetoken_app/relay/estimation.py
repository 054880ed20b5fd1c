"""Counts tokens where a provider gave no figures. Such a charge is marked ``estimated``.

The rule: a quarter of the ASCII characters plus each other character is a token, four tokens a message, one at least
an event of output. It stands in this one place, to be replaced by tokenizers where a package ships one. Pictures and
sounds count nothing: nobody could prove more.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from onetoken_app.providers.protocol import ChatCounts, Dialect, ascii_count_of
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.open_call import Delivered

ASCII_CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
LEAST_OUTPUT_DIVISOR = 2
"""An output that was estimated is at least this part of it, whatever the tokenizer and language."""

_decoder = msgspec.json.Decoder()
_COUNTED_MEMBERS = {
    Dialect.CHAT: ("messages", "tools", "functions"),
    Dialect.RESPONSES: ("input", "instructions", "tools"),
    Dialect.MESSAGES: ("messages", "system", "tools"),
    Dialect.GEMINI: ("contents", "systemInstruction", "tools"),
}
_LISTS_OF_MESSAGES = ("contents", "input", "messages")
_NOT_TEXT = frozenset(
    {
        "audio",
        "cache_control",
        "file",
        "fileData",
        "file_data",
        "image_url",
        "inlineData",
        "inline_data",
        "input_audio",
        "role",
        "signature",
        "source",
        "thoughtSignature",
        "thought_signature",
        "type",
    }
)


def estimated_output(delivered: Delivered, *, tokens_max: int) -> int:
    """Estimate delivered output; never more than the hold provides for."""
    ascii_tokens = -(-delivered.ascii_characters // ASCII_CHARACTERS_PER_TOKEN)
    return min(tokens_max, max(ascii_tokens + delivered.other_characters, delivered.event_count))


def least_output(counts: ChatCounts) -> int:
    """Say how many tokens an output has at the very least, so that nobody is stopped whose provider kept the limit."""
    return (counts.ascii_characters // ASCII_CHARACTERS_PER_TOKEN + counts.other_characters) // LEAST_OUTPUT_DIVISOR


def estimated_input(request: CallRequest) -> int:
    """Estimate a request's input. For a large body this is work for a thread, as reading it was."""
    ascii_characters = other_characters = message_count = 0
    for name in _COUNTED_MEMBERS[request.dialect]:
        raw = request.members.get(name)
        value = _decoder.decode(raw) if raw is not None else None
        if name in _LISTS_OF_MESSAGES and isinstance(value, list):
            message_count = len(value)
        for text in _texts_of(value):
            ascii_count = ascii_count_of(text)
            ascii_characters += ascii_count
            other_characters += len(text) - ascii_count
    ascii_tokens = -(-ascii_characters // ASCII_CHARACTERS_PER_TOKEN)
    return ascii_tokens + other_characters + TOKENS_PER_MESSAGE * message_count


def _texts_of(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON value, without what is no text to a model."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(inner for name, inner in part.items() if name not in _NOT_TEXT)
