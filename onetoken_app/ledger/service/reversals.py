"""Undoes transactions: posts the opposite, once, as a new transaction that links to the first."""

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.ledger import journal, saving, store, transfers
from onetoken_app.ledger.errors import AlreadyReversed, NoSuchTransaction, NotReversible
from onetoken_app.ledger.kinds import ROUTES, TransactionKind
from onetoken_app.ledger.service.posts import alone, check_reference, reference_is_taken
from onetoken_app.ledger.sql import Connection


async def reverse(session: AsyncSession, *, reversed_reference: str, reference: str) -> None:
    """Undo a transaction that moved credit, once; closes, corrections, terms and reversals are not undone.

    Args:
        session: Open unit of work; the caller commits.
        reversed_reference: Of the transaction to undo.
        reference: Of the new one; unique over the whole ledger; at most 128 characters.

    Raises:
        NoSuchTransaction: There is none with that reference.
        NotReversible: It is of a kind that is not undone.
        AlreadyReversed: It was undone under another reference, or its refund was returned.
        InsufficientFunds: What it gave has been used, or is held; the metadata says what is available.
        LedgerConflict: The new reference stands for something else.
    """
    await _undo(session, TransactionKind.REVERSAL, reversed_reference, reference, kinds=frozenset(ROUTES))


async def return_refund(session: AsyncSession, *, refund_reference: str, reference: str) -> None:
    """Give back a refund that could not be paid out, once, to the account that it was taken from.

    Args:
        session: Open unit of work; the caller commits.
        refund_reference: Of the refund.
        reference: Of the return; unique over the whole ledger; at most 128 characters.

    Raises:
        NoSuchTransaction: There is none with that reference.
        NotReversible: It is no refund.
        AlreadyReversed: It was returned, or reversed, under another reference.
        LedgerConflict: The new reference stands for something else.
    """
    kinds = frozenset({TransactionKind.REFUND})
    await _undo(session, TransactionKind.REFUND_RETURN, refund_reference, reference, kinds=kinds)


async def _undo(
    session: AsyncSession, kind: TransactionKind, undone: str, reference: str, *, kinds: frozenset[TransactionKind]
) -> None:
    """Post the opposite under the locks."""
    check_reference(reference)
    await alone(session, lambda connection: _post_opposite(connection, kind, undone, reference, kinds))


def _post_opposite(
    connection: Connection, kind: TransactionKind, undone: str, reference: str, kinds: frozenset[TransactionKind]
) -> None:
    """Look whether it was done or cannot be, then do it."""
    first = connection.read("SELECT sequence_number, kind FROM ledger_transaction WHERE reference = ?", (undone,))
    if not first:
        message = "There is no transaction with this reference; nothing was changed."
        raise NoSuchTransaction(message)
    number, undone_kind = first[0]
    if _is_done(connection, kind, number, reference):
        return
    if undone_kind not in kinds:
        message = "What this transaction did is not undone this way; nothing was changed."
        raise NotReversible(message)
    if connection.read("SELECT 1 FROM ledger_reversal WHERE reversed_number = ?", (number,)):
        message = "This transaction was undone before; nothing was changed."
        raise AlreadyReversed(message)
    postings = [
        journal.PostingRow(*row)
        for row in connection.read(
            "SELECT posting_number, from_account_id, to_account_id, amount_nanos FROM ledger_posting "
            "WHERE transaction_number = ? ORDER BY posting_number",
            (number,),
        )
    ]
    account_ids = {account for row in postings for account in (row.from_account_id, row.to_account_id)}
    books = store.load_accounts(connection, account_ids, moment=clock.utc_now())
    transfers.post_opposite(books, kind, reference, reversed_number=number, postings=postings)
    saving.save(connection, books)


def _is_done(connection: Connection, kind: TransactionKind, reversed_number: int, reference: str) -> bool:
    """Whether this very undoing was posted before.

    Raises:
        LedgerConflict: Something else was posted under its reference.
    """
    rows = connection.read(
        "SELECT entry.kind, reversal.reversed_number FROM ledger_transaction AS entry LEFT JOIN ledger_reversal AS "
        "reversal ON reversal.transaction_number = entry.sequence_number WHERE entry.reference = ?",
        (reference,),
    )
    if not rows:
        return False
    if tuple(rows[0]) != (kind, reversed_number):
        raise reference_is_taken()
    return True
