"""What a statement says, as one text whose SHA-256 is kept beside it. Pure.

The text is canonical JSON: members in the order written here, no spaces, amounts as integers of nanos, moments as
``clock.iso_instant`` writes them. **The order is part of the format**: new members go to the end, with a default, so
that statements of older releases read as ever.
"""

import hashlib

import msgspec

from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.money import Currency, Nanos

_encode = msgspec.json.Encoder().encode


class StatementDamaged(OneTokenError):
    """A closed statement is no longer what was closed."""

    code = "statement_damaged"


class Movement(msgspec.Struct, frozen=True):
    """One transaction that is no call's, on one kind of the organization's accounts."""

    transaction_number: int
    recorded_at: str
    kind: TransactionKind
    pot: AccountKind
    reference: str
    amount_nanos: Nanos
    """Added to the balance; negative when taken from it."""
    words: str = ""
    """Why, of an adjustment by hand."""


class ChargeLine(msgspec.Struct, frozen=True):
    """What the calls of one model, key and project were charged."""

    model_id: str
    model_name: str
    api_key_id: str
    api_key_name: str
    project_id: str
    project_name: str
    call_count: int
    amount_nanos: Nanos


class Pot(msgspec.Struct, frozen=True):
    """One kind of the organization's accounts: prepaid money, promotional credit, packages."""

    kind: AccountKind
    opening_nanos: Nanos
    moved_nanos: Nanos
    """Σ movements."""
    charged_nanos: Nanos
    """Taken by calls, corrections included."""
    closing_nanos: Nanos


class Due(msgspec.Struct, frozen=True):
    """What a postpaid organization owes at the end of a cycle."""

    amount_nanos: Nanos
    pay_by: str
    """A date, in the organization's time zone."""
    credit_limit_nanos: Nanos
    contract_number: str


class Figures(msgspec.Struct, frozen=True, omit_defaults=False):
    """All of a statement."""

    organization_id: str
    organization_name: str
    registration_code: str
    currency: Currency
    month: str
    time_zone: str
    since: str
    until: str
    last_number: int
    """The last transaction of the journal that was looked at: what is recorded behind it is in the next statement."""
    pots: list[Pot]
    movements: list[Movement]
    charges: list[ChargeLine]
    corrections_nanos: Nanos
    """The part of the charges that are corrections of recovered calls."""
    open_hold_count: int
    """Calls of the month that were under way when it was closed; they are charged in the month in which they end."""
    open_hold_nanos: Nanos
    late_charges: list[ChargeLine]
    """The part of the charges that carries a moment of the month before and came after that was closed."""
    due: Due | None = None

    @property
    def opening_nanos(self) -> Nanos:
        """All that was there before."""
        return sum(pot.opening_nanos for pot in self.pots)

    @property
    def charged_nanos(self) -> Nanos:
        """All that calls took."""
        return sum(pot.charged_nanos for pot in self.pots)

    @property
    def closing_nanos(self) -> Nanos:
        """All that is there after."""
        return sum(pot.closing_nanos for pot in self.pots)

    @property
    def adds_up(self) -> bool:
        """Whether opening and everything between is the closing, in each pot, and the lines are the charges."""
        pots = all(pot.opening_nanos + pot.moved_nanos - pot.charged_nanos == pot.closing_nanos for pot in self.pots)
        moved = {pot.kind: pot.moved_nanos for pot in self.pots}
        for movement in self.movements:
            moved[movement.pot] = moved.get(movement.pot, 0) - movement.amount_nanos
        lines = sum(line.amount_nanos for line in self.charges)
        return pots and not any(moved.values()) and lines == self.charged_nanos


def write_figures(figures: Figures) -> str:
    """Return the text."""
    return _encode(figures).decode()


def digest_of(written: str) -> str:
    """Return the SHA-256 of the text, in hexadecimal."""
    return hashlib.sha256(written.encode()).hexdigest()


def read_figures(written: str, *, sha256: str) -> Figures:
    """Read a closed statement's text.

    Raises:
        StatementDamaged: It is not the text that was closed.
    """
    if digest_of(written) != sha256:
        raise StatementDamaged("This statement is not what was closed; tell the operator, who has backups.")
    return msgspec.json.decode(written, type=Figures)
