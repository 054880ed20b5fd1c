"""A charge is computed again from metadata alone, and whatever does not agree with the journal is said."""

import random
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlmodel import col, delete

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import Conflict, Gone, NotFound
from onetoken_app.ledger import service
from onetoken_app.ledger.kinds import AccountKind
from onetoken_app.money import Currency
from onetoken_app.pricing.models import ExchangeRate, PriceBookVersion, Rate, Scope
from onetoken_app.pricing.quote import Exchange, PriceSheet, RateTier
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind, TokenUsage, UsageSource
from onetoken_app.usage.explanation import ExplanationView, explain_call
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.receipts import COUNTERS
from onetoken_app.usage.recording import UsageDraft
from tests.support.builders import a_model
from tests.usage.books import PLENTY_NANOS, corrected, hold_of, open_account, perform, recovered, settled
from tests.usage.drafts import NOON, ORGANIZATION, a_draft, insert
from tests.usage.test_receipts import BASE, HIGHER, TIER, a_price_version

PLAIN = {TokenKind.INPUT: 2_000_000, TokenKind.OUTPUT: 6_000_000}


async def explained(request_id: str, *, organization_id: str | None = None) -> ExplanationView:
    """Explain a call."""
    async with read_session() as session:
        return await explain_call(session, request_id, organization_id=organization_id)


async def a_plain_call(settings: Settings, **values: Any) -> UsageDraft:
    """Draft a call of 100 and 10 tokens at 2.00 and 6.00: 260 000 nanos."""
    async with unit_of_work() as session:
        built = await a_model(session, settings, name="plain")
    plain = {"input_tokens": 100, "output_tokens": 10, "charge_nanos": 260_000, "usage_source": UsageSource.UPSTREAM}
    return a_draft(model_id=built.id, price_version_id=await a_version(built.id), **plain | values)


async def a_version(model_id: str, **values: Any) -> int:
    """Publish the plain prices of a model in dollars; return the version."""
    async with unit_of_work() as session:
        version = PriceBookVersion(currency=Currency.USD, effective_at=NOON, **values)
        session.add(version)
        await session.flush()
        assert version.id is not None
        session.add_all(
            Rate(version_id=version.id, model_id=model_id, kind=kind, micros_per_million=price)
            for kind, price in PLAIN.items()
        )
        return version.id


@pytest.mark.usefixtures("database")
class TestExplainCall:
    async def test_every_charge_is_computed_again_to_the_nano(self, database_settings: Settings) -> None:
        model_id, version_id = await a_price_version(database_settings, {0: BASE, TIER: HIGHER})
        async with unit_of_work() as session:
            rate = ExchangeRate(
                from_currency=Currency.CNY, to_currency=Currency.USD, rate_nanos=139_000_001, effective_at=NOON
            )
            session.add(rate)
            await session.flush()
            assert rate.id is not None
        exchange, chance = Exchange(rate.id, Currency.CNY, rate.rate_nanos), random.Random(7)
        for _ in range(12):
            usage = TokenUsage(**{field.name: chance.randrange(20_000) for field in fields(TokenUsage)})
            ratio_ppm = chance.choice([1_000_000, 900_001, 1_333_333])
            sheet = PriceSheet(version_id, model_id, Currency.USD, BASE, (RateTier(TIER, HIGHER),), ratio_ppm, exchange)
            counts: dict[str, Any] = {column: getattr(usage, kind.value) for kind, column in COUNTERS.items()}
            draft = a_draft(
                model_id=model_id, price_version_id=version_id, plan_ratio_ppm=ratio_ppm,
                exchange_rate_version=rate.id, charge_nanos=sheet.charge_for(usage),
                usage_source=UsageSource.UPSTREAM, **counts,
            )  # fmt: skip
            await settled(draft)
            told = await explained(draft.request_id)
            assert told.differences == ()
            assert told.computed_nanos == draft.charge_nanos
            assert told.prices is not None
            assert told.prices.scope is Scope.LIST

    async def test_it_says_which_lots_paid(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings)
        await open_account(ORGANIZATION)
        async with unit_of_work() as session:
            await service.grant_promotional_credit(
                session, owner_id=ORGANIZATION, currency=Currency.USD, amount_nanos=100_000, reference="gift",
                expires_at=NOON + timedelta(days=400),
            )  # fmt: skip
        await settled(draft)
        told = await explained(draft.request_id)
        assert [(paid.pot.kind, paid.pot.lot_id, paid.amount_nanos) for paid in told.closed.paid] == [
            (AccountKind.PROMOTIONAL, "gift", 100_000),
            (AccountKind.PREPAID, "", 160_000),
        ]
        assert told.differences == ()

    async def test_what_nobody_covered_is_borne_by_the_platform(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings)
        await open_account(ORGANIZATION, balance_nanos=1_000)
        await settled(draft)
        told = await explained(draft.request_id)
        assert (told.closed.charge_nanos, told.closed.absorbed_nanos) == (1_000, 259_000)
        assert [paid.is_absorbed for paid in told.closed.paid] == [False, True]
        assert told.differences == ()

    async def test_a_correction_counts(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings)
        await recovered(replace(draft, input_tokens=300, charge_nanos=660_000), closed_at=NOON)
        await corrected(draft, corrected_at=NOON + timedelta(minutes=1))
        told = await explained(draft.request_id)
        assert (told.closed.charge_nanos, told.closed.correction_nanos) == (260_000, -400_000)
        assert [paid.amount_nanos for paid in told.closed.paid] == [660_000, -400_000]
        assert told.differences == ()

    async def test_a_call_that_came_to_nothing_is_right(self) -> None:
        draft = a_draft()
        await settled(draft)
        told = await explained(draft.request_id)
        assert (told.computed_nanos, told.differences, told.shares) == (0, (), ())


@pytest.mark.usefixtures("database")
class TestDifferences:
    async def test_a_charge_that_the_metadata_does_not_come_to(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings, charge_nanos=260_001)
        await settled(draft)
        (difference,) = (await explained(draft.request_id)).differences
        assert difference == "the metadata comes to 0.00026 USD, the journal charged and absorbed 0.000260001 USD"

    async def test_a_record_of_another_charge_and_source(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings)
        await settled(draft)
        await insert(replace(draft, charge_nanos=1, usage_source=UsageSource.ESTIMATED))
        assert (await explained(draft.request_id)).differences == (
            "the journal charged 0.00026 USD, the call's record says 0.000000001 USD",
            "the record's usage is estimated, the journal's upstream",
        )

    async def test_a_contract_of_somebody_else(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings)
        other = await a_version(draft.model_id, scope=Scope.CONTRACT, organization_id="org_2")
        await settled(replace(draft, price_version_id=other))
        (difference,) = (await explained(draft.request_id)).differences
        assert "a contract of another organization" in difference

    async def test_a_price_version_that_is_not_there(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings)
        await settled(replace(draft, price_version_id=99))
        differences = (await explained(draft.request_id)).differences
        assert "there is no price version 99" in differences


@pytest.mark.usefixtures("database")
class TestCallsWithoutAnExplanation:
    async def test_an_unknown_one(self) -> None:
        with pytest.raises(NotFound, match="no call req_nobody"):
            await explained("req_nobody")

    async def test_something_that_is_no_request_id(self) -> None:
        with pytest.raises(NotFound, match="begins with req_"):
            await explained("org_1")

    async def test_one_of_another_organization(self) -> None:
        draft = a_draft()
        await settled(draft)
        with pytest.raises(NotFound, match="another organization than org_2"):
            await explained(draft.request_id, organization_id="org_2")
        assert (await explained(draft.request_id, organization_id=ORGANIZATION)).differences == ()

    async def test_one_that_is_open(self) -> None:
        draft = a_draft()
        await open_account(ORGANIZATION, balance_nanos=PLENTY_NANOS)
        held = hold_of(draft)
        await perform(msgspec.structs.replace(held, amount_nanos=5_000), moment=NOON)
        with pytest.raises(Conflict, match=r"still open: 0\.000005 USD are set aside"):
            await explained(draft.request_id)

    async def test_one_whose_record_is_purged(self, database_settings: Settings) -> None:
        draft = await a_plain_call(database_settings)
        await settled(draft)
        async with unit_of_work() as session:
            await session.exec(delete(UsageRecord).where(col(UsageRecord.request_id) == draft.request_id))
        with pytest.raises(Gone, match=r"settled at .*, 0\.00026 USD charged"):
            await explained(draft.request_id)
