"""Who serves a call by the model's rule, its other names, and the models that stand in for it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlmodel import col, select

from onetoken_app.agreements.models import AcceptanceMethod, Confirmation, ConfirmationKind
from onetoken_app.catalog.models import Channel, Model, Region, Route, RoutingRule
from onetoken_app.catalog.service import put_aliases, put_credential, put_fallbacks, switch_channel
from onetoken_app.database import unit_of_work
from onetoken_app.keys.service import mint_key
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import For
from onetoken_app.token_usage import TokenKind
from onetoken_app.usage.models import UsageAttempt
from onetoken_app.vault import load_root_secrets
from tests.relay.conftest import RunningRelay
from tests.relay.test_priced_calls import publish
from tests.support.builders import BuiltModel, a_channel, a_model
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    Exchange,
    ScriptedUpstream,
    answers,
    answers_usually,
    scripted_upstream,
)

WRONG = {"error": {"message": "no"}}
CHEAP = {TokenKind.INPUT: 500_000, TokenKind.OUTPUT: 1_000_000}
"""Half of what the usual model costs."""


@dataclass(slots=True)
class Setting:
    """A relay whose model ``mock`` has two channels, and a second model ``spare`` on a third."""

    relay: RunningRelay
    upstreams: tuple[ScriptedUpstream, ScriptedUpstream, ScriptedUpstream]
    channel_ids: tuple[str, str, str]
    spare: BuiltModel

    @property
    def asked(self) -> tuple[int, int, int]:
        """How often each upstream was asked."""
        first, second, third = (len(upstream.exchanges) for upstream in self.upstreams)
        return first, second, third

    async def set_rule(self, rule: RoutingRule) -> None:
        """Give the model a rule."""
        async with unit_of_work() as session:
            model = await session.get_one(Model, self.relay.model.id)
            model.routing_rule = rule
        await self.relay.until_policy_is_current()

    async def set_fallbacks(self, *, region: Region = Region.MAINLAND) -> None:
        """Let the spare model stand in, from this region."""
        async with unit_of_work() as session:
            await put_fallbacks(session, model_id=self.relay.model.id, fallback_model_ids=[self.spare.id])
            channel = await session.get_one(Channel, self.channel_ids[2])
            channel.region = region
        await self.relay.until_policy_is_current()

    async def take_channels_out(self, count: int = 2) -> None:
        """Switch channels off, as staff do; the third is the spare model's."""
        async with unit_of_work() as session:
            for channel_id in self.channel_ids[:count]:
                await switch_channel(session, channel_id=channel_id, is_enabled=False)
        await self.relay.until_policy_is_current()

    async def listed(self) -> list[str]:
        """Return the models that the key may call now."""
        answer = await self.relay.get("/v1/models")
        return [model["id"] for model in answer.json()["data"]]

    def fail(self) -> None:
        """Let both channels of the model fail."""
        self.upstreams[0].behave = self.upstreams[1].behave = answers(503, WRONG)


@pytest.fixture
async def setting(relay: RunningRelay) -> AsyncIterator[Setting]:
    """Two channels of one model, and a model that may stand in."""
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(scripted_upstream(answers_usually))
        third = await stack.enter_async_context(scripted_upstream(answers_usually))
        async with unit_of_work() as session:
            second_id = await a_channel(session, relay.settings, base_url=second.base_url)
            third_id = await a_channel(session, relay.settings, base_url=third.base_url)
            session.add(Route(model_id=relay.model.id, channel_id=second_id, upstream_model="mock"))
            spare = await a_model(session, relay.settings, name="spare", channel_id=third_id, rates=CHEAP)
        await relay.until_policy_is_current()
        yield Setting(relay, (relay.upstream, second, third), (relay.model.channel_id, second_id, third_id), spare)


class TestRules:
    async def test_the_cheapest_channel_is_asked_and_one_of_unknown_cost_last(self, setting: Setting) -> None:
        await setting.set_rule(RoutingRule.COST)
        await publish(
            setting.relay,
            ModelRates({TokenKind.INPUT: 9_000_000, TokenKind.OUTPUT: 9_000_000}),
            For(Scope.COST, channel_id=setting.channel_ids[1]),
        )
        for _ in range(4):
            await setting.relay.post()
        assert setting.asked[:2] == (0, 4)
        await publish(
            setting.relay,
            ModelRates({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 1_000_000}),
            For(Scope.COST, channel_id=setting.channel_ids[0]),
        )
        for _ in range(4):
            await setting.relay.post()
        assert setting.asked[:2] == (4, 4)

    async def test_the_channel_that_answers_soonest_is_asked(self, setting: Setting) -> None:
        await setting.set_rule(RoutingRule.LATENCY)
        offer = setting.relay.runtime.policy.snapshot().offers["mock"]
        health = setting.relay.runtime.upstreams.health
        for route in offer.routes:
            slow = route.target.channel_id == setting.channel_ids[0]
            health.note_answer(route.target, seconds=50.0 if slow else 0.01)
        for _ in range(4):
            await setting.relay.post()
        assert setting.asked[:2] == (0, 4)

    async def test_a_conversation_stays_where_it_was_and_others_spread(self, setting: Setting) -> None:
        await setting.set_rule(RoutingRule.STICKY)
        first = {"role": "user", "content": "Say hello."}
        grown: list[Any] = [{"role": "system", "content": "Be brief."}, first]
        for turn in range(5):
            await setting.relay.post({"messages": grown})
            grown = [*grown, {"role": "assistant", "content": f"Hello {turn}."}, first]
        assert sorted(setting.asked[:2]) == [0, 5]
        for number in range(24):
            await setting.relay.post({"messages": [{"role": "user", "content": f"Question {number}"}]})
        assert min(setting.asked[:2]) >= 3

    async def test_a_conversation_moves_when_its_channel_fails_and_comes_back(self, setting: Setting) -> None:
        await setting.set_rule(RoutingRule.STICKY)
        await setting.relay.post()
        home = setting.asked[:2].index(1)
        setting.upstreams[home].behave = answers(401, WRONG)
        for _ in range(3):
            assert (await setting.relay.post()).status_code == 200
        assert setting.asked[1 - home] == 3
        setting.upstreams[home].behave = answers_usually
        setting.relay.forget_health()
        await setting.relay.post()
        assert setting.asked[1 - home] == 3


class TestCredentials:
    async def test_another_credential_is_sent_when_one_is_refused_or_limited(self, relay: RunningRelay) -> None:
        async with unit_of_work() as session:
            await put_credential(
                session,
                key_encryption_key=load_root_secrets(relay.settings).key_encryption_key,
                channel_id=relay.model.channel_id, name="second", credential="sk-second",
            )  # fmt: skip
        await relay.until_policy_is_current()
        for status in (401, 429):
            relay.forget_health()
            relay.upstream.exchanges.clear()

            async def behave(exchange: Exchange, status: int = status) -> None:
                if exchange.headers["authorization"] == "Bearer sk-second":
                    await answers_usually(exchange)
                else:
                    await exchange.answer(status, WRONG, retry_after="30")

            relay.upstream.behave = behave
            assert [(await relay.post()).status_code for _ in range(8)] == [200] * 8
            sent = [exchange.headers["authorization"] for exchange in relay.upstream.exchanges]
            assert sent.count("Bearer sk-second") == 8
            assert sent.count("Bearer sk-upstream") <= 1


class TestAliases:
    async def test_a_model_is_called_by_its_other_name(self, setting: Setting) -> None:
        async with unit_of_work() as session:
            await put_aliases(session, model_id=setting.relay.model.id, names=["latest"])
        await setting.relay.until_policy_is_current()
        answer = await setting.relay.post({"model": "latest"})
        assert (answer.status_code, answer.headers["x-onetoken-model"]) == (200, "mock")
        assert (await setting.relay.only_record()).model_name == "mock"
        assert (await setting.relay.get("/v1/models/latest")).json()["id"] == "mock"
        listed = [model["id"] for model in (await setting.relay.get("/v1/models")).json()["data"]]
        assert listed == ["mock", "spare"]


class TestFallbacks:
    async def test_another_model_answers_at_its_own_price(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        setting.fail()
        answer = await setting.relay.post()
        assert (answer.status_code, answer.headers["x-onetoken-model"]) == (200, "spare")
        assert answer.headers["x-onetoken-price-version"] == str(setting.spare.price_version_id)
        assert setting.asked == (1, 1, 1)
        record = await setting.relay.only_record()
        assert (record.model_name, record.model_id, record.price_version_id) == (
            "spare", setting.spare.id, setting.spare.price_version_id,
        )  # fmt: skip
        assert record.charge_nanos == USUAL_CHARGE_NANOS // 2
        async with unit_of_work() as session:
            rows = await session.exec(select(UsageAttempt).order_by(col(UsageAttempt.attempt_number)))
            models = [row.model_id for row in rows]
        assert models == [setting.relay.model.id, setting.relay.model.id, setting.spare.id]

    async def test_a_stream_is_answered_by_it_too(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        setting.fail()
        answer = await setting.relay.post({"stream": True})
        assert answer.headers["x-onetoken-model"] == "spare"
        assert "[DONE]" in answer.text
        assert (await setting.relay.only_record()).model_name == "spare"

    async def test_when_that_fails_too_the_record_names_the_model_that_was_asked_for(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        setting.fail()
        setting.upstreams[2].behave = answers(503, WRONG)
        assert (await setting.relay.post()).json()["error"]["code"] == "upstream_failed"
        record = await setting.relay.only_record()
        assert (record.model_name, record.attempt_count, record.charge_nanos) == ("mock", 3, 0)

    async def test_a_dearer_model_never_answers(self, setting: Setting) -> None:
        await publish(
            replace(setting.relay, model=setting.spare),
            ModelRates({TokenKind.INPUT: 1_100_000, TokenKind.OUTPUT: 2_000_000}),
        )
        await setting.set_fallbacks()
        setting.fail()
        assert (await setting.relay.post()).status_code == 502
        assert setting.asked[2] == 0

    async def test_a_model_that_is_not_open_to_the_key_never_answers(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        setting.fail()
        async with unit_of_work() as session:
            minted = await mint_key(
                session,
                key_pepper=load_root_secrets(setting.relay.settings).key_pepper,
                organization_id=setting.relay.organization_id,
                name="narrow", created_by=None, model_ids=[setting.relay.model.id],
            )  # fmt: skip
        assert (await setting.relay.post(authorization=f"Bearer {minted.secret}")).status_code == 502
        assert setting.asked[2] == 0

    async def test_overseas_it_answers_only_whoever_confirmed(self, setting: Setting) -> None:
        await setting.set_fallbacks(region=Region.OVERSEAS)
        setting.fail()
        assert (await setting.relay.post()).status_code == 502
        assert setting.asked[2] == 0
        async with unit_of_work() as session:
            session.add(
                Confirmation(
                    organization_id=setting.relay.organization_id,
                    kind=ConfirmationKind.OVERSEAS_MODELS,
                    method=AcceptanceMethod.OPERATOR_ATTESTATION,
                )
            )
        await setting.relay.until_policy_is_current()
        assert (await setting.relay.post()).status_code == 200
        assert (await setting.relay.post(x_onetoken_region="mainland")).status_code == 502
        assert setting.asked[2] == 1

    async def test_a_request_that_it_might_not_hold_is_not_given_to_it(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        async with unit_of_work() as session:
            (await session.get_one(Model, setting.spare.id)).output_tokens_max = 10
        await setting.relay.until_policy_is_current()
        setting.fail()
        assert (await setting.relay.post({"max_tokens": 11})).status_code == 502
        assert (await setting.relay.post({"max_tokens": 10})).status_code == 200


class TestAllChannelsOut:
    async def test_another_model_answers(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        await setting.take_channels_out()
        answer = await setting.relay.post()
        assert (answer.status_code, answer.headers["x-onetoken-model"], setting.asked) == (200, "spare", (0, 0, 1))
        assert (await setting.relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS // 2
        assert await setting.listed() == ["mock", "spare"]

    async def test_without_another_model_it_is_said_and_nothing_is_set_aside(self, setting: Setting) -> None:
        await setting.take_channels_out()
        answer = await setting.relay.post()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_channel_available")
        assert setting.asked == (0, 0, 0)
        assert await setting.listed() == ["spare"]

    async def test_none_answers_where_the_caller_wants_no_other_model(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        await setting.take_channels_out()
        answer = await setting.relay.post(x_onetoken_fallback="none")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_channel_available")

    async def test_one_from_overseas_answers_nobody_who_has_not_confirmed(self, setting: Setting) -> None:
        await setting.set_fallbacks(region=Region.OVERSEAS)
        await setting.take_channels_out()
        assert (await setting.relay.post()).status_code == 503
        assert (setting.asked, await setting.listed()) == ((0, 0, 0), [])

    async def test_it_is_out_when_the_other_model_is_out_too(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        await setting.take_channels_out(3)
        answer = await setting.relay.post()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_channel_available")
        assert await setting.listed() == []


class TestHeaders:
    async def test_no_other_model_answers_when_none_is_asked_for(self, setting: Setting) -> None:
        await setting.set_fallbacks()
        setting.fail()
        assert (await setting.relay.post(x_onetoken_fallback="none")).status_code == 502
        assert setting.asked[2] == 0

    async def test_fewer_attempts_are_made(self, setting: Setting) -> None:
        setting.fail()
        assert (await setting.relay.post(x_onetoken_attempts="1")).status_code == 502
        assert sum(setting.asked) == 1

    async def test_a_region_without_a_channel_is_refused(self, setting: Setting) -> None:
        async with unit_of_work() as session:
            for channel_id in setting.channel_ids[:2]:
                (await session.get_one(Channel, channel_id)).region = Region.OVERSEAS
            session.add(
                Confirmation(
                    organization_id=setting.relay.organization_id,
                    kind=ConfirmationKind.OVERSEAS_MODELS,
                    method=AcceptanceMethod.OPERATOR_ATTESTATION,
                )
            )
        await setting.relay.until_policy_is_current()
        assert (await setting.relay.post()).status_code == 200
        answer = await setting.relay.post(x_onetoken_region="mainland")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "routing_not_possible")

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("x_onetoken_region", "overseas"), ("x_onetoken_fallback", "spare"), ("x_onetoken_attempts", "9"),
            ("x_onetoken_attempts", ""), ("x_onetoken_route", "first"),
        ],
        ids=str,
    )  # fmt: skip
    async def test_what_is_not_understood_is_refused(self, relay: RunningRelay, header: str, value: str) -> None:
        answer = await relay.post(**{header: value})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
        assert not relay.upstream.exchanges


class TestPatience:
    async def test_a_models_own_time_counts(self, setting: Setting) -> None:
        async with unit_of_work() as session:
            (await session.get_one(Model, setting.relay.model.id)).first_byte_seconds = 1
        await setting.relay.until_policy_is_current()

        async def stays_silent(exchange: Exchange) -> None:
            await exchange.until_peer_closes()

        setting.upstreams[0].behave = setting.upstreams[1].behave = stays_silent
        answer = await setting.relay.post()
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
        assert setting.asked == (1, 1, 0)
