"""Reads lots with what they are called: which grant or package each comes from, and which models it is for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.catalog.models import Model
from onetoken_app.credit.models import Grant, GrantKind, Package, PackageSale
from onetoken_app.ledger.kinds import AccountKind
from onetoken_app.ledger.queries import BalanceView, LotView, balance_of, lots_of, standing_of
from onetoken_app.money import Currency, Nanos


class Origin(StrEnum):
    """Where a lot comes from."""

    PROMOTIONAL = "promotional"
    """Finance gave it."""
    TRIAL = "trial"
    """Finance gave it to try the service out."""
    PACKAGE = "package"
    """It was bought."""
    BONUS = "bonus"
    """It came with a package."""


@dataclass(frozen=True, slots=True)
class NamedLotView:
    """A lot with something left of it that has not expired."""

    origin: Origin
    package_name: str
    """Empty where it comes from no package."""
    left_nanos: Nanos
    """Open holds included."""
    held_nanos: Nanos
    expires_at: datetime | None
    model_names: tuple[str, ...]
    """None: every model. A model that is gone has its id."""
    unit_nanos: Nanos = 0
    """Of a package of tokens: what one token takes from it; 0: it is credit."""

    @property
    def tokens_left(self) -> int:
        """How many tokens are left, open holds included."""
        return self.left_nanos // self.unit_nanos if self.unit_nanos else 0

    @property
    def tokens_held(self) -> int:
        """How many of them open calls hold."""
        return self.held_nanos // self.unit_nanos if self.unit_nanos else 0


@dataclass(frozen=True, slots=True)
class SpendableView:
    """All that an organization can spend."""

    balance: BalanceView
    lots: list[NamedLotView]
    is_frozen: bool
    """No new call is paid for."""

    @property
    def in_lots_nanos(self) -> Nanos:
        """What lots have that no open call holds."""
        return sum(lot.left_nanos - lot.held_nanos for lot in self.lots)

    @property
    def on_any_model_nanos(self) -> Nanos:
        """What a call of any model can be paid from, a credit limit included."""
        free = sum(lot.left_nanos - lot.held_nanos for lot in self.lots if not lot.model_names)
        return self.balance.available_nanos + free

    @property
    def held_nanos(self) -> Nanos:
        """Set aside for calls that are under way."""
        return self.balance.held_nanos + sum(lot.held_nanos for lot in self.lots)


async def spendable_now(
    session: AsyncSession, *, organization_id: str, currency: Currency, now: datetime
) -> SpendableView:  # fmt: skip
    """Return all that an organization can spend in its currency."""
    return SpendableView(
        balance=await balance_of(session, owner_id=organization_id, currency=currency),
        lots=await named_lots_of(session, organization_id=organization_id, currency=currency, now=now),
        is_frozen=(await standing_of(session, owner_id=organization_id, currency=currency)).is_frozen,
    )


async def named_lots_of(
    session: AsyncSession, *, organization_id: str, currency: Currency, now: datetime
) -> list[NamedLotView]:
    """Return what an organization has beside its balance, in the order in which it is spent."""
    found = await lots_of(session, owner_id=organization_id, currency=currency, now=now)
    lots = [lot for lot in found if not lot.is_expired]
    named = {lot.lot_id: lot.lot_id.rpartition(":")[2] for lot in lots}
    trials = await _trials(session, named.values())
    packages = await _package_names(session, named.values())
    models = await model_names(session, {scope for lot in lots for scope in lot.scopes})
    return [
        NamedLotView(
            origin=_origin(lot, is_trial=named[lot.lot_id] in trials),
            package_name=packages.get(named[lot.lot_id], ""),
            left_nanos=lot.posted_nanos,
            held_nanos=lot.held_nanos,
            expires_at=lot.expires_at,
            model_names=tuple(models.get(scope, scope) for scope in lot.scopes),
            unit_nanos=lot.unit_nanos,
        )
        for lot in lots
    ]


async def model_names(session: AsyncSession, model_ids: Collection[str]) -> dict[str, str]:
    """Return what models are called, by id."""
    query = select(Model.id, Model.name).where(col(Model.id).in_(model_ids))
    return dict((await session.exec(query)).all())


def _origin(lot: LotView, *, is_trial: bool) -> Origin:
    """Judge where a lot comes from."""
    if lot.kind is AccountKind.PACKAGE:
        return Origin.PACKAGE
    if lot.lot_id.startswith("package_bonus:"):
        return Origin.BONUS
    return Origin.TRIAL if is_trial else Origin.PROMOTIONAL


async def _trials(session: AsyncSession, ids: Collection[str]) -> set[str]:
    """Return those of the ids that are trial grants."""
    query = select(Grant.id).where(col(Grant.id).in_(ids), Grant.kind == GrantKind.TRIAL)
    return set(await session.exec(query))


async def _package_names(session: AsyncSession, ids: Collection[str]) -> dict[str, str]:
    """Return what the packages of sales are called, by the sale's id."""
    query = (
        select(PackageSale.id, Package.name)
        .join(Package, col(Package.id) == col(PackageSale.package_id))
        .where(col(PackageSale.id).in_(ids))
    )
    return dict((await session.exec(query)).all())
