"""Starts one writer process and speaks with it over a socket pair."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Protocol, Self, cast

from onetoken_app.clock import monotonic_seconds
from onetoken_app.ledger import frames
from onetoken_app.ledger.operations import Answer
from onetoken_app.telemetry import get_logger

START_SECONDS_MAX = 20.0
"""Imports, connection, and the wait for the lock that the last writer's session may still hold."""
_END_SECONDS_MAX = 5.0
_END_POLL_SECONDS = 0.01
_MODULE = "onetoken_app.ledger.writer"


class WriterStartFailed(Exception):
    """There is no process, or it ended, or said nothing, before its epoch was registered.

    ``exit_code`` is unset when the system gave no process: it is short of descriptors, memory, processes or threads.
    """

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"the ledger's writer ended with {exit_code}")
        self.exit_code = exit_code


class Listener(Protocol):
    """Who hears what the writer says."""

    def writer_answered(self, answers: list[tuple[int, Answer]]) -> None:
        """Take the answers of a batch; all of them are durable."""

    def writer_died(self, writer: "WriterProcess") -> None:
        """Learn that no answer will come any more."""


class WriterProcess(asyncio.Protocol):
    """One writer, from its start to its end."""

    def __init__(self, process: subprocess.Popen[bytes], listener: Listener) -> None:
        self.pid = process.pid
        self._process = process
        self._listener = listener
        self._reader = frames.FrameReader()
        self._transport: asyncio.Transport | None = None
        self._registered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._receive: Callable[[bytes], None] = self._receive_registration
        self._is_closing = False

    @classmethod
    async def start(cls, hello: frames.Hello, listener: Listener) -> Self:
        """Start a process and wait until its epoch is registered.

        Raises:
            WriterStartFailed: It ended before that, took too long, or there is none. Nothing is left open.
        """
        try:
            ours, process = await _started()
        except (OSError, RuntimeError) as error:
            raise WriterStartFailed(None) from error
        writer = cls(process, listener)
        try:
            await writer._register(hello, ours)
        except (OSError, RuntimeError):
            raise WriterStartFailed(await writer.close()) from None
        except BaseException:
            process.kill()
            await writer.close()
            raise
        return writer

    def send(self, framed: bytes) -> None:
        """Send a frame; one that cannot be sent is lost with the writer, and the listener hears of that."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(framed)

    async def close(self) -> int:
        """Let it finish what it has, wait for its end, and return its exit code."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.close()
        return await self.exit_code()

    async def exit_code(self) -> int:
        """Wait for the end of a process that was left or has left; one that hangs is ended."""
        latest = monotonic_seconds() + _END_SECONDS_MAX
        # Polled: where processes die for want of memory, no thread may be left to wait in.
        while (exit_code := self._process.poll()) is None:
            if monotonic_seconds() > latest:
                self._process.kill()
            await asyncio.sleep(_END_POLL_SECONDS)
        return exit_code

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to the process."""
        # uvloop's transports are no subclass of asyncio.Transport, so isinstance cannot narrow the type.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what the process says."""
        for payload in self._reader.feed(data):
            self._receive(payload)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever counts on it, unless it was closed here."""
        if not self._registered.done():
            self._registered.set_exception(exc or ConnectionResetError())
            self._registered.exception()
        elif not self._is_closing:
            self._is_closing = True
            self._listener.writer_died(self)

    async def _register(self, hello: frames.Hello, ours: socket.socket) -> None:
        """Say to the process where it works, and wait until its epoch is in the database."""
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        except BaseException:
            ours.close()
            raise
        self.send(frames.frame(frames.encode(hello)))
        async with asyncio.timeout(START_SECONDS_MAX):
            await self._registered

    def _receive_registration(self, payload: bytes) -> None:
        """Take the first frame."""
        self._receive = self._receive_answers
        if not self._registered.done():
            self._registered.set_result(frames.decode_registered(payload).epoch_number)

    def _receive_answers(self, payload: bytes) -> None:
        """Take every further frame."""
        self._listener.writer_answered(frames.decode_answers(payload))


async def _started() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start a process; return our end of the pair and the process. Nothing stays open when that fails."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            return ours, await asyncio.to_thread(_spawn, theirs)
    except BaseException:
        ours.close()
        raise


def _spawn(theirs: socket.socket) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own, out of reach of the terminal's signals."""
    # Taken over in one step: this thread may run late, when whoever asked has given up and closed the socket.
    descriptor = theirs.detach()
    try:
        return subprocess.Popen(  # noqa: S603 # our own module, run by the interpreter that runs us
            [sys.executable, "-m", _MODULE, str(descriptor)],
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def say_start_failed(error: WriterStartFailed) -> None:
    """Log why there is no writer: how it ended, or what the system is short of, such as ``EMFILE``."""
    cause = error.__cause__
    shortage = errno.errorcode.get(cause.errno or 0) if isinstance(cause, OSError) else None
    error_class = shortage or (type(cause).__name__ if cause else None)
    get_logger().error("ledger_writer_failed", exit_code=error.exit_code, error_class=error_class)
