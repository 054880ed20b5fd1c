"""Lots of tokens: money of a package that is taken by the token, at a price fixed when it was bought (decision 0032).

Pure. What such a lot pays is always a multiple of its price per token, so that what is left is whole tokens. What its
tokens do not reach is charged at the usual price, in proportion to the tokens that are left.
"""

from collections.abc import Iterable

from onetoken_app.ledger.books import Account, Books, HoldState
from onetoken_app.ledger.operations import BalanceTooLow, CloseHold, ExtendHold, PlaceHold
from onetoken_app.money import Currency, Nanos

Shares = list[tuple[Account, Nanos]]
"""Lots of tokens in their turn, with an amount of each."""


def shares_of_hold(books: Books, operation: PlaceHold) -> tuple[Shares, Nanos]:
    """Say what lots of tokens hold of a call, and how much money has to be held beside it."""
    if not books.has_token_lots:
        return [], operation.amount_nanos
    lots = _available(books, operation.owner_id, operation.currency, operation.scope)
    by_lot, rest_nanos = _split(lots, operation, operation.amount_nanos, rounds_up=True)
    return list(by_lot.items()), rest_nanos


def shares_of_extension(
    books: Books, hold: HoldState, operation: ExtendHold, *, total_nanos: Nanos
) -> tuple[Shares, Nanos]:
    """Say what lots of tokens hold beyond the hold's parts, and how much more money has to be held."""
    if not books.has_token_lots:
        return [], max(0, operation.amount_nanos - total_nanos)
    held = _parts(books, hold)
    lots = held + _available(books, hold.row.owner_id, hold.row.currency, operation.scope)
    by_lot, rest_nanos = _split(lots, operation, operation.amount_nanos, rounds_up=True)
    for account, nanos in held:
        by_lot[account] = by_lot.get(account, 0) - nanos
    in_money_nanos = total_nanos - sum(nanos for _, nanos in held)
    return [(account, added) for account, added in by_lot.items() if added > 0], max(0, rest_nanos - in_money_nanos)


def drawn_at_close(
    books: Books, hold: HoldState, operation: CloseHold, metered_nanos: Nanos
) -> tuple[dict[Account, Nanos], Nanos]:
    """Say what the hold's parts on lots of tokens pay, and what is left to pay in money."""
    if not books.has_token_lots:
        return {}, metered_nanos
    return _split(_parts(books, hold), operation, metered_nanos, rounds_up=False)


def metered_at_correction(books: Books, hold: HoldState, operation: CloseHold, metered_nanos: Nanos) -> Nanos:
    """Say what a call costs in all, of which lots of tokens paid a part at its recovery; they pay no more than that."""
    lots = [(books.accounts[account_id], paid) for account_id, paid in hold.paid]
    lots = [(account, paid) for account, paid in lots if account.unit_nanos]
    if not lots:
        return metered_nanos
    by_lot, rest_nanos = _split(lots, operation, metered_nanos, rounds_up=False)
    return rest_nanos + sum(by_lot.values())


def pay_for(books: Books, hold: HoldState) -> bool:
    """Whether a hold has parts on lots of tokens."""
    return books.has_token_lots and bool(_parts(books, hold))


def in_usual_money(refusal: BalanceTooLow, rest_nanos: Nanos, operation: PlaceHold) -> BalanceTooLow:
    """Say what is available as if there were no lots of tokens: the hold's amount without what is missing."""
    missing = rest_nanos - refusal.available_nanos
    return BalanceTooLow(available_nanos=max(0, operation.amount_nanos - missing))


def _available(books: Books, owner_id: str, currency: Currency, scope: str) -> Shares:
    """Return the lots that pay for something new, with what no open call holds of them."""
    return [(lot, lot.available_nanos) for lot in books.token_lots(owner_id, currency, scope)]


def _parts(books: Books, hold: HoldState) -> Shares:
    """Return a hold's parts on lots of tokens."""
    parts = [(books.accounts[part.account_id], part.amount_nanos) for part in hold.parts]
    return [(account, nanos) for account, nanos in parts if account.unit_nanos]


def _split(
    lots: Iterable[tuple[Account, Nanos]],
    operation: PlaceHold | ExtendHold | CloseHold,
    metered_nanos: Nanos,
    *,
    rounds_up: bool,
) -> tuple[dict[Account, Nanos], Nanos]:
    """Say how many of a call's tokens lots pay, and what the others come to at the usual price.

    Args:
        lots: In their turn, with what each may pay at most.
        operation: How many tokens, and how much of the cost is for none.
        metered_nanos: What the call costs at the usual price.
        rounds_up: For a hold, which must not be too small; a charge is rounded half up.
    """
    token_count, units_nanos = operation.token_count, operation.units_nanos
    token_nanos = metered_nanos - units_nanos
    if token_count <= 0 or token_nanos <= 0 or units_nanos < 0:
        return {}, metered_nanos
    left, by_lot = token_count, dict[Account, Nanos]()
    for account, nanos_max in lots:
        taken = min(left, nanos_max // account.unit_nanos)
        if taken:
            by_lot[account] = by_lot.get(account, 0) + taken * account.unit_nanos
            left -= taken
    numerator = token_nanos * left
    rest_nanos = -(-numerator // token_count) if rounds_up else (2 * numerator + token_count) // (2 * token_count)
    return by_lot, units_nanos + rest_nanos
