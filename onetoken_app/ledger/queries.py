"""Reads of the ledger for pages and commands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.ledger.kinds import LOT_KINDS
from onetoken_app.ledger.models import (
    Account,
    AccountKind,
    Budget,
    BudgetPeriod,
    LotScope,
    Posting,
    Transaction,
    TransactionKind,
)
from onetoken_app.money import Currency, Nanos

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BalanceView:
    """What an owner has on its prepaid account in one currency, lots apart; zeros when there is no account."""

    posted_nanos: Nanos
    """Everything received minus everything charged."""
    held_nanos: Nanos
    """Set aside for calls that are under way."""
    available_nanos: Nanos
    """What the next hold may take, a credit limit included."""


@dataclass(frozen=True, slots=True)
class LotView:
    """Promotional credit or a package with something left of it."""

    kind: AccountKind
    lot_id: str
    """The reference it was opened under."""
    posted_nanos: Nanos
    """What is left, open holds included."""
    held_nanos: Nanos
    expires_at: datetime | None
    """From then on it takes no new hold; unset: never."""
    scopes: tuple[str, ...]
    """What it may be spent on; none: everything."""
    is_expired: bool
    unit_nanos: Nanos = 0
    """Of a lot of tokens: what one token takes from it; 0: it is money."""


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A cap on what holds of one subject may cost, and what one period has seen of it."""

    id: str
    subject: str
    currency: Currency
    limit_nanos: Nanos
    is_enabled: bool
    """False: it is counted, and refuses nothing."""
    spent_nanos: Nanos
    held_nanos: Nanos
    """Set aside for calls that are under way."""


@dataclass(frozen=True, slots=True)
class BudgetSubjectView:
    """What a budget limits, as whoever made it wrote it."""

    id: str
    owner_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class StandingView:
    """What the ledger lets an owner do in one currency."""

    credit_limit_nanos: Nanos
    is_frozen: bool
    """No new hold is placed."""


async def balance_of(session: AsyncSession, *, owner_id: str, currency: Currency) -> BalanceView:
    """Return an owner's balance."""
    query = select(Account.posted_nanos, Account.held_nanos, Account.floor_nanos).where(
        Account.owner_id == owner_id, Account.kind == AccountKind.PREPAID, Account.currency == currency
    )
    posted_nanos, held_nanos, floor_nanos = (await session.exec(query)).first() or (0, 0, 0)
    available_nanos = max(0, posted_nanos - held_nanos - (floor_nanos or 0))
    return BalanceView(posted_nanos=posted_nanos, held_nanos=held_nanos, available_nanos=available_nanos)


async def lots_of(session: AsyncSession, *, owner_id: str, currency: Currency, now: datetime) -> list[LotView]:
    """Return an owner's lots with something left of them, in the order in which they are spent."""
    query = select(Account).where(
        Account.owner_id == owner_id,
        Account.currency == currency,
        col(Account.kind).in_(LOT_KINDS),
        Account.posted_nanos > 0,
    )
    lots = (await session.exec(query)).all()
    scopes = await _scopes_of(session, [lot.id for lot in lots])
    lots = sorted(
        lots, key=lambda lot: (not lot.unit_nanos, LOT_KINDS.index(lot.kind), lot.expires_at or _END_OF_TIME, lot.id)
    )
    return [
        LotView(
            kind=lot.kind,
            lot_id=lot.lot_id,
            posted_nanos=lot.posted_nanos,
            held_nanos=lot.held_nanos,
            expires_at=lot.expires_at,
            scopes=tuple(scopes.get(lot.id, ())),
            is_expired=lot.expires_at is not None and lot.expires_at <= now,
            unit_nanos=lot.unit_nanos,
        )
        for lot in lots
    ]


async def spendable_of(
    session: AsyncSession, *, owner_ids: Collection[str], now: datetime
) -> dict[tuple[str, Currency], Nanos]:
    """Return what owners can spend on anything, by currency: open holds, and lots with scopes, are not looked at.

    The balance with its credit limit, and lots that have not expired.
    """
    has_scopes = sa.exists().where(col(LotScope.account_id) == col(Account.id))
    is_open_lot = sa.and_(
        col(Account.kind).in_(LOT_KINDS),
        sa.or_(col(Account.expires_at).is_(None), col(Account.expires_at) > now),
        ~has_scopes,
    )
    spendable = col(Account.posted_nanos) - sa.func.coalesce(col(Account.floor_nanos), 0)
    query = (
        select(Account.owner_id, Account.currency, sa.cast(sa.func.sum(spendable), sa.BigInteger))
        .where(col(Account.owner_id).in_(owner_ids), sa.or_(col(Account.kind) == AccountKind.PREPAID, is_open_lot))
        .group_by(col(Account.owner_id), col(Account.currency))
    )
    return {(owner_id, Currency(currency)): total for owner_id, currency, total in await session.exec(query)}


async def standing_of(session: AsyncSession, *, owner_id: str, currency: Currency) -> StandingView:
    """Return an owner's credit limit, and whether it is frozen; no limit when there is no account."""
    query = select(Account.currency, Account.floor_nanos, Account.is_frozen).where(
        Account.owner_id == owner_id, Account.kind == AccountKind.PREPAID
    )
    rows = (await session.exec(query)).all()
    floors = [floor_nanos or 0 for in_currency, floor_nanos, _ in rows if in_currency is currency]
    return StandingView(credit_limit_nanos=-sum(floors), is_frozen=any(is_frozen for _, _, is_frozen in rows))


async def budgets_of(
    session: AsyncSession, *, owner_id: str, period: str, subject: str | None = None
) -> list[BudgetView]:
    """Return an owner's budgets, of one subject if it is named, with what a period has seen."""
    query = (
        select(Budget, BudgetPeriod)
        .outerjoin(
            BudgetPeriod, sa.and_(col(BudgetPeriod.budget_id) == col(Budget.id), col(BudgetPeriod.period) == period)
        )
        .where(Budget.owner_id == owner_id, col(Budget.removed_at).is_(None))
        .order_by(col(Budget.id))
    )
    if subject is not None:
        query = query.where(Budget.subject == subject)
    rows: Sequence[tuple[Budget, BudgetPeriod | None]] = (await session.exec(query)).all()
    return [
        BudgetView(
            id=budget.id,
            subject=budget.subject,
            currency=budget.currency,
            limit_nanos=budget.limit_nanos,
            is_enabled=budget.is_enabled,
            spent_nanos=seen.spent_nanos if seen is not None else 0,
            held_nanos=seen.held_nanos if seen is not None else 0,
        )
        for budget, seen in rows
    ]


async def subjects_of_budgets(session: AsyncSession, *, owner_ids: Collection[str]) -> list[BudgetSubjectView]:
    """Return the budgets of some owners, those included that refuse nothing: holds name them all."""
    query = (
        select(Budget.id, Budget.owner_id, Budget.subject)
        .where(col(Budget.owner_id).in_(owner_ids), col(Budget.removed_at).is_(None))
        .order_by(col(Budget.id))
    )
    return [BudgetSubjectView(*row) for row in await session.exec(query)]


async def granted_total(session: AsyncSession, *, owner_id: str, currency: Currency, reference_prefix: str) -> Nanos:
    """Return what an owner was granted under references that begin with a prefix."""
    query = (
        select(sa.cast(sa.func.coalesce(sa.func.sum(Posting.amount_nanos), 0), sa.BigInteger))
        .select_from(Posting)
        .join(Transaction, col(Transaction.sequence_number) == col(Posting.transaction_number))
        .join(Account, col(Account.id) == col(Posting.to_account_id))
        .where(
            Transaction.kind == TransactionKind.GRANT,
            sa.func.substr(Transaction.reference, 1, len(reference_prefix)) == reference_prefix,
            Account.owner_id == owner_id,
            Account.currency == currency,
        )
    )
    return (await session.exec(query)).one()


async def _scopes_of(session: AsyncSession, account_ids: list[str]) -> dict[str, list[str]]:
    """Return what lots may be spent on."""
    query = select(LotScope).where(col(LotScope.account_id).in_(account_ids)).order_by(col(LotScope.scope))
    scopes: dict[str, list[str]] = {}
    for row in await session.exec(query):
        scopes.setdefault(row.account_id, []).append(row.scope)
    return scopes
