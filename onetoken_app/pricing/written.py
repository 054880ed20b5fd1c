"""How prices are written, in files and on pages: a decimal text for a million tokens, a piece, or an hour of sound."""

from onetoken_app.money import (
    NANOS_PER_UNIT,
    MicrosPerMillion,
    format_charged_price,
    format_piece_price,
    format_price,
    parse_piece_price,
    parse_price,
)
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.token_usage import UNIT_KINDS, TokenKind

_PIECES = {
    TokenKind.REQUESTS: "request",
    TokenKind.IMAGES: "image",
    TokenKind.AUDIO_MS: "audio_hour",
    TokenKind.WEB_SEARCHES: "web_search",
    TokenKind.FILE_SEARCHES: "file_search",
    TokenKind.TOOL_CALLS: "tool_call",
}
MEMBERS = {_PIECES.get(kind, kind.value): kind for kind in TokenKind}
"""Kinds by the names that a price has in a file; those of units name one."""


def member_of(kind: TokenKind) -> str:
    """Return the name that a kind's price has in a file."""
    return _PIECES.get(kind, kind.value)


def parse_written_price(kind: TokenKind, text: str) -> MicrosPerMillion:
    """Read a price as it is written for its kind, exactly.

    Raises:
        ValueError: Not a plain decimal number, negative, or too fine.
    """
    return parse_piece_price(text) if kind in UNIT_KINDS else parse_price(text)


def written_price(kind: TokenKind, price: MicrosPerMillion) -> str:
    """Write a price for its kind, with all its digits."""
    return format_piece_price(price) if kind in UNIT_KINDS else format_price(price)


def charged_price(kind: TokenKind, price: MicrosPerMillion, sheet: PriceSheet) -> str:
    """Write what a published price of a sheet comes to, after its ratio and its exchange rate, with all its digits."""
    return format_charged_price(
        price,
        decimals=12 if kind in UNIT_KINDS else 6,
        ratio_ppm=sheet.ratio_ppm,
        rate_nanos=sheet.exchange.rate_nanos if sheet.exchange else NANOS_PER_UNIT,
    )
