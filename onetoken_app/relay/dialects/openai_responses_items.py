"""The items that a response is made of, and the events that each goes through."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

ItemEvent = tuple[str, dict[str, Any]]
"""Its type and its members."""


class Kind(StrEnum):
    """What an item is."""

    TEXT = "text"
    """Words of the answer."""
    REFUSAL = "refusal"
    """Words of a refusal."""
    REASONING = "reasoning"
    """What the provider shows of its reasoning."""
    CALL = "call"
    """A call of a tool."""


_PREFIXES = {Kind.TEXT: "msg", Kind.REFUSAL: "msg", Kind.REASONING: "rs", Kind.CALL: "fc"}
_PART_EVENTS = {
    Kind.TEXT: "response.content_part", Kind.REFUSAL: "response.content_part",
    Kind.REASONING: "response.reasoning_summary_part",
}  # fmt: skip
_TEXT_EVENTS = {
    Kind.TEXT: ("response.output_text", "text"),
    Kind.REFUSAL: ("response.refusal", "refusal"),
    Kind.REASONING: ("response.reasoning_summary_text", "text"),
    Kind.CALL: ("response.function_call_arguments", "arguments"),
}
"""What events of pieces are called, and the member that holds the whole."""


class Item:
    """One item, as far as it has come. Never printed: it holds content."""

    __slots__ = ("_call", "_place", "kind", "pieces", "status")

    def __init__(self, kind: Kind, index: int, response_id: str, *, call_id: str = "", name: str = "") -> None:
        """Begin; a call of a tool has an id of its own and a name.

        Args:
            kind: What it is.
            index: Its place among the items.
            response_id: What its own id is made of.
            call_id: Of a call of a tool.
            name: The tool's.
        """
        own_id = f"{_PREFIXES[kind]}_{response_id.removeprefix('resp_')}_{index}"
        self._place: dict[str, Any] = {"item_id": own_id, "output_index": index}
        self._call = {"call_id": call_id, "name": name}
        self.kind = kind
        self.pieces: list[str] = []
        self.status = "completed"

    def beginning(self) -> Iterator[ItemEvent]:
        """Yield the events that it begins with."""
        index = self._place["output_index"]
        yield "response.output_item.added", {"output_index": index, "item": self._described("in_progress", [], "")}
        if self.kind is not Kind.CALL:
            yield f"{_PART_EVENTS[self.kind]}.added", {**self._address(), "part": self._part("")}

    def piece(self, text: str) -> Iterator[ItemEvent]:
        """Yield the event of one more piece."""
        self.pieces.append(text)
        yield f"{_TEXT_EVENTS[self.kind][0]}.delta", {**self._address(), "delta": text, **self._likelihoods()}

    def ending(self) -> Iterator[ItemEvent]:
        """Yield the events that it ends with, which repeat all of it."""
        text = "".join(self.pieces)
        event, member = _TEXT_EVENTS[self.kind]
        named = {"name": self._call["name"]} if self.kind is Kind.CALL else {}
        yield f"{event}.done", {**self._address(), member: text, **self._likelihoods(), **named}
        if self.kind is not Kind.CALL:
            yield f"{_PART_EVENTS[self.kind]}.done", {**self._address(), "part": self._part(text)}
        yield "response.output_item.done", {"output_index": self._place["output_index"], "item": self.whole()}

    def whole(self) -> dict[str, Any]:
        """Return it as it stands in the response."""
        text = "".join(self.pieces)
        return self._described(self.status, [self._part(text)], text)

    def _address(self) -> dict[str, Any]:
        """Return where its pieces belong."""
        if self.kind is Kind.CALL:
            return self._place
        return {**self._place, "summary_index" if self.kind is Kind.REASONING else "content_index": 0}

    def _likelihoods(self) -> dict[str, Any]:
        """Return the list of likelihoods that clients expect beside words, which is empty."""
        return {"logprobs": []} if self.kind is Kind.TEXT else {}

    def _part(self, text: str) -> dict[str, Any]:
        """Return its one part."""
        if self.kind is Kind.TEXT:
            return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        if self.kind is Kind.REFUSAL:
            return {"type": "refusal", "refusal": text}
        return {"type": "summary_text", "text": text}

    def _described(self, status: str, parts: list[dict[str, Any]], arguments: str) -> dict[str, Any]:
        """Return the item's object."""
        own: dict[str, Any] = {"id": self._place["item_id"]}
        if self.kind is Kind.CALL:
            return {**own, "type": "function_call", "status": status, "arguments": arguments, **self._call}
        if self.kind is Kind.REASONING:
            return {**own, "type": "reasoning", "summary": parts}
        return {**own, "type": "message", "status": status, "role": "assistant", "content": parts}
