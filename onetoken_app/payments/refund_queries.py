"""Reads refunds: an organization's own, and what finance has to look at."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.money import Currency, Nanos
from onetoken_app.payments.models import (
    PaymentProvider,
    Refund,
    RefundApproval,
    RefundFailure,
    RefundRefusal,
    RefundStage,
    TopUpOrder,
)

_ENDED = (RefundStage.CONFIRMED, RefundStage.FAILED, RefundStage.REFUSED, RefundStage.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund, with what its order says of the payment."""

    id: str
    order_id: str
    organization_id: str
    organization_name: str
    registration_code: str
    reference_code: str
    """Of the order."""
    provider: PaymentProvider
    currency: Currency
    amount_nanos: Nanos
    paid_nanos: Nanos
    stage: RefundStage
    revision: int
    asked_by: str
    ordered_by: str
    asked_at: datetime
    asked_words: str
    approved_by: tuple[str, ...]
    """First to last."""
    refusal: RefundRefusal | None
    failure: RefundFailure | None
    words: str
    sent_at: datetime | None
    ended_at: datetime | None
    bank_entry: str | None
    payer_name: str
    bank_reference: str
    """Who transferred, and their bank's number of it: where a transfer by hand goes back to."""

    @property
    def waits_for_transfer(self) -> bool:
        """Whether finance has to transfer it by hand."""
        return self.stage is RefundStage.HELD and self.provider.is_by_hand


async def refunds_of(session: AsyncSession, organization_id: str) -> list[RefundView]:
    """Return an organization's refunds, newest first."""
    query = (
        select(Refund)
        .where(Refund.organization_id == organization_id)
        .order_by(col(Refund.asked_at).desc(), col(Refund.id).desc())
    )
    return await _views(session, list(await session.exec(query)))


async def refunds_revision(session: AsyncSession, organization_id: str) -> int:
    """Return a number that grows with every refund of an organization and every change of one."""
    query = select(func.coalesce(func.sum(col(Refund.revision) + 1), 0)).where(
        Refund.organization_id == organization_id
    )
    return int((await session.exec(query)).one())


async def refund_for_staff(session: AsyncSession, refund_id: str) -> RefundView | None:
    """Return any refund."""
    row = await session.get(Refund, refund_id)
    return (await _views(session, [row]))[0] if row else None


async def order_id_by_reference(session: AsyncSession, reference_code: str) -> str | None:
    """Return the order with a reference code, however it is typed."""
    query = select(TopUpOrder.id).where(TopUpOrder.reference_code == reference_code.strip().upper())
    return (await session.exec(query)).first()


async def refunds_under_way(session: AsyncSession) -> list[RefundView]:
    """Return the refunds that have not ended, longest waiting first."""
    query = select(Refund).where(col(Refund.stage).not_in(_ENDED)).order_by(col(Refund.asked_at), Refund.id)
    return await _views(session, list(await session.exec(query)))


async def ended_refunds(session: AsyncSession, *, limit: int, before: str | None = None) -> list[RefundView]:
    """Return the refunds that have ended, the last first.

    Args:
        session: Open session.
        limit: At most so many.
        before: The id of a refund; what ended before it. One that is unknown or has not ended ends the list.
    """
    at, number = col(Refund.ended_at), col(Refund.id)
    query = select(Refund).where(col(Refund.stage).in_(_ENDED))
    if before is not None:
        last = await session.get(Refund, before)
        if last is None or last.ended_at is None:
            return []
        query = query.where((at < last.ended_at) | ((at == last.ended_at) & (number < last.id)))
    return await _views(session, list(await session.exec(query.order_by(at.desc(), number.desc()).limit(limit))))


async def _views(session: AsyncSession, rows: list[Refund]) -> list[RefundView]:
    """Copy refunds, with their orders and approvals."""
    order_query = select(TopUpOrder).where(col(TopUpOrder.id).in_([row.order_id for row in rows]))
    orders = {order.id: order for order in await session.exec(order_query)}
    query = (
        select(RefundApproval)
        .where(col(RefundApproval.refund_id).in_([row.id for row in rows]))
        .order_by(col(RefundApproval.approved_at))
    )
    approvals: dict[str, list[str]] = {}
    for one in await session.exec(query):
        approvals.setdefault(one.refund_id, []).append(one.person_id)
    return [_view(row, orders[row.order_id], tuple(approvals.get(row.id, ()))) for row in rows]


def _view(row: Refund, order: TopUpOrder, approved_by: tuple[str, ...]) -> RefundView:
    """Copy a refund."""
    same: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            "id", "order_id", "organization_id", "provider", "currency", "amount_nanos", "stage", "revision",
            "asked_by", "asked_at", "asked_words", "refusal", "failure", "words", "sent_at", "ended_at", "bank_entry",
        )
    }  # fmt: skip
    return RefundView(
        **same,
        organization_name=order.organization_name,
        registration_code=order.registration_code,
        reference_code=order.reference_code,
        paid_nanos=order.amount_nanos,
        ordered_by=order.ordered_by,
        approved_by=approved_by,
        payer_name=order.payer_name,
        bank_reference=order.bank_reference,
    )
