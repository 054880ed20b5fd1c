"""Budgets as hard caps: what a period has spent and holds, against its budget's limit. Pure, like ``posting.py``.

A hold counts against each of its budgets with all that it sets aside, and from its close on with what was charged.
Limits are those of the moment: raising one counts at once, lowering one below what was spent stops new holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from onetoken_app.ledger.operations import BudgetReached
from onetoken_app.money import Currency, Nanos


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit, as the batch sees it."""

    id: str
    owner_id: str
    currency: Currency
    limit_nanos: Nanos
    is_enabled: bool
    """False: it is counted, and refuses nothing."""
    is_removed: bool
    """It is not even counted for new holds."""


@dataclass(slots=True, eq=False)
class Period:
    """What a budget has seen in one period."""

    budget: Budget
    period: str
    spent_nanos: Nanos = 0
    held_nanos: Nanos = 0


def reached(periods: Iterable[Period], amount_nanos: Nanos) -> BudgetReached | None:
    """Return the first budget that more would exceed, or None. What costs nothing exceeds nothing."""
    for period in periods:
        budget = period.budget
        left_nanos = max(0, budget.limit_nanos - period.spent_nanos - period.held_nanos)
        if budget.is_enabled and amount_nanos > left_nanos:
            return BudgetReached(budget_id=budget.id, limit_nanos=budget.limit_nanos, left_nanos=left_nanos)
    return None
