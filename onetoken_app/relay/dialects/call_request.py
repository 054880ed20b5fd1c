"""What a call asks for, in whatever dialect: the caller's members as they came, and what money depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from onetoken_app.providers.protocol import Dialect

OUTPUT_TOKENS_MAX = 100_000_000
"""A larger limit is a mistake or an attack on arithmetic."""


@dataclass(frozen=True, slots=True, repr=False)
class CallRequest:
    """One request, checked. Never printed: it holds content."""

    dialect: Dialect
    members: dict[str, msgspec.Raw]
    body_bytes: int
    model_name: str
    is_streaming: bool
    wants_usage: bool
    """Whether the caller's stream is to carry usage."""
    output_tokens_max: int | None
    """The caller's own limit for one choice."""
    choice_count: int
    has_tools: bool
    has_media: bool
    """Whether its messages hold anything but text, whose tokens nobody can tell from the bytes."""
    is_array: bool = False
    """Whether a stream is to be one growing array."""
    upstream_headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that mean something to a provider of the same dialect."""
    translations: dict[Dialect, dict[str, msgspec.Raw]] = field(default_factory=dict)
    """The same request in the dialects of other providers that it may go to."""
