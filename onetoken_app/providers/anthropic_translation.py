"""Writes conversations as Messages, and reads its answers as events."""

from collections.abc import Iterator
from typing import Any

import msgspec

from onetoken_app.conversation.answered import (
    AnswerEvent,
    ArgumentsPiece,
    Finished,
    ReasoningPiece,
    StopReason,
    TextPiece,
    ToolCallBegun,
)
from onetoken_app.conversation.asked import (
    CannotBeExpressed,
    Choice,
    Conversation,
    Document,
    Part,
    Picture,
    Text,
    ToolCall,
)
from onetoken_app.providers.documents import document_of, encoded

TEMPERATURE_MAX = 1
_REASONS = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "pause_turn": StopReason.END,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "tool_use": StopReason.TOOLS,
    "refusal": StopReason.REFUSED,
}
_CHOICES = {Choice.AUTO: "auto", Choice.ANY: "any", Choice.NONE: "none", Choice.NAMED: "tool"}
_encoder = msgspec.json.Encoder()


def messages_members(conversation: Conversation) -> dict[str, msgspec.Raw]:
    """Write a conversation; ``model`` is left to whoever sends it.

    Raises:
        CannotBeExpressed: Messages has no word for it.
    """
    if conversation.temperature is not None and conversation.temperature > TEMPERATURE_MAX:
        raise CannotBeExpressed("temperature")
    body: dict[str, Any] = {
        "max_tokens": conversation.output_tokens_max,
        "messages": _messages_of(conversation),
        "stream": conversation.is_streaming,
    }
    given = {
        "system": [_block(text) for text in conversation.system] or None,
        "stop_sequences": list(conversation.stops) or None,
        "temperature": conversation.temperature,
        "top_p": conversation.top_p,
        "output_config": _output_config(conversation),
        "tool_choice": _tool_choice(conversation),
        "metadata": {"user_id": conversation.end_user} if conversation.end_user is not None else None,
    }
    body.update({name: value for name, value in given.items() if value is not None})
    if conversation.tools:
        body["tools"] = [
            {
                "name": tool.name,
                "input_schema": tool.schema,
                **({"description": tool.description} if tool.description else {}),
                **({"strict": tool.is_strict} if tool.is_strict is not None else {}),
            }
            for tool in conversation.tools
        ]
    return {name: msgspec.Raw(_encoder.encode(value)) for name, value in body.items()}


def _output_config(conversation: Conversation) -> dict[str, Any] | None:
    """Write how the answer is to be."""
    config: dict[str, Any] = {}
    if conversation.effort is not None:
        config["effort"] = conversation.effort
    if conversation.schema is not None:
        config["format"] = {"type": "json_schema", "schema": conversation.schema}
    return config or None


def _tool_choice(conversation: Conversation) -> dict[str, Any] | None:
    """Write whether tools are to be used, and how many at a time."""
    one_at_a_time = conversation.allows_parallel_calls is False
    if not conversation.tools or (conversation.choice is None and not one_at_a_time):
        return None
    choice: dict[str, Any] = {"type": _CHOICES[conversation.choice or Choice.AUTO]}
    if conversation.choice is Choice.NAMED:
        choice["name"] = conversation.chosen_tool
    if one_at_a_time and conversation.choice is not Choice.NONE:
        choice["disable_parallel_tool_use"] = True
    return choice


def _messages_of(conversation: Conversation) -> list[dict[str, Any]]:
    """Write the turns; results of tools have to stand in one message, right after their calls."""
    messages: list[dict[str, Any]] = []
    for turn in conversation.turns:
        blocks = [_block(part) for part in turn.parts]
        if messages and messages[-1]["role"] == turn.role.value:
            messages[-1]["content"].extend(blocks)
        elif blocks:
            messages.append({"role": turn.role.value, "content": blocks})
    return messages


def _block(part: Part) -> dict[str, Any]:
    """Write one part."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Picture):
        if part.url:
            return {"type": "image", "source": {"type": "url", "url": part.url}}
        return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.base64}}
    if isinstance(part, Document):
        source = {"type": "base64", "media_type": "application/pdf", "data": part.base64}
        return {"type": "document", "source": source, "title": part.name}
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments}
    error = {"is_error": True} if part.is_error else {}
    return {"type": "tool_result", "tool_use_id": part.call_id, "content": part.text, **error}


class MessagesReader:
    """Reads one answer."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        """Begin before the first event."""
        self._calls: dict[int, int] = {}

    def event(self, payload: bytes) -> list[AnswerEvent]:
        """Read one event.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        return list(self._events_of(document_of(payload)))

    def plain(self, body: bytes) -> list[AnswerEvent]:
        """Read a plain reply.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        message = document_of(body)
        events: list[AnswerEvent] = []
        blocks = message.get("content")
        for place, block in enumerate(blocks if isinstance(blocks, list) else ()):
            if isinstance(block, dict):
                events.extend(self._begin(place, block))
        return [*events, *_finish_of(message)]

    def _events_of(self, event: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Yield what an event adds."""
        kind, place = event.get("type"), event.get("index")
        block, delta = event.get("content_block"), event.get("delta")
        if kind == "content_block_start" and isinstance(block, dict) and isinstance(place, int):
            yield from self._begin(place, block)
        elif kind == "content_block_delta" and isinstance(delta, dict):
            yield from _words_of(delta)
            partial = delta.get("partial_json")
            if isinstance(partial, str) and partial and isinstance(place, int) and place in self._calls:
                yield ArgumentsPiece(self._calls[place], partial)
        elif kind == "message_delta" and isinstance(delta, dict):
            yield from _finish_of(delta)

    def _begin(self, place: int, block: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Yield what a block begins with, which is all of it in a plain reply."""
        if block.get("type") != "tool_use":
            yield from _words_of(block)
            return
        index = self._calls[place] = len(self._calls)
        yield ToolCallBegun(index, str(block.get("id")), str(block.get("name")))
        if block.get("input"):
            yield ArgumentsPiece(index, encoded(block["input"]).decode())


def _words_of(piece: dict[str, Any]) -> Iterator[AnswerEvent]:
    """Yield words; signatures of reasoning have no other reader than their own provider."""
    if isinstance(text := piece.get("text"), str) and text:
        yield TextPiece(text)
    if isinstance(thinking := piece.get("thinking"), str) and thinking:
        yield ReasoningPiece(thinking)


def _finish_of(message: dict[str, Any]) -> Iterator[AnswerEvent]:
    """Yield the end, if this is it."""
    reason, sequence = message.get("stop_reason"), message.get("stop_sequence")
    if isinstance(reason, str):
        yield Finished(_REASONS.get(reason, StopReason.END), sequence if isinstance(sequence, str) else None)
