"""What must be true of one entry of the journal, whatever its hash says: pure, for ``verification.py``."""

from collections.abc import Mapping
from dataclasses import dataclass

from onetoken_app.ledger.journal import (
    CloseRow,
    CorrectionEntry,
    CorrectionRow,
    DetailedEntry,
    Details,
    Entry,
    HoldRow,
    PartRow,
    PostingRow,
)
from onetoken_app.ledger.kinds import (
    CORRECTION_PREFIX,
    LOT_KINDS,
    OPENING_KINDS,
    ROUTES,
    TERMS_KINDS,
    UNDOING_KINDS,
    AccountKind,
    Outcome,
    TransactionKind,
)
from onetoken_app.money import Nanos

# The stored text may be wrong, so it is compared as text.
_ROUTES: dict[str, set[tuple[str, str]]] = {
    kind.value: {(source.value, target.value) for source, target in pairs} for kind, pairs in ROUTES.items()
}
_OPENING, _TERMS, _UNDOING = (
    frozenset(kind.value for kind in kinds) for kinds in (OPENING_KINDS, TERMS_KINDS, UNDOING_KINDS)
)


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
    lot_id: str
    unit_nanos: Nanos
    expires_at: str | None
    is_frozen: bool


def wrong_in(entry: Entry, accounts: Mapping[str, AccountRow]) -> str | None:
    """Say what is wrong with an entry, or None."""
    for posting in entry.postings:
        problem = _wrong_in_posting(posting, accounts)
        if problem:
            return problem
    if entry.kind == TransactionKind.CORRECTION:
        return _wrong_in_correction(entry, accounts)
    if entry.kind == TransactionKind.CLOSE:
        return _wrong_in_close(entry, accounts)
    return _wrong_in_credit(entry, accounts)


def wrong_in_undoing(entry: Entry, undone_kind: str, undone: list[PostingRow]) -> str | None:
    """Say what is wrong with how an entry undoes an earlier one, or None."""
    details = entry.details if isinstance(entry, DetailedEntry) else None
    if details is None or not 0 < details.reversed_number < entry.sequence_number:
        return "what it undoes does not come before it"
    if undone_kind not in _ROUTES or (
        entry.kind == TransactionKind.REFUND_RETURN and undone_kind != TransactionKind.REFUND
    ):
        return f"a {undone_kind} is not undone by it"
    opposite = [
        PostingRow(row.posting_number, row.to_account_id, row.from_account_id, row.amount_nanos) for row in undone
    ]
    return None if entry.postings == opposite else "its postings are not the opposite of what it undoes"


def wrong_in_account(account: AccountRow, *, is_opened: bool) -> str | None:
    """Say what an account cannot be, or None; its balance apart."""
    is_lot = account.kind in LOT_KINDS
    if is_opened != is_lot:
        return "no entry opens it as the lot that it is" if is_lot else "an entry opens it as a lot"
    if account.owner_id == "":
        name = "_".join(name for name in (account.kind, account.currency, account.lot_id) if name)
        return None if account.id == f"act_{name}".lower() else "it is not the account that its id names"
    if not is_lot and (account.lot_id or account.expires_at is not None):
        return "it is no lot and has what a lot has"
    if account.unit_nanos and (account.unit_nanos < 0 or account.kind != AccountKind.PACKAGE):
        return "it has a price per token, and is no package"
    if account.is_frozen and account.kind != AccountKind.PREPAID:
        return "it is frozen, and no prepaid account"
    return None


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
        if not is_whole(part.amount_nanos, account):
            return f"part {number} of its hold is no whole number of tokens"
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
    if not is_whole(posting.amount_nanos, source) or not is_whole(posting.amount_nanos, target):
        return f"posting {posting.posting_number} is no whole number of tokens of its lot"
    return None


def is_whole(amount_nanos: Nanos, account: AccountRow) -> bool:
    """Whether an amount can be of this account: whole tokens of a lot of tokens, anything elsewhere."""
    return not account.unit_nanos or amount_nanos % account.unit_nanos == 0


def _wrong_in_credit(entry: Entry, accounts: Mapping[str, AccountRow]) -> str | None:
    """Whatever is no end of a call has no hold; what else it must be depends on its kind."""
    if entry.hold is not None or entry.close is not None:
        return "it has a close, and is none"
    details = entry.details if isinstance(entry, DetailedEntry) else None
    if entry.kind in _TERMS:
        return _wrong_in_terms(entry, details, accounts)
    if entry.kind in _UNDOING:
        return None if details is not None and details.reversed_number else "what it undoes is missing"
    routes = _ROUTES.get(entry.kind)
    return _wrong_in_transfer(entry, details, routes, accounts) if routes else "its kind is unknown"


def _wrong_in_transfer(
    entry: Entry, details: Details | None, routes: set[tuple[str, str]], accounts: Mapping[str, AccountRow]
) -> str | None:
    """Credit moves in one posting on one of the ways of its kind; what opens a lot says what it opens."""
    pairs = [(accounts[row.from_account_id], accounts[row.to_account_id]) for row in entry.postings]
    if len(pairs) != 1 or (pairs[0][0].kind, pairs[0][1].kind) not in routes:
        return f"a {entry.kind} is not one posting between the accounts of its kind"
    source, target = pairs[0]
    if entry.kind in _OPENING:
        is_right = details is not None and details.lot is not None and target.lot_id == entry.reference
        is_right = is_right and source.owner_id in {"", target.owner_id}
        return None if is_right else "the lot that it opens is another's, or missing"
    if details is not None:
        return "it says more than its kind does"
    if entry.kind == TransactionKind.EXPIRY and not (source.expires_at and source.expires_at <= entry.recorded_at):
        return "what it forfeits had not expired"
    return None


def _wrong_in_terms(entry: Entry, details: Details | None, accounts: Mapping[str, AccountRow]) -> str | None:
    """Terms move nothing; a limit names an account of the owner, a freeze none."""
    terms = details.terms if details is not None else None
    if terms is None or entry.postings:
        return "its terms are missing, or it moves money"
    if entry.kind != TransactionKind.CREDIT_LIMIT:
        return None if (terms.account_id, terms.floor_nanos) == (None, None) else "it names an account"
    account = accounts.get(terms.account_id or "")
    is_right = account is not None and account.owner_id == terms.owner_id and account.kind == AccountKind.PREPAID
    return None if is_right and terms.floor_nanos is not None else "it sets no floor of an account of its owner"


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
