"""Locks and loads the books that a batch concerns, on both databases; ``saving.py`` writes what it changed.

One order of locks for everybody, so that no two batches wait for each other in a circle: the own epoch (shared), the
credit lock, the accounts by id, the head of the chain. What can be changed by others (parts, closes) is read after the
locks. On SQLite the caller has begun with ``BEGIN IMMEDIATE`` under ``database.write_lock``, and the locks are that.

A unit of work that gives credit more than once cannot lock all its accounts in order, since it learns of them one by
one. So it has the ledger to itself from its first credit on: it holds the credit lock alone, batches share it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onetoken_app.clock import iso_instant
from onetoken_app.ledger import claims, journal
from onetoken_app.ledger.books import PLATFORM_OWNER_ID, Account, Books, HoldState
from onetoken_app.ledger.budget_store import asked_periods, load_budgets
from onetoken_app.ledger.kinds import AccountKind, Outcome
from onetoken_app.ledger.operations import CloseHold, Operation, PlaceHold
from onetoken_app.ledger.sql import Connection, listed
from onetoken_app.money import Currency
from onetoken_app.token_usage import UsageSource

CHAIN_LOCK_KEY = 0x6C656467
"""PostgreSQL's advisory lock that the chain's head is read and moved under ("ledg")."""
CREDIT_LOCK_KEY = 0x63726564
"""PostgreSQL's advisory lock that batches share and whoever gives credit holds alone ("cred")."""

_COLUMNS = (
    "SELECT id, owner_id, kind, currency, floor_nanos, posted_nanos, held_nanos, lot_id, expires_at, is_frozen, "
    "unit_nanos FROM ledger_account"
)
_ACCOUNTS = f"{_COLUMNS} WHERE owner_id = ANY(?)"
_PAYING_ACCOUNTS = f"""{_ACCOUNTS}
AND (lot_id = '' OR posted_nanos > 0 AND (expires_at > ? OR expires_at IS NULL OR held_nanos > 0))
AND kind NOT IN ('grants', 'clearing', 'forfeited', 'adjustments') ORDER BY id FOR UPDATE"""


class EpochEnded(Exception):
    """The epoch was ended by somebody else: its owner was taken for dead and may write no more."""


@dataclass(frozen=True, slots=True)
class _Concern:
    """What a batch has to load."""

    request_ids: list[str]
    owner_ids: set[str]
    moves_money: bool


def load_for_operations(
    connection: Connection, operations: Sequence[Operation], *, epoch_id: str, moment: datetime
) -> Books:
    """Lock and load the books for a batch of the writer.

    Raises:
        EpochEnded: ``epoch_id`` may not write any more.
    """
    _check_epoch(connection, epoch_id)
    lock_credit(connection, is_shared=True)
    request_ids = list({operation.request_id for operation in operations if hasattr(operation, "request_id")})
    owner_ids = {operation.owner_id for operation in operations if isinstance(operation, PlaceHold)}
    moves_money = any(isinstance(operation, CloseHold) for operation in operations)
    holds = _load_holds(connection, request_ids)
    concern = _Concern(request_ids, owner_ids | {hold.row.owner_id for hold in holds.values()}, moves_money)
    books = _load(connection, concern, holds, epoch_id=epoch_id, moment=moment)
    # After the accounts are locked: another process that claims the same has the same owner.
    books.claims = claims.load(connection, operations, moment=moment)
    load_budgets(connection, books, asked_periods(operations))
    return books


def load_for_transfer(
    connection: Connection, owner_ids: Iterable[str], *, lot_ids: Iterable[str] = (), moment: datetime
) -> Books:
    """Load the books for what moves credit: the owners' prepaid accounts, the lots that are named, the chain's head.

    The platform's accounts come with it. The caller has called ``lock_credit``.
    """
    chosen = ({PLATFORM_OWNER_ID, *owner_ids}, lot_ids)
    parameters = [listed(values, is_sqlite=connection.is_sqlite) for values in chosen]
    rows = connection.read(f"{_ACCOUNTS} AND (lot_id = '' OR lot_id = ANY(?)) ORDER BY id FOR UPDATE", parameters)
    return _books(connection, rows, moment=moment)


def load_expired(connection: Connection, *, lots_max: int, moment: datetime) -> Books:
    """Load the books of some expired lots that hold unused credit. The caller has called ``lock_credit``."""
    expired = connection.read(
        "SELECT id FROM ledger_account WHERE expires_at <= ? AND posted_nanos > held_nanos ORDER BY expires_at LIMIT ?",
        (iso_instant(moment), lots_max),
    )
    account_ids = listed([row[0] for row in expired], is_sqlite=connection.is_sqlite)
    rows = connection.read(f"{_COLUMNS} WHERE id = ANY(?) OR owner_id = '' ORDER BY id FOR UPDATE", (account_ids,))
    return _books(connection, rows, moment=moment)


def load_accounts(connection: Connection, account_ids: Iterable[str], *, moment: datetime) -> Books:
    """Load the books of some accounts, whosever they are. The caller has called ``lock_credit``."""
    chosen = (listed(account_ids, is_sqlite=connection.is_sqlite),)
    rows = connection.read(f"{_COLUMNS} WHERE id = ANY(?) ORDER BY id FOR UPDATE", chosen)
    return _books(connection, rows, moment=moment)


def lock_credit(connection: Connection, *, is_shared: bool = False) -> None:
    """Keep credit and batches apart; again in the same transaction it waits for nobody."""
    if not connection.is_sqlite:
        kind = "_shared" if is_shared else ""
        connection.read(f"SELECT pg_advisory_xact_lock{kind}(?)", (CREDIT_LOCK_KEY,))


def instant_text(value: Any) -> str:
    """Write a moment as the journal's hash sees it: SQLite returns that text, PostgreSQL a moment."""
    return iso_instant(value) if isinstance(value, datetime) else str(value)


def _check_epoch(connection: Connection, epoch_id: str) -> None:
    """Refuse a batch of an ended epoch; the shared lock keeps it from being ended before this batch is done."""
    rows = connection.read("SELECT ended_at FROM ledger_epoch WHERE id = ? FOR SHARE", (epoch_id,))
    if not rows or rows[0][0] is not None:
        raise EpochEnded


def _books(connection: Connection, rows: Iterable[Sequence[Any]], *, moment: datetime) -> Books:
    """Put books without holds together."""
    accounts = _accounts(rows)
    head_number, head_hash = _lock_head(connection)
    return Books(
        moment=iso_instant(moment),
        epoch_id="",
        accounts=accounts,
        holds={},
        head_number=head_number,
        head_hash=head_hash,
    )


def _load(
    connection: Connection, concern: _Concern, holds: dict[str, HoldState], *, epoch_id: str, moment: datetime
) -> Books:
    """Lock accounts and chain head, then read what the locks protect."""
    owners = concern.owner_ids | ({PLATFORM_OWNER_ID} if concern.moves_money else set())
    accounts = _lock_accounts(connection, owners, moment=moment)
    head_number, head_hash = _lock_head(connection) if concern.moves_money else (0, journal.GENESIS_HASH)
    if holds:
        _load_parts_and_closes(connection, holds)
        _load_payers(connection, holds, accounts)
    return Books(
        moment=iso_instant(moment),
        epoch_id=epoch_id,
        accounts=accounts,
        holds=holds,
        head_number=head_number,
        head_hash=head_hash,
    )


def _load_holds(connection: Connection, request_ids: list[str]) -> dict[str, HoldState]:
    """Read the holds, whose rows never change."""
    if not request_ids:
        return {}
    rows = connection.read(
        "SELECT request_id, owner_id, currency, epoch_id, amount_nanos, context, placed_at, budget_count "
        "FROM ledger_hold WHERE request_id = ANY(?)",
        (listed(request_ids, is_sqlite=connection.is_sqlite),),
    )
    return {row[0]: HoldState(row=hold_row(row[:-1]), parts=[], budget_count=row[-1]) for row in rows}


def hold_row(row: Sequence[Any]) -> journal.HoldRow:
    """Read a hold as the journal's hash sees it."""
    request_id, owner_id, currency, epoch_id, amount_nanos, context, placed_at = row
    return journal.HoldRow(
        request_id, owner_id, Currency(currency), epoch_id, amount_nanos, bytes(context), instant_text(placed_at)
    )


def close_row(row: Sequence[Any]) -> journal.CloseRow:
    """Read a close as the journal's hash sees it."""
    request_id, outcome, amount_nanos, absorbed_nanos, usage_source, closed_at = row
    return journal.CloseRow(
        request_id, Outcome(outcome), amount_nanos, absorbed_nanos, UsageSource(usage_source), instant_text(closed_at)
    )


def _load_parts_and_closes(connection: Connection, holds: dict[str, HoldState]) -> None:
    """Read what an earlier batch, perhaps of another process, has added to the holds."""
    chosen = (listed(holds, is_sqlite=connection.is_sqlite),)
    for request_id, *part in connection.read(
        "SELECT request_id, part_number, account_id, amount_nanos FROM ledger_hold_part "
        "WHERE request_id = ANY(?) ORDER BY request_id, part_number",
        chosen,
    ):
        holds[request_id].parts.append(journal.PartRow(*part))
    for row in connection.read(
        "SELECT request_id, outcome, amount_nanos, absorbed_nanos, usage_source, closed_at "
        "FROM ledger_hold_close WHERE request_id = ANY(?)",
        chosen,
    ):
        holds[row[0]].close = close_row(row)
    _load_corrections(connection, holds)


def _load_corrections(connection: Connection, holds: dict[str, HoldState]) -> None:
    """Read what corrected recovered closes; asked in the rare batch that has one, so that closing costs no more."""
    recovered = [
        request_id
        for request_id, hold in holds.items()
        if hold.close is not None and hold.close.outcome is Outcome.RECOVERED
    ]
    if not recovered:
        return
    for row in connection.read(
        "SELECT request_id, amount_nanos, absorbed_nanos, usage_source, corrected_at "
        "FROM ledger_correction WHERE request_id = ANY(?)",
        (listed(recovered, is_sqlite=connection.is_sqlite),),
    ):
        request_id, amount_nanos, absorbed_nanos, usage_source, corrected_at = row
        holds[request_id].correction = journal.CorrectionRow(
            request_id, amount_nanos, absorbed_nanos, UsageSource(usage_source), instant_text(corrected_at)
        )


def _load_payers(connection: Connection, holds: dict[str, HoldState], accounts: dict[str, Account]) -> None:
    """Read who paid for recovered closes: a correction may give back to a lot that is empty by now.

    Such a lot is locked after the chain's head and so out of turn. Only another correction of the same lot could meet
    it, and the database would take one of the two back, to be done again.
    """
    recovered = [
        request_id
        for request_id, hold in holds.items()
        if hold.close is not None and hold.close.outcome is Outcome.RECOVERED and hold.correction is None
    ]
    if not recovered:
        return
    for request_id, account_id, amount_nanos in connection.read(
        "SELECT closing.request_id, posting.from_account_id, posting.amount_nanos FROM ledger_hold_close AS closing "
        "JOIN ledger_posting AS posting ON posting.transaction_number = closing.transaction_number "
        "JOIN ledger_account AS account ON account.id = posting.from_account_id AND account.owner_id <> '' "
        "WHERE closing.request_id = ANY(?) ORDER BY closing.request_id, posting.posting_number",
        (listed(recovered, is_sqlite=connection.is_sqlite),),
    ):
        holds[request_id].paid.append((account_id, amount_nanos))
    missing = {account_id for hold in holds.values() for account_id, _ in hold.paid} - accounts.keys()
    if missing:
        account_ids = listed(missing, is_sqlite=connection.is_sqlite)
        accounts |= _accounts(connection.read(f"{_COLUMNS} WHERE id = ANY(?) ORDER BY id FOR UPDATE", (account_ids,)))


def _lock_accounts(connection: Connection, owner_ids: Iterable[str], *, moment: datetime) -> dict[str, Account]:
    """Read the accounts that calls are paid from and charged to, and keep others from changing them.

    Lots that are empty, or expired and without an open hold, are left where they are.
    """
    rows = connection.read(_PAYING_ACCOUNTS, (listed(owner_ids, is_sqlite=connection.is_sqlite), iso_instant(moment)))
    accounts = _accounts(rows)
    _load_scopes(connection, accounts)
    return accounts


def _accounts(rows: Iterable[Sequence[Any]]) -> dict[str, Account]:
    """Read accounts."""
    return {
        row[0]: Account(
            row[0],
            row[1],
            AccountKind(row[2]),
            Currency(row[3]),
            row[4],
            row[5],
            row[6],
            row[7],
            None if row[8] is None else instant_text(row[8]),
            bool(row[9]),
            unit_nanos=row[10],
        )
        for row in rows
    }


def _load_scopes(connection: Connection, accounts: dict[str, Account]) -> None:
    """Read what packages may be spent on; asked only where there are any."""
    packages = [account.id for account in accounts.values() if account.kind is AccountKind.PACKAGE]
    if not packages:
        return
    for account_id, scope in connection.read(
        "SELECT account_id, scope FROM ledger_lot_scope WHERE account_id = ANY(?)",
        (listed(packages, is_sqlite=connection.is_sqlite),),
    ):
        accounts[account_id].scopes |= {scope}


def _lock_head(connection: Connection) -> tuple[int, bytes]:
    """Read the last entry's number and hash and keep others from adding one."""
    if not connection.is_sqlite:
        connection.read("SELECT pg_advisory_xact_lock(?)", (CHAIN_LOCK_KEY,))
    rows = connection.read("SELECT sequence_number, hash FROM ledger_transaction ORDER BY sequence_number DESC LIMIT 1")
    return (rows[0][0], bytes(rows[0][1])) if rows else (0, journal.GENESIS_HASH)
