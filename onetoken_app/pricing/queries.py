"""Reads the price book: what is in force at a moment, and when that changes by itself."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.catalog.models import Channel
from onetoken_app.database import UtcDateTime
from onetoken_app.money import Currency, MicrosPerMillion
from onetoken_app.organizations.models import Organization
from onetoken_app.pricing.models import (
    ExchangeRate,
    PlanAssignment,
    PlanVersion,
    PriceBookVersion,
    Rate,
    Scope,
    VersionEnd,
    VersionSeal,
)
from onetoken_app.pricing.price_book import Place, PriceBook, PricesInForce, Terms
from onetoken_app.pricing.quote import Exchange, PriceSheet
from onetoken_app.pricing.rates import rates_from_rows
from onetoken_app.token_usage import TokenKind


async def price_book(session: AsyncSession, *, now: datetime) -> PriceBook:
    """Return everything that is in force at ``now``."""
    return PriceBook(
        prices=await prices_in_force(session, now=now),
        ratios=await plan_ratios(session, now=now),
        exchanges=await exchanges_in_force(session, now=now),
    )


async def price_sheets(session: AsyncSession, *, now: datetime) -> dict[tuple[str, Currency], PriceSheet]:
    """Return the sheets of ``public_terms``."""
    return {place: terms.sheet for place, terms in (await public_terms(session, now=now)).items()}


async def public_terms(session: AsyncSession, *, now: datetime) -> dict[tuple[str, Currency], Terms]:
    """Return the list in force at ``now``, with offers in their places, by model and currency.

    It is what everybody sees: no plan, contract or exchange is in it. A model whose input or output has no price is
    left out.
    """
    in_force = await prices_in_force(session, now=now)
    terms = {}
    for scope in (Scope.LIST, Scope.OFFER):
        for place, priced in in_force.items():
            sheet = priced.sheet(place) if place.scope is scope else None
            if sheet is not None:
                terms[place.model_id, place.currency] = Terms(sheet, scope, priced.until)
    return terms


async def next_price_change_at(session: AsyncSession, *, now: datetime) -> datetime | None:
    """Return when prices change next without anybody publishing, or ``None``."""
    moments = (
        PriceBookVersion.effective_at, PriceBookVersion.ends_at, VersionEnd.ends_at, PlanVersion.effective_at,
        PlanAssignment.effective_at, ExchangeRate.effective_at,
    )  # fmt: skip
    columns: list[Any] = [col(moment) for moment in moments]
    parts = [sa.select(column.label("moment")).where(column > now) for column in columns]
    coming = sa.union_all(*parts).subquery()
    query = sa.select(sa.func.min(coming.c.moment, type_=UtcDateTime()))
    return (await _all(session, query))[0][0]  # type: ignore[no-any-return] # the one column is a moment or nothing


async def prices_in_force(session: AsyncSession, *, now: datetime) -> dict[Place, PricesInForce]:
    """Return the prices in force at ``now``, of every scope.

    They are those of the latest version of a scope, effective by then and not ended, that names the model; of two
    versions with the same moment the one published last counts.
    """
    rank = (
        sa.func.rank()
        .over(
            partition_by=(
                col(Rate.model_id), col(PriceBookVersion.currency), col(PriceBookVersion.scope),
                col(PriceBookVersion.organization_id), col(PriceBookVersion.channel_id),
            ),
            order_by=(col(PriceBookVersion.effective_at).desc(), col(PriceBookVersion.id).desc()),
        )
        .label("version_rank")
    )  # fmt: skip
    ranked = (
        sa.select(
            col(Rate.model_id), col(PriceBookVersion.currency), col(PriceBookVersion.scope),
            col(PriceBookVersion.organization_id), col(PriceBookVersion.channel_id), col(PriceBookVersion.ends_at),
            col(VersionEnd.ends_at).label("ended_early_at"), col(Rate.version_id), col(Rate.kind),
            col(Rate.from_input_tokens), col(Rate.micros_per_million), rank,
        )
        .join(PriceBookVersion, col(PriceBookVersion.id) == col(Rate.version_id))
        .join(VersionSeal, col(VersionSeal.version_id) == col(Rate.version_id))
        .join(VersionEnd, col(VersionEnd.version_id) == col(PriceBookVersion.id), isouter=True)
        .where(
            col(PriceBookVersion.effective_at) <= now,
            sa.or_(col(PriceBookVersion.ends_at).is_(None), col(PriceBookVersion.ends_at) > now),
            sa.or_(col(VersionEnd.ends_at).is_(None), col(VersionEnd.ends_at) > now),
        )
        .subquery()
    )  # fmt: skip
    prices: defaultdict[Place, list[tuple[TokenKind, int, MicrosPerMillion]]] = defaultdict(list)
    versions: dict[Place, tuple[int, datetime | None, datetime | None]] = {}
    for row in await _all(session, sa.select(ranked).where(ranked.c.version_rank == 1)):
        place = Place(row.model_id, row.currency, row.scope, row.organization_id, row.channel_id)
        versions[place] = (row.version_id, row.ends_at, row.ended_early_at)
        prices[place].append((row.kind, row.from_input_tokens, row.micros_per_million))
    return {
        place: PricesInForce(version_id, rates_from_rows(prices[place]), ends_at, ended_early_at)
        for place, (version_id, ends_at, ended_early_at) in versions.items()
    }


@dataclass(frozen=True, slots=True)
class VersionView:
    """A published version, as staff see it."""

    id: int
    scope: Scope
    currency: Currency
    organization_name: str | None
    """Of a contract: whose."""
    channel_name: str | None
    """Of costs: whose."""
    effective_at: datetime
    ends_at: datetime | None
    """The early end, where there is one."""
    published_at: datetime
    published_by: str | None
    """The person; unset: the operator, by file or command."""
    model_count: int


async def published_versions(session: AsyncSession, *, limit: int, before: int | None = None) -> list[VersionView]:
    """Return published versions of every scope, the last first.

    Args:
        session: For reading.
        limit: How many at most.
        before: Only those with a smaller number; ``None``: from the newest on.
    """
    model_count = (
        sa.select(sa.func.count(sa.distinct(col(Rate.model_id))))
        .where(col(Rate.version_id) == col(PriceBookVersion.id))
        .scalar_subquery()
    )
    query = (
        sa.select(
            col(PriceBookVersion.id), col(PriceBookVersion.scope), col(PriceBookVersion.currency),
            col(Organization.name).label("organization_name"), col(Channel.name).label("channel_name"),
            col(PriceBookVersion.effective_at),
            sa.func.coalesce(
                col(VersionEnd.ends_at), col(PriceBookVersion.ends_at), type_=UtcDateTime()
            ).label("ends_at"),
            col(PriceBookVersion.published_at), col(PriceBookVersion.published_by),
            model_count.label("model_count"),
        )
        .join(VersionSeal, col(VersionSeal.version_id) == col(PriceBookVersion.id))
        .join(VersionEnd, col(VersionEnd.version_id) == col(PriceBookVersion.id), isouter=True)
        .join(Organization, col(Organization.id) == col(PriceBookVersion.organization_id), isouter=True)
        .join(Channel, col(Channel.id) == col(PriceBookVersion.channel_id), isouter=True)
        .order_by(col(PriceBookVersion.id).desc())
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        query = query.where(col(PriceBookVersion.id) < before)
    return [VersionView(**row._mapping) for row in await _all(session, query)]  # noqa: SLF001 # SQLAlchemy's public name


async def plan_ratios(session: AsyncSession, *, now: datetime) -> dict[str, int]:
    """Return the ratio of each organization that has a plan at ``now``, in parts per million."""
    by_plan = await ratios_by_plan(session, now=now)
    plans = await plans_by_organization(session, now=now)
    return {organization_id: by_plan[plan] for organization_id, plan in plans.items() if plan in by_plan}


async def ratios_by_plan(session: AsyncSession, *, now: datetime) -> dict[str, int]:
    """Return what each plan multiplies prices by at ``now``, in parts per million."""
    rows = await _latest(session, PlanVersion, "plan_name", now=now)
    return {row.plan_name: row.ratio_ppm for row in rows}


async def plans_by_organization(session: AsyncSession, *, now: datetime) -> dict[str, str]:
    """Return the plan of each organization that has one at ``now``."""
    rows = await _latest(session, PlanAssignment, "organization_id", now=now)
    return {row.organization_id: row.plan_name for row in rows if row.plan_name}


async def exchanges_in_force(session: AsyncSession, *, now: datetime) -> dict[tuple[Currency, Currency], Exchange]:
    """Return the exchange rates at ``now``, by what is converted from and to."""
    rows = await _latest(session, ExchangeRate, "from_currency", "to_currency", now=now)
    return {
        (row.from_currency, row.to_currency): Exchange(
            version=row.id, from_currency=row.from_currency, rate_nanos=row.rate_nanos
        )
        for row in rows
    }


async def _latest(session: AsyncSession, table: type[SQLModel], *names: str, now: datetime) -> Sequence[Any]:
    """Return, for each value of the named columns, the row that became effective last; of two at once, the later."""
    columns = sa.inspect(table).columns
    order = (columns.effective_at.desc(), columns.id.desc())
    rank = sa.func.row_number().over(partition_by=[columns[name] for name in names], order_by=order).label("age_rank")
    ranked = sa.select(*columns, rank).where(columns.effective_at <= now).subquery()
    return await _all(session, sa.select(ranked).where(ranked.c.age_rank == 1))


async def _all(session: AsyncSession, query: sa.Executable) -> Sequence[Any]:
    """Run a statement of several columns; ``session.exec`` knows the types of SQLModel's own select only."""
    return list((await session.exec(query)).all())  # type: ignore[call-overload] # SQLModel types only its own select
