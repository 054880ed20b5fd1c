"""What goes back to one caller, in the order in which it must go: head, pieces, end. Nothing is sent after the end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from onetoken_app.errors import OneTokenError
from onetoken_app.providers.event_stream import KEEP_ALIVE, event_of
from onetoken_app.relay.dialects.openai_errors import error_body, error_headers

Send = Callable[[Any], Awaitable[None]]

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class Reply:
    """One caller's answer.

    Attributes:
        has_started: The head was sent.
        is_abandoned: Nobody reads any more; writes do nothing.
        is_writing: A write waits for the caller's socket.
    """

    __slots__ = ("_keep_alive", "_request_id", "_send", "has_started", "is_abandoned", "is_writing")

    def __init__(self, send: Send, *, request_id: str) -> None:
        """Begin with nothing sent."""
        self._send = send
        self._request_id = request_id.encode()
        self._keep_alive: asyncio.Task[None] | None = None
        self.has_started = False
        self.is_abandoned = False
        self.is_writing = False

    async def send_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a whole plain answer."""
        if self.is_abandoned:
            return
        self.has_started = True
        length = (b"content-length", str(len(body)).encode())
        await self._start(status, [*headers, length])
        await self._send({"type": "http.response.body", "body": body})

    async def write_events(self, events: bytes) -> None:
        """Send whole events of a stream, after its head; returns when the caller's socket has taken them."""
        if self.is_abandoned:
            return
        self.is_writing = True
        try:
            if self._keep_alive is not None:
                await self._keep_alive
                self._keep_alive = None
            if not self.has_started:
                self.has_started = True
                await self._start(200, _STREAM_HEADERS)
            await self._send({"type": "http.response.body", "body": events, "more_body": True})
        finally:
            self.is_writing = False

    async def finish_stream(self, events: bytes) -> None:
        """Send the last events of a stream and end it."""
        await self.write_events(events)
        if not self.is_abandoned:
            await self._send({"type": "http.response.body", "body": b""})

    async def fail(self, error: OneTokenError, *, is_charged: bool = False) -> None:
        """Say an error: as a plain answer if nothing was sent yet, else as the last event of the stream."""
        if self.has_started:
            await self.finish_stream(event_of(error_body(error)))
        else:
            await self.send_whole(error.http_status, error_headers(error, is_charged=is_charged), error_body(error))

    def keep_alive(self) -> None:
        """Send a sign of life between two events, and the head before the first; returns at once."""
        is_sending = self._keep_alive is not None and not self._keep_alive.done()
        if self.is_abandoned or self.is_writing or is_sending:
            return
        self._keep_alive = asyncio.create_task(self._send_keep_alive())

    def abandon(self) -> None:
        """Send nothing more."""
        self.is_abandoned = True

    async def _send_keep_alive(self) -> None:
        """Send the comment that official clients skip."""
        if not self.has_started:
            self.has_started = True
            await self._start(200, _STREAM_HEADERS)
        await self._send({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the head, always with the request's id, by both names that official clients look for."""
        names = ((b"x-request-id", self._request_id), (b"request-id", self._request_id))
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *names]})
