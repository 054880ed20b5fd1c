"""Reads for finance what payment providers said and what was ordered at them: facts alone, never a provider's words."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.money import Currency, Nanos
from onetoken_app.organizations.queries import organizations_by_id
from onetoken_app.payments.models import (
    ExternalPayment,
    NewsKind,
    NewsOutcome,
    OrderState,
    PaymentNotification,
    PaymentProvider,
    TopUpOrder,
)


@dataclass(frozen=True, slots=True)
class NotificationView:
    """A notification that was genuine, and what came of it."""

    provider: PaymentProvider
    notification_id: str
    kind: NewsKind
    outcome: NewsOutcome
    order_id: str
    """As the provider says it; may be none of ours."""
    reference_code: str
    """Of that order; empty: it is none of ours."""
    organization_name: str
    external_payment_id: str
    currency: str
    """As the provider says it."""
    amount_nanos: Nanos
    received_at: datetime
    credited_reference: str
    """Of the order that has the payment; empty: none has."""


@dataclass(frozen=True, slots=True)
class ProviderOrderView:
    """An order that is paid at a payment provider."""

    id: str
    reference_code: str
    organization_name: str
    provider: PaymentProvider
    currency: Currency
    amount_nanos: Nanos
    state: OrderState
    ordered_at: datetime
    expires_at: datetime
    started_at: datetime | None
    asked_at: datetime | None
    ask_at: datetime | None
    credited_at: datetime | None
    provider_reference: str
    external_payment_id: str
    """Of the payment that it was credited for; empty: none."""


async def notifications(
    session: AsyncSession, *, limit: int, words: str = "", before: tuple[PaymentProvider, str] | None = None
) -> list[NotificationView]:
    """Return what providers said, newest first.

    Args:
        session: Open session.
        limit: At most so many.
        words: An id, whole: of an order, a payment or a notification, or a reference code; empty: everything.
        before: Provider and id of a notification; what came before it. An unknown one ends the list.
    """
    at, one, number = (
        col(PaymentNotification.received_at), col(PaymentNotification.provider),
        col(PaymentNotification.notification_id),
    )  # fmt: skip
    query = select(PaymentNotification)
    if words := words.strip():
        of_reference = select(TopUpOrder.id).where(TopUpOrder.reference_code == words.upper())
        query = query.where(
            col(PaymentNotification.order_id).in_([words])
            | col(PaymentNotification.order_id).in_(of_reference)
            | (col(PaymentNotification.external_payment_id) == words)
            | (number == words)
        )
    if before is not None:
        last = await session.get(PaymentNotification, before)
        if last is None:
            return []
        query = query.where(sa.tuple_(at, one, number) < (last.received_at, last.provider, last.notification_id))
    rows = list(await session.exec(query.order_by(at.desc(), one.desc(), number.desc()).limit(limit)))
    payments = await _payments(session, {row.external_payment_id for row in rows} - {""})
    wanted = {row.order_id for row in rows} | {paid.order_id for paid in payments.values()}
    orders = {row.id: row for row in await session.exec(select(TopUpOrder).where(col(TopUpOrder.id).in_(wanted)))}
    names = await _names(session, list(orders.values()))
    found = []
    for row in rows:
        order, paid = orders.get(row.order_id), payments.get((row.provider, row.external_payment_id))
        found.append(
            NotificationView(
                provider=row.provider,
                notification_id=row.notification_id,
                kind=row.kind,
                outcome=row.outcome,
                order_id=row.order_id,
                reference_code=order.reference_code if order else "",
                organization_name=names.get(order.organization_id, "") if order else "",
                external_payment_id=row.external_payment_id,
                currency=row.currency,
                amount_nanos=row.amount_nanos,
                received_at=row.received_at,
                credited_reference=orders[paid.order_id].reference_code if paid else "",
            )
        )
    return found


async def provider_orders(
    session: AsyncSession, *, limit: int, words: str = "", before: str | None = None
) -> list[ProviderOrderView]:
    """Return the orders at payment providers, newest first.

    Args:
        session: Open session.
        limit: At most so many.
        words: An id, whole: of an order, a payment or a provider's page, or a reference code; empty: everything.
        before: The id of an order; ids sort by the moment.
    """
    query = select(TopUpOrder).where(TopUpOrder.provider != PaymentProvider.BANK_TRANSFER)
    if words := words.strip():
        paid_by = select(ExternalPayment.order_id).where(ExternalPayment.external_payment_id == words)
        query = query.where(
            (col(TopUpOrder.id) == words)
            | (col(TopUpOrder.reference_code) == words.upper())
            | (col(TopUpOrder.provider_reference) == words)
            | col(TopUpOrder.id).in_(paid_by)
        )
    if before is not None:
        query = query.where(col(TopUpOrder.id) < before)
    rows = list(await session.exec(query.order_by(col(TopUpOrder.id).desc()).limit(limit)))
    names = await _names(session, rows)
    paid = select(ExternalPayment).where(col(ExternalPayment.order_id).in_([row.id for row in rows]))
    payments = {one.order_id: one.external_payment_id for one in await session.exec(paid)}
    copied = set(ProviderOrderView.__slots__) - {"organization_name", "external_payment_id"}
    return [
        ProviderOrderView(
            organization_name=names.get(row.organization_id, ""),
            external_payment_id=payments.get(row.id, ""),
            **{name: getattr(row, name) for name in copied},
        )
        for row in rows
    ]


async def _payments(
    session: AsyncSession, external_payment_ids: set[str]
) -> dict[tuple[PaymentProvider, str], ExternalPayment]:
    """Find the payments that were credited."""
    query = select(ExternalPayment).where(col(ExternalPayment.external_payment_id).in_(external_payment_ids))
    return {(row.provider, row.external_payment_id): row for row in await session.exec(query)}


async def _names(session: AsyncSession, orders: list[TopUpOrder]) -> dict[str, str]:
    """Return the names of the organizations of some orders, by id."""
    found = await organizations_by_id(session, {order.organization_id for order in orders})
    return {one.id: one.name for one in found.values()}
