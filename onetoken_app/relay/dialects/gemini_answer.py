"""Writes the neutral events of an answer as Gemini's answers, plain or as a stream. Calls of tools come whole."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from onetoken_app.conversation.answered import (
    AnswerEvent,
    ArgumentsPiece,
    Finished,
    ReasoningPiece,
    StopReason,
    ToolCallBegun,
)
from onetoken_app.providers.documents import encoded
from onetoken_app.providers.protocol import UnusableReply
from onetoken_app.relay.dialects.gemini import Framing
from onetoken_app.token_usage import TokenUsage

_REASONS = {
    StopReason.END: "STOP",
    StopReason.LENGTH: "MAX_TOKENS",
    StopReason.TOOLS: "STOP",
    StopReason.REFUSED: "SAFETY",
}
_decoder = msgspec.json.Decoder()


class _Call:
    """A call of a tool, as far as it has come."""

    __slots__ = ("id", "name", "pieces")

    def __init__(self, begun: ToolCallBegun) -> None:
        self.id = begun.id
        self.name = begun.name
        self.pieces: list[str] = []


class GeminiAnswer:
    """Writes one answer."""

    __slots__ = ("_calls", "_finish", "_framing", "_head")

    def __init__(self, *, request_id: str, model_name: str, framing: Framing) -> None:
        """Begin with nothing written.

        Args:
            request_id: The answer's id.
            model_name: The name that the caller gave the model.
            framing: How answers go on the wire.
        """
        self._head = {"modelVersion": model_name, "responseId": request_id}
        self._framing = framing
        self._calls: dict[int, _Call] = {}
        self._finish = Finished(StopReason.END)

    def opening(self) -> bytes:
        """Return what a stream begins with."""
        return self._framing.opening()

    def events(self, events: Iterable[AnswerEvent]) -> bytes:
        """Write events.

        Raises:
            UnusableReply: A tool's arguments are no JSON object.
        """
        return b"".join(
            self._framing.element(encoded({"candidates": [_candidate([part])], **self._head}))
            for event in events
            for part in self._parts_of(event)
        )

    def end(self, usage: TokenUsage | None) -> bytes:
        """Write the end; figures are known only here."""
        last = {"candidates": [_candidate([{"text": ""}], self._finish)], "usageMetadata": _usage(usage), **self._head}
        return self._framing.element(encoded(last)) + self._framing.end()

    def plain(self, events: Iterable[AnswerEvent], usage: TokenUsage | None) -> bytes:
        """Write a plain reply, with words of one kind in one part.

        Raises:
            UnusableReply: A tool's arguments are no JSON object.
        """
        parts: list[dict[str, Any]] = []
        for event in events:
            for part in self._parts_of(event):
                if parts and "text" in part and part.keys() == parts[-1].keys():
                    parts[-1]["text"] += part["text"]
                else:
                    parts.append(part)
        body = {"candidates": [_candidate(parts, self._finish)], "usageMetadata": _usage(usage), **self._head}
        return encoded(body)

    def _parts_of(self, event: AnswerEvent) -> Iterator[dict[str, Any]]:
        """Yield what can be shown now: words at once, calls when the answer is complete.

        Raises:
            UnusableReply: Arguments come too late, or are no JSON object.
        """
        if isinstance(event, ToolCallBegun):
            self._calls[event.index] = _Call(event)
        elif isinstance(event, ArgumentsPiece):
            if event.index not in self._calls:
                message = "arguments of a call that was shown already, or never begun"
                raise UnusableReply(message)
            self._calls[event.index].pieces.append(event.json)
        elif isinstance(event, Finished):
            self._finish = event
            for call in self._calls.values():
                yield {"functionCall": {"id": call.id, "name": call.name, "args": _arguments("".join(call.pieces))}}
            self._calls = {}
        elif isinstance(event, ReasoningPiece):
            yield {"text": event.text, "thought": True}
        else:
            yield {"text": event.text}


def _candidate(parts: list[dict[str, Any]], finish: Finished | None = None) -> dict[str, Any]:
    """Write the one candidate."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    return candidate if finish is None else {**candidate, "finishReason": _REASONS[finish.reason]}


def _arguments(text: str) -> Any:
    """Read a tool's arguments. What is no JSON object cannot stand in an answer, and nothing may stand for it."""
    try:
        arguments = _decoder.decode(text) if text else {}
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        message = "a tool's arguments are no object"
        raise UnusableReply(message)
    return arguments


def _usage(usage: TokenUsage | None) -> dict[str, Any]:
    """Write figures, where the candidates exclude what was thought."""
    counted = usage or TokenUsage()
    return {
        "promptTokenCount": counted.input_total,
        "cachedContentTokenCount": counted.cache_read,
        "candidatesTokenCount": counted.output_total - counted.reasoning,
        "thoughtsTokenCount": counted.reasoning,
        "totalTokenCount": counted.input_total + counted.output_total,
    }
