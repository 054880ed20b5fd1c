"""One form with everything that any of ours asks for, for calls of every event."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from onetoken_app import clock
from onetoken_app.organizations.models import Scenario
from onetoken_app.payments.statement import current_statement
from onetoken_app.verification.particulars import CHARACTERS_MAX


def one_form(ids: Mapping[str, str], revision: int) -> dict[str, Any]:
    """Write everything that any of our forms asks for, about some rows by the names of arguments."""
    return {
        **dict.fromkeys(CHARACTERS_MAX, "Somebody else"),
        **{scenario.value: "on" for scenario in Scenario},
        **ids,
        "registration_code": "91350100M000100Y43",
        "revision": str(revision),
        "name": f"Project {revision}",
        "amount": "100",
        "submission_id": "raw-form-0001",
        "consent": current_statement("en").sha256,
        "payer_name": "Test Ltd",
        "bank_reference": "",
        "paid_on": clock.utc_now().date().isoformat(),
        "received": "100",
        "bank_entry": "E-1",
        "decision": "ask",
        "currency": "USD",
        "input": "3",
        "output": "4.5",
        "reason": "other",
        "cause": "security",
        "words": "In words of one's own.",
        "kind": "commercial",
        "number": "F-1",
        "organization": ids.get("organization_id", ""),
        "direction": "give",
        "evidence": "Ticket 4711",
        "issued_on": clock.utc_now().date().isoformat(),
        "email": "somebody@else.example",
        "subject": f"api_key:{ids.get('api_key_id', '')}",
        "window": "day",
        "limit": "3",
        "threshold": "7",
        "grant_kind": "promotional",
        "last_day": (clock.utc_now().date() + timedelta(days=2)).isoformat(),
        "credit_limit": "5",
        "cycle": "monthly",
        "payment_days": "30",
        "starts_on": clock.utc_now().date().isoformat(),
        "price": "1",
        "bonus": "0.50",
        "valid_days": "30",
        "terms_kind": "ratio",
        "plan_name": "partner",
        "ratio": "0.85",
    }
