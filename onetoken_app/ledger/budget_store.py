"""Loads and saves budgets for batches that concern any; the lock on their owner's accounts is theirs too."""

from collections.abc import Iterable, Sequence

from onetoken_app.ledger.books import Books, Changes, HoldState
from onetoken_app.ledger.budgets import Budget, Period
from onetoken_app.ledger.operations import Operation, PlaceHold
from onetoken_app.ledger.sql import Connection, listed
from onetoken_app.money import Currency


def asked_periods(operations: Sequence[Operation]) -> set[tuple[str, str]]:
    """Return the budgets and periods that new holds name."""
    return {
        (counted.budget_id, counted.period)
        for operation in operations
        if isinstance(operation, PlaceHold) and operation.budgets
        for counted in operation.budgets
    }


def load_budgets(connection: Connection, books: Books, asked: set[tuple[str, str]]) -> None:
    """Load the budgets that new holds name and that loaded holds count against.

    Several holds of an owner wait for one another at its accounts, so nobody else changes what is read here. A limit
    may be changed at any time; the last committed one counts.
    """
    counted = _load_counted(connection, [hold for hold in books.holds.values() if hold.budget_count])
    wanted = asked.union(*counted.values())
    if not wanted:
        return
    ids = listed({budget_id for budget_id, _ in wanted}, is_sqlite=connection.is_sqlite)
    periods = listed({period for _, period in wanted}, is_sqlite=connection.is_sqlite)
    budgets = {
        row[0]: Budget(row[0], row[1], Currency(row[2]), row[3], bool(row[4]), row[5] is not None)
        for row in connection.read(
            "SELECT id, owner_id, currency, limit_nanos, is_enabled, removed_at FROM ledger_budget WHERE id = ANY(?)",
            (ids,),
        )
    }
    books.periods = {
        (budget_id, name): Period(budgets[budget_id], name) for budget_id, name in wanted if budget_id in budgets
    }
    for budget_id, name, spent_nanos, held_nanos in connection.read(
        "SELECT budget_id, period, spent_nanos, held_nanos FROM ledger_budget_period "
        "WHERE budget_id = ANY(?) AND period = ANY(?)",
        (ids, periods),
    ):
        period = books.periods.get((budget_id, name))
        if period is not None:
            period.spent_nanos, period.held_nanos = spent_nanos, held_nanos
    for request_id, keys in counted.items():
        books.holds[request_id].budgets = [books.periods[key] for key in sorted(keys)]


def _load_counted(connection: Connection, holds: Iterable[HoldState]) -> dict[str, set[tuple[str, str]]]:
    """Read which budgets holds count against; asked only where there are such holds."""
    counted: dict[str, set[tuple[str, str]]] = {hold.row.request_id: set() for hold in holds}
    if counted:
        for request_id, budget_id, period in connection.read(
            "SELECT request_id, budget_id, period FROM ledger_hold_budget WHERE request_id = ANY(?)",
            (listed(counted, is_sqlite=connection.is_sqlite),),
        ):
            counted[request_id].add((budget_id, period))
    return counted


def save_budgets(connection: Connection, changes: Changes) -> None:
    """Write which holds count against which budgets, and what those have seen."""
    connection.write(
        "INSERT INTO ledger_hold_budget (request_id, budget_id, period) VALUES (?, ?, ?)",
        [(request_id, period.budget.id, period.period) for request_id, period in changes.hold_budgets],
    )
    touched = sorted(changes.touched_periods, key=lambda period: (period.budget.id, period.period))
    connection.write(
        "INSERT INTO ledger_budget_period (budget_id, period, spent_nanos, held_nanos) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (budget_id, period) DO UPDATE SET spent_nanos = excluded.spent_nanos, "
        "held_nanos = excluded.held_nanos",
        [(period.budget.id, period.period, period.spent_nanos, period.held_nanos) for period in touched],
    )
