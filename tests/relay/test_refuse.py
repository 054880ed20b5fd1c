"""Requests that are refused: a clear error in OpenAI's envelope each time, nothing sent on, nothing charged."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from onetoken_app.audit.service import OPERATOR
from onetoken_app.database import unit_of_work
from onetoken_app.keys.service import revoke_key
from onetoken_app.ledger import service as ledger
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.models import Organization
from onetoken_app.organizations.suspensions import resume_organization
from onetoken_app.relay.admission import OVERHEAD_TOKENS
from onetoken_app.settings import Settings
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay, until
from tests.support.builders import a_key, a_suspension
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, Exchange, answers_usually

WELL_FORMED_UNKNOWN_KEY = "otk_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0kOJlx"


async def refused(relay: RunningRelay, answer: Any, *, status: int, code: str) -> dict[str, Any]:
    """Check a refusal all round; return its error object."""
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    assert error["code"] == code
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert relay.upstream.exchanges == []
    assert await relay.records() == []
    assert (await relay.balance()).held_nanos == 0
    return error


class TestKeys:
    async def test_the_official_client_sees_an_authentication_error(self, relay: RunningRelay) -> None:
        async with relay.client(api_key="otk_live_wrong", max_retries=2) as client:
            with pytest.raises(openai.AuthenticationError) as caught:
                await client.chat.completions.create(model="mock", messages=MESSAGES)
        assert caught.value.code == "invalid_api_key"
        assert "otk_live_wrong" not in str(caught.value)
        assert relay.runtime.policy.look_up_count == 0

    async def test_a_key_with_a_wrong_checksum_makes_no_look_up(self, relay: RunningRelay) -> None:
        mistyped = relay.secret[:-1] + ("A" if relay.secret[-1] != "A" else "B")
        await refused(relay, await relay.post(authorization=f"Bearer {mistyped}"), status=401, code="invalid_api_key")
        assert relay.runtime.policy.look_up_count == 0

    async def test_no_key(self, relay: RunningRelay) -> None:
        await refused(relay, await relay.post(authorization="Basic eA=="), status=401, code="invalid_api_key")

    @pytest.mark.parametrize("header", ["x_api_key", "api_key", "x_goog_api_key"])
    async def test_the_key_is_found_in_other_headers(self, relay: RunningRelay, header: str) -> None:
        answer = await relay.post(authorization="", **{header: relay.secret})
        assert answer.status_code == 200
        assert relay.secret not in json.dumps(relay.upstream.exchanges[0].headers)

    async def test_two_different_keys(self, relay: RunningRelay) -> None:
        answer = await relay.post(x_api_key=WELL_FORMED_UNKNOWN_KEY)
        await refused(relay, answer, status=400, code="conflicting_api_keys")

    async def test_the_same_key_twice_is_fine(self, relay: RunningRelay) -> None:
        assert (await relay.post(x_api_key=relay.secret)).status_code == 200

    async def test_a_revoked_key_within_a_second(self, relay: RunningRelay) -> None:
        assert (await relay.post()).status_code == 200
        async with unit_of_work() as session:
            other = await a_key(session, relay.settings, organization_id=relay.organization_id, name="other")
        assert (await relay.post(authorization=f"Bearer {other.secret}")).status_code == 200
        async with unit_of_work() as session:
            await revoke_key(session, organization_id=relay.organization_id, api_key_id=other.id)
        await relay.until_policy_is_current(seconds=1)
        assert (await relay.post(authorization=f"Bearer {other.secret}")).status_code == 401
        assert (await relay.post()).status_code == 200


class TestBody:
    async def test_a_malformed_one_names_what_is_wrong(self, relay: RunningRelay) -> None:
        await refused(relay, await relay.post(b"{not json"), status=400, code="invalid_request")
        error = await refused(relay, await relay.post({"max_tokens": -1}), status=400, code="invalid_request")
        assert error["param"] == "max_tokens"

    async def test_it_is_compressed(self, relay: RunningRelay) -> None:
        answer = await relay.post(b"xx", content_encoding="gzip")
        await refused(relay, answer, status=415, code="unsupported_media_type")

    async def test_it_is_no_json(self, relay: RunningRelay) -> None:
        answer = await relay.post(b"a=b", content_type="application/x-www-form-urlencoded")
        await refused(relay, answer, status=415, code="unsupported_media_type")

    async def test_33_mib_get_a_clear_error_from_the_official_client(self, relay: RunningRelay) -> None:
        huge: Any = [{"role": "user", "content": "x" * (33 * 1024 * 1024)}]
        async with relay.client() as client:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.chat.completions.create(model="mock", messages=huge)
        assert (caught.value.status_code, caught.value.code) == (413, "payload_too_large")
        assert relay.upstream.exchanges == []

    async def test_a_body_without_announced_length_is_stopped_at_the_limit(self, relay_settings: Settings) -> None:
        settings = relay_settings.model_copy(update={"request_body_bytes_max": 2_048})
        async with running_relay(settings) as relay:

            async def pieces() -> AsyncIterator[bytes]:
                for _ in range(10):
                    yield b"x" * 512

            assert (await relay.post(pieces())).status_code == 413


class TestModels:
    async def test_an_unknown_model(self, relay: RunningRelay) -> None:
        answer = await relay.post({"model": "secret-canary"})
        error = await refused(relay, answer, status=404, code="model_not_found")
        assert "secret-canary" not in error["message"]

    async def test_a_model_that_the_key_may_not_call_looks_alike(self, relay: RunningRelay) -> None:
        async with unit_of_work() as session:
            restricted = await a_key(
                session, relay.settings, organization_id=relay.organization_id, name="other", model_ids=[]
            )
        bearer = f"Bearer {restricted.secret}"
        other = await relay.post({"model": "unknown"}, authorization=bearer)
        answer = await relay.post(authorization=bearer)
        assert answer.json() == other.json()
        await refused(relay, answer, status=404, code="model_not_found")


class TestStanding:
    async def test_an_organization_that_is_not_verified(self, relay: RunningRelay) -> None:
        await change_organization(relay, verified_at=None)
        await refused(relay, await relay.post(), status=403, code="organization_not_verified")

    async def test_a_suspended_organization(self, relay: RunningRelay) -> None:
        async with unit_of_work() as session:
            suspension_id = await a_suspension(session, relay.organization_id)
        await relay.until_policy_is_current(seconds=1)
        error = await refused(relay, await relay.post(), status=403, code="organization_suspended")
        assert "console" in error["message"]
        async with unit_of_work() as session:
            await resume_organization(
                session,
                organization_id=relay.organization_id,
                suspension_id=suspension_id,
                words="The key is revoked.",
                actor=OPERATOR,
                mail_room=MailRoom(b"k" * 32, "https://console.test.example"),
            )
        await relay.until_policy_is_current(seconds=1)
        assert (await relay.post()).status_code == 200


class TestBalance:
    async def test_no_balance_is_402_and_not_tried_again(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, balance_nanos=1_000_000) as relay:
            async with relay.client(max_retries=2) as client:
                with pytest.raises(openai.APIStatusError) as caught:
                    await client.chat.completions.create(model="mock", messages=MESSAGES)
            assert caught.value.status_code == 402
            assert caught.value.response.headers["x-should-retry"] == "false"
            error = await refused(relay, caught.value.response, status=402, code="insufficient_funds")
            assert set(error["metadata"]) == {"required", "available", "currency", "affordable_output_tokens"}

    async def test_a_frozen_organization_makes_no_new_call(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, balance_nanos=1_000_000_000) as relay:
            async with unit_of_work() as session:
                await ledger.freeze_owner(session, owner_id=relay.organization_id, reference="freeze:1")
            response = await relay.post({"max_tokens": 5})
            await refused(relay, response, status=403, code="organization_frozen")
            assert response.headers["x-should-retry"] == "false"

    async def test_it_says_how_much_output_the_balance_covers(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, balance_nanos=1_000_000) as relay:
            error = (await relay.post({"max_tokens": 1_000})).json()["error"]
            affordable = error["metadata"]["affordable_output_tokens"]
            assert (await relay.post({"max_tokens": affordable + 1})).status_code == 402
            assert (await relay.post({"max_tokens": affordable})).status_code == 200

    @pytest.mark.row("A2")
    async def test_a_balance_for_37_calls_admits_exactly_37_of_200(self, relay_settings_on_each: Settings) -> None:
        body = json.dumps({"model": "mock", "messages": MESSAGES, "max_tokens": 1_000}).encode()
        hold_nanos = (len(body) + OVERHEAD_TOKENS) * 1_000 + 1_000 * 2_000
        all_decided = asyncio.Event()

        async def answers_late(exchange: Exchange) -> None:
            await all_decided.wait()
            await answers_usually(exchange)

        async with running_relay(relay_settings_on_each, balance_nanos=37 * hold_nanos + hold_nanos // 2) as relay:
            relay.upstream.behave = answers_late
            calls = [asyncio.ensure_future(relay.post(body)) for _ in range(200)]
            await until(lambda: sum(call.done() for call in calls) == 163, seconds=60)
            all_decided.set()
            statuses = [(await call).status_code for call in calls]
            assert (statuses.count(200), statuses.count(402)) == (37, 163)
            await relay.until_idle()
            balance = await relay.balance()
            assert (balance.held_nanos, balance.posted_nanos) == (
                0, 37 * hold_nanos + hold_nanos // 2 - 37 * USUAL_CHARGE_NANOS
            )  # fmt: skip


class TestPlaces:
    async def test_as_many_as_may_be_are_admitted_and_the_next_is_told_when_to_come_back(
        self, relay_settings: Settings
    ) -> None:
        goes_on = asyncio.Event()

        async def answers_late(exchange: Exchange) -> None:
            await goes_on.wait()
            await answers_usually(exchange)

        async with running_relay(relay_settings.model_copy(update={"in_flight_requests_max": 1})) as relay:
            relay.upstream.behave = answers_late
            first = asyncio.ensure_future(relay.post())
            await relay.upstream.arrived.wait()
            second = await relay.post()
            assert (second.status_code, second.json()["error"]["code"]) == (503, "overloaded")
            assert second.headers["retry-after"] == "1"
            goes_on.set()
            assert (await first).status_code == 200
            await relay.until_idle()
            assert (await relay.post()).status_code == 200


class TestAddresses:
    async def test_an_unknown_address_below_v1(self, relay: RunningRelay) -> None:
        await refused(relay, await relay.post(path="/v1/embeddings"), status=404, code="unknown_url")

    async def test_a_wrong_method_names_the_right_one(self, relay: RunningRelay) -> None:
        answer = await relay.post(path="/v1/models")
        await refused(relay, answer, status=405, code="method_not_allowed")
        assert answer.headers["allow"] == "GET"


async def change_organization(relay: RunningRelay, **changes: Any) -> None:
    """Change the organization and wait until the relay has seen it."""
    async with unit_of_work() as session:
        organization = await session.get(Organization, relay.organization_id)
        assert organization is not None
        for name, value in changes.items():
            setattr(organization, name, value)
        session.add(organization)
    await relay.until_policy_is_current(seconds=2)
