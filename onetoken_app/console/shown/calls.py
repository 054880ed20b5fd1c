"""Calls as rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from onetoken_app.console.shown.amounts import ShownAmount, aligned, shown_amount, shown_count
from onetoken_app.console.shown.moments import shown_milliseconds, shown_moment
from onetoken_app.usage.queries import CallView


class CallOutcome(StrEnum):
    """How a call ended, as its row says it."""

    ANSWERED = "answered"
    """The caller got an answer."""
    REFUSED = "refused"
    """The provider refused the request, or the caller left before an answer."""
    FAILED = "failed"
    """An upstream or the relay failed."""


@dataclass(frozen=True, slots=True)
class ShownCall:
    """One row."""

    request_id: str = ""
    at: str = ""
    model: str = ""
    key: str = ""
    input_tokens: str = ""
    output_tokens: str = ""
    charge: ShownAmount = field(default_factory=ShownAmount)
    is_estimated: bool = False
    outcome: str = ""
    status: str = ""
    error_code: str = ""
    latency: str = ""


def shown_calls(calls: Sequence[CallView], *, time_zone: str) -> list[ShownCall]:
    """Turn calls into rows, their charges aligned by the decimal point."""
    rows = [_shown_call(call, time_zone) for call in calls]
    charges = aligned([row.charge for row in rows])
    return [replace(row, charge=charge) for row, charge in zip(rows, charges, strict=True)]


def _shown_call(call: CallView, time_zone: str) -> ShownCall:
    """Turn a call into its row."""
    return ShownCall(
        request_id=call.request_id,
        at=shown_moment(call.requested_at, time_zone),
        model=call.model_name,
        key=call.api_key_name,
        input_tokens=shown_count(call.input_tokens_total),
        output_tokens=shown_count(call.output_tokens_total),
        charge=shown_amount(call.charge_nanos, call.currency),
        is_estimated=call.usage_source == "estimated",
        outcome=_outcome(call.response_status, call.error_code).value,
        status=str(call.response_status),
        error_code=call.error_code,
        latency=shown_milliseconds(call.latency_ms),
    )


def _outcome(status: int, error_code: str) -> CallOutcome:
    """Judge by the status; a stream that broke off has said 200 already and carries an error code."""
    if status >= 500 or (status < 400 and error_code):
        return CallOutcome.FAILED
    return CallOutcome.REFUSED if status >= 400 else CallOutcome.ANSWERED
