"""Adds entries to the books: each moves money between accounts and is chained to the one before it."""

from functools import partial

from onetoken_app.ledger import journal
from onetoken_app.ledger.books import PLATFORM_OWNER_ID, Account, Books, HoldState
from onetoken_app.ledger.kinds import CORRECTION_PREFIX, AccountKind, TransactionKind
from onetoken_app.money import Currency, Nanos


def move(books: Books, source: Account, target: Account, amount_nanos: Nanos) -> tuple[Account, Account, Nanos]:
    """Change two balances by one amount."""
    source.posted_nanos -= amount_nanos
    target.posted_nanos += amount_nanos
    for account in (source, target):
        books.changes.touched_accounts[account.id] = account
    return source, target, amount_nanos


def charge(
    books: Books, currency: Currency, takings: dict[Account, Nanos], absorbed: Nanos
) -> list[tuple[Account, Account, Nanos]]:
    """Move the takings, and what nobody covers, to revenue."""
    if not takings and not absorbed:
        return []
    revenue = platform_account(books, AccountKind.REVENUE, currency)
    movements = [move(books, account, revenue, amount) for account, amount in takings.items()]
    if absorbed:
        movements.append(move(books, platform_account(books, AccountKind.ABSORBED, currency), revenue, absorbed))
    return movements


def append(
    books: Books,
    kind: TransactionKind,
    reference: str,
    movements: list[tuple[Account, Account, Nanos]],
    *,
    hold: HoldState | None = None,
    close: journal.CloseRow | None = None,
    details: journal.Details | None = None,
) -> None:
    """Add an entry to the journal, chained to the last."""
    make = journal.Entry if details is None else partial(journal.DetailedEntry, details=details)
    entry = make(
        sequence_number=books.head_number + 1,
        kind=kind,
        reference=reference,
        recorded_at=books.moment,
        postings=_postings(movements),
        hold=hold.row if hold else None,
        parts=list(hold.parts) if hold else [],
        close=close,
    )
    _chain(books, entry)


def append_correction(
    books: Books,
    hold: HoldState,
    correction: journal.CorrectionRow,
    movements: list[tuple[Account, Account, Nanos]],
) -> None:
    """Add a correction to the journal, linked to the hold and the close that it corrects."""
    entry = journal.CorrectionEntry(
        sequence_number=books.head_number + 1,
        kind=TransactionKind.CORRECTION,
        reference=CORRECTION_PREFIX + hold.row.request_id,
        recorded_at=books.moment,
        postings=_postings(movements),
        hold=hold.row,
        close=hold.close,
        correction=correction,
    )
    _chain(books, entry)


def platform_account(books: Books, kind: AccountKind, currency: Currency, lot_id: str = "") -> Account:
    """Return one of our own accounts; the first movement in a currency opens it."""
    known = books.account_of(PLATFORM_OWNER_ID, kind, currency, lot_id)
    if known is not None:
        return known
    name = f"{kind}_{currency}_{lot_id}" if lot_id else f"{kind}_{currency}"
    account = Account(
        id=f"act_{name}".lower(),
        owner_id=PLATFORM_OWNER_ID,
        kind=kind,
        currency=currency,
        floor_nanos=None,
        lot_id=lot_id,
    )
    return books.open(account)


def _postings(movements: list[tuple[Account, Account, Nanos]]) -> list[journal.PostingRow]:
    """Number the movements of one entry."""
    return [
        journal.PostingRow(number, source.id, target.id, amount)
        for number, (source, target, amount) in enumerate(movements, 1)
    ]


def _chain(books: Books, entry: journal.Entry) -> None:
    """Make an entry the last one."""
    previous = books.head_hash
    books.head_number = entry.sequence_number
    books.head_hash = journal.hash_of(entry, previous_hash=previous)
    books.changes.entries.append((entry, previous, books.head_hash))
