"""One connection to an upstream: a request out, the head and the pieces of its answer back, HTTP/1.1 by httptools.

What an upstream sends is bounded: by the socket's own flow control while nobody takes the body, and by a number of
bytes without any content for everything around it. Whatever is not HTTP, or ends early, is ``UpstreamBroke``.
"""

import asyncio
import select
from collections import deque
from typing import cast

import httptools

READ_BUFFER_BYTES = 64 * 1024
"""Reading from an upstream pauses at twice this, so that a slow caller slows its upstream down."""
WRITE_PIECE_BYTES = 64 * 1024
"""A large request leaves in pieces of this, as fast as the upstream takes them."""
BYTES_WITHOUT_CONTENT_MAX = 64 * 1024
"""Heads, interim answers, sizes of chunks and trailers that may follow each other before any byte of a body."""
_VERSIONS = {"1.1", "1.0"}
_KEPT_HEADERS = frozenset(
    {
        b"content-type", b"content-encoding", b"content-length", b"transfer-encoding", b"x-request-id", b"request-id",
        b"retry-after",
    }
)  # fmt: skip


class UpstreamBroke(Exception):
    """No connection, or it broke. Carries no text of the other side."""


_IDLE, _WAITING, _BODY, _COMPLETE, _BROKEN = range(5)
"""How far an answer came: no request is under way; no whole head has come; the head is whole; the body is whole;
nothing more can come. Numbers, because members of an enum are looked up too slowly for every packet."""


class UpstreamConnection(asyncio.Protocol):
    """One connection, with one request at a time.

    Attributes:
        status: Of the answer, once its head is whole.
        headers: Those of its headers that anybody asks for, names in lower case.
        idle_since_seconds: When it was last given back, by the loop's clock.
    """

    __slots__ = (
        "_buffered_bytes", "_bytes_without_content", "_is_delimited", "_is_paused", "_is_reusable", "_is_writable",
        "_loop", "_parser", "_pieces", "_poll", "_state", "_transport", "_waiter", "headers", "idle_since_seconds",
        "status",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have no transport yet."""
        self._loop = loop
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._poll: select.poll | None = None
        self._state = _IDLE
        self._pieces: deque[bytes] = deque()
        self._buffered_bytes = 0
        self._bytes_without_content = 0
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False
        self._is_writable = True
        self._is_reusable = True
        self._is_delimited = True
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.idle_since_seconds = 0.0

    @property
    def is_fit(self) -> bool:
        """Whether another request may be sent on it: whole, kept alive by the other side, and silent since."""
        transport, poll = self._transport, self._poll
        if transport is None or poll is None or self._state != _IDLE or transport.is_closing():
            return False
        # What can be read from an idle connection is its end, or an answer to nothing; the loop may not know it yet.
        return not poll.poll(0)

    async def send(self, head: bytes, body: bytes) -> None:
        """Send one request, and return once the head of its answer is here.

        An upstream that answers before it has taken the whole request gets no more of it.

        Raises:
            UpstreamBroke: The connection broke, or what came is no answer.
        """
        self._state = _WAITING
        self._bytes_without_content = 0
        self.status = 0
        self.headers = {}
        if len(body) <= WRITE_PIECE_BYTES:
            self._write(head + body)
        else:
            await self._write_large(head, body)
        while self._state == _WAITING:
            await self._wait()
        if self._state == _BROKEN and not self.status:
            raise UpstreamBroke

    async def next_piece(self) -> bytes:
        """Return what came of the body, or nothing at its end.

        Raises:
            UpstreamBroke: The connection ended before the body did, and everything before was returned.
        """
        while not self._pieces:
            if self._state == _COMPLETE:
                return b""
            if self._state != _BODY:
                raise UpstreamBroke
            await self._wait()
        pieces = self._pieces
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._buffered_bytes = 0
        if self._is_paused:
            self._is_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
        return piece

    def finish(self) -> bool:
        """End the exchange; return whether the connection can be used again, else it is closed at once."""
        transport = self._transport
        is_whole = self._state == _COMPLETE and not self._pieces
        if not is_whole or not self._is_reusable or transport is None or transport.is_closing():
            self.abort()
            return False
        self._state = _IDLE
        return True

    def abort(self) -> None:
        """Close the connection at once, whatever is under way."""
        self._break()
        self._pieces.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; uvloop's are no subclass of asyncio's."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_PIECE_BYTES)
        descriptor = self._transport.get_extra_info("socket").fileno()
        if descriptor >= 0:
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)

    def connection_lost(self, _error: Exception | None) -> None:
        """Say so to whoever waits."""
        self._transport = self._poll = None
        self._parser = None  # it holds this object's methods; a circle would wait for the collector
        if self._state != _COMPLETE:
            self._state = _BROKEN
        self._wake()

    def eof_received(self) -> bool:
        """Take the other side's end: that of a body which nothing else delimits, else a break."""
        if self._state == _BODY and not self._is_delimited:
            self._state = _COMPLETE
        self._is_reusable = False
        if self._state != _COMPLETE:
            self._state = _BROKEN
        self._wake()
        return False

    def data_received(self, received: bytes) -> None:
        """Read on; the parser calls the methods below."""
        parser = self._parser
        if parser is None or self._state not in {_WAITING, _BODY}:
            self._is_reusable = False  # an answer to nothing
            if self._state == _IDLE:
                self._break()
            return
        self._bytes_without_content += len(received)
        try:
            parser.feed_data(received)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._break()
            return
        if self._bytes_without_content > BYTES_WITHOUT_CONTENT_MAX:
            self._break()
        elif self._buffered_bytes > 2 * READ_BUFFER_BYTES and not self._is_paused:
            self._pause()
        if self._waiter is not None and (self._pieces or self._state != _WAITING):
            self._wake()

    def pause_writing(self) -> None:
        """Wait with the rest of a large request."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """Go on with it."""
        self._is_writable = True
        self._wake()

    def on_message_begin(self) -> None:
        """See an answer begin; a second one in the same bytes is an answer to nothing."""
        if self._state == _COMPLETE:
            self._is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header that anybody asks for; trailers come here, too, and are not."""
        if self._state == _WAITING:
            name = name.lower()
            if name in _KEPT_HEADERS:
                self.headers[name] = value

    def on_headers_complete(self) -> None:
        """Take the head, unless it is that of an interim answer."""
        parser = self._parser
        if parser is None or self._state != _WAITING:
            return
        status, version = parser.get_status_code(), parser.get_http_version()
        if status < 200:
            self.headers = {}
            return
        coding = self.headers.get(b"transfer-encoding")
        if version not in _VERSIONS or (coding is not None and coding.strip().lower() != b"chunked"):
            self._break()  # a body that could not be read
            return
        self.status = status
        self._is_delimited = coding is not None or b"content-length" in self.headers
        self._is_reusable = self._is_reusable and parser.should_keep_alive()
        self._state = _BODY

    def on_body(self, piece: bytes) -> None:
        """Keep a piece until it is asked for."""
        if self._state == _BODY:
            self._pieces.append(piece)
            self._buffered_bytes += len(piece)
            self._bytes_without_content = 0

    def on_message_complete(self) -> None:
        """Know that the body is whole; an interim answer has none."""
        if self._state == _BODY:
            self._state = _COMPLETE

    async def _write_large(self, head: bytes, body: bytes) -> None:
        """Send piece by piece, until the upstream answers."""
        view = memoryview(body)
        self._write(head)
        for start in range(0, len(view), WRITE_PIECE_BYTES):
            while not self._is_writable and self._state == _WAITING:
                await self._wait()
            if self._state != _WAITING:
                self._is_reusable = False
                return
            self._write(view[start : start + WRITE_PIECE_BYTES])

    def _write(self, piece: bytes | memoryview) -> None:
        """Hand bytes to the transport."""
        if self._transport is None or self._transport.is_closing():
            raise UpstreamBroke
        self._transport.write(piece)

    async def _wait(self) -> None:
        """Wait until something changes."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        """Wake whoever waits."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _pause(self) -> None:
        """Read no more until somebody takes what is here."""
        if self._transport is not None and not self._transport.is_closing():
            self._is_paused = True
            self._transport.pause_reading()

    def _break(self) -> None:
        """Give the connection up."""
        self._is_reusable = False
        if self._state != _COMPLETE:
            self._state = _BROKEN
        if self._transport is not None:
            self._transport.abort()
        self._wake()
