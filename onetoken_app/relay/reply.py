"""What goes back to one caller, in the order in which it must go: head, pieces, end. Nothing is sent after the end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from onetoken_app.errors import OneTokenError
from onetoken_app.relay.dialects.openai_errors import OPENAI_VOICE
from onetoken_app.relay.dialects.voice import Voice, error_headers
from onetoken_app.relay.errors import CallerLeft
from onetoken_app.relay.hang_up import hang_up_on

Send = Callable[[Any], Awaitable[None]]

_STREAM_HEADERS = [
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]
_END_OF_EVENT = b"\n\n"


class Reply:
    """One caller's answer.

    Attributes:
        request_id: The request's id, which every answer carries.
        has_started: The head was sent.
        is_abandoned: Nobody reads any more; writes do nothing.
        is_writing: A write waits for the caller's socket.
    """

    __slots__ = (
        "_announced", "_event_count", "_is_gone", "_is_stream", "_keep_alive", "_peer", "_send", "_voice",
        "has_started", "is_abandoned", "is_writing", "request_id",
    )  # fmt: skip

    def __init__(
        self,
        send: Send,
        *,
        request_id: str,
        peer: tuple[str, int | str] | None = None,
        voice: Voice = OPENAI_VOICE,
    ) -> None:
        """Begin with nothing sent.

        Args:
            send: The server's.
            request_id: The request's id.
            peer: The other end of the connection, as the server names it.
            voice: How errors sound on this route.
        """
        self._send = send
        self._peer = peer
        self._voice = voice
        self.request_id = request_id
        self._keep_alive: asyncio.Task[None] | None = None
        self._announced: list[tuple[bytes, bytes]] = []
        self._event_count = 0
        self._is_gone = False
        self._is_stream = False
        self.has_started = False
        self.is_abandoned = False
        self.is_writing = False

    def announce(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Put headers into the head, whatever kind of answer it will begin."""
        self._announced = headers

    async def send_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a whole plain answer.

        Raises:
            CallerLeft: The connection broke.
        """
        if self.is_abandoned:
            return
        length = (b"content-length", str(len(body)).encode())
        await self._start(status, [*headers, length])
        await self._deliver({"type": "http.response.body", "body": body})

    async def write_events(self, events: bytes) -> None:
        """Send whole events of a stream, after its head; returns when the caller's socket has taken them.

        Raises:
            CallerLeft: The connection broke.
        """
        if self.is_abandoned:
            return
        self.is_writing = True
        try:
            if self._keep_alive is not None:
                await self._keep_alive
                self._keep_alive = None
            if not self.has_started:
                await self._start_stream()
            await self._deliver({"type": "http.response.body", "body": events, "more_body": True})
            self._event_count += events.count(_END_OF_EVENT)
        finally:
            self.is_writing = False

    async def finish_stream(self, events: bytes) -> None:
        """Send the last events of a stream and end it.

        Raises:
            CallerLeft: The connection broke.
        """
        await self.write_events(events)
        if not self.is_abandoned:
            await self._deliver({"type": "http.response.body", "body": b""})

    async def fail(self, error: OneTokenError, *, is_charged: bool = False) -> None:
        """Say an error, if anybody is there and has no whole answer yet.

        It is a plain answer if nothing was sent so far, else the last event of the stream.
        """
        with contextlib.suppress(CallerLeft):
            if self._is_stream:
                await self.finish_stream(self._voice.error_event(error, self.request_id, self._event_count))
            elif not self.has_started:
                body = self._voice.error_body(error, self.request_id)
                await self.send_whole(error.http_status, error_headers(error, is_charged=is_charged), body)

    def keep_alive(self) -> None:
        """Send a sign of life between two events, and the head before the first; returns at once."""
        is_sending = self._keep_alive is not None and not self._keep_alive.done()
        if self.is_abandoned or self.is_writing or is_sending or not self._voice.keep_alive:
            return
        self._keep_alive = asyncio.create_task(self._send_keep_alive())

    def abandon(self) -> None:
        """Send nothing more."""
        self.is_abandoned = True

    def hang_up(self) -> None:
        """Send nothing more, and end the connection of one who does not read."""
        self.abandon()
        hang_up_on(self._peer)

    async def _send_keep_alive(self) -> None:
        """Send the comment that official clients skip; whether the connection broke, the next write finds out."""
        with contextlib.suppress(CallerLeft):
            if not self.has_started:
                await self._start_stream()
            await self._deliver({"type": "http.response.body", "body": self._voice.keep_alive, "more_body": True})

    async def _start_stream(self) -> None:
        """Send the head of a stream."""
        self._is_stream = True
        await self._start(200, [(b"content-type", self._voice.content_type), *_STREAM_HEADERS])

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Send the head, always with the request's id, by both names that official clients look for."""
        self.has_started = True
        request_id = self.request_id.encode()
        names = ((b"x-request-id", request_id), (b"request-id", request_id))
        await self._deliver(
            {"type": "http.response.start", "status": status, "headers": [*headers, *self._announced, *names]}
        )

    async def _deliver(self, message: dict[str, object]) -> None:
        """Hand a message to the server; whatever it raises means that nobody is reached through it any more."""
        if self._is_gone:
            raise _gone()
        try:
            await self._send(message)
        except Exception as error:  # the edge: servers differ in what they raise for a lost connection
            self._is_gone = True
            raise _gone() from error


def _gone() -> CallerLeft:
    """Name it for the record; nobody reads the sentence."""
    return CallerLeft("The caller's connection broke.")
