"""What can be refunded of an order, and whether anything is refunded to its organization at all.

Of an order at most what no refund of it has yet; of the organization at most what of its prepaid balance is unused
and what is not invoiced. Credit that was used is gone from the balance, and promotional credit never was in it. A
balance is spent grants first: docs/decisions/0022.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.errors import NotFound
from onetoken_app.ledger.queries import balance_of, standing_of
from onetoken_app.money import Currency, Nanos
from onetoken_app.organizations.queries import organization
from onetoken_app.payments.amounts import whole_cents
from onetoken_app.payments.errors import RefundBlocked
from onetoken_app.payments.models import OrderState, PaymentProvider, Refund, RefundStage, TopUpOrder
from onetoken_app.verification.models import CaseState
from onetoken_app.verification.queries import case_state

_OPEN_CASES = frozenset({CaseState.SUBMITTED, CaseState.IN_REVIEW, CaseState.MORE_WANTED})
_GAVE_BACK = [stage for stage in RefundStage if not stage.gave_nothing_back]


class Obstacle(StrEnum):
    """Why nothing is refunded to an organization now."""

    SUSPENDED = "suspended"
    """The organization is suspended."""
    FROZEN = "frozen"
    """Its credit is frozen."""
    CASE_OPEN = "case_open"
    """A case about it is open."""


@dataclass(frozen=True, slots=True)
class Refundable:
    """What limits a refund of one order."""

    of_order_nanos: Nanos
    """What of it no refund has or waits for."""
    unused_nanos: Nanos
    """What of the organization's prepaid balance is neither used nor held."""
    not_invoiced_nanos: Nanos
    """What of the organization's payments no invoice has."""

    @property
    def amount_nanos(self) -> Nanos:
        """The least of them, in whole cents."""
        return whole_cents(min(self.of_order_nanos, self.unused_nanos, self.not_invoiced_nanos))


@dataclass(frozen=True, slots=True)
class RefundableOrderView:
    """A credited order with something left of it."""

    order_id: str
    reference_code: str
    organization_id: str
    organization_name: str
    provider: PaymentProvider
    currency: Currency
    paid_nanos: Nanos
    refundable: Refundable
    credited_at: datetime


async def obstacle(session: AsyncSession, organization_id: str) -> Obstacle | None:
    """Say why nothing is refunded to an organization now: the one place where cases about it are asked for.

    Raises:
        NotFound: There is no such organization.
    """
    found = await organization(session, organization_id)
    if found is None:
        raise NotFound("There is no such organization.")
    if found.suspended_at is not None:
        return Obstacle.SUSPENDED
    if (await standing_of(session, owner_id=organization_id, currency=found.currency)).is_frozen:
        return Obstacle.FROZEN
    return Obstacle.CASE_OPEN if await case_state(session, organization_id) in _OPEN_CASES else None


async def refuse_while_blocked(session: AsyncSession, organization_id: str) -> None:
    """Refuse a refund to an organization with an obstacle.

    Raises:
        NotFound: There is no such organization.
        RefundBlocked: Nothing is refunded to it now; the words say why.
    """
    if (found := await obstacle(session, organization_id)) is not None:
        raise RefundBlocked(_IN_WORDS[found], metadata={"obstacle": found.value})


_IN_WORDS = {
    Obstacle.SUSPENDED: "This organization is suspended; nothing is refunded until that is over. Nothing was done.",
    Obstacle.FROZEN: "The credit of this organization is frozen; nothing is refunded until that is over. "
    "Nothing was done.",
    Obstacle.CASE_OPEN: "A case about this organization is open; nothing is refunded until it is decided. "
    "Nothing was done.",
}


async def refundable_of(
    session: AsyncSession, order: TopUpOrder, *, not_invoiced_nanos: Nanos, beside: str = ""
) -> Refundable:
    """Return what limits a refund of a credited order.

    Args:
        session: With the order's row to itself, where it matters that nobody else refunds it meanwhile.
        order: Which order.
        not_invoiced_nanos: What of its organization's payments no invoice has, as the caller read it under its lock.
        beside: A refund of the order that does not count: the one that is being decided on.
    """
    balance = await balance_of(session, owner_id=order.organization_id, currency=order.currency)
    return Refundable(
        of_order_nanos=order.amount_nanos - (await _given_back(session, [order.id], beside)).get(order.id, 0),
        unused_nanos=max(0, balance.posted_nanos - balance.held_nanos),
        not_invoiced_nanos=not_invoiced_nanos,
    )


async def refundable_orders(
    session: AsyncSession, organization_id: str, *, not_invoiced_nanos: Nanos
) -> list[RefundableOrderView]:
    """Return an organization's credited orders of which something can be refunded, newest first."""
    query = (
        select(TopUpOrder)
        .where(TopUpOrder.organization_id == organization_id, TopUpOrder.state == OrderState.CREDITED)
        .order_by(col(TopUpOrder.ordered_at).desc(), col(TopUpOrder.id).desc())
    )
    orders = list(await session.exec(query))
    given = await _given_back(session, [order.id for order in orders], "")
    found = []
    for order in orders:
        balance = await balance_of(session, owner_id=organization_id, currency=order.currency)
        left = Refundable(
            of_order_nanos=order.amount_nanos - given.get(order.id, 0),
            unused_nanos=max(0, balance.posted_nanos - balance.held_nanos),
            not_invoiced_nanos=not_invoiced_nanos,
        )
        if left.amount_nanos > 0 and order.credited_at is not None:
            found.append(
                RefundableOrderView(
                    order_id=order.id,
                    reference_code=order.reference_code,
                    organization_id=organization_id,
                    organization_name=order.organization_name,
                    provider=order.provider,
                    currency=order.currency,
                    paid_nanos=order.amount_nanos,
                    refundable=left,
                    credited_at=order.credited_at,
                )
            )
    return found


async def _given_back(session: AsyncSession, order_ids: list[str], beside: str) -> dict[str, Nanos]:
    """Sum up what refunds gave back of orders or are about to."""
    query = (
        sa.select(col(Refund.order_id), sa.func.sum(Refund.amount_nanos))
        .where(col(Refund.order_id).in_(order_ids), col(Refund.stage).in_(_GAVE_BACK), col(Refund.id) != beside)
        .group_by(col(Refund.order_id))
    )
    rows = (await (await session.connection()).execute(query)).all()
    return {order_id: int(total) for order_id, total in rows}
