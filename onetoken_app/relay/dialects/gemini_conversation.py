"""Reads a Gemini request as a conversation, for providers of other dialects. What has no neutral word is refused.

Signatures of thoughts are left out: they mean something to Gemini alone, and no other provider gave them.
"""

from collections.abc import Mapping
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
from onetoken_app.providers.documents import encoded
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.dialects.gemini_members import in_camel_case

_READ = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"})
_CONFIG = frozenset(
    {
        "candidateCount", "maxOutputTokens", "responseJsonSchema", "responseMimeType", "responseSchema",
        "stopSequences", "temperature", "thinkingConfig", "topP",
    }
)  # fmt: skip
_ROLES = {"user": Role.USER, "model": Role.ASSISTANT, "function": Role.USER, None: Role.USER}
_MODES = {"AUTO": Choice.AUTO, "ANY": Choice.ANY, "NONE": Choice.NONE}
_LEVELS = {"LOW": "low", "MEDIUM": "medium", "HIGH": "high"}
_decoder = msgspec.json.Decoder()
_UNFIT = (KeyError, TypeError, ValueError, AttributeError, IndexError)


def conversation_of(request: CallRequest) -> Conversation:
    """Read the whole request.

    Raises:
        CannotBeExpressed: A member has no neutral word, or is not of the shape that the API documents.
    """
    members = {name: _decoder.decode(raw) for name, raw in request.members.items()}
    members = {name: value for name, value in members.items() if value not in (None, [], {})}
    for name in members:
        if name not in _READ:
            raise CannotBeExpressed(name)
    config = _named("generationConfig", _config_of, members.get("generationConfig") or {})
    choice, chosen_tool = _named("toolConfig", _choice_of, members.get("toolConfig") or {})
    return Conversation(
        system=_named("systemInstruction", _system_of, members.get("systemInstruction")),
        turns=_named("contents", _turns_of, members["contents"]),
        is_streaming=request.is_streaming,
        output_tokens_max=request.output_tokens_max,
        tools=_named("tools", _tools_of, members.get("tools") or []),
        choice=choice,
        chosen_tool=chosen_tool,
        stops=tuple(config.get("stopSequences") or ()),
        temperature=config.get("temperature"),
        top_p=config.get("topP"),
        effort=_named("generationConfig", _effort_of, config.get("thinkingConfig") or {}),
        schema=_named("generationConfig", _schema_of_answer, config),
    )


def _named(name: str, read: Any, value: Any) -> Any:
    """Read one member; whatever does not fit is refused under its name."""
    try:
        return read(value)
    except _UNFIT as error:
        raise CannotBeExpressed(name) from error


def _config_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read how the answer is to be, by the words that others have too."""
    config = {name: value for name, value in in_camel_case(given).items() if value is not None}
    for name in config:
        if name not in _CONFIG:
            parameter = f"generationConfig.{name}"
            raise CannotBeExpressed(parameter)
    if not all(isinstance(stop, str) for stop in config.get("stopSequences") or ()):
        parameter = "generationConfig.stopSequences"
        raise CannotBeExpressed(parameter)
    return config


def _effort_of(thinking: Mapping[str, Any]) -> str | None:
    """Read how much is to be thought; a budget in tokens has no word elsewhere, unless it leaves it to the model."""
    given = in_camel_case(thinking)
    level = given.get("thinkingLevel")
    if given.get("thinkingBudget", -1) != -1 or (level is not None and level not in _LEVELS):
        parameter = "generationConfig.thinkingConfig"
        raise CannotBeExpressed(parameter)
    return None if level is None else _LEVELS[level]


def _schema_of_answer(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read what the answer has to fit."""
    kind = config.get("responseMimeType", "text/plain")
    schema = config.get("responseJsonSchema") or _plain_schema(config.get("responseSchema"))
    if (kind, bool(schema)) not in {("text/plain", False), ("application/json", True)}:
        parameter = "generationConfig.responseMimeType"
        raise CannotBeExpressed(parameter)
    found: dict[str, Any] | None = schema or None
    return found


def _system_of(instruction: Any) -> tuple[Text, ...]:
    """Read the instructions."""
    if instruction is None:
        return ()
    if isinstance(instruction, str):
        return (Text(instruction),)
    return tuple(_text_of(part) for part in _listed(instruction["parts"]))


def _turns_of(contents: list[dict[str, Any]]) -> tuple[Turn, ...]:
    """Read the contents; calls without an id are numbered, and answered in their order."""
    turns: list[Turn] = []
    unanswered: dict[str, list[str]] = {}
    call_count = 0
    for content in contents:
        role = _ROLES[content.get("role")]
        parts: list[Part] = []
        for given in _listed(content["parts"]):
            part = in_camel_case(given)
            if "functionCall" in part:
                call = part["functionCall"]
                call_id = str(call.get("id") or f"call_{call_count}")
                call_count += 1
                unanswered.setdefault(str(call["name"]), []).append(call_id)
                parts.append(ToolCall(call_id, str(call["name"]), dict(call.get("args") or {})))
            elif "functionResponse" in part:
                parts.append(_result_of(part["functionResponse"], unanswered))
            elif part.get("thought") is not True:
                parts.append(_part_of(part))
        turns.append(Turn(role, tuple(parts)))
    return tuple(turns)


def _result_of(response: Mapping[str, Any], unanswered: dict[str, list[str]]) -> ToolResult:
    """Read what a tool answered."""
    waiting = unanswered.get(str(response["name"]), [])
    stated = response.get("id")
    call_id = str(stated) if stated else waiting[0]
    if call_id in waiting:
        waiting.remove(call_id)
    answer = response["response"]
    return ToolResult(call_id, encoded(answer).decode(), is_error=isinstance(answer, dict) and set(answer) == {"error"})


def _part_of(part: dict[str, Any]) -> Part:
    """Read words, a picture or a document."""
    if "inlineData" in part:
        data = in_camel_case(part["inlineData"])
        kind = str(data["mimeType"])
        if kind.startswith("image/"):
            return Picture(media_type=kind, base64=str(data["data"]))
        if kind == "application/pdf":
            return Document(str(data["data"]), str(data.get("displayName") or "document.pdf"))
    if "fileData" in part:
        data = in_camel_case(part["fileData"])
        if str(data.get("mimeType", "")).startswith("image/"):
            return Picture(url=str(data["fileUri"]))
    return _text_of(part)


def _text_of(part: Mapping[str, Any]) -> Text:
    """Read words, and refuse a part that holds anything else."""
    if not isinstance(part["text"], str) or set(in_camel_case(part)) - {"text", "thoughtSignature"}:
        parameter = "contents"
        raise CannotBeExpressed(parameter)
    return Text(part["text"])


def _listed(parts: Any) -> list[dict[str, Any]]:
    """Return parts as a list; the API takes one for itself too."""
    return parts if isinstance(parts, list) else [parts]


def _tools_of(tools: list[dict[str, Any]]) -> tuple[Tool, ...]:
    """Read the tools."""
    declared = [in_camel_case(one) for tool in tools for one in in_camel_case(tool)["functionDeclarations"]]
    if any(set(one) - {"name", "description", "parameters", "parametersJsonSchema"} for one in declared):
        parameter = "tools"
        raise CannotBeExpressed(parameter)
    return tuple(
        Tool(
            name=str(one["name"]),
            description=str(one.get("description") or ""),
            schema=one.get("parametersJsonSchema") or _plain_schema(one.get("parameters")) or {"type": "object"},
        )
        for one in declared
    )


def _plain_schema(schema: Any) -> Any:
    """Write Gemini's form of a schema as JSON Schema: types in small letters, null as one of them."""
    if isinstance(schema, list):
        return [_plain_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "properties" and isinstance(value, dict):
            plain[name] = {inner: _plain_schema(one) for inner, one in value.items()}
        elif name == "type" and isinstance(value, str):
            kind = value.lower()
            plain[name] = [kind, "null"] if schema.get("nullable") is True else kind
        elif name not in {"nullable", "propertyOrdering", "property_ordering"}:
            plain[name] = value if name in {"enum", "default", "example"} else _plain_schema(value)
    return plain


def _choice_of(config: dict[str, Any]) -> tuple[Choice | None, str]:
    """Read whether tools are to be used."""
    calling = in_camel_case(in_camel_case(config).get("functionCallingConfig") or {})
    if "mode" not in calling:
        return None, ""
    choice, allowed = _MODES[calling["mode"]], calling.get("allowedFunctionNames") or []
    if not allowed:
        return choice, ""
    if choice is not Choice.ANY or len(allowed) != 1:
        parameter = "toolConfig"
        raise CannotBeExpressed(parameter)
    return Choice.NAMED, str(allowed[0])
