"""Reads a Messages request as a conversation, for providers of other dialects. What has no neutral word is refused.

Marks of the cache are left out: a provider of another dialect keeps its cache by itself, and they change no answer.
"""

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

_READ = frozenset(
    {
        "cache_control", "max_tokens", "messages", "metadata", "model", "output_config", "service_tier",
        "stop_sequences", "stream", "system", "temperature", "thinking", "tool_choice", "tools", "top_p",
    }
)  # fmt: skip
_EFFORTS = frozenset({"low", "medium", "high", "xhigh"})
_CHOICES = {"auto": Choice.AUTO, "any": Choice.ANY, "none": Choice.NONE, "tool": Choice.NAMED}
_TOOL_MEMBERS = frozenset({"cache_control", "description", "input_schema", "name", "strict", "type"})
_MARKS = frozenset({"cache_control", "type"})
_decoder = msgspec.json.Decoder()
_UNFIT = (KeyError, TypeError, ValueError, AttributeError)


def conversation_of(request: CallRequest) -> Conversation:
    """Read the whole request.

    Raises:
        CannotBeExpressed: A member has no neutral word, or is not of the shape that the API documents.
    """
    members = {name: _decoder.decode(raw) for name, raw in request.members.items()}
    members = {name: value for name, value in members.items() if value is not None}
    for name in members:
        if name not in _READ:
            raise CannotBeExpressed(name)
    if members.get("thinking", {"type": "disabled"}) not in ({"type": "disabled"}, {"type": "adaptive"}):
        raise CannotBeExpressed("thinking")
    effort, schema = _named("output_config", _output_config_of, members.get("output_config") or {})
    choice, chosen_tool, allows_parallel_calls = _named("tool_choice", _choice_of, members.get("tool_choice"))
    return Conversation(
        system=_named("system", _system_of, members.get("system") or []),
        turns=_named("messages", _turns_of, members["messages"]),
        is_streaming=request.is_streaming,
        output_tokens_max=request.output_tokens_max,
        tools=_named("tools", _tools_of, members.get("tools") or []),
        choice=choice,
        chosen_tool=chosen_tool,
        allows_parallel_calls=allows_parallel_calls,
        stops=_named("stop_sequences", _stops_of, members.get("stop_sequences") or []),
        temperature=members.get("temperature"),
        top_p=members.get("top_p"),
        effort=effort,
        schema=schema,
        end_user=_named("metadata", _end_user_of, members.get("metadata") or {}),
    )


def _named(name: str, read: Any, value: Any) -> Any:
    """Read one member; whatever does not fit is refused under its name."""
    try:
        return read(value)
    except _UNFIT as error:
        raise CannotBeExpressed(name) from error


def _system_of(system: Any) -> tuple[Text, ...]:
    """Read the instructions."""
    return (Text(system),) if isinstance(system, str) else tuple(_text_of(block, "system") for block in system)


def _turns_of(messages: list[dict[str, Any]]) -> tuple[Turn, ...]:
    """Read the messages."""
    turns = []
    for message in messages:
        content, role = message["content"], Role(message["role"])
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        read = _block_of_user if role is Role.USER else _block_of_assistant
        turns.append(Turn(role, tuple(part for part in map(read, blocks) if part is not None)))
    return tuple(turns)


def _text_of(block: dict[str, Any], parameter: str) -> Text:
    """Read a block of text."""
    if block["type"] != "text" or not isinstance(block["text"], str) or not {"text", *_MARKS}.issuperset(_said(block)):
        raise CannotBeExpressed(parameter)
    return Text(block["text"])


def _said(block: dict[str, Any]) -> set[str]:
    """Name the members of a block that say something."""
    return {name for name, value in block.items() if value is not None and value != []}


def _block_of_user(block: dict[str, Any]) -> Part:
    """Read what the caller said, or a tool answered."""
    kind = block["type"]
    if kind == "image":
        source = block["source"]
        if source["type"] == "url":
            return Picture(url=str(source["url"]))
        if source["type"] == "base64":
            return Picture(media_type=str(source["media_type"]), base64=str(source["data"]))
    elif kind == "document":
        return _document_of(block)
    elif kind == "tool_result":
        content = block.get("content") or ""
        texts = (Text(content),) if isinstance(content, str) else tuple(_text_of(one, "messages") for one in content)
        text = "".join(part.text for part in texts)
        return ToolResult(str(block["tool_use_id"]), text, is_error=block.get("is_error") is True)
    return _text_of(block, "messages")


def _document_of(block: dict[str, Any]) -> Part:
    """Read a document: a PDF, or words."""
    source = block["source"]
    if not {"source", "title", *_MARKS}.issuperset(_said(block)):
        raise CannotBeExpressed("messages")
    if source["type"] == "text":
        return Text(str(source["data"]))
    if source["type"] != "base64" or source["media_type"] != "application/pdf":
        raise CannotBeExpressed("messages")
    return Document(str(source["data"]), str(block.get("title") or "document.pdf"))


def _block_of_assistant(block: dict[str, Any]) -> Part | None:
    """Read what the model said; reasoning without a signature came from a provider that takes none back."""
    if block["type"] == "thinking" and not block.get("signature"):
        return None
    if block["type"] == "tool_use":
        if not isinstance(block["input"], dict):
            raise CannotBeExpressed("messages")
        return ToolCall(str(block["id"]), str(block["name"]), block["input"])
    return _text_of(block, "messages")


def _tools_of(tools: list[dict[str, Any]]) -> tuple[Tool, ...]:
    """Read the tools."""
    if not all(tool.get("type") in (None, "custom") and _TOOL_MEMBERS.issuperset(_said(tool)) for tool in tools):
        raise CannotBeExpressed("tools")
    return tuple(
        Tool(str(tool["name"]), tool.get("description") or "", tool["input_schema"], tool.get("strict"))
        for tool in tools
    )


def _choice_of(choice: dict[str, Any] | None) -> tuple[Choice | None, str, bool | None]:
    """Read whether tools are to be used, and whether several at once."""
    if choice is None:
        return None, "", None
    one_at_a_time = choice.get("disable_parallel_tool_use") is True
    return _CHOICES[choice["type"]], str(choice.get("name", "")), False if one_at_a_time else None


def _stops_of(stops: list[Any]) -> tuple[str, ...]:
    """Read the sequences."""
    if not all(isinstance(stop, str) for stop in stops):
        raise CannotBeExpressed("stop_sequences")
    return tuple(stops)


def _is_effort(value: object) -> bool:
    """Whether this is an effort with a word on the other side."""
    return isinstance(value, str) and value in _EFFORTS


def _output_config_of(config: dict[str, Any]) -> tuple[str | None, dict[str, Any] | None]:
    """Read how the answer is to be."""
    effort, form = config.get("effort"), config.get("format")
    if not {"effort", "format"}.issuperset(config) or (effort is not None and not _is_effort(effort)):
        raise CannotBeExpressed("output_config")
    if form is not None and (form["type"] != "json_schema" or not isinstance(form["schema"], dict)):
        raise CannotBeExpressed("output_config")
    return effort, form["schema"] if form else None


def _end_user_of(metadata: dict[str, Any]) -> str | None:
    """Read the caller's name of whoever asks."""
    if not {"user_id"}.issuperset(metadata):
        raise CannotBeExpressed("metadata")
    end_user: str | None = metadata.get("user_id")
    return end_user
