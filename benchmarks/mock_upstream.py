"""An upstream that answers at once, on bare asyncio, so that it is never what a benchmark of the relay measures.

``python -m benchmarks.mock_upstream --port 18000``. The model's name says how it answers: ``bench-d50-c20-p10`` waits
50 ms, then sends a plain completion of a few bytes, or a stream of 20 events that are 10 ms apart. The body of a
request is only looked at for its model and for ``stream``.
"""

import argparse
import asyncio
import re
from collections.abc import Coroutine
from typing import Any, cast

import uvloop

_MODEL = re.compile(rb'"model":\s*"[^"]*bench-d(\d+)-c(\d+)-p(\d+)"')
_STREAM = re.compile(rb'"stream":\s*true')
_USAGE = b'{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}'
_PLAIN_BODY = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello from the mock."},"finish_reason":"stop"}],"usage":' + _USAGE + b"}"
)
_PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_PLAIN_BODY),
    _PLAIN_BODY,
)
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _chunk(choices: bytes, more: bytes = b"") -> bytes:
    """Write one event as one chunk of the body."""
    event = (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"mock","choices":'
        + choices
        + more
        + b"}\n\n"
    )
    return b"%x\r\n%s\r\n" % (len(event), event)


_WORD = _chunk(b'[{"index":0,"delta":{"role":"assistant","content":"word "},"finish_reason":null}]', b',"usage":null')
_END = (
    _chunk(b'[{"index":0,"delta":{},"finish_reason":"stop"}]', b',"usage":null')
    + _chunk(b"[]", b',"usage":' + _USAGE)
    + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
)


class _Connection(asyncio.Protocol):
    """One connection of the relay; answers requests in their order."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; uvloop's are no subclass of asyncio's."""
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        """Wait for a slow reader."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """Stop whatever is being written."""
        self._transport = None
        self._writable.set()

    def data_received(self, received: bytes) -> None:
        """Answer each request that is complete."""
        self._received += received
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if len(self._received) < end + 4 + length:
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        """Answer at once, or begin to."""
        found = _MODEL.search(body)
        delay_ms, chunk_count, pause_ms = map(int, found.groups()) if found else (0, 10, 0)
        is_streaming = _STREAM.search(body) is not None
        if not is_streaming and not delay_ms:
            self._write(_PLAIN)
            return
        answer = self._stream(chunk_count, pause_ms / 1000) if is_streaming else self._plain()
        task = asyncio.ensure_future(_after(delay_ms / 1000, answer))
        _running.add(task)
        task.add_done_callback(_running.discard)

    async def _plain(self) -> None:
        """Answer in one piece."""
        self._write(_PLAIN)

    async def _stream(self, chunk_count: int, pause_seconds: float) -> None:
        """Answer event by event, each in a packet of its own, as a model would."""
        self._write(_STREAM_HEAD)
        for _ in range(chunk_count):
            self._write(_WORD)
            await asyncio.sleep(pause_seconds)
            if not self._writable.is_set():
                await self._writable.wait()
            if self._transport is None:
                return
        self._write(_END)

    def _write(self, piece: bytes) -> None:
        """Write if anybody still listens."""
        if self._transport is not None:
            self._transport.write(piece)


_running: set[asyncio.Future[None]] = set()


async def _after(seconds: float, answer: Coroutine[Any, Any, None]) -> None:
    """Think for a while first."""
    if seconds:
        await asyncio.sleep(seconds)
    await answer


async def _serve(port: int) -> None:
    """Listen until killed."""
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", port, backlog=4096)
    print(f"mock upstream on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=18000)
    uvloop.run(_serve(parser.parse_args().port))
