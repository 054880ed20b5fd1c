"""Keeps the periods of contracted prices and of offers apart: which one holds must not have to be worked out.

Prices may take the place of earlier ones for good. What is refused is the rest: prices that would come back by
themselves when others end, and prices that others would cut off in the middle.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.clock import iso_instant
from onetoken_app.database import UtcDateTime
from onetoken_app.errors import BadRequest
from onetoken_app.money import Currency
from onetoken_app.organizations.models import Organization
from onetoken_app.pricing.errors import PricesOverlap
from onetoken_app.pricing.models import PriceBookVersion, Rate, Scope, VersionEnd, VersionSeal
from onetoken_app.pricing.queries import exchanges_in_force
from onetoken_app.pricing.service import For


async def refuse_overlap(
    session: AsyncSession, *, meant_for: For, currency: Currency, model_ids: Collection[str], effective_at: datetime
) -> None:
    """Refuse an offer or contracted prices that would share a time with others of the same models.

    Raises:
        PricesOverlap: Others begin while these last, or last longer than these.
    """
    if meant_for.scope not in {Scope.OFFER, Scope.CONTRACT}:
        return
    ends_at = sa.func.coalesce(col(VersionEnd.ends_at), col(PriceBookVersion.ends_at), type_=UtcDateTime())
    query = (
        select(PriceBookVersion.id, PriceBookVersion.effective_at, ends_at)
        .join(VersionSeal, col(VersionSeal.version_id) == col(PriceBookVersion.id))
        .join(VersionEnd, col(VersionEnd.version_id) == col(PriceBookVersion.id), isouter=True)
        .where(
            PriceBookVersion.scope == meant_for.scope,
            PriceBookVersion.currency == currency,
            col(PriceBookVersion.organization_id) == meant_for.organization_id
            if meant_for.organization_id
            else col(PriceBookVersion.organization_id).is_(None),
            col(PriceBookVersion.id).in_(select(Rate.version_id).where(col(Rate.model_id).in_(model_ids))),
            sa.or_(ends_at.is_(None), ends_at > effective_at),
        )
        .order_by(col(PriceBookVersion.id))
    )
    found: Sequence[tuple[int, datetime, datetime | None]] = (await session.exec(query)).all()  # type: ignore[assignment] # the outer join's end may be missing
    for version_id, begins_at, until in found:
        begins_later = begins_at > effective_at and (meant_for.ends_at is None or begins_at < meant_for.ends_at)
        lasts_longer = (
            begins_at <= effective_at and meant_for.ends_at is not None and (until is None or until > meant_for.ends_at)
        )
        never_holds = until is not None and until <= begins_at
        if (begins_later or lasts_longer) and not never_holds:
            words = f"from {iso_instant(begins_at)[:16]}" + (
                f" to {iso_instant(until)[:16]} UTC" if until else " UTC on"
            )
            raise PricesOverlap(
                f"Version {version_id} has prices of the same model for the same customers {words}, and would share a "
                "time with these. Nothing was done. End that one first, or choose other moments."
            )


async def refuse_unconvertible(
    session: AsyncSession, *, meant_for: For, currency: Currency, effective_at: datetime
) -> None:
    """Refuse contracted prices in a currency that the organization could not be charged in.

    Raises:
        BadRequest: It is billed in the other currency, and there is no exchange rate by then.
    """
    if meant_for.scope is not Scope.CONTRACT or meant_for.organization_id is None:
        return
    customer = await session.get(Organization, meant_for.organization_id)
    if customer is None or customer.currency is currency:
        return
    if (currency, customer.currency) not in await exchanges_in_force(session, now=effective_at):
        raise BadRequest(
            f"This organization is billed in {customer.currency.value}, and there is no exchange rate from "
            f"{currency.value} by then, so that its calls would be refused. Nothing was done. Choose the other "
            "currency, or publish a rate first.",
            parameter="currency",
        )
