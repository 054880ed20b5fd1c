"""Reads the journal's entries for ``verification.py``, as they are stored, be they wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from onetoken_app.ledger import journal, verification_sql
from onetoken_app.ledger.entry_rules import AccountRow
from onetoken_app.ledger.kinds import OPENING_KINDS
from onetoken_app.ledger.sql import Connection
from onetoken_app.ledger.store import instant_text


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry, the hashes that are stored with it, and what it undoes."""

    entry: journal.Entry
    previous_hash: bytes
    hash: bytes
    undone_kind: str | None = None
    undone: tuple[journal.PostingRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Lots:
    """What the entries that open lots are compared with."""

    accounts: Mapping[str, AccountRow]
    scopes: Mapping[str, list[str]]
    """By account, in order."""


_NO_DETAILS = journal.Details()


def stored_entries(connection: Connection, lots: Lots, *, at_once: int) -> Iterator[StoredEntry]:
    """Yield the journal in order, reading ``at_once`` entries at a time."""
    last = 0
    while rows := connection.read(verification_sql.ENTRIES, (last, at_once)):
        bounds = (last, rows[-1][0])
        postings = grouped(connection.read(verification_sql.POSTINGS, bounds), journal.PostingRow)
        parts = grouped(connection.read(verification_sql.PARTS_OF_CLOSES, bounds), journal.PartRow)
        corrections = {row[0]: row[1:] for row in connection.read(verification_sql.CORRECTIONS, bounds)}
        budgets = grouped(connection.read(verification_sql.BUDGETS_OF_CLOSES, bounds), journal.BudgetRow)
        terms = {row[0]: journal.TermsRow(*row[1:]) for row in connection.read(verification_sql.TERMS, bounds)}
        undone = {row[0]: row[1:] for row in connection.read(verification_sql.REVERSALS, bounds)}
        undone_postings = grouped(connection.read(verification_sql.REVERSED_POSTINGS, bounds), journal.PostingRow)
        for row in rows:
            number = row[0]
            entry = _entry(row, postings.get(number, []), parts.get(number, []))
            undone_number, undone_kind = undone.get(number, (0, None))
            lot = _lot(entry, lots)
            details = journal.Details(
                lot=lot,
                unit_nanos=lots.accounts[lot.account_id].unit_nanos if lot else 0,
                terms=terms.get(number),
                reversed_number=undone_number,
                budgets=budgets.get(number, []),
            )
            if number in corrections:
                entry = _correction_entry(entry, corrections[number])
            elif details != _NO_DETAILS:
                entry = _detailed_entry(entry, details)
            yield StoredEntry(
                entry, bytes(row[4]), bytes(row[5]), undone_kind, tuple(undone_postings.get(number, ()))
            )  # fmt: skip
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
        hold=hold_of(hold) if hold[0] is not None else None,
        parts=parts,
        close=_close(close) if close[0] is not None else None,
    )


def _detailed_entry(entry: journal.Entry, details: journal.Details) -> journal.DetailedEntry:
    """Add to an entry what only its kind has."""
    fields = {name: getattr(entry, name) for name in journal.Entry.__struct_fields__}
    return journal.DetailedEntry(**fields, details=details)


def _lot(entry: journal.Entry, lots: Lots) -> journal.LotRow | None:
    """Say which lot an entry opens, by what is stored of it."""
    if entry.kind not in OPENING_KINDS or not entry.postings:
        return None
    account = lots.accounts.get(entry.postings[0].to_account_id)
    if account is None:
        return None
    scopes = lots.scopes.get(account.id, [])
    values: list[Any] = [account.owner_id, account.kind, account.currency, account.lot_id, account.expires_at, scopes]
    return journal.LotRow(account.id, *values)


def _correction_entry(entry: journal.Entry, row: Any) -> journal.CorrectionEntry:
    """Add to a correction's entry the hold and the close that it corrects."""
    values: list[Any] = [*row[:4], instant_text(row[4])]
    return journal.CorrectionEntry(
        sequence_number=entry.sequence_number,
        kind=entry.kind,
        reference=entry.reference,
        recorded_at=entry.recorded_at,
        postings=entry.postings,
        hold=hold_of(row[11:18]),
        close=_close(row[5:11]),
        correction=journal.CorrectionRow(*values),
    )


def hold_of(row: Any) -> journal.HoldRow:
    """Read a hold as it is stored."""
    values: list[Any] = [*row[:5], bytes(row[5]), instant_text(row[6])]
    return journal.HoldRow(*values)


def _close(row: Any) -> journal.CloseRow:
    """Read a close as it is stored."""
    values: list[Any] = [*row[:5], instant_text(row[5])]
    return journal.CloseRow(*values)


def grouped(rows: list[Any], kind: Any) -> dict[Any, list[Any]]:
    """Group rows by their first column."""
    return {key: [kind(*row[1:]) for row in group] for key, group in groupby(rows, key=itemgetter(0))}
