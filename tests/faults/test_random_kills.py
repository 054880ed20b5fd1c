"""A1: kill −9 of a relay, and the books against what callers of all kinds saw.

Every call has a name of its own, which it sends as its User-Agent: so each record, a recovered one too, is known to
belong to a call, and what several attempts at one call were charged can be added up.
"""

import asyncio
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from onetoken_app.money import NANOS_PER_UNIT
from tests.ledger.test_client import frozen
from tests.support.databases import sqlite_settings_in
from tests.support.installation import Installation, apply_file
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    chunk,
    scripted_upstream,
    usage_chunk,
)


@dataclass(slots=True)
class Callers:
    """Callers of all kinds, and what they saw over all points."""

    secret: str
    complete: dict[str, str] = field(default_factory=dict)
    """Calls whose reply came to its end, with the id of the request."""
    repeated: dict[str, str] = field(default_factory=dict)
    """Named calls that were asked for again, with the id on the receipt."""
    call_count: int = 0

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
