"""Writes the neutral events of an answer as a response, plain or as the events of a stream.

An answer is a list of items, each addressed by its place, so that the arguments of several tools may come in turns. The
words of an answer are held until its end, because its last events repeat them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from onetoken_app.conversation.answered import (
    AnswerEvent,
    ArgumentsPiece,
    Finished,
    ReasoningPiece,
    RefusalPiece,
    StopReason,
    ToolCallBegun,
)
from onetoken_app.providers.documents import encoded
from onetoken_app.relay.dialects.openai_responses_items import Item, Kind
from onetoken_app.token_usage import TokenUsage

_CUT_SHORT = {StopReason.LENGTH: "max_output_tokens", StopReason.REFUSED: "content_filter"}
_ECHOED: dict[str, Any] = {
    "instructions": None, "max_output_tokens": None, "metadata": {}, "parallel_tool_calls": True, "reasoning": None,
    "temperature": None, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": None,
    "truncation": "disabled", "user": None,
}  # fmt: skip
"""What a response repeats of its request, and what it says where nothing was asked."""


class ResponsesAnswer:
    """Writes one answer."""

    __slots__ = ("_finish", "_head", "_items", "_open", "_sequence_number", "_words")

    def __init__(self, *, request_id: str, model_name: str, created_seconds: int, asked: Mapping[str, Any]) -> None:
        """Begin with nothing written.

        Args:
            request_id: What the answer's id is made of.
            model_name: The name that the caller gave the model.
            created_seconds: When, in seconds of the epoch.
            asked: The members of the request.
        """
        self._head: dict[str, Any] = {
            "id": f"resp_{request_id}", "object": "response", "created_at": created_seconds, "model": model_name,
            "background": False, "error": None, "previous_response_id": None, "store": False,
            **{name: usual if asked.get(name) is None else asked[name] for name, usual in _ECHOED.items()},
        }  # fmt: skip
        self._items: list[Item] = []
        self._open: dict[int, Item] = {}
        """Calls of tools by their index; they end with the answer."""
        self._words: Item | None = None
        self._finish: Finished | None = None
        self._sequence_number = 0

    def opening(self) -> bytes:
        """Say at once that an answer begins."""
        begun = self._response("in_progress", [], None)
        return self._event("response.created", response=begun) + self._event("response.in_progress", response=begun)

    def events(self, events: Iterable[AnswerEvent]) -> bytes:
        """Write events."""
        return b"".join(map(self._written, events))

    def end(self, usage: TokenUsage | None) -> bytes:
        """Write the end with everything that was said, and figures, which are known only here."""
        status = self._status()
        closed = self._ended(status)
        whole = self._response(status, [item.whole() for item in self._items], usage)
        return closed + self._event(f"response.{status}", response=whole)

    def plain(self, events: Iterable[AnswerEvent], usage: TokenUsage | None) -> bytes:
        """Write a plain reply."""
        self.events(events)
        status = self._status()
        self._ended(status)
        return encoded(self._response(status, [item.whole() for item in self._items], usage))

    def _written(self, event: AnswerEvent) -> bytes:
        """Write one event."""
        if isinstance(event, Finished):
            self._finish = event  # what is open ends with the answer: a provider may say more after its reason
            return b""
        if isinstance(event, ToolCallBegun):
            item = Item(Kind.CALL, len(self._items), self._head["id"], call_id=event.id, name=event.name)
            self._open[event.index] = item
            return self._closed_words() + self._begun(item)
        if isinstance(event, ArgumentsPiece):
            return self._piece(self._open[event.index], event.json)
        kind = Kind.REASONING if isinstance(event, ReasoningPiece) else Kind.TEXT
        kind = Kind.REFUSAL if isinstance(event, RefusalPiece) else kind
        if self._words is not None and self._words.kind is kind:
            return self._piece(self._words, event.text)
        closed = self._closed_words()
        self._words = Item(kind, len(self._items), self._head["id"])
        return closed + self._begun(self._words) + self._piece(self._words, event.text)

    def _begun(self, item: Item) -> bytes:
        """Begin an item, which stands behind the others."""
        self._items.append(item)
        return self._events(item.beginning())

    def _piece(self, item: Item, text: str) -> bytes:
        """Write a piece of an item."""
        return self._events(item.piece(text)) if text else b""

    def _closed_words(self) -> bytes:
        """End the item of words, if one is open."""
        item, self._words = self._words, None
        return b"" if item is None else self._events(item.ending())

    def _ended(self, status: str) -> bytes:
        """End what is open; arguments that nobody wrote are an empty object, because clients read them."""
        for item in self._items[-1:]:
            item.status = status
        written = [self._closed_words()]
        for item in self._open.values():
            written += [b"" if item.pieces else self._piece(item, "{}"), self._events(item.ending())]
        self._open = {}
        return b"".join(written)

    def _status(self) -> str:
        """Say how the answer ended."""
        return "incomplete" if self._finish is not None and self._finish.reason in _CUT_SHORT else "completed"

    def _response(self, status: str, output: list[dict[str, Any]], usage: TokenUsage | None) -> dict[str, Any]:
        """Describe the whole response."""
        details = {"reason": _CUT_SHORT[self._finish.reason]} if status == "incomplete" and self._finish else None
        return {
            **self._head, "status": status, "incomplete_details": details, "output": output,
            "usage": None if usage is None else _usage(usage),
        }  # fmt: skip

    def _events(self, events: Iterable[tuple[str, dict[str, Any]]]) -> bytes:
        """Write events of an item."""
        return b"".join(self._event(kind, **members) for kind, members in events)

    def _event(self, kind: str, **members: Any) -> bytes:
        """Write one event."""
        body = encoded({"type": kind, "sequence_number": self._sequence_number, **members})
        self._sequence_number += 1
        return b"event: " + kind.encode() + b"\ndata: " + body + b"\n\n"


def _usage(usage: TokenUsage) -> dict[str, Any]:
    """Write figures, where the totals include their parts; clients need every one of them."""
    return {
        "input_tokens": usage.input_total,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.output_total,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input_total + usage.output_total,
    }
