"""Writes the neutral events of an answer as a chat completion, plain or in chunks."""

from collections.abc import Iterable, Iterator
from typing import Any

from onetoken_app.conversation.answered import (
    AnswerEvent,
    ArgumentsPiece,
    Finished,
    ReasoningPiece,
    RefusalPiece,
    StopReason,
    TextPiece,
    ToolCallBegun,
)
from onetoken_app.providers.documents import encoded
from onetoken_app.providers.event_stream import DONE, event_of
from onetoken_app.token_usage import TokenUsage

_REASONS = {
    StopReason.END: "stop",
    StopReason.LENGTH: "length",
    StopReason.TOOLS: "tool_calls",
    StopReason.REFUSED: "content_filter",
}


class ChatAnswer:
    """Writes one answer."""

    __slots__ = ("_bare_calls", "_has_begun", "_head", "_wants_usage")

    def __init__(self, *, request_id: str, model_name: str, created_seconds: int, wants_usage: bool) -> None:
        """Begin with nothing written.

        Args:
            request_id: What the answer's id is made of.
            model_name: The name that the caller gave the model.
            created_seconds: When, in seconds of the epoch.
            wants_usage: Whether a stream is to carry usage.
        """
        self._head: dict[str, Any] = {
            "id": f"chatcmpl-{request_id}",
            "object": "chat.completion.chunk",
            "created": created_seconds,
            "model": model_name,
        }
        self._bare_calls: dict[int, None] = {}
        """Calls of tools without arguments so far."""
        self._has_begun = False
        self._wants_usage = wants_usage

    def opening(self) -> bytes:
        """Say nothing before the provider does."""
        return b""

    def events(self, events: Iterable[AnswerEvent]) -> bytes:
        """Write chunks."""
        return b"".join(chunk for event in events for chunk in self._chunks(event))

    def end(self, usage: TokenUsage | None) -> bytes:
        """Write the end, with usage where it was asked for and is known."""
        figures = b""
        if self._wants_usage and usage is not None:
            figures = event_of(encoded({**self._head, "choices": [], "usage": _usage(usage)}))
        return figures + event_of(DONE)

    def plain(self, events: Iterable[AnswerEvent], usage: TokenUsage | None) -> bytes:
        """Write a plain reply."""
        texts: dict[str, str] = {}
        calls: dict[int, dict[str, Any]] = {}
        reason = None
        for event in events:
            if isinstance(event, ToolCallBegun):
                function = {"name": event.name, "arguments": ""}
                calls[event.index] = {"id": event.id, "type": "function", "function": function}
            elif isinstance(event, ArgumentsPiece):
                calls[event.index]["function"]["arguments"] += event.json
            elif isinstance(event, Finished):
                reason = _REASONS[event.reason]
            else:
                name, text = _text_of(event)
                texts[name] = texts.get(name, "") + text
        for call in calls.values():
            call["function"]["arguments"] = call["function"]["arguments"] or "{}"
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, **texts}
        if calls:
            message["tool_calls"] = list(calls.values())
        body: dict[str, Any] = {
            **self._head,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        }
        return encoded(body if usage is None else {**body, "usage": _usage(usage)})

    def _chunks(self, event: AnswerEvent) -> Iterator[bytes]:
        """Write an event; arguments that nobody wrote are an empty object, because clients read them."""
        if isinstance(event, ToolCallBegun):
            self._bare_calls[event.index] = None
        elif isinstance(event, ArgumentsPiece):
            self._bare_calls.pop(event.index, None)
        elif isinstance(event, Finished):
            yield from (self._chunk(ArgumentsPiece(index, "{}")) for index in self._bare_calls)
            self._bare_calls = {}
        yield self._chunk(event)

    def _chunk(self, event: AnswerEvent) -> bytes:
        """Write one chunk."""
        delta: dict[str, Any] = {}
        reason = None
        if isinstance(event, ToolCallBegun):
            function = {"name": event.name, "arguments": ""}
            delta["tool_calls"] = [{"index": event.index, "id": event.id, "type": "function", "function": function}]
        elif isinstance(event, ArgumentsPiece):
            delta["tool_calls"] = [{"index": event.index, "function": {"arguments": event.json}}]
        elif isinstance(event, Finished):
            reason = _REASONS[event.reason]
        else:
            name, text = _text_of(event)
            delta[name] = text
        if not self._has_begun:
            self._has_begun = True
            delta = {"role": "assistant", **delta}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        chunk: dict[str, Any] = {**self._head, "choices": [choice]}
        return event_of(encoded({**chunk, "usage": None} if self._wants_usage else chunk))


def _text_of(event: TextPiece | RefusalPiece | ReasoningPiece) -> tuple[str, str]:
    """Return the member that words stand in, and the words."""
    if isinstance(event, TextPiece):
        return "content", event.text
    return ("refusal" if isinstance(event, RefusalPiece) else "reasoning_content"), event.text


def _usage(usage: TokenUsage) -> dict[str, Any]:
    """Write figures, where the totals include their parts."""
    return {
        "prompt_tokens": usage.input_total,
        "completion_tokens": usage.output_total,
        "total_tokens": usage.input_total + usage.output_total,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "audio_tokens": usage.audio_in,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_out},
    }
