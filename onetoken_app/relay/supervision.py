"""Owns every open call to its end. The server may cancel a request's coroutine; the task that owes the close lives on.

Callers who leave are noticed while the upstream is silent too: whoever is still open after a blink gets one watcher on
its connection. Deadlines, signs of life and progress are looked after by one timer for all calls, because a timer per
call costs more than the calls' own work.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator

from onetoken_app.clock import monotonic_seconds
from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.money import Nanos
from onetoken_app.relay.errors import CallerStalled, Overloaded, ShuttingDown, UpstreamTooSlow, internal_error
from onetoken_app.relay.metering import estimate
from onetoken_app.relay.open_call import OpenCall, Phase, caller_left
from onetoken_app.relay.settlement import progress_of
from onetoken_app.settings import Settings
from onetoken_app.telemetry import get_logger

WATCH_AFTER_SECONDS = 0.02
SWEEP_SECONDS = 0.25
KEEP_ALIVE_AFTER_SECONDS = 15.0
PROGRESS_SECONDS = 1.0
PROGRESS_NANOS: Nanos = 10_000_000
"""Progress is recorded before its second is over when this much more was delivered: a hundredth of the currency."""
CLOSE_AFTER_STOP_SECONDS = 10.0

Walk = Callable[[OpenCall], Awaitable[None]]


class Supervisor:
    """The open calls of one process."""

    def __init__(self, settings: Settings, ledger: LedgerClient) -> None:
        """Have nothing open."""
        self._settings = settings
        self._ledger = ledger
        self.calls: set[OpenCall] = set()
        """Those that are not closed yet."""
        self._unwatched: deque[OpenCall] = deque()
        self._timers: list[asyncio.Task[None]] = []
        self._recordings: set[asyncio.Task[None]] = set()
        self.arrived_count = 0
        """Requests of callers being read or carried now."""
        self.is_draining = False

    @property
    def open_count(self) -> int:
        """Calls that are not closed yet."""
        return len(self.calls)

    def start(self) -> None:
        """Start the timers; needs a running event loop."""
        self._timers = [asyncio.create_task(self._watch_timer()), asyncio.create_task(self._sweep_timer())]

    async def drain(self, seconds: float) -> None:
        """Admit nothing more, let open calls end, end the rest in-band, and wait until all are closed."""
        self.is_draining = True
        await self._wait_for_calls(seconds)
        for call in list(self.calls):
            call.interrupt(
                ShuttingDown(f"This server is stopping; the answer is incomplete. {call.charge_words} Try again.")
            )
        await self._wait_for_calls(CLOSE_AFTER_STOP_SECONDS)

    async def stop(self) -> None:
        """Stop the timers."""
        for task in (*self._timers, *self._recordings):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Give a request a place while the block runs.

        A call whose caller was given up by the server still takes a place until it is closed.

        Raises:
            ShuttingDown: The process is being stopped.
            Overloaded: As many as may be are open.
        """
        if self.is_draining:
            raise ShuttingDown("This server is stopping; nothing was sent on or charged. Try again.")
        if max(self.arrived_count, self.open_count) >= self._settings.in_flight_requests_max:
            raise Overloaded(
                "Too many calls are open at the moment; nothing was sent on or charged. Try again shortly."
            )
        self.arrived_count += 1
        try:
            yield
        finally:
            self.arrived_count -= 1

    async def carry(self, call: OpenCall, walk: Walk) -> None:
        """Run one call's walk in a task of its own; return when it ended, or at once when the server gives up on it."""
        call.task = asyncio.create_task(self._carry_to_end(call, walk))
        self.calls.add(call)
        self._unwatched.append(call)
        try:
            await asyncio.shield(call.task)
        except asyncio.CancelledError:
            call.note_caller_left()
            raise

    async def _carry_to_end(self, call: OpenCall, walk: Walk) -> None:
        """Run the walk; whatever it raises is a mistake of ours, and is logged without content."""
        try:
            await walk(call)
        except Exception:  # noqa: BLE001 # the edge: nobody above this task could tell anybody
            get_logger().error("call_failed", request_id=call.request_id, exc_info=True)
            await call.reply.fail(internal_error())
        finally:
            call.phase = Phase.CLOSING
            self.calls.discard(call)
            if call.watcher is not None:
                call.watcher.cancel()
                # A cancelled task keeps where it was cancelled, and with it the call: in a circle, each call would
                # wait for the collector, which would stop all others for longer than most of them take.
                call.watcher = None

    async def _wait_for_calls(self, seconds: float) -> None:
        """Wait until nothing is open, for a bounded time."""
        tasks = [call.task for call in self.calls if call.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def _watch_timer(self) -> None:
        """Give each call that is open for longer than a blink a watcher on its connection."""
        while True:
            await asyncio.sleep(WATCH_AFTER_SECONDS)
            self._watch_since(monotonic_seconds() - WATCH_AFTER_SECONDS)

    def _watch_since(self, latest: float) -> None:
        """Watch those that arrived by then. No timer itself names a call: it would keep the last one's content."""
        while self._unwatched and self._unwatched[0].arrived_at_seconds <= latest:
            call = self._unwatched.popleft()
            if call in self.calls:
                call.watcher = asyncio.create_task(_watch(call))

    async def _sweep_timer(self) -> None:
        """Look after all open calls, a few times a second."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._look_after_all(monotonic_seconds())

    def _look_after_all(self, now: float) -> None:
        """Look after those that are under way."""
        for call in list(self.calls):
            if call.phase is Phase.FORWARDING:
                self._look_after_safely(call, now)

    def _look_after_safely(self, call: OpenCall, now: float) -> None:
        """Look after one call so that whatever is wrong with it, the others keep their deadlines."""
        try:
            self._look_after(call, now)
        except Exception:  # noqa: BLE001 # the edge: one call must not end the timer of all
            get_logger().error("call_not_looked_after", request_id=call.request_id, exc_info=True)

    def _look_after(self, call: OpenCall, now: float) -> None:
        """Apply the deadlines of one call, keep its caller's connection alive, and record its progress."""
        if call.sign_count != call.seen_sign_count:
            call.seen_sign_count = call.sign_count
            call.quiet_since_seconds = now
        reason = self._overdue(call, now)
        if reason is not None:
            get_logger().warning("call_interrupted", request_id=call.request_id, error_code=reason.code)
            call.interrupt(reason)
            return
        if call.request.is_streaming and call.first_byte_at_seconds is not None:
            if now - max(call.quiet_since_seconds, call.kept_alive_at_seconds) >= KEEP_ALIVE_AFTER_SECONDS:
                call.kept_alive_at_seconds = now
                call.reply.keep_alive()
            self._record_progress(call, now)

    def _overdue(self, call: OpenCall, now: float) -> OneTokenError | None:
        """Say which deadline has passed, if one has; that of a first byte belongs to its attempt."""
        settings, quiet_seconds = self._settings, now - call.quiet_since_seconds
        if call.drain_until_seconds is not None and now > call.drain_until_seconds:
            return caller_left()
        if call.reply.is_writing:
            is_stalled = quiet_seconds > settings.upstream_idle_seconds
            return CallerStalled("The caller stopped reading.") if is_stalled else None
        if now - call.arrived_at_seconds > settings.upstream_total_seconds:
            return _too_slow(call, "The provider's answer was not complete in the time that a call may take.")
        if call.first_byte_at_seconds is not None and quiet_seconds > settings.upstream_idle_seconds:
            return _too_slow(call, "The provider stopped in the middle of its answer.")
        return None

    def _record_progress(self, call: OpenCall, now: float) -> None:
        """Record what was delivered when it is time to, or when it is worth it; one recording at a time a call."""
        if call.is_recording or not call.delivered.event_count or call.has_caller_left:
            return
        charge_nanos = estimate(call).charge_nanos
        unrecorded_nanos = charge_nanos - call.recorded_nanos
        if unrecorded_nanos <= 0 or (
            now - call.recorded_at_seconds < PROGRESS_SECONDS and unrecorded_nanos < PROGRESS_NANOS
        ):
            return
        call.is_recording = True
        call.recorded_at_seconds = now
        call.recorded_nanos = charge_nanos
        recording = asyncio.create_task(self._record(call))
        self._recordings.add(recording)
        recording.add_done_callback(self._recordings.discard)

    async def _record(self, call: OpenCall) -> None:
        """Make one call's progress durable; when that fails the call goes on and only its last progress is older."""
        try:
            await self._ledger.record_progress(progress_of(call))
        except Exception as error:  # noqa: BLE001 # the edge: nobody waits for this task
            get_logger().warning("progress_not_recorded", request_id=call.request_id, error_class=type(error).__name__)
        finally:
            call.is_recording = False


def _too_slow(call: OpenCall, what: str) -> UpstreamTooSlow:
    """Say which time is over, what the call costs, and what to do."""
    return UpstreamTooSlow(f"{what} {call.charge_words} Try again.")


async def _watch(call: OpenCall) -> None:
    """Wait for the caller to leave; a connection that cannot be watched is as good as closed."""
    try:
        while (await call.receive())["type"] != "http.disconnect":
            continue
    except Exception:  # noqa: BLE001 # the edge: a server's mistake must not keep an upstream at work for nobody
        get_logger().error("caller_not_watched", request_id=call.request_id, exc_info=True)
    call.note_caller_left()
