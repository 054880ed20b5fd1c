"""Writes conversations as Chat Completions, and reads its answers as events."""

from collections.abc import Iterator
from typing import Any

import msgspec

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
from onetoken_app.conversation.asked import (
    Choice,
    Conversation,
    Document,
    Part,
    Picture,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from onetoken_app.providers.documents import document_of

ERROR_MARK = "Error: "
"""Stands ahead of what a failed tool said, because Chat Completions has no other word for that."""
_REASONS = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "tool_calls": StopReason.TOOLS,
    "function_call": StopReason.TOOLS,
    "content_filter": StopReason.REFUSED,
    "sensitive": StopReason.REFUSED,  # Zhipu
    "model_length": StopReason.LENGTH,  # Mistral
}
_CHOICES = {Choice.AUTO: "auto", Choice.ANY: "required", Choice.NONE: "none"}
_encoder = msgspec.json.Encoder()


def chat_members(conversation: Conversation) -> dict[str, msgspec.Raw]:
    """Write a conversation; ``model`` and what streams need is left to whoever sends it."""
    body: dict[str, Any] = {"messages": list(_messages_of(conversation)), "stream": conversation.is_streaming}
    given = {
        "max_completion_tokens": conversation.output_tokens_max,
        "stop": list(conversation.stops) or None,
        "temperature": conversation.temperature,
        "top_p": conversation.top_p,
        "reasoning_effort": conversation.effort,
        "parallel_tool_calls": conversation.allows_parallel_calls,
        "user": conversation.end_user,
    }
    body.update({name: value for name, value in given.items() if value is not None})
    if conversation.tools:
        body["tools"] = [_tool(tool) for tool in conversation.tools]
    if conversation.choice is Choice.NAMED:
        body["tool_choice"] = {"type": "function", "function": {"name": conversation.chosen_tool}}
    elif conversation.choice is not None:
        body["tool_choice"] = _CHOICES[conversation.choice]
    if conversation.schema is not None:
        form = {"name": "answer", "schema": conversation.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return {name: msgspec.Raw(_encoder.encode(value)) for name, value in body.items()}


def _tool(tool: Tool) -> dict[str, Any]:
    """Write one tool."""
    function: dict[str, Any] = {"name": tool.name, "parameters": tool.schema}
    if tool.description:
        function["description"] = tool.description
    if tool.is_strict is not None:
        function["strict"] = tool.is_strict
    return {"type": "function", "function": function}


def _messages_of(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """Write the messages."""
    if conversation.system:
        yield {"role": "system", "content": "\n\n".join(text.text for text in conversation.system)}
    for turn in conversation.turns:
        if turn.role is Role.ASSISTANT:
            yield _assistant_message(turn)
        else:
            yield from _user_messages(turn)


def _assistant_message(turn: Turn) -> dict[str, Any]:
    """Write what the model said."""
    texts = [part.text for part in turn.parts if isinstance(part, Text)]
    calls = [
        {
            "id": part.id,
            "type": "function",
            "function": {"name": part.name, "arguments": _encoder.encode(part.arguments).decode()},
        }
        for part in turn.parts
        if isinstance(part, ToolCall)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    return {**message, "tool_calls": calls} if calls else message


def _user_messages(turn: Turn) -> Iterator[dict[str, Any]]:
    """Write what tools answered, then what the caller said."""
    for part in turn.parts:
        if isinstance(part, ToolResult):
            text = ERROR_MARK + part.text if part.is_error else part.text
            yield {"role": "tool", "tool_call_id": part.call_id, "content": text}
    said = [part for part in turn.parts if not isinstance(part, ToolResult)]
    if len(said) == 1 and isinstance(said[0], Text):
        yield {"role": "user", "content": said[0].text}
    elif said:
        yield {"role": "user", "content": [_part(part) for part in said]}


def _part(part: Part) -> dict[str, Any]:
    """Write one part of what the caller said."""
    if isinstance(part, Picture):
        url = part.url or f"data:{part.media_type};base64,{part.base64}"
        return {"type": "image_url", "image_url": {"url": url}}
    if isinstance(part, Document):
        data = f"data:application/pdf;base64,{part.base64}"
        return {"type": "file", "file": {"filename": part.name, "file_data": data}}
    return {"type": "text", "text": part.text if isinstance(part, Text) else ""}


class ChatReader:
    """Reads one answer."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        """Begin before the first event."""
        self._begun: set[int] = set()

    def event(self, payload: bytes) -> list[AnswerEvent]:
        """Read one chunk.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        return list(self._events_of(document_of(payload), "delta"))

    def plain(self, body: bytes) -> list[AnswerEvent]:
        """Read a plain reply.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        return list(self._events_of(document_of(body), "message"))

    def _events_of(self, document: dict[str, Any], member: str) -> Iterator[AnswerEvent]:
        """Yield what a document adds; a conversation has one choice."""
        for choice in _objects(document.get("choices")):
            said = choice.get(member)
            if isinstance(said, dict):
                yield from _pieces_of(said)
                yield from self._calls_of(said)
            reason = choice.get("finish_reason")
            if isinstance(reason, str) and reason:
                yield Finished(_REASONS.get(reason, StopReason.END))

    def _calls_of(self, said: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Yield calls of tools; the id and the name come with the first piece of each."""
        for place, call in enumerate(_objects(said.get("tool_calls"))):
            stated, function = call.get("index"), call.get("function")
            index = stated if isinstance(stated, int) else place
            function = function if isinstance(function, dict) else {}
            if index not in self._begun:
                self._begun.add(index)
                yield ToolCallBegun(index, _text(call.get("id")) or f"call_{index}", _text(function.get("name")))
            if arguments := _text(function.get("arguments")):
                yield ArgumentsPiece(index, arguments)


def _pieces_of(said: dict[str, Any]) -> Iterator[AnswerEvent]:
    """Yield words."""
    if reasoning := _text(said.get("reasoning_content")) or _text(said.get("reasoning")):
        yield ReasoningPiece(reasoning)
    content = said.get("content")
    if isinstance(content, list):
        yield from _listed_pieces_of(content)
    elif text := _text(content):
        yield TextPiece(text)
    if refusal := _text(said.get("refusal")):
        yield RefusalPiece(refusal)


def _listed_pieces_of(content: list[Any]) -> Iterator[AnswerEvent]:
    """Yield words of a list of parts, where what was thought is a part that holds a list itself."""
    for part in _objects(content):
        if text := _text(part.get("text")):
            yield TextPiece(text)
        thought = part.get("thinking")
        for piece in [_text(inner.get("text")) for inner in _objects(thought)] or [_text(thought)]:
            if piece:
                yield ReasoningPiece(piece)


def _objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return a text, or nothing."""
    return value if isinstance(value, str) else ""
