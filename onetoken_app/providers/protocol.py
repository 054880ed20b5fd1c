"""What the relay needs of a provider: a request to send, and counts read out of what comes back."""

from dataclasses import dataclass
from typing import Protocol

from onetoken_app.token_usage import TokenUsage


@dataclass(frozen=True, slots=True, repr=False)
class UpstreamTarget:
    """Where one attempt goes; made from a catalog row by ``relay/routing.py``. Never printed: it holds a credential."""

    channel_id: str
    base_url: str
    credential: str
    upstream_model: str
    region: str
    bills_after_hang_up: bool


@dataclass(frozen=True, slots=True, repr=False)
class UpstreamRequest:
    """One HTTP request, ready to be sent. Never printed: it holds a credential and content."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class UsageBounds:
    """What a provider's figures may not exceed; beyond it they are absurd and not believed."""

    tokens_max: int
    """Four times the model's context window."""


class UnusableReply(Exception):
    """The upstream's bytes are not what its API promises. Carries no text of them."""


class StreamMeter(Protocol):
    """Reads a stream's events as they pass and keeps counts only."""

    usage: TokenUsage | None
    """The provider's own figures, once it has given them."""
    output_characters: tuple[int, int]
    """Delivered so far: ASCII characters, other characters."""
    event_count: int
    has_finished: bool
    """A finish reason has been seen on every choice so far opened."""
    has_failed: bool
    """The upstream said in-band that it failed."""
