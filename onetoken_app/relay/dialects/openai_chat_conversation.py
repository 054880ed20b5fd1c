"""Reads a chat request as a conversation, for providers of other dialects. What has no neutral word is refused."""

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
        "max_completion_tokens", "max_tokens", "messages", "modalities", "model", "parallel_tool_calls",
        "reasoning_effort", "response_format", "service_tier", "stop", "store", "stream", "stream_options",
        "temperature", "tool_choice", "tools", "top_p", "user",
    }
)  # fmt: skip
_AS_GOOD_AS_ABSENT = {"n": 1, "frequency_penalty": 0, "presence_penalty": 0}
_EFFORTS = frozenset({"low", "medium", "high", "xhigh"})
_CHOICES = {"auto": Choice.AUTO, "required": Choice.ANY, "none": Choice.NONE}
_ROLES_MEMBERS = {
    "system": {"role", "content"},
    "developer": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "reasoning_content"},
    "tool": {"role", "content", "tool_call_id"},
}
_decoder = msgspec.json.Decoder()
_UNFIT = (KeyError, TypeError, ValueError, AttributeError, msgspec.DecodeError)


def conversation_of(request: CallRequest) -> Conversation:
    """Read the whole request.

    Raises:
        CannotBeExpressed: A member has no neutral word, or is not of the shape that the API documents.
    """
    members = {name: _decoder.decode(raw) for name, raw in request.members.items()}
    members = {name: value for name, value in members.items() if value is not None and value is not False}
    for name, value in members.items():
        if name not in _READ and _AS_GOOD_AS_ABSENT.get(name) != value:
            raise CannotBeExpressed(name)
    system, turns = _named("messages", _turns_of, members["messages"])
    choice, chosen_tool = _named("tool_choice", _choice_of, members.get("tool_choice"))
    effort = members.get("reasoning_effort")
    if effort is not None and (not isinstance(effort, str) or effort not in _EFFORTS):
        raise CannotBeExpressed("reasoning_effort")
    return Conversation(
        system=system,
        turns=turns,
        is_streaming=request.is_streaming,
        output_tokens_max=request.output_tokens_max,
        tools=_named("tools", _tools_of, members.get("tools") or []),
        choice=choice,
        chosen_tool=chosen_tool,
        allows_parallel_calls=False
        if "parallel_tool_calls" in request.members and ("parallel_tool_calls" not in members)
        else None,
        stops=_named("stop", _stops_of, members.get("stop")),
        temperature=_named("temperature", _number, members.get("temperature")),
        top_p=_named("top_p", _number, members.get("top_p")),
        effort=effort,
        schema=_named("response_format", _schema_of, members.get("response_format")),
        end_user=_named("user", _text_or_none, members.get("user")),
    )


def _named(name: str, read: Any, value: Any) -> Any:
    """Read one member; whatever does not fit is refused under its name."""
    try:
        return read(value)
    except _UNFIT as error:
        raise CannotBeExpressed(name) from error


def _turns_of(messages: list[dict[str, Any]]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """Read the messages; instructions stand ahead of everything else, or nowhere."""
    system: list[Text] = []
    turns: list[Turn] = []
    for message in messages:
        role = message["role"]
        said = {name: value for name, value in message.items() if value is not None}
        if not _ROLES_MEMBERS[role].issuperset(said):
            raise CannotBeExpressed("messages")
        if role in {"system", "developer"}:
            if turns:
                raise CannotBeExpressed("messages")
            system.extend(_texts_of(said["content"]))
        elif role == "tool":
            text = "".join(part.text for part in _texts_of(said["content"]))
            turns.append(Turn(Role.USER, (ToolResult(str(said["tool_call_id"]), text),)))
        elif role == "assistant":
            calls = tuple(_call_of(call) for call in said.get("tool_calls", ()))
            turns.append(Turn(Role.ASSISTANT, (*_texts_of(said.get("content", [])), *calls)))
        else:
            turns.append(Turn(Role.USER, _parts_of(said["content"])))
    return tuple(system), tuple(turns)


def _texts_of(content: Any) -> tuple[Text, ...]:
    """Read content that can only be text; empty texts say nothing."""
    parts = _parts_of(content)
    if not all(isinstance(part, Text) for part in parts):
        raise CannotBeExpressed("messages")
    return tuple(part for part in parts if isinstance(part, Text) and part.text)


def _parts_of(content: Any) -> tuple[Part, ...]:
    """Read content: a text, or a list of parts."""
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_part_of(part) for part in content)


def _part_of(part: dict[str, Any]) -> Part:
    """Read one part."""
    kind = part["type"]
    if kind in {"text", "refusal"} and set(part) == {"type", kind} and isinstance(part[kind], str):
        return Text(part[kind])
    if kind == "image_url":
        picture = part["image_url"]
        if picture.get("detail", "auto") != "auto" or not isinstance(picture["url"], str):
            raise CannotBeExpressed("detail")
        found = _DATA_URL.fullmatch(picture["url"])
        return Picture(media_type=found[1], base64=found[2]) if found else Picture(url=picture["url"])
    if kind == "file":
        found = _DATA_URL.fullmatch(part["file"]["file_data"])
        if found and found[1] == "application/pdf":
            return Document(found[2], str(part["file"].get("filename", "document.pdf")))
    raise CannotBeExpressed("messages")


def _call_of(call: dict[str, Any]) -> ToolCall:
    """Read one call of a tool, whose arguments are an object, or nothing."""
    arguments = call["function"]["arguments"]
    decoded = _decoder.decode(arguments) if arguments else {}
    if not isinstance(decoded, dict):
        raise CannotBeExpressed("messages")
    return ToolCall(str(call["id"]), str(call["function"]["name"]), decoded)


def _tools_of(tools: list[dict[str, Any]]) -> tuple[Tool, ...]:
    """Read the tools; one without parameters takes none."""
    if any(tool["type"] != "function" for tool in tools):
        raise CannotBeExpressed("tools")
    functions = [tool["function"] for tool in tools]
    return tuple(
        Tool(
            str(function["name"]),
            function.get("description") or "",
            function.get("parameters") or {"type": "object", "properties": {}},
            function.get("strict"),
        )
        for function in functions
    )


def _choice_of(choice: Any) -> tuple[Choice | None, str]:
    """Read whether tools are to be used."""
    if choice is None:
        return None, ""
    if isinstance(choice, str):
        return _CHOICES[choice], ""
    return Choice.NAMED, str(choice["function"]["name"])


def _stops_of(stop: Any) -> tuple[str, ...]:
    """Read one sequence or several."""
    if stop is None:
        return ()
    stops = (stop,) if isinstance(stop, str) else tuple(stop)
    if not all(isinstance(one, str) for one in stops):
        raise CannotBeExpressed("stop")
    return stops


def _schema_of(form: Any) -> dict[str, Any] | None:
    """Read what the answer has to fit; any JSON at all has no neutral word."""
    if form is None or form["type"] == "text":
        return None
    if form["type"] != "json_schema" or not isinstance(form["json_schema"]["schema"], dict):
        raise CannotBeExpressed("response_format")
    schema: dict[str, Any] = form["json_schema"]["schema"]
    return schema


def _number(value: Any) -> float | None:
    """Read a number."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise TypeError


def _text_or_none(value: Any) -> str | None:
    """Read a text."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError
