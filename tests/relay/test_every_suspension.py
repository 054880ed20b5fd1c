"""A19, by machine: whatever the task that owes a close waits for fails or is cancelled, one wait after the other.

Nobody names the waits. Two hooks count them as they happen, so that a new one is covered without anybody's thought:

- ``Driven`` stands between the event loop and the supervised task. It sees each suspension, down to the innermost
  future of a library, and throws an exception in there, or cancels the task at it.
- ``TracedAwaits`` asks the interpreter for each ``await`` that the relay's own code comes to in that task, whether it
  suspends or not, and raises there. A cancellation has no meaning there: asyncio delivers one at suspensions only.

Both are planted from the task's start, so also before and while the hold is placed, to its end, after the close.
"""

import asyncio
import dis
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

import onetoken_app
from onetoken_app.database import read_session
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.verification import verify
from onetoken_app.relay import attempts, supervision
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.settings import Settings
from tests.relay.conftest import RunningRelay, running_relay, until
from tests.relay.test_every_await import FULL_CHARGE_NANOS, Planted, Seen, answers_at_length, seen_of
from tests.support.scripted_upstream import Exchange

OUR_FOLDER = str(onetoken_app.__path__[0])
SUSPENSIONS_MIN = 5
"""A call that waits less often was not watched: hold, the first head, the pause, the second head, close."""
AWAITS_MIN = 25
WAITS_MAX = 200
Walk = Callable[[OpenCall], Awaitable[None]]


class Plan:
    """Which wait of the next call fails, and how."""

    def __init__(self) -> None:
        self.fails_at = -1
        self.passed_count = 0
        self.refuses_next = False

    @property
    def has_struck(self) -> bool:
        """Whether the call came as far as the wait that was to fail."""
        return self.fails_at < self.passed_count

    def arm(self, fails_at: int) -> None:
        """Let the wait with this number fail, counted from 0."""
        self.fails_at, self.passed_count, self.refuses_next = fails_at, 0, True

    async def behave(self, exchange: Exchange) -> None:
        """Refuse the first attempt of each call, and answer the next at length, so that there is more to wait for."""
        if self.refuses_next:
            self.refuses_next = False
            await exchange.answer(503, {})
        else:
            await answers_at_length(exchange)

    def strikes(self) -> bool:
        """Count a wait; say whether it is the one."""
        self.passed_count += 1
        return self.passed_count - 1 == self.fails_at


@dataclass(slots=True)
class Driven:
    """A coroutine whose suspensions are counted, and one of which fails."""

    inner: Coroutine[Any, Any, None]
    plan: Plan
    is_cancelled: bool

    def __await__(self) -> Generator[Any, Any, None]:
        """Hand everything on between the loop and the coroutine, but for the wait that fails."""
        waited_for = self._step(lambda: self.inner.send(None))
        while waited_for is not self:
            if self.plan.strikes():
                if not self.is_cancelled:
                    waited_for = self._step(lambda: self.inner.throw(Planted()))
                    continue
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001 # a cancellation, of whomever: it is the coroutine's
                thrown = error
                waited_for = self._step(lambda: self.inner.throw(thrown))  # noqa: B023 # called at once
            else:
                waited_for = self._step(lambda: self.inner.send(None))

    def _step(self, step: Callable[[], Any]) -> Any:
        """Go on to the next suspension; return what is waited for, or the object itself at the end."""
        try:
            return step()
        except StopIteration:
            return self


class TracedAwaits:
    """Awaits of our own code in one task, one of which raises instead of beginning."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._task: asyncio.Task[Any] | None = None

    def watch_this_task(self) -> None:
        """Begin with the frames that are called from here on."""
        self._task = asyncio.current_task()
        sys.settrace(self._trace)

    def _trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        """Be told of a frame, and of each instruction of one that is ours."""
        if event == "call":
            if not frame.f_code.co_filename.startswith(OUR_FOLDER):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode" and frame.f_lasti in _awaits_of(frame) and self._is_ours() and self._plan.strikes():
            raise Planted
        return self._trace

    def _is_ours(self) -> bool:
        """Whether the watched task runs, and not another one on the same thread."""
        return asyncio.current_task() is self._task


_PLACES: dict[Any, frozenset[int]] = {}


def _awaits_of(frame: FrameType) -> frozenset[int]:
    """Return where a frame's code begins to wait."""
    if frame.f_code not in _PLACES:
        _PLACES[frame.f_code] = frozenset(
            instruction.offset
            for instruction in dis.get_instructions(frame.f_code)
            if instruction.opname in {"GET_AWAITABLE", "GET_ANEXT"}
        )
    return _PLACES[frame.f_code]


@dataclass(slots=True)
class Tried:
    """A relay whose supervised tasks are sabotaged."""

    relay: RunningRelay
    plan: Plan
    ledger: LedgerClient
    is_streaming: bool

    async def call(self, number: int) -> Seen:
        """Make a call whose wait with this number fails, and check how it stands in the books."""
        before = {record.request_id for record in await self.relay.records()}
        self.plan.arm(number)
        try:
            seen = await seen_of(self.relay, is_streaming=self.is_streaming)
        except httpx.HTTPError:
            seen = Seen()
        await self.relay.until_idle()
        await until(lambda: not self.ledger._pending)  # a hold that nobody owns is voided there, a moment later
        assert (await self.relay.balance()).held_nanos == 0, f"wait {number} left money held"
        closes = [close for close in await self.relay.closes() if close.request_id not in before]
        records = [record for record in await self.relay.records() if record.request_id not in before]
        assert len(closes) == len(records) <= 1, f"wait {number}"
        charged = sum(close.amount_nanos for close in closes)
        assert charged == sum(record.charge_nanos for record in records) <= FULL_CHARGE_NANOS, f"wait {number}"
        if seen.is_complete:
            assert charged == FULL_CHARGE_NANOS, f"wait {number}"
        return seen

    async def call_until_none_is_left(self) -> int:
        """Let one wait after the other fail; return how many there were."""
        for number in range(WAITS_MAX):
            await self.call(number)
            if not self.plan.has_struck:
                return number
        pytest.fail("a call never ends without a failure")


@asynccontextmanager
async def sabotaged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *, is_streaming: bool,
    run: Callable[[Coroutine[Any, Any, None], Plan], Awaitable[None]],
) -> AsyncIterator[Tried]:  # fmt: skip
    """Run a relay whose supervised tasks are run by ``run``."""
    plan, real = Plan(), supervision.Supervisor._carry_to_end
    monkeypatch.setattr(attempts, "SAME_CHANNEL_PAUSE_SECONDS", 0.001)

    async def carry(self: supervision.Supervisor, call: OpenCall, walk: Walk) -> None:
        await run(real(self, call, walk), plan)

    monkeypatch.setattr(supervision.Supervisor, "_carry_to_end", carry)
    async with running_relay(settings) as relay:
        relay.upstream.behave = plan.behave
        tried = Tried(relay, plan, relay.runtime.ledger, is_streaming=is_streaming)
        assert (await tried.call(WAITS_MAX)).is_complete
        yield tried
        async with read_session() as session:
            report = await verify(session)
        assert (report.is_ok, report.open_hold_count) == (True, 0)


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """Without it, each planted mistake is drawn with its frames and locals, which takes longer than the call."""
    with capture_logs():
        yield


@pytest.mark.row("A19")
@pytest.mark.parametrize("is_streaming", [False, True], ids=["plain", "streaming"])
class TestEverySuspension:
    @pytest.mark.parametrize("is_cancelled", [False, True], ids=["a mistake", "a cancellation"])
    async def test_whichever_fails_nothing_stays_held_and_each_hold_is_closed_once(
        self, relay_settings: Settings, monkeypatch: pytest.MonkeyPatch, *, is_streaming: bool, is_cancelled: bool
    ) -> None:
        async def run(carrying: Coroutine[Any, Any, None], plan: Plan) -> None:
            await Driven(carrying, plan, is_cancelled=is_cancelled)

        async with sabotaged(relay_settings, monkeypatch, is_streaming=is_streaming, run=run) as tried:
            assert await tried.call_until_none_is_left() >= SUSPENSIONS_MIN

    @pytest.mark.long
    @pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
    async def test_nor_when_an_await_that_need_not_wait_fails(
        self, relay_settings: Settings, monkeypatch: pytest.MonkeyPatch, *, is_streaming: bool
    ) -> None:
        async def run(carrying: Coroutine[Any, Any, None], plan: Plan) -> None:
            before = sys.gettrace()
            try:
                TracedAwaits(plan).watch_this_task()
                await carrying
            finally:
                sys.settrace(before)

        async with sabotaged(relay_settings, monkeypatch, is_streaming=is_streaming, run=run) as tried:
            assert await tried.call_until_none_is_left() >= AWAITS_MIN
