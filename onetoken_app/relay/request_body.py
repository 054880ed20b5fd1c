"""Reads a request's body within its bounds. Bodies live in memory only, and only as long as their call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

from onetoken_app.errors import PayloadTooLarge, UnsupportedMediaType
from onetoken_app.relay.errors import CallerLeft, Overloaded, RequestTooSlow
from onetoken_app.relay.request_head import RequestHead

BODY_SECONDS_MAX = 60
BODY_SECONDS_MIN = 10
"""A body has this time in any case, and a second more for each ``BODY_BYTES_PER_SECOND`` that came."""
BODY_BYTES_PER_SECOND = 4096
BUFFERED_BODIES_MAX = 16
"""Bodies of the largest size that one process may hold at once, in bytes; smaller ones share the same room."""

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


class BodyRoom:
    """The memory that the bodies of all open calls may take together."""

    def __init__(self, *, bytes_max: int) -> None:
        """Have all of it free."""
        self._bytes_left = bytes_max

    def take(self, byte_count: int) -> None:
        """Take a part.

        Raises:
            Overloaded: There is not that much left; nothing was taken.
        """
        if byte_count > self._bytes_left:
            raise Overloaded("Too many request bodies are held at the moment; nothing was sent on. Try again shortly.")
        self._bytes_left -= byte_count

    def give_back(self, byte_count: int) -> None:
        """Give a part back."""
        self._bytes_left += byte_count


class BodyShare:
    """What one call takes of the room; given back when the block ends, however it does."""

    __slots__ = ("_byte_count", "_room")

    def __init__(self, room: BodyRoom) -> None:
        """Take nothing yet."""
        self._room = room
        self._byte_count = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_how: object) -> None:
        """Give everything back."""
        self._room.give_back(self._byte_count)

    def take(self, byte_count: int) -> None:
        """Take more.

        Raises:
            Overloaded: There is not that much left.
        """
        self._room.take(byte_count)
        self._byte_count += byte_count


async def read_body(receive: Receive, share: BodyShare, *, bytes_max: int) -> bytes:
    """Read the whole body.

    Raises:
        PayloadTooLarge: It grew beyond ``bytes_max``; the rest is not read.
        Overloaded: The process holds as many bytes of bodies as it may.
        CallerLeft: The caller hung up before the end of it.
        RequestTooSlow: It came slower than ``BODY_BYTES_PER_SECOND``, or was not complete after ``BODY_SECONDS_MAX``.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS_MIN) as deadline:
            return await _whole_body(receive, share, deadline, bytes_max=bytes_max)
    except TimeoutError as error:
        raise RequestTooSlow("The request's body came too slowly; nothing was sent on.") from error


async def _whole_body(receive: Receive, share: BodyShare, deadline: asyncio.Timeout, *, bytes_max: int) -> bytes:
    """Collect the pieces; most bodies are one."""
    pieces: list[bytes] = []
    byte_count = 0
    began_at_seconds = (deadline.when() or 0.0) - BODY_SECONDS_MIN
    message = await receive()
    while True:
        if message["type"] != "http.request":
            raise CallerLeft("The caller hung up before the request was complete.")
        piece = message.get("body", b"")
        byte_count += len(piece)
        if byte_count > bytes_max:
            raise too_large(bytes_max)
        share.take(len(piece))
        pieces.append(piece)
        if not message.get("more_body"):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        seconds = min(BODY_SECONDS_MAX, BODY_SECONDS_MIN + byte_count / BODY_BYTES_PER_SECOND)
        deadline.reschedule(began_at_seconds + seconds)
        message = await receive()


def too_large(bytes_max: int) -> PayloadTooLarge:
    """Say the limit."""
    return PayloadTooLarge(f"The body is over the limit of {bytes_max} bytes. Nothing was sent on or charged.")
