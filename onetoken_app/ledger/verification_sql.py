"""The reads of ``verification.py``: in pieces by key, in order; wide joins instead of a statement per row."""

ACCOUNTS = (
    "SELECT id, owner_id, kind, currency, floor_nanos, posted_nanos, held_nanos, lot_id, unit_nanos, "
    "expires_at, is_frozen FROM ledger_account ORDER BY id"
)

SCOPES = "SELECT account_id, scope FROM ledger_lot_scope ORDER BY account_id"

ENTRIES = """
SELECT entry.sequence_number, entry.kind, entry.reference, entry.recorded_at, entry.previous_hash, entry.hash,
       closing.request_id, closing.outcome, closing.amount_nanos, closing.absorbed_nanos, closing.usage_source,
       closing.closed_at,
       hold.request_id, hold.owner_id, hold.currency, hold.epoch_id, hold.amount_nanos, hold.context, hold.placed_at
FROM ledger_transaction AS entry
LEFT JOIN ledger_hold_close AS closing ON closing.transaction_number = entry.sequence_number
LEFT JOIN ledger_hold AS hold ON hold.request_id = closing.request_id
WHERE entry.sequence_number > ? ORDER BY entry.sequence_number LIMIT ?
"""

POSTINGS = """
SELECT transaction_number, posting_number, from_account_id, to_account_id, amount_nanos FROM ledger_posting
WHERE transaction_number > ? AND transaction_number <= ? ORDER BY transaction_number, posting_number
"""

PARTS_OF_CLOSES = """
SELECT closing.transaction_number, part.part_number, part.account_id, part.amount_nanos
FROM ledger_hold_close AS closing JOIN ledger_hold_part AS part ON part.request_id = closing.request_id
WHERE closing.transaction_number > ? AND closing.transaction_number <= ?
ORDER BY closing.transaction_number, part.part_number
"""

CORRECTIONS = """
SELECT correction.transaction_number,
       correction.request_id, correction.amount_nanos, correction.absorbed_nanos, correction.usage_source,
       correction.corrected_at,
       closing.request_id, closing.outcome, closing.amount_nanos, closing.absorbed_nanos, closing.usage_source,
       closing.closed_at,
       hold.request_id, hold.owner_id, hold.currency, hold.epoch_id, hold.amount_nanos, hold.context, hold.placed_at
FROM ledger_correction AS correction
JOIN ledger_hold_close AS closing ON closing.request_id = correction.request_id
JOIN ledger_hold AS hold ON hold.request_id = correction.request_id
WHERE correction.transaction_number > ? AND correction.transaction_number <= ?
"""

TERMS = """
SELECT transaction_number, owner_id, account_id, floor_nanos FROM ledger_terms
WHERE transaction_number > ? AND transaction_number <= ?
"""

REVERSALS = """
SELECT reversal.transaction_number, reversal.reversed_number, undone.kind FROM ledger_reversal AS reversal
LEFT JOIN ledger_transaction AS undone ON undone.sequence_number = reversal.reversed_number
WHERE reversal.transaction_number > ? AND reversal.transaction_number <= ?
"""

REVERSED_POSTINGS = """
SELECT reversal.transaction_number, posting.posting_number, posting.from_account_id, posting.to_account_id,
       posting.amount_nanos
FROM ledger_reversal AS reversal
JOIN ledger_posting AS posting ON posting.transaction_number = reversal.reversed_number
WHERE reversal.transaction_number > ? AND reversal.transaction_number <= ?
ORDER BY reversal.transaction_number, posting.posting_number
"""

OPEN_HOLDS = """
SELECT hold.request_id, hold.owner_id, hold.currency, hold.epoch_id, hold.amount_nanos, hold.context, hold.placed_at,
       epoch.ended_at
FROM ledger_open_hold AS open_hold
JOIN ledger_hold AS hold ON hold.request_id = open_hold.request_id
JOIN ledger_epoch AS epoch ON epoch.id = hold.epoch_id
WHERE open_hold.request_id > ? ORDER BY open_hold.request_id LIMIT ?
"""

PARTS_OF_OPEN_HOLDS = """
SELECT open_hold.request_id, part.part_number, part.account_id, part.amount_nanos
FROM ledger_open_hold AS open_hold JOIN ledger_hold_part AS part ON part.request_id = open_hold.request_id
WHERE open_hold.request_id > ? AND open_hold.request_id <= ? ORDER BY open_hold.request_id, part.part_number
"""

BUDGETS_OF_CLOSES = """
SELECT closing.transaction_number, counted.budget_id, counted.period
FROM ledger_hold_close AS closing JOIN ledger_hold_budget AS counted ON counted.request_id = closing.request_id
WHERE closing.transaction_number > ? AND closing.transaction_number <= ?
ORDER BY closing.transaction_number, counted.budget_id, counted.period
"""

SPENT_OF_BUDGETS = """
SELECT counted.budget_id, counted.period,
       SUM(closing.amount_nanos + COALESCE(correction.amount_nanos, 0))
FROM ledger_hold_budget AS counted
JOIN ledger_hold_close AS closing ON closing.request_id = counted.request_id
LEFT JOIN ledger_correction AS correction ON correction.request_id = counted.request_id
GROUP BY counted.budget_id, counted.period
"""

HELD_OF_BUDGETS = """
SELECT counted.budget_id, counted.period, SUM(part.amount_nanos)
FROM ledger_open_hold AS open_hold
JOIN ledger_hold_budget AS counted ON counted.request_id = open_hold.request_id
JOIN ledger_hold_part AS part ON part.request_id = open_hold.request_id
GROUP BY counted.budget_id, counted.period
"""

BUDGET_PERIODS = """
SELECT budget_id, period, spent_nanos, held_nanos FROM ledger_budget_period ORDER BY budget_id, period
"""

LOOSE_ROWS = (
    (
        "ledger_posting of transaction",
        "there is no such transaction",
        (
            "SELECT posting.transaction_number FROM ledger_posting AS posting LEFT JOIN ledger_transaction AS entry "
            "ON entry.sequence_number = posting.transaction_number WHERE entry.sequence_number IS NULL LIMIT 1"
        ),
    ),
    (
        "ledger_hold_close",
        "its transaction or its hold does not exist",
        (
            "SELECT closing.request_id FROM ledger_hold_close AS closing "
            "LEFT JOIN ledger_transaction AS entry ON entry.sequence_number = closing.transaction_number "
            "LEFT JOIN ledger_hold AS hold ON hold.request_id = closing.request_id "
            "WHERE entry.sequence_number IS NULL OR hold.request_id IS NULL LIMIT 1"
        ),
    ),
    (
        "ledger_correction",
        "its transaction does not exist, or does not come after a close that it corrects",
        (
            "SELECT correction.request_id FROM ledger_correction AS correction "
            "LEFT JOIN ledger_transaction AS entry ON entry.sequence_number = correction.transaction_number "
            "LEFT JOIN ledger_hold_close AS closing ON closing.request_id = correction.request_id "
            "AND closing.transaction_number < correction.transaction_number "
            "WHERE entry.sequence_number IS NULL OR closing.request_id IS NULL LIMIT 1"
        ),
    ),
    (
        "ledger_terms of transaction",
        "there is no such transaction",
        (
            "SELECT terms.transaction_number FROM ledger_terms AS terms LEFT JOIN ledger_transaction AS entry "
            "ON entry.sequence_number = terms.transaction_number WHERE entry.sequence_number IS NULL LIMIT 1"
        ),
    ),
    (
        "ledger_reversal of transaction",
        "there is no such transaction, or what it undoes does not exist",
        (
            "SELECT reversal.transaction_number FROM ledger_reversal AS reversal "
            "LEFT JOIN ledger_transaction AS entry ON entry.sequence_number = reversal.transaction_number "
            "LEFT JOIN ledger_transaction AS undone ON undone.sequence_number = reversal.reversed_number "
            "WHERE entry.sequence_number IS NULL OR undone.sequence_number IS NULL LIMIT 1"
        ),
    ),
    (
        "ledger_hold",
        "what it counts against is not as many budgets as it says",
        (
            "SELECT hold.request_id FROM ledger_hold AS hold LEFT JOIN "
            "(SELECT request_id, COUNT(*) AS budget_count FROM ledger_hold_budget GROUP BY request_id) AS counted "
            "ON counted.request_id = hold.request_id "
            "WHERE hold.budget_count <> COALESCE(counted.budget_count, 0) LIMIT 1"
        ),
    ),
    (
        "ledger_hold_budget of",
        "its hold or its budget does not exist, or they are not of one owner and currency",
        (
            "SELECT counted.request_id FROM ledger_hold_budget AS counted "
            "LEFT JOIN ledger_hold AS hold ON hold.request_id = counted.request_id "
            "LEFT JOIN ledger_budget AS budget ON budget.id = counted.budget_id "
            "WHERE hold.request_id IS NULL OR budget.id IS NULL OR budget.owner_id <> hold.owner_id "
            "OR budget.currency <> hold.currency LIMIT 1"
        ),
    ),
    (
        "ledger_hold_part of",
        "there is no such hold",
        (
            "SELECT part.request_id FROM ledger_hold_part AS part LEFT JOIN ledger_hold AS hold "
            "ON hold.request_id = part.request_id WHERE hold.request_id IS NULL LIMIT 1"
        ),
    ),
    (
        "ledger_hold",
        "it is neither open nor closed, or both, or its epoch is another",
        (
            "SELECT hold.request_id FROM ledger_hold AS hold "
            "LEFT JOIN ledger_hold_close AS closing ON closing.request_id = hold.request_id "
            "LEFT JOIN ledger_open_hold AS open_hold ON open_hold.request_id = hold.request_id "
            "LEFT JOIN ledger_epoch AS epoch ON epoch.id = hold.epoch_id "
            "WHERE (closing.request_id IS NULL) = (open_hold.request_id IS NULL) "
            "OR open_hold.epoch_id <> hold.epoch_id OR epoch.id IS NULL LIMIT 1"
        ),
    ),
    (
        "ledger_open_hold",
        "there is no such hold",
        (
            "SELECT open_hold.request_id FROM ledger_open_hold AS open_hold LEFT JOIN ledger_hold AS hold "
            "ON hold.request_id = open_hold.request_id WHERE hold.request_id IS NULL LIMIT 1"
        ),
    ),
)
"""Table, what is wrong, and the SQL that finds one."""
