"""Closes holds that no walk closes: those of processes that died, charged for their last durable progress or nothing,
and those whose answer was lost on the way, voided. Each close has its usage record, like any other.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

from onetoken_app.clock import parse_instant
from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.claims import release_statement
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import LedgerConflict, LedgerUnavailable
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, DeadHold, PlaceHold, Statement
from onetoken_app.ledger.pending import without_record
from onetoken_app.ledger.spool import left_spool, left_spools
from onetoken_app.relay.attempt_rows import row_of_recovered
from onetoken_app.telemetry import get_logger
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.recording import UsageDraft, decode_draft, insert_statement

PROCESS_DIED = "process_died"
"""The error code of a recovered call's record."""
_HOLDS_AT_ONCE = 1_000


async def apply_left_spools(ledger: LedgerClient, folder: Path) -> int:
    """Do the closes that processes which died left in their spools; return how many that were.

    Run before anything is recovered: what stands in a spool is the true end of a call, and its caller may have seen it.
    Where another process was faster, the ledger corrects its recovery. May be repeated at will.

    Raises:
        LedgerUnavailable: The writer went away; what was not done stays where it is.
    """
    applied_count = 0
    for path in left_spools(folder):
        with left_spool(path) as left:
            if left is None:
                continue
            if left.is_torn:
                get_logger().warning("spool_entry_torn", count=len(left.closes))
            are_done = [await _apply(ledger, close) for close in left.closes]
            applied_count += sum(are_done)
            if all(are_done):
                left.remove()
    if applied_count:
        get_logger().warning("spooled_closes_applied", count=applied_count)
    return applied_count


async def _apply(ledger: LedgerClient, close: CloseHold) -> bool:
    """Do one close of a spool; return whether nothing of it is left to do."""
    for attempt in (close, without_record(close)):
        try:
            await ledger.close_hold(attempt)
        except LedgerUnavailable:
            raise
        except LedgerConflict:
            get_logger().error("spooled_close_without_hold", request_id=close.request_id)
            return True
        except OneTokenError as error:
            get_logger().error("spooled_close_refused", request_id=close.request_id, error_code=error.code)
        else:
            return True
    return False


async def recover_dead_holds(ledger: LedgerClient, *, is_sqlite: bool) -> int:
    """Close every open hold whose process no longer lives; return how many that were.

    Run before the listener opens, and on PostgreSQL from time to time. Two processes that recover at once do no harm:
    a hold is closed once. One that cannot be closed keeps no other from its close; it is logged, found again the next
    time, and named by ``onetoken ledger verify``.

    Raises:
        LedgerUnavailable: The writer went away.
    """
    recovered_count, last_id = 0, ""
    while holds := await ledger.find_dead_holds(after_request_id=last_id, holds_max=_HOLDS_AT_ONCE):
        last_id = holds[-1].request_id
        closes = [_recover(ledger, hold, is_sqlite=is_sqlite) for hold in holds]
        recovered_count += sum(await asyncio.gather(*closes))
    if recovered_count:
        get_logger().warning("holds_recovered", count=recovered_count)
    return recovered_count


def record_of_void(hold: PlaceHold, *, is_sqlite: bool) -> list[Statement]:
    """Make the record of a call whose hold the ledger's client voids by itself: nothing was sent on or charged."""
    draft = replace(
        decode_draft(hold.context),
        usage_source=UsageSource.NONE,
        charge_nanos=0,
        response_status=LedgerUnavailable.http_status,
        error_code=LedgerUnavailable.code,
    )
    record = [insert_statement(draft, is_sqlite=is_sqlite)]
    if hold.claim:
        record.append(release_statement(hold.claim, hold.request_id, is_sqlite=is_sqlite))
    return record


async def _recover(ledger: LedgerClient, hold: DeadHold, *, is_sqlite: bool) -> bool:
    """Close one hold; return whether it is closed.

    What was proved to be delivered is charged, with the record that was drafted then. A draft that this release cannot
    read, or a record that the database does not take, is not charged, because nothing could say what for: the hold is
    given back, with a record of what the ledger knows by itself.
    """
    error_code = ""
    for close in (_close_as_drafted(hold, is_sqlite=is_sqlite), _close_at_nothing(hold, is_sqlite=is_sqlite)):
        if close is None:
            continue
        try:
            await ledger.close_hold(close)
        except LedgerUnavailable:
            raise
        except OneTokenError as error:
            error_code = error.code
        else:
            return True
    get_logger().error("hold_not_recovered", request_id=hold.request_id, error_code=error_code)
    return False


def _close_as_drafted(hold: DeadHold, *, is_sqlite: bool) -> CloseHold | None:
    """Make the close at the last durable progress; None when this release cannot read the draft."""
    try:
        draft = replace(
            decode_draft(hold.context),
            request_id=hold.request_id,
            organization_id=hold.owner_id,
            currency=hold.currency,
            usage_source=UsageSource.CHECKPOINT if hold.progress_nanos else UsageSource.NONE,
            charge_nanos=hold.progress_nanos,
            error_code=PROCESS_DIED,
        )
        return _close_with(draft, is_sqlite=is_sqlite)
    except Exception:  # noqa: BLE001 # the edge: one hold must not keep a process from starting
        get_logger().error("hold_context_unreadable", request_id=hold.request_id, exc_info=True)
        return None


def _close_at_nothing(hold: DeadHold, *, is_sqlite: bool) -> CloseHold:
    """Make the close that gives a hold back, with a record that needs no draft."""
    draft = UsageDraft(
        request_id=hold.request_id,
        requested_at=parse_instant(hold.placed_at),
        organization_id=hold.owner_id,
        api_key_id="",
        interface_path="",
        is_streaming=False,
        model_id="",
        model_name="",
        price_version_id=0,
        currency=hold.currency,
        error_code=PROCESS_DIED,
    )
    return _close_with(draft, is_sqlite=is_sqlite)


def _close_with(draft: UsageDraft, *, is_sqlite: bool) -> CloseHold:
    """Make the close that a record tells of."""
    return CloseHold(
        request_id=draft.request_id,
        outcome=Outcome.RECOVERED,
        amount_nanos=draft.charge_nanos,
        usage_source=draft.usage_source,
        extra=[insert_statement(draft, is_sqlite=is_sqlite), *row_of_recovered(draft, is_sqlite=is_sqlite)],
        scope=draft.model_id,
        token_count=draft.token_total,
    )
