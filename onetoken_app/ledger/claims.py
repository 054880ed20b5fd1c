"""Claims: a keyed digest that one hold at a time may carry, so that a request which is sent twice is carried once.

A claim commits with its hold and outlives a crash with it. It counts for a day; a void may release it before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from onetoken_app.clock import iso_instant
from onetoken_app.ledger.books import Books, ClaimState
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import HoldRepeated, Operation, PlaceHold, Statement
from onetoken_app.ledger.sql import Connection, listed, spoken
from onetoken_app.money import Currency

COUNTS_FOR = timedelta(hours=24)


def load(connection: Connection, operations: Sequence[Operation], *, moment: datetime) -> dict[str, ClaimState]:
    """Read the claims that a batch asks for and that count; the accounts of their owners are locked."""
    digests = {operation.claim for operation in operations if isinstance(operation, PlaceHold) and operation.claim}
    if not digests:
        return {}
    rows = connection.read(
        "SELECT claim.digest, claim.request_id, claim.fingerprint, hold.currency, closing.outcome, "
        "COALESCE(closing.amount_nanos, 0) + COALESCE(correction.amount_nanos, 0) "
        "FROM ledger_claim AS claim JOIN ledger_hold AS hold ON hold.request_id = claim.request_id "
        "LEFT JOIN ledger_hold_close AS closing ON closing.request_id = claim.request_id "
        "LEFT JOIN ledger_correction AS correction ON correction.request_id = claim.request_id "
        "WHERE claim.digest = ANY(?) AND claim.claimed_at > ?",
        (listed(digests, is_sqlite=connection.is_sqlite), iso_instant(moment - COUNTS_FOR)),
    )
    return {
        digest: ClaimState(request_id, fingerprint, Currency(currency), Outcome(outcome) if outcome else None, amount)
        for digest, request_id, fingerprint, currency, outcome, amount in rows
    }


def repeat_of(books: Books, operation: PlaceHold) -> HoldRepeated | None:
    """Say who has the claim that a hold asks for; nothing when it is free or none is asked for."""
    known = books.claims.get(operation.claim)
    if known is None:
        return None
    hold = books.holds.get(known.request_id)
    close = hold.close if hold else None
    return HoldRepeated(
        request_id=known.request_id,
        is_same=known.fingerprint in operation.fingerprints,
        currency=known.currency,
        outcome=close.outcome if close else known.outcome,
        amount_nanos=close.amount_nanos if close else known.amount_nanos,
    )


def note(books: Books, operation: PlaceHold) -> None:
    """Give a hold that was placed its claim."""
    if not operation.claim:
        return
    fingerprint = operation.fingerprints[0] if operation.fingerprints else ""
    made = ClaimState(operation.request_id, fingerprint, operation.currency)
    books.claims[operation.claim] = books.changes.claims[operation.claim] = made


def insert(connection: Connection, books: Books) -> None:
    """Write new claims, over those that count no more."""
    connection.write(
        "INSERT INTO ledger_claim (digest, request_id, fingerprint, claimed_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (digest) DO UPDATE SET request_id = excluded.request_id, fingerprint = excluded.fingerprint, "
        "claimed_at = excluded.claimed_at",
        [(digest, made.request_id, made.fingerprint, books.moment) for digest, made in books.changes.claims.items()],
    )


def release_statement(claim: str, request_id: str, *, is_sqlite: bool) -> Statement:
    """Return what releases a claim in the transaction of its hold's void, so that the request may be made anew."""
    sql = spoken("DELETE FROM ledger_claim WHERE digest = ? AND request_id = ?", is_sqlite=is_sqlite)
    return Statement(sql, [claim, request_id])
