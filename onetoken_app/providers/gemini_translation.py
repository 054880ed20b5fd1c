"""Writes conversations as Gemini's ``generateContent``, and reads its answers as events."""

from collections.abc import Iterator, Mapping
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
    Role,
    Text,
    ToolCall,
)
from onetoken_app.providers.documents import document_of, encoded

_REASONS = {"STOP": StopReason.END, "MAX_TOKENS": StopReason.LENGTH}
"""All others mean that the provider would not go on."""
_MODES = {Choice.AUTO: "AUTO", Choice.ANY: "ANY", Choice.NONE: "NONE", Choice.NAMED: "ANY"}
_EFFORTS = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
_ROLES = {Role.USER: "user", Role.ASSISTANT: "model"}
_encoder = msgspec.json.Encoder()


def gemini_members(conversation: Conversation) -> dict[str, msgspec.Raw]:
    """Write a conversation.

    Raises:
        CannotBeExpressed: Gemini has no word for it.
    """
    if conversation.end_user is not None:
        parameter = "user"
        raise CannotBeExpressed(parameter)
    if conversation.allows_parallel_calls is False:
        parameter = "parallel_tool_calls"
        raise CannotBeExpressed(parameter)
    body: dict[str, Any] = {
        "contents": list(_contents_of(conversation)),
        "systemInstruction": {"parts": [{"text": text.text} for text in conversation.system]},
        "generationConfig": _generation_config(conversation),
        "tools": _tools_of(conversation),
        "toolConfig": _tool_config(conversation),
    }
    if not conversation.system:
        del body["systemInstruction"]
    return {name: msgspec.Raw(_encoder.encode(value)) for name, value in body.items() if value}


def _generation_config(conversation: Conversation) -> dict[str, Any]:
    """Write how the answer is to be."""
    config: dict[str, Any] = {
        "maxOutputTokens": conversation.output_tokens_max,
        "temperature": conversation.temperature,
        "topP": conversation.top_p,
        "stopSequences": list(conversation.stops) or None,
    }
    if conversation.effort is not None:
        if conversation.effort not in _EFFORTS:
            parameter = "reasoning_effort"
            raise CannotBeExpressed(parameter)
        config["thinkingConfig"] = {"thinkingLevel": _EFFORTS[conversation.effort]}
    if conversation.schema is not None:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": conversation.schema}
    return {name: value for name, value in config.items() if value is not None}


def _tools_of(conversation: Conversation) -> list[dict[str, Any]]:
    """Write the tools."""
    if any(tool.is_strict for tool in conversation.tools):
        parameter = "tools"
        raise CannotBeExpressed(parameter)
    declared = [
        {
            "name": tool.name,
            **({"description": tool.description} if tool.description else {}),
            **({"parametersJsonSchema": tool.schema} if tool.schema else {}),
        }
        for tool in conversation.tools
    ]
    return [{"functionDeclarations": declared}] if declared else []


def _tool_config(conversation: Conversation) -> dict[str, Any]:
    """Write whether tools are to be used."""
    if conversation.choice is None or not conversation.tools:
        return {}
    calling: dict[str, Any] = {"mode": _MODES[conversation.choice]}
    if conversation.choice is Choice.NAMED:
        calling["allowedFunctionNames"] = [conversation.chosen_tool]
    return {"functionCallingConfig": calling}


def _contents_of(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """Write the turns; a tool's answer names the tool, which only its call knows."""
    names: dict[str, str] = {}
    for turn in conversation.turns:
        names |= {part.id: part.name for part in turn.parts if isinstance(part, ToolCall)}
        parts = [_part(part, names) for part in turn.parts]
        if parts:
            yield {"role": _ROLES[turn.role], "parts": parts}


def _part(part: Part, names: Mapping[str, str]) -> dict[str, Any]:
    """Write one part."""
    if isinstance(part, Text):
        return {"text": part.text}
    if isinstance(part, Picture) and part.base64:
        return {"inlineData": {"mimeType": part.media_type, "data": part.base64}}
    if isinstance(part, Document):
        return {"inlineData": {"mimeType": "application/pdf", "data": part.base64}}
    if isinstance(part, ToolCall):
        return {"functionCall": {"id": part.id, "name": part.name, "args": part.arguments}}
    if isinstance(part, Picture) or part.call_id not in names:
        parameter = "messages"
        raise CannotBeExpressed(parameter)
    answer = {"error" if part.is_error else "result": part.text}
    return {"functionResponse": {"id": part.call_id, "name": names[part.call_id], "response": answer}}


class GeminiReader:
    """Reads one answer."""

    __slots__ = ("_call_count",)

    def __init__(self) -> None:
        """Begin before the first event."""
        self._call_count = 0

    def event(self, payload: bytes) -> list[AnswerEvent]:
        """Read one event.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        return list(self._events_of(document_of(payload)))

    def plain(self, body: bytes) -> list[AnswerEvent]:
        """Read a plain reply, which has the shape of an event.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        return self.event(body)

    def _events_of(self, answer: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Yield what a document adds; a conversation has one candidate."""
        candidates = answer.get("candidates")
        for candidate in candidates[:1] if isinstance(candidates, list) else ():
            if not isinstance(candidate, dict):
                continue
            content = candidate.get("content")
            parts = content.get("parts") if isinstance(content, dict) else None
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict):
                    yield from self._pieces_of(part)
            reason = candidate.get("finishReason")
            if isinstance(reason, str):
                yield Finished(self._reason_of(reason))
        feedback = answer.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            yield Finished(StopReason.REFUSED)

    def _pieces_of(self, part: dict[str, Any]) -> Iterator[AnswerEvent]:
        """Yield what a part says; a call of a tool comes whole."""
        text = part.get("text")
        if isinstance(text, str) and text:
            yield ReasoningPiece(text) if part.get("thought") is True else TextPiece(text)
        call = part.get("functionCall")
        if isinstance(call, dict):
            index, self._call_count = self._call_count, self._call_count + 1
            stated = call.get("id")
            yield ToolCallBegun(index, stated if isinstance(stated, str) else f"call_{index}", str(call.get("name")))
            if call.get("args"):
                yield ArgumentsPiece(index, encoded(call["args"]).decode())

    def _reason_of(self, reason: str) -> StopReason:
        """Say why an answer ended; one with calls of tools says STOP here."""
        known = _REASONS.get(reason, StopReason.REFUSED)
        return StopReason.TOOLS if known is StopReason.END and self._call_count else known
