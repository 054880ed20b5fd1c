"""Reads for finance and for organizations: packages, grants, freezes, thresholds."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.credit.lots import model_names
from onetoken_app.credit.models import (
    BalanceAlert,
    Freeze,
    Grant,
    GrantKind,
    GrantState,
    Package,
    PackageModel,
)
from onetoken_app.money import Currency, Nanos
from onetoken_app.organizations.models import Organization


@dataclass(frozen=True, slots=True)
class PackageView:
    """A package that is or was for sale."""

    id: str
    name: str
    currency: Currency
    price_nanos: Nanos
    bonus_nanos: Nanos
    valid_days: int
    model_names: tuple[str, ...]
    """None: every model."""
    offered_at: datetime
    is_withdrawn: bool
    token_count: int
    """0: it is credit, not tokens."""


@dataclass(frozen=True, slots=True)
class GrantView:
    """Credit that was given or is to be."""

    id: str
    organization_id: str
    organization_name: str
    kind: GrantKind
    currency: Currency
    amount_nanos: Nanos
    expires_at: datetime
    reason: str
    state: GrantState
    proposed_by: str
    """A person's id."""
    proposed_at: datetime
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class FreezeView:
    """A time in which an organization may place no new hold."""

    reason: str
    frozen_by: str
    """A person's id."""
    frozen_at: datetime
    lift_reason: str
    lifted_by: str | None
    lifted_at: datetime | None
    """Unset: it is in force."""


@dataclass(frozen=True, slots=True)
class AlertView:
    """Below what an organization is told by mail."""

    threshold_nanos: Nanos
    is_below: bool
    told_at: datetime | None


async def packages(session: AsyncSession, *, currency: Currency | None = None) -> list[PackageView]:
    """Return packages, those for sale first, each cheapest first.

    Args:
        session: Any session.
        currency: Only those for sale in it; ``None``: all that there ever were.
    """
    query = select(Package).order_by(col(Package.price_nanos), col(Package.id))
    if currency is not None:
        query = query.where(Package.currency == currency, col(Package.withdrawn_at).is_(None))
    rows = (await session.exec(query)).all()
    scopes: dict[str, list[str]] = {}
    for row in await session.exec(select(PackageModel).where(col(PackageModel.package_id).in_([p.id for p in rows]))):
        scopes.setdefault(row.package_id, []).append(row.model_id)
    names = await model_names(session, {one for ids in scopes.values() for one in ids})
    views = [
        PackageView(
            id=row.id,
            name=row.name,
            currency=row.currency,
            price_nanos=row.price_nanos,
            bonus_nanos=row.bonus_nanos,
            valid_days=row.valid_days,
            model_names=tuple(sorted(names.get(one, one) for one in scopes.get(row.id, ()))),
            offered_at=row.offered_at,
            is_withdrawn=row.withdrawn_at is not None,
            token_count=row.token_count,
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: view.is_withdrawn)


async def grants(
    session: AsyncSession, *, organization_id: str | None = None, state: GrantState | None = None
) -> list[GrantView]:  # fmt: skip
    """Return grants, newest first, of one organization or in one state where that is named."""
    query = (
        select(Grant, Organization.name)
        .join(Organization, col(Organization.id) == col(Grant.organization_id))
        .order_by(col(Grant.id).desc())
    )
    if organization_id is not None:
        query = query.where(Grant.organization_id == organization_id)
    if state is not None:
        query = query.where(Grant.state == state)
    return [
        GrantView(
            id=row.id,
            organization_id=row.organization_id,
            organization_name=name,
            kind=row.kind,
            currency=row.currency,
            amount_nanos=row.amount_nanos,
            expires_at=row.expires_at,
            reason=row.reason,
            state=row.state,
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            decided_by=row.decided_by,
        )
        for row, name in await session.exec(query)
    ]


async def freezes_of(session: AsyncSession, organization_id: str) -> list[FreezeView]:
    """Return when an organization was frozen and why, newest first."""
    query = select(Freeze).where(Freeze.organization_id == organization_id).order_by(col(Freeze.id).desc())
    return [
        FreezeView(row.reason, row.frozen_by, row.frozen_at, row.lift_reason, row.lifted_by, row.lifted_at)
        for row in await session.exec(query)
    ]


async def freeze_in_force(session: AsyncSession, organization_id: str) -> FreezeView | None:
    """Return why an organization is frozen now; ``None``: it is not."""
    newest = await freezes_of(session, organization_id)
    return newest[0] if newest and newest[0].lifted_at is None else None


async def frozen_among(session: AsyncSession, organization_ids: Collection[str]) -> set[str]:
    """Return those of the organizations that are frozen."""
    query = select(Freeze.organization_id).where(
        col(Freeze.organization_id).in_(organization_ids), col(Freeze.lifted_at).is_(None)
    )
    return set(await session.exec(query))


async def alert_of(session: AsyncSession, organization_id: str) -> AlertView | None:
    """Return below what an organization is told; ``None``: never."""
    row = await session.get(BalanceAlert, organization_id)
    return AlertView(row.threshold_nanos, row.is_below, row.told_at) if row else None
