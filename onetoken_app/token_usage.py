"""How much a call used, in counters that do not overlap, so that each is priced once.

Providers count differently (OpenAI's ``prompt_tokens`` include cached ones, Anthropic's do not); the adapter of each
provider turns its figures into these. Counters are numbers about a text, never the text.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter

COUNT_MAX = 10**12
"""More of anything in one call is no count; keeps every sum of counts within BIGINT."""


class TokenKind(StrEnum):
    """What is counted and priced; each unit of use falls under exactly one. Values are the counters of ``TokenUsage``.

    Kinds of tokens without a price of their own are charged like the input or the output that they are a kind of. Of
    the units, which are no tokens, one without a price costs nothing: see ``PriceSheet.require_price``.
    """

    INPUT = "input"
    """Text input that was neither read from nor written to a provider's cache."""
    CACHE_READ = "cache_read"
    """Input found in the provider's cache."""
    CACHE_WRITE_5M = "cache_write_5m"
    """Input written to a cache that lasts five minutes."""
    CACHE_WRITE_1H = "cache_write_1h"
    """Input written to a cache that lasts an hour."""
    AUDIO_IN = "audio_in"
    """Tokens of sounds in the input, outside of any cache."""
    IMAGE_IN = "image_in"
    """Tokens of pictures in the input, outside of any cache."""
    OUTPUT = "output"
    """Generated text; reasoning too, unless it has a price of its own."""
    REASONING = "reasoning"
    """The part of the output that is reasoning, where the price book prices it on its own."""
    AUDIO_OUT = "audio_out"
    """Tokens of generated sound."""
    IMAGE_OUT = "image_out"
    """Tokens of generated pictures."""
    REQUESTS = "requests"
    """Calls; where they have a price, one is counted for each call that used anything."""
    IMAGES = "images"
    """Generated pictures, where the provider counts pictures and not their tokens."""
    AUDIO_MS = "audio_ms"
    """Milliseconds of sound, heard or spoken; its price is that of an hour."""
    WEB_SEARCHES = "web_searches"
    """Searches of the web that the provider ran."""
    FILE_SEARCHES = "file_searches"
    """Searches of stored files that the provider ran."""
    TOOL_CALLS = "tool_calls"
    """Calls of any other tool that the provider ran."""


INPUT_KINDS = (
    TokenKind.INPUT, TokenKind.CACHE_READ, TokenKind.CACHE_WRITE_5M, TokenKind.CACHE_WRITE_1H,
    TokenKind.AUDIO_IN, TokenKind.IMAGE_IN,
)  # fmt: skip
"""Tokens of the input; all of them count towards a tier's threshold."""
OUTPUT_KINDS = (TokenKind.OUTPUT, TokenKind.REASONING, TokenKind.AUDIO_OUT, TokenKind.IMAGE_OUT)
"""Tokens of the output."""
TOOL_KINDS = (TokenKind.WEB_SEARCHES, TokenKind.FILE_SEARCHES, TokenKind.TOOL_CALLS)
"""Tools that the provider runs, priced by the call."""
UNIT_KINDS = (TokenKind.REQUESTS, TokenKind.IMAGES, TokenKind.AUDIO_MS, *TOOL_KINDS)
"""What is counted but is no token."""


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
    """Disjoint counts of one call; each from 0 to ``COUNT_MAX``. See ``TokenKind`` for what each counts.

    ``reasoning`` is the one that overlaps: it is a breakdown of ``output``.
    """

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    audio_in: int = 0
    image_in: int = 0
    audio_out: int = 0
    image_out: int = 0
    requests: int = 0
    images: int = 0
    audio_ms: int = 0
    web_searches: int = 0
    file_searches: int = 0
    tool_calls: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be a count."""
        counts = _counts(self)
        if set(map(type, counts)) == _INTEGERS and min(counts) >= 0 and max(counts) <= COUNT_MAX:
            return
        for field, count in zip(fields(self), counts, strict=True):
            if type(count) is not int or not 0 <= count <= COUNT_MAX:
                message = f"{field.name} is not a count"
                raise ValueError(message)

    @property
    def input_total(self) -> int:
        """All input tokens, cached or not: what a provider's context window has to hold."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.audio_in + self.image_in

    @property
    def output_total(self) -> int:
        """All generated tokens."""
        return self.output + self.audio_out + self.image_out

    @property
    def token_total(self) -> int:
        """All tokens: what a package of tokens counts."""
        return self.input_total + self.output_total

    @property
    def tool_call_total(self) -> int:
        """All calls of tools that the provider ran."""
        return self.web_searches + self.file_searches + self.tool_calls


_counts = attrgetter(*(field.name for field in fields(TokenUsage)))
_INTEGERS = {int}
