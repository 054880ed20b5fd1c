"""Files through plain ASGI routes: bodies in, within bounds of size, time and number, and files out to keep.

Whoever calls ``FileIntake.body`` knows already who sends and that they may: it reads bytes of nobody else.
"""

import asyncio
from http import HTTPStatus
from urllib.parse import quote, unquote

from onetoken_app.console.http_exchange import Receive, RefusedExchange, Scope, Send, header
from onetoken_app.errors import PayloadTooLarge

UPLOAD_SECONDS_MAX = 300
"""How long the body of an upload may take."""
GRACE_SECONDS = 10.0
"""How long it may take before it has to keep up with ``BYTES_PER_SECOND_MIN``."""
BYTES_PER_SECOND_MIN = 40_000
"""The slowest line on which a file of the largest size gets through."""
UPLOADS_AT_ONCE_MAX = 8
"""Bodies that one process holds in memory at the same time on one route; one of each person."""


class FileIntake:
    """Reads the files of one route."""

    def __init__(self, *, bytes_max: int, too_large: PayloadTooLarge) -> None:
        """Begin with nobody.

        Args:
            bytes_max: Of one file.
            too_large: What a larger one is answered with.
        """
        self._bytes_max = bytes_max
        self._too_large = too_large
        self._senders: set[str] = set()
        """Who is sending a file at this moment."""

    async def body(self, scope: Scope, receive: Receive, *, sender_id: str) -> bytes:
        """Read a file; few at once, because each is held in memory.

        One person sends one at a time: who sends slowly, or often, is in nobody's way but their own.
        """
        announced = header(scope, b"content-length")
        if announced.isdecimal() and int(announced) > self._bytes_max:
            raise self._too_large
        if sender_id in self._senders:
            raise RefusedExchange(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", seconds=5)
        if len(self._senders) >= UPLOADS_AT_ONCE_MAX:
            raise RefusedExchange(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", seconds=5)
        self._senders.add(sender_id)
        try:
            return await self._read(receive)
        except TimeoutError:
            raise RefusedExchange(HTTPStatus.REQUEST_TIMEOUT, "too_slow") from None
        finally:
            self._senders.discard(sender_id)

    async def _read(self, receive: Receive) -> bytes:
        """Read a body; stop at the first byte that is too many, and when it falls behind the slowest rate.

        Raises:
            TimeoutError: It came too slowly, or took too long.
        """
        body = bytearray()
        began_at_seconds = asyncio.get_running_loop().time()
        while True:
            allowed_seconds = min(GRACE_SECONDS + len(body) / BYTES_PER_SECOND_MIN, UPLOAD_SECONDS_MAX)
            async with asyncio.timeout_at(began_at_seconds + allowed_seconds):
                message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedExchange(HTTPStatus.BAD_REQUEST, "hung_up")
            body += message.get("body", b"")
            if len(body) > self._bytes_max:
                raise self._too_large
            if not message.get("more_body", False):
                return bytes(body)


def file_name(scope: Scope) -> str:
    """Read a file's name, percent-encoded because headers hold no other letters."""
    try:
        name = unquote(header(scope, b"x-document-name"), errors="strict")
    except UnicodeDecodeError:
        name = ""
    if not name:
        raise RefusedExchange(HTTPStatus.BAD_REQUEST, "invalid_request")
    return name


async def send_file(send: Send, file: bytes, *, name: str, media_type: str) -> None:
    """Answer with a file that no browser opens in the console's own origin."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(file)).encode()),
        (b"content-disposition", disposition.encode()),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": file})
