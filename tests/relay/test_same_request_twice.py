"""An Idempotency-Key makes a call once, however often it is sent; a repeat is told what became of the first."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.keys.models import FingerprintKey
from onetoken_app.ledger.models import Claim
from onetoken_app.relay.repeats import RepeatGuard
from onetoken_app.settings import Settings
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay, until
from tests.relay.test_caller_leaves import raw_caller
from tests.support.builders import a_key, an_organization
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, Exchange, answers, answers_usually

NAME = "order-7"
DUPLICATES = 50


def receipt_of(answer: httpx.Response) -> dict[str, Any]:
    """Return what a refused repeat is told."""
    assert (answer.status_code, answer.headers["x-should-retry"]) == (409, "false")
    error = answer.json()["error"]
    assert error["code"] == "duplicate_request"
    receipt: dict[str, Any] = error["metadata"]
    return receipt


@pytest.mark.row("A8")
class TestDuplicates:
    async def test_fifty_at_once_are_one_call_and_one_charge(self, relay_settings_on_each: Settings) -> None:
        goes_on = asyncio.Event()

        async def answers_late(exchange: Exchange) -> None:
            await goes_on.wait()
            await answers_usually(exchange)

        async with running_relay(relay_settings_on_each) as relay:
            relay.upstream.behave = answers_late
            calls = [asyncio.ensure_future(relay.post(idempotency_key=NAME)) for _ in range(DUPLICATES)]
            await until(lambda: sum(call.done() for call in calls) == DUPLICATES - 1, seconds=60)
            goes_on.set()
            found = await asyncio.gather(*calls)
            assert Counter(answer.status_code for answer in found) == {200: 1, 409: DUPLICATES - 1}
            (carried,) = [answer for answer in found if answer.status_code == 200]
            record = await relay.only_record()
            assert (record.charge_nanos, len(relay.upstream.exchanges)) == (USUAL_CHARGE_NANOS, 1)
            for answer in found:
                if answer is not carried:
                    assert receipt_of(answer) == {"request_id": record.request_id, "outcome": "open"}
            receipt = receipt_of(await relay.post(idempotency_key=NAME))
            assert receipt == {
                "request_id": record.request_id, "outcome": "settled", "charge": "0.00002", "currency": "USD"
            }  # fmt: skip
            assert (await relay.balance()).held_nanos == 0

    async def test_another_body_under_the_same_key_is_refused(self, relay: RunningRelay) -> None:
        assert (await relay.post(idempotency_key=NAME)).status_code == 200
        answer = await relay.post({"max_tokens": 7}, idempotency_key=NAME)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_key_reused")
        assert answer.headers["x-should-retry"] == "false"
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_a_large_body_is_the_same_when_it_is_the_same(self, relay: RunningRelay) -> None:
        body = {"messages": [{"role": "user", "content": "x" * 100_000}], "max_tokens": 1}
        assert (await relay.post(body, idempotency_key=NAME)).status_code == 200
        assert (await relay.post(body, idempotency_key=NAME)).status_code == 409
        assert (await relay.post(body | {"max_tokens": 2}, idempotency_key=NAME)).status_code == 422

    async def test_it_names_a_call_for_one_key_only(self, relay: RunningRelay) -> None:
        async with unit_of_work() as session:
            sister = await a_key(session, relay.settings, organization_id=relay.organization_id, name="sister")
            stranger = await a_key(
                session, relay.settings, organization_id=await an_organization(session, balance_nanos=10**9)
            )
        for secret in (relay.secret, sister.secret, stranger.secret):
            answer = await relay.post(idempotency_key=NAME, authorization=f"Bearer {secret}")
            assert answer.status_code == 200
        assert len(relay.upstream.exchanges) == 3

    async def test_calls_without_a_key_are_never_the_same(self, relay: RunningRelay) -> None:
        found = [await relay.post() for _ in range(2)]
        assert [answer.status_code for answer in found] == [200, 200]
        async with read_session() as session:
            assert (await session.exec(select(Claim))).all() == []


@pytest.mark.row("A8")
class TestCallsThatCameToNothing:
    async def test_a_failed_one_may_be_made_anew_under_its_key(self, relay_settings_on_each: Settings) -> None:
        async with running_relay(relay_settings_on_each) as relay:
            relay.upstream.behave = answers(400, {})
            assert (await relay.post(idempotency_key=NAME)).status_code == 400
            relay.upstream.behave = answers_usually
            assert (await relay.post(idempotency_key=NAME)).status_code == 200
            assert (await relay.post(idempotency_key=NAME)).status_code == 409
            assert sorted(record.charge_nanos for record in await relay.records()) == [0, USUAL_CHARGE_NANOS]

    async def test_one_that_was_too_dear_has_claimed_nothing(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, balance_nanos=1_000_000) as relay:
            assert (await relay.post(idempotency_key=NAME)).status_code == 402
            assert (await relay.post({"max_tokens": 10}, idempotency_key=NAME)).status_code == 200

    async def test_one_whose_caller_left_before_anything_came(self, relay: RunningRelay) -> None:
        async def stays_silent(exchange: Exchange) -> None:
            await exchange.until_peer_closes()

        relay.upstream.behave = stays_silent
        async with raw_caller(relay) as caller:
            await caller.ask(relay, is_streaming=False, idempotency_key=NAME)
            await relay.upstream.arrived.wait()
            caller.leave(with_reset=False)
        await relay.only_record()
        relay.upstream.behave = answers_usually
        assert (await relay.post({"stream": False}, idempotency_key=NAME)).status_code == 200


class TestNames:
    @pytest.mark.parametrize(
        "names",
        [
            pytest.param([""], id="an empty one"),
            pytest.param(["x" * 256], id="a long one"),
            pytest.param(["one", "two"], id="two"),
        ],
    )
    async def test_one_that_cannot_be_used_is_refused(self, relay: RunningRelay, names: list[str]) -> None:
        headers = [
            ("authorization", f"Bearer {relay.secret}"),
            *(("idempotency-key", name) for name in names),
        ]
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{relay.base_url}/chat/completions", json={"model": "mock", "messages": MESSAGES}, headers=headers
            )
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "Idempotency-Key")
        assert relay.upstream.exchanges == []

    async def test_nothing_of_it_or_of_the_body_is_kept(self, relay: RunningRelay) -> None:
        await relay.post(idempotency_key=NAME)
        async with read_session() as session:
            (claim,) = (await session.exec(select(Claim))).all()
        assert (len(bytes.fromhex(claim.digest)), len(bytes.fromhex(claim.fingerprint))) == (32, 32)


class TestFingerprintKeys:
    async def test_a_request_is_known_across_midnight_and_its_key_is_destroyed_after_the_next_day(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started_on = clock.utc_now().date()
        guard = relay.runtime.repeats
        assert (await relay.post(idempotency_key=NAME)).status_code == 200
        for days, known_days in ((1, 3), (2, 2)):
            moment = clock.utc_now() + timedelta(days=1)
            monkeypatch.setattr(clock, "utc_now", lambda moment=moment: moment)
            await guard._renew()
            async with read_session() as session:
                kept = (await session.exec(select(FingerprintKey))).all()
            assert min(row.day for row in kept) == started_on + timedelta(days=days - 1)
            assert len(kept) == 3
            repeat = await relay.post(idempotency_key=NAME)
            assert repeat.status_code == (409 if known_days == 3 else 422)

    async def test_processes_that_start_at_once_share_them(self, relay_settings_on_each: Settings) -> None:
        async with running_relay(relay_settings_on_each) as relay:
            guards = [RepeatGuard(relay.runtime.secrets) for _ in range(4)]
            async with unit_of_work() as session:
                for row in (await session.exec(select(FingerprintKey))).all():
                    await session.delete(row)
            await asyncio.gather(*(guard._renew() for guard in guards))
            assert all(guard._keys == guards[0]._keys for guard in guards)

    async def test_without_todays_key_a_named_request_is_not_made(self, relay: RunningRelay) -> None:
        relay.runtime.repeats._keys.clear()
        answer = await relay.post(idempotency_key=NAME)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert (await relay.post()).status_code == 200
