"""Recomputes the whole ledger from its rows and names the first one that is wrong.

Reads one snapshot in pieces, so that memory does not grow with the journal and a running relay is not disturbed. What
an open hold's context and a progress say is proven only once the hold is closed: no money has moved by them yet.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.ledger import journal, verification_sql
from onetoken_app.ledger.entry_rules import AccountRow, wrong_in, wrong_in_account, wrong_in_parts, wrong_in_undoing
from onetoken_app.ledger.kinds import Outcome, TransactionKind
from onetoken_app.ledger.sql import Connection, SessionConnection
from onetoken_app.ledger.store import instant_text
from onetoken_app.ledger.verification_budgets import wrong_budget
from onetoken_app.ledger.verification_entries import Lots, grouped, hold_of, stored_entries

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
    scopes: dict[str, list[str]]
    opened: set[str] = field(default_factory=set)
    """Lots that an entry opened."""
    floors: dict[str, int | None] = field(default_factory=dict)
    """The last floor that an entry set, by account."""
    frozen: dict[str, bool] = field(default_factory=dict)
    """What the last freeze or its end said, by owner."""
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
    findings = _Findings(accounts=_accounts(connection), scopes=_scopes(connection))
    first_wrong_row = None
    try:
        _check_entries(connection, findings)
        _check_loose_rows(connection)
        _check_open_holds(connection, findings)
        _check_accounts(findings)
        wrong_period = wrong_budget(connection)
        if wrong_period:
            _refuse(wrong_period)
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
    return {row[0]: _account(row) for row in connection.read(verification_sql.ACCOUNTS)}


def _account(row: Sequence[Any]) -> AccountRow:
    """Read an account as it is stored."""
    expires_at, is_frozen = row[-2:]
    values: list[Any] = [*row[:-2], None if expires_at is None else instant_text(expires_at), bool(is_frozen)]
    return AccountRow(*values)


def _scopes(connection: Connection) -> dict[str, list[str]]:
    """Read what every lot may be spent on."""
    return {
        account_id: sorted(row[1] for row in rows)
        for account_id, rows in groupby(connection.read(verification_sql.SCOPES), key=itemgetter(0))
    }


def _check_entries(connection: Connection, findings: _Findings) -> None:
    """I10 and what each entry must be by itself; adds up the postings."""
    previous_hash = journal.GENESIS_HASH
    lots = Lots(findings.accounts, findings.scopes)
    for number, stored in enumerate(stored_entries(connection, lots, at_once=_ENTRIES_AT_ONCE), 1):
        entry = stored.entry
        place = f"ledger_transaction {entry.sequence_number} ({entry.reference})"
        if entry.sequence_number != number:
            _refuse(f"ledger_transaction {number}: it is missing")
        if stored.previous_hash != previous_hash:
            _refuse(f"{place}: it is not chained to the one before it")
        if stored.hash != journal.hash_of(entry, previous_hash=previous_hash):
            _refuse(f"{place}: it, its postings, hold, parts, close, lot or terms are not what was hashed")
        problem = wrong_in(entry, findings.accounts)
        if problem is None and stored.undone_kind is not None:
            problem = wrong_in_undoing(entry, stored.undone_kind, list(stored.undone))
        if problem:
            _refuse(f"{place}: {problem}")
        previous_hash = stored.hash
        _add_up(entry, findings)


def _add_up(entry: journal.Entry, findings: _Findings) -> None:
    """Count an entry."""
    for posting in entry.postings:
        findings.posted[posting.from_account_id] -= posting.amount_nanos
        findings.posted[posting.to_account_id] += posting.amount_nanos
    if entry.close is not None and entry.kind == TransactionKind.CLOSE:
        findings.outcomes[entry.close.outcome] += 1
    if isinstance(entry, journal.DetailedEntry) and entry.details is not None:
        _note_details(entry.kind, entry.details, findings)


def _note_details(kind: str, details: journal.Details, findings: _Findings) -> None:
    """Note what an entry says about accounts beside their balance."""
    if details.lot is not None:
        findings.opened.add(details.lot.account_id)
    terms = details.terms
    if terms is not None and terms.account_id is not None:
        findings.floors[terms.account_id] = terms.floor_nanos
    elif terms is not None:
        findings.frozen[terms.owner_id] = kind == TransactionKind.FREEZE


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
        parts = grouped(connection.read(verification_sql.PARTS_OF_OPEN_HOLDS, bounds), journal.PartRow)
        for row in rows:
            hold, ended_at = hold_of(row[:7]), row[7]
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
    """I2–I5: balances are the sums of the journal, zero in all, and above their floors; lots and terms are as said."""
    totals: Counter[str] = Counter()
    for account in findings.accounts.values():
        place = f"ledger_account {account.id}"
        if account.posted_nanos != findings.posted[account.id]:
            _refuse(f"{place}: posted is {account.posted_nanos}, its postings make {findings.posted[account.id]}")
        if account.held_nanos != findings.held[account.id]:
            _refuse(f"{place}: held is {account.held_nanos}, its open holds make {findings.held[account.id]}")
        if account.floor_nanos is not None and account.posted_nanos - account.held_nanos < account.floor_nanos:
            _refuse(f"{place}: its balance is below its floor")
        if account.floor_nanos != findings.floors.get(account.id, account.floor_nanos):
            _refuse(f"{place}: its floor is not what was last set")
        problem = wrong_in_account(account, is_opened=account.id in findings.opened)
        if problem:
            _refuse(f"{place}: {problem}")
        totals[account.currency] += account.posted_nanos
    for currency, total in totals.items():
        if total:
            _refuse(f"ledger_account: the balances in {currency} do not add up to 0")
    frozen = {account.owner_id for account in findings.accounts.values() if account.is_frozen}
    said = {owner_id for owner_id, is_frozen in findings.frozen.items() if is_frozen}
    for owner_id in sorted(frozen ^ said):
        _refuse(f"ledger_account of {owner_id}: frozen or not is not what was last said")
    for account_id in findings.scopes.keys() - findings.opened:
        _refuse(f"ledger_lot_scope of {account_id}: there is no such lot")


def _refuse(wrong_row: str) -> None:
    """End with the first wrong row."""
    raise _Wrong(wrong_row)
