"""Acts on what a payment provider says: credits an order once, or keeps for finance why nothing was credited.

An order is bound to its provider, amount and currency; whatever else arrives leaves a row and no credit. Money that
arrives late is money: an order that expired or was called off is credited all the same.
"""

from datetime import timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.service import SYSTEM
from onetoken_app.errors import NotFound
from onetoken_app.money import format_amount
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.payments.crediting import credit, tell
from onetoken_app.payments.errors import OrderChanged, OrderExpired
from onetoken_app.payments.models import (
    ExternalPayment,
    NewsKind,
    NewsOutcome,
    OrderState,
    PaymentNotification,
    PaymentProvider,
    TopUpOrder,
)
from onetoken_app.payments.payouts import note_news
from onetoken_app.payments.providers.protocol import Checkout, Invoice, PaymentNews

ASK_AFTER = timedelta(minutes=2)
"""When to ask a provider ourselves about an order that somebody was sent to pay."""
ASK_UNTIL = timedelta(days=2)
"""How long after an order's end a lost notification is still looked for."""
ASK_AGAIN_SECONDS = 5
"""How soon people may have the same order asked about again."""
_ASK_SELDOM = timedelta(hours=1)


async def settle(
    session: AsyncSession, *, provider: PaymentProvider, news: PaymentNews, mail_room: MailRoom
) -> NewsOutcome:
    """Act on verified news, once; a repeat changes nothing and returns the first outcome.

    Args:
        session: Open unit of work; the caller commits.
        provider: Whose signature was checked, not what the news says.
        news: What it said.
        mail_room: Writes to the organization once it is credited, or a refund has ended.

    Raises:
        Conflict: At the commit, when the same news was acted upon at the same moment; doing it again tells how.
    """
    # The order first: whoever else acts on the same news waits here, and then finds what was done.
    order = await session.get(TopUpOrder, news.order_id, with_for_update=True, populate_existing=True)
    first = await session.get(PaymentNotification, (provider, news.notification_id), populate_existing=True)
    if first is not None:
        return first.outcome
    outcome = await _outcome(session, order, provider, news)
    if outcome is NewsOutcome.NOTED and await note_news(session, provider=provider, news=news, mail_room=mail_room):
        outcome = NewsOutcome.REFUND_NOTED
    session.add(
        PaymentNotification(
            provider=provider,
            notification_id=news.notification_id,
            kind=news.kind,
            outcome=outcome,
            order_id=news.order_id,
            external_payment_id=news.external_payment_id,
            currency=news.currency,
            amount_nanos=news.amount_nanos,
            received_at=clock.utc_now(),
        )
    )
    await session.flush()
    if outcome is NewsOutcome.CREDITED and order is not None:
        await _credit(session, order, news, mail_room)
    elif news.kind is NewsKind.CLOSED and order is not None and order.provider is provider:
        order.ask_at = None  # nothing more will come of it
    elif outcome not in {NewsOutcome.REPEATED, NewsOutcome.REFUND_NOTED}:
        await _audit(session, order, provider, news, action="payment_noted", outcome=outcome)
    await session.flush()
    return outcome


async def note_started(session: AsyncSession, *, organization_id: str, order_id: str, checkout: Checkout) -> None:
    """Keep that the customer is sent to the provider, and what it calls its page; from now on the provider is asked.

    Raises:
        NotFound: The organization has no such order.
    """
    order = await session.get(TopUpOrder, order_id, with_for_update=True, populate_existing=True)
    if order is None or order.organization_id != organization_id:
        raise NotFound("There is no such order.")
    now = clock.utc_now()
    order.provider_reference = checkout.provider_reference
    if order.started_at is None:
        order.started_at = now
        order.revision += 1  # so that other windows hear of it
    if order.state is not OrderState.CREDITED:
        order.ask_at = now + ASK_AFTER
    await session.flush()


async def invoice_to_start(
    session: AsyncSession, *, organization_id: str, order_id: str
) -> tuple[PaymentProvider, Invoice]:
    """Return what a provider is told of an order that is to be paid now.

    Raises:
        NotFound: The organization has no such order.
        OrderChanged: It is paid, called off, or not paid to a provider.
        OrderExpired: It was open for longer than it said.
    """
    order = await session.get(TopUpOrder, order_id)
    if order is None or order.organization_id != organization_id:
        raise NotFound("There is no such order.")
    if order.state is not OrderState.OPEN or order.provider.is_by_hand:
        raise OrderChanged("This order is not waiting to be paid on a page; nothing was done. Look at it again.")
    if order.expires_at < clock.utc_now():
        raise OrderExpired("This order is no longer open; nothing was charged. Make a new one.")
    return order.provider, _invoice(order)


async def take_to_ask(
    session: AsyncSession, *, organization_id: str, order_id: str
) -> tuple[PaymentProvider, Invoice] | None:
    """Take one order of an organization to ask its provider about; ``None``: there is nothing to ask, or it just was.

    Raises:
        NotFound: The organization has no such order.
    """
    order = await session.get(TopUpOrder, order_id, with_for_update=True, populate_existing=True)
    if order is None or order.organization_id != organization_id:
        raise NotFound("There is no such order.")
    now = clock.utc_now()
    was_just_asked = order.asked_at is not None and now < order.asked_at + timedelta(seconds=ASK_AGAIN_SECONDS)
    if order.started_at is None or order.state is OrderState.CREDITED or was_just_asked:
        return None
    order.asked_at = now
    await session.flush()
    return order.provider, _invoice(order)


async def take_due_to_ask(session: AsyncSession) -> tuple[PaymentProvider, Invoice] | None:
    """Take the order that has been due for longest to ask its provider about; others leave it alone until it is due.

    The longer an order is open, the seldomer it is asked about; two days after its end no more.
    """
    now = clock.utc_now()
    query = (
        select(TopUpOrder)
        .where(col(TopUpOrder.ask_at) <= now)
        .order_by(col(TopUpOrder.ask_at), TopUpOrder.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    order = (await session.exec(query)).first()
    if order is None:
        return None
    waited = now - (order.started_at or order.ordered_at)
    order.asked_at = now
    order.ask_at = now + min(max(waited, ASK_AFTER), _ASK_SELDOM) if now < order.expires_at + ASK_UNTIL else None
    await session.flush()
    return order.provider, _invoice(order)


async def _outcome(
    session: AsyncSession, order: TopUpOrder | None, provider: PaymentProvider, news: PaymentNews
) -> NewsOutcome:
    """Judge what is to be done; nothing of it is done here."""
    if news.kind is not NewsKind.PAID:
        return NewsOutcome.NOTED
    if order is None:
        return NewsOutcome.UNKNOWN_ORDER
    if (breach := _breach(order, provider, news)) is not None:
        return breach
    credited = await session.get(ExternalPayment, (provider, news.external_payment_id), populate_existing=True)
    if credited is not None:
        return NewsOutcome.REPEATED if credited.order_id == order.id else NewsOutcome.PAYMENT_USED
    return NewsOutcome.SURPLUS if order.state is OrderState.CREDITED else NewsOutcome.CREDITED


def _breach(order: TopUpOrder, provider: PaymentProvider, news: PaymentNews) -> NewsOutcome | None:
    """Name what the order is bound to and the payment is not."""
    if order.provider is not provider:
        return NewsOutcome.WRONG_PROVIDER
    if news.currency != order.currency.value:
        return NewsOutcome.WRONG_CURRENCY
    return NewsOutcome.WRONG_AMOUNT if news.amount_nanos != order.amount_nanos else None


async def _credit(session: AsyncSession, order: TopUpOrder, news: PaymentNews, mail_room: MailRoom) -> None:
    """Credit an order with the one payment that it was made for."""
    session.add(
        ExternalPayment(
            provider=order.provider,
            external_payment_id=news.external_payment_id,
            order_id=order.id,
            currency=order.currency,
            amount_nanos=order.amount_nanos,
            credited_at=clock.utc_now(),
        )
    )
    order.revision += 1
    await session.flush()
    # The audit log is locked before the ledger, as everywhere, so that nobody waits in a circle.
    await _audit(session, order, order.provider, news, action="payment_credited", outcome=NewsOutcome.CREDITED)
    await credit(session, order)
    await tell(session, order, mail_room)


async def _audit(
    session: AsyncSession,
    order: TopUpOrder | None,
    provider: PaymentProvider,
    news: PaymentNews,
    *,
    action: str,
    outcome: NewsOutcome,
) -> None:
    """Add a line about what a provider said."""
    await audit.record(
        session,
        actor=SYSTEM,
        action=action,
        subject_id=order.id if order else "",
        organization_id=order.organization_id if order else None,
        facts={
            "provider": provider.value,
            "kind": news.kind.value,
            "outcome": outcome.value,
            "external_payment_id": news.external_payment_id,
            "currency": news.currency,
            "amount": format_amount(news.amount_nanos),
        },
    )


def _invoice(order: TopUpOrder) -> Invoice:
    """Say of an order what its provider has to know."""
    return Invoice(
        order_id=order.id,
        reference_code=order.reference_code,
        amount_nanos=order.amount_nanos,
        currency=order.currency,
        expires_at=order.expires_at,
        provider_reference=order.provider_reference,
        is_called_off=order.state is OrderState.CANCELLED,
    )
