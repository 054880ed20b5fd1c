"""Operations that were asked for and have no answer yet, and what may be made of a close."""

import asyncio
from dataclasses import dataclass

import msgspec

from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import Answer, CloseHold, Operation, Statement
from onetoken_app.token_usage import UsageSource


@dataclass(slots=True, eq=False)
class Pending:
    """An operation that has no answer yet."""

    operation: Operation
    encoded: bytes
    waiter: "asyncio.Future[Answer] | None"
    """Unset when nobody waits: the client's own voids."""
    asked_at_seconds: float
    is_spooled: bool = False
    """It is on disk, and whoever asked for it was told that it is done."""


def void_of(request_id: str, record: list[Statement]) -> CloseHold:
    """Make the void of a hold."""
    return CloseHold(request_id, Outcome.VOIDED, 0, UsageSource.NONE, record)


def without_record(close: CloseHold) -> CloseHold:
    """Return the same close without its statements."""
    return msgspec.structs.replace(close, extra=[])
