"""Moves credit from one account to another: everything but holds and closes. Pure, like ``posting.py``.

Each is one entry: most are one posting between an owner and the platform, or between two accounts of an owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import entries, journal
from onetoken_app.ledger.books import PLATFORM_OWNER_ID, Account, Books
from onetoken_app.ledger.errors import InsufficientFunds, NoSuchAccount
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.money import Currency, Nanos


@dataclass(frozen=True, slots=True)
class Place:
    """An account, said by what it is."""

    owner_id: str
    kind: AccountKind
    lot_id: str = ""


@dataclass(frozen=True, slots=True)
class LotTerms:
    """What a lot that is opened will be."""

    expires_at: str | None
    """As ``clock.iso_instant`` writes it; unset: never."""
    scopes: tuple[str, ...] = ()
    """What it may be spent on; none: everything."""
    unit_nanos: Nanos = 0
    """What a token takes from it; 0: it is no lot of tokens."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """An amount that moves once between two places."""

    kind: TransactionKind
    reference: str
    currency: Currency
    amount_nanos: Nanos
    source: Place
    target: Place
    opens: LotTerms | None = None
    """Set when the target is a lot that this opens."""


def prepaid(owner_id: str) -> Place:
    """Say an owner's prepaid account."""
    return Place(owner_id, AccountKind.PREPAID)


def platform(kind: AccountKind, lot_id: str = "") -> Place:
    """Say an account of our own."""
    return Place(PLATFORM_OWNER_ID, kind, lot_id)


def post(books: Books, transfer: Transfer) -> None:
    """Move the amount; the owner's accounts must be loaded.

    Raises:
        NoSuchAccount: An owner's account does not exist.
        InsufficientFunds: The source's available balance is below the amount.
    """
    source = _account(books, transfer.source, transfer.currency)
    if transfer.kind is TransactionKind.REFUND:
        _check_unused(source, transfer.amount_nanos)
    check_available(source, transfer.amount_nanos)
    details = None
    if transfer.opens is None:
        target = _account(books, transfer.target, transfer.currency)
    else:
        target = _open_lot(books, transfer, transfer.opens)
        details = journal.Details(lot=lot_row(target), unit_nanos=target.unit_nanos)
    movement = entries.move(books, source, target, transfer.amount_nanos)
    entries.append(books, transfer.kind, transfer.reference, [movement], details=details)


def post_opposite(
    books: Books, kind: TransactionKind, reference: str, *, reversed_number: int, postings: Sequence[journal.PostingRow]
) -> None:
    """Undo an entry; its accounts must be loaded.

    Raises:
        InsufficientFunds: What it gave has been used or is held.
    """
    movements = []
    for posting in postings:
        source, target = books.accounts[posting.to_account_id], books.accounts[posting.from_account_id]
        check_available(source, posting.amount_nanos)
        movements.append(entries.move(books, source, target, posting.amount_nanos))
    entries.append(books, kind, reference, movements, details=journal.Details(reversed_number=reversed_number))


def post_terms(books: Books, kind: TransactionKind, reference: str, terms: journal.TermsRow) -> None:
    """Note in the journal what an owner may do from now on; the caller has changed its accounts."""
    entries.append(books, kind, reference, [], details=journal.Details(terms=terms))


def expire(books: Books) -> int:
    """Forfeit what is left of the loaded lots; return of how many. What is held stays until its close."""
    expired = [account for account in books.accounts.values() if account.owner_id != PLATFORM_OWNER_ID]
    for lot in expired:
        forfeited = entries.platform_account(books, AccountKind.FORFEITED, lot.currency)
        reference = f"expiry:{lot.id}:{books.head_number + 1}"
        movement = entries.move(books, lot, forfeited, lot.available_nanos)
        entries.append(books, TransactionKind.EXPIRY, reference, [movement])
    return len(expired)


def lot_row(lot: Account) -> journal.LotRow:
    """Say what a lot is, as the journal's hash sees it."""
    return journal.LotRow(
        lot.id, lot.owner_id, lot.kind, lot.currency, lot.lot_id, lot.expires_at, sorted(lot.scopes)
    )  # fmt: skip


def check_available(account: Account, amount_nanos: Nanos) -> None:
    """Refuse to take more than an owner's account has free; ours have no floor.

    Raises:
        InsufficientFunds: It has less.
    """
    if account.floor_nanos is not None and amount_nanos > account.available_nanos:
        raise _too_little(account.available_nanos)


def _check_unused(account: Account, amount_nanos: Nanos) -> None:
    """Refuse to pay back what was never paid: a credit limit is no money.

    Raises:
        InsufficientFunds: It has less.
    """
    unused_nanos = max(0, account.posted_nanos - account.held_nanos)
    if amount_nanos > unused_nanos:
        raise _too_little(unused_nanos)


def _too_little(available_nanos: Nanos) -> InsufficientFunds:
    """Say what is there."""
    message = (
        "The account does not have as much available as was to be taken from it; nothing was changed. What is held by "
        "calls that are under way is not available; wait for their end, or take less."
    )
    return InsufficientFunds(message, metadata={"available_nanos": available_nanos})


def _account(books: Books, place: Place, currency: Currency) -> Account:
    """Find an account; ours is opened by the first movement."""
    if place.owner_id == PLATFORM_OWNER_ID:
        return entries.platform_account(books, place.kind, currency, place.lot_id)
    account = books.account_of(place.owner_id, place.kind, currency, place.lot_id)
    if account is None:
        message = "The organization has no account in this currency; nothing was changed. Open one first."
        raise NoSuchAccount(message)
    return account


def _open_lot(books: Books, transfer: Transfer, terms: LotTerms) -> Account:
    """Open the lot that a transfer fills; its owner has a prepaid account, which says whether it is frozen.

    Raises:
        NoSuchAccount: It has none.
    """
    _account(books, prepaid(transfer.target.owner_id), transfer.currency)
    return books.open(
        Account(
            id=new_id(Kind.LEDGER_ACCOUNT),
            owner_id=transfer.target.owner_id,
            kind=transfer.target.kind,
            currency=transfer.currency,
            floor_nanos=0,
            lot_id=transfer.target.lot_id,
            expires_at=terms.expires_at,
            scopes=frozenset(terms.scopes),
            unit_nanos=terms.unit_nanos,
        )
    )
