"""Counts again what each budget has seen in each period, for ``verification.py``."""

from onetoken_app.ledger import verification_sql
from onetoken_app.ledger.sql import Connection


def wrong_budget(connection: Connection) -> str | None:
    """Name the first period that does not say what the holds make, or None."""
    spent, held = (
        {(budget_id, period): int(nanos) for budget_id, period, nanos in connection.read(sql)}
        for sql in (verification_sql.SPENT_OF_BUDGETS, verification_sql.HELD_OF_BUDGETS)
    )
    stored = {(row[0], row[1]): (row[2], row[3]) for row in connection.read(verification_sql.BUDGET_PERIODS)}
    for key in sorted(stored.keys() | spent.keys() | held.keys()):
        counted = (spent.get(key, 0), held.get(key, 0))
        if stored.get(key, (0, 0)) != counted:
            place = f"ledger_budget_period {key[0]} {key[1]}"
            return f"{place}: spent and held are {stored.get(key)}, the holds make {counted}"
    return None
