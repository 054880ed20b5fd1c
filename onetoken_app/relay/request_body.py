"""Reads a request's body within its bounds. Bodies live in memory only, and only as long as their call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from onetoken_app.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from onetoken_app.relay.errors import CallerLeft, RequestTooSlow
from onetoken_app.relay.request_head import RequestHead

BODY_SECONDS_MAX = 60
JSON_DEPTH_MAX = 64
_OPENING = b"[{"
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")

Receive = Callable[[], Awaitable[Any]]


def check_announcement(head: RequestHead, *, bytes_max: int) -> None:
    """Refuse a body by what its head says, before a byte of it is read.

    Raises:
        UnsupportedMediaType: It is coded, or not JSON.
        PayloadTooLarge: It is announced to be over the limit.
    """
    if head.content_encoding and head.content_encoding.strip().lower() != b"identity":
        raise UnsupportedMediaType("Compressed request bodies are not read here. Send the body without coding.")
    if head.content_type.partition(b";")[0].strip().lower() != b"application/json":
        raise UnsupportedMediaType("The body has to be JSON, sent with Content-Type: application/json.")
    if head.content_length.isdigit() and int(head.content_length[:20]) > bytes_max:
        raise too_large(bytes_max)


async def read_body(receive: Receive, *, bytes_max: int) -> bytes:
    """Read the whole body.

    Raises:
        PayloadTooLarge: It grew beyond ``bytes_max``; the rest is not read.
        CallerLeft: The caller hung up before the end of it.
        RequestTooSlow: It was not complete after ``BODY_SECONDS_MAX``.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            return await _whole_body(receive, bytes_max=bytes_max)
    except TimeoutError as error:
        raise RequestTooSlow(f"The request's body was not complete after {BODY_SECONDS_MAX} seconds.") from error


async def _whole_body(receive: Receive, *, bytes_max: int) -> bytes:
    """Collect the pieces; most bodies are one."""
    pieces: list[bytes] = []
    byte_count = 0
    message = await receive()
    while True:
        if message["type"] != "http.request":
            raise CallerLeft("The caller hung up before the request was complete.")
        piece = message.get("body", b"")
        byte_count += len(piece)
        if byte_count > bytes_max:
            raise too_large(bytes_max)
        pieces.append(piece)
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        message = await receive()


def check_depth(body: bytes) -> None:
    """Refuse JSON that is nested deeper than anything a model is sent; cheap for ordinary bodies.

    Strings are cut out, then one level of empty brackets is taken away at a time.

    Raises:
        BadRequest: It is nested deeper than ``JSON_DEPTH_MAX``.
    """
    if body.count(b"[") + body.count(b"{") <= JSON_DEPTH_MAX:
        return
    outside_strings = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    brackets = b"".join(outside_strings).translate(None, _NOT_BRACKETS)
    for _level in range(JSON_DEPTH_MAX):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return
    if any(bracket in _OPENING for bracket in brackets):
        raise BadRequest(f"The body is nested deeper than {JSON_DEPTH_MAX} levels.")


def too_large(bytes_max: int) -> PayloadTooLarge:
    """Say the limit."""
    return PayloadTooLarge(f"The body is over the limit of {bytes_max} bytes. Nothing was sent on or charged.")
