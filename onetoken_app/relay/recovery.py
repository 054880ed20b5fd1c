"""Closes holds that no walk closes: those of processes that died, charged for their last durable progress or nothing,
and those whose answer was lost on the way, voided. Each close has its usage record, like any other.
"""

import asyncio
from dataclasses import replace

from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.errors import LedgerUnavailable
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, DeadHold, PlaceHold, Statement
from onetoken_app.telemetry import get_logger
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.recording import decode_draft, insert_statement

PROCESS_DIED = "process_died"
"""The error code of a recovered call's record."""


async def recover_dead_holds(ledger: LedgerClient, *, is_sqlite: bool) -> int:
    """Close every open hold whose process no longer lives; return how many that were.

    Run before the listener opens, and on PostgreSQL from time to time. Two processes that recover at once do no harm:
    a hold is closed once. What could not be closed is logged and found again the next time.

    Raises:
        LedgerUnavailable: The writer went away.
    """
    recovered_count = 0
    while holds := await ledger.find_dead_holds():
        closes = [ledger.close_hold(_close_of(hold, is_sqlite=is_sqlite)) for hold in holds]
        ends = await asyncio.gather(*closes, return_exceptions=True)
        failures = [end for end in ends if isinstance(end, BaseException)]
        recovered_count += len(holds) - len(failures)
        if failures:
            get_logger().error("holds_not_recovered", count=len(failures), error_class=type(failures[0]).__name__)
            break
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
    return [insert_statement(draft, is_sqlite=is_sqlite)]


def _close_of(hold: DeadHold, *, is_sqlite: bool) -> CloseHold:
    """Charge what was proved to be delivered, and keep the record that was drafted then.

    A draft that this version cannot read is not charged, because no record could say what for; its hold is given back
    all the same, and the books that are verified name it.
    """
    try:
        return _close_with_record(hold, is_sqlite=is_sqlite)
    except Exception:  # noqa: BLE001 # the edge: one hold must not keep a process from starting
        get_logger().error("hold_context_unreadable", request_id=hold.request_id, exc_info=True)
        return CloseHold(hold.request_id, Outcome.RECOVERED, 0, UsageSource.NONE, [])


def _close_with_record(hold: DeadHold, *, is_sqlite: bool) -> CloseHold:
    """Make the close of a hold whose draft can be read.

    Raises:
        ValueError: It cannot.
    """
    source = UsageSource.CHECKPOINT if hold.progress_nanos else UsageSource.NONE
    draft = replace(
        decode_draft(hold.context),
        usage_source=source,
        charge_nanos=hold.progress_nanos,
        error_code=PROCESS_DIED,
    )
    return CloseHold(
        request_id=hold.request_id,
        outcome=Outcome.RECOVERED,
        amount_nanos=hold.progress_nanos,
        usage_source=source,
        extra=[insert_statement(draft, is_sqlite=is_sqlite)],
    )
