"""Posts what the verbs ask for: under the locks, once per reference."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.ledger import saving, store, transfers
from onetoken_app.ledger.books import PLATFORM_OWNER_ID
from onetoken_app.ledger.errors import LedgerConflict
from onetoken_app.ledger.sql import Connection, SessionConnection
from onetoken_app.ledger.transfers import Transfer
from onetoken_app.money import NANOS_MAX, Nanos

_REFERENCE_CHARACTERS_MAX = 128
_POSTED = (
    "SELECT entry.kind, source.owner_id, source.kind, source.lot_id, target.owner_id, target.kind, target.lot_id, "
    "target.currency, posting.amount_nanos, target.expires_at, target.id, target.unit_nanos "
    "FROM ledger_transaction AS entry "
    "LEFT JOIN ledger_posting AS posting ON posting.transaction_number = entry.sequence_number "
    "LEFT JOIN ledger_account AS source ON source.id = posting.from_account_id "
    "LEFT JOIN ledger_account AS target ON target.id = posting.to_account_id WHERE entry.reference = ?"
)
_SCOPES = "SELECT scope FROM ledger_lot_scope WHERE account_id = ? ORDER BY scope"


async def post_once(session: AsyncSession, transfer: Transfer) -> None:
    """Post a transfer, unless this very transfer was posted before.

    Raises:
        ValueError: The amount or the reference is out of its bounds.
        NoSuchAccount: An owner's account does not exist.
        InsufficientFunds: The source's available balance is below the amount.
        LedgerConflict: The reference stands for something else.
    """
    check_amount(transfer.amount_nanos, name=transfer.kind)
    check_reference(transfer.reference)
    await alone(session, lambda connection: _post(connection, transfer))


async def alone(session: AsyncSession, work: Callable[[Connection], Any]) -> Any:
    """Work on the books with the ledger to oneself, until the session's transaction ends."""
    await session.flush()
    return await session.run_sync(_alone, work)


def check_amount(amount_nanos: Nanos, *, name: str) -> None:
    """Refuse what no posting can be.

    Raises:
        ValueError: It is not more than 0, or does not fit.
    """
    if not 0 < amount_nanos <= NANOS_MAX:
        message = f"a {name} is more than 0"
        raise ValueError(message)


def check_reference(reference: str) -> None:
    """Refuse a reference that would not fit.

    Raises:
        ValueError: It is empty or too long.
    """
    if not 0 < len(reference) <= _REFERENCE_CHARACTERS_MAX:
        message = f"a reference has 1 to {_REFERENCE_CHARACTERS_MAX} characters"
        raise ValueError(message)


def reference_is_taken() -> LedgerConflict:
    """Say that a reference stands for something else."""
    return LedgerConflict("This reference stands for another movement of money; nothing was changed.")


def _alone(session: Session, work: Callable[[Connection], Any]) -> Any:
    """Take the lock that batches share."""
    transaction = session.connection()
    connection = SessionConnection(transaction.exec_driver_sql, is_sqlite=transaction.dialect.name == "sqlite")
    store.lock_credit(connection)
    return work(connection)


def _post(connection: Connection, transfer: Transfer) -> None:
    """Post unless it is posted."""
    if _is_posted(connection, transfer):
        return
    places = [place for place in (transfer.source, transfer.target) if place.owner_id != PLATFORM_OWNER_ID]
    lots = [place.lot_id for place in (transfer.source, transfer.target) if place.lot_id]
    books = store.load_for_transfer(
        connection, [place.owner_id for place in places], lot_ids=lots, moment=clock.utc_now()
    )  # fmt: skip
    transfers.post(books, transfer)
    saving.save(connection, books)


def _is_posted(connection: Connection, transfer: Transfer) -> bool:
    """Whether this very transfer was posted before.

    Raises:
        LedgerConflict: Something else was posted under its reference.
    """
    rows = connection.read(_POSTED, (transfer.reference,))
    if not rows:
        return False
    source, target = transfer.source, transfer.target
    *said, expires_at, target_id, unit_nanos = rows[0]
    meant = [
        transfer.kind, source.owner_id, source.kind, source.lot_id, target.owner_id, target.kind, target.lot_id,
        transfer.currency, transfer.amount_nanos,
    ]  # fmt: skip
    is_same = len(rows) == 1 and said == meant
    if is_same and transfer.opens is not None:
        scopes = tuple(row[0] for row in connection.read(_SCOPES, (target_id,)))
        stored = (None if expires_at is None else store.instant_text(expires_at), scopes, unit_nanos)
        opens = transfer.opens
        is_same = stored == (opens.expires_at, tuple(sorted(opens.scopes)), opens.unit_nanos)
    if not is_same:
        raise reference_is_taken()
    return True
