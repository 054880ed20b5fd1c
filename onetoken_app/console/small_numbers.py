"""Whole numbers that people or hidden fields write into forms, of a bounded length."""

_DIGITS_MAX = 9


def whole_number(said: str, *, digits_max: int = _DIGITS_MAX) -> int | None:
    """Read a number of 0 or more from plain digits; ``None``: it is none, or one of absurd length."""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= digits_max else None
