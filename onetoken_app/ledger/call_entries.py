"""Reads all that the journal says about one call: its hold, its close, a correction, and who paid how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.ledger.books import PLATFORM_OWNER_ID
from onetoken_app.ledger.kinds import AccountKind, Outcome
from onetoken_app.ledger.models import Account, Correction, Hold, HoldClose, HoldPart, Posting
from onetoken_app.money import Currency, Nanos
from onetoken_app.token_usage import UsageSource


@dataclass(frozen=True, slots=True)
class PotView:
    """An account, as far as it says whose money it was."""

    account_id: str
    kind: AccountKind
    lot_id: str
    """The reference that a lot was opened under; empty for what is no lot."""
    unit_nanos: Nanos = 0
    """Of a lot of tokens: what one token took from it; 0 elsewhere."""


@dataclass(frozen=True, slots=True)
class HeldView:
    """A part of a hold."""

    pot: PotView
    amount_nanos: Nanos


@dataclass(frozen=True, slots=True)
class PaidView:
    """A posting of a call."""

    transaction_number: int
    pot: PotView
    """The account on the other side of the platform's revenue."""
    amount_nanos: Nanos
    """Taken from it; negative when a correction gave it back."""

    @property
    def is_absorbed(self) -> bool:
        """Whether the platform bears it."""
        return self.pot.kind is AccountKind.ABSORBED


@dataclass(frozen=True, slots=True)
class ClosedView:
    """A close with its correction, if there is one."""

    outcome: Outcome
    closed_at: datetime
    usage_source: UsageSource
    """Of the correction, where there is one."""
    charge_nanos: Nanos
    """What the owner was charged, a correction included."""
    absorbed_nanos: Nanos
    corrected_at: datetime | None
    correction_nanos: Nanos
    """The part of the charge that the correction added; negative when it gave money back."""
    paid: tuple[PaidView, ...]
    """By transaction."""


@dataclass(frozen=True, slots=True)
class CallEntriesView:
    """One call in the journal."""

    request_id: str
    owner_id: str
    currency: Currency
    placed_at: datetime
    held_nanos: Nanos
    """All that was set aside, extensions included."""
    held: tuple[HeldView, ...]
    """In the order in which they pay."""
    closed: ClosedView | None
    """Unset: the call is open."""


async def call_entries(session: AsyncSession, request_id: str) -> CallEntriesView | None:
    """Return what the journal says about a call; ``None``: it has no hold of such a request."""
    hold = await session.get(Hold, request_id)
    if hold is None:
        return None
    parts = (
        sa.select(HoldPart, Account)
        .join(Account, col(Account.id) == col(HoldPart.account_id))
        .where(col(HoldPart.request_id) == request_id)
        .order_by(col(HoldPart.part_number))
    )
    held = tuple(HeldView(_pot(account), part.amount_nanos) for part, account in await _rows(session, parts))
    close = await session.get(HoldClose, request_id)
    return CallEntriesView(
        request_id=request_id,
        owner_id=hold.owner_id,
        currency=hold.currency,
        placed_at=hold.placed_at,
        held_nanos=sum(part.amount_nanos for part in held),
        held=held,
        closed=await _closed(session, close) if close else None,
    )


async def _closed(session: AsyncSession, close: HoldClose) -> ClosedView:
    """Read a close, and what its correction changed."""
    correction = (await session.exec(select(Correction).where(Correction.request_id == close.request_id))).first()
    numbers = [close.transaction_number, *([correction.transaction_number] if correction else [])]
    return ClosedView(
        outcome=close.outcome,
        closed_at=close.closed_at,
        usage_source=correction.usage_source if correction else close.usage_source,
        charge_nanos=close.amount_nanos + (correction.amount_nanos if correction else 0),
        absorbed_nanos=close.absorbed_nanos + (correction.absorbed_nanos if correction else 0),
        corrected_at=correction.corrected_at if correction else None,
        correction_nanos=correction.amount_nanos if correction else 0,
        paid=await paid_in(session, numbers),
    )


async def paid_in(session: AsyncSession, transaction_numbers: Sequence[int]) -> tuple[PaidView, ...]:
    """Return who paid in the transactions of a call, and who got something back."""
    source, target = aliased(Account), aliased(Account)
    query = (
        sa.select(Posting, source, target)
        .join(source, col(source.id) == col(Posting.from_account_id))
        .join(target, col(target.id) == col(Posting.to_account_id))
        .where(col(Posting.transaction_number).in_(transaction_numbers))
        .order_by(col(Posting.transaction_number), col(Posting.posting_number))
    )
    paid = []
    for posting, giver, taker in await _rows(session, query):
        is_taken = taker.kind is AccountKind.REVENUE and taker.owner_id == PLATFORM_OWNER_ID
        pot, sign = (giver, 1) if is_taken else (taker, -1)
        paid.append(PaidView(posting.transaction_number, _pot(pot), sign * posting.amount_nanos))
    return tuple(paid)


def _pot(account: Account) -> PotView:
    """Name an account."""
    return PotView(account.id, account.kind, account.lot_id, account.unit_nanos)


async def _rows(session: AsyncSession, query: sa.Executable) -> Sequence[Any]:
    """Run a query of several tables; ``session.exec`` knows the types of SQLModel's own select only."""
    found: Sequence[Any] = (await session.exec(query)).all()  # type: ignore[call-overload] # as the docstring says
    return found
