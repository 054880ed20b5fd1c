"""One HTTP exchange with a payment provider: bounded in time and size, to the address that was set, nowhere else."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpx

from onetoken_app.payments.providers.protocol import ProviderSilent

EXCHANGE_SECONDS_MAX = 15.0
"""From the connection to the last byte."""
_CONNECT_SECONDS = 5.0
_ANSWER_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Exchanged:
    """An answer. Never printed: providers repeat what they were told."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def exchange(method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Exchanged:
    """Send one request and read its answer; follows no redirect and no proxy of the environment.

    Raises:
        ProviderSilent: No whole answer in time.
    """
    try:
        async with (
            asyncio.timeout(EXCHANGE_SECONDS_MAX),
            _client() as client,
            client.stream(method, url, headers=dict(headers), content=body) as answer,
        ):
            received = bytearray()
            async for piece in answer.aiter_bytes():
                received += piece
                if len(received) > _ANSWER_BYTES_MAX:
                    break
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        raise ProviderSilent(_SILENT) from error
    if len(received) > _ANSWER_BYTES_MAX:
        raise ProviderSilent(_SILENT)
    return Exchanged(answer.status_code, answer.headers, bytes(received))


_SILENT = "The payment provider does not answer; nothing was charged by us. Try again in a few minutes."


def _client() -> httpx.AsyncClient:
    """Make a client for one exchange: payments are few, and no connection outlives its loop."""
    return httpx.AsyncClient(
        verify=_trust(), trust_env=False, timeout=httpx.Timeout(EXCHANGE_SECONDS_MAX, connect=_CONNECT_SECONDS)
    )


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Read the authorities once; it takes some milliseconds."""
    return httpx.create_ssl_context(trust_env=False)
