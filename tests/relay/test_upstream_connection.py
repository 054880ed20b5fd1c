"""The client of upstreams on real sockets, against whatever an upstream may send, byte by byte."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from onetoken_app.providers.protocol import UpstreamRequest
from onetoken_app.relay.forwarding import UpstreamClient
from onetoken_app.relay.upstream_connection import BYTES_WITHOUT_CONTENT_MAX, READ_BUFFER_BYTES, UpstreamBroke
from onetoken_app.settings import Settings
from tests.relay.conftest import until
from tests.support.certificates import context_of_server

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Request-Id: up-1\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nx-a: b\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n"
    b"x-trailer: 1\r\n\r\n"
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\n"
UNTIL_THE_END = b"HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nhello world"


@dataclass(slots=True)
class RawUpstream:
    """A server that sends bytes as they are; ``say`` writes what each request gets."""

    say: Callable[[asyncio.StreamWriter], Awaitable[None]]
    port: int = 0
    connection_count: int = 0
    request_count: int = 0
    bodies: list[int] = field(default_factory=list)
    open_writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def open_count(self) -> int:
        """Connections that nobody closed yet."""
        return len(self.open_writers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests and answer each."""
        self.connection_count += 1
        self.open_writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                self.request_count += 1
                self.bodies.append(len(await reader.readexactly(length)))
                await self.say(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self.open_writers.discard(writer)


def says(*pieces: bytes, ends: bool = False) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """Send pieces one after the other, each by itself, then end the connection if asked to."""

    async def say(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if ends:
            writer.close()

    return say


@asynccontextmanager
async def raw_upstream(
    say: Callable[[asyncio.StreamWriter], Awaitable[None]], *, security: ssl.SSLContext | None = None
) -> AsyncIterator[RawUpstream]:
    """Listen on loopback while the block runs."""
    upstream = RawUpstream(say)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, ssl=security)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for writer in upstream.open_writers:
            writer.transport.abort()
        await until(lambda: not upstream.open_writers)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[UpstreamClient]:
    """Return a client that may connect to loopback."""
    client = UpstreamClient(settings.model_copy(update={"allow_private_upstreams": True}))
    yield client
    await client.close()


def a_request(upstream: RawUpstream, *, body: bytes = b"{}", scheme: str = "http") -> UpstreamRequest:
    """Make a request with nothing of note in it."""
    return UpstreamRequest(f"{scheme}://127.0.0.1:{upstream.port}/v1", {"content-type": "application/json"}, body)


async def body_of(client: UpstreamClient, request: UpstreamRequest) -> bytes:
    """Return a whole body."""
    reply = await client.send(request)
    body = b""
    try:
        while piece := await reply.next_piece():
            body += piece
    finally:
        reply.release()
    return body


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "body"),
        [
            pytest.param(PLAIN, b"hello", id="a length"),
            pytest.param(CHUNKED, b"hello world", id="chunks with extensions and trailers"),
            pytest.param(INTERIM + PLAIN, b"hello", id="interim answers first"),
            pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", b"", id="no content"),
            pytest.param(PLAIN.replace(b"5\r\n\r\nhello", b"0\r\n\r\n"), b"", id="a length of nothing"),
        ],
    )
    async def test_is_read_whole_wherever_it_is_cut(self, client: UpstreamClient, answer: bytes, body: bytes) -> None:
        async with raw_upstream(says(answer)) as upstream:
            for at in range(len(answer) + 1):
                upstream.say = says(answer[:at], answer[at:])
                assert await body_of(client, a_request(upstream)) == body, at
            upstream.say = says(*(bytes([byte]) for byte in answer))
            assert await body_of(client, a_request(upstream)) == body
            assert upstream.connection_count == 1

    @pytest.mark.parametrize("answer", [PLAIN, CHUNKED, INTERIM + PLAIN], ids=["length", "chunks", "interim"])
    async def test_that_ends_early_breaks_wherever_it_does(self, client: UpstreamClient, answer: bytes) -> None:
        async with raw_upstream(says()) as upstream:
            for at in range(len(answer)):
                upstream.say = says(answer[:at], ends=True)
                with pytest.raises(UpstreamBroke):
                    await body_of(client, a_request(upstream))

    async def test_what_came_before_a_break_is_returned_first(self, client: UpstreamClient) -> None:
        async with raw_upstream(says(PLAIN[:-2], ends=True)) as upstream:
            reply = await client.send(a_request(upstream))
            assert await reply.next_piece() == b"hel"
            with pytest.raises(UpstreamBroke):
                await reply.next_piece()
            reply.release()

    async def test_may_end_with_its_connection_when_nothing_else_ends_it(self, client: UpstreamClient) -> None:
        async with raw_upstream(says(UNTIL_THE_END, ends=True)) as upstream:
            for _ in range(2):
                assert await body_of(client, a_request(upstream)) == b"hello world"
            assert upstream.connection_count == 2

    async def test_has_a_head_of_which_few_things_are_kept(self, client: UpstreamClient) -> None:
        head = b"HTTP/1.1 429 Too Many\r\nRETRY-AFTER: 7\r\nrequest-id: r\r\nContent-Encoding: GZIP\r\n"
        async with raw_upstream(says(head + b"content-type: A/B; charset=c\r\ncontent-length: 0\r\n\r\n")) as upstream:
            reply = await client.send(a_request(upstream))
            reply.release()
        assert (reply.status, reply.retry_after, reply.request_id) == (429, "7", "r")
        assert (reply.content_type, reply.is_coded) == ("a/b", True)

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
            pytest.param(b"\x00" * 64, id="zeros"),
            pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", id="another version"),
            pytest.param(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", id="an upgrade"),
            pytest.param(PLAIN.replace(b"5\r\n\r\n", b"5\r\ncontent-length: 6\r\n\r\n"), id="two lengths"),
            pytest.param(PLAIN.replace(b"5\r\n", b"5\r\ntransfer-encoding: chunked\r\n"), id="a length and chunks"),
            pytest.param(CHUNKED.replace(b"Chunked", b"gzip, chunked"), id="a coding that nobody asked for"),
            pytest.param(CHUNKED.replace(b"5;a=b", b"zz"), id="a size that is none"),
            pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 2 * BYTES_WITHOUT_CONTENT_MAX, id="an endless head"),
            pytest.param(INTERIM * 2_000, id="endless interim answers"),
            pytest.param(CHUNKED[:-2] + b"x: " + b"a" * 20 * BYTES_WITHOUT_CONTENT_MAX, id="endless trailers"),
        ],
    )
    async def test_that_are_none_break_and_close_the_connection(self, client: UpstreamClient, answer: bytes) -> None:
        async with raw_upstream(says(answer)) as upstream:
            async with asyncio.timeout(15):
                with pytest.raises(UpstreamBroke):
                    await body_of(client, a_request(upstream))
            await until(lambda: upstream.open_count == 0)

    async def test_mutated_at_random_are_whole_or_broken_and_never_mixed_up(self, client: UpstreamClient) -> None:
        chance = random.Random(7)
        async with raw_upstream(says()) as upstream:
            for _ in range(400):
                answer = bytearray(chance.choice((PLAIN, CHUNKED, INTERIM + CHUNKED)))
                for _ in range(chance.randint(1, 3)):
                    answer[chance.randrange(len(answer))] = chance.randrange(256)
                upstream.say = says(bytes(answer), ends=True)
                with suppress(UpstreamBroke):
                    await body_of(client, a_request(upstream))
                upstream.say = says(PLAIN)
                assert await body_of(client, a_request(upstream)) == b"hello", bytes(answer)


class TestConnections:
    async def test_are_used_again_after_a_whole_body(self, client: UpstreamClient) -> None:
        async with raw_upstream(says(CHUNKED)) as upstream:
            for _ in range(3):
                await body_of(client, a_request(upstream))
            assert (upstream.request_count, upstream.connection_count) == (3, 1)

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(PLAIN.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), id="that say so"),
            pytest.param(PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"), id="of an old version"),
            pytest.param(PLAIN + PLAIN, id="that answered twice"),
            pytest.param(PLAIN + b"x", id="that said more than they announced"),
        ],
    )
    async def test_are_not_used_again(self, client: UpstreamClient, answer: bytes) -> None:
        async with raw_upstream(says(answer)) as upstream:
            for _ in range(2):
                assert await body_of(client, a_request(upstream)) == b"hello"
            assert upstream.connection_count == 2

    async def test_closed_while_idle_are_noticed_before_anything_is_sent(self, client: UpstreamClient) -> None:
        async with raw_upstream(says(PLAIN)) as upstream:
            writers: list[asyncio.StreamWriter] = []

            async def say(writer: asyncio.StreamWriter) -> None:
                writers.append(writer)
                await says(PLAIN)(writer)

            upstream.say = say
            for _ in range(20):
                assert await body_of(client, a_request(upstream)) == b"hello"
                # The client's loop has not seen this end when the next request is made.
                writers[-1].get_extra_info("socket").shutdown(1)
            assert (upstream.request_count, upstream.connection_count) == (20, 20)

    async def test_of_an_answer_that_is_given_up_are_closed_at_once(self, client: UpstreamClient) -> None:
        async with raw_upstream(says(CHUNKED[:60])) as upstream:
            reply = await client.send(a_request(upstream))
            reply.release()
            reply.release()
            await until(lambda: upstream.open_count == 0)
            with pytest.raises(UpstreamBroke):
                await reply.next_piece()

    async def test_of_a_cancelled_request_are_closed_at_once(self, client: UpstreamClient) -> None:
        async with raw_upstream(says(PLAIN[:20])) as upstream:
            asking = asyncio.create_task(client.send(a_request(upstream)))
            await until(lambda: upstream.request_count == 1)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await until(lambda: upstream.open_count == 0)

    async def test_are_all_closed_with_the_client(self, client: UpstreamClient) -> None:
        async with raw_upstream(says(PLAIN)) as upstream:
            replies = [await client.send(a_request(upstream)) for _ in range(3)]
            await replies[0].next_piece()
            replies[0].release()
            await client.close()
            await until(lambda: upstream.open_count == 0)

    async def test_that_nobody_takes_break_in_time(self, settings: Settings) -> None:
        patient = settings.model_copy(update={"allow_private_upstreams": True, "upstream_connect_seconds": 0.1})
        client = UpstreamClient(patient)
        async with raw_upstream(says(), security=None) as upstream:
            # A server that never shakes hands: TLS to one that speaks none and waits for a head.
            with pytest.raises(UpstreamBroke):
                await client.send(a_request(upstream, scheme="https"))
        await client.close()


class TestFlow:
    async def test_a_reader_who_waits_slows_the_upstream_down(self, client: UpstreamClient) -> None:
        size, sent = 8 * 1024 * 1024, 0
        async with raw_upstream(says()) as upstream:

            async def say(writer: asyncio.StreamWriter) -> None:
                nonlocal sent
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
                while sent < size:
                    writer.write(b"x" * 65536)
                    sent += 65536
                    await writer.drain()

            upstream.say = say
            reply = await client.send(a_request(upstream))
            connection = reply._connection
            assert connection is not None
            await until(lambda: connection._is_paused)
            assert connection._buffered_bytes < 2 * READ_BUFFER_BYTES + 256 * 1024
            received = 0
            while piece := await reply.next_piece():
                received += len(piece)
            reply.release()
            assert received == size

    async def test_a_large_request_arrives_whole(self, client: UpstreamClient) -> None:
        body = b"x" * (6 * 1024 * 1024 + 1)
        async with raw_upstream(says(PLAIN)) as upstream:
            assert await body_of(client, a_request(upstream, body=body)) == b"hello"
            assert upstream.bodies == [len(body)]

    async def test_an_upstream_that_refuses_a_large_request_is_heard(self, client: UpstreamClient) -> None:
        is_over = asyncio.Event()

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(PLAIN.replace(b"200", b"413"))
            await is_over.wait()  # and reads no more, so that the request does not fit
            writer.transport.abort()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        upstream = RawUpstream(says(), port=server.sockets[0].getsockname()[1])
        reply = await client.send(a_request(upstream, body=b"x" * 32 * 1024 * 1024))
        assert reply.status == 413
        reply.release()
        is_over.set()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)


class TestRequests:
    @pytest.mark.parametrize(
        "value", ["a\r\nx: y", "a\ny", "a\0"], ids=["a new header", "a bare line feed", "a zero byte"]
    )
    async def test_with_a_header_that_leaves_its_line_are_not_sent(self, client: UpstreamClient, value: str) -> None:
        async with raw_upstream(says(PLAIN)) as upstream:
            usual = a_request(upstream)
            with pytest.raises(UpstreamBroke):
                await client.send(UpstreamRequest(usual.url, {"authorization": value}, b"{}"))
            assert upstream.connection_count == 0

    @pytest.mark.parametrize(
        "url", ["ftp://127.0.0.1/", "http:///v1", "http://127.0.0.1:x/", "http://a b/", "http://u:p@h/"]
    )
    async def test_to_what_is_no_address_are_not_sent(self, client: UpstreamClient, url: str) -> None:
        with pytest.raises(UpstreamBroke):
            await client.send(UpstreamRequest(url, {}, b"{}"))


class TestSecureConnections:
    async def test_a_certificate_is_checked_against_the_authorities_and_the_name(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_settings = settings.model_copy(update={"allow_private_upstreams": True})
        async with raw_upstream(says(PLAIN), security=context_of_server(tmp_path)) as upstream:
            strict = UpstreamClient(open_settings)
            with pytest.raises(UpstreamBroke):
                await body_of(strict, a_request(upstream, scheme="https"))
            await strict.close()
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
            trusting = UpstreamClient(open_settings)
            for _ in range(2):
                assert await body_of(trusting, a_request(upstream, scheme="https")) == b"hello"
            assert upstream.request_count == 2
            named = UpstreamRequest(f"https://localhost:{upstream.port}/v1", {}, b"{}")
            with pytest.raises(UpstreamBroke):
                await body_of(trusting, named)
            assert upstream.request_count == 2
            await trusting.close()
