"""Units of money: every amount is an integer, and no float comes near one.

An amount is in **nanos**, 10⁻⁹ of its currency. A price is in **micros per million units** (micro-currency per
1 000 000 tokens), which is the same number as 10⁻¹² of the currency (pico) per unit: 0.0125 per million is 12 500.
What is sold by the piece (a call, a picture, an hour of sound) has its price in the same integers, written for one.
"""

import re
from enum import StrEnum

Nanos = int
"""An amount in 10⁻⁹ of its currency."""
Picos = int
"""An amount in 10⁻¹² of its currency, before it is rounded once."""
MicrosPerMillion = int
"""A price: micro-currency per 1 000 000 units, equal to picos per unit; the unit is a token, a piece or an hour."""

NANOS_PER_UNIT = 1_000_000_000
PICOS_PER_NANO = 1_000
MICROS_PER_UNIT = 1_000_000
PICOS_PER_UNIT = 1_000_000_000_000
NANOS_MAX = 2**63 - 1
"""What a BIGINT column holds: 9.2·10⁹ units of currency."""
RATIO_ONE_PPM = 1_000_000
"""A plan's ratio of 1, in parts per million."""

_DECIMAL = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,18}))?", re.ASCII)


class Currency(StrEnum):
    """Currencies that an organization can be billed in."""

    USD = "USD"
    """United States dollar."""
    CNY = "CNY"
    """Renminbi."""


def nanos_from_picos(picos: Picos, *, ratio_ppm: int = RATIO_ONE_PPM) -> Nanos:
    """Apply a plan's ratio and round once, half up, to whole nanos.

    Args:
        picos: The sum of counts times prices; at least 0.
        ratio_ppm: The plan's ratio in parts per million; at least 0.
    """
    divisor = PICOS_PER_NANO * RATIO_ONE_PPM
    return (picos * ratio_ppm * 2 + divisor) // (2 * divisor)


def parse_amount(text: str) -> Nanos:
    """Read a decimal amount of currency, such as ``"1000.00"``, exactly.

    Raises:
        ValueError: Not a plain decimal number, finer than a nano, or beyond ±9.2·10⁹.
    """
    return _scaled(text, NANOS_PER_UNIT, "an amount has at most 9 decimals")


def parse_price(text: str) -> MicrosPerMillion:
    """Read a price per million units, such as ``"0.0125"``, exactly.

    Raises:
        ValueError: Not a plain decimal number, negative, or finer than a millionth.
    """
    price = _scaled(text, MICROS_PER_UNIT, "a price per million has at most 6 decimals")
    if price < 0:
        message = "a price is not negative"
        raise ValueError(message)
    return price


def parse_piece_price(text: str) -> MicrosPerMillion:
    """Read the price of one piece, such as ``"0.04"`` a picture, exactly.

    Raises:
        ValueError: Not a plain decimal number, negative, or finer than a pico.
    """
    price = _scaled(text, PICOS_PER_UNIT, "a price of one has at most 12 decimals")
    if price < 0:
        message = "a price is not negative"
        raise ValueError(message)
    return price


def format_amount(nanos: Nanos, *, decimals_min: int = 2) -> str:
    """Write an amount as plain text with all its digits and at least ``decimals_min`` decimals.

    Text, because JavaScript loses integers above 2⁵³.
    """
    return _unscaled(nanos, 9, decimals_min)


def format_price(price: MicrosPerMillion) -> str:
    """Write the price of a million units as plain text with all its digits."""
    return _unscaled(price, 6, 2)


def format_piece_price(price: MicrosPerMillion) -> str:
    """Write the price of one piece as plain text with all its digits."""
    return _unscaled(price, 12, 2)


def format_charged_price(price: MicrosPerMillion, *, decimals: int, ratio_ppm: int, rate_nanos: int) -> str:
    """Write a published price times a plan's ratio and an exchange rate, exactly, with all its digits.

    Args:
        price: As published.
        decimals: How many of its digits stand behind the point: 6 of a million tokens, 12 of one piece.
        ratio_ppm: The plan's ratio in parts per million.
        rate_nanos: The exchange rate in 10⁻⁹; ``NANOS_PER_UNIT`` where none applies.
    """
    return _unscaled(price * ratio_ppm * rate_nanos, decimals + 6 + 9, 2)


def format_ratio(ratio_ppm: int) -> str:
    """Write a plan's ratio as plain text with all its digits."""
    return _unscaled(ratio_ppm, 6, 0)


def _unscaled(scaled: int, digits: int, decimals_min: int) -> str:
    """Write an integer divided by a power of ten."""
    sign = "-" if scaled < 0 else ""
    whole, fraction = divmod(abs(scaled), 10**digits)
    decimals = f"{fraction:0{digits}d}".rstrip("0").ljust(decimals_min, "0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def _scaled(text: str, factor: int, too_fine: str) -> int:
    """Multiply a decimal text by a power of ten, refusing any remainder."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        message = f"not a plain decimal number: {text!r}"
        raise ValueError(message)
    sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
    divisor: int = 10 ** len(fraction)
    scaled, remainder = divmod(int(whole + fraction) * factor, divisor)
    if remainder:
        raise ValueError(too_fine)
    if scaled > NANOS_MAX:
        message = f"out of range: {text!r}"
        raise ValueError(message)
    return -scaled if sign else scaled
