"""The journal's rows as they are hashed and inserted, and the hash chain over them.

An ``Entry`` is one transaction with everything that belongs to it. Its canonical text is the JSON array of its fields
in the order written here, nested arrays for nested rows, moments as ``clock.iso_instant`` writes them, bytes in
base64, amounts as integers, no spaces, UTF-8. Its hash is SHA-256 over the previous entry's hash and that text.
**The order of the fields is part of the format**: new fields go to the end, with a default, and only by decision.
"""

import hashlib

import msgspec

from onetoken_app.ledger.kinds import AccountKind, Outcome, TransactionKind
from onetoken_app.money import Currency, Nanos
from onetoken_app.token_usage import UsageSource

GENESIS_HASH = bytes(32)
"""What the first entry is chained to."""

_encode = msgspec.json.Encoder().encode


class PostingRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An amount that moved between two accounts."""

    posting_number: int
    from_account_id: str
    to_account_id: str
    amount_nanos: Nanos


class PartRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A share of a hold on one account."""

    part_number: int
    account_id: str
    amount_nanos: Nanos


class HoldRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Money set aside for one request."""

    request_id: str
    owner_id: str
    currency: Currency
    epoch_id: str
    amount_nanos: Nanos
    context: bytes
    placed_at: str


class CloseRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The end of a hold."""

    request_id: str
    outcome: Outcome
    amount_nanos: Nanos
    absorbed_nanos: Nanos
    usage_source: UsageSource
    closed_at: str


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One transaction and all that its hash covers."""

    sequence_number: int
    kind: TransactionKind
    reference: str
    recorded_at: str
    postings: list[PostingRow]
    hold: HoldRow | None = None
    """The hold that a close ends; unset for other kinds."""
    parts: list[PartRow] = []
    close: CloseRow | None = None


class CorrectionRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a late close changes about a recovered one; both amounts are added to the close's, and may be negative."""

    request_id: str
    amount_nanos: Nanos
    absorbed_nanos: Nanos
    usage_source: UsageSource
    corrected_at: str


class CorrectionEntry(Entry, array_like=True, frozen=True, gc=False):
    """A correction: its ``hold`` and ``close`` are those it corrects. Apart, so that other entries hash as ever."""

    correction: CorrectionRow | None = None


class LotRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a lot is: all but its balance."""

    account_id: str
    owner_id: str
    kind: AccountKind
    currency: Currency
    lot_id: str
    expires_at: str | None
    scopes: list[str]
    """In order."""


class TermsRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What an owner, or one of its accounts, may do from an entry on."""

    owner_id: str
    account_id: str | None
    """Set where a floor is."""
    floor_nanos: Nanos | None


class BudgetRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A budget that a hold counted against."""

    budget_id: str
    period: str


class Details(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What only some kinds of entries have. Hashed as an object without what is unset, so it may grow."""

    lot: LotRow | None = None
    """What the entry opens."""
    terms: TermsRow | None = None
    reversed_number: int = 0
    """The entry that this one undoes."""
    budgets: list[BudgetRow] = []
    """What the hold that is closed counted against, in order."""
    unit_nanos: Nanos = 0
    """Of a lot of tokens that is opened: what one token takes from it."""


class DetailedEntry(Entry, array_like=True, frozen=True, gc=False):
    """An entry with details. Apart, so that other entries hash as ever."""

    details: Details | None = None


def hash_of(entry: Entry, *, previous_hash: bytes) -> bytes:
    """Chain an entry to the one before it."""
    return hashlib.sha256(previous_hash + _encode(entry)).digest()
