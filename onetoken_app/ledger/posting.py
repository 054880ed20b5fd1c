"""What every operation does to the books: pure, in memory, integers only.

``store.py`` loads the accounts, holds and chain head that a batch concerns into ``Books``, the functions here answer
the operations one after another and note what has to be written, and ``store.py`` writes it. An operation either
changes the books completely or not at all.
"""

from collections.abc import Callable
from typing import Any

from onetoken_app.ledger import journal
from onetoken_app.ledger.books import PLATFORM_OWNER_ID, Account, Books, Credit, HoldState
from onetoken_app.ledger.kinds import CREDIT_SOURCES, AccountKind, Outcome, TransactionKind
from onetoken_app.ledger.operations import (
    Answer,
    BalanceTooLow,
    CloseHold,
    ExtendHold,
    HoldClosed,
    HoldConflict,
    HoldPlaced,
    Operation,
    PlaceHold,
    ProgressRecorded,
    RecordProgress,
    Refused,
    Statement,
)
from onetoken_app.money import NANOS_MAX, Currency, Nanos

SPENDABLE_KINDS = (AccountKind.PREPAID,)
"""Whose money a hold takes, in this order."""
CONTEXT_BYTES_MAX = 1024
"""Longest context of a hold or a progress."""


def perform(books: Books, operation: Operation) -> Answer:
    """Answer one operation and note what it changes.

    ``FindDeadHolds`` is no business of the books: it must commit on its own first.
    """
    return _PERFORM[type(operation)](books, operation)


def place_hold(books: Books, operation: PlaceHold) -> Answer:
    """Set money aside over the owner's spendable accounts, all of it or nothing."""
    if not _is_amount(operation.amount_nanos):
        return Refused(error_class="AmountOutOfRange")
    if len(operation.context) > CONTEXT_BYTES_MAX:
        return Refused(error_class="ContextTooLong")
    known = books.holds.get(operation.request_id)
    if known is not None:
        return _first_receipt(known, operation)
    shares = _allocate(books, operation.owner_id, operation.currency, operation.amount_nanos)
    if isinstance(shares, BalanceTooLow):
        return shares
    row = journal.HoldRow(
        request_id=operation.request_id,
        owner_id=operation.owner_id,
        currency=operation.currency,
        epoch_id=books.epoch_id,
        amount_nanos=operation.amount_nanos,
        context=operation.context,
        placed_at=books.moment,
    )
    hold = HoldState(row=row, parts=[])
    books.holds[row.request_id] = hold
    books.changes.holds.append(row)
    _add_parts(books, hold, shares)
    return HoldPlaced(amount_nanos=row.amount_nanos)


def extend_hold(books: Books, operation: ExtendHold) -> Answer:
    """Raise a hold's total; when the balance does not allow it the hold stays as it was."""
    if not _is_amount(operation.amount_nanos):
        return Refused(error_class="AmountOutOfRange")
    hold = books.holds.get(operation.request_id)
    if hold is None or hold.close is not None:
        return HoldConflict()
    total = sum(part.amount_nanos for part in hold.parts)
    if operation.amount_nanos <= total:
        return HoldPlaced(amount_nanos=total)
    shares = _allocate(books, hold.row.owner_id, hold.row.currency, operation.amount_nanos - total)
    if isinstance(shares, BalanceTooLow):
        return shares
    _add_parts(books, hold, shares)
    return HoldPlaced(amount_nanos=operation.amount_nanos)


def record_progress(books: Books, operation: RecordProgress) -> Answer:
    """Note what an open request has cost so far; after its close there is nothing left to note."""
    if not _is_amount(operation.amount_nanos):
        return Refused(error_class="AmountOutOfRange")
    if len(operation.context) > CONTEXT_BYTES_MAX:
        return Refused(error_class="ContextTooLong")
    hold = books.holds.get(operation.request_id)
    if hold is None:
        return HoldConflict()
    if hold.close is None:
        books.changes.progress[operation.request_id] = operation
    return ProgressRecorded()


def close_hold(books: Books, operation: CloseHold) -> Answer:
    """End a hold: take the charge, give back the rest, note the caller's statements.

    A charge above the hold takes what is missing from the rest of the balance, never below the floor; what even that
    does not cover is posted from ``absorbed``, so that revenue shows the metered charge and somebody bears it.
    """
    hold = books.holds.get(operation.request_id)
    if hold is None:
        return HoldConflict()
    if hold.close is not None:
        return _closed(hold.close, is_first=False)
    if not _is_amount(operation.amount_nanos):
        return Refused(error_class="AmountOutOfRange")
    if any(statement.charge_position >= len(statement.parameters) for statement in operation.extra):
        return Refused(error_class="ChargePositionOutOfRange")
    metered = 0 if operation.outcome is Outcome.VOIDED else operation.amount_nanos
    takings = _release_and_take(books, hold, metered)
    paid = sum(takings.values())
    absorbed = metered - paid
    close = journal.CloseRow(
        request_id=operation.request_id,
        outcome=operation.outcome,
        amount_nanos=paid,
        absorbed_nanos=absorbed,
        usage_source=operation.usage_source,
        closed_at=books.moment,
    )
    movements = _charge(books, hold.row.currency, takings, absorbed)
    _append(books, TransactionKind.CLOSE, operation.request_id, movements, hold=hold, close=close)
    hold.close = close
    for statement in operation.extra:
        books.changes.extra.setdefault(statement.sql, []).append(_parameters(statement, paid))
    return _closed(close, is_first=True)


def give_credit(books: Books, credit: Credit) -> None:
    """Move credit from where it comes from to the owner's prepaid account, which must be loaded."""
    prepaid = books.accounts[credit.owner_id, AccountKind.PREPAID, credit.currency]
    source = _platform_account(books, CREDIT_SOURCES[credit.kind], credit.currency)
    movement = _move(books, source, prepaid, credit.amount_nanos)
    _append(books, credit.kind, credit.reference, [movement])


_PERFORM: dict[type, Callable[[Books, Any], Answer]] = {
    PlaceHold: place_hold,
    ExtendHold: extend_hold,
    RecordProgress: record_progress,
    CloseHold: close_hold,
}


def _is_amount(nanos: Nanos) -> bool:
    """Whether a BIGINT column can hold it and it is not negative."""
    return 0 <= nanos <= NANOS_MAX


def _first_receipt(hold: HoldState, operation: PlaceHold) -> Answer:
    """Answer a repeated ``PlaceHold``."""
    row = hold.row
    is_same = (row.owner_id, row.currency, row.amount_nanos) == (
        operation.owner_id, operation.currency, operation.amount_nanos,
    )  # fmt: skip
    if hold.close is not None or not is_same:
        return HoldConflict()
    return HoldPlaced(amount_nanos=row.amount_nanos)


def _closed(close: journal.CloseRow, *, is_first: bool) -> HoldClosed:
    """Answer with what a close says."""
    return HoldClosed(
        outcome=close.outcome,
        amount_nanos=close.amount_nanos,
        absorbed_nanos=close.absorbed_nanos,
        is_first=is_first,
    )


def _spendable(books: Books, owner_id: str, currency: Currency) -> list[Account]:
    """Return the owner's accounts that pay, in their order."""
    accounts = books.accounts
    return [accounts[key] for kind in SPENDABLE_KINDS if (key := (owner_id, kind, currency)) in accounts]


def _allocate(
    books: Books, owner_id: str, currency: Currency, amount_nanos: Nanos
) -> list[tuple[Account, Nanos]] | BalanceTooLow:
    """Spread an amount over the owner's accounts; nothing is changed yet."""
    missing = amount_nanos
    shares: list[tuple[Account, Nanos]] = []
    for account in _spendable(books, owner_id, currency):
        share = min(missing, account.available_nanos)
        if share > 0:
            shares.append((account, share))
            missing -= share
    return BalanceTooLow(available_nanos=amount_nanos - missing) if missing else shares


def _add_parts(books: Books, hold: HoldState, shares: list[tuple[Account, Nanos]]) -> None:
    """Hold the shares."""
    for account, share in shares:
        account.held_nanos += share
        books.changes.touched_accounts[account.id] = account
        part = journal.PartRow(part_number=len(hold.parts) + 1, account_id=account.id, amount_nanos=share)
        hold.parts.append(part)
        books.changes.parts.append((hold.row.request_id, part))


def _release_and_take(books: Books, hold: HoldState, metered: Nanos) -> dict[Account, Nanos]:
    """Give back everything held, and say which account pays how much; the money itself is moved by ``_charge``.

    The parts pay first, in order, even where a later part is on the same account; then what is available.
    """
    accounts = {account.id: account for account in _spendable(books, hold.row.owner_id, hold.row.currency)}
    takings = dict.fromkeys(accounts.values(), 0)
    missing = metered
    for part in hold.parts:
        account = accounts[part.account_id]
        account.held_nanos -= part.amount_nanos
        books.changes.touched_accounts[account.id] = account
        share = min(missing, part.amount_nanos)
        takings[account] += share
        missing -= share
    for account, taken in takings.items():
        share = min(missing, max(0, account.available_nanos - taken))
        takings[account] += share
        missing -= share
    return {account: taken for account, taken in takings.items() if taken}


def _charge(
    books: Books, currency: Currency, takings: dict[Account, Nanos], absorbed: Nanos
) -> list[tuple[Account, Account, Nanos]]:
    """Move the takings, and what nobody covers, to revenue."""
    if not takings and not absorbed:
        return []
    revenue = _platform_account(books, AccountKind.REVENUE, currency)
    movements = [_move(books, account, revenue, amount) for account, amount in takings.items()]
    if absorbed:
        movements.append(_move(books, _platform_account(books, AccountKind.ABSORBED, currency), revenue, absorbed))
    return movements


def _move(books: Books, source: Account, target: Account, amount_nanos: Nanos) -> tuple[Account, Account, Nanos]:
    """Change two balances by one amount."""
    source.posted_nanos -= amount_nanos
    target.posted_nanos += amount_nanos
    for account in (source, target):
        books.changes.touched_accounts[account.id] = account
    return source, target, amount_nanos


def _append(
    books: Books,
    kind: TransactionKind,
    reference: str,
    movements: list[tuple[Account, Account, Nanos]],
    *,
    hold: HoldState | None = None,
    close: journal.CloseRow | None = None,
) -> None:
    """Add an entry to the journal, chained to the last."""
    entry = journal.Entry(
        sequence_number=books.head_number + 1,
        kind=kind,
        reference=reference,
        recorded_at=books.moment,
        postings=[
            journal.PostingRow(number, source.id, target.id, amount)
            for number, (source, target, amount) in enumerate(movements, 1)
        ],
        hold=hold.row if hold else None,
        parts=list(hold.parts) if hold else [],
        close=close,
    )
    previous = books.head_hash
    books.head_number = entry.sequence_number
    books.head_hash = journal.hash_of(entry, previous_hash=previous)
    books.changes.entries.append((entry, previous, books.head_hash))


def _platform_account(books: Books, kind: AccountKind, currency: Currency) -> Account:
    """Return one of our own accounts; the first movement in a currency opens it."""
    known = books.accounts.get((PLATFORM_OWNER_ID, kind, currency))
    if known is not None:
        return known
    account = Account(
        id=f"act_{kind}_{currency}".lower(),
        owner_id=PLATFORM_OWNER_ID,
        kind=kind,
        currency=currency,
        floor_nanos=None,
    )
    books.accounts[PLATFORM_OWNER_ID, kind, currency] = account
    books.changes.new_accounts.append(account)
    return account


def _parameters(statement: Statement, paid: Nanos) -> list[Any]:
    """Put what was really paid where the caller left room for it."""
    if statement.charge_position < 0:
        return statement.parameters
    parameters = list(statement.parameters)
    parameters[statement.charge_position] = paid
    return parameters
