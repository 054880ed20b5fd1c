"""How much a call used, in counters that do not overlap, so that each is priced once.

Providers count differently (OpenAI's ``prompt_tokens`` include cached ones, Anthropic's do not); the adapter of each
provider turns its figures into these. Counters are numbers about a text, never the text.
"""

from dataclasses import dataclass, fields
from enum import StrEnum


class TokenKind(StrEnum):
    """What is counted and priced; each unit of use falls under exactly one."""

    INPUT = "input"
    """Input that was neither read from nor written to a provider's cache."""
    CACHE_READ = "cache_read"
    """Input found in the provider's cache."""
    CACHE_WRITE_5M = "cache_write_5m"
    """Input written to a cache that lasts five minutes."""
    CACHE_WRITE_1H = "cache_write_1h"
    """Input written to a cache that lasts an hour."""
    OUTPUT = "output"
    """All generated text, reasoning included."""


class UsageSource(StrEnum):
    """Where the counters of a charge come from; printed on every receipt."""

    UPSTREAM = "upstream"
    """The provider's own figures."""
    ESTIMATED = "estimated"
    """Counted here, because the provider gave none."""
    CHECKPOINT = "checkpoint"
    """The last durable progress of a request whose process died."""
    NONE = "none"
    """Nothing was delivered, so nothing is charged."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Disjoint counts of one call; each at least 0.

    ``reasoning`` is a breakdown of ``output`` and is not priced on its own.
    """

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be a count."""
        for field in fields(self):
            count = getattr(self, field.name)
            if type(count) is not int or count < 0:
                message = f"{field.name} is not a count"
                raise ValueError(message)

    @property
    def input_total(self) -> int:
        """All input, cached or not: what a provider's context window has to hold."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h
