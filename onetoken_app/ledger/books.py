"""The books: what a batch of operations concerns, as loaded, and what it changes."""

from dataclasses import dataclass, field
from typing import Any

from onetoken_app.ledger import journal
from onetoken_app.ledger.kinds import AccountKind, Outcome, TransactionKind
from onetoken_app.ledger.operations import RecordProgress
from onetoken_app.money import Currency, Nanos

PLATFORM_OWNER_ID = ""
"""Owner of revenue, absorbed, grants and clearing."""


@dataclass(slots=True, eq=False)
class Account:
    """A balance as the batch sees it; each is itself, so that it can be a key."""

    id: str
    owner_id: str
    kind: AccountKind
    currency: Currency
    floor_nanos: Nanos | None
    posted_nanos: Nanos = 0
    held_nanos: Nanos = 0

    @property
    def available_nanos(self) -> Nanos:
        """What can still be held or charged; platform accounts, which have no floor, are never asked."""
        return max(0, self.posted_nanos - self.held_nanos - (self.floor_nanos or 0))


@dataclass(slots=True)
class HoldState:
    """A hold with its parts and, once it is closed, its close, with what corrected that."""

    row: journal.HoldRow
    parts: list[journal.PartRow]
    close: journal.CloseRow | None = None
    correction: journal.CorrectionRow | None = None


@dataclass(frozen=True, slots=True)
class ClaimState:
    """Who has a claim, and how far its hold was when the batch began."""

    request_id: str
    fingerprint: str
    currency: Currency
    outcome: Outcome | None = None
    amount_nanos: Nanos = 0
    """Charged in all, a correction included."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Money for a customer: given by the operator, or paid."""

    kind: TransactionKind
    """One of ``CREDIT_SOURCES``."""
    owner_id: str
    currency: Currency
    amount_nanos: Nanos
    reference: str


@dataclass(slots=True)
class Changes:
    """What a batch has to write, in the order of the tables' references."""

    new_accounts: list[Account] = field(default_factory=list)
    touched_accounts: dict[str, Account] = field(default_factory=dict)
    holds: list[journal.HoldRow] = field(default_factory=list)
    parts: list[tuple[str, journal.PartRow]] = field(default_factory=list)
    """With the request's id."""
    claims: dict[str, ClaimState] = field(default_factory=dict)
    """By digest."""
    progress: dict[str, RecordProgress] = field(default_factory=dict)
    entries: list[tuple[journal.Entry, bytes, bytes]] = field(default_factory=list)
    """With the hash of the one before and its own."""
    extra: dict[str, list[list[Any]]] = field(default_factory=dict)
    """Callers' statements: parameters by SQL."""


@dataclass(slots=True)
class Books:
    """Everything that one batch of operations concerns."""

    moment: str
    """The batch's time, in every row it writes."""
    epoch_id: str
    """Who places holds in this batch."""
    accounts: dict[tuple[str, AccountKind, Currency], Account]
    """By owner, kind and currency."""
    holds: dict[str, HoldState]
    head_number: int
    """Number of the last entry; 0 before the first."""
    head_hash: bytes
    changes: Changes = field(default_factory=Changes)
    claims: dict[str, ClaimState] = field(default_factory=dict)
    """Those that count now, by digest."""
