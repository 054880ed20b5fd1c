"""Recomputes the whole ledger from its rows and names the first one that is wrong.

Reads one snapshot in pieces, so that memory does not grow with the journal and a running relay is not disturbed. What
an open hold's context and a progress say is proven only once the hold is closed: no money has moved by them yet.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.ledger import journal, verification_sql
from onetoken_app.ledger.entry_rules import AccountRow, wrong_in, wrong_in_parts
from onetoken_app.ledger.kinds import Outcome, TransactionKind
from onetoken_app.ledger.sql import Connection, SessionConnection
from onetoken_app.ledger.store import instant_text

DEAD_HOLD_SECONDS_MAX = 15
"""How long the hold of an ended epoch may stay open."""
_ENTRIES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The result. Counts are of closes and of open holds."""

    is_ok: bool
    settled_count: int
    voided_count: int
    recovered_count: int
    open_hold_count: int
    first_wrong_row: str | None
    """Table, key and what is wrong; None when nothing is."""


class _Wrong(Exception):
    """The first wrong row."""


@dataclass(slots=True)
class _Findings:
    """What has been added up so far."""

    accounts: dict[str, AccountRow]
    posted: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    open_hold_count: int = 0


async def verify(session: AsyncSession) -> VerificationReport:
    """Check what the ledger's own tables can prove: that it adds up, is unbroken and unchanged.

    Args:
        session: A fresh read session; on PostgreSQL nothing may have been asked in it yet.
    """
    return await session.run_sync(_verify)


def _verify(session: Session) -> VerificationReport:
    """Check everything in one snapshot."""
    connection = _in_one_snapshot(session)
    findings = _Findings(accounts=_accounts(connection))
    first_wrong_row = None
    try:
        _check_entries(connection, findings)
        _check_loose_rows(connection)
        _check_open_holds(connection, findings)
        _check_accounts(findings)
    except _Wrong as wrong:
        first_wrong_row = str(wrong)
    return VerificationReport(
        is_ok=first_wrong_row is None,
        settled_count=findings.outcomes[Outcome.SETTLED.value],
        voided_count=findings.outcomes[Outcome.VOIDED.value],
        recovered_count=findings.outcomes[Outcome.RECOVERED.value],
        open_hold_count=findings.open_hold_count,
        first_wrong_row=first_wrong_row,
    )


def _in_one_snapshot(session: Session) -> Connection:
    """Make every statement see the same moment."""
    transaction = session.connection()
    is_sqlite = transaction.dialect.name == "sqlite"
    if not is_sqlite:
        transaction.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    elif not transaction.connection.driver_connection.in_transaction:  # type: ignore[union-attr] # SQLite's driver
        # The driver begins a transaction for a change only; without one each SELECT would see its own moment.
        transaction.exec_driver_sql("BEGIN")
    return SessionConnection(transaction.exec_driver_sql, is_sqlite=is_sqlite)


def _accounts(connection: Connection) -> dict[str, AccountRow]:
    """Read every account."""
    return {row[0]: AccountRow(*row) for row in connection.read(verification_sql.ACCOUNTS)}


def _check_entries(connection: Connection, findings: _Findings) -> None:
    """I10 and what each entry must be by itself; adds up the postings."""
    previous_hash = journal.GENESIS_HASH
    for number, (entry, stored_previous, stored_hash) in enumerate(_entries(connection), 1):
        place = f"ledger_transaction {entry.sequence_number} ({entry.reference})"
        if entry.sequence_number != number:
            _refuse(f"ledger_transaction {number}: it is missing")
        if stored_previous != previous_hash:
            _refuse(f"{place}: it is not chained to the one before it")
        if stored_hash != journal.hash_of(entry, previous_hash=previous_hash):
            _refuse(f"{place}: it, its postings, hold, parts or close are not what was hashed")
        problem = wrong_in(entry, findings.accounts)
        if problem:
            _refuse(f"{place}: {problem}")
        previous_hash = stored_hash
        _add_up(entry, findings)


def _add_up(entry: journal.Entry, findings: _Findings) -> None:
    """Count an entry."""
    for posting in entry.postings:
        findings.posted[posting.from_account_id] -= posting.amount_nanos
        findings.posted[posting.to_account_id] += posting.amount_nanos
    if entry.close is not None and entry.kind == TransactionKind.CLOSE:
        findings.outcomes[entry.close.outcome] += 1


def _entries(connection: Connection) -> Iterator[tuple[journal.Entry, bytes, bytes]]:
    """Yield the journal with the stored hashes, in order. Values stay as they are stored, be they wrong."""
    last = 0
    while rows := connection.read(verification_sql.ENTRIES, (last, _ENTRIES_AT_ONCE)):
        bounds = (last, rows[-1][0])
        postings = _grouped(connection.read(verification_sql.POSTINGS, bounds), journal.PostingRow)
        parts = _grouped(connection.read(verification_sql.PARTS_OF_CLOSES, bounds), journal.PartRow)
        corrections = {row[0]: row[1:] for row in connection.read(verification_sql.CORRECTIONS, bounds)}
        for row in rows:
            number = row[0]
            entry = _entry(row, postings.get(number, []), parts.get(number, []))
            if number in corrections:
                entry = _correction_entry(entry, corrections[number])
            yield entry, bytes(row[4]), bytes(row[5])
        last = rows[-1][0]


def _entry(row: Any, postings: list[journal.PostingRow], parts: list[journal.PartRow]) -> journal.Entry:
    """Put an entry together from its rows."""
    number, kind, reference, recorded_at, _, _ = row[:6]
    close, hold = row[6:12], row[12:19]
    return journal.Entry(
        sequence_number=number,
        kind=kind,
        reference=reference,
        recorded_at=instant_text(recorded_at),
        postings=postings,
        hold=_hold(hold) if hold[0] is not None else None,
        parts=parts,
        close=_close(close) if close[0] is not None else None,
    )


def _correction_entry(entry: journal.Entry, row: Any) -> journal.CorrectionEntry:
    """Add to a correction's entry the hold and the close that it corrects."""
    values: list[Any] = [*row[:4], instant_text(row[4])]
    return journal.CorrectionEntry(
        sequence_number=entry.sequence_number,
        kind=entry.kind,
        reference=entry.reference,
        recorded_at=entry.recorded_at,
        postings=entry.postings,
        hold=_hold(row[11:18]),
        close=_close(row[5:11]),
        correction=journal.CorrectionRow(*values),
    )


def _hold(row: Any) -> journal.HoldRow:
    """Read a hold as it is stored."""
    values: list[Any] = [*row[:5], bytes(row[5]), instant_text(row[6])]
    return journal.HoldRow(*values)


def _close(row: Any) -> journal.CloseRow:
    """Read a close as it is stored."""
    values: list[Any] = [*row[:5], instant_text(row[5])]
    return journal.CloseRow(*values)


def _grouped(rows: list[Any], kind: Any) -> dict[Any, list[Any]]:
    """Group rows by their first column."""
    return {key: [kind(*row[1:]) for row in group] for key, group in groupby(rows, key=itemgetter(0))}


def _check_loose_rows(connection: Connection) -> None:
    """I6: every row belongs to one that exists."""
    for table, problem, sql in verification_sql.LOOSE_ROWS:
        for row in connection.read(sql):
            _refuse(f"{table} {row[0]}: {problem}")


def _check_open_holds(connection: Connection, findings: _Findings) -> None:
    """I12, and what each open hold must be by itself; adds up what is held."""
    latest = clock.iso_instant(clock.utc_now() - timedelta(seconds=DEAD_HOLD_SECONDS_MAX))
    last = ""
    while rows := connection.read(verification_sql.OPEN_HOLDS, (last, _ENTRIES_AT_ONCE)):
        bounds = (last, rows[-1][0])
        parts = _grouped(connection.read(verification_sql.PARTS_OF_OPEN_HOLDS, bounds), journal.PartRow)
        for row in rows:
            hold, ended_at = _hold(row[:7]), row[7]
            problem = wrong_in_parts(hold, parts.get(hold.request_id, []), findings.accounts)
            if ended_at is not None and instant_text(ended_at) < latest:
                problem = f"it is open, and its epoch ended more than {DEAD_HOLD_SECONDS_MAX} seconds ago"
            if problem:
                _refuse(f"ledger_hold {hold.request_id}: {problem}")
            findings.open_hold_count += 1
            for part in parts.get(hold.request_id, []):
                findings.held[part.account_id] += part.amount_nanos
        last = rows[-1][0]


def _check_accounts(findings: _Findings) -> None:
    """I2–I5: balances are the sums of the journal, zero in all, and above their floors."""
    totals: Counter[str] = Counter()
    for account in findings.accounts.values():
        place = f"ledger_account {account.id}"
        if account.posted_nanos != findings.posted[account.id]:
            _refuse(f"{place}: posted is {account.posted_nanos}, its postings make {findings.posted[account.id]}")
        if account.held_nanos != findings.held[account.id]:
            _refuse(f"{place}: held is {account.held_nanos}, its open holds make {findings.held[account.id]}")
        if account.floor_nanos is not None and account.posted_nanos - account.held_nanos < account.floor_nanos:
            _refuse(f"{place}: its balance is below its floor")
        totals[account.currency] += account.posted_nanos
    for currency, total in totals.items():
        if total:
            _refuse(f"ledger_account: the balances in {currency} do not add up to 0")


def _refuse(wrong_row: str) -> None:
    """End with the first wrong row."""
    raise _Wrong(wrong_row)
