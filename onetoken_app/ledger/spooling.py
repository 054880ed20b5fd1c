"""Decides when a close goes to the spool, and when the spool is done. One per client, on the client's loop."""

import asyncio
import math
from collections.abc import Mapping

from onetoken_app.clock import monotonic_seconds
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, HoldClosed
from onetoken_app.ledger.pending import Pending
from onetoken_app.ledger.spool import Spool, SpoolFull
from onetoken_app.telemetry import get_logger

SPOOL_AFTER_SECONDS = 2.0
"""How long a close waits for the database before it goes to the spool."""


class Spooling:
    """What one client has on disk while its database is away."""

    def __init__(self, spool: Spool, pending: Mapping[int, Pending]) -> None:
        """Watch over a client's operations that have no answer yet."""
        self._spool = spool
        self._pending = pending
        self._keeping: asyncio.Task[None] | None = None
        self._waiting_count = 0
        self._has_leftover = False

    @property
    def is_behind(self) -> bool:
        """Whether the database has not taken yet what was answered from the spool; no hold is placed meanwhile."""
        return self._waiting_count > 0

    def note_answered(self, *, is_done: bool) -> None:
        """Count one close that the database has answered after all.

        Args:
            is_done: False: it refuses the close, with and without its record. Then the file stays as it is for
                whoever starts next, who tries again: its caller was told that it is done.
        """
        self._waiting_count -= 1
        self._has_leftover |= not is_done

    def look_after(self) -> None:
        """Put closes that wait for too long into the spool, beside the loop, or empty it once all of it is done."""
        if self._keeping is not None and not self._keeping.done():
            return
        late = self._late(asked_before_seconds=monotonic_seconds() - SPOOL_AFTER_SECONDS)
        if late:
            self._keeping = asyncio.create_task(self._keep(late))
        elif self._may_be_cleared and not self._spool.is_empty:
            self._spool.clear()
            get_logger().warning("ledger_spool_done")

    async def leave(self) -> None:
        """Leave what the database has not taken to whoever starts next; nothing is asked of the client any more."""
        if self._keeping is not None:
            await self._keeping
        late = self._late(asked_before_seconds=math.inf)
        if late:
            await self._keep(late)
        if self._may_be_cleared:
            self._spool.clear()
        self._spool.close()

    @property
    def _may_be_cleared(self) -> bool:
        """Whether the database has taken everything that is in the spool."""
        return not self._waiting_count and not self._has_leftover

    def _late(self, *, asked_before_seconds: float) -> list[Pending]:
        """Return the closes that wait; a recovery is none of them, because the next start finds it by itself."""
        return [
            pending
            for pending in self._pending.values()
            if isinstance(pending.operation, CloseHold)
            and pending.operation.outcome is not Outcome.RECOVERED
            and not pending.is_spooled
            and pending.asked_at_seconds < asked_before_seconds
        ]

    async def _keep(self, late: list[Pending]) -> None:
        """Make closes durable without the database, and tell those who wait for them; a failure leaves them waiting."""
        closes = [pending.operation for pending in late if isinstance(pending.operation, CloseHold)]
        try:
            await asyncio.to_thread(self._spool.keep, closes)
        except (OSError, RuntimeError, SpoolFull) as error:
            get_logger().error("ledger_spool_failed", error_class=type(error).__name__, count=len(late))
            return
        get_logger().warning("ledger_closes_spooled", count=len(late))
        still_waiting = set(self._pending.values())
        for pending, close in zip(late, closes, strict=True):
            if pending in still_waiting:
                pending.is_spooled = True
                self._waiting_count += 1
            if pending.waiter is not None and not pending.waiter.done():
                # What the balance does not cover turns out when the database takes it.
                pending.waiter.set_result(HoldClosed(close.outcome, close.amount_nanos, 0, is_first=True))
