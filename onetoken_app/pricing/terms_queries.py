"""Reads plans, organizations' plans, exchange rates, offers and contracted prices, and drafts of them, for staff."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.database import UtcDateTime
from onetoken_app.money import Currency, MicrosPerMillion
from onetoken_app.pricing.models import (
    DraftState,
    ExchangeRate,
    PlanAssignment,
    PlanVersion,
    PriceBookVersion,
    Rate,
    Scope,
    TermsDraft,
    TermsKind,
    VersionEnd,
    VersionSeal,
)
from onetoken_app.pricing.queries import exchanges_in_force, plans_by_organization, ratios_by_plan
from onetoken_app.pricing.rates import ModelRates, rates_from_rows
from onetoken_app.pricing.service import numbered
from onetoken_app.token_usage import TokenKind


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan."""

    name: str
    ratio_ppm: int | None
    """Now; unset: it begins later."""
    organization_count: int
    """How many have it now."""
    coming: tuple[tuple[int, datetime], ...]
    """Ratios to come, in parts per million, each with its moment."""


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """That an organization has a plan from a moment on."""

    plan_name: str
    """Empty: none any more."""
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class SpecialView:
    """A version of an offer or of contracted prices that is not over."""

    version_id: int
    scope: Scope
    currency: Currency
    effective_at: datetime
    ends_at: datetime | None
    """The early end, where there is one."""
    is_ended_early: bool
    rates: tuple[tuple[str, ModelRates], ...]
    """By model."""


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """A version of an exchange rate."""

    version: int
    from_currency: Currency
    to_currency: Currency
    rate_nanos: int
    effective_at: datetime
    published_at: datetime
    is_in_force: bool


@dataclass(frozen=True, slots=True)
class TermsDraftView:
    """A draft of terms, beside what is in force by its moment."""

    id: int
    kind: TermsKind
    plan_name: str
    plan_name_before: str
    ratio_ppm: int | None
    ratio_ppm_before: int | None
    organization_id: str | None
    from_currency: Currency | None
    to_currency: Currency | None
    rate_nanos: int | None
    rate_nanos_before: int | None
    version_id: int | None
    ends_at_before: datetime | None
    """Of an end: when the version ends otherwise; unset: not by itself."""
    effective_at: datetime | None
    created_at: datetime
    created_by: str


async def plans(session: AsyncSession, *, now: datetime) -> list[PlanView]:
    """Return every plan, by name."""
    ratios = await ratios_by_plan(session, now=now)
    counts = Counter((await plans_by_organization(session, now=now)).values())
    coming: defaultdict[str, list[tuple[int, datetime]]] = defaultdict(list)
    query = select(PlanVersion).where(col(PlanVersion.effective_at) > now).order_by(col(PlanVersion.effective_at))
    for row in await session.exec(query):
        coming[row.plan_name].append((row.ratio_ppm, row.effective_at))
    return [
        PlanView(name, ratios.get(name), counts[name], tuple(coming[name])) for name in sorted({*ratios, *list(coming)})
    ]


async def assignments_of(session: AsyncSession, organization_id: str) -> list[AssignmentView]:
    """Return which plans an organization has, had and will have, the last first."""
    query = (
        select(PlanAssignment)
        .where(PlanAssignment.organization_id == organization_id)
        .order_by(col(PlanAssignment.effective_at).desc(), col(PlanAssignment.id).desc())
    )
    return [AssignmentView(row.plan_name, row.effective_at) for row in await session.exec(query)]


async def special_versions(
    session: AsyncSession, *, now: datetime, organization_id: str | None = None
) -> list[SpecialView]:
    """Return the contracted prices of an organization, or without one the offers, that are in force or to come."""
    ends_at = sa.func.coalesce(col(VersionEnd.ends_at), col(PriceBookVersion.ends_at), type_=UtcDateTime())
    whose = (
        PriceBookVersion.scope == Scope.OFFER
        if organization_id is None
        else sa.and_(
            col(PriceBookVersion.scope) == Scope.CONTRACT,
            col(PriceBookVersion.organization_id) == organization_id,
        )
    )
    query = (
        select(PriceBookVersion, ends_at, VersionEnd.version_id)
        .join(VersionSeal, col(VersionSeal.version_id) == col(PriceBookVersion.id))
        .join(VersionEnd, col(VersionEnd.version_id) == col(PriceBookVersion.id), isouter=True)
        .where(whose, sa.or_(ends_at.is_(None), sa.and_(ends_at > now, ends_at > col(PriceBookVersion.effective_at))))
        .order_by(col(PriceBookVersion.effective_at), col(PriceBookVersion.id))
    )
    found: Sequence[Any] = (await session.exec(query)).all()
    rates = await _rates_of(session, [numbered(row.id) for row, _, _ in found])
    return [
        SpecialView(
            numbered(row.id), row.scope, row.currency, row.effective_at, until, early is not None, rates[row.id]
        )
        for row, until, early in found
    ]


async def exchange_versions(session: AsyncSession, *, now: datetime, limit: int) -> list[ExchangeView]:
    """Return the last versions of exchange rates, those that begin last first."""
    in_force = {exchange.version for exchange in (await exchanges_in_force(session, now=now)).values()}
    query = (
        select(ExchangeRate).order_by(col(ExchangeRate.effective_at).desc(), col(ExchangeRate.id).desc()).limit(limit)
    )
    return [
        ExchangeView(
            version=numbered(row.id),
            from_currency=row.from_currency,
            to_currency=row.to_currency,
            rate_nanos=row.rate_nanos,
            effective_at=row.effective_at,
            published_at=row.published_at,
            is_in_force=row.id in in_force,
        )
        for row in await session.exec(query)
    ]


async def waiting_terms(session: AsyncSession) -> list[TermsDraftView]:
    """Return the drafts that wait, newest first."""
    query = select(TermsDraft).where(TermsDraft.state == DraftState.OPEN).order_by(col(TermsDraft.id).desc())
    return [await _draft_view(session, row) for row in (await session.exec(query)).all()]


async def coming_moments(session: AsyncSession, *, organization_id: str, now: datetime, limit: int) -> list[datetime]:
    """Return when prices of an organization may change by themselves, the next first."""
    is_theirs = sa.or_(
        col(PriceBookVersion.scope).in_((Scope.LIST, Scope.OFFER)),
        col(PriceBookVersion.organization_id) == organization_id,
    )
    ends: sa.Select[Any] = sa.select(col(VersionEnd.ends_at).label("moment")).join(
        PriceBookVersion, col(PriceBookVersion.id) == col(VersionEnd.version_id)
    )
    parts: list[sa.Select[Any]] = [
        sa.select(col(PriceBookVersion.effective_at).label("moment")).where(is_theirs),
        sa.select(col(PriceBookVersion.ends_at).label("moment")).where(is_theirs),
        ends.where(is_theirs),
        sa.select(col(PlanVersion.effective_at).label("moment")),
        sa.select(col(PlanAssignment.effective_at).label("moment")).where(
            col(PlanAssignment.organization_id) == organization_id
        ),
        sa.select(col(ExchangeRate.effective_at).label("moment")),
    ]
    moments = sa.union(*parts).subquery()
    query = sa.select(moments.c.moment).where(moments.c.moment > now).order_by(moments.c.moment).limit(limit)
    return list((await (await session.connection()).execute(query)).scalars())


async def _draft_view(session: AsyncSession, row: TermsDraft) -> TermsDraftView:
    """Put a draft beside what is in force by its moment."""
    at = max(row.effective_at or clock.utc_now(), clock.utc_now())
    had = (await plans_by_organization(session, now=at)).get(row.organization_id or "", "")
    ratios = await ratios_by_plan(session, now=at)
    pair = (row.from_currency or Currency.USD, row.to_currency or Currency.USD)
    exchange = (await exchanges_in_force(session, now=at)).get(pair)
    version = await session.get(PriceBookVersion, row.version_id) if row.version_id else None
    is_plan = row.kind is TermsKind.PLAN
    return TermsDraftView(
        id=numbered(row.id),
        kind=row.kind,
        plan_name=row.plan_name,
        plan_name_before=had if is_plan else "",
        ratio_ppm=ratios.get(row.plan_name) if is_plan else row.ratio_ppm,
        ratio_ppm_before=ratios.get(had if is_plan else row.plan_name),
        organization_id=row.organization_id,
        from_currency=row.from_currency,
        to_currency=row.to_currency,
        rate_nanos=row.rate_nanos,
        rate_nanos_before=exchange.rate_nanos if exchange else None,
        version_id=row.version_id,
        ends_at_before=version.ends_at if version else None,
        effective_at=row.effective_at,
        created_at=row.created_at,
        created_by=row.created_by,
    )


async def _rates_of(session: AsyncSession, version_ids: list[int]) -> dict[int, tuple[tuple[str, ModelRates], ...]]:
    """Return the prices of some versions, by model."""
    rows: defaultdict[int, defaultdict[str, list[tuple[TokenKind, int, MicrosPerMillion]]]]
    rows = defaultdict(lambda: defaultdict(list))
    for rate in await session.exec(select(Rate).where(col(Rate.version_id).in_(version_ids))):
        rows[rate.version_id][rate.model_id].append((rate.kind, rate.from_input_tokens, rate.micros_per_million))
    return {
        version_id: tuple((model_id, rates_from_rows(prices)) for model_id, prices in sorted(models.items()))
        for version_id, models in rows.items()
    }
