"""The narrow seam to upstreams: one POST out, a head and pieces of a body back. aiohttp stands behind it.

Nothing of a call is kept or retried here. Connections go to checked addresses only, never through a proxy of the
environment, follow no redirect and keep no cookie. Foreign exceptions end here as ``UpstreamBroke``.
"""

import asyncio
import io
import socket
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from yarl import URL

from onetoken_app.catalog.upstream_addresses import is_public_address
from onetoken_app.providers.protocol import UpstreamRequest
from onetoken_app.settings import Settings

READ_BUFFER_BYTES = 64 * 1024
"""Reading from an upstream pauses at twice this, so that a slow caller slows its upstream down."""
WHOLE_BODY_BYTES_MAX = 64 * 1024
"""Requests up to this leave in one piece."""
KEEP_ALIVE_SECONDS = 30.0

_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError, ValueError)


class UpstreamBroke(Exception):
    """No connection, or it broke. Carries no text of the other side."""


class UpstreamReply:
    """The answer to one request: its head, and its body piece by piece."""

    __slots__ = ("_response", "content_type", "request_id", "retry_after", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Take the head."""
        headers = response.headers
        self._response = response
        self.status = response.status
        self.content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        self.request_id = headers.get("x-request-id", headers.get("request-id", ""))
        self.retry_after = headers.get("retry-after", "")

    @property
    def is_coded(self) -> bool:
        """Whether the body is compressed although it was asked for as it is."""
        return self._response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}

    async def next_piece(self) -> bytes:
        """Return the next bytes as they come, or nothing at the end.

        Raises:
            UpstreamBroke: The connection ended before the body did.
        """
        try:
            return await self._response.content.readany()
        except _BROKEN as error:
            raise UpstreamBroke from error

    def release(self) -> None:
        """Give the connection back if the body was read to its end, else close it at once."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class UpstreamClient:
    """The connections of one process to all upstreams."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the pool; needs a running event loop."""
        self._allows_private = settings.allow_private_upstreams
        connector = aiohttp.TCPConnector(
            limit=settings.in_flight_requests_max,
            resolver=None if self._allows_private else _PublicResolver(),
            keepalive_timeout=KEEP_ALIVE_SECONDS,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.upstream_connect_seconds),
            trust_env=False,
            auto_decompress=False,
            read_bufsize=READ_BUFFER_BYTES,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        )

    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        """Send one request and return the head of its answer.

        Only connecting has a time-out here; the other deadlines belong to the call's supervisor.

        Raises:
            UpstreamBroke: No connection to an admitted address, or it broke before a head came.
        """
        url = URL(request.url, encoded=True)
        self._check(url)
        try:
            response = await self._session.request(
                "POST", url, data=_sendable(request.body), headers=CIMultiDict(request.headers), allow_redirects=False
            )
        except _BROKEN as error:
            raise UpstreamBroke from error
        return UpstreamReply(response)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    def _check(self, url: URL) -> None:
        """Refuse plain http and addresses that need no look-up, which the resolver therefore never sees."""
        if self._allows_private:
            return
        host = url.host or ""
        if url.scheme != "https" or (_is_address(host) and not is_public_address(host)):
            raise UpstreamBroke


def _sendable(body: bytes) -> bytes | io.BytesIO:
    """Let a large body be sent piece by piece; in one piece it would stop the event loop."""
    return body if len(body) <= WHOLE_BODY_BYTES_MAX else io.BytesIO(body)


class _PublicResolver(AbstractResolver):
    """Resolves names and keeps to public addresses; the connection is made to the address that was checked."""

    def __init__(self) -> None:
        """Use the system's resolver."""
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up; one private address among the answers makes the name unusable."""
        answers = await self._resolver.resolve(host, port, family)
        if not all(is_public_address(answer["host"]) for answer in answers):
            message = "the name points into a private network"
            raise OSError(message)
        return answers

    async def close(self) -> None:
        """Release what the system's resolver holds."""
        await self._resolver.close()


def _is_address(host: str) -> bool:
    """Whether the host is an IP address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
