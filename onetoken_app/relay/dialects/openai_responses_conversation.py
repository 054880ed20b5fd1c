"""Reads a Responses request as a conversation. What has no neutral word is refused."""

import re
from typing import Any

import msgspec

from onetoken_app.conversation.asked import (
    CannotBeExpressed,
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
from onetoken_app.relay.dialects.call_request import CallRequest

_DATA_URL = re.compile(r"data:([\w.+/-]+);base64,(.*)", re.DOTALL)
_READ = frozenset(
    {
        "input", "instructions", "max_output_tokens", "model", "parallel_tool_calls", "reasoning", "safety_identifier",
        "stream", "temperature", "text", "tool_choice", "tools", "top_p", "user",
    }
)  # fmt: skip
_WITHOUT_MEANING = frozenset({"metadata", "prompt_cache_key", "prompt_cache_retention", "service_tier"})
"""They label what is kept or tune a provider's own cache."""
_EFFORTS = frozenset({"low", "medium", "high", "xhigh"})
_CHOICES = {"auto": Choice.AUTO, "required": Choice.ANY, "none": Choice.NONE}
_ITEMS_MEMBERS = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "status"},
    "function_call_output": {"type", "call_id", "output", "id", "status"},
    "reasoning": {"type", "id", "summary", "content", "status"},
}
_decoder = msgspec.json.Decoder()
_UNFIT = (KeyError, TypeError, ValueError, AttributeError, msgspec.DecodeError)


def conversation_of(request: CallRequest) -> Conversation:
    """Read the whole request.

    Raises:
        CannotBeExpressed: A member has no neutral word, or is not of the shape that the API documents.
    """
    members = {name: _decoder.decode(raw) for name, raw in request.members.items()}
    may_call_together = members.get("parallel_tool_calls")
    members = {name: value for name, value in members.items() if value is not None and value is not False}
    _refuse_others(members)
    system, turns = _named("input", _turns_of, members["input"])
    if instructions := _named("instructions", _text_or_none, members.get("instructions")):
        system = (Text(instructions), *system)
    choice, chosen_tool = _named("tool_choice", _choice_of, members.get("tool_choice"))
    end_user = members.get("safety_identifier") or members.get("user")
    return Conversation(
        system=system,
        turns=turns,
        is_streaming=request.is_streaming,
        output_tokens_max=request.output_tokens_max,
        tools=_named("tools", _tools_of, members.get("tools") or []),
        choice=choice,
        chosen_tool=chosen_tool,
        allows_parallel_calls=False if may_call_together is False else None,
        temperature=_named("temperature", _number, members.get("temperature")),
        top_p=_named("top_p", _number, members.get("top_p")),
        effort=_named("reasoning", _effort_of, members.get("reasoning")),
        schema=_named("text", _schema_of, members.get("text")),
        end_user=_named("user", _text_or_none, end_user),
    )


def _refuse_others(members: dict[str, Any]) -> None:
    """Refuse members that are not understood; encrypted reasoning may be asked for, and is given where there is any."""
    for name, value in members.items():
        is_harmless = (
            name in _READ | _WITHOUT_MEANING
            or (name == "include" and value in ([], ["reasoning.encrypted_content"]))
            or (name == "truncation" and value == "disabled")
            or (name == "top_logprobs" and value == 0)
            or (name == "stream_options" and isinstance(value, dict) and not value.keys() - {"include_obfuscation"})
        )
        if not is_harmless:
            raise CannotBeExpressed(name)


def _named(name: str, read: Any, value: Any) -> Any:
    """Read one member; whatever does not fit is refused under its name."""
    try:
        return read(value)
    except _UNFIT as error:
        raise CannotBeExpressed(name) from error


def _turns_of(listed: str | list[dict[str, Any]]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """Read the items. What the model said stands in one turn up to the next that it was told."""
    if isinstance(listed, str):
        return (), (Turn(Role.USER, (Text(listed),)),)
    system: list[Text] = []
    turns: list[Turn] = []
    for item in listed:
        kind = item.get("type", "message")
        said = {name: value for name, value in item.items() if value is not None}
        if not _ITEMS_MEMBERS[kind].issuperset(said):
            raise CannotBeExpressed("input")
        role = item["role"] if kind == "message" else None
        if role in {"system", "developer"}:
            if turns:
                raise CannotBeExpressed("input")
            system.extend(_texts_of(said["content"]))
        elif role == "user":
            turns.append(Turn(Role.USER, _parts_of(said["content"])))
        elif kind == "function_call_output":
            text = "".join(part.text for part in _texts_of(said["output"]))
            turns.append(Turn(Role.USER, (ToolResult(_text(said["call_id"]), text),)))
        elif kind != "reasoning":
            _say(turns, (_call_of(said),) if kind == "function_call" else _answer_of(role, said))
    return tuple(system), tuple(turns)


def _say(turns: list[Turn], parts: tuple[Part, ...]) -> None:
    """Add to what the model said."""
    if turns and turns[-1].role is Role.ASSISTANT:
        parts = (*turns.pop().parts, *parts)
    turns.append(Turn(Role.ASSISTANT, parts))


def _answer_of(role: object, said: dict[str, Any]) -> tuple[Text, ...]:
    """Read a message of the model."""
    if role != "assistant":
        raise CannotBeExpressed("input")
    return _texts_of(said["content"])


def _texts_of(content: Any) -> tuple[Text, ...]:
    """Read content that can only be text; empty texts say nothing."""
    parts = _parts_of(content)
    if not all(isinstance(part, Text) for part in parts):
        raise CannotBeExpressed("input")
    return tuple(part for part in parts if isinstance(part, Text) and part.text)


def _parts_of(content: Any) -> tuple[Part, ...]:
    """Read content: a text, or a list of parts."""
    return (Text(content),) if isinstance(content, str) else tuple(map(_part_of, content))


def _part_of(part: dict[str, Any]) -> Part:
    """Read one part."""
    kind = part["type"]
    if kind in {"input_text", "output_text"} and not part.keys() - {"type", "text", "annotations", "logprobs"}:
        return Text(_text(part["text"]))
    if kind == "refusal":
        return Text(_text(part["refusal"]))
    if kind == "input_image" and part.get("detail") in (None, "auto"):
        found = _DATA_URL.fullmatch(part["image_url"])
        return Picture(media_type=found[1], base64=found[2]) if found else Picture(url=part["image_url"])
    if kind == "input_file" and "file_data" in part:
        found = _DATA_URL.fullmatch(part["file_data"])
        if found and found[1] == "application/pdf":
            return Document(found[2], str(part.get("filename") or "document.pdf"))
    raise CannotBeExpressed("input")


def _call_of(item: dict[str, Any]) -> ToolCall:
    """Read one call of a tool, whose arguments are an object, or nothing."""
    decoded = _decoder.decode(item["arguments"]) if item["arguments"] else {}
    if not isinstance(decoded, dict):
        raise CannotBeExpressed("input")
    return ToolCall(_text(item["call_id"]), _text(item["name"]), decoded)


def _tools_of(tools: list[dict[str, Any]]) -> tuple[Tool, ...]:
    """Read the tools; one without parameters takes none."""
    return tuple(
        Tool(
            _text(tool["name"]),
            tool.get("description") or "",
            tool.get("parameters") or {"type": "object", "properties": {}},
            tool.get("strict"),
        )
        for tool in tools
    )


def _choice_of(choice: Any) -> tuple[Choice | None, str]:
    """Read whether tools are to be used."""
    if choice is None:
        return None, ""
    if isinstance(choice, str):
        return _CHOICES[choice], ""
    if choice["type"] != "function":
        raise CannotBeExpressed("tool_choice")
    return Choice.NAMED, _text(choice["name"])


def _effort_of(reasoning: dict[str, Any] | None) -> str | None:
    """Read the effort; of a summary there is what the provider shows."""
    told = {name: value for name, value in (reasoning or {}).items() if value is not None}
    effort = told.get("effort")
    if told.keys() - {"effort", "summary", "generate_summary"} or (effort is not None and effort not in _EFFORTS):
        raise CannotBeExpressed("reasoning")
    return effort


def _schema_of(text: dict[str, Any] | None) -> dict[str, Any] | None:
    """Read what the answer has to fit; any JSON at all has no neutral word, nor has a verbosity."""
    told = text or {}
    if told.keys() - {"format", "verbosity"} or told.get("verbosity") not in (None, "medium"):
        raise CannotBeExpressed("text")
    form = told.get("format")
    if form is None or form["type"] == "text":
        return None
    if form["type"] != "json_schema" or not isinstance(form["schema"], dict):
        raise CannotBeExpressed("text")
    schema: dict[str, Any] = form["schema"]
    return schema


def _number(value: Any) -> float | None:
    """Read a number."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise TypeError


def _text_or_none(value: Any) -> str | None:
    """Read a text that may be missing."""
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    """Read a text."""
    if isinstance(value, str):
        return value
    raise TypeError
