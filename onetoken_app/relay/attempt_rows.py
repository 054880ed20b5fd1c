"""Writes down each upstream attempt of a call that ends: flat rows, beside its record."""

from onetoken_app.clock import monotonic_seconds
from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.operations import Statement
from onetoken_app.relay.attempts import outcome_of
from onetoken_app.relay.open_call import OpenAttempt, OpenCall
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.attempts import AttemptDraft, insert_attempt
from onetoken_app.usage.models import AttemptOutcome
from onetoken_app.usage.recording import UsageDraft

_MS = 1000


def rows_of_attempts(
    call: OpenCall, draft: UsageDraft, *, error: OneTokenError | None, is_sqlite: bool
) -> list[Statement]:
    """Return a statement for each attempt of a call.

    Only the last one can have delivered anything, because none follows one that answered: what the call used and what
    that costs is its.

    Args:
        call: It goes nowhere any more.
        draft: Its record.
        error: How it ended; ``None``: the whole answer came.
        is_sqlite: Which database.
    """
    rows = []
    for number, attempt in enumerate(call.attempts, 1):
        if attempt.outcome is None:
            _end(call, attempt, error)
        is_used = number == len(call.attempts) and draft.usage_source is not UsageSource.NONE
        row = _row(call, attempt, number, draft if is_used else None)
        rows.append(insert_attempt(row, is_sqlite=is_sqlite))
    return rows


def row_of_recovered(draft: UsageDraft, *, is_sqlite: bool) -> list[Statement]:
    """Return the row of the attempt that a dead process was at, so far as its last durable progress knows it."""
    if not draft.channel_id:
        return []
    row = AttemptDraft(
        request_id=draft.request_id,
        attempt_number=max(1, draft.attempt_count),
        model_id=draft.model_id,
        channel_id=draft.channel_id,
        upstream_model="",
        began_at=draft.requested_at,
        duration_ms=draft.latency_ms,
        outcome=AttemptOutcome.CUT,
        usage_source=draft.usage_source,
        input_tokens=_input_of(draft),
        cache_read_tokens=draft.cache_read_tokens,
        output_tokens=_output_of(draft),
        cost_nanos=draft.cost_nanos,
        cost_currency=draft.cost_currency,
    )
    return [insert_attempt(row, is_sqlite=is_sqlite)]


def _end(call: OpenCall, attempt: OpenAttempt, error: OneTokenError | None) -> None:
    """Say how the last attempt ended: it answered, wholly or not, or was stopped before."""
    attempt.duration_ms = int((monotonic_seconds() - attempt.began_at_seconds) * _MS)
    if call.first_byte_at_seconds is None:
        attempt.outcome = AttemptOutcome.ABANDONED if error is None else outcome_of(error)
    else:
        attempt.outcome = AttemptOutcome.ANSWERED if error is None else AttemptOutcome.CUT


def _row(call: OpenCall, attempt: OpenAttempt, number: int, used: UsageDraft | None) -> AttemptDraft:
    """Write one attempt down, with what it used."""
    target = attempt.target
    cost_sheet = attempt.admission.cost_sheet_of(target.channel_id)
    is_known = used is not None and used.cost_nanos is not None and cost_sheet is not None
    return AttemptDraft(
        request_id=call.request_id,
        attempt_number=number,
        model_id=attempt.admission.offer.model.id,
        channel_id=target.channel_id,
        upstream_model=target.upstream_model,
        began_at=attempt.began_at,
        duration_ms=attempt.duration_ms,
        outcome=attempt.outcome or AttemptOutcome.ABANDONED,
        usage_source=used.usage_source if used else UsageSource.NONE,
        input_tokens=_input_of(used) if used else 0,
        cache_read_tokens=used.cache_read_tokens if used else 0,
        output_tokens=_output_of(used) if used else 0,
        cost_nanos=used.cost_nanos if used else None,
        cost_currency=used.cost_currency if used else None,
        cost_version_id=cost_sheet.price_version_id if cost_sheet and is_known else None,
    )


def _input_of(draft: UsageDraft) -> int:
    """Add all input up."""
    cached = draft.cache_read_tokens + draft.cache_write_5m_tokens + draft.cache_write_1h_tokens
    return draft.input_tokens + cached + draft.audio_in_tokens + draft.image_in_tokens


def _output_of(draft: UsageDraft) -> int:
    """Add all output up."""
    return draft.output_tokens + draft.audio_out_tokens + draft.image_out_tokens
