"""An upstream on a real loopback socket that does what a test tells it to, byte by byte."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Exchange:
    """One request that arrived, and the connection to answer it on."""

    headers: dict[str, str]
    body: Json
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    keeps_connection: bool = True
    request_line: str = ""

    async def send(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(raw)
        await self._writer.drain()

    async def answer(self, status: int, body: Json | bytes, **headers: str) -> None:
        """Send a whole plain answer."""
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{lines}content-length: {len(encoded)}\r\n\r\n"
        await self.send(head.encode() + encoded)

    async def begin_stream(self, *, content_type: str = "text/event-stream") -> None:
        """Send the head of a stream."""
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n"
        await self.send(f"{head}x-request-id: up-1\r\n\r\n".encode())

    async def send_piece(self, piece: bytes) -> None:
        """Send one piece of a body."""
        await self.send(b"%x\r\n%s\r\n" % (len(piece), piece))

    async def send_event(self, event: Json | str) -> None:
        """Send one event."""
        data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        await self.send_piece(f"data: {data}\n\n".encode())

    async def end_stream(self) -> None:
        """End the body."""
        await self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """Break the connection with a RST."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self.keeps_connection = False

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()
        self.keeps_connection = False

    async def until_peer_closes(self) -> None:
        """Wait until the relay closes the connection, however it does."""
        with suppress(ConnectionError):
            while await self._reader.read(65536):
                continue
        self.keeps_connection = False


Behaviour = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class ScriptedUpstream:
    """A listening upstream; ``behave`` decides what each request gets."""

    behave: Behaviour
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request is there."""
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a behaviour that waits for it saw the relay close its connection."""
    open_connection_count: int = 0
    server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        """What a channel names."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.open_connection_count += 1
        self._writers.add(writer)
        try:
            while (exchange := await _read_request(reader, writer)) is not None:
                self.exchanges.append(exchange)
                self.arrived.set()
                await self.behave(exchange)
                if not exchange.keeps_connection:
                    break
        except ConnectionError:
            pass
        finally:
            self.open_connection_count -= 1
            self._writers.discard(writer)
            writer.close()

    async def go_down(self) -> None:
        """Stop listening, and close every connection."""
        if self.server is not None:
            self.server.close()
        self.close_connections()
        if self.server is not None:
            await self.server.wait_closed()

    def close_connections(self) -> None:
        """Close whatever is still open."""
        for writer in list(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def scripted_upstream(behave: Behaviour, *, backlog: int = 100) -> AsyncIterator[ScriptedUpstream]:
    """Run an upstream while the block runs; so many connections may wait to be accepted."""
    upstream = ScriptedUpstream(behave)
    upstream.server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, backlog=backlog)
    upstream.port = upstream.server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        await upstream.go_down()


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange | None:
    """Read one request; ``None`` at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    request_line = head.partition("\r\n")[0]
    return Exchange(headers, json.loads(body), reader, writer, request_line=request_line)


def completion(text: str = "hello there", *, usage: Json | None = None, model: str = "mock", **more: Any) -> Json:
    """Write a plain chat completion."""
    body: Json = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        **more,
    }
    return body if usage is None else {**body, "usage": usage}


def chunk(text: str | None = None, *, finish_reason: str | None = None, model: str = "mock", **more: Any) -> Json:
    """Write one chunk of a stream."""
    delta = {} if text is None else {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        **more,
    }


def usage_chunk(usage: Json) -> Json:
    """Write the chunk that carries only usage."""
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock", "choices": [],
            "usage": usage}  # fmt: skip


def usage_of(prompt: int, completion_: int, *, cached: int = 0) -> Json:
    """Write a provider's figures."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion_,
        "total_tokens": prompt + completion_,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


USUAL_USAGE = usage_of(10, 5)
"""20 micro-dollars at the builders' prices: 10 × 1 + 5 × 2."""
USUAL_CHARGE_NANOS = 20_000


async def answers_usually(exchange: Exchange) -> None:
    """Answer like a good provider, plain or streaming."""
    if not exchange.body.get("stream"):
        await exchange.answer(200, completion(usage=USUAL_USAGE), x_request_id="up-1")
        return
    await exchange.begin_stream()
    for word in ("hello", " ", "there"):
        await exchange.send_event(chunk(word, usage=None))
    await exchange.send_event(chunk(finish_reason="stop", usage=None))
    await exchange.send_event(usage_chunk(USUAL_USAGE))
    await exchange.send_event("[DONE]")
    await exchange.end_stream()


def answers(status: int, body: Json | bytes, **headers: str) -> Behaviour:
    """Answer everything with one plain answer."""

    async def behave(exchange: Exchange) -> None:
        await exchange.answer(status, body, **headers)

    return behave


def streams(*events: Json | str, ends: bool = True, breaks: bool = False) -> Behaviour:
    """Stream these events, then end the body, break the connection, or stay silent until the relay closes."""

    async def behave(exchange: Exchange) -> None:
        await exchange.begin_stream()
        for event in events:
            await exchange.send_event(event)
        if breaks:
            exchange.hang_up()
        elif ends:
            await exchange.end_stream()
        else:
            await exchange.until_peer_closes()

    return behave
