"""Reads a request's body within its bounds. Bodies live in memory only, and only as long as their call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from onetoken_app.errors import PayloadTooLarge, UnsupportedMediaType
from onetoken_app.relay.errors import CallerLeft, RequestTooSlow
from onetoken_app.relay.request_head import RequestHead

BODY_SECONDS_MAX = 60

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


def too_large(bytes_max: int) -> PayloadTooLarge:
    """Say the limit."""
    return PayloadTooLarge(f"The body is over the limit of {bytes_max} bytes. Nothing was sent on or charged.")
