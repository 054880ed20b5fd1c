"""How errors and signs of life sound in a dialect; the one of a route speaks whatever went wrong on it."""

from collections.abc import Callable
from dataclasses import dataclass

from onetoken_app.errors import OneTokenError
from onetoken_app.relay.errors import MethodNotAllowed

Headers = list[tuple[bytes, bytes]]

RETRY_AFTER_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Voice:
    """What a dialect says when there is no answer, or none yet. Errors are told with the id of the request."""

    error_body: Callable[[OneTokenError, str], bytes]
    """The body of a plain answer."""
    error_event: Callable[[OneTokenError, str, int], bytes]
    """The last event of a stream, and how many came before it."""
    keep_alive: bytes
    """A sign of life between two events; empty: clients take none."""
    content_type: bytes = b"text/event-stream; charset=utf-8"
    """Of a stream."""


def error_headers(error: OneTokenError, *, is_charged: bool) -> Headers:
    """Return the headers of an error: official clients decide by ``x-should-retry`` before they look at the status.

    Args:
        error: What is said.
        is_charged: Something was charged, so that trying again would cost twice.
    """
    may_retry = error.is_retryable and not is_charged
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"x-should-retry", b"true" if may_retry else b"false"),
    ]
    if may_retry:
        seconds = error.metadata.get("retry_after_seconds", RETRY_AFTER_SECONDS)
        headers.append((b"retry-after", str(seconds).encode()))
    if error.http_status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", error.allowed.encode()))
    return headers
