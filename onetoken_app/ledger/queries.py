"""Reads of the ledger for pages and commands."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.ledger.models import Account, AccountKind, Posting, Transaction, TransactionKind
from onetoken_app.money import Currency, Nanos


@dataclass(frozen=True, slots=True)
class BalanceView:
    """What an owner has in one currency; zeros when there is no account."""

    posted_nanos: Nanos
    """Everything received minus everything charged."""
    held_nanos: Nanos
    """Set aside for calls that are under way."""
    available_nanos: Nanos
    """What the next hold may take, a credit limit included."""


async def balance_of(session: AsyncSession, *, owner_id: str, currency: Currency) -> BalanceView:
    """Return an owner's balance."""
    query = select(Account.posted_nanos, Account.held_nanos, Account.floor_nanos).where(
        Account.owner_id == owner_id, Account.kind == AccountKind.PREPAID, Account.currency == currency
    )
    posted_nanos, held_nanos, floor_nanos = (await session.exec(query)).first() or (0, 0, 0)
    available_nanos = max(0, posted_nanos - held_nanos - (floor_nanos or 0))
    return BalanceView(posted_nanos=posted_nanos, held_nanos=held_nanos, available_nanos=available_nanos)


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
