"""What the migration adds to the tables: triggers that keep the journal a journal, and the auditor's view.

The statements are plain SQL per engine, one per list item, to be run in order.
"""

_FIRST_JOURNAL_TABLES = (
    "ledger_transaction",
    "ledger_posting",
    "ledger_hold",
    "ledger_hold_part",
    "ledger_hold_close",
)
_TABLES_OF_LOTS = ("ledger_lot_scope", "ledger_terms", "ledger_reversal")
JOURNAL_TABLES = (*_FIRST_JOURNAL_TABLES, "ledger_correction", *_TABLES_OF_LOTS, "ledger_hold_budget")
"""Tables whose rows are only ever inserted."""

_FIRST_VIEW = """
CREATE VIEW ledger_audit AS
SELECT hold.request_id AS request_id,
       hold.owner_id AS organization_id,
       closing.outcome AS outcome,
       closing.amount_nanos AS amount_nanos,
       closing.usage_source AS usage_source,
       closing.closed_at AS closed_at
FROM ledger_hold_close AS closing
JOIN ledger_hold AS hold ON hold.request_id = closing.request_id
""".strip()
_VIEW = """
CREATE VIEW ledger_audit AS
SELECT hold.request_id AS request_id,
       hold.owner_id AS organization_id,
       closing.outcome AS outcome,
       closing.amount_nanos + COALESCE(correction.amount_nanos, 0) AS amount_nanos,
       COALESCE(correction.usage_source, closing.usage_source) AS usage_source,
       closing.closed_at AS closed_at
FROM ledger_hold_close AS closing
JOIN ledger_hold AS hold ON hold.request_id = closing.request_id
LEFT JOIN ledger_correction AS correction ON correction.request_id = closing.request_id
""".strip()
_DROP_VIEW = "DROP VIEW IF EXISTS ledger_audit"

_EPOCH_MAY_CHANGE = (
    "OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND OLD.id = NEW.id AND OLD.number = NEW.number "
    "AND OLD.started_at = NEW.started_at"
)


def create_statements(*, is_sqlite: bool) -> list[str]:
    """Return what made the ledger's triggers and its view at first; later tables come with ``add_…``."""
    refusals = [
        statement for table in _FIRST_JOURNAL_TABLES for statement in append_only_triggers(table, is_sqlite=is_sqlite)
    ]
    epoch = _epoch_triggers_of_sqlite() if is_sqlite else _epoch_triggers_of_postgresql()
    functions = [] if is_sqlite else [refusing_function()]
    return [*functions, *refusals, *epoch, _FIRST_VIEW]


def add_corrections(*, is_sqlite: bool) -> list[str]:
    """Return what makes ``ledger_correction`` a journal and adds corrections to what the auditor's view says."""
    return [*append_only_triggers("ledger_correction", is_sqlite=is_sqlite), _DROP_VIEW, _VIEW]


def remove_corrections() -> list[str]:
    """Return what undoes ``add_corrections``, but for the triggers, which fall with their table."""
    return [_DROP_VIEW, _FIRST_VIEW]


def add_lots(*, is_sqlite: bool) -> list[str]:
    """Return what makes the tables beside lots, terms and reversals journals; the triggers fall with their tables."""
    return [statement for table in _TABLES_OF_LOTS for statement in append_only_triggers(table, is_sqlite=is_sqlite)]


def add_budgets(*, is_sqlite: bool) -> list[str]:
    """Return what makes ``ledger_hold_budget`` a journal; the triggers fall with their table."""
    return append_only_triggers("ledger_hold_budget", is_sqlite=is_sqlite)


def drop_statements(*, is_sqlite: bool) -> list[str]:
    """Return what takes them away again; on SQLite the triggers fall with their tables."""
    if is_sqlite:
        return [_DROP_VIEW]
    tables = (*_FIRST_JOURNAL_TABLES, "ledger_epoch")
    triggers = [f"DROP TRIGGER IF EXISTS {table}_is_append_only ON {table}" for table in tables]
    truncations = [f"DROP TRIGGER IF EXISTS {table}_is_not_truncated ON {table}" for table in tables]
    return [
        _DROP_VIEW,
        *triggers,
        *truncations,
        "DROP FUNCTION IF EXISTS refuse_epoch_change()",
        "DROP FUNCTION IF EXISTS refuse_journal_change()",
    ]


def append_only_triggers(table: str, *, is_sqlite: bool) -> list[str]:
    """Return the triggers that refuse every change of a table's rows; any room's journal may use them.

    On PostgreSQL ``refusing_function`` has to exist first.
    """
    if is_sqlite:
        return [
            f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        (
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_journal_change()"
        ),
        _truncation_trigger(table),
    ]


def refusing_function() -> str:
    """Return PostgreSQL's function behind ``append_only_triggers``."""
    return (
        "CREATE OR REPLACE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
    )


def _truncation_trigger(table: str) -> str:
    """TRUNCATE fires no row trigger, so it has one of its own."""
    return (
        f"CREATE TRIGGER {table}_is_not_truncated BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change()"
    )


def _epoch_triggers_of_sqlite() -> list[str]:
    """An epoch may be ended once; nothing else about it changes."""
    return [
        (
            "CREATE TRIGGER ledger_epoch_refuses_update BEFORE UPDATE ON ledger_epoch "
            f"WHEN NOT ({_EPOCH_MAY_CHANGE}) "
            "BEGIN SELECT RAISE(ABORT, 'ledger_epoch ends once'); END"
        ),
        (
            "CREATE TRIGGER ledger_epoch_refuses_delete BEFORE DELETE ON ledger_epoch "
            "BEGIN SELECT RAISE(ABORT, 'ledger_epoch is append-only'); END"
        ),
    ]


def _epoch_triggers_of_postgresql() -> list[str]:
    """An epoch may be ended once; nothing else about it changes."""
    return [
        (
            "CREATE OR REPLACE FUNCTION refuse_epoch_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF TG_OP = 'UPDATE' AND {_EPOCH_MAY_CHANGE} THEN RETURN NEW; END IF; "
            "RAISE EXCEPTION USING MESSAGE = 'ledger_epoch ends once'; END $$"
        ),
        (
            "CREATE TRIGGER ledger_epoch_is_append_only BEFORE UPDATE OR DELETE ON ledger_epoch "
            "FOR EACH ROW EXECUTE FUNCTION refuse_epoch_change()"
        ),
        _truncation_trigger("ledger_epoch"),
    ]
