"""Closes a call's hold once, however it ended, with its usage record in the same transaction.

A hold is placed at the most that a call within its bounds can cost. An upstream that does not keep to the bound of the
output has its call's hold extended, or the stream ended. A provider's own final figures can still be larger; the
ledger takes the difference from what is available in the same close.
"""

import asyncio
from dataclasses import dataclass, replace

from onetoken_app.clock import monotonic_seconds
from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.claims import release_statement
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import (
    AlreadyClaimed,
    BudgetExhausted,
    InsufficientFunds,
    LedgerConflict,
    LedgerUnavailable,
    OwnerIsFrozen,
)
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, ExtendHold, HoldClosed, PlaceHold, RecordProgress, Statement
from onetoken_app.money import Nanos
from onetoken_app.relay.attempt_rows import rows_of_attempts
from onetoken_app.relay.errors import InsufficientBalance, InternalError, OrganizationFrozen, internal_error
from onetoken_app.relay.estimation import LEAST_OUTPUT_DIVISOR, least_output
from onetoken_app.relay.metering import Metered, cost_of, estimate, meter
from onetoken_app.relay.open_call import OpenCall, caller_left
from onetoken_app.relay.repeats import refusal_of
from onetoken_app.relay.spending_caps import budget_reached, budget_reached_midway, periods_of
from onetoken_app.telemetry import get_logger
from onetoken_app.token_usage import TokenUsage, UsageSource
from onetoken_app.usage.recording import UsageDraft, encode_draft, insert_statement

CLOSE_SECONDS_MAX = 10.0
"""How long the end of a stream waits for its close; the close itself happens, however long the ledger is away. A plain
answer waits for as long as its caller does: withheld after that time, it would be charged and never seen."""
EXTENSION_FACTOR = 2
"""An extension covers this many times what came so far, so that a long stream needs few."""
_MS = 1000
_UNMETERED = Metered(TokenUsage(), UsageSource.NONE, 0)
_STREAM_HELD_BACK = (
    "The charge could not be recorded in time, so the answer's end is held back. You are charged for what was "
    "delivered; the usage page will show it. Ask again if the answer does not serve you as it is."
)
_PLAIN_HELD_BACK = (
    "The charge could not be recorded, so the answer is held back. It may still be charged: look at the request's id "
    "on the usage page before you ask again, and tell the operator if it was."
)
_UNKNOWN_CHARGE = "Whether it was charged, the usage page shows under the request's id."


@dataclass(frozen=True, slots=True, repr=False)
class Ending:
    """How forwarding ended. Never printed: it holds content."""

    error: OneTokenError | None = None
    """Unset: the upstream's answer is complete."""
    plain_body: bytes = b""
    last_events: bytes = b""
    """What a stream says when its close is durable."""


async def hold(call: OpenCall, *, ledger: LedgerClient, is_sqlite: bool) -> None:
    """Set aside the most that the call can cost, before anything is sent on.

    Raises:
        InsufficientFunds: The balance does not cover it.
        DuplicateRequest: It was made before.
        IdempotencyKeyReused: Its name stands for another one.
        OrganizationFrozen: Nothing was held.
        BudgetReached: Nothing was held.
        LedgerUnavailable: Nothing stays held.
        InternalError: A mistake; what may have been held is given back.
    """
    try:
        await ledger.place_hold(_hold_for(call))
    except (InsufficientFunds, LedgerUnavailable):
        raise
    except AlreadyClaimed as error:
        raise refusal_of(error.repeated) from error
    except BudgetExhausted as error:
        raise budget_reached(call, error) from error
    except OwnerIsFrozen as error:
        raise OrganizationFrozen(
            "The organization is frozen, so no new call is made; nothing was sent or charged. Ask the operator."
        ) from error
    except Exception as error:
        get_logger().error("hold_failed", request_id=call.request_id, exc_info=True)
        await give_back(call, ledger=ledger, is_sqlite=is_sqlite)
        raise internal_error() from error


def _hold_for(call: OpenCall) -> PlaceHold:
    """Ask for the most that the call can cost."""
    admission = call.admission
    return PlaceHold(
        request_id=call.request_id,
        owner_id=admission.caller.organization_id,
        currency=admission.sheet.currency,
        amount_nanos=admission.upper_charge_nanos,
        context=encode_draft(_draft_of(call)),
        claim=call.claim.digest if call.claim else "",
        fingerprints=call.claim.fingerprints if call.claim else (),
        scope=admission.offer.model.id,
        budgets=periods_of(call),
        token_count=admission.input_tokens_max + admission.output_tokens_max,
        units_nanos=admission.sheet.upper_charge_of_units,
    )


def progress_of(call: OpenCall) -> RecordProgress:
    """Say what was delivered so far, for the case that this process dies now."""
    metered = replace(estimate(call), source=UsageSource.CHECKPOINT)
    draft = _draft_of(call, metered, status=200)
    return RecordProgress(
        request_id=call.request_id, amount_nanos=metered.charge_nanos, context=encode_draft(draft)
    )  # fmt: skip


async def cover(call: OpenCall, *, ledger: LedgerClient) -> None:
    """Extend the hold when more output came than it covers, before that output is sent.

    Raises:
        InsufficientBalance: The balance does not cover it.
        BudgetReached: A budget does not.
        LedgerUnavailable: It is not known to be covered.
    """
    least = least_output(call.counts)
    if least <= call.held_output_tokens or call.has_caller_left:
        return
    try:
        await _extend(call, EXTENSION_FACTOR * LEAST_OUTPUT_DIVISOR * least, ledger=ledger)
    except (InsufficientFunds, BudgetExhausted):
        try:
            await _extend(call, LEAST_OUTPUT_DIVISOR * least, ledger=ledger)
        except (InsufficientFunds, BudgetExhausted) as error:
            raise _cannot_go_on(call, error) from error


def _cannot_go_on(call: OpenCall, error: OneTokenError) -> OneTokenError:
    """Say why no more of an answer is delivered."""
    if isinstance(error, BudgetExhausted):
        return budget_reached_midway(call, error)
    return InsufficientBalance(
        f"The provider answers at greater length than was asked for, and the balance does not cover more of it. "
        f"{call.charge_words} Top up, and try again."
    )


async def _extend(call: OpenCall, output_tokens: int, *, ledger: LedgerClient) -> None:
    """Raise the hold to what this much output can cost."""
    admission = call.admission
    extension = ExtendHold(
        request_id=call.request_id,
        amount_nanos=admission.upper_charge_with(output_tokens),
        scope=admission.offer.model.id,
        token_count=admission.input_tokens_max + output_tokens,
        units_nanos=admission.sheet.upper_charge_of_units,
    )
    try:
        await ledger.extend_hold(extension)
    except LedgerUnavailable as error:
        raise LedgerUnavailable(
            f"What follows of the answer cannot be paid for safely right now. {call.charge_words} Try again in a few "
            f"seconds."
        ) from error
    call.extended_output_tokens = output_tokens


async def settle(call: OpenCall, ending: Ending, *, ledger: LedgerClient, is_sqlite: bool) -> Nanos:
    """Close the hold; return what the organization was charged.

    Raises:
        LedgerUnavailable: The close is not durable yet, so the end of the answer must not be sent; it will be durable
            later, or the next start recovers the hold.
        InternalError: A mistake, or the database did not take the close. The hold was given back if that was possible.
    """
    try:
        metered = _metered(call, ending)
        call.usage_source = metered.source
        close = _close_of(call, ending, metered, is_sqlite=is_sqlite)
        async with asyncio.timeout(CLOSE_SECONDS_MAX if call.request.is_streaming else None):
            closed = await ledger.close_hold(close)
    except (TimeoutError, LedgerUnavailable) as error:
        raise LedgerUnavailable(_STREAM_HELD_BACK if call.request.is_streaming else _PLAIN_HELD_BACK) from error
    except Exception as error:
        get_logger().error("close_failed", request_id=call.request_id, exc_info=True)
        given_back = await give_back(call, ledger=ledger, is_sqlite=is_sqlite)
        if given_back is None or given_back.is_first:
            raise internal_error(_UNKNOWN_CHARGE if given_back is None else "Nothing was charged.") from error
        closed = given_back  # only its answer had been lost
    return closed.amount_nanos


async def give_back(call: OpenCall, *, ledger: LedgerClient, is_sqlite: bool) -> HoldClosed | None:
    """Void a hold that nothing else closes: money comes before records. One that is closed stays as it is.

    Returns:
        The close, its first one if it had been closed; ``None`` when there is no hold, or nothing could be done.
    """
    for has_record in (True, False):
        try:
            draft = _draft_of(call, status=InternalError.http_status, error_code=InternalError.code)
            record = [insert_statement(draft, is_sqlite=is_sqlite)] if has_record else []
            record += rows_of_attempts(call, draft, error=internal_error(), is_sqlite=is_sqlite) if has_record else []
            record += _release(call, is_sqlite=is_sqlite)
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                return await ledger.close_hold(CloseHold(call.request_id, Outcome.VOIDED, 0, UsageSource.NONE, record))
        except LedgerConflict:
            return None
        except Exception:  # noqa: BLE001 # the edge: what is left is found by the next start
            get_logger().error("hold_not_given_back", request_id=call.request_id, exc_info=True)
    return None


def _metered(call: OpenCall, ending: Ending) -> Metered:
    """Meter a call, or charge nothing for one that cannot be metered: its hold has to be closed in any case."""
    try:
        metered = meter(call, is_complete=ending.error is None)
    except Exception:  # noqa: BLE001 # the edge: an open hold would keep a customer's money
        get_logger().error("metering_failed", request_id=call.request_id, exc_info=True)
        return _UNMETERED
    if call.counts.has_absurd_usage:
        get_logger().warning("upstream_usage_not_believed", request_id=call.request_id, channel_id=_channel_id(call))
    return metered


def _close_of(call: OpenCall, ending: Ending, metered: Metered, *, is_sqlite: bool) -> CloseHold:
    """Ask for the close, with the call's record."""
    error = caller_left() if call.has_caller_left else ending.error
    draft = _final_draft(call, error, metered)
    attempts = rows_of_attempts(call, draft, error=ending.error, is_sqlite=is_sqlite)
    outcome = Outcome.VOIDED if metered.source is UsageSource.NONE else Outcome.SETTLED
    released = _release(call, is_sqlite=is_sqlite) if outcome is Outcome.VOIDED else []
    return CloseHold(
        request_id=call.request_id,
        outcome=outcome,
        amount_nanos=metered.charge_nanos,
        usage_source=metered.source,
        extra=[insert_statement(draft, is_sqlite=is_sqlite), *attempts, *released],
        scope=draft.model_id,
        token_count=metered.usage.token_total,
        units_nanos=metered.units_nanos,
    )


def _release(call: OpenCall, *, is_sqlite: bool) -> list[Statement]:
    """Let a call that came to nothing be made anew under the same name."""
    return [release_statement(call.claim.digest, call.request_id, is_sqlite=is_sqlite)] if call.claim else []


def _draft_of(call: OpenCall, metered: Metered = _UNMETERED, *, status: int = 0, error_code: str = "") -> UsageDraft:
    """Write down what is known of a call. Made in one go: copies of it would cost more than the rest of the close."""
    admission, target, usage = call.admission, call.target, metered.usage
    first_byte_seconds, now = call.first_byte_at_seconds, monotonic_seconds()
    cost = cost_of(call, metered)
    has_answered = target is not None and first_byte_seconds is not None
    return UsageDraft(
        request_id=call.request_id,
        requested_at=call.requested_at,
        organization_id=admission.caller.organization_id,
        api_key_id=admission.caller.api_key_id,
        interface_path=call.interface_path,
        is_streaming=call.request.is_streaming,
        model_id=admission.offer.model.id,
        model_name=admission.offer.model.name,
        price_version_id=admission.sheet.price_version_id,
        currency=admission.sheet.currency,
        channel_id=target.channel_id if target is not None and has_answered else "",
        region=target.region if target is not None and has_answered else "",
        input_tokens=usage.input,
        cache_read_tokens=usage.cache_read,
        cache_write_5m_tokens=usage.cache_write_5m,
        cache_write_1h_tokens=usage.cache_write_1h,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
        usage_source=metered.source,
        charge_nanos=metered.charge_nanos,
        response_status=status,
        error_code=error_code,
        attempt_count=call.attempt_count,
        latency_ms=int((now - call.arrived_at_seconds) * _MS),
        first_byte_ms=None if first_byte_seconds is None else int((first_byte_seconds - call.arrived_at_seconds) * _MS),
        caller_ip=call.caller_ip,
        user_agent=call.user_agent,
        upstream_request_id=call.upstream_request_id,
        project_id=admission.caller.project_id,
        audio_in_tokens=usage.audio_in,
        image_in_tokens=usage.image_in,
        audio_out_tokens=usage.audio_out,
        image_out_tokens=usage.image_out,
        request_count=usage.requests,
        image_count=usage.images,
        audio_ms=usage.audio_ms,
        web_search_count=usage.web_searches,
        file_search_count=usage.file_searches,
        tool_call_count=usage.tool_calls,
        plan_ratio_ppm=admission.sheet.ratio_ppm,
        exchange_rate_version=admission.sheet.exchange_version,
        cost_nanos=cost[0] if cost else None,
        cost_currency=cost[1] if cost else None,
    )


def _final_draft(call: OpenCall, error: OneTokenError | None, metered: Metered) -> UsageDraft:
    """Write down how it ended. The status is what the caller got, or would have got."""
    if error is None:
        return _draft_of(call, metered, status=200)
    status = 200 if call.reply.has_started else error.http_status
    return _draft_of(call, metered, status=status, error_code=error.code)


def _channel_id(call: OpenCall) -> str:
    """Name the channel for a log line."""
    return call.target.channel_id if call.target is not None else ""
