"""Arranges what two people of finance do about prices: one makes a draft, the other one publishes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from onetoken_app import clock
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.catalog.service import put_model
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.pricing import drafts, terms
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.queries import price_book
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import For, publish_prices
from onetoken_app.pricing.terms import Terms
from onetoken_app.token_usage import TokenKind, TokenUsage
from tests.support.builders import an_organization

MAKER, COLLEAGUE = "per_maker", "per_colleague"
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shop:
    """A model at 100 micros a million, and two organizations."""

    model_id: str
    customer_id: str
    other_id: str


def priced(micros: int) -> ModelRates:
    """Price input and output alike."""
    return ModelRates({TokenKind.INPUT: micros, TokenKind.OUTPUT: micros})


async def a_shop(*, currency: Currency = Currency.USD) -> Shop:
    """Make it; the customer is billed in ``currency``."""
    async with unit_of_work() as session:
        model_id = await put_model(session, name="mock", context_window_tokens=10, output_tokens_max=5)
        now = clock.utc_now()
        await publish_prices(session, currency=Currency.USD, rates={model_id: priced(100)}, effective_at=now)
        return Shop(
            model_id=model_id,
            customer_id=await an_organization(session, currency=currency),
            other_id=await an_organization(session),
        )


async def propose(what: Terms, *, by: str = MAKER) -> int:
    """Make a draft of terms."""
    async with unit_of_work() as session:
        return await terms.propose_terms(session, what, proposed_by=by)


async def publish(draft_id: int, *, by: str = COLLEAGUE, notice: timedelta = WEEK) -> int | None:
    """Publish a draft of terms."""
    async with unit_of_work() as session:
        return await terms.publish_terms(session, draft_id, published_by=by, rise_notice=notice)


async def draft_prices(
    shop: Shop,
    micros: int,
    *,
    meant_for: For,
    from_: datetime | None = None,
    currency: Currency = Currency.USD,
    by: str = MAKER,
) -> int:
    """Make a draft of the model's prices."""
    async with unit_of_work() as session:
        return await drafts.make_draft(
            session,
            currency=currency,
            rates={shop.model_id: priced(micros)},
            source="a test",
            actor=Actor(ActorKind.PERSON, by),
            meant_for=meant_for,
            effective_at=from_,
        )


async def publish_drafted(draft_id: int, *, by: str = COLLEAGUE, notice: timedelta = WEEK) -> int | None:
    """Publish a draft of prices from its own moment on."""
    async with unit_of_work() as session:
        return await drafts.publish_draft(
            session, draft_id, effective_at=None, actor=Actor(ActorKind.PERSON, by), rise_notice=notice
        )


async def contracted(shop: Shop, micros: int, *, from_: datetime | None = None, until: datetime | None = None) -> int:
    """Publish contracted prices of the customer; return the version."""
    meant_for = For(Scope.CONTRACT, shop.customer_id, ends_at=until)
    version_id = await publish_drafted(await draft_prices(shop, micros, meant_for=meant_for, from_=from_))
    assert version_id is not None
    return version_id


async def charge_of(
    shop: Shop, *, at: datetime | None = None, organization_id: str = "", currency: Currency = Currency.USD
) -> int | None:
    """Return what the customer is charged for a million input tokens, in micros."""
    async with read_session() as session:
        book = await price_book(session, now=at or clock.utc_now())
    sheet = book.sheet_for(
        model_id=shop.model_id, organization_id=organization_id or shop.customer_id, currency=currency
    )
    return None if sheet is None else sheet.charge_for(TokenUsage(input=1_000_000)) // 1_000
