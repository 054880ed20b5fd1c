"""The relay's side of the ledger writer: starts it, watches it, and keeps every promise across its death.

**Whoever placed a hold owes a close.** The obligation belongs to a supervising task, but money does not depend on its
care: a hold whose answer nobody waits for any more (the caller was cancelled, the writer died, the answer came too
late) is voided here once it turns out to be durable. A close that was asked for happens even when its asker is
cancelled, and is sent again when the writer dies: it is idempotent. One that the database has not taken after
``SPOOL_AFTER_SECONDS`` is written to the spool, and counts as done from there on; no hold is placed meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from onetoken_app.clock import monotonic_seconds
from onetoken_app.database import write_lock_file
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import frames
from onetoken_app.ledger.answers import error_of
from onetoken_app.ledger.errors import LedgerUnavailable
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    Answer,
    CloseHold,
    DeadHold,
    DeadHolds,
    ExtendHold,
    FindDeadHolds,
    HoldClosed,
    HoldPlaced,
    Operation,
    PlaceHold,
    ProgressRecorded,
    RecordProgress,
    Refused,
    Statement,
)
from onetoken_app.ledger.pending import Pending, void_of, without_record
from onetoken_app.ledger.spool import Spool
from onetoken_app.ledger.spooling import Spooling
from onetoken_app.ledger.writer import ExitCode
from onetoken_app.ledger.writer_process import WriterProcess, WriterStartFailed, say_start_failed
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger

ANSWER_SECONDS_MAX = 5.0
"""Longest that a caller waits for a hold; beyond it the ledger counts as unavailable until it answers again."""
STOP_SECONDS_MAX = 10.0
"""Longest that ``stop`` waits for closes; what is left is recovered by the next start."""
_WATCH_SECONDS = 0.25
_RESTART_SECONDS_MIN = 0.05
_RESTART_SECONDS_MAX = 2.0
_UNAVAILABLE = (
    "Charges cannot be recorded safely right now; the call was not made and nothing was charged. "
    "Try again in a few seconds."
)


RecordOfVoid = Callable[[PlaceHold], list[Statement]]


def _no_record(_hold: PlaceHold) -> list[Statement]:
    """Write nothing beside a void."""
    return []


class LedgerClient:
    """The ledger as one relay process sees it. Not for threads: everything happens on the loop that started it."""

    def __init__(self, *, record_of_void: RecordOfVoid = _no_record) -> None:
        """Prepare.

        Args:
            record_of_void: Makes the statements (the record of the call) that commit with a void of the client's own.
                One that raises leaves the hold to recovery.
        """
        self._record_of_void = record_of_void
        self._writer: WriterProcess | None = None
        self._hello: frames.Hello | None = None
        self._pending: dict[int, Pending] = {}
        self._outgoing: list[bytes] = []
        self._last_number = 0
        self.batch_count = self.answer_count = 0
        self._spooling: Spooling | None = None
        self._is_stalled = False
        self._is_stopping = False
        self._has_stopped = False
        self._drained = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._revival: asyncio.Task[None] | None = None

    @property
    def is_available(self) -> bool:
        """Whether a hold would be asked for now; False: it would be refused at once."""
        is_behind = self._is_stalled or (self._spooling is not None and self._spooling.is_behind)
        return self._writer is not None and not is_behind and not self._is_stopping

    @property
    def unanswered_count(self) -> int:
        """How many operations have no answer yet."""
        return len(self._pending)

    @property
    def epoch_id(self) -> str:
        """The epoch that owns new holds; another one than at the start if that was ended by somebody else."""
        return self._hello.epoch_id if self._hello else ""

    async def start(self, settings: Settings, epoch_id: str) -> None:
        """Start the writer and wait until its epoch is registered. On SQLite the caller owns the data folder.

        Raises:
            LedgerUnavailable: The writer cannot reach or use the database.
        """
        self._hello = hello(settings, epoch_id)
        try:
            self._connected(await WriterProcess.start(self._hello, self))
        except WriterStartFailed as error:
            say_start_failed(error)
            raise LedgerUnavailable(_UNAVAILABLE) from error
        self._spooling = Spooling(Spool(spool_folder(settings), epoch_id), self._pending)
        self._watch = asyncio.create_task(self._watch_answers())

    async def stop(self) -> None:
        """Refuse new holds, wait for the closes that were asked for, and let the writer end."""
        self._is_stopping = True
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                while self._pending:
                    self._drained.clear()
                    await self._drained.wait()
        except TimeoutError:
            get_logger().error("ledger_closes_left_behind", count=len(self._pending))
        for task in (self._watch, self._revival):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._spooling is not None:
            await self._spooling.leave()
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        self._has_stopped = True
        self._fail(list(self._pending))

    async def place_hold(self, operation: PlaceHold) -> HoldPlaced:
        """Set money aside, durably. A request asks for its hold once.

        When the caller is cancelled while it waits, the hold is voided here; nothing is left to close.

        Raises:
            InsufficientFunds: Nothing was held; the metadata says what is available.
            BudgetExhausted: Nothing was held; the metadata says which budget and what it has left.
            OwnerIsFrozen: Nothing was held.
            LedgerUnavailable: Nothing will stay held; the request must not go upstream.
            LedgerConflict: The request has another hold, or is closed.
            AlreadyClaimed: Another request has its claim.
            LedgerRefused: The database does not take it.
        """
        self._refuse_when_unavailable()
        waiter = self._submit(operation)
        try:
            answer = await waiter
        except asyncio.CancelledError:
            # The answer may have come in the same turn of the loop as the cancellation.
            if not waiter.cancelled() and waiter.exception() is None and isinstance(waiter.result(), HoldPlaced):
                self._void(operation)
            raise
        if isinstance(answer, HoldPlaced):
            return answer
        raise error_of(answer)

    async def extend_hold(self, operation: ExtendHold) -> HoldPlaced:
        """Raise a hold's total; when that fails the hold is at least what it was.

        Raises:
            InsufficientFunds: The balance does not cover the difference.
            BudgetExhausted: A budget does not.
            LedgerUnavailable: It is not known to be extended.
            LedgerConflict: There is no open hold.
            LedgerRefused: The database does not take it.
        """
        self._refuse_when_unavailable()
        answer = await self._submit(operation)
        if isinstance(answer, HoldPlaced):
            return answer
        raise error_of(answer)

    async def record_progress(self, operation: RecordProgress) -> None:
        """Say durably what an open request has cost so far; waits for as long as the writer is away.

        Raises:
            LedgerConflict: There is no such hold.
            LedgerRefused: The database does not take it.
        """
        answer = await self._submit(operation)
        if not isinstance(answer, ProgressRecorded):
            raise error_of(answer)

    async def close_hold(self, operation: CloseHold) -> HoldClosed:
        """End a hold, durably, and even if the caller is cancelled.

        A close that stands in the spool is answered with what was asked for. Where the spool takes none (a recovery, a
        full disk), it waits for as long as the writer is away.

        Raises:
            LedgerConflict: There is no such hold.
            LedgerRefused: The database does not take it; the hold stays open.
            LedgerUnavailable: The client was stopped first; the next start recovers the hold.
        """
        answer = await self._submit(operation)
        if isinstance(answer, HoldClosed):
            return answer
        raise error_of(answer)

    async def find_dead_holds(self, *, after_request_id: str = "", holds_max: int = 1000) -> list[DeadHold]:
        """End the epochs of processes that died, and list some of their open holds, by their ids.

        Ask for what follows the last one until the list is empty. On PostgreSQL an epoch is taken for dead only at a
        second look, ``recovery.EPOCH_GRACE_SECONDS`` after the first: ask at the start and every few seconds.
        """
        answer = await self._submit(FindDeadHolds(holds_max, after_request_id))
        if isinstance(answer, DeadHolds):
            return answer.holds
        raise error_of(answer)

    def writer_answered(self, answers: list[tuple[int, Answer]]) -> None:
        """Hand answers to those who wait; called by the writer's connection."""
        unheard = []
        self.batch_count, self.answer_count = self.batch_count + 1, self.answer_count + len(answers)
        for number, answer in answers:
            pending = self._pending.pop(number)
            if pending.waiter is not None and not pending.waiter.done():
                pending.waiter.set_result(answer)
            else:
                unheard.append((pending, answer))
        for pending, answer in unheard:
            self._look_after(pending, answer)
        if not self._pending:
            self._drained.set()

    def writer_died(self, writer: WriterProcess) -> None:
        """Refuse what was not promised yet, keep what was, and start another; called by the writer's connection."""
        self._writer = None
        self._outgoing.clear()
        self._revival = asyncio.create_task(self._revive(writer))
        unpromised = [
            number for number, pending in self._pending.items() if isinstance(pending.operation, PlaceHold | ExtendHold)
        ]
        lost = [self._pending[number].operation for number in unpromised]
        self._fail(unpromised)
        for operation in lost:
            # It may have become durable just before; if it did not, the void finds nothing, which is as well.
            if isinstance(operation, PlaceHold):
                self._void(operation)

    def _submit(self, operation: Operation) -> "asyncio.Future[Answer]":
        """Queue an operation; all that is queued in one turn of the loop leaves in one frame.

        Raises:
            LedgerUnavailable: The client was stopped; nobody would ever answer.
        """
        if self._has_stopped:
            raise LedgerUnavailable(_UNAVAILABLE)
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue(operation, waiter)
        return waiter

    def _queue(
        self, operation: Operation, waiter: "asyncio.Future[Answer] | None", *, is_spooled: bool = False
    ) -> None:
        """Encode here, so that what cannot be encoded fails its own caller."""
        number = self._last_number + 1
        encoded = frames.encode((number, operation))
        self._last_number = number
        self._pending[number] = Pending(operation, encoded, waiter, monotonic_seconds(), is_spooled)
        if self._writer is not None:
            if not self._outgoing:
                asyncio.get_running_loop().call_soon(self._flush)
            self._outgoing.append(encoded)

    def _flush(self) -> None:
        """Send what is queued; what waits for another writer is sent when that one is there."""
        if self._writer is not None and self._outgoing:
            self._writer.send(frames.frame_of_items(self._outgoing))
            self._outgoing.clear()

    def _void(self, hold: PlaceHold) -> None:
        """Give back a hold that nobody owns."""
        try:
            record = self._record_of_void(hold)
        except Exception:  # noqa: BLE001 # the edge: others wait for the rest of what the writer said
            get_logger().error("ledger_void_left_behind", request_id=hold.request_id, exc_info=True)
            return
        self._queue(void_of(hold.request_id, record), None)

    def _look_after(self, pending: Pending, answer: Answer) -> None:
        """Act on an answer that nobody waits for."""
        operation = pending.operation
        if isinstance(operation, PlaceHold) and isinstance(answer, HoldPlaced):
            self._void(operation)
        elif isinstance(operation, CloseHold) and isinstance(answer, Refused):
            get_logger().error("ledger_refused", request_id=operation.request_id, error_class=answer.error_class)
            if operation.extra and (pending.is_spooled or operation.outcome is Outcome.VOIDED):
                # Money before records: a record that the database refuses must not keep a customer's money. Until the
                # close is done without it, the spool keeps it for whoever starts after a kill.
                self._queue(without_record(operation), None, is_spooled=pending.is_spooled)
                return
        if pending.is_spooled and self._spooling is not None:
            self._spooling.note_answered(is_done=not isinstance(answer, Refused))

    def _refuse_when_unavailable(self) -> None:
        """Fail closed, and at once."""
        if not self.is_available:
            raise LedgerUnavailable(_UNAVAILABLE)

    def _fail(self, numbers: Iterable[int]) -> None:
        """Forget operations and tell those who wait for them."""
        for number in numbers:
            waiter = self._pending.pop(number).waiter
            if waiter is not None and not waiter.done():
                waiter.set_exception(LedgerUnavailable(_UNAVAILABLE))

    def _connected(self, writer: WriterProcess) -> None:
        """Use a writer, beginning with what the last one left unanswered."""
        self._writer = writer
        self._outgoing = [pending.encoded for pending in self._pending.values()]
        self._flush()
        get_logger().info("ledger_writer_started", pid=writer.pid, epoch=self.epoch_id)

    async def _revive(self, dead: WriterProcess) -> None:
        """Start writers until one stays, under the same epoch unless somebody ended that.

        Whatever goes wrong on the way is tried again: nothing is admitted and nothing is closed before this succeeds.
        """
        exit_code = await _end_of(dead)
        get_logger().error("ledger_writer_died", pid=dead.pid, exit_code=exit_code)
        delay = _RESTART_SECONDS_MIN
        while True:
            assert self._hello is not None  # noqa: S101 # set by start(), before any writer can die
            if exit_code == ExitCode.EPOCH_ENDED:
                self._hello = self._hello.in_epoch(new_id(Kind.EPOCH))
            await asyncio.sleep(delay)
            try:
                writer = await WriterProcess.start(self._hello, self)
            except WriterStartFailed as error:
                exit_code = error.exit_code
                say_start_failed(error)
            except Exception:  # noqa: BLE001 # the edge of the task: its end would be the end of every call
                exit_code = None
                get_logger().error("ledger_writer_failed", exc_info=True)
            else:
                self._connected(writer)
                return
            delay = min(delay * 2, _RESTART_SECONDS_MAX)

    async def _watch_answers(self) -> None:
        """Notice a writer that lives and does not answer, as when the database is frozen."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            latest = monotonic_seconds() - ANSWER_SECONDS_MAX
            overdue = [pending for pending in self._pending.values() if pending.asked_at_seconds < latest]
            self._is_stalled = bool(overdue)
            if self._spooling is not None:
                self._spooling.look_after()
            for pending in overdue:
                is_hold = isinstance(pending.operation, PlaceHold | ExtendHold)
                if is_hold and pending.waiter is not None and not pending.waiter.done():
                    pending.waiter.set_exception(LedgerUnavailable(_UNAVAILABLE))


async def _end_of(dead: WriterProcess) -> int | None:
    """Ask how a writer ended; a new one is started even when nobody can say."""
    try:
        return await dead.exit_code()
    except Exception:  # noqa: BLE001 # the edge of the task, as in ``_revive``
        get_logger().error("ledger_writer_end_unknown", exc_info=True)
        return None


def spool_folder(settings: Settings) -> Path:
    """Return where the processes of an installation keep their spools."""
    return settings.data_dir.absolute().joinpath("spool")


def hello(settings: Settings, epoch_id: str) -> frames.Hello:
    """Say to a writer where the ledger is."""
    url = settings.database_url
    return frames.Hello(
        epoch_id=epoch_id,
        sqlite_file=str(settings.database_file) if settings.is_sqlite else "",
        write_lock_file=str(write_lock_file(settings)) if settings.is_sqlite else "",
        postgresql_url=url.get_secret_value() if url else "",
        log_level=settings.log_level.value,
    )
