"""Reads orders: a customer's own, what finance has to look at, and receipts."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.money import Currency, Nanos
from onetoken_app.payments.models import (
    ExternalPayment,
    OrderState,
    PaymentProvider,
    TopUpOrder,
    TransferApproval,
    TransferRefusal,
)


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order to top up."""

    id: str
    organization_id: str
    organization_name: str
    registration_code: str
    reference_code: str
    provider: PaymentProvider
    currency: Currency
    amount_nanos: Nanos
    state: OrderState
    revision: int
    ordered_by: str
    ordered_at: datetime
    expires_at: datetime
    reported_by: str | None
    reported_at: datetime | None
    payer_name: str
    bank_reference: str
    paid_on: date | None
    approved_by: tuple[str, ...]
    """Who approved the report that is on the table, first to last."""
    bank_entry: str | None
    """As whoever approved first typed it."""
    refusal: TransferRefusal | None
    words: str
    credited_at: datetime | None
    started_at: datetime | None
    """When somebody was first sent to the payment provider."""

    def has_expired(self, now: datetime) -> bool:
        """Whether a transfer can no longer be reported, or the provider's page be paid on."""
        return self.state in {OrderState.OPEN, OrderState.REFUSED} and self.expires_at < now


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """What was paid and credited; nothing in it changes any more."""

    number: str
    """The order's id, under which the ledger has the top-up."""
    reference_code: str
    organization_name: str
    registration_code: str
    currency: Currency
    amount_nanos: Nanos
    provider: PaymentProvider
    external_payment_id: str
    """The payment provider's own id; empty for a bank transfer."""
    payer_name: str
    bank_reference: str
    paid_on: date | None
    ordered_at: datetime
    credited_at: datetime
    statement_version: str
    statement_sha256: str


async def orders_of(session: AsyncSession, organization_id: str) -> list[OrderView]:
    """Return an organization's orders, newest first."""
    query = (
        select(TopUpOrder)
        .where(TopUpOrder.organization_id == organization_id)
        .order_by(col(TopUpOrder.ordered_at).desc(), col(TopUpOrder.id).desc())
    )
    return await _views(session, list(await session.exec(query)))


async def orders_revision(session: AsyncSession, organization_id: str) -> int:
    """Return a number that grows with every order of an organization and every change of one."""
    query = select(func.coalesce(func.sum(col(TopUpOrder.revision) + 1), 0)).where(
        TopUpOrder.organization_id == organization_id
    )
    return int((await session.exec(query)).one())


async def has_reported_order(session: AsyncSession, organization_id: str) -> bool:
    """Whether finance looks for a transfer of an organization."""
    query = select(TopUpOrder.id).where(
        TopUpOrder.organization_id == organization_id, TopUpOrder.state == OrderState.REPORTED
    )
    return (await session.exec(query.limit(1))).first() is not None


async def order(session: AsyncSession, organization_id: str, order_id: str) -> OrderView | None:
    """Return one of an organization's orders."""
    row = await session.get(TopUpOrder, order_id)
    if row is None or row.organization_id != organization_id:
        return None
    return (await _views(session, [row]))[0]


async def order_for_staff(session: AsyncSession, order_id: str) -> OrderView | None:
    """Return any order."""
    row = await session.get(TopUpOrder, order_id)
    return (await _views(session, [row]))[0] if row else None


async def reported_orders(session: AsyncSession) -> list[OrderView]:
    """Return the orders whose transfer finance has to look for, longest waiting first."""
    query = (
        select(TopUpOrder)
        .where(TopUpOrder.state == OrderState.REPORTED)
        .order_by(col(TopUpOrder.reported_at), TopUpOrder.id)
    )
    return await _views(session, list(await session.exec(query)))


async def decided_orders(session: AsyncSession, *, limit: int, before: str | None = None) -> list[OrderView]:
    """Return the bank transfers that finance credited or refused, the last reported first.

    Args:
        session: Open session.
        limit: At most so many.
        before: The id of an order; what was reported before it. One that is unknown or unreported ends the list.
    """
    at, number = col(TopUpOrder.reported_at), col(TopUpOrder.id)
    query = select(TopUpOrder).where(
        TopUpOrder.provider == PaymentProvider.BANK_TRANSFER,
        col(TopUpOrder.state).in_([OrderState.CREDITED, OrderState.REFUSED]),
    )
    if before is not None:
        last = await session.get(TopUpOrder, before)
        if last is None or last.reported_at is None:
            return []
        query = query.where((at < last.reported_at) | ((at == last.reported_at) & (number < last.id)))
    return await _views(session, list(await session.exec(query.order_by(at.desc(), number.desc()).limit(limit))))


async def receipt_of(session: AsyncSession, organization_id: str, order_id: str) -> ReceiptView | None:
    """Return the receipt of one of an organization's orders; ``None``: it has none, or is not credited."""
    row = await session.get(TopUpOrder, order_id)
    if row is None or row.organization_id != organization_id or row.credited_at is None:
        return None
    query = select(ExternalPayment.external_payment_id).where(ExternalPayment.order_id == row.id)
    external_payment_id = (await session.exec(query)).first()
    return ReceiptView(
        number=row.id,
        reference_code=row.reference_code,
        organization_name=row.organization_name,
        registration_code=row.registration_code,
        currency=row.currency,
        amount_nanos=row.amount_nanos,
        provider=row.provider,
        external_payment_id=external_payment_id or "",
        payer_name=row.payer_name,
        bank_reference=row.bank_reference,
        paid_on=row.paid_on,
        ordered_at=row.ordered_at,
        credited_at=row.credited_at,
        statement_version=row.statement_version,
        statement_sha256=row.statement_sha256,
    )


async def _views(session: AsyncSession, rows: list[TopUpOrder]) -> list[OrderView]:
    """Copy orders, with their approvals."""
    query = (
        select(TransferApproval)
        .where(col(TransferApproval.order_id).in_([row.id for row in rows]))
        .order_by(col(TransferApproval.approved_at))
    )
    approvals: dict[tuple[str, int], list[TransferApproval]] = {}
    for one in await session.exec(query):
        approvals.setdefault((one.order_id, one.report_number), []).append(one)
    return [_view(row, approvals.get((row.id, row.report_number), [])) for row in rows]


def _view(row: TopUpOrder, approvals: list[TransferApproval]) -> OrderView:
    """Copy an order with the approvals of its report, first to last; a refused one has no entry."""
    return OrderView(
        id=row.id,
        organization_id=row.organization_id,
        organization_name=row.organization_name,
        registration_code=row.registration_code,
        reference_code=row.reference_code,
        provider=row.provider,
        currency=row.currency,
        amount_nanos=row.amount_nanos,
        state=row.state,
        revision=row.revision,
        ordered_by=row.ordered_by,
        ordered_at=row.ordered_at,
        expires_at=row.expires_at,
        reported_by=row.reported_by,
        reported_at=row.reported_at,
        payer_name=row.payer_name,
        bank_reference=row.bank_reference,
        paid_on=row.paid_on,
        approved_by=tuple(one.person_id for one in approvals),
        bank_entry=approvals[0].bank_entry if approvals and row.bank_entry else None,
        refusal=row.refusal,
        words=row.words,
        credited_at=row.credited_at,
        started_at=row.started_at,
    )
