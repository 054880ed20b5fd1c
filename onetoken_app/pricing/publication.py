"""What surrounds a publication by people: whom it concerns, how early it has to be, and that they are told.

Prices are compared before and after, at the moment from which on the publication is in force, for every organization;
organizations that are charged by the same sheets are compared once.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.money import Currency
from onetoken_app.organizations.models import Organization
from onetoken_app.organizations.queries import members_of
from onetoken_app.pricing.errors import OwnOrganization, RiseTooSoon
from onetoken_app.pricing.models import PriceNotice, Scope
from onetoken_app.pricing.price_book import PriceBook
from onetoken_app.pricing.queries import price_book

_BOOK_LOCK = 7_305_417_003
"""Advisory lock on PostgreSQL: whoever holds it publishes. On SQLite writers exclude each other anyway."""
_SLACK = timedelta(hours=1)
"""A form that was filled in a little ago is not too late by that."""


@dataclass(frozen=True, slots=True)
class Affected:
    """An organization that is charged otherwise."""

    organization_id: str
    is_dearer: bool
    """Whether some use of some model is charged more, or a model has no price any more."""


@asynccontextmanager
async def publication(
    session: AsyncSession, *, effective_at: datetime, rise_notice: timedelta | None
) -> AsyncIterator[None]:
    """Surround what publishes prices or terms: nobody else publishes meanwhile, and whoever is concerned is noted.

    Args:
        session: Open unit of work; the caller commits.
        effective_at: From when on what is published is in force.
        rise_notice: How much earlier a rise has to be published; ``None``: the operator's own act, which is neither
            too early nor announced.

    Raises:
        RiseTooSoon: Somebody would pay more, too soon.
    """
    await lock_price_book(session)
    if rise_notice is None:
        yield
        return
    before = await price_book(session, now=effective_at)
    yield
    after = await price_book(session, now=effective_at)
    affected = await affected_organizations(session, before=before, after=after)
    earliest_at = clock.utc_now() + rise_notice
    is_too_soon = bool(rise_notice) and effective_at < earliest_at - _SLACK
    if is_too_soon and any(one.is_dearer for one in affected):
        raise RiseTooSoon(
            "Some customers would pay more by this, and a rise is published "
            f"{rise_notice.days} days before it takes effect. Nothing was published. "
            f"Choose {earliest_at:%Y-%m-%d %H:%M} UTC or later.",
            parameter="effective_at",
        )
    session.add_all(
        PriceNotice(organization_id=one.organization_id, effective_at=effective_at, is_dearer=one.is_dearer)
        for one in affected
    )
    await session.flush()


async def lock_price_book(session: AsyncSession) -> None:
    """Let nobody else publish until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        await (await session.connection()).execute(sa.select(sa.func.pg_advisory_xact_lock(_BOOK_LOCK)))


async def affected_organizations(session: AsyncSession, *, before: PriceBook, after: PriceBook) -> list[Affected]:
    """Return the organizations that two price books charge differently for some model; a new model changes nothing."""
    contracting = {
        place.organization_id for book in (before, after) for place in book.prices if place.scope is Scope.CONTRACT
    }
    model_ids = sorted({place.model_id for place in before.prices if place.scope is not Scope.COST})
    rises: dict[tuple[Currency, int | None, int | None, str], list[bool]] = {}
    affected = []
    query = select(Organization.id, Organization.currency).order_by(col(Organization.id))
    for organization_id, billed_in in await session.exec(query):
        currency = Currency(billed_in)
        own_id = organization_id if organization_id in contracting else ""
        key = (currency, before.ratios.get(organization_id), after.ratios.get(organization_id), own_id)
        if key not in rises:
            rises[key] = list(_rises(before, after, organization_id, currency, model_ids))
        if rises[key]:
            affected.append(Affected(organization_id, is_dearer=any(rises[key])))
    return affected


async def refuse_members(session: AsyncSession, *, organization_id: str | None, person_id: str | None) -> None:
    """Refuse whoever would set the prices of their own organization.

    Raises:
        OwnOrganization: They belong to it.
    """
    if organization_id is None or person_id is None:
        return
    if person_id in {member.person_id for member in await members_of(session, organization_id)}:
        raise OwnOrganization("You belong to this organization. Nothing was changed. A colleague has to do it.")


def _rises(
    before: PriceBook, after: PriceBook, organization_id: str, currency: Currency, model_ids: list[str]
) -> Iterator[bool]:
    """Say for each model that is charged differently whether some use of it is dearer."""
    for model_id in model_ids:
        old, new = (
            book.sheet_for(model_id=model_id, organization_id=organization_id, currency=currency)
            for book in (before, after)
        )
        if old is None or old == new:
            continue
        if new is None or new.exceeds(old):
            yield True
        elif old.exceeds(new):
            yield False
