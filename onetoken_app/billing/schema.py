"""Triggers of billing: what was requested, issued or reversed stays as it is. Plain SQL per engine, in order.

On PostgreSQL ``ledger.schema.refusing_function`` has to exist, as it does since the first migration.
"""

from onetoken_app.ledger.schema import append_only_triggers

JOURNAL_TABLES = ("billing_invoiced_order", "billing_red_letter")
"""Tables whose rows are only ever inserted."""
_REQUESTED = (
    "id, organization_id, submission_id, kind, currency, amount_nanos, title, tax_id, registered_address, phone, "
    "bank_name, bank_account, delivery_email, requested_by, requested_at"
)
_ISSUED = "number, issued_on"


def guard_invoices(*, is_sqlite: bool) -> list[str]:
    """Return what keeps requests and red letters as they are, and an issued invoice's number and date."""
    journals = [one for table in JOURNAL_TABLES for one in append_only_triggers(table, is_sqlite=is_sqlite)]
    return [
        *journals,
        _refusing("keeps_request", f"UPDATE OF {_REQUESTED}", is_sqlite=is_sqlite),
        _refusing("keeps_number", f"UPDATE OF {_ISSUED}", when="OLD.number IS NOT NULL", is_sqlite=is_sqlite),
        _refusing("stays", "DELETE", is_sqlite=is_sqlite),
    ]


def guard_statements(*, is_sqlite: bool) -> list[str]:
    """Return what keeps closed months as they are."""
    return append_only_triggers("billing_statement", is_sqlite=is_sqlite)


def _refusing(name: str, event: str, *, is_sqlite: bool, when: str = "") -> str:
    """Write a trigger on invoices that refuses an event."""
    condition = f"WHEN ({when}) " if when else ""
    head = f"CREATE TRIGGER billing_invoice_{name} BEFORE {event} ON billing_invoice"
    if is_sqlite:
        return (
            f"{head} {condition}BEGIN SELECT RAISE(ABORT, 'billing_invoice keeps what was requested and issued'); END"
        )
    return f"{head} FOR EACH ROW {condition}EXECUTE FUNCTION refuse_journal_change()"
