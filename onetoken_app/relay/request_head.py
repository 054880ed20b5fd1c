"""What is needed of a request's head, read in one pass; everything else is left where it is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

_BEARER = b"bearer "
_KEY_HEADERS = frozenset({b"x-api-key", b"api-key", b"x-goog-api-key"})
_KEPT_HEADERS = frozenset({b"content-length", b"content-type", b"content-encoding", b"user-agent"})


@dataclass(slots=True, repr=False)
class RequestHead:
    """The members of a head that matter. Never printed: it holds the caller's key."""

    presented_keys: set[bytes] = field(default_factory=set)
    content_length: bytes = b""
    content_type: bytes = b""
    content_encoding: bytes = b""
    user_agent: bytes = b""
    forwarded_for: list[bytes] = field(default_factory=list)


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> RequestHead:
    """Read the headers of one request, whose names an ASGI server gives in lower case."""
    head = RequestHead()
    for name, value in headers:
        if name == b"authorization":
            if value[: len(_BEARER)].lower() == _BEARER:
                head.presented_keys.add(value[len(_BEARER) :].strip())
        elif name in _KEPT_HEADERS:
            setattr(head, _ATTRIBUTES[name], value)
        elif name in _KEY_HEADERS:
            head.presented_keys.add(value.strip())
        elif name == b"x-forwarded-for":
            head.forwarded_for.append(value)
    return head


def caller_address(scope: dict[str, Any], head: RequestHead, *, trusted_proxy_count: int) -> str:
    """Return the caller's IP address: the peer's, or the one that the outermost trusted proxy saw.

    Args:
        scope: The ASGI scope.
        head: Its head.
        trusted_proxy_count: How many entries at the end of X-Forwarded-For our own proxies wrote; 0 ignores the header.
    """
    client = scope.get("client")
    peer = client[0] if client else ""
    if not trusted_proxy_count:
        return str(peer)
    hops = b",".join(head.forwarded_for).decode("latin-1").split(",")
    if len(hops) < trusted_proxy_count:
        return str(peer)
    try:
        return str(ip_address(hops[-trusted_proxy_count].strip()))
    except ValueError:
        return str(peer)


_ATTRIBUTES = {name: name.decode().replace("-", "_") for name in _KEPT_HEADERS}
