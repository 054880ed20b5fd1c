"""Anthropic's Messages as callers speak them: the request in, replies and events out.

As with Chat Completions, members that nobody here looks at pass through, and a reply's bytes pass unchanged unless the
model has another name here. Every event carries its name twice, because official clients skip those without.
"""

import msgspec

from onetoken_app.errors import BadRequest
from onetoken_app.providers.documents import document_of, encoded
from onetoken_app.providers.protocol import Dialect, UnusableReply
from onetoken_app.relay.dialects.anthropic_messages_members import check_members, holds_media, upstream_headers
from onetoken_app.relay.dialects.call_request import OUTPUT_TOKENS_MAX, CallRequest
from onetoken_app.relay.dialects.members import (
    count_in,
    flag_in,
    model_named_in,
    put_together,
    take_apart,
    take_reply_apart,
)
from onetoken_app.relay.request_head import RequestHead

_encoder = msgspec.json.Encoder()
_END_OF_STREAM = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def read_request(body: bytes, head: RequestHead) -> CallRequest:
    """Read and check one request, which has to have a limit.

    Raises:
        BadRequest: It has none; see also ``read_uncounted``.
        UnsupportedParameter: See ``read_uncounted``.
    """
    request = read_uncounted(body, head)
    if request.output_tokens_max is None:
        raise BadRequest("max_tokens is required.", parameter="max_tokens")
    return request


def read_uncounted(body: bytes, head: RequestHead) -> CallRequest:
    """Read and check a request whose tokens are only to be counted.

    Raises:
        BadRequest: Not a JSON object, beyond ``json_bounds``, of another version of the API, or a member that money
            depends on is missing or out of bounds.
        UnsupportedParameter: A member or a beta that no price covers.
    """
    members, decoded = take_apart(body)
    check_members(decoded)
    messages = decoded.get("messages")
    if not isinstance(messages, list):
        raise BadRequest("messages has to be a list.", parameter="messages")
    output_tokens_max = count_in(members, "max_tokens", least=0, most=OUTPUT_TOKENS_MAX)
    return CallRequest(
        dialect=Dialect.MESSAGES,
        members=members,
        body_bytes=len(body),
        model_name=model_named_in(members),
        is_streaming=flag_in(members, "stream"),
        wants_usage=True,
        output_tokens_max=output_tokens_max,
        choice_count=1,
        has_tools="tools" in members,
        has_media=holds_media(messages) or holds_media([{"content": decoded.get("system")}]),
        upstream_headers=upstream_headers(head),
    )


def named_event(kind: str, payload: bytes) -> bytes:
    """Write one event.

    Raises:
        UnusableReply: Its kind or its bytes could not stand on a line.
    """
    if not kind.isidentifier() or b"\n" in payload:
        message = "an event has no name"
        raise UnusableReply(message)
    return b"event: " + kind.encode() + b"\ndata: " + payload + b"\n\n"


class PassedOnMessages:
    """Shows the answer of a provider that speaks this dialect."""

    __slots__ = ("_model_name",)

    def __init__(self, *, model_name: str | None) -> None:
        """Begin; without a name the provider's own one is shown."""
        self._model_name = model_name

    def opening(self) -> bytes:
        """Say nothing before the provider does."""
        return b""

    def event(self, payload: bytes) -> bytes:
        """Return an event as the caller gets it.

        Raises:
            UnusableReply: It cannot be taken apart, or has no kind.
        """
        event = document_of(payload)
        kind = event.get("type")
        if not isinstance(kind, str):
            message = "an event has no type"
            raise UnusableReply(message)
        message_started = event.get("message")
        if kind == "message_start" and self._model_name is not None and isinstance(message_started, dict):
            message_started["model"] = self._model_name
            payload = encoded(event)
        return named_event(kind, payload.replace(b"\n", b" "))

    def end(self) -> bytes:
        """Return the last event of a stream that ended well."""
        return _END_OF_STREAM

    def plain(self, body: bytes) -> bytes:
        """Return a plain reply as the caller gets it.

        Raises:
            UnusableReply: It cannot be taken apart.
        """
        if self._model_name is None:
            return body
        members = take_reply_apart(body)
        members["model"] = msgspec.Raw(_encoder.encode(self._model_name))
        return put_together(members)
