"""What becomes of a refund that was approved: it is sent to its provider once, and ends confirmed or failed, once.

A refund is marked as sent before its provider is told, so that whoever finds it later asks before telling again; the
provider knows it by its id and pays it out once. Nothing here talks to a provider; ``refund_desk`` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import SYSTEM, Actor
from onetoken_app.errors import NotFound
from onetoken_app.identity.models import StaffRole
from onetoken_app.ledger import service as ledger
from onetoken_app.money import format_amount
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members, write_to_staff
from onetoken_app.payments.models import (
    ExternalPayment,
    NewsKind,
    PaymentProvider,
    Refund,
    RefundFailure,
    RefundStage,
    TopUpOrder,
)
from onetoken_app.payments.providers.protocol import PaymentNews, RefundOrder, RefundState

REFUNDS_PATH = "/refunds"
"""Where the console shows an organization its refunds."""
REFUND_DESK_PATH = "/staff/refunds"
"""Where the console shows finance what waits."""
ASK_AFTER = timedelta(minutes=2)
"""When to look at a refund again that somebody took to its provider, and of which nothing was heard since."""
_ASK_SELDOM = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Errand:
    """One refund to take to its provider."""

    provider: PaymentProvider
    order: RefundOrder
    was_sent: bool
    """The provider may know it already: ask before telling it."""


async def take_due(session: AsyncSession, *, refund_id: str | None = None) -> Errand | None:
    """Take the refund that has been due for longest to its provider; others leave it alone for two minutes and more.

    Args:
        session: Open unit of work; the caller commits before it talks to the provider.
        refund_id: Only this one, if it is due.
    """
    now = clock.utc_now()
    query = select(Refund).where(col(Refund.due_at) <= now)
    if refund_id is not None:
        query = query.where(Refund.id == refund_id)
    query = query.order_by(col(Refund.due_at), Refund.id).limit(1).with_for_update(skip_locked=True)
    refund = (await session.exec(query)).first()
    if refund is None:
        return None
    was_sent = refund.stage is not RefundStage.HELD
    if not was_sent:
        refund.stage, refund.sent_at = RefundStage.SENT, now
        refund.revision += 1
    refund.due_at = now + min(max(now - (refund.sent_at or now), ASK_AFTER), _ASK_SELDOM)
    await session.flush()
    if not was_sent:
        await audit_refund(session, refund, action="refund_sent")
    return Errand(refund.provider, await _order_of(session, refund), was_sent)


async def note_answer(session: AsyncSession, refund_id: str, state: RefundState, *, mail_room: MailRoom) -> None:
    """Keep what a provider answered about a refund; an answer that is repeated changes nothing.

    Args:
        session: Open unit of work; the caller commits.
        refund_id: Which refund.
        state: ``UNKNOWN`` after it was told means that it may be told again; the refund stays due.
        mail_room: Writes to the organization, and to finance when it failed.
    """
    _order, refund = await locked_refund(session, refund_id)
    if refund.stage is not RefundStage.SENT:
        return
    if state is RefundState.CONFIRMED:
        await end_confirmed(session, refund, actor_id=None, mail_room=mail_room)
    elif state is RefundState.FAILED:
        await end_failed(session, refund, RefundFailure.PROVIDER_FAILED, actor_id=None, mail_room=mail_room)


async def note_refused(session: AsyncSession, refund_id: str, *, mail_room: MailRoom) -> None:
    """Keep that a provider will not pay a refund out, and does not have it; repeating it changes nothing."""
    _order, refund = await locked_refund(session, refund_id)
    if refund.stage is RefundStage.SENT:
        await end_failed(session, refund, RefundFailure.PROVIDER_REFUSED, actor_id=None, mail_room=mail_room)


async def note_news(
    session: AsyncSession, *, provider: PaymentProvider, news: PaymentNews, mail_room: MailRoom
) -> bool:
    """Act on a provider's own word about a refund; whether it is one of ours and nothing is left for a person.

    Money that came back after it was confirmed is given back to the balance; what says more than we know, such as
    another amount, has the provider asked instead of being believed.

    Args:
        session: Open unit of work that has the order's row to itself; the caller commits.
        provider: Whose signature was checked.
        news: About a refund.
        mail_room: Writes to the organization, and to finance when it failed.
    """
    if news.kind not in {NewsKind.REFUNDED, NewsKind.REFUND_FAILED} or not news.refund_id:
        return False
    refund = await session.get(Refund, news.refund_id, with_for_update=True, populate_existing=True)
    if refund is None or (refund.provider, refund.order_id) != (provider, news.order_id):
        return False
    failed = news.kind is NewsKind.REFUND_FAILED
    if refund.stage is RefundStage.CONFIRMED:
        if failed:
            await end_failed(session, refund, RefundFailure.PROVIDER_FAILED, actor_id=None, mail_room=mail_room)
        return True
    if refund.stage is RefundStage.SENT:
        if failed:
            await end_failed(session, refund, RefundFailure.PROVIDER_FAILED, actor_id=None, mail_room=mail_room)
        elif (news.amount_nanos, news.currency) == (refund.amount_nanos, refund.currency.value):
            await end_confirmed(session, refund, actor_id=None, mail_room=mail_room)
        else:
            refund.due_at = clock.utc_now()
        return True
    return refund.stage is RefundStage.FAILED and failed


async def end_confirmed(session: AsyncSession, refund: Refund, *, actor_id: str | None, mail_room: MailRoom) -> None:
    """End a refund that went back to whoever paid.

    Args:
        session: Open unit of work that has the refund's row to itself; the caller commits.
        refund: Held or sent.
        actor_id: Who of finance says so; ``None``: the provider.
        mail_room: Writes to the organization.
    """
    refund.stage, refund.ended_at, refund.due_at = RefundStage.CONFIRMED, clock.utc_now(), None
    refund.revision += 1
    await session.flush()
    await audit_refund(session, refund, action="refund_confirmed", actor_id=actor_id)
    await tell_organization(session, refund, mail_room)


async def end_failed(
    session: AsyncSession, refund: Refund, failure: RefundFailure, *, actor_id: str | None, mail_room: MailRoom
) -> None:
    """End a refund that could not be paid out: the balance has it again, once, and both sides hear of it.

    Args:
        session: Open unit of work that has the refund's row to itself; the caller commits.
        refund: Held, sent, or confirmed too soon.
        failure: Why.
        actor_id: Who of finance says so; ``None``: the provider.
        mail_room: Writes to the organization and to finance.
    """
    refund.stage, refund.failure, refund.ended_at, refund.due_at = RefundStage.FAILED, failure, clock.utc_now(), None
    refund.revision += 1
    await session.flush()
    # The audit log is locked before the ledger, as everywhere, so that nobody waits in a circle.
    await audit_refund(
        session, refund, action="refund_failed", actor_id=actor_id, facts={"failure": failure.value}
    )  # fmt: skip
    await ledger.return_refund(
        session, refund_reference=ledger_reference(refund), reference=f"refund_return:{refund.id}"
    )  # fmt: skip
    await tell_organization(session, refund, mail_room)
    order = await session.get(TopUpOrder, refund.order_id)
    if order is not None:
        await tell_finance(session, order, mail_room)


async def locked_refund(session: AsyncSession, refund_id: str) -> tuple[TopUpOrder, Refund]:
    """Keep everybody else out of a refund and its order until the unit of work ends: the order first, as everywhere.

    Raises:
        NotFound: There is no such refund.
    """
    refund = await session.get(Refund, refund_id)
    order = (
        await session.get(TopUpOrder, refund.order_id, with_for_update=True, populate_existing=True) if refund else None
    )
    if refund is None or order is None:
        raise NotFound("There is no such refund.")
    await session.refresh(refund, with_for_update=True)
    return order, refund


def ledger_reference(refund: Refund) -> str:
    """Return what the ledger knows a refund by."""
    return f"refund:{refund.id}"


def clearing_of(refund: Refund) -> str:
    """Return which clearing account its money goes through."""
    return "" if refund.provider.is_by_hand else refund.provider.value


async def audit_refund(
    session: AsyncSession,
    refund: Refund,
    *,
    action: str,
    actor_id: str | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> None:
    """Add a line about a refund; without a person it is this service's own."""
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, actor_id) if actor_id else SYSTEM,
        action=action,
        subject_id=refund.id,
        organization_id=refund.organization_id,
        facts={
            "order_id": refund.order_id,
            "provider": refund.provider.value,
            "amount": format_amount(refund.amount_nanos),
            "currency": refund.currency.value,
            **(facts or {}),
        },
    )


async def tell_organization(session: AsyncSession, refund: Refund, mail_room: MailRoom) -> None:
    """Post a mail to those in charge of money; it says that there is news, and the console says what."""

    def letter(locale: str, organization_name: str) -> Letter:
        address = f"{mail_room.console_url}{REFUNDS_PATH}"
        return letters.payment_news(locale, organization_name=organization_name, address=address)

    await write_to_members(
        session, mail_room=mail_room, organization_id=refund.organization_id, roles=IN_CHARGE_OF_MONEY, letter=letter
    )


async def tell_finance(session: AsyncSession, order: TopUpOrder, mail_room: MailRoom) -> None:
    """Post a mail to those who decide on refunds."""

    def letter(locale: str) -> Letter:
        address = f"{mail_room.console_url}{REFUND_DESK_PATH}"
        return letters.refund_waits(locale, organization_name=order.organization_name, address=address)

    await write_to_staff(session, mail_room=mail_room, role=StaffRole.FINANCE, letter=letter)


async def _order_of(session: AsyncSession, refund: Refund) -> RefundOrder:
    """Say of a refund what its provider has to know."""
    query = select(ExternalPayment).where(ExternalPayment.order_id == refund.order_id)
    payment = (await session.exec(query)).one()
    return RefundOrder(
        refund_id=refund.id,
        order_id=refund.order_id,
        external_payment_id=payment.external_payment_id,
        currency=refund.currency,
        paid_nanos=payment.amount_nanos,
        refund_nanos=refund.amount_nanos,
    )
