"""Where a request comes from. One rule for the relay and the console: what slows down guesses must not be forgeable."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any

_CHARACTERS_MAX = 45


def caller_address(client: Sequence[Any] | None, forwarded_for: Iterable[bytes], *, trusted_proxy_count: int) -> str:
    """Return the caller's IP address: the peer's, or the one that the outermost trusted proxy saw.

    Each trusted proxy appends the address it was called from; what stands further left was written by the caller.

    Args:
        client: The other end of the connection as ASGI gives it: address and port, or nothing.
        forwarded_for: The values of every X-Forwarded-For header, in order.
        trusted_proxy_count: How many entries at the end our own proxies wrote; 0 ignores the header.
    """
    peer = str(client[0]).partition("%")[0][:_CHARACTERS_MAX] if client else ""
    if not trusted_proxy_count:
        return peer
    hops = b",".join(forwarded_for).decode("latin-1").split(",")
    if len(hops) < trusted_proxy_count:
        return peer
    hop = hops[-trusted_proxy_count].strip()
    # The zone of an IPv6 address can be any text, and is of no use to anybody else.
    return str(ip_address(hop)) if _is_address(hop) else peer


def _is_address(text: str) -> bool:
    """Whether a text is an IP address and nothing more."""
    if len(text) > _CHARACTERS_MAX or "%" in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
