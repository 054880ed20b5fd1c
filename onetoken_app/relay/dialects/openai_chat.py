"""OpenAI's Chat Completions as callers speak them: the request in, replies and chunks out.

A request is kept as raw members and only those that matter are looked at, so that parameters of tomorrow pass through.
A reply's bytes pass unchanged unless the model has another name here, or usage was not asked for.
"""

import msgspec

from onetoken_app.errors import BadRequest
from onetoken_app.providers.event_stream import DONE, event_of
from onetoken_app.providers.protocol import CHOICES_MAX, Dialect
from onetoken_app.relay.dialects.call_request import OUTPUT_TOKENS_MAX, CallRequest
from onetoken_app.relay.dialects.members import (
    Members,
    count_in,
    flag_in,
    model_named_in,
    put_together,
    take_apart,
    take_reply_apart,
    value_in,
)
from onetoken_app.relay.dialects.openai_chat_members import check_members, check_spelling, holds_media

_encoder = msgspec.json.Encoder()
_USAGE_MEMBER = b'"usage"'
_USAGE_OPTIONS = frozenset({"include_usage"})
_END_OF_STREAM = event_of(DONE)


def read_request(body: bytes) -> CallRequest:
    """Read and check one request.

    Every value is read once here, so that nothing that is looked at later can turn out to be unreadable.

    Raises:
        BadRequest: Not a JSON object, beyond ``json_bounds``, a text that is no UTF-8, a number that no double holds,
            or a member that money depends on is missing or out of bounds.
        UnsupportedParameter: A member that no price covers.
    """
    members, decoded = take_apart(body)
    check_members(decoded)
    messages = members.get("messages")
    if messages is None or bytes(memoryview(messages)[:1]) != b"[":
        raise BadRequest("messages has to be a list.", parameter="messages")
    is_streaming = flag_in(members, "stream")
    completion_limit = count_in(members, "max_completion_tokens", most=OUTPUT_TOKENS_MAX)
    older_limit = count_in(members, "max_tokens", most=OUTPUT_TOKENS_MAX)
    return CallRequest(
        dialect=Dialect.CHAT,
        members=members,
        body_bytes=len(body),
        model_name=model_named_in(members),
        is_streaming=is_streaming,
        wants_usage=is_streaming and _wants_usage(members),
        output_tokens_max=_one_of(completion_limit, older_limit),
        choice_count=count_in(members, "n", most=CHOICES_MAX) or 1,
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
    members = take_reply_apart(body)
    members["model"] = msgspec.Raw(_encoder.encode(model_name))
    return put_together(members)


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
    members = take_reply_apart(payload)
    if drops_usage:
        usage = members.pop("usage", None)
        if usage is not None and bytes(usage) != b"null" and _is_empty(members.get("choices")):
            return None
    if model_name is not None and "model" in members:
        members["model"] = msgspec.Raw(_encoder.encode(model_name))
    return put_together(members)


def _is_empty(choices: msgspec.Raw | None) -> bool:
    """Whether there is no choice."""
    return choices is None or bytes(choices).translate(None, b" \t\r\n") in {b"[]", b"null"}


def _one_of(completion_limit: int | None, older_limit: int | None) -> int | None:
    """Take the one limit; of two different ones a back-end could keep to the other one than was paid for."""
    if completion_limit is not None and older_limit is not None and completion_limit != older_limit:
        raise BadRequest("max_tokens differs from max_completion_tokens; send one of them.", parameter="max_tokens")
    return older_limit if completion_limit is None else completion_limit


def _wants_usage(members: Members) -> bool:
    """Read whether usage was asked for on the stream."""
    options = value_in(members, "stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise BadRequest("stream_options has to be an object.", parameter="stream_options")
    check_spelling(options, _USAGE_OPTIONS)
    return options.get("include_usage") is True


class PassedOnChat:
    """Shows the answer of a provider that speaks this dialect."""

    __slots__ = ("_model_name", "_wants_usage")

    def __init__(self, *, model_name: str | None, wants_usage: bool) -> None:
        """Begin; see ``shaped_chunk``."""
        self._model_name = model_name
        self._wants_usage = wants_usage

    def opening(self) -> bytes:
        """Say nothing before the provider does."""
        return b""

    def event(self, payload: bytes) -> bytes:
        """Return an event as the caller gets it, or nothing."""
        chunk = shaped_chunk(payload, model_name=self._model_name, wants_usage=self._wants_usage)
        return b"" if chunk is None else event_of(chunk)

    def end(self) -> bytes:
        """Return the last event of a stream that ended well."""
        return _END_OF_STREAM

    def plain(self, body: bytes) -> bytes:
        """Return a plain reply as the caller gets it."""
        return shaped_reply(body, model_name=self._model_name)
