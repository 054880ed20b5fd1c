"""Which addresses a channel may have: public ones over https, unless the operator admits private upstreams.

A base URL is checked when a channel is put; the addresses its host name resolves to are checked again by the relay,
at every connection, with ``is_public_address``: a name may point elsewhere tomorrow.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from onetoken_app.errors import BadRequest

URL_CHARACTERS_MAX = 512
_LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "home.arpa", "lan", "localdomain")
_BLOCKED_IPV4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_BLOCKED_IPV6 = tuple(
    ip_network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16")
)  # fmt: skip
"""Blocks within 2000::/3 that embed IPv4 addresses (Teredo, 6to4) or are no place on the internet."""
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_LOOKS_NUMERIC = re.compile(r"(0x[0-9a-f]*|\d+)", re.ASCII)


def is_public_address(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether an IP address is a place on the public internet.

    IPv6 forms that carry an IPv4 address inside (mapped, compatible, translated, Teredo, 6to4) are refused as a whole:
    no provider needs one, and each is a way around this list.

    Args:
        address: An IP address; text that is none is not public.
    """
    try:
        ip = ip_address(address) if isinstance(address, str) else address
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in _BLOCKED_IPV4)
    if ip.scope_id is not None or ip not in _GLOBAL_IPV6:
        return False
    return not any(ip in block for block in _BLOCKED_IPV6)


def checked_base_url(url: str, *, allow_private: bool) -> str:
    """Return a channel's base URL in one form, without a slash at its end.

    Args:
        url: Such as ``https://api.example.com/v1``.
        allow_private: Whether http, private and loopback addresses are admitted (``ONETOKEN_ALLOW_PRIVATE_UPSTREAMS``).

    Raises:
        BadRequest: It is no plain http or https address, or not a public one.
    """
    if len(url) > URL_CHARACTERS_MAX or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _refusal("has to be a plain address of at most 512 characters")
    parts, host = _split(url)
    if parts.scheme not in ({"http", "https"} if allow_private else {"https"}):
        raise _refusal("has to begin with https://")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _refusal("must not carry a user name or a password; the credential has a place of its own")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise _refusal("must not carry a query or a fragment")
    if any(segment in {".", ".."} for segment in parts.path.split("/")) or "%" in parts.path:
        raise _refusal("must not carry dot segments or escapes in its path")
    _check_host(host, allow_private=allow_private)
    authority = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        authority = f"{authority}:{parts.port}"
    return f"{parts.scheme}://{authority}{parts.path.rstrip('/')}"


def _split(url: str) -> tuple[SplitResult, str]:
    """Take a URL apart, refusing what has no host or no usable port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _refusal("is not an address") from error
    if not host or port == 0 or parts.netloc.endswith(":"):
        raise _refusal("is not an address")
    return parts, host.lower()


def _check_host(host: str, *, allow_private: bool) -> None:
    """Refuse hosts that are not on the public internet, and numbers dressed up as names in any case."""
    if ":" in host:
        _check_ip(host, allow_private=allow_private)
        return
    labels = host.removesuffix(".").split(".")
    if _LOOKS_NUMERIC.fullmatch(labels[-1]):
        # Resolvers read 0x7f.1, 2130706433 and 0177.0.0.1 as addresses; only the plain form of four numbers passes.
        _check_ip(host, allow_private=allow_private)
        return
    if host.endswith(".") or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise _refusal("does not name a host")
    is_local = len(labels) == 1 or any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES)
    if is_local and not allow_private:
        raise _refusal("names a host that is not on the public internet; see ONETOKEN_ALLOW_PRIVATE_UPSTREAMS")


def _check_ip(host: str, *, allow_private: bool) -> None:
    """Refuse an IP address that is written oddly or is not public."""
    try:
        ip = ip_address(host)
    except ValueError as error:
        raise _refusal("does not name a host") from error
    if not allow_private and not is_public_address(ip):
        raise _refusal("is not on the public internet; see ONETOKEN_ALLOW_PRIVATE_UPSTREAMS")


def _refusal(reason: str) -> BadRequest:
    """Say what is wrong with a base URL without repeating it: it may hold a credential."""
    return BadRequest(f"A channel's base URL {reason}.", parameter="base_url")
