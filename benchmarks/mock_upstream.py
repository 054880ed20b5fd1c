"""An upstream that answers at once, on bare asyncio, so that it is never what a benchmark of the relay measures.

``python -m benchmarks.mock_upstream --port 18000``: plain completions of a few bytes; streams of ``--chunks`` events,
``--pause-ms`` apart; ``--delay-ms`` before anything. The body of a request is read and only looked at for ``stream``.
"""

import argparse
import asyncio
from typing import cast

import uvloop

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

    def __init__(self, options: argparse.Namespace) -> None:
        """Begin with nothing received."""
        self._options = options
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
            is_streaming = b'"stream":true' in body.replace(b" ", b"")
            if is_streaming or self._options.delay_ms:
                task = asyncio.ensure_future(self._answer(is_streaming=is_streaming))
                _running.add(task)
                task.add_done_callback(_running.discard)
            elif self._transport is not None:
                self._transport.write(_PLAIN)

    async def _answer(self, *, is_streaming: bool) -> None:
        """Answer slowly, or with a stream."""
        if self._options.delay_ms:
            await asyncio.sleep(self._options.delay_ms / 1000)
        if not is_streaming:
            self._write(_PLAIN)
            return
        self._write(_STREAM_HEAD)
        for _number in range(self._options.chunks):
            self._write(_WORD)
            if self._options.pause_ms:
                await asyncio.sleep(self._options.pause_ms / 1000)
            elif not self._writable.is_set():
                await self._writable.wait()
        self._write(_END)

    def _write(self, piece: bytes) -> None:
        """Write if anybody still listens."""
        if self._transport is not None:
            self._transport.write(piece)


_running: set[asyncio.Future[None]] = set()


async def _serve(options: argparse.Namespace) -> None:
    """Listen until killed."""
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(options), "127.0.0.1", options.port, backlog=4096
    )
    print(f"mock upstream on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=18000)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--pause-ms", type=float, default=0)
    parser.add_argument("--chunks", type=int, default=100)
    uvloop.run(_serve(parser.parse_args()))
