"""Callers that are never what is slow: sockets and epoll in one thread, with no client library in between.

A closed loop keeps every connection busy. A fixed clock sends at moments that are set beforehand, on a further
connection when all are busy, and counts from the moment that was meant: a server that stands still cannot hide it.
Whatever was begun is waited for, so that the answers counted here are those that a ledger has to have settled.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE_SECONDS = 60.0
_RECEIVE_BYTES = 256 * 1024
_EVENT = b"data: "
_END_OF_CHUNKS = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """One server that is measured."""

    name: str
    port: int
    headers: dict[str, str] = field(default_factory=dict)
    path: str = "/v1/chat/completions"

    def request(self, model: str, *, is_streaming: bool = False) -> bytes:
        """Write a call, once for all."""
        stream = ',"stream":true,"stream_options":{"include_usage":true}' if is_streaming else ""
        body = (
            f'{{"model":"{model}","max_tokens":1000{stream},'
            '"messages":[{"role":"user","content":"Say hello to the benchmark."}]}'
        )
        headers = {"host": "relay", "content-type": "application/json", "content-length": str(len(body))} | self.headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{lines}\r\n{body}".encode()


@dataclass(slots=True)
class Seen:
    """What the callers saw; times in seconds."""

    latencies: list[float] = field(default_factory=list)
    """Of whole answers with 200."""
    first_events: list[float] = field(default_factory=list)
    event_count: int = 0
    failure_count: int = 0
    """Answers with another status, cut streams, lost connections."""
    seconds: float = 0.0

    @property
    def answer_count(self) -> int:
        """Whole answers with 200."""
        return len(self.latencies)

    def percentile_ms(self, share: float, *, of: list[float] | None = None) -> float:
        """Return a percentile in milliseconds."""
        values = sorted(self.latencies if of is None else of)
        return 1000 * values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


class _Connection:
    """One keep-alive connection, with one call at a time."""

    __slots__ = ("_body_left", "_events", "_is_chunked", "_received", "_tail", "first_event_at", "meant_at", "socket")

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)  # the standard library's own
        self.begin(0.0)

    def begin(self, meant_at: float) -> None:
        """Expect an answer to a call that was meant for a moment."""
        self.meant_at = meant_at
        self.first_event_at = 0.0
        self._received = b""
        self._tail = b""
        self._is_chunked = False
        self._body_left = -1
        self._events = 0

    def take(self, piece: bytes, seen: Seen) -> bool:
        """Read on; return whether the answer is whole."""
        if self._body_left < 0 and not self._is_chunked:
            self._received += piece
            head, found, piece = self._received.partition(b"\r\n\r\n")
            if not found:
                return False
            head = head.lower()
            self._is_chunked = b"\r\ntransfer-encoding: chunked" in head
            self._received = head[:12]
            if not self._is_chunked:
                self._body_left = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        if not self._is_chunked:
            self._body_left -= len(piece)
            return self._body_left <= 0
        if piece and not self.first_event_at:
            self.first_event_at = time.perf_counter()
        joined = self._tail + piece
        self._events += joined.count(_EVENT)
        self._tail = joined[-len(_EVENT) + 1 :]
        is_whole = joined.endswith(_END_OF_CHUNKS)
        if is_whole:
            seen.event_count += self._events
        return is_whole

    @property
    def is_good(self) -> bool:
        """Whether the answer was a success."""
        return self._received == b"http/1.1 200"


class Callers:
    """The connections to one target."""

    def __init__(self, target: Target, request: bytes) -> None:
        """Have no connection yet."""
        self._target, self._request = target, request
        self._epoll = select.epoll()
        self._by_descriptor: dict[int, _Connection] = {}
        self.idle: deque[_Connection] = deque()
        self.seen = Seen()

    @property
    def busy_count(self) -> int:
        """Calls that wait for their answer."""
        return len(self._by_descriptor) - len(self.idle)

    def connect(self, count: int) -> None:
        """Open connections."""
        for _ in range(count):
            connection = _Connection(self._target.port)
            descriptor = connection.socket.fileno()
            self._by_descriptor[descriptor] = connection
            self._epoll.register(descriptor, select.EPOLLIN)
            self.idle.append(connection)

    def call(self, meant_at: float) -> None:
        """Send a call on an idle connection, or on a new one."""
        if not self.idle:
            self.connect(1)
        self._send(self.idle.popleft(), meant_at)

    def close(self) -> None:
        """Close every connection."""
        for connection in self._by_descriptor.values():
            connection.socket.close()
        self._epoll.close()

    def wait(self, seconds: float, again: Callable[[float], bool]) -> None:
        """Read what came within a time.

        Args:
            seconds: How long at most.
            again: Whether the connection whose answer was whole at this moment calls again at once.
        """
        # An epoll's own time-out counts whole milliseconds; that of select, microseconds.
        select.select([self._epoll], [], [], max(0.0, seconds))
        for descriptor, _ in self._epoll.poll(0):
            connection = self._by_descriptor[descriptor]
            try:
                piece = connection.socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
            if not piece:
                self._lose(connection)
            elif connection.take(piece, self.seen):
                now = time.perf_counter()
                self._note(connection, now)
                if again(now):
                    self._send(connection, now)
                else:
                    self.idle.append(connection)

    def _note(self, connection: _Connection, now: float) -> None:
        """Count a whole answer."""
        if not connection.is_good:
            self.seen.failure_count += 1
            return
        self.seen.latencies.append(now - connection.meant_at)
        if connection.first_event_at:
            self.seen.first_events.append(connection.first_event_at - connection.meant_at)

    def _send(self, connection: _Connection, meant_at: float) -> None:
        """Send a call; it is small enough for one write."""
        connection.begin(meant_at)
        try:
            connection.socket.send(self._request)
        except OSError:
            self._lose(connection)

    def _lose(self, connection: _Connection) -> None:
        """Give up a connection that the server closed."""
        descriptor = connection.socket.fileno()
        self._epoll.unregister(descriptor)
        del self._by_descriptor[descriptor]
        connection.socket.close()
        if connection in self.idle:
            self.idle.remove(connection)
        else:
            self.seen.failure_count += 1


def closed_loop(target: Target, request: bytes, *, connections: int, seconds: float) -> Seen:
    """Keep connections busy for a time."""
    callers = Callers(target, request)
    callers.connect(connections)
    started = time.perf_counter()
    deadline = started + seconds
    for _ in range(connections):
        callers.call(time.perf_counter())
    while callers.busy_count and time.perf_counter() < deadline + PATIENCE_SECONDS:
        callers.wait(1.0, lambda now: now < deadline)
    return _done(callers, started)


def fixed_clock(target: Target, request: bytes, *, per_second: float, seconds: float) -> Seen:
    """Send at moments that are set beforehand."""
    callers = Callers(target, request)
    callers.connect(8)
    started = time.perf_counter()
    moments = deque(started + number / per_second for number in range(int(per_second * seconds)))
    while moments or (callers.busy_count and time.perf_counter() < started + seconds + PATIENCE_SECONDS):
        while moments and moments[0] <= time.perf_counter():
            callers.call(moments.popleft())
        callers.wait(moments[0] - time.perf_counter() if moments else 1.0, _never)
    return _done(callers, started)


def all_at_once(target: Target, request: bytes, *, count: int, look: Callable[[], object] | None = None) -> Seen:
    """Send one call on each of many connections at the same moment; ``look`` is called a few times a second."""
    callers = Callers(target, request)
    callers.connect(count)
    started = time.perf_counter()
    for _ in range(count):
        callers.call(started)
    looked_at = started
    while callers.busy_count and (now := time.perf_counter()) < started + PATIENCE_SECONDS:
        callers.wait(0.2, _never)
        if look is not None and now - looked_at >= 0.2:
            looked_at = now
            look()
    return _done(callers, started)


def _never(_now: float) -> bool:
    """Call no more on this connection by itself."""
    return False


def _done(callers: Callers, started: float) -> Seen:
    """Close up; what is still open after all patience has failed."""
    callers.seen.seconds = time.perf_counter() - started
    callers.seen.failure_count += callers.busy_count
    callers.close()
    return callers.seen
