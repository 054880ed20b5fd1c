"""Which members of a Gemini request do not go on: those that no price covers, or that keep something at the provider.

The API takes each member in two spellings, ``generationConfig`` and ``generation_config``; here they are one.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from onetoken_app.errors import BadRequest
from onetoken_app.relay.errors import UnsupportedParameter

_Value = TypeVar("_Value")
_HUMP = re.compile(r"_([a-z0-9])")
_KEEPS_SOMETHING = frozenset({"cachedContent", "store"})
_CHANGES_THE_PRICE = frozenset({"serviceTier", "labels"})
_FILES = "generativelanguage.googleapis.com"


def in_camel_case(members: Mapping[str, _Value]) -> dict[str, _Value]:
    """Return members by the spelling that answers use.

    Raises:
        BadRequest: One is there in both.
    """
    spelled: dict[str, _Value] = {}
    for name, value in members.items():
        camel = _HUMP.sub(lambda found: found[1].upper(), name)
        if camel in spelled:
            raise BadRequest(f"{camel} is there twice, in two spellings. Send one.", parameter=camel)
        spelled[camel] = value
    return spelled


def check_members(members: Mapping[str, Any]) -> None:
    """Refuse a decoded request by its members, given in camel case.

    Raises:
        UnsupportedParameter: One of them is not served; null and empty are as good as absent.
    """
    for name in _KEEPS_SOMETHING.intersection(members):
        if members[name]:
            raise UnsupportedParameter(
                f"{name} is not served here: nothing of a call is kept at a provider. Send the content itself.",
                parameter=name,
            )
    for name in _CHANGES_THE_PRICE.intersection(members):
        if members[name]:
            raise UnsupportedParameter(f"{name} is not served here: no price covers it.", parameter=name)
    tools = members.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict) or set(in_camel_case(tool)) - {"functionDeclarations"}:
            raise UnsupportedParameter("Only tools that the caller runs are served.", parameter="tools")
    for part in _parts_of(members.get("contents")):
        file = part.get("fileData", part.get("file_data"))
        if isinstance(file, dict) and _FILES in str(file.get("fileUri", file.get("file_uri"))):
            raise UnsupportedParameter(
                "Files that are kept at a provider are not served. Send the content itself.", parameter="contents"
            )


def holds_media(contents: Iterable[Any]) -> bool:
    """Whether anything but text, thoughts and calls of tools is among the parts."""
    known = {
        "text", "thought", "thoughtSignature", "thought_signature", "functionCall", "function_call",
        "functionResponse", "function_response",
    }  # fmt: skip
    return any(set(part) - known for part in _parts_of(list(contents)))


def _parts_of(contents: object) -> Iterable[dict[str, Any]]:
    """Yield the parts of contents, as far as they have the usual shape."""
    for content in contents if isinstance(contents, list) else [contents]:
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) else [parts]:
            if isinstance(part, dict):
                yield part
