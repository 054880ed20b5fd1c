"""Saves what a batch changed in the books, on both databases, in the order of the tables' references."""

from onetoken_app.ledger import claims, journal
from onetoken_app.ledger.books import Account, Books, Changes
from onetoken_app.ledger.budget_store import save_budgets
from onetoken_app.ledger.kinds import TransactionKind
from onetoken_app.ledger.sql import Connection


def save(connection: Connection, books: Books) -> None:
    """Write everything that changed; the caller commits."""
    changes = books.changes
    _insert_accounts(connection, changes, books.moment)
    _insert_holds(connection, changes, books.epoch_id)
    claims.insert(connection, books)
    _insert_entries(connection, changes)
    if changes.touched_periods or changes.hold_budgets:
        save_budgets(connection, changes)
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


def _by_id(changes: Changes) -> list[Account]:
    """Return the touched accounts in the order of their ids."""
    return [changes.touched_accounts[account_id] for account_id in sorted(changes.touched_accounts)]


def _insert_accounts(connection: Connection, changes: Changes, moment: str) -> None:
    """Open lots, and the platform's accounts that were needed for the first time."""
    connection.write(
        "INSERT INTO ledger_account (id, owner_id, kind, currency, lot_id, expires_at, floor_nanos, posted_nanos, "
        "held_nanos, is_frozen, created_at, unit_nanos) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)",
        [
            (account.id, account.owner_id, account.kind.value, account.currency.value, account.lot_id,
             account.expires_at, account.floor_nanos, account.is_frozen, moment, account.unit_nanos)
            for account in changes.new_accounts
        ],
    )  # fmt: skip
    connection.write(
        "INSERT INTO ledger_lot_scope (account_id, scope) VALUES (?, ?)",
        [(account.id, scope) for account in changes.new_accounts for scope in sorted(account.scopes)],
    )


def _insert_holds(connection: Connection, changes: Changes, epoch_id: str) -> None:
    """Write new holds, and the parts of new and extended ones."""
    connection.write(
        "INSERT INTO ledger_hold (request_id, owner_id, currency, epoch_id, amount_nanos, context, placed_at, "
        "budget_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (hold.row.request_id, hold.row.owner_id, hold.row.currency.value, hold.row.epoch_id, hold.row.amount_nanos,
             hold.row.context, hold.row.placed_at, hold.budget_count)
            for hold in changes.holds
        ],
    )  # fmt: skip
    connection.write(
        "INSERT INTO ledger_hold_part (request_id, part_number, account_id, amount_nanos) VALUES (?, ?, ?, ?)",
        [(request_id, part.part_number, part.account_id, part.amount_nanos) for request_id, part in changes.parts],
    )
    connection.write(
        "INSERT INTO ledger_open_hold (request_id, epoch_id) VALUES (?, ?)",
        [(hold.row.request_id, epoch_id) for hold in changes.holds],
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
    _insert_details(connection, changes)


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


def _insert_details(connection: Connection, changes: Changes) -> None:
    """Write what entries that no batch of calls makes say beside their postings."""
    detailed = [
        (entry.sequence_number, entry.details)
        for entry, _, _ in changes.entries
        if isinstance(entry, journal.DetailedEntry) and entry.details
    ]
    connection.write(
        "INSERT INTO ledger_terms (transaction_number, owner_id, account_id, floor_nanos) VALUES (?, ?, ?, ?)",
        [
            (number, details.terms.owner_id, details.terms.account_id, details.terms.floor_nanos)
            for number, details in detailed
            if details.terms
        ],
    )
    connection.write(
        "INSERT INTO ledger_reversal (transaction_number, reversed_number) VALUES (?, ?)",
        [(number, details.reversed_number) for number, details in detailed if details.reversed_number],
    )
