"""The table ``who pays`` once more where PostgreSQL keeps the books: one relay, one call a row."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from onetoken_app.database import read_session
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Nanos
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.relay.conftest import RunningRelay, quick, running_relay
from tests.relay.test_caller_leaves import raw_caller
from tests.relay.test_who_pays import ESTIMATED_CHARGE_NANOS, TWO_WORDS
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Behaviour,
    answers,
    answers_usually,
    chunk,
    completion,
    streams,
    usage_chunk,
    usage_of,
)

WORDS = [chunk(word) for word in TWO_WORDS]
ABOVE_THE_HOLD_NANOS = 1_000 * 1_000 + 100_000 * 2_000
SETTLED, VOIDED = Outcome.SETTLED, Outcome.VOIDED
UPSTREAM, ESTIMATED, NONE = UsageSource.UPSTREAM, UsageSource.ESTIMATED, UsageSource.NONE


@dataclass(frozen=True, slots=True)
class Row:
    """One case of the table."""

    case: str
    behave: Behaviour
    charge_nanos: Nanos
    source: UsageSource
    outcome: Outcome
    is_streaming: bool = True


ROWS = [
    Row("success", answers_usually, USUAL_CHARGE_NANOS, UPSTREAM, SETTLED),
    Row("a plain success", answers_usually, USUAL_CHARGE_NANOS, UPSTREAM, SETTLED, is_streaming=False),
    Row(
        "usage missing",
        streams(*WORDS, chunk(finish_reason="stop"), "[DONE]"), ESTIMATED_CHARGE_NANOS, ESTIMATED, SETTLED,
    ),
    Row(
        "usage given as 0",
        streams(*WORDS, chunk(finish_reason="stop"), usage_chunk(usage_of(0, 0)), "[DONE]"), 0, UPSTREAM, SETTLED,
    ),
    Row("an error before any output", answers(500, {}), 0, NONE, VOIDED),
    Row("an error before the end of a plain answer", answers(200, {"choices": 1}), 0, NONE, VOIDED, is_streaming=False),
    Row("an error after a part", streams(*WORDS, breaks=True), ESTIMATED_CHARGE_NANOS, ESTIMATED, SETTLED),
    Row(
        "an error after a part and usage",
        streams(chunk("hi"), usage_chunk(USUAL_USAGE), breaks=True), USUAL_CHARGE_NANOS, UPSTREAM, SETTLED,
    ),
    Row(
        "above its hold",
        answers(200, completion(usage=usage_of(1_000, 100_000))), ABOVE_THE_HOLD_NANOS, UPSTREAM, SETTLED,
        is_streaming=False,
    ),
]  # fmt: skip


@pytest.fixture
async def relay(postgresql_settings: Settings) -> AsyncIterator[RunningRelay]:
    """A running relay whose books PostgreSQL keeps."""
    async with running_relay(quick(postgresql_settings)) as running:
        yield running


@pytest.mark.row("A5", "A6")
class TestWhoPays:
    async def test_each_row_is_charged_as_published(self, relay: RunningRelay) -> None:
        seen: set[str] = set()
        for row in ROWS:
            relay.upstream.behave = row.behave
            await relay.post({"stream": row.is_streaming, "max_tokens": 10})
            await relay.until_idle()
            (record,) = [record for record in await relay.records() if record.request_id not in seen]
            seen.add(record.request_id)
            (close,) = [close for close in await relay.closes() if close.request_id == record.request_id]
            found = (record.charge_nanos, record.usage_source, close.outcome)
            assert found == (row.charge_nanos, row.source, row.outcome), row.case
            assert (close.amount_nanos, close.usage_source) == found[:2], row.case
        await check_books(relay, charged_nanos=sum(row.charge_nanos for row in ROWS))

    async def test_a_caller_who_hangs_up_pays_for_what_was_delivered(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(*WORDS, ends=False)
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=True)
            await caller.read_until(b"again")
            caller.leave(with_reset=False)
            record = await relay.only_record()
        assert (record.charge_nanos, record.error_code) == (ESTIMATED_CHARGE_NANOS, "caller_left")

    async def test_many_at_once_are_charged_once_each(self, relay: RunningRelay) -> None:
        found = await asyncio.gather(*(relay.post({"stream": number % 2 == 0}) for number in range(40)))
        assert {answer.status_code for answer in found} == {200}
        await check_books(relay, charged_nanos=40 * USUAL_CHARGE_NANOS)


async def check_books(relay: RunningRelay, *, charged_nanos: Nanos) -> None:
    """Check that the records say what was charged, nothing is held, and the ledger is whole."""
    await relay.until_idle()
    assert sum(record.charge_nanos for record in await relay.records()) == charged_nanos
    assert (await relay.balance()).held_nanos == 0
    async with read_session() as session:
        assert (await verify(session)).is_ok
