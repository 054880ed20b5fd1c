"""Writes the neutral events of an answer as a message, plain or as the events of a stream.

Blocks of a message do not overlap. The first call of a tool is written as it comes; what comes between its pieces, and
every further call, waits until the answer is complete.
"""

from collections.abc import Iterable
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
from onetoken_app.token_usage import TokenUsage

_decoder = msgspec.json.Decoder()
_REASONS = {
    StopReason.END: "end_turn",
    StopReason.LENGTH: "max_tokens",
    StopReason.TOOLS: "tool_use",
    StopReason.REFUSED: "refusal",
}


class _Block:
    """One block, as far as it has come."""

    __slots__ = ("begun", "key", "pieces")

    def __init__(self, key: str | int, begun: dict[str, Any]) -> None:
        """Begin; ``key`` is a tool's index, or the kind of words."""
        self.key = key
        self.begun = begun
        self.pieces: list[str] = []


class MessagesAnswer:
    """Writes one answer."""

    __slots__ = ("_finish", "_head", "_index", "_open", "_waiting")

    def __init__(self, *, request_id: str, model_name: str) -> None:
        """Begin with nothing written.

        Args:
            request_id: What the answer's id is made of.
            model_name: The name that the caller gave the model.
        """
        self._head: dict[str, Any] = {
            "id": f"msg_{request_id}", "type": "message", "role": "assistant", "model": model_name
        }  # fmt: skip
        self._index = -1
        self._open: _Block | None = None
        self._waiting: list[_Block] = []
        self._finish = Finished(StopReason.END)

    def opening(self) -> bytes:
        """Say at once that an answer begins: some clients ask again, and pay again, when that is late."""
        message = {
            **self._head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": _usage(None)
        }  # fmt: skip
        return _event("message_start", message=message)

    def events(self, events: Iterable[AnswerEvent]) -> bytes:
        """Write events."""
        return b"".join(map(self._written, events))

    def end(self, usage: TokenUsage | None) -> bytes:
        """Write the end; figures are known only here."""
        delta = {"stop_reason": _REASONS[self._finish.reason], "stop_sequence": self._finish.stop_sequence}
        if self._finish.stop_sequence is not None:
            delta["stop_reason"] = "stop_sequence"
        figures = _usage(usage)
        return self._flushed() + _event("message_delta", delta=delta, usage=figures) + _event("message_stop")

    def plain(self, events: Iterable[AnswerEvent], usage: TokenUsage | None) -> bytes:
        """Write a plain reply.

        Raises:
            UnusableReply: A tool's arguments are no JSON object.
        """
        blocks: list[_Block] = []
        for event in events:
            if isinstance(event, Finished):
                self._finish = event
            else:
                _add(blocks, event)
        content = [_whole(block) for block in blocks]
        sequence = self._finish.stop_sequence
        reason = _REASONS[self._finish.reason] if sequence is None else "stop_sequence"
        body = {**self._head, "content": content, "stop_reason": reason, "stop_sequence": sequence}
        return encoded({**body, "usage": _usage(usage)})

    def _written(self, event: AnswerEvent) -> bytes:
        """Write one event, or keep it until its block may be written."""
        if isinstance(event, Finished):
            self._finish = event
            return self._flushed()
        key = _key_of(event)
        if self._open is not None and self._open.key == key and not isinstance(event, ToolCallBegun):
            return self._piece(_text_of(event))
        if self._open is not None and isinstance(self._open.key, int):
            _add(self._waiting, event)
            return b""
        closed = self._close()
        block = _Block(key, _begun(event))
        return closed + self._begin(block) + self._piece(_text_of(event))

    def _flushed(self) -> bytes:
        """Write what waited."""
        written = [self._close()]
        for block in self._waiting:
            written += [self._begin(block), self._piece("".join(block.pieces)), self._close()]
        self._waiting = []
        return b"".join(written)

    def _begin(self, block: _Block) -> bytes:
        """Begin a block."""
        self._index += 1
        self._open = block
        return _event("content_block_start", index=self._index, content_block=block.begun)

    def _piece(self, text: str) -> bytes:
        """Write a piece of the open block."""
        if not text or self._open is None:
            return b""
        if isinstance(self._open.key, int):
            delta = {"type": "input_json_delta", "partial_json": text}
        else:
            delta = {"type": f"{self._open.key}_delta", self._open.key: text}
        return _event("content_block_delta", index=self._index, delta=delta)

    def _close(self) -> bytes:
        """End the open block, if one is."""
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", index=self._index)


def _add(blocks: list[_Block], event: AnswerEvent) -> None:
    """Put a piece into the block that it belongs to: a tool's own, or the latest if that is of its kind."""
    key = _key_of(event)
    candidates = blocks if isinstance(key, int) else blocks[-1:]
    block = next((one for one in candidates if one.key == key), None)
    if block is None:
        block = _Block(key, _begun(event))
        blocks.append(block)
    block.pieces.append(_text_of(event))


def _key_of(event: AnswerEvent) -> str | int:
    """Return what block an event belongs to; words of a refusal are text here."""
    if isinstance(event, ToolCallBegun | ArgumentsPiece):
        return event.index
    return "thinking" if isinstance(event, ReasoningPiece) else "text"


def _text_of(event: AnswerEvent) -> str:
    """Return what an event adds to its block."""
    if isinstance(event, ArgumentsPiece):
        return event.json
    return "" if isinstance(event, ToolCallBegun | Finished) else event.text


def _begun(event: AnswerEvent) -> dict[str, Any]:
    """Return a block as it starts."""
    if isinstance(event, ToolCallBegun):
        return {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
    if isinstance(event, ReasoningPiece):
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "text", "text": ""}


def _whole(block: _Block) -> dict[str, Any]:
    """Return a block as it stands in a plain reply."""
    text = "".join(block.pieces)
    if isinstance(block.key, int):
        return {**block.begun, "input": _arguments(text)}
    return {**block.begun, block.key: text}


def _arguments(text: str) -> Any:
    """Read a tool's arguments. What is no JSON object cannot stand in a message, and nothing may stand for it."""
    try:
        arguments = _decoder.decode(text) if text else {}
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        message = "a tool's arguments are no object"
        raise UnusableReply(message)
    return arguments


def _event(kind: str, **members: Any) -> bytes:
    """Write one event."""
    return b"event: " + kind.encode() + b"\ndata: " + encoded({"type": kind, **members}) + b"\n\n"


def _usage(usage: TokenUsage | None) -> dict[str, Any]:
    """Write figures, where the input excludes what was cached."""
    counted = usage or TokenUsage()
    return {
        "input_tokens": counted.input + counted.audio_in + counted.image_in,
        "cache_read_input_tokens": counted.cache_read,
        "cache_creation_input_tokens": counted.cache_write_5m + counted.cache_write_1h,
        "output_tokens": counted.output_total,
    }
