"""Identifiers: a prefix that says what a thing is, then 26 characters that sort by time of creation.

The layout is that of a ULID (48 bits of milliseconds, 80 random bits, Crockford's base 32), in lower case:
``req_01jdd3f7k2m9x4v8w5t6y7z8ab``. Strings, not UUIDs, because the same text stands in both databases, in logs,
in the browser and on a customer's screen, and tells a reader at once whether it names a key or a channel.
"""

import re
import secrets
import time
from datetime import datetime
from enum import StrEnum

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_CHARACTERS = 26
_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


class Kind(StrEnum):
    """What an identifier names; the value is its prefix."""

    PERSON = "per"
    """A human who signs in."""
    SIGN_IN_SESSION = "ses"
    """One browser's signed-in session."""
    ORGANIZATION = "org"
    """A customer."""
    SUSPENSION = "sus"
    """A time in which an organization's calls are refused."""
    ACCEPTANCE = "acc"
    """An agreement accepted by an organization."""
    CONFIRMATION = "cnf"
    """A written confirmation on file."""
    VERIFICATION_CASE = "ver"
    """An organization's case file."""
    DOCUMENT = "doc"
    """A document in a case file."""
    TOP_UP_ORDER = "ord"
    """An order to top up by bank transfer."""
    REFUND = "rfd"
    """Unused credit on its way back to whoever paid it."""
    ADJUSTMENT = "adj"
    """A balance that is put right by hand."""
    INVOICE = "ivc"
    """An invoice that was asked for."""
    INVOICE_FILE = "ivf"
    """A file of an issued invoice or of a red letter."""
    STATEMENT = "stm"
    """A closed month of an organization."""
    RED_LETTER = "red"
    """The reversal of an invoice, or of a part of one."""
    DECLARATION = "dec"
    """A statement that a person made for an organization."""
    INVITATION = "inv"
    """A seat in an organization that is offered to an e-mail address."""
    MAILED_LINK = "lnk"
    """A link for one use that was sent to an e-mail address."""
    LETTER = "ltr"
    """A mail that was or will be sent."""
    CHANNEL = "chn"
    """An upstream endpoint with a credential."""
    CREDENTIAL = "crd"
    """A further credential of a channel."""
    MODEL = "mdl"
    """What customers name in a request."""
    ROUTE = "rte"
    """A model joined to a channel."""
    PROJECT = "prj"
    """What an organization's keys and their calls belong to."""
    API_KEY = "key"
    """A customer's API key."""
    LEDGER_ACCOUNT = "act"
    """An account of the ledger."""
    BUDGET = "bud"
    """A cap on what an owner may spend in a period."""
    GRANT = "grt"
    """Promotional or trial credit that finance gives."""
    PACKAGE = "pkg"
    """Credit that is offered for sale."""
    PACKAGE_SALE = "sal"
    """A package that was bought."""
    FREEZE = "frz"
    """A time in which an organization may place no new hold."""
    EPOCH = "epo"
    """One life of a process that owns holds."""
    REQUEST = "req"
    """One call on the relay."""


def new_id(kind: Kind) -> str:
    """Make a fresh identifier; two made in one process in different milliseconds sort by time."""
    return _written(kind, (int(time.time() * 1000) << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


def first_id_at(kind: Kind, moment: datetime) -> str:
    """Return the least identifier that a thing made at a moment can have, to find a period's things by their ids."""
    return _written(kind, int(moment.timestamp()) * 1000 << _RANDOM_BITS)


def is_submission_id(text: str) -> bool:
    """Whether it can be what a page makes once per form, so that the same form sent twice is known again."""
    return _SUBMISSION_ID.fullmatch(text) is not None


def _written(kind: Kind, value: int) -> str:
    """Write an identifier."""
    characters = [_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_CHARACTERS - 1), -1, -5)]
    return f"{kind.value}_{''.join(characters)}"
