"""The narrow seam to upstreams: one POST out, a head and pieces of a body back, on connections that are kept.

Nothing of a call is kept or retried here. Connections go to checked addresses only, never through a proxy of the
environment, follow no redirect and keep no cookie. Foreign exceptions end here as ``UpstreamBroke``.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from onetoken_app.providers.protocol import UpstreamRequest
from onetoken_app.relay.upstream_connection import UpstreamBroke, UpstreamConnection
from onetoken_app.relay.upstream_names import Resolver
from onetoken_app.settings import Settings

KEEP_ALIVE_SECONDS = 30.0
"""How long a connection is kept without a call."""
_SWEEP_SECONDS = 5.0
_KNOWN_URLS = 1_024
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where connections of one kind go."""

    host: str
    port: int
    is_secure: bool


class UpstreamReply:
    """The answer to one request: its head, and its body piece by piece.

    Attributes:
        is_coded: The body is compressed although it was asked for as it is.
    """

    __slots__ = (
        "_client", "_connection", "_place", "content_type", "is_coded", "request_id", "retry_after",
        "status",
    )  # fmt: skip

    def __init__(self, client: "UpstreamClient", place: _Place, connection: UpstreamConnection) -> None:
        """Take the head."""
        headers = connection.headers
        self._client = client
        self._place = place
        self._connection: UpstreamConnection | None = connection
        self.status = connection.status
        self.content_type = _text(headers.get(b"content-type", b"")).partition(";")[0].strip().lower()
        self.request_id = _text(headers.get(b"x-request-id", headers.get(b"request-id", b"")))
        self.retry_after = _text(headers.get(b"retry-after", b""))
        self.is_coded = headers.get(b"content-encoding", b"").strip().lower() not in {b"", b"identity"}

    def next_piece(self) -> Awaitable[bytes]:
        """Return the next bytes as they come, or nothing at the end, to be awaited.

        Raises:
            UpstreamBroke: When awaited: the connection ended before the body did.
        """
        return _released() if self._connection is None else self._connection.next_piece()

    def release(self) -> None:
        """Give the connection back if the body was read to its end, else close it at once; once is enough."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._client.take_back(self._place, connection)


class UpstreamClient:
    """The connections of one process to all upstreams."""

    def __init__(self, settings: Settings) -> None:
        """Have no connection yet; needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._allows_private = settings.allow_private_upstreams
        self._connect_seconds = settings.upstream_connect_seconds
        self._connections_max = settings.in_flight_requests_max
        self._resolver = Resolver(allows_private=settings.allow_private_upstreams)
        # Reading the machine's certificates takes a while: now where every upstream needs them, else when one does.
        self._security = None if settings.allow_private_upstreams else ssl.create_default_context()
        self._idle: dict[_Place, deque[UpstreamConnection]] = {}
        self._busy: set[UpstreamConnection] = set()
        self._idle_count = 0
        self._sweeping: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        """Send one request and return the head of its answer.

        Only connecting has a time-out here; the other deadlines belong to the call's supervisor. A request is never
        sent twice: whether one that got no answer was worked on, only the other side knows.

        Raises:
            UpstreamBroke: No connection to an admitted address, or it broke before a head came.
        """
        place, target, host_header = _taken_apart(request.url)
        if not self._allows_private and not place.is_secure:
            raise UpstreamBroke
        head = _head_of(request, target, host_header)
        connection = self._kept(place) or await self._connect(place)
        self._busy.add(connection)
        try:
            await connection.send(head, request.body)
        except BaseException:
            self._busy.discard(connection)
            connection.abort()
            raise
        return UpstreamReply(self, place, connection)

    def take_back(self, place: _Place, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request, or close it."""
        self._busy.discard(connection)
        if not connection.finish():
            return
        if self._is_closed or self._idle_count + len(self._busy) >= self._connections_max:
            connection.abort()
            return
        connection.idle_since_seconds = self._loop.time()
        self._idle.setdefault(place, deque()).append(connection)
        self._idle_count += 1
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    async def close(self) -> None:
        """Close every connection."""
        self._is_closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in [*self._busy, *(kept for idle in self._idle.values() for kept in idle)]:
            connection.abort()
        self._idle.clear()
        self._idle_count = 0
        await asyncio.sleep(0)  # the transports close in the loop's next turn

    def _kept(self, place: _Place) -> UpstreamConnection | None:
        """Return the connection that was used last, if one is still good: the others may then grow old and go."""
        idle = self._idle.get(place)
        while idle:
            connection = idle.pop()
            self._idle_count -= 1
            if connection.is_fit and self._loop.time() - connection.idle_since_seconds < KEEP_ALIVE_SECONDS:
                return connection
            connection.abort()
        return None

    async def _connect(self, place: _Place) -> UpstreamConnection:
        """Connect to the first address that takes a connection; each gets its share of the time.

        Raises:
            UpstreamBroke: None did in time.
        """
        try:
            async with asyncio.timeout(self._connect_seconds):
                addresses = await self._resolver.addresses_of(place.host)
                for number, address in enumerate(addresses, start=1):
                    try:
                        async with asyncio.timeout(self._connect_seconds / len(addresses)):
                            return await self._connect_to(address, place)
                    except (OSError, TimeoutError):
                        if number == len(addresses):
                            raise
        except (OSError, TimeoutError, ValueError) as error:
            raise UpstreamBroke from error
        raise UpstreamBroke

    async def _connect_to(self, address: str, place: _Place) -> UpstreamConnection:
        """Connect to one address, and check the certificate against the name."""
        if place.is_secure and self._security is None:
            self._security = ssl.create_default_context()
        _, connection = await self._loop.create_connection(
            lambda: UpstreamConnection(self._loop),
            address,
            place.port,
            ssl=self._security if place.is_secure else None,
            server_hostname=place.host if place.is_secure else None,
        )
        return connection

    def _sweep(self) -> None:
        """Close what was not used for long."""
        oldest = self._loop.time() - KEEP_ALIVE_SECONDS
        for place, idle in list(self._idle.items()):
            while idle and idle[0].idle_since_seconds <= oldest:
                idle.popleft().abort()
                self._idle_count -= 1
            if not idle:
                del self._idle[place]
        self._sweeping = self._loop.call_later(_SWEEP_SECONDS, self._sweep) if self._idle else None


@lru_cache(_KNOWN_URLS)
def _taken_apart(url: str) -> tuple[_Place, str, str]:
    """Return where a URL points, what is asked for there, and how the host is named.

    Raises:
        UpstreamBroke: It is no plain http or https address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UpstreamBroke from error
    is_plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc
    if not is_plain or not host or parts.scheme not in _PORTS:
        raise UpstreamBroke
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    place = _Place(host, port or _PORTS[parts.scheme], parts.scheme == "https")
    return place, target, parts.netloc


def _head_of(request: UpstreamRequest, target: str, host: str) -> bytes:
    """Write a request's head.

    Raises:
        UpstreamBroke: A header would break out of its line.
    """
    lines = [f"POST {target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines.append(f"content-length: {len(request.body)}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or "\0" in head:
        raise UpstreamBroke
    return f"{head}\r\n\r\n".encode()


async def _released() -> bytes:
    """Give nothing of an answer that was given up."""
    raise UpstreamBroke


def _text(value: bytes) -> str:
    """Read a header's value."""
    return value.decode("latin-1")
