"""SQL that a migration runs: triggers that refuse UPDATE and DELETE on the audit log, on both databases."""

CREATE_SQLITE = (
    """
    CREATE TRIGGER audit_entry_refuses_update BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry: rows are only ever inserted'); END
    """,
    """
    CREATE TRIGGER audit_entry_refuses_delete BEFORE DELETE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit_entry: rows are only ever inserted'); END
    """,
)
CREATE_POSTGRESQL = (
    """
    CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%: rows are only ever inserted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END
    $$
    """,
    """
    CREATE TRIGGER audit_entry_refuses_change BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()
    """,
    """
    CREATE TRIGGER audit_entry_refuses_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()
    """,
)
DROP_SQLITE = (
    "DROP TRIGGER audit_entry_refuses_update",
    "DROP TRIGGER audit_entry_refuses_delete",
)
DROP_POSTGRESQL = (
    "DROP TRIGGER audit_entry_refuses_truncate ON audit_entry",
    "DROP TRIGGER audit_entry_refuses_change ON audit_entry",
    "DROP FUNCTION audit_refuse_change()",
)


def create_statements(*, is_sqlite: bool) -> tuple[str, ...]:
    """Return what is run after the table was made."""
    return CREATE_SQLITE if is_sqlite else CREATE_POSTGRESQL


def drop_statements(*, is_sqlite: bool) -> tuple[str, ...]:
    """Return what is run before the table is dropped."""
    return DROP_SQLITE if is_sqlite else DROP_POSTGRESQL
