"""OpenAI's Chat Completions as callers speak them: the request in, replies and chunks out.

A request is kept as raw members and only those that matter are looked at, so that parameters of tomorrow pass through.
A reply's bytes pass unchanged unless the model has another name here, or usage was not asked for.
"""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from onetoken_app.errors import BadRequest
from onetoken_app.providers.protocol import CHOICES_MAX, UnusableReply
from onetoken_app.relay.dialects.openai_chat_members import check_members, check_spelling, holds_media
from onetoken_app.relay.json_bounds import check_bounds

OUTPUT_TOKENS_MAX = 100_000_000
"""A larger limit is a mistake or an attack on arithmetic."""

_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text_decoder = msgspec.json.Decoder(str)
_any_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_USAGE_MEMBER = b'"usage"'
_USAGE_OPTIONS = frozenset({"include_usage"})


@dataclass(frozen=True, slots=True, repr=False)
class ChatRequest:
    """One request, checked. Never printed: it holds content."""

    members: dict[str, msgspec.Raw]
    body_bytes: int
    model_name: str
    is_streaming: bool
    wants_usage: bool
    """Whether the caller asked for usage on its stream."""
    output_tokens_max: int | None
    """The caller's own limit for one choice."""
    choice_count: int
    has_tools: bool
    has_media: bool
    """Whether its messages hold anything but text, whose tokens nobody can tell from the bytes."""


def read_request(body: bytes) -> ChatRequest:
    """Read and check one request.

    Every value is read once here, so that nothing that is looked at later can turn out to be unreadable.

    Raises:
        BadRequest: Not a JSON object, beyond ``json_bounds``, a text that is no UTF-8, a number that no double holds,
            or a member that money depends on is missing or out of bounds.
        UnsupportedParameter: A member that no price covers.
    """
    members, decoded = _members_of(body)
    messages = members.get("messages")
    if messages is None or bytes(memoryview(messages)[:1]) != b"[":
        raise BadRequest("messages has to be a list.", parameter="messages")
    is_streaming = _flag(members, "stream")
    completion_limit = _count(members, "max_completion_tokens", most=OUTPUT_TOKENS_MAX)
    older_limit = _count(members, "max_tokens", most=OUTPUT_TOKENS_MAX)
    return ChatRequest(
        members=members,
        body_bytes=len(body),
        model_name=_model_name(members),
        is_streaming=is_streaming,
        wants_usage=is_streaming and _wants_usage(members),
        output_tokens_max=_one_of(completion_limit, older_limit),
        choice_count=_count(members, "n", most=CHOICES_MAX) or 1,
        has_tools="tools" in members or "functions" in members,
        has_media=holds_media(decoded["messages"]),
    )


def shaped_reply(body: bytes, *, model_name: str | None) -> bytes:
    """Return a plain reply as the caller gets it.

    Args:
        body: The provider's bytes, a JSON object.
        model_name: The name to show instead of the provider's; ``None`` leaves the bytes as they are.

    Raises:
        UnusableReply: It cannot be taken apart.
    """
    if model_name is None:
        return body
    members = _upstream_members(body)
    members["model"] = msgspec.Raw(_encoder.encode(model_name))
    return _encoder.encode(members)


def shaped_chunk(payload: bytes, *, model_name: str | None, wants_usage: bool) -> bytes | None:
    """Return one chunk of a stream as the caller gets it, or ``None`` for the chunk that only carries usage.

    Args:
        payload: The provider's bytes, a JSON object.
        model_name: The name to show instead of the provider's; ``None`` leaves it.
        wants_usage: Whether the caller asked for usage.

    Raises:
        UnusableReply: It cannot be taken apart.
    """
    drops_usage = not wants_usage and _USAGE_MEMBER in payload
    if model_name is None and not drops_usage:
        return payload
    members = _upstream_members(payload)
    if drops_usage:
        usage = members.pop("usage", None)
        if usage is not None and bytes(usage) != b"null" and _is_empty(members.get("choices")):
            return None
    if model_name is not None and "model" in members:
        members["model"] = msgspec.Raw(_encoder.encode(model_name))
    return _encoder.encode(members)


def _upstream_members(document: bytes) -> dict[str, msgspec.Raw]:
    """Take a provider's document apart; where the strict decoder cannot, as the official clients' would."""
    try:
        return _members_decoder.decode(document)
    except _UNREADABLE:
        pass
    try:
        members = json.loads(document)
    except (ValueError, RecursionError) as error:
        message = "not JSON"
        raise UnusableReply(message) from error
    if not isinstance(members, dict):
        message = "not a JSON object"
        raise UnusableReply(message)
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in members.items()}


def _is_empty(choices: msgspec.Raw | None) -> bool:
    """Whether there is no choice."""
    return choices is None or bytes(choices).translate(None, b" \t\r\n") in {b"[]", b"null"}


def _members_of(body: bytes) -> tuple[dict[str, msgspec.Raw], dict[str, Any]]:
    """Take the body apart, raw and decoded; raw members alone would let bad numbers and bytes pass unseen."""
    try:
        members = _members_decoder.decode(body)
        check_bounds(body)
        decoded = _any_decoder.decode(body)
        check_members(decoded)
    except _UNREADABLE as error:
        raise BadRequest("The body is not a JSON object, or holds a text or number that cannot be read.") from error
    return members, decoded


def _model_name(members: dict[str, msgspec.Raw]) -> str:
    """Read which model is named."""
    try:
        name = _text_decoder.decode(members["model"])
    except (KeyError, *_UNREADABLE) as error:
        raise BadRequest("model has to name a model.", parameter="model") from error
    return name


def _value(members: dict[str, msgspec.Raw], name: str) -> Any:
    """Read a member that should be small; ``None`` when it is absent or null."""
    raw = members.get(name)
    if raw is None:
        return None
    try:
        return _any_decoder.decode(raw)
    except _UNREADABLE as error:
        raise BadRequest(f"{name} cannot be read.", parameter=name) from error


def _flag(members: dict[str, msgspec.Raw], name: str) -> bool:
    """Read true or false."""
    value = _value(members, name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadRequest(f"{name} has to be true or false.", parameter=name)


def _count(members: dict[str, msgspec.Raw], name: str, *, most: int) -> int | None:
    """Read a whole number from 1 to ``most``; money is computed with it, so nothing is rounded or guessed."""
    value = _value(members, name)
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise BadRequest(f"{name} has to be a whole number from 1 to {most}.", parameter=name)
    return value


def _one_of(completion_limit: int | None, older_limit: int | None) -> int | None:
    """Take the one limit; of two different ones a back-end could keep to the other one than was paid for."""
    if completion_limit is not None and older_limit is not None and completion_limit != older_limit:
        raise BadRequest("max_tokens differs from max_completion_tokens; send one of them.", parameter="max_tokens")
    return older_limit if completion_limit is None else completion_limit


def _wants_usage(members: dict[str, msgspec.Raw]) -> bool:
    """Read whether usage was asked for on the stream."""
    options = _value(members, "stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise BadRequest("stream_options has to be an object.", parameter="stream_options")
    check_spelling(options, _USAGE_OPTIONS)
    return options.get("include_usage") is True
