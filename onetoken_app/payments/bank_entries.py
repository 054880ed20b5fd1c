"""Entries of the operator's bank statement: kept as typed, and compared in one spelling, so that none counts twice."""

import unicodedata

from onetoken_app.errors import BadRequest

BANK_ENTRY_CHARACTERS_MAX = 64
_MINUS_SIGN = "\N{MINUS SIGN}"


def checked_bank_entry(typed: str) -> str:
    """Return an entry of the bank statement as it was typed, with single spaces.

    Raises:
        BadRequest: It has no or too many characters, or some that cannot be printed.
    """
    typed = " ".join(typed.split())
    counts = (len(typed), len(one_spelling(typed)))
    if not typed.isprintable() or not all(0 < count <= BANK_ENTRY_CHARACTERS_MAX for count in counts):
        raise BadRequest("Name the entry of the bank statement in 1 to 64 characters.", parameter="bank_entry")
    return typed


def one_spelling(typed: str) -> str:
    """Spell an entry in one way: without regard to width, case, white space, and kinds of dashes."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold())
    return "".join("-" if _is_dash(one) else one for one in folded if not one.isspace())


def _is_dash(character: str) -> bool:
    """Whether people read a hyphen; a minus sign is none to Unicode."""
    return character == _MINUS_SIGN or unicodedata.category(character) == "Pd"
