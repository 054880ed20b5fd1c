"""What must be true of one entry of the journal, whatever its hash says: pure, for ``verification.py``."""

from collections.abc import Mapping
from dataclasses import dataclass

from onetoken_app.ledger.journal import (
    CloseRow,
    CorrectionEntry,
    CorrectionRow,
    Entry,
    HoldRow,
    PartRow,
    PostingRow,
)
from onetoken_app.ledger.kinds import CORRECTION_PREFIX, CREDIT_SOURCES, AccountKind, Outcome, TransactionKind
from onetoken_app.money import Nanos


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as verification reads it."""

    id: str
    owner_id: str
    kind: str
    currency: str
    floor_nanos: Nanos | None
    posted_nanos: Nanos
    held_nanos: Nanos


def wrong_in(entry: Entry, accounts: Mapping[str, AccountRow]) -> str | None:
    """Say what is wrong with an entry, or None."""
    for posting in entry.postings:
        problem = _wrong_in_posting(posting, accounts)
        if problem:
            return problem
    for kind, source in CREDIT_SOURCES.items():
        if entry.kind == kind:
            return _wrong_in_credit(entry, source, accounts)
    if entry.kind == TransactionKind.CORRECTION:
        return _wrong_in_correction(entry, accounts)
    return _wrong_in_close(entry, accounts) if entry.kind == TransactionKind.CLOSE else "its kind is unknown"


def wrong_in_parts(hold: HoldRow, parts: list[PartRow], accounts: Mapping[str, AccountRow]) -> str | None:
    """Say what is wrong with how a hold is spread over accounts, or None."""
    total = 0
    sums = {0}
    for number, part in enumerate(parts, 1):
        account = accounts.get(part.account_id)
        if part.part_number != number:
            return f"part {number} of its hold is missing"
        if account is None or (account.owner_id, account.currency) != (hold.owner_id, hold.currency):
            return f"part {number} of its hold is on another's account"
        total += part.amount_nanos
        sums.add(total)
    return None if hold.amount_nanos in sums else "the parts do not add up to its hold"


def _wrong_in_posting(posting: PostingRow, accounts: Mapping[str, AccountRow]) -> str | None:
    """I1: a posting is more than 0, between two accounts of one currency."""
    source, target = accounts.get(posting.from_account_id), accounts.get(posting.to_account_id)
    if source is None or target is None:
        return f"posting {posting.posting_number} names an account that does not exist"
    if posting.amount_nanos <= 0 or source is target or source.currency != target.currency:
        return f"posting {posting.posting_number} is not more than 0 between two accounts of one currency"
    return None


def _wrong_in_credit(entry: Entry, source: AccountKind, accounts: Mapping[str, AccountRow]) -> str | None:
    """Credit is one posting from where its kind comes from to a customer."""
    kinds = [(accounts[row.from_account_id].kind, accounts[row.to_account_id].kind) for row in entry.postings]
    if kinds != [(source, AccountKind.PREPAID)] or entry.close is not None:
        return f"a {entry.kind} is not one posting from {source.value} to a customer's account"
    return None


def _wrong_in_close(entry: Entry, accounts: Mapping[str, AccountRow]) -> str | None:
    """I6, I7: a close belongs to its hold, and its postings are what it says was charged and absorbed."""
    hold, close = entry.hold, entry.close
    if hold is None or close is None:
        return "its hold or close is missing"
    if entry.reference != close.request_id or entry.recorded_at != close.closed_at:
        return "it is not the transaction of its close"
    if close.outcome == Outcome.VOIDED and (close.amount_nanos or close.absorbed_nanos):
        return "it is voided and charged"
    return _wrong_in_charge(entry, hold, close, accounts) or wrong_in_parts(hold, entry.parts, accounts)


def _wrong_in_correction(entry: Entry, accounts: Mapping[str, AccountRow]) -> str | None:
    """I6, I7: a correction belongs to a recovered close, and brings it to an amount that can be."""
    correction = entry.correction if isinstance(entry, CorrectionEntry) else None
    hold, close = entry.hold, entry.close
    if hold is None or close is None or correction is None:
        return "its hold, close or correction is missing"
    if entry.reference != CORRECTION_PREFIX + hold.request_id or entry.recorded_at != correction.corrected_at:
        return "it is not the transaction of its correction"
    if close.outcome != Outcome.RECOVERED:
        return "it corrects a close that was not recovered"
    if min(close.amount_nanos + correction.amount_nanos, close.absorbed_nanos + correction.absorbed_nanos) < 0:
        return "it gives back more than was taken"
    return _wrong_in_charge(entry, hold, correction, accounts)


def _wrong_in_charge(
    entry: Entry, hold: HoldRow, said: CloseRow | CorrectionRow, accounts: Mapping[str, AccountRow]
) -> str | None:
    """The owner's accounts pay the amount, absorbed pays the rest, revenue gets both; corrections may turn it round."""
    paid, absorbed = 0, 0
    for posting in entry.postings:
        source, target = accounts[posting.from_account_id], accounts[posting.to_account_id]
        amount = posting.amount_nanos
        if source.kind == AccountKind.REVENUE and isinstance(said, CorrectionRow):
            source, target, amount = target, source, -amount
        if target.kind != AccountKind.REVENUE or target.currency != hold.currency:
            return f"posting {posting.posting_number} does not go to revenue in the hold's currency"
        if source.kind == AccountKind.ABSORBED:
            absorbed += amount
        elif source.owner_id == hold.owner_id:
            paid += amount
        else:
            return f"posting {posting.posting_number} is paid by somebody else"
    if (paid, absorbed) != (said.amount_nanos, said.absorbed_nanos):
        return f"its postings are not what its {'close' if isinstance(said, CloseRow) else 'correction'} says"
    return None
