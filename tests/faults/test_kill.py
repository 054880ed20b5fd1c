"""kill −9 of relay and ledger writer under load, and a start on the same folder: nothing is lost, nothing is twice."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from onetoken_app.money import NANOS_PER_UNIT
from tests.faults.load import Load
from tests.support.installation import Installation, RunningProcess, apply_file
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    answers_usually,
    chunk,
    scripted_upstream,
    usage_chunk,
)

CALLERS_OF_A_KIND = 8
DEAD_HOLDS_CLOSED_SECONDS_MAX = 2.0


async def streams_slowly(exchange: Exchange) -> None:
    """Stream for a moment, so that a kill finds calls in every stage."""
    if not exchange.body.get("stream"):
        await asyncio.sleep(0.01)
        await answers_usually(exchange)
        return
    await exchange.begin_stream()
    for word in ("hello", " ", "there"):
        await exchange.send_event(chunk(word, usage=None))
        await asyncio.sleep(0.005)
    await exchange.send_event(chunk(finish_reason="stop", usage=None))
    await exchange.send_event(usage_chunk(USUAL_USAGE))
    await exchange.send_event("[DONE]")
    await exchange.end_stream()


async def killed_under_load(running: RunningProcess, secret: str, *, after_count: int) -> Load:
    """Let callers go on until some replies are complete, then kill everything at once."""
    load = Load(url=running.url, secret=secret, enough_count=after_count)
    async with asyncio.timeout(60), asyncio.TaskGroup() as callers:
        for number in range(2 * CALLERS_OF_A_KIND):
            callers.create_task(load.call_until_it_dies(is_streaming=number % 2 == 0))
        await load.enough.wait()
        await asyncio.to_thread(running.kill_group)
    return load


def charges(installation: Installation) -> dict[str, tuple[str, int]]:
    """Return outcome and charge of every closed call, by the auditor's view; a call that stands twice fails."""
    rows = installation.rows("SELECT request_id, outcome, amount_nanos FROM ledger_audit")
    by_request = {request_id: (outcome, amount) for request_id, outcome, amount in rows}
    assert len(by_request) == len(rows)
    return by_request


def seconds_until_no_hold_is_open(installation: Installation, *, since: float) -> float:
    """Wait until every hold has its close; return how long that took from ``since``."""
    query = (
        "SELECT count(*) FROM ledger_hold AS h LEFT JOIN ledger_hold_close AS c ON c.request_id = h.request_id "
        "WHERE c.request_id IS NULL"
    )
    while installation.rows(query)[0][0]:
        assert time.monotonic() - since < 30, "holds of a dead process stay open"
        time.sleep(0.01)
    return time.monotonic() - since


@pytest.mark.row("A1")
@pytest.mark.long
class TestKill:
    @pytest.mark.timeout(400)
    @pytest.mark.parametrize(
        ("verb", "after_count"),
        [
            pytest.param("relay", 40, id="relay, early"),
            pytest.param("relay", 400, id="relay, late"),
            pytest.param("up", 150, id="console and relay"),
        ],
    )
    async def test_every_complete_reply_is_charged_once_and_dead_holds_are_closed(
        self, tmp_path: Path, verb: str, after_count: int
    ) -> None:
        installation = Installation(tmp_path)
        async with scripted_upstream(streams_slowly) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, installation.serving(verb))
                load = await killed_under_load(running, secret, after_count=after_count)
            assert len(load.complete_request_ids) >= after_count
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, installation.serving(verb))
                since = time.monotonic()
                assert seconds_until_no_hold_is_open(installation, since=since) <= DEAD_HOLDS_CLOSED_SECONDS_MAX
                closed = charges(installation)
                for request_id in load.complete_request_ids:
                    assert closed[request_id] == ("settled", USUAL_CHARGE_NANOS)
                assert all(amount <= USUAL_CHARGE_NANOS for _, amount in closed.values())
                report = await asyncio.to_thread(installation.verified)
                assert running.stop() == 0
            assert report["open_holds"] == 0
            assert report["settled"] + report["voided"] + report["recovered"] == len(closed)
        self.assert_balance_is_what_was_granted_less_what_was_charged(installation, closed)

    @staticmethod
    def assert_balance_is_what_was_granted_less_what_was_charged(
        installation: Installation, closed: dict[str, tuple[str, int]]
    ) -> None:
        ((posted, held),) = installation.rows(
            "SELECT posted_nanos, held_nanos FROM ledger_account WHERE kind = 'prepaid'"
        )
        assert held == 0
        assert posted == 1000 * NANOS_PER_UNIT - sum(amount for _, amount in closed.values())
