"""What a call is charged when its customer has a plan, a contract or another currency, and what it costs us."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.pricing import service
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.quote import RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import EVERYBODY, For
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind, UsageSource
from onetoken_app.usage.models import UsageRecord
from tests.relay.conftest import RunningRelay, running_relay
from tests.support.scripted_upstream import answers, completion, usage_of

USAGE: dict[str, Any] = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"audio_tokens": 30, "image_tokens": 20},
    "completion_tokens_details": {"reasoning_tokens": 10},
}
HOUR = timedelta(hours=1)


async def publish(relay: RunningRelay, rates: ModelRates, meant_for: For = EVERYBODY, **options: Any) -> int | None:
    """Publish prices of the relay's model, and have the relay read them."""
    async with unit_of_work() as session:
        version = await service.publish_prices(
            session,
            currency=options.get("currency", Currency.USD),
            rates={relay.model.id: rates},
            effective_at=clock.utc_now(),
            meant_for=meant_for,
        )
    await relay.runtime.policy._refresh()
    return version


async def give_plan(session: AsyncSession, organization_id: str, ratio_ppm: int) -> None:
    """Give an organization a plan."""
    now = clock.utc_now()
    await service.publish_plan(session, plan_name="partner", ratio_ppm=ratio_ppm, effective_at=now)
    await service.assign_plan(session, organization_id=organization_id, plan_name="partner", effective_at=now)


async def recomputed(record: UsageRecord) -> int:
    """Compute a charge from its record and the published prices alone, as docs/relay-api.md says."""
    async with read_session() as session:
        connection = await session.connection()
        rows = await connection.exec_driver_sql(
            "SELECT kind, from_input_tokens, micros_per_million FROM pricing_rate "
            f"WHERE version_id = {record.price_version_id} ORDER BY from_input_tokens"
        )
        rates = await connection.exec_driver_sql(
            f"SELECT rate_nanos FROM pricing_exchange_rate WHERE id = {record.exchange_rate_version}"
        )
        rate_nanos = rates.scalar() or 10**9
    total = record.input_tokens + record.cache_read_tokens + record.audio_in_tokens + record.image_in_tokens
    price = {row.kind: row.micros_per_million for row in rows if total >= row.from_input_tokens}
    picos = (
        record.input_tokens * price["input"]
        + record.audio_in_tokens * price.get("audio_in", price["input"])
        + record.image_in_tokens * price.get("image_in", price["input"])
        + (record.output_tokens - record.reasoning_tokens) * price["output"]
        + record.reasoning_tokens * price.get("reasoning", price["output"])
        + record.request_count * price.get("requests", 0)
    )
    scaled: int = picos * record.plan_ratio_ppm * rate_nanos
    divisor = 10**18
    return (2 * scaled + divisor) // (2 * divisor)


ALL_KINDS = ModelRates(
    {
        TokenKind.INPUT: 1_000_001, TokenKind.OUTPUT: 2_000_003, TokenKind.REASONING: 5_000_007,
        TokenKind.AUDIO_IN: 9_000_011, TokenKind.REQUESTS: 123_456_789,
    },
    (RateTier(100, {TokenKind.INPUT: 3_000_001}), RateTier(101, {TokenKind.INPUT: 7})),
)  # fmt: skip


class TestRecord:
    async def test_a_charge_can_be_recomputed_from_its_record(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion(usage=USAGE))
        async with unit_of_work() as session:
            await give_plan(session, relay.organization_id, 333_333)
        version = await publish(relay, ALL_KINDS)
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.input_tokens, record.audio_in_tokens, record.image_in_tokens) == (50, 30, 20)
        assert (record.output_tokens, record.reasoning_tokens, record.request_count) == (50, 10, 1)
        assert (record.price_version_id, record.plan_ratio_ppm) == (version, 333_333)
        picos = 70 * 3_000_001 + 30 * 9_000_011 + 40 * 2_000_003 + 10 * 5_000_007 + 123_456_789
        assert record.charge_nanos == (2 * picos * 333_333 + 10**9) // (2 * 10**9) == await recomputed(record)

    async def test_a_price_in_the_other_currency_is_converted(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion(usage=USAGE))
        async with unit_of_work() as session:
            await service.publish_exchange_rate(
                session,
                from_currency=Currency.CNY,
                to_currency=Currency.USD,
                rate_nanos=140_845_071,
                effective_at=clock.utc_now(),
            )
        await publish(relay, ALL_KINDS, For(Scope.CONTRACT, relay.organization_id), currency=Currency.CNY)
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.currency, record.exchange_rate_version) == (Currency.USD, 1)
        assert record.charge_nanos == await recomputed(record)

    async def test_without_an_exchange_rate_it_is_refused_and_never_free(self, relay: RunningRelay) -> None:
        await publish(relay, ALL_KINDS, For(Scope.CONTRACT, relay.organization_id), currency=Currency.CNY)
        answer = await relay.post()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "price_unknown")
        assert relay.upstream.exchanges == []

    async def test_prices_published_meanwhile_do_not_touch_a_call(self, relay: RunningRelay) -> None:
        first = relay.model.price_version_id
        usual = answers(200, completion(usage=usage_of(10, 10)))

        async def publishes_first(exchange: Any) -> None:
            await publish(relay, ModelRates({TokenKind.INPUT: 10**9, TokenKind.OUTPUT: 10**9}))
            await usual(exchange)

        relay.upstream.behave = publishes_first
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.price_version_id, record.charge_nanos) == (first, 10 * 1_000 + 10 * 2_000)

    async def test_an_explicit_zero_is_no_request_either(self, relay: RunningRelay) -> None:
        await publish(relay, ALL_KINDS)
        relay.upstream.behave = answers(200, completion(usage=usage_of(0, 0)))
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.usage_source, record.charge_nanos, record.request_count) == (UsageSource.UPSTREAM, 0, 0)


class TestHold:
    async def test_the_dearest_tier_that_the_bound_reaches_has_to_be_covered(self, relay_settings: Settings) -> None:
        window, most = 1_000, 10
        rates = ModelRates(
            {TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 1_000_000}, (RateTier(100, {TokenKind.INPUT: 5_000_000}),)
        )
        needed = 100 * 5_000 + most * 1_000
        async with running_relay(
            relay_settings, balance_nanos=needed, context_window_tokens=window, output_tokens_max=most
        ) as relay:
            await publish(relay, rates)
            assert (await relay.post()).status_code == 402  # the body and its overhead are longer than 100 bytes


class TestCost:
    async def test_the_channels_costs_are_on_the_record(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion(usage=usage_of(10, 20)))
        costs = ModelRates({TokenKind.INPUT: 500_000, TokenKind.OUTPUT: 700_000, TokenKind.REQUESTS: 9_000})
        await publish(relay, costs, For(Scope.COST, channel_id=relay.model.channel_id), currency=Currency.CNY)
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.cost_nanos, record.cost_currency) == (10 * 500 + 20 * 700 + 9, Currency.CNY)
        assert (record.charge_nanos, record.request_count) == (10 * 1_000 + 20 * 2_000, 0)

    async def test_an_unknown_cost_is_not_nothing(self, relay: RunningRelay) -> None:
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert (record.cost_nanos, record.cost_currency) == (None, None)

    async def test_what_a_call_without_an_answer_costs_is_not_known(self, relay: RunningRelay) -> None:
        costs = ModelRates({TokenKind.INPUT: 500_000, TokenKind.OUTPUT: 700_000})
        await publish(relay, costs, For(Scope.COST, channel_id=relay.model.channel_id))
        relay.upstream.behave = answers(400, {"error": {"message": "no"}})
        assert (await relay.post()).status_code == 400
        assert (await relay.only_record()).cost_nanos is None


@pytest.mark.row("A18")
class TestHostileUsage:
    @pytest.mark.parametrize(
        "usage",
        [
            pytest.param({"prompt_tokens": -5, "completion_tokens": 5}, id="negative"),
            pytest.param({"prompt_tokens": 2**63, "completion_tokens": 5}, id="beyond 64 bits"),
            pytest.param({"prompt_tokens": 5, "completion_tokens": 10**400}, id="beyond any machine"),
            pytest.param(
                {"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"audio_tokens": -(2**62)}},
                id="negative in the details",
            ),
            pytest.param(
                {"prompt_tokens": 5, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": -1}},
                id="negative reasoning",
            ),
        ],
    )
    async def test_is_not_believed_and_the_call_is_charged_by_estimate(
        self, relay: RunningRelay, usage: dict[str, Any]
    ) -> None:
        relay.upstream.behave = answers(200, completion("hello there", usage=usage))
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        assert record.usage_source is UsageSource.ESTIMATED
        assert 0 < record.charge_nanos < 10**6
        balance = await relay.balance()
        assert balance.held_nanos == 0
