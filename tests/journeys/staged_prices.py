"""Prices of a staged business: every kind of a model, an offer, contracts, plans, exchange rates, and drafts of all."""

from datetime import timedelta

from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import OPERATOR, Actor
from onetoken_app.clock import utc_now
from onetoken_app.database import unit_of_work
from onetoken_app.money import Currency
from onetoken_app.pricing.drafts import make_draft
from onetoken_app.pricing.models import Scope, TermsKind
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
from onetoken_app.pricing.terms import Terms, propose_terms
from onetoken_app.token_usage import TokenKind
from tests.support.builders import BuiltModel

_DAY = timedelta(days=1)
_CONTRACTED = ModelRates({TokenKind.INPUT: 700_000, TokenKind.CACHE_READ: 70_000, TokenKind.OUTPUT: 1_999_999})


async def prices_of_every_kind(staff_id: str, models: list[BuiltModel]) -> None:
    """Price every kind of a model in another currency, with a tier; make drafts by hand, and as an import does."""
    every = ModelRates(
        {kind: 1_250_000 * number for number, kind in enumerate(TokenKind, start=1)},
        (RateTier(200_000, {TokenKind.INPUT: 2_500_000, TokenKind.OUTPUT: 17_500_000}),),
    )
    plain = ModelRates({TokenKind.INPUT: 1_000_000, TokenKind.OUTPUT: 2_400_001, TokenKind.REQUESTS: 4_000_000_000})
    made = (("console", Actor(ActorKind.PERSON, staff_id)), ("genai-prices 0.0.36", OPERATOR))
    async with unit_of_work() as session:
        await publish_prices(session, currency=Currency.CNY, rates={models[0].id: every}, effective_at=utc_now())
        offer = For(Scope.OFFER, ends_at=utc_now() + 30 * _DAY)
        await publish_prices(
            session, currency=Currency.USD, rates={models[1].id: plain}, effective_at=utc_now(), meant_for=offer
        )
        for source, actor in made:
            await make_draft(session, currency=Currency.USD, rates={models[0].id: plain}, source=source, actor=actor)


async def terms_of_every_kind(organization_id: str, model_id: str, *, staff_id: str, colleague_id: str) -> None:
    """Give an organization a plan and contracted prices, of now and to come; make drafts of what two people propose."""
    now = utc_now()
    async with unit_of_work() as session:
        for name, ratio_ppm, moment in (
            ("partner", 850_000, now), ("partner", 900_001, now + 40 * _DAY), ("Large customers 2027", 725_000, now),
        ):  # fmt: skip
            await publish_plan(session, plan_name=name, ratio_ppm=ratio_ppm, effective_at=moment)
        for plan, moment in (("partner", now), ("Large customers 2027", now + 35 * _DAY)):
            await assign_plan(session, organization_id=organization_id, plan_name=plan, effective_at=moment)
        for rate_nanos, moment in ((7_100_000_000, now), (7_123_456_789, now + 3 * _DAY)):
            await publish_exchange_rate(
                session, from_currency=Currency.USD, to_currency=Currency.CNY, rate_nanos=rate_nanos,
                effective_at=moment,
            )  # fmt: skip
        versions = [
            await publish_prices(
                session, currency=Currency.USD, rates={model_id: _CONTRACTED}, effective_at=begins,
                meant_for=For(Scope.CONTRACT, organization_id, ends_at=ends),
            )
            for begins, ends in ((now, now + 20 * _DAY), (now + 60 * _DAY, None))
        ]  # fmt: skip
        running, coming = (version or 0 for version in versions)
        await end_version(session, version_id=running, ends_at=now + 10 * _DAY)
        for terms, person_id in (
            (Terms(TermsKind.RATIO, plan_name="partner", ratio_ppm=800_000), staff_id),
            (Terms(TermsKind.PLAN, organization_id=organization_id, effective_at=now + 9 * _DAY), colleague_id),
            (Terms(TermsKind.END, version_id=coming, effective_at=now + 90 * _DAY), colleague_id),
        ):
            await propose_terms(session, terms, proposed_by=person_id)
