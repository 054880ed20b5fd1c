"""A4: callers who leave at any stage, in any way: closed exactly once, at the policy's amount, upstream cut or drained.

One server serves all cells of the matrix, because starting one takes longer than a cell.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
import pytest_asyncio

from onetoken_app.database import read_session
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, ExtendHold, HoldClosed, HoldPlaced, PlaceHold, RecordProgress
from onetoken_app.ledger.verification import verify
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import RunningRelay, quick, running_relay, until
from tests.relay.test_caller_leaves import CUT_WITHIN_SECONDS, RawCaller, raw_caller
from tests.relay.test_who_pays import ESTIMATED_CHARGE_NANOS, TWO_WORDS
from tests.support.databases import sqlite_settings_in
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    chunk,
    completion,
    usage_chunk,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Stage(StrEnum):
    """When a caller leaves."""

    BEFORE_THE_HEAD = "before the upstream's head"
    BEFORE_THE_FIRST_BYTE = "before the first byte"
    MIDWAY = "midway"
    BEFORE_THE_UPSTREAMS_END = "before the upstream's end"
    """All but the end has come: usage of a stream, all but the last byte of a plain answer."""
    BEFORE_THE_TERMINAL_FRAME = "before the terminal frame"
    """The upstream is done; the end waits for its close."""
    AFTER = "after the end"


WHILE_FORWARDING = (
    Stage.BEFORE_THE_HEAD, Stage.BEFORE_THE_FIRST_BYTE, Stage.MIDWAY, Stage.BEFORE_THE_UPSTREAMS_END,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """How a call stands in the books."""

    outcome: Outcome
    charge_nanos: int
    usage_source: UsageSource
    response_status: int
    error_code: str


COMPLETE = End(Outcome.SETTLED, USUAL_CHARGE_NANOS, UsageSource.UPSTREAM, 200, "")


def policy_of(stage: Stage, *, is_streaming: bool, bills_anyway: bool) -> End:
    """Say what the published table ``who pays`` makes of a cell."""
    if stage not in WHILE_FORWARDING:
        return COMPLETE
    has_delivered = is_streaming and stage in {Stage.MIDWAY, Stage.BEFORE_THE_UPSTREAMS_END}
    status = 200 if has_delivered else 499
    if bills_anyway or (has_delivered and stage is Stage.BEFORE_THE_UPSTREAMS_END):
        return End(Outcome.SETTLED, USUAL_CHARGE_NANOS, UsageSource.UPSTREAM, status, "caller_left")
    if has_delivered:
        return End(Outcome.SETTLED, ESTIMATED_CHARGE_NANOS, UsageSource.ESTIMATED, status, "caller_left")
    return End(Outcome.VOIDED, 0, UsageSource.NONE, status, "caller_left")


class WatchedLedger(LedgerClient):
    """A ledger that notes the closes it is asked for, and holds them back when told to."""

    def __init__(self, real: LedgerClient) -> None:
        super().__init__()
        self._real = real
        self.asked: list[str] = []
        self.lets_close = asyncio.Event()
        self.lets_close.set()

    @property
    def is_available(self) -> bool:
        return self._real.is_available

    async def place_hold(self, operation: PlaceHold) -> HoldPlaced:
        return await self._real.place_hold(operation)

    async def extend_hold(self, operation: ExtendHold) -> HoldPlaced:
        return await self._real.extend_hold(operation)

    async def record_progress(self, operation: RecordProgress) -> None:
        await self._real.record_progress(operation)

    async def close_hold(self, operation: CloseHold) -> HoldClosed:
        self.asked.append(operation.request_id)
        await self.lets_close.wait()
        return await self._real.close_hold(operation)


@dataclass(slots=True)
class PausingUpstream:
    """An upstream that answers up to a stage, and goes on when it is told to, or notes that it was cut."""

    stage: Stage
    is_pausing: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    was_cut: asyncio.Event = field(default_factory=asyncio.Event)
    was_read: asyncio.Event = field(default_factory=asyncio.Event)

    async def behave(self, exchange: Exchange) -> None:
        """Answer with a pause."""
        await (self._stream(exchange) if exchange.body["stream"] else self._plain(exchange))
        if not self.was_cut.is_set():
            self.was_read.set()

    async def _paused(self, exchange: Exchange, stage: Stage) -> bool:
        """Pause at this stage; return whether to go on."""
        if stage is not self.stage:
            return True
        self.is_pausing.set()
        going_on, closing = (
            asyncio.create_task(waits) for waits in (self.goes_on.wait(), exchange.until_peer_closes())
        )
        done, _ = await asyncio.wait({going_on, closing}, return_when=asyncio.FIRST_COMPLETED)
        if closing in done:
            self.was_cut.set()
        for waits in (going_on, closing):
            waits.cancel()
            with suppress(asyncio.CancelledError):
                await waits
        return going_on in done

    async def _stream(self, exchange: Exchange) -> None:
        """Stream two words, an end and usage."""
        steps: tuple[tuple[Stage, tuple[Any, ...]], ...] = (
            (Stage.BEFORE_THE_FIRST_BYTE, tuple(map(chunk, TWO_WORDS))),
            (Stage.MIDWAY, (chunk(finish_reason="stop"), usage_chunk(USUAL_USAGE))),
            (Stage.BEFORE_THE_UPSTREAMS_END, ("[DONE]",)),
        )
        if not await self._paused(exchange, Stage.BEFORE_THE_HEAD):
            return
        await exchange.begin_stream()
        for stage, events in steps:
            if not await self._paused(exchange, stage):
                return
            for event in events:
                await exchange.send_event(event)
        await exchange.end_stream()

    async def _plain(self, exchange: Exchange) -> None:
        """Send a whole answer in pieces."""
        body = json.dumps(completion(usage=USUAL_USAGE)).encode()
        steps = (
            (Stage.BEFORE_THE_FIRST_BYTE, body[: len(body) // 2]),
            (Stage.MIDWAY, body[len(body) // 2 : -1]),
            (Stage.BEFORE_THE_UPSTREAMS_END, body[-1:]),
        )
        if not await self._paused(exchange, Stage.BEFORE_THE_HEAD):
            return
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        await exchange.send(head.encode())
        for stage, piece in steps:
            if not await self._paused(exchange, stage):
                return
            await exchange.send(piece)


@dataclass(slots=True)
class Matrix:
    """The server that all cells share."""

    relay: RunningRelay
    ledger: WatchedLedger
    bills_anyway: bool

    async def come_to(
        self, stage: Stage, caller: RawCaller, upstream: PausingUpstream, *, is_streaming: bool
    ) -> OpenCall:
        """Make a call and wait until it is at a stage; return it."""
        calls = self.relay.runtime.supervisor.calls
        self.relay.upstream.behave = upstream.behave
        if stage not in WHILE_FORWARDING:
            self.ledger.lets_close.clear()
        await caller.ask(self.relay, is_streaming=is_streaming)
        await until(lambda: calls)
        (call,) = calls
        if stage not in WHILE_FORWARDING:
            await until(lambda: call.request_id in self.ledger.asked)
        else:
            await upstream.is_pausing.wait()
        if stage is Stage.AFTER:
            self.ledger.lets_close.set()
            await caller.read_until(b"data: [DONE]\n\n" if is_streaming else b"hello there")
        elif stage is Stage.BEFORE_THE_FIRST_BYTE:
            await until(lambda: call.first_byte_at_seconds is not None)
        elif is_streaming and stage is Stage.MIDWAY:
            await caller.read_until(TWO_WORDS[-1].encode())
        elif is_streaming and stage is Stage.BEFORE_THE_UPSTREAMS_END:
            await until(lambda: call.counts.usage is not None)
        return call

    async def leave(
        self, stage: Stage, caller: RawCaller, upstream: PausingUpstream, call: OpenCall, *, with_reset: bool
    ) -> None:
        """Let the caller leave, and check what becomes of the upstream."""
        caller.leave(with_reset=with_reset)
        if stage in WHILE_FORWARDING and not self.bills_anyway:
            await asyncio.wait_for(upstream.was_cut.wait(), CUT_WITHIN_SECONDS)
            return
        if stage is not Stage.AFTER:
            await until(lambda: call.has_caller_left)
        upstream.goes_on.set()
        self.ledger.lets_close.set()
        await upstream.was_read.wait()
        assert not upstream.was_cut.is_set()

    async def books_of(self, request_id: str) -> End:
        """Return how a call stands in the books, in which it stands once; nothing is held."""
        assert self.ledger.asked.count(request_id) == 1
        (record,) = [record for record in await self.relay.records() if record.request_id == request_id]
        (close,) = [close for close in await self.relay.closes() if close.request_id == request_id]
        assert (close.amount_nanos, close.usage_source) == (record.charge_nanos, record.usage_source)
        assert (await self.relay.balance()).held_nanos == 0
        async with read_session() as session:
            report = await verify(session)
        assert (report.is_ok, report.open_hold_count) == (True, 0)
        return End(close.outcome, close.amount_nanos, close.usage_source, record.response_status, record.error_code)


@pytest_asyncio.fixture(
    loop_scope="module", scope="module", params=[False, True], ids=["upstream stops", "upstream bills on"]
)
async def matrix(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Any
) -> AsyncIterator[Matrix]:
    """A running relay, for all cells with one kind of upstream."""
    settings = quick(sqlite_settings_in(tmp_path_factory.mktemp("matrix")))
    settings.data_dir.mkdir(parents=True)
    settings.database_file.write_bytes(_sqlite_template.read_bytes())
    async with running_relay(settings, bills_after_hang_up=request.param) as relay:
        ledger = WatchedLedger(relay.runtime.ledger)
        relay.runtime.ledger = ledger
        yield Matrix(relay, ledger, bills_anyway=request.param)


@pytest.mark.row("A4", "D18")
@pytest.mark.parametrize("with_reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("is_streaming", [False, True], ids=["plain", "streaming"])
class TestDisconnectMatrix:
    async def test_the_call_is_closed_once_at_the_policys_amount(
        self, matrix: Matrix, stage: Stage, *, is_streaming: bool, with_reset: bool
    ) -> None:
        upstream = PausingUpstream(stage)
        async with raw_caller(matrix.relay) as caller:
            call = await matrix.come_to(stage, caller, upstream, is_streaming=is_streaming)
            await matrix.leave(stage, caller, upstream, call, with_reset=with_reset)
        await matrix.relay.until_idle()
        expected = policy_of(stage, is_streaming=is_streaming, bills_anyway=matrix.bills_anyway)
        assert await matrix.books_of(call.request_id) == expected
