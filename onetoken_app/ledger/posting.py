"""What every operation does to the books: pure, in memory, integers only.

``store.py`` loads the accounts, holds and chain head that a batch concerns into ``Books``, the functions here answer
the operations one after another and note what has to be written, and ``store.py`` writes it. An operation either
changes the books completely or not at all.
"""

from collections.abc import Callable
from typing import Any

from onetoken_app.ledger import budgets, claims, entries, journal, token_lots
from onetoken_app.ledger.books import Account, Books, HoldState
from onetoken_app.ledger.budgets import Period
from onetoken_app.ledger.kinds import AccountKind, Outcome, TransactionKind
from onetoken_app.ledger.operations import (
    Answer,
    BalanceTooLow,
    CloseHold,
    ExtendHold,
    HoldClosed,
    HoldConflict,
    HoldPlaced,
    Operation,
    OwnerFrozen,
    PlaceHold,
    ProgressRecorded,
    RecordProgress,
    Refused,
    Statement,
)
from onetoken_app.money import NANOS_MAX, Nanos

BUDGETS_MAX = 16
"""How many budgets a hold may count against."""
PERIOD_CHARACTERS_MAX = 16
CONTEXT_BYTES_MAX = 1024
"""Longest context of a hold or a progress."""


def perform(books: Books, operation: Operation) -> Answer:
    """Answer one operation and note what it changes.

    ``FindDeadHolds`` is no business of the books: it must commit on its own first.
    """
    return _PERFORM[type(operation)](books, operation)


def place_hold(books: Books, operation: PlaceHold) -> Answer:
    """Set money aside over the owner's spendable accounts, all of it or nothing."""
    malformed = _malformed(operation)
    if malformed is not None:
        return malformed
    known = books.holds.get(operation.request_id)
    if known is not None:
        return _first_receipt(books, known, operation)
    by_lot, rest_nanos = token_lots.shares_of_hold(books, operation)
    amount_nanos = rest_nanos + sum(share for _, share in by_lot) if by_lot else rest_nanos
    refusal = (
        claims.repeat_of(books, operation)
        or _frozen(books, operation)
        or _beyond_budget(books, operation, amount_nanos=amount_nanos)
    )
    if refusal is not None:
        return refusal
    payers = books.spendable(operation.owner_id, operation.currency, operation.scope)
    shares = _allocate(payers, rest_nanos)
    if isinstance(shares, BalanceTooLow):
        return shares if not by_lot else token_lots.in_usual_money(shares, rest_nanos, operation)
    row = journal.HoldRow(
        request_id=operation.request_id,
        owner_id=operation.owner_id,
        currency=operation.currency,
        epoch_id=books.epoch_id,
        amount_nanos=amount_nanos,
        context=operation.context,
        placed_at=books.moment,
    )
    periods = _periods(books, operation) or []
    hold = HoldState(row=row, parts=[], budget_count=len(periods), budgets=periods)
    books.holds[row.request_id] = hold
    books.changes.holds.append(hold)
    books.changes.hold_budgets += [(row.request_id, period) for period in periods]
    _add_parts(books, hold, by_lot + shares if by_lot else shares)
    claims.note(books, operation)
    return HoldPlaced(amount_nanos=row.amount_nanos)


def extend_hold(books: Books, operation: ExtendHold) -> Answer:
    """Raise a hold's total; when the balance or a budget does not allow it the hold stays as it was."""
    if not _is_amount(operation.amount_nanos):
        return Refused(error_class="AmountOutOfRange")
    hold = books.holds.get(operation.request_id)
    if hold is None or hold.close is not None:
        return HoldConflict()
    total = sum(part.amount_nanos for part in hold.parts)
    by_lot, missing = token_lots.shares_of_extension(books, hold, operation, total_nanos=total)
    added = missing + sum(share for _, share in by_lot)
    if added <= 0:
        return HoldPlaced(amount_nanos=total)
    refusal = budgets.reached(hold.budgets, added)
    if refusal is not None:
        return refusal
    payers = books.spendable(hold.row.owner_id, hold.row.currency, operation.scope)
    shares = _allocate(payers, missing)
    if isinstance(shares, BalanceTooLow):
        return shares
    _add_parts(books, hold, by_lot + shares)
    return HoldPlaced(amount_nanos=total + added)


def record_progress(books: Books, operation: RecordProgress) -> Answer:
    """Note what an open request has cost so far; after its close there is nothing left to note."""
    malformed = _malformed(operation)
    if malformed is not None:
        return malformed
    hold = books.holds.get(operation.request_id)
    if hold is None:
        return HoldConflict()
    if hold.close is None:
        books.changes.progress[operation.request_id] = operation
    return ProgressRecorded()


def close_hold(books: Books, operation: CloseHold) -> Answer:
    """End a hold: take the charge, give back the rest, note the caller's statements.

    A charge above the hold takes what is missing from the rest of the balance, never below the floor; what even that
    does not cover is posted from ``absorbed``, so that revenue shows the metered charge and somebody bears it.
    """
    hold = books.holds.get(operation.request_id)
    if hold is None:
        return HoldConflict()
    if hold.close is not None and not _is_late_truth(hold, operation):
        return _closed(hold, is_first=False)
    if not _is_amount(operation.amount_nanos):
        return Refused(error_class="AmountOutOfRange")
    if any(statement.charge_position >= len(statement.parameters) for statement in operation.extra):
        return Refused(error_class="ChargePositionOutOfRange")
    metered = 0 if operation.outcome is Outcome.VOIDED else operation.amount_nanos
    if hold.close is not None:
        return _correct(books, hold, hold.close, operation, metered)
    drawn, rest_nanos = token_lots.drawn_at_close(books, hold, operation, metered)
    takings = _release_and_take(books, hold, rest_nanos, scope=operation.scope)
    if drawn:
        takings, metered = drawn | takings, rest_nanos + sum(drawn.values())
    paid = sum(takings.values())
    absorbed = metered - paid
    close = journal.CloseRow(
        request_id=operation.request_id,
        outcome=operation.outcome,
        amount_nanos=paid,
        absorbed_nanos=absorbed,
        usage_source=operation.usage_source,
        closed_at=books.moment,
    )
    movements = entries.charge(books, hold.row.currency, takings, absorbed)
    details = _details(hold) if hold.budgets else None
    entries.append(
        books, TransactionKind.CLOSE, operation.request_id, movements, hold=hold, close=close, details=details
    )
    hold.close = close
    _count(books, hold, held_nanos=-sum(part.amount_nanos for part in hold.parts), spent_nanos=paid)
    hold.paid = [(account.id, amount) for account, amount in takings.items()]
    _note_extra(books, operation, paid)
    return _closed(hold, is_first=True)


_PERFORM: dict[type, Callable[[Books, Any], Answer]] = {
    PlaceHold: place_hold,
    ExtendHold: extend_hold,
    RecordProgress: record_progress,
    CloseHold: close_hold,
}


def _is_amount(nanos: Nanos) -> bool:
    """Whether a BIGINT column can hold it and it is not negative."""
    return 0 <= nanos <= NANOS_MAX


def _malformed(operation: PlaceHold | RecordProgress) -> Refused | None:
    """Refuse what no row can hold."""
    if not _is_amount(operation.amount_nanos):
        return Refused(error_class="AmountOutOfRange")
    return Refused(error_class="ContextTooLong") if len(operation.context) > CONTEXT_BYTES_MAX else None


def _frozen(books: Books, operation: PlaceHold) -> OwnerFrozen | None:
    """Refuse a new hold of a frozen owner."""
    return OwnerFrozen() if operation.owner_id in books.frozen_owner_ids else None


def _first_receipt(books: Books, hold: HoldState, operation: PlaceHold) -> Answer:
    """Answer a repeated ``PlaceHold``."""
    row = hold.row
    is_same = (row.owner_id, row.currency) == (operation.owner_id, operation.currency)
    # What a hold with tokens came to depended on what was left of them.
    is_same = is_same and (row.amount_nanos == operation.amount_nanos or token_lots.pay_for(books, hold))
    if hold.close is not None or not is_same:
        return HoldConflict()
    return HoldPlaced(amount_nanos=row.amount_nanos)


def _closed(hold: HoldState, *, is_first: bool) -> HoldClosed:
    """Answer with what a hold's close, and its correction, say."""
    close, correction = hold.close, hold.correction
    assert close is not None  # noqa: S101 # the callers have just looked, or made it
    return HoldClosed(
        outcome=close.outcome,
        amount_nanos=close.amount_nanos + (correction.amount_nanos if correction else 0),
        absorbed_nanos=close.absorbed_nanos + (correction.absorbed_nanos if correction else 0),
        is_first=is_first,
    )


def _is_late_truth(hold: HoldState, operation: CloseHold) -> bool:
    """Whether a close tells how a call ended that another process took for dead; a void of nothing changes nothing."""
    close = hold.close
    return (
        close is not None
        and hold.correction is None
        and close.outcome is Outcome.RECOVERED
        and operation.outcome is not Outcome.RECOVERED
        and (operation.outcome is Outcome.SETTLED or close.amount_nanos + close.absorbed_nanos > 0)
    )


def _correct(
    books: Books, hold: HoldState, close: journal.CloseRow, operation: CloseHold, metered: Nanos
) -> HoldClosed:
    """Bring a recovered close to the true amount: take what is missing from what is available, or give back.

    The close stays as it is. What is available may have been spent meanwhile; the rest is absorbed, like at a close.
    """
    metered = token_lots.metered_at_correction(books, hold, operation, metered)
    missing = metered - close.amount_nanos - close.absorbed_nanos
    if missing >= 0:
        payers = books.spendable(hold.row.owner_id, hold.row.currency, operation.scope)
        takings = _take(payers, missing)
        amount = sum(takings.values())
        absorbed = missing - amount
        movements = entries.charge(books, hold.row.currency, takings, absorbed)
    else:
        amount = min(metered, close.amount_nanos) - close.amount_nanos
        absorbed = missing - amount
        movements = _give_back(books, hold, amount_nanos=-amount, absorbed_nanos=-absorbed)
    hold.correction = journal.CorrectionRow(
        request_id=operation.request_id,
        amount_nanos=amount,
        absorbed_nanos=absorbed,
        usage_source=operation.usage_source,
        corrected_at=books.moment,
    )
    entries.append_correction(books, hold, hold.correction, movements)
    _count(books, hold, spent_nanos=amount)
    _note_extra(books, operation, close.amount_nanos + amount)
    return _closed(hold, is_first=False)


def _take(payers: list[Account], missing: Nanos) -> dict[Account, Nanos]:
    """Say which account pays how much of what is missing, without any hold to take it from."""
    takings = {}
    for account in payers:
        share = min(missing, account.available_nanos)
        if share:
            takings[account] = share
            missing -= share
    return takings


def _give_back(
    books: Books, hold: HoldState, *, amount_nanos: Nanos, absorbed_nanos: Nanos
) -> list[tuple[Account, Account, Nanos]]:
    """Take back from revenue what a recovered close put there too much, and return it to who paid last first."""
    currency = hold.row.currency
    revenue = entries.platform_account(books, AccountKind.REVENUE, currency)
    movements = []
    for account_id, paid in reversed(hold.paid):
        share = min(amount_nanos, paid)
        if share:
            movements.append(entries.move(books, revenue, books.accounts[account_id], share))
            amount_nanos -= share
    if absorbed_nanos:
        movements.append(
            entries.move(
                books, revenue, entries.platform_account(books, AccountKind.ABSORBED, currency), absorbed_nanos
            )
        )
    return movements


def _note_extra(books: Books, operation: CloseHold, paid: Nanos) -> None:
    """Note the caller's statements, with what was really paid."""
    for statement in operation.extra:
        books.changes.extra.setdefault(statement.sql, []).append(_parameters(statement, paid))


def _allocate(payers: list[Account], amount_nanos: Nanos) -> list[tuple[Account, Nanos]] | BalanceTooLow:
    """Spread an amount over the accounts that may pay; nothing is changed yet."""
    missing = amount_nanos
    shares: list[tuple[Account, Nanos]] = []
    for account in payers:
        share = min(missing, account.available_nanos)
        if share > 0:
            shares.append((account, share))
            missing -= share
    return BalanceTooLow(available_nanos=amount_nanos - missing) if missing else shares


def _periods(books: Books, operation: PlaceHold) -> list[Period] | None:
    """Find what a hold counts against; None when one is unknown, another's, or in another currency."""
    periods = {}
    for counted in operation.budgets:
        period = books.periods.get((counted.budget_id, counted.period))
        if period is None or not 0 < len(counted.period) <= PERIOD_CHARACTERS_MAX:
            return None
        budget = period.budget
        if (budget.owner_id, budget.currency) != (operation.owner_id, operation.currency):
            return None
        if not budget.is_removed:
            periods[budget.id, period.period] = period
    return [periods[key] for key in sorted(periods)] if len(periods) <= BUDGETS_MAX else None


def _details(hold: HoldState) -> journal.Details:
    """Say in the journal what a hold counted against."""
    return journal.Details(budgets=[journal.BudgetRow(period.budget.id, period.period) for period in hold.budgets])


def _beyond_budget(books: Books, operation: PlaceHold, *, amount_nanos: Nanos) -> Answer | None:
    """Refuse a new hold that a budget does not allow."""
    if not operation.budgets:
        return None
    periods = _periods(books, operation)
    if periods is None:
        return Refused(error_class="BudgetUnknown")
    return budgets.reached(periods, amount_nanos)


def _count(books: Books, hold: HoldState, *, held_nanos: Nanos = 0, spent_nanos: Nanos = 0) -> None:
    """Count what a hold sets aside, gives back and spends against its budgets."""
    for period in hold.budgets:
        period.held_nanos += held_nanos
        period.spent_nanos += spent_nanos
        books.changes.touched_periods.add(period)


def _add_parts(books: Books, hold: HoldState, shares: list[tuple[Account, Nanos]]) -> None:
    """Hold the shares."""
    for account, share in shares:
        account.held_nanos += share
        books.changes.touched_accounts[account.id] = account
        part = journal.PartRow(part_number=len(hold.parts) + 1, account_id=account.id, amount_nanos=share)
        hold.parts.append(part)
        books.changes.parts.append((hold.row.request_id, part))
        _count(books, hold, held_nanos=share)


def _release_and_take(books: Books, hold: HoldState, metered: Nanos, *, scope: str) -> dict[Account, Nanos]:
    """Give back everything held, and say which account pays how much; the money itself is moved by ``entries.charge``.

    The parts pay first, in order, even where a lot has expired or a later part is on the same account; then what is
    available. Lots of tokens are only given back their parts: what they pay was split off before.
    """
    takings: dict[Account, Nanos] = {}
    missing = metered
    for part in hold.parts:
        account = books.accounts[part.account_id]
        account.held_nanos -= part.amount_nanos
        books.changes.touched_accounts[account.id] = account
        if account.unit_nanos:
            continue
        share = min(missing, part.amount_nanos)
        takings[account] = takings.get(account, 0) + share
        missing -= share
    if missing:
        for account in books.spendable(hold.row.owner_id, hold.row.currency, scope):
            taken = takings.get(account, 0)
            share = min(missing, max(0, account.available_nanos - taken))
            takings[account] = taken + share
            missing -= share
    return {account: taken for account, taken in takings.items() if taken}


def _parameters(statement: Statement, paid: Nanos) -> list[Any]:
    """Put what was really paid where the caller left room for it."""
    if statement.charge_position < 0:
        return statement.parameters
    parameters = list(statement.parameters)
    parameters[statement.charge_position] = paid
    return parameters
