"""A1: kill −9 at random points under mixed load, again and again on one folder, and the books against what was seen.

Every call has a name of its own, which it sends as its User-Agent: so each record, a recovered one too, is known to
belong to a call, and what several attempts at one call were charged can be added up.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from onetoken_app.money import NANOS_PER_UNIT
from tests.ledger.test_client import frozen
from tests.relay.conftest import NO_TLS
from tests.support.databases import sqlite_settings_in
from tests.support.installation import Installation, RunningProcess, apply_file, wait_for_line
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    answers_usually,
    chunk,
    scripted_upstream,
    usage_chunk,
)

SEED = 20_261_127
RECOVERED_SECONDS_MAX = 2.0
LOAD_SECONDS_MAX = 1.5
POINTS_MIN = 4
"""However slow the machine is."""
SPOOLED_AFTER_SECONDS = 2.6
"""Frozen for so long, a database finds closes in the spool that their callers were told of."""
STARTING_SECONDS_MAX = 0.15
KINDS = ("plain", "plain", "streaming", "streaming", "slow", "hang-up", "hang-up", "keyed", "keyed", "keyed slow")
WAYS = {"all at once": 60, "the relay alone": 15, "while it starts": 15, "with a frozen database": 10}
"""What is killed, or when, and how often in a hundred."""
AFTER_AN_ANSWER_SHARE = 0.8
"""The other points come so early that perhaps no call is answered yet."""
SLOW_WORDS = 5
"""As many as the upstream states at the end: a call that dies is charged a token for each word that it delivered."""


async def answers_by_kind(exchange: Exchange) -> None:
    """Answer at the pace that the message asks for; all of it costs the same."""
    if not exchange.body.get("stream"):
        await asyncio.sleep(0.01)
        await answers_usually(exchange)
        return
    is_slow = "slow" in exchange.body["messages"][0]["content"]
    await exchange.begin_stream()
    for _ in range(SLOW_WORDS if is_slow else 3):
        await exchange.send_event(chunk("a ", usage=None))
        await asyncio.sleep(0.32 if is_slow else 0.005)
    await exchange.send_event(chunk(finish_reason="stop", usage=None))
    await exchange.send_event(usage_chunk(USUAL_USAGE))
    await exchange.send_event("[DONE]")
    await exchange.end_stream()


@dataclass(slots=True)
class Callers:
    """Callers of all kinds, and what they saw over all points."""

    secret: str
    complete: dict[str, str] = field(default_factory=dict)
    """Calls whose reply came to its end, with the id of the request."""
    repeated: dict[str, str] = field(default_factory=dict)
    """Named calls that were asked for again, with the id on the receipt."""
    unfinished: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    """Named calls that a kill cut off, by kind; they are asked for again, with the same body."""
    _numbers: "count[int]" = field(default_factory=count)
    call_count: int = 0
    has_answer: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the first whole reply since it was cleared."""

    async def call_until_it_dies(self, url: str, kind: str) -> None:
        """Call again and again, until there is nobody to call."""
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, verify=NO_TLS) as client:
            while True:
                is_keyed = kind.startswith("keyed")
                waiting = self.unfinished[kind]
                name = waiting.pop() if waiting else f"{kind} {next(self._numbers)}"
                try:
                    is_over = await self._call(client, kind, name)
                    if is_over and is_keyed and name in self.complete:
                        is_over = await self._call(client, kind, name)
                except httpx.HTTPError:
                    if is_keyed:
                        waiting.append(name)
                    return
                if not is_over:
                    if is_keyed:
                        waiting.append(name)
                    await asyncio.sleep(0.05)

    async def _call(self, client: httpx.AsyncClient, kind: str, name: str) -> bool:
        """Make one call; return whether there is an end of it, and not a refusal for now."""
        is_streaming = "plain" not in kind
        headers = {"authorization": f"Bearer {self.secret}", "user-agent": name}
        if kind.startswith("keyed"):
            headers["idempotency-key"] = name
        body = {"model": "mock", "messages": [{"role": "user", "content": kind}], "stream": is_streaming}
        self.call_count += 1
        async with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as reply:
            if reply.status_code != 200:
                return self._note_refusal(reply.status_code, json.loads(await reply.aread()), name)
            received = b""
            async for piece in reply.aiter_bytes():
                received += piece
                if kind == "hang-up" or received.endswith(b"data: [DONE]\n\n"):
                    break
            if not is_streaming:
                json.loads(received)
            elif not received.endswith(b"data: [DONE]\n\n"):
                return kind == "hang-up"
            assert name not in self.complete, f"{name} was made twice"
            self.complete[name] = reply.headers["x-request-id"]
            self.has_answer.set()
        return True

    def _note_refusal(self, status: int, body: Any, name: str) -> bool:
        """Take a refusal for now, or a receipt, which agrees with what was seen."""
        error = body["error"]
        if status == 503:
            return False
        assert (status, error["code"]) == (409, "duplicate_request"), body
        receipt = error["metadata"]
        assert receipt["outcome"] in {"settled", "recovered"}, receipt
        assert name not in self.complete or self.complete[name] == receipt["request_id"]
        self.repeated[name] = receipt["request_id"]
        return True


@dataclass(slots=True)
class Tormentor:
    """Starts and kills one relay at one point after the other."""

    installation: Installation
    callers: Callers
    chance: random.Random
    _previous: ExitStack = field(default_factory=ExitStack)
    recovered_seconds: float = 0.0
    """The longest that a start took from its writer to the last dead hold's close."""

    async def go_through(self, *, points_max: int, seconds_max: float) -> int:
        """Kill at as many points as fit; return how many that were."""
        began = time.monotonic()
        for number in range(points_max):
            if number >= POINTS_MIN and time.monotonic() - began > seconds_max:
                return number
            (way,) = self.chance.choices(list(WAYS), list(WAYS.values()))
            await self._one_point(way)
        return points_max

    async def finish(self) -> None:
        """Start once more, so that all is closed, and stop in peace."""
        with ExitStack() as stack:
            running = await self._started(stack)
            assert await asyncio.to_thread(running.stop) == 0

    async def _started(self, stack: ExitStack) -> RunningProcess:
        """Start a relay; when it answers, nothing of the dead is open any more."""
        running = await asyncio.to_thread(stack.enter_context, self.installation.relay())
        await asyncio.to_thread(self._previous.close)
        left = "SELECT count(*) FROM ledger_open_hold"
        assert self.installation.rows(left) == [(0,)], f"a dead hold is open after a start (seed {SEED})"
        self.recovered_seconds = max(self.recovered_seconds, recovery_seconds_of(running))
        return running

    async def _one_point(self, way: str) -> None:
        """Start, load, and kill."""
        with ExitStack() as stack:
            if way == "while it starts":
                running = await asyncio.to_thread(stack.enter_context, self.installation.server("relay"))
                await asyncio.to_thread(wait_for_line, running, "ledger_writer_started")
                await asyncio.sleep(self.chance.uniform(0, STARTING_SECONDS_MAX))
                await asyncio.to_thread(running.kill_group)
                return
            running = await self._started(stack)
            self.callers.has_answer.clear()
            async with asyncio.timeout(90), asyncio.TaskGroup() as group:
                for kind in KINDS:
                    group.create_task(self.callers.call_until_it_dies(running.url, kind))
                if self.chance.random() < AFTER_AN_ANSWER_SHARE:
                    await self.callers.has_answer.wait()
                await asyncio.sleep(self.chance.uniform(0, LOAD_SECONDS_MAX))
                await self._kill(running, way)
            # Whoever was not killed ends by itself, while the next relay starts.
            self._previous = stack.pop_all()

    async def _kill(self, running: RunningProcess, way: str) -> None:
        """Kill in one of the ways."""
        if way == "the relay alone":
            os.kill(running.process.pid, signal.SIGKILL)
            return
        with ExitStack() as stack:
            if way == "with a frozen database":
                freezing = frozen(sqlite_settings_in(self.installation.folder))
                await asyncio.to_thread(stack.enter_context, freezing)
                await asyncio.sleep(SPOOLED_AFTER_SECONDS)
            await asyncio.to_thread(running.kill_group)


def recovery_seconds_of(running: RunningProcess) -> float:
    """Return how long the start took from its writer's start to the last dead hold's close; 0 when there was none."""
    moments: dict[str, datetime] = {}
    for line in running.output_file.read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            moments.setdefault(entry["event"], datetime.fromisoformat(entry["timestamp"]))
    if "holds_recovered" not in moments:
        return 0.0
    return (moments["holds_recovered"] - moments["ledger_writer_started"]).total_seconds()


def charges_by_name(installation: Installation) -> dict[str, list[tuple[str, str, int]]]:
    """Return request, outcome and charge of every close, by the name of the call; each has exactly one record."""
    closed = installation.rows("SELECT request_id, outcome, amount_nanos FROM ledger_audit")
    names = dict(installation.rows("SELECT request_id, user_agent FROM usage_record"))
    assert len({request_id for request_id, _, _ in closed}) == len(closed) == len(names)
    by_name: dict[str, list[tuple[str, str, int]]] = {}
    for request_id, outcome, amount in closed:
        by_name.setdefault(names[request_id], []).append((request_id, outcome, amount))
    return by_name


def check_books(installation: Installation, callers: Callers) -> None:
    """Compare the books with what the callers saw: nothing twice, nothing too much, nothing complete unsettled."""
    by_name = charges_by_name(installation)
    for name, request_id in callers.complete.items():
        assert [one for one in by_name[name] if one[2]] == [(request_id, "settled", USUAL_CHARGE_NANOS)], name
    for name, closes in by_name.items():
        assert sum(amount for _, _, amount in closes) <= USUAL_CHARGE_NANOS, name
        assert sum(amount > 0 for _, _, amount in closes) <= 1, name
    for name, request_id in callers.repeated.items():
        assert request_id in {one[0] for one in by_name[name]}, name
    charged = sum(amount for closes in by_name.values() for _, _, amount in closes)
    balance = installation.rows("SELECT posted_nanos, held_nanos FROM ledger_account WHERE kind = 'prepaid'")
    assert balance == [(1000 * NANOS_PER_UNIT - charged, 0)]


@pytest.mark.row("A1")
@pytest.mark.long
class TestRandomKills:
    @pytest.mark.parametrize(
        ("points_max", "seconds_max"),
        [
            pytest.param(200, 120.0, id="for two minutes", marks=pytest.mark.timeout(400)),
            pytest.param(
                200, 3600.0, id="at 200 points", marks=[pytest.mark.very_long, pytest.mark.timeout(4000)]
            ),
        ],
    )  # fmt: skip
    async def test_every_complete_reply_is_charged_once_and_nothing_else_too_much(
        self, tmp_path: Path, points_max: int, seconds_max: float
    ) -> None:
        installation = Installation(tmp_path)
        async with scripted_upstream(answers_by_kind) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            callers = Callers(secret)
            tormentor = Tormentor(installation, callers, random.Random(SEED))
            point_count = await tormentor.go_through(points_max=points_max, seconds_max=seconds_max)
            await tormentor.finish()
        facts = {
            "points": point_count, "calls": callers.call_count, "complete": len(callers.complete),
            "receipts": len(callers.repeated), "recovered within seconds": tormentor.recovered_seconds,
        }  # fmt: skip
        sys.stdout.write(f"{facts}\n")  # shown by pytest -rP
        assert callers.complete, facts
        check_books(installation, callers)
        assert (await asyncio.to_thread(installation.verified))["open_holds"] == 0
        assert tormentor.recovered_seconds <= RECOVERED_SECONDS_MAX


@pytest.mark.row("A1", "A8", "A9")
@pytest.mark.long
class TestKilledWithASpooledClose:
    @pytest.mark.timeout(200)
    async def test_a_named_call_that_ended_is_charged_in_full_and_its_repeat_gets_the_receipt(
        self, tmp_path: Path
    ) -> None:
        installation, goes_on = Installation(tmp_path), asyncio.Event()

        async def pauses(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(chunk("hello"))
            await goes_on.wait()
            for event in (chunk(finish_reason="stop"), usage_chunk(USUAL_USAGE), "[DONE]"):
                await exchange.send_event(event)
            await exchange.end_stream()

        async with scripted_upstream(pauses) as upstream:
            (secret,) = await asyncio.to_thread(installation.apply, apply_file(base_url=upstream.base_url))
            callers = Callers(secret)
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, installation.relay())
                async with httpx.AsyncClient(base_url=running.url, timeout=30, trust_env=False) as client:
                    calling = asyncio.create_task(callers._call(client, "keyed", "a call"))
                    await upstream.arrived.wait()
                    with frozen(sqlite_settings_in(tmp_path)):
                        goes_on.set()
                        assert await calling
                        await asyncio.to_thread(running.kill_group)
            with ExitStack() as stack:
                running = await asyncio.to_thread(stack.enter_context, installation.relay())
                async with httpx.AsyncClient(base_url=running.url, timeout=30, trust_env=False) as client:
                    assert await callers._call(client, "keyed", "a call")
                assert await asyncio.to_thread(running.stop) == 0
        assert len(upstream.exchanges) == 1
        assert callers.repeated == callers.complete
        check_books(installation, callers)
