"""What anybody may read: agreements by version, their exact files, models with prices, how models answer."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from onetoken_app import clock
from onetoken_app.agreements.documents import TEXTS, Document, documents
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import channels, models_for_sale, routes_of
from onetoken_app.console.published_texts import PublishedTexts, address_of
from onetoken_app.console.shown import readings
from onetoken_app.console.shown.agreements import shown_agreement
from onetoken_app.console.shown.callable_models import offers_for
from onetoken_app.console.shown.offers import ShownOffer, regions_by_model, shown_offers
from onetoken_app.console.shown.readings import Operation, Span
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.organizations.queries import organization
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.queries import public_terms
from onetoken_app.pricing.quote import RateTier
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import (
    For,
    assign_plan,
    end_version,
    publish_exchange_rate,
    publish_plan,
    publish_prices,
)
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind
from tests.console.asgi_calls import post
from tests.support.builders import a_channel, a_model, an_organization
from tests.usage.drafts import a_draft, insert

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class TestShownAgreement:
    def test_without_a_version_it_is_the_one_in_force(self) -> None:
        shown = shown_agreement(AgreementKind.TERMS_OF_SERVICE, page="/terms", version="", locale="zh-CN", on=TODAY)
        assert shown is not None
        assert (shown.version, shown.is_current, shown.is_upcoming) == ("2026-05-18", True, False)
        assert shown.address == "/terms?version=2026-05-18"
        assert shown.file.endswith(".zh-CN.md")

    def test_a_version_has_the_same_address_for_ever(self) -> None:
        shown = shown_agreement(
            AgreementKind.PRIVACY_POLICY, page="/privacy", version="2026-05-18", locale="en", on=date(2030, 1, 1)
        )
        assert shown is not None
        assert [one.address for one in shown.versions] == ["/privacy?version=2026-05-18"]

    def test_a_language_without_a_text_reads_english(self) -> None:
        shown = shown_agreement(
            AgreementKind.TERMS_OF_SERVICE, page="/terms", version="2026-05-18", locale="fr", on=TODAY
        )
        assert shown is not None
        assert shown.file.endswith(".en.md")

    @pytest.mark.parametrize("version", ["2020-01-01", "../secrets", "<script>"])
    def test_a_version_that_never_was_is_none(self, version: str) -> None:
        kind = AgreementKind.TERMS_OF_SERVICE
        assert shown_agreement(kind, page="/terms", version=version, locale="en", on=TODAY) is None


class TestPublishedTexts:
    @pytest.mark.parametrize("document", documents(TEXTS), ids=address_of)
    async def test_serve_the_exact_file(self, document: Document) -> None:
        answer = await post(PublishedTexts(), address_of(document), {}, method="GET")
        assert answer.status == 200
        assert hashlib.sha256(answer.body).hexdigest() == document.sha256
        assert answer.header("content-type") == "text/markdown; charset=utf-8"

    @pytest.mark.parametrize("name", ["", "x.md", "../documents.py", "..%2fdocuments.py"])
    async def test_serve_nothing_else(self, name: str) -> None:
        answer = await post(PublishedTexts(), f"/texts/{name}", {}, method="GET")
        assert (answer.status, answer.body) == (404, b"")


class TestShownOffers:
    async def test_a_row_names_prices_and_regions(self, sqlite_database: Database, sqlite_settings: Settings) -> None:
        assert sqlite_database.is_sqlite
        async with unit_of_work() as session:
            abroad = await a_channel(session, sqlite_settings, region=Region.OVERSEAS)
            rates = {TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_500_000, TokenKind.CACHE_READ: 25_000}
            await a_model(session, sqlite_settings, name="far", channel_id=abroad, rates=rates)
        async with read_session() as session:
            found = await models_for_sale(session)
            terms = await public_terms(session, now=clock.utc_now())
            regions = regions_by_model(await routes_of(session), await channels(session))
        (offer,) = shown_offers(found, terms=terms, regions=regions, time_zone="UTC")
        assert (offer.model, offer.regions, offer.currency) == ("far", ["overseas"], "USD")
        assert [(one.kind, one.price, one.unit) for one in offer.prices] == [
            ("input", "1.00", "tokens"),
            ("cache_read", "0.025", "tokens"),
            ("output", "2.50", "tokens"),
        ]
        assert (offer.scope, offer.until, offer.ratio, offer.exchange) == ("list", "", "", "")
        assert shown_offers(found, terms={}, regions=regions, time_zone="UTC") == []


class TestOffersFor:
    async def test_ratio_and_exchange_are_in_the_price_to_the_last_digit(
        self, sqlite_database: Database, sqlite_settings: Settings
    ) -> None:
        assert sqlite_database.is_sqlite
        now, rates = clock.utc_now(), {TokenKind.INPUT: 7_000_001, TokenKind.OUTPUT: 0, TokenKind.IMAGES: 1}
        async with unit_of_work() as session:
            await a_model(session, sqlite_settings, currency=Currency.CNY, rates=rates)
            customer_id = await an_organization(session)
            await publish_plan(session, plan_name="pro", ratio_ppm=900_000, effective_at=now)
            await assign_plan(session, organization_id=customer_id, plan_name="pro", effective_at=now)
            await publish_exchange_rate(
                session,
                from_currency=Currency.CNY,
                to_currency=Currency.USD,
                rate_nanos=140_000_001,
                effective_at=now,
            )
        (offer,) = await offers_of(customer_id)
        assert [one.price for one in offer.prices] == ["0.8820001323000009", "0.00", "0.0000000000001260000009"]
        assert {one.currency for one in offer.prices} == {"USD"}
        assert (offer.ratio, offer.exchange, offer.published_in) == ("0.9", "0.140000001", "CNY")

    async def test_a_contract_says_until_when_and_has_no_ratio(
        self, sqlite_database: Database, sqlite_settings: Settings
    ) -> None:
        assert sqlite_database.is_sqlite
        now = clock.utc_now()
        agreed = ModelRates(
            {TokenKind.INPUT: 1, TokenKind.OUTPUT: 2_000_000}, (RateTier(200_000, {TokenKind.OUTPUT: 3_000_000}),)
        )
        async with unit_of_work() as session:
            model = await a_model(session, sqlite_settings)
            customer_id = await an_organization(session)
            await publish_plan(session, plan_name="pro", ratio_ppm=900_000, effective_at=now)
            await assign_plan(session, organization_id=customer_id, plan_name="pro", effective_at=now)
            contract = For(Scope.CONTRACT, customer_id, ends_at=datetime(2199, 1, 1, tzinfo=UTC))
            version_id = await publish_prices(
                session, currency=Currency.USD, rates={model.id: agreed}, effective_at=now, meant_for=contract
            )
            assert version_id is not None
        (offer,) = await offers_of(customer_id)
        assert [(one.price, one.from_tokens) for one in offer.prices] == [
            ("0.000001", ""), ("2.00", ""), ("3.00", "200,000")
        ]  # fmt: skip
        assert (offer.scope, offer.ratio, offer.until[:7]) == ("contract", "", "2199-01")
        async with unit_of_work() as session:
            ends_at = datetime(2198, 1, 1, tzinfo=UTC)
            await end_version(session, version_id=version_id, ends_at=ends_at)
        (offer,) = await offers_of(customer_id)
        assert offer.until[:7] == "2198-01"


async def offers_of(organization_id: str) -> list[ShownOffer]:
    """Read what an organization is shown."""
    async with read_session() as session:
        customer = await organization(session, organization_id)
        assert customer is not None
        return await offers_for(session, customer, now=clock.utc_now())


class TestReadings:
    @pytest.fixture(autouse=True)
    def _nothing_kept(self) -> Iterator[None]:
        readings.forget_readings()
        yield
        readings.forget_readings()

    async def test_every_model_for_sale_has_a_row(
        self, sqlite_database: Database, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert sqlite_database.is_sqlite
        monkeypatch.setattr(clock, "utc_now", lambda: NOW)
        async with unit_of_work() as session:
            good = await a_model(session, sqlite_settings, name="good")
            bad = await a_model(session, sqlite_settings, name="poor")
            await a_model(session, sqlite_settings, name="quiet")
        hour_ago = NOW - timedelta(hours=1)
        await insert(
            *[
                a_draft(model_id=good.id, response_status=200, first_byte_ms=1500, requested_at=hour_ago)
                for _ in range(10)
            ],
            *[a_draft(model_id=bad.id, response_status=200, requested_at=hour_ago) for _ in range(19)],
            a_draft(model_id=bad.id, response_status=504, requested_at=hour_ago),
        )
        found = await readings.readings(Span.DAY)
        assert [(row.model, row.operation, row.answered) for row in found.rows] == [
            ("good", "operational", "100.0 %"),
            ("poor", "degraded", "95.0 %"),
            ("quiet", "unmeasured", ""),
        ]
        assert found.rows[0].first_byte_median == "1.50 s"
        assert found.overall == Operation.DEGRADED

    async def test_are_read_once_a_minute(
        self, sqlite_database: Database, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert sqlite_database.is_sqlite
        assert (await readings.readings(Span.WEEK)).rows == ()
        async with unit_of_work() as session:
            await a_model(session, sqlite_settings)
        assert (await readings.readings(Span.WEEK)).rows == ()
        later = clock.monotonic_seconds() + readings.KEPT_SECONDS
        monkeypatch.setattr(clock, "monotonic_seconds", lambda: later)
        assert len((await readings.readings(Span.WEEK)).rows) == 1
