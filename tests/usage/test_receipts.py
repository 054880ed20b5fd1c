"""A receipt alone is enough to recompute a charge: by an oracle of exact fractions, which shares no code with it."""

import random
from dataclasses import fields
from fractions import Fraction
from typing import Any

import pytest

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.money import Currency, parse_amount
from onetoken_app.pricing.models import ExchangeRate, PriceBookVersion, Rate
from onetoken_app.pricing.quote import Exchange, PriceSheet, RateTier
from onetoken_app.relay.receipts import receipt_object
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind, TokenUsage, UsageSource
from onetoken_app.usage.receipts import COUNTERS, receipt_of
from tests.support.builders import a_model
from tests.usage.books import open_account, settled
from tests.usage.drafts import NOON, ORGANIZATION, a_draft

TIER = 50_000
BASE = {
    TokenKind.INPUT: 1_250_001, TokenKind.OUTPUT: 10_000_003, TokenKind.CACHE_READ: 125_007, TokenKind.IMAGE_IN: 3,
    TokenKind.AUDIO_OUT: 64_000_001, TokenKind.REQUESTS: 7_000_000_001, TokenKind.AUDIO_MS: 360_000_000_001,
    TokenKind.WEB_SEARCHES: 10**10 + 1,
}  # fmt: skip
HIGHER = {TokenKind.INPUT: 2_500_001, TokenKind.REASONING: 4_000_001}


def recomputed(receipt: dict[str, Any]) -> int:
    """Compute nanos from what a caller reads, and nothing else."""
    total = sum(Fraction(line["count"]) * Fraction(line["price"]) / line["per"] for line in receipt["lines"])
    total *= Fraction(receipt["plan_ratio"])
    if receipt["exchange_rate"]:
        total *= Fraction(receipt["exchange_rate"]["rate"])
    nanos: int = (total * 10**9 + Fraction(1, 2)).__floor__()
    return nanos


async def receipt_object_of(request_id: str, *, organization_id: str = ORGANIZATION) -> dict[str, Any] | None:
    """Read a receipt as a caller does."""
    async with read_session() as session:
        receipt = await receipt_of(session, organization_id=organization_id, request_id=request_id)
    return receipt_object(receipt) if receipt else None


async def a_price_version(settings: Settings, rows: dict[int, dict[TokenKind, int]]) -> tuple[str, int]:
    """Publish prices of a model in renminbi; return the model and the version."""
    async with unit_of_work() as session:
        built = await a_model(session, settings, name="priced")
        version = PriceBookVersion(currency=Currency.CNY, effective_at=NOON)
        session.add(version)
        await session.flush()
        assert version.id is not None
        for threshold, rates in rows.items():
            for kind, price in rates.items():
                session.add(
                    Rate(
                        version_id=version.id, model_id=built.id, kind=kind, from_input_tokens=threshold,
                        micros_per_million=price,
                    )
                )  # fmt: skip
        return built.id, version.id


@pytest.mark.usefixtures("database")
class TestReceiptOf:
    async def test_every_charge_can_be_recomputed_from_its_receipt(self, database_settings: Settings) -> None:
        model_id, version_id = await a_price_version(database_settings, {0: BASE, TIER: HIGHER})
        async with unit_of_work() as session:
            rate = ExchangeRate(
                from_currency=Currency.CNY, to_currency=Currency.USD, rate_nanos=139_000_001, effective_at=NOON
            )
            session.add(rate)
            await session.flush()
            assert rate.id is not None
        exchange = Exchange(rate.id, Currency.CNY, rate.rate_nanos)
        chance = random.Random(11)
        for number in range(24):
            usage = TokenUsage(**{field.name: chance.randrange(20_000) for field in fields(TokenUsage)})
            ratio_ppm = chance.choice([1_000_000, 900_001, 1_333_333])
            sheet = PriceSheet(version_id, model_id, Currency.USD, BASE, (RateTier(TIER, HIGHER),), ratio_ppm, exchange)
            counts: dict[str, Any] = {column: getattr(usage, kind.value) for kind, column in COUNTERS.items()}
            draft = a_draft(
                request_id=f"req_{number}", model_id=model_id, price_version_id=version_id, plan_ratio_ppm=ratio_ppm,
                exchange_rate_version=rate.id,
                charge_nanos=sheet.charge_for(usage),
                usage_source=UsageSource.UPSTREAM, **counts,
            )  # fmt: skip
            await settled(draft)
            receipt = await receipt_object_of(draft.request_id)
            assert receipt is not None
            assert recomputed(receipt) == draft.charge_nanos == parse_amount(str(receipt["charge"]))
            assert (receipt["tier_from_input_tokens"] == TIER) is (usage.input_total >= TIER)
            assert receipt["usage"] == counts

    async def test_what_no_balance_covered_is_on_it(self, database_settings: Settings) -> None:
        model_id, version_id = await a_price_version(database_settings, {0: BASE})
        await open_account(ORGANIZATION, balance_nanos=1_000)
        sheet = PriceSheet(version_id, model_id, Currency.CNY, BASE)
        charge_nanos = sheet.charge_for(TokenUsage(input=5_000))
        draft = a_draft(
            model_id=model_id, price_version_id=version_id, input_tokens=5_000, charge_nanos=charge_nanos,
            usage_source=UsageSource.UPSTREAM,
        )  # fmt: skip
        await settled(draft)
        receipt = await receipt_object_of(draft.request_id)
        assert receipt is not None
        charge, absorbed = (parse_amount(str(receipt[name])) for name in ("charge", "absorbed"))
        assert charge == 1_000
        assert charge + absorbed == recomputed(receipt) == charge_nanos

    async def test_another_organizations_call_has_none(self) -> None:
        draft = a_draft()
        await settled(draft)
        assert await receipt_object_of(draft.request_id, organization_id="org_2") is None
        assert await receipt_object_of("req_nobody") is None
        assert await receipt_object_of(draft.request_id) is not None

    def test_every_kind_has_its_counter(self) -> None:
        assert set(COUNTERS) == set(TokenKind)
