"""The ledger's writer: a process of its own that commits the operations of one relay process in groups.

``python -m onetoken_app.ledger.writer FD`` where FD is its end of a socket pair. A batch is whatever has arrived while
the last one was being committed; nobody waits for company. It works until the other end is closed: the relay decides
when it ends, so signals of a terminal are ignored. It must start fast, and imports neither an ORM nor Reflex.
"""

import ctypes
import os
import resource
import select
import signal
import socket
import sys
from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from itertools import islice

from onetoken_app import clock
from onetoken_app.ledger import frames, recovery
from onetoken_app.ledger.backends import Backend, open_backend
from onetoken_app.ledger.batches import DatabaseGone, Desk, answer
from onetoken_app.ledger.operations import Operation
from onetoken_app.ledger.store import EpochEnded
from onetoken_app.telemetry import configure_logging, get_logger

BATCH_OPERATIONS_MAX = 256
_RECEIVE_BYTES = 1024 * 1024
_IDLE_SECONDS = 1.0
_PR_SET_DUMPABLE = 4


class ExitCode(IntEnum):
    """Why the process ended."""

    CLOSED = 0
    """The other end was closed, and everything that had arrived was answered."""
    CRASHED = 1
    """A fault of ours; the log says where."""
    EPOCH_ENDED = 3
    """Somebody else ended its epoch: a new one is needed."""
    DATABASE_GONE = 4
    """The database does not work; try again later under the same epoch."""


def main() -> int:
    """Serve one client until it leaves."""
    _keep_to_itself()
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    greeting = channel.first_payload()
    if greeting is None:
        return ExitCode.CLOSED
    hello = frames.decode_hello(greeting)
    configure_logging(hello.log_level)
    try:
        backend = open_backend(hello)
    except Exception as error:  # noqa: BLE001 # whatever keeps the database shut, the client is told and tries again
        get_logger().error("ledger_database_unreachable", error_class=type(error).__name__)
        return ExitCode.DATABASE_GONE
    try:
        return _work(channel, Desk(backend, hello.epoch_id))
    finally:
        _close(backend)


def _work(channel: "Channel", desk: Desk) -> int:
    """Register the epoch and answer until the client leaves or the database fails."""
    try:
        with desk.backend.transaction() as connection:
            number = recovery.register_epoch(connection, desk.epoch_id, now=clock.utc_now())
        channel.send(frames.frame(frames.encode(frames.Registered(epoch_number=number))))
        _serve(channel, desk)
    except EpochEnded:
        get_logger().error("ledger_epoch_ended", epoch=desk.epoch_id)
        return ExitCode.EPOCH_ENDED
    except BrokenPipeError:
        return ExitCode.CLOSED
    except Exception as error:  # noqa: BLE001 # the edge of the process: its words must pass the log's allow-list
        if isinstance(error, DatabaseGone) or desk.backend.is_gone(error):
            get_logger().error("ledger_database_gone", error_class=type(error.__cause__ or error).__name__)
            return ExitCode.DATABASE_GONE
        get_logger().error("ledger_writer_crashed", exc_info=True)
        return ExitCode.CRASHED
    return ExitCode.CLOSED


def _serve(channel: "Channel", desk: Desk) -> None:
    """Answer batch after batch."""
    waiting: deque[tuple[int, Operation]] = deque()
    for has_more in channel.arrivals(waiting):
        if waiting:
            batch = list(islice(waiting, BATCH_OPERATIONS_MAX))
            answers = answer(desk, [operation for _, operation in batch])
            items = [frames.encode((number, given)) for (number, _), given in zip(batch, answers, strict=True)]
            channel.send(frames.frame_of_items(items))
            for _ in batch:
                waiting.popleft()
        desk.backend.tend(is_idle=not has_more)


class Channel:
    """The writer's end of the socket pair."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        # Not ``select.select``: the relay may have thousands of descriptors open, and that one ends at 1 024.
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._reader = frames.FrameReader()
        self._has_ended = False

    def send(self, framed: bytes) -> None:
        """Send a frame."""
        self._socket.sendall(framed)

    def first_payload(self) -> bytes | None:
        """Wait for the client's first frame, after which it waits too; None if it left before."""
        while received := self._socket.recv(_RECEIVE_BYTES):
            for payload in self._reader.feed(received):
                return payload
        return None

    def arrivals(self, waiting: deque[tuple[int, Operation]]) -> Iterator[bool]:
        """Fill ``waiting`` with all that has arrived; blocks when there is nothing to do.

        Yields False when a second went by and nothing came. Ends when the client has left and ``waiting`` is empty.
        """
        while waiting or not self._has_ended:
            has_more = bool(waiting) or self._is_readable(_IDLE_SECONDS)
            while not self._has_ended and self._is_readable(0):
                self._receive(waiting)
            yield has_more

    def _is_readable(self, seconds: float) -> bool:
        """Whether something, or the end, has arrived within a time."""
        return bool(self._poll.poll(seconds * 1000))

    def _receive(self, waiting: deque[tuple[int, Operation]]) -> None:
        """Take one piece of what has arrived."""
        try:
            received = self._socket.recv(_RECEIVE_BYTES)
        except ConnectionResetError:
            received = b""
        self._has_ended = not received
        for payload in self._reader.feed(received):
            waiting.extend(frames.decode_operations(payload))


def _keep_to_itself() -> None:
    """Leave signals to the relay, and no memory image on disk: it would hold what the database's address holds."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _close(backend: Backend) -> None:
    """Close what can be closed; a database that is gone need not answer."""
    try:
        backend.close()
    except Exception as error:  # noqa: BLE001 # the process ends anyway, and its exit code says why
        get_logger().warning("ledger_database_not_closed", error_class=type(error).__name__)


if __name__ == "__main__":
    os._exit(main())
