"""Loads the books that a batch concerns and saves what it changed, on both databases.

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
from onetoken_app.ledger.books import PLATFORM_OWNER_ID, Account, Books, Changes, Credit, HoldState
from onetoken_app.ledger.kinds import AccountKind, Outcome, TransactionKind
from onetoken_app.ledger.operations import CloseHold, Operation, PlaceHold
from onetoken_app.ledger.sql import Connection, listed
from onetoken_app.money import Currency
from onetoken_app.token_usage import UsageSource

CHAIN_LOCK_KEY = 0x6C656467
"""PostgreSQL's advisory lock that the chain's head is read and moved under ("ledg")."""
CREDIT_LOCK_KEY = 0x63726564
"""PostgreSQL's advisory lock that batches share and whoever gives credit holds alone ("cred")."""


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
    _lock_credit(connection, is_shared=True)
    request_ids = list({operation.request_id for operation in operations if hasattr(operation, "request_id")})
    owner_ids = {operation.owner_id for operation in operations if isinstance(operation, PlaceHold)}
    moves_money = any(isinstance(operation, CloseHold) for operation in operations)
    holds = _load_holds(connection, request_ids)
    concern = _Concern(request_ids, owner_ids | {hold.row.owner_id for hold in holds.values()}, moves_money)
    books = _load(connection, concern, holds, epoch_id=epoch_id, moment=moment)
    # After the accounts are locked: another process that claims the same has the same owner.
    books.claims = claims.load(connection, operations, moment=moment)
    return books


def load_for_credit(connection: Connection, credit: Credit, *, moment: datetime) -> Books:
    """Lock and load the books for a grant or a top-up. Batches wait from here to the end of the transaction."""
    _lock_credit(connection, is_shared=False)
    return _load(connection, _Concern([], {credit.owner_id}, moves_money=True), {}, epoch_id="", moment=moment)


def save(connection: Connection, books: Books) -> None:
    """Write everything that changed; the caller commits."""
    changes = books.changes
    _insert_accounts(connection, changes, books.moment)
    _insert_holds(connection, changes, books.epoch_id)
    claims.insert(connection, books)
    _insert_entries(connection, changes)
    connection.write(
        "UPDATE ledger_account SET posted_nanos = ?, held_nanos = ? WHERE id = ?",
        [(account.posted_nanos, account.held_nanos, account.id) for account in _by_id(changes)],
    )
    connection.write(
        "INSERT INTO ledger_hold_progress (request_id, amount_nanos, context, recorded_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (request_id) DO UPDATE SET amount_nanos = excluded.amount_nanos, context = excluded.context, "
        "recorded_at = excluded.recorded_at",
        [(noted.request_id, noted.amount_nanos, noted.context, books.moment) for noted in changes.progress.values()],
    )
    for sql, rows in changes.extra.items():
        connection.write_foreign(sql, rows)


def instant_text(value: Any) -> str:
    """Write a moment as the journal's hash sees it: SQLite returns that text, PostgreSQL a moment."""
    return iso_instant(value) if isinstance(value, datetime) else str(value)


def _check_epoch(connection: Connection, epoch_id: str) -> None:
    """Refuse a batch of an ended epoch; the shared lock keeps it from being ended before this batch is done."""
    rows = connection.read("SELECT ended_at FROM ledger_epoch WHERE id = ? FOR SHARE", (epoch_id,))
    if not rows or rows[0][0] is not None:
        raise EpochEnded


def _lock_credit(connection: Connection, *, is_shared: bool) -> None:
    """Keep credit and batches apart; again in the same transaction it waits for nobody."""
    if not connection.is_sqlite:
        kind = "_shared" if is_shared else ""
        connection.read(f"SELECT pg_advisory_xact_lock{kind}(?)", (CREDIT_LOCK_KEY,))


def _load(
    connection: Connection, concern: _Concern, holds: dict[str, HoldState], *, epoch_id: str, moment: datetime
) -> Books:
    """Lock accounts and chain head, then read what the locks protect."""
    owners = concern.owner_ids | ({PLATFORM_OWNER_ID} if concern.moves_money else set())
    accounts = _lock_accounts(connection, owners)
    head_number, head_hash = _lock_head(connection) if concern.moves_money else (0, journal.GENESIS_HASH)
    if holds:
        _load_parts_and_closes(connection, holds)
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
        "SELECT request_id, owner_id, currency, epoch_id, amount_nanos, context, placed_at "
        "FROM ledger_hold WHERE request_id = ANY(?)",
        (listed(request_ids, is_sqlite=connection.is_sqlite),),
    )
    return {row[0]: HoldState(row=hold_row(row), parts=[]) for row in rows}


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


def _lock_accounts(
    connection: Connection, owner_ids: Iterable[str]
) -> dict[tuple[str, AccountKind, Currency], Account]:
    """Read the owners' accounts and keep others from changing them."""
    rows = connection.read(
        "SELECT id, owner_id, kind, currency, floor_nanos, posted_nanos, held_nanos FROM ledger_account "
        "WHERE owner_id = ANY(?) ORDER BY id FOR UPDATE",
        (listed(owner_ids, is_sqlite=connection.is_sqlite),),
    )
    found = [Account(row[0], row[1], AccountKind(row[2]), Currency(row[3]), *row[4:]) for row in rows]
    return {(account.owner_id, account.kind, account.currency): account for account in found}


def _lock_head(connection: Connection) -> tuple[int, bytes]:
    """Read the last entry's number and hash and keep others from adding one."""
    if not connection.is_sqlite:
        connection.read("SELECT pg_advisory_xact_lock(?)", (CHAIN_LOCK_KEY,))
    rows = connection.read("SELECT sequence_number, hash FROM ledger_transaction ORDER BY sequence_number DESC LIMIT 1")
    return (rows[0][0], bytes(rows[0][1])) if rows else (0, journal.GENESIS_HASH)


def _by_id(changes: Changes) -> list[Account]:
    """Return the touched accounts in the order of their ids."""
    return [changes.touched_accounts[account_id] for account_id in sorted(changes.touched_accounts)]


def _insert_accounts(connection: Connection, changes: Changes, moment: str) -> None:
    """Open the platform's accounts that were needed for the first time."""
    connection.write(
        "INSERT INTO ledger_account (id, owner_id, kind, currency, floor_nanos, posted_nanos, held_nanos, created_at) "
        "VALUES (?, ?, ?, ?, ?, 0, 0, ?)",
        [
            (account.id, account.owner_id, account.kind.value, account.currency.value, account.floor_nanos, moment)
            for account in changes.new_accounts
        ],
    )


def _insert_holds(connection: Connection, changes: Changes, epoch_id: str) -> None:
    """Write new holds, and the parts of new and extended ones."""
    connection.write(
        "INSERT INTO ledger_hold (request_id, owner_id, currency, epoch_id, amount_nanos, context, placed_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (hold.request_id, hold.owner_id, hold.currency.value, hold.epoch_id, hold.amount_nanos, hold.context,
             hold.placed_at)
            for hold in changes.holds
        ],
    )  # fmt: skip
    connection.write(
        "INSERT INTO ledger_hold_part (request_id, part_number, account_id, amount_nanos) VALUES (?, ?, ?, ?)",
        [(request_id, part.part_number, part.account_id, part.amount_nanos) for request_id, part in changes.parts],
    )
    connection.write(
        "INSERT INTO ledger_open_hold (request_id, epoch_id) VALUES (?, ?)",
        [(hold.request_id, epoch_id) for hold in changes.holds],
    )


def _insert_entries(connection: Connection, changes: Changes) -> None:
    """Write transactions, their postings, and the closes they belong to."""
    connection.write(
        "INSERT INTO ledger_transaction (sequence_number, kind, reference, recorded_at, previous_hash, hash) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            (entry.sequence_number, entry.kind.value, entry.reference, entry.recorded_at, previous, own)
            for entry, previous, own in changes.entries
        ],
    )
    connection.write(
        "INSERT INTO ledger_posting (transaction_number, posting_number, from_account_id, to_account_id, amount_nanos) "
        "VALUES (?, ?, ?, ?, ?)",
        [
            (entry.sequence_number, posting.posting_number, posting.from_account_id, posting.to_account_id,
             posting.amount_nanos)
            for entry, _, _ in changes.entries
            for posting in entry.postings
        ],
    )  # fmt: skip
    closes = [
        (entry.sequence_number, entry.close)
        for entry, _, _ in changes.entries
        if entry.close and entry.kind is TransactionKind.CLOSE
    ]
    connection.write(
        "INSERT INTO ledger_hold_close (request_id, outcome, amount_nanos, absorbed_nanos, usage_source, "
        "transaction_number, closed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (close.request_id, close.outcome.value, close.amount_nanos, close.absorbed_nanos, close.usage_source.value,
             number, close.closed_at)
            for number, close in closes
        ],
    )  # fmt: skip
    connection.write("DELETE FROM ledger_open_hold WHERE request_id = ?", [(close.request_id,) for _, close in closes])
    _insert_corrections(connection, changes)


def _insert_corrections(connection: Connection, changes: Changes) -> None:
    """Write what corrects recovered closes."""
    corrections = [
        (entry.sequence_number, entry.correction)
        for entry, _, _ in changes.entries
        if isinstance(entry, journal.CorrectionEntry) and entry.correction
    ]
    connection.write(
        "INSERT INTO ledger_correction (request_id, amount_nanos, absorbed_nanos, usage_source, transaction_number, "
        "corrected_at) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (row.request_id, row.amount_nanos, row.absorbed_nanos, row.usage_source.value, number, row.corrected_at)
            for number, row in corrections
        ],
    )
