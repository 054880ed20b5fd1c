"""Reading bodies: within a time, a rate and a common room, and on the policy of the moment at which they are whole."""

import asyncio
import os
import signal
from typing import Any

import pytest
from sqlmodel import select

from onetoken_app.database import unit_of_work
from onetoken_app.keys.models import ApiKey
from onetoken_app.keys.service import revoke_key
from onetoken_app.relay import request_body, settlement
from onetoken_app.relay.errors import Overloaded, RequestTooSlow
from onetoken_app.relay.request_body import BodyRoom, BodyShare, read_body
from tests.relay.conftest import RunningRelay, until
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, Exchange, answers_usually

PIECE = b"x" * 1_000


async def slowly() -> dict[str, Any]:
    """Give a small piece of a body that does not end."""
    await asyncio.sleep(0.01)
    return {"type": "http.request", "body": b"x", "more_body": True}


def pieces(*given: bytes) -> Any:
    """Give these pieces, the last of which is the end."""
    waiting = list(given)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return receive


class TestReadBody:
    async def test_one_that_comes_too_slowly_is_refused_long_before_the_last_moment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(request_body, "BODY_SECONDS_MIN", 0.1)
        with BodyShare(BodyRoom(bytes_max=10_000)) as share, pytest.raises(RequestTooSlow):
            async with asyncio.timeout(5):
                await read_body(slowly, share, bytes_max=10_000)

    async def test_the_room_is_common_and_given_back(self) -> None:
        room = BodyRoom(bytes_max=2_500)
        with BodyShare(room) as first, BodyShare(room) as second:
            assert await read_body(pieces(PIECE, PIECE), first, bytes_max=10_000) == PIECE * 2
            with pytest.raises(Overloaded):
                await read_body(pieces(PIECE), second, bytes_max=10_000)
        with BodyShare(room) as third:
            assert await read_body(pieces(PIECE, PIECE), third, bytes_max=10_000) == PIECE * 2


class TestRevokedMeanwhile:
    async def test_a_body_that_ends_after_the_revocation_starts_no_call(self, relay: RunningRelay) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        body = b'{"model":"mock","messages":[]}'
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: relay\r\nauthorization: Bearer {relay.secret}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body[:-1])
        await until(lambda: relay.runtime.supervisor.arrived_count)
        async with unit_of_work() as session:
            (key,) = await session.exec(select(ApiKey))
            await revoke_key(session, organization_id=relay.organization_id, api_key_id=key.id)
        await relay.until_policy_is_current()
        writer.write(body[-1:])
        assert b" 401 " in await reader.readline()
        writer.close()


class TestSlowClose:
    async def test_a_plain_answer_waits_for_its_close_and_is_delivered(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settlement, "CLOSE_SECONDS_MAX", 0.1)
        writer = relay.runtime.ledger._writer
        assert writer is not None

        async def freezes_the_ledger(exchange: Exchange) -> None:
            os.kill(writer.pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(0.5, os.kill, writer.pid, signal.SIGCONT)
            await answers_usually(exchange)

        relay.upstream.behave = freezes_the_ledger
        assert (await relay.post()).status_code == 200
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS
