"""What is needed of a request's head, read in one pass; everything else is left where it is."""

from collections.abc import Iterable
from dataclasses import dataclass, field

OWN_PREFIX = b"x-onetoken-"
_BEARER = b"bearer "
_KEY_HEADERS = frozenset({b"x-api-key", b"api-key", b"x-goog-api-key"})
_KEPT_HEADERS = frozenset(
    {b"content-length", b"content-type", b"content-encoding", b"user-agent", b"anthropic-version"}
)


@dataclass(slots=True, repr=False)
class RequestHead:
    """The members of a head that matter. Never printed: it holds the caller's key, and perhaps content."""

    presented_keys: set[bytes] = field(default_factory=set)
    content_length: bytes = b""
    content_type: bytes = b""
    content_encoding: bytes = b""
    user_agent: bytes = b""
    anthropic_version: bytes = b""
    anthropic_betas: list[bytes] = field(default_factory=list)
    forwarded_for: list[bytes] = field(default_factory=list)
    idempotency_keys: set[bytes] = field(default_factory=set)
    """May be content: a caller can put anything there."""
    own: dict[bytes, set[bytes]] = field(default_factory=dict)
    """Headers of our own, by name, with their values."""


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
        elif name == b"anthropic-beta":
            head.anthropic_betas.append(value)
        elif name == b"idempotency-key":
            head.idempotency_keys.add(value.strip())
        elif name.startswith(OWN_PREFIX):
            head.own.setdefault(name, set()).add(value.strip())
    return head


_ATTRIBUTES = {name: name.decode().replace("-", "_") for name in _KEPT_HEADERS}
