"""Units of work around orders to top up: what the operator set is read here, and handed to the payments room."""

from datetime import date

from onetoken_app.console.callers import Caller
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.payments import approvals, orders
from onetoken_app.payments.amounts import amount_from_text
from onetoken_app.payments.errors import NotOffered
from onetoken_app.payments.models import PaymentProvider, TransferRefusal
from onetoken_app.payments.offers import missing_settings
from onetoken_app.payments.provider_desk import close_called_off
from onetoken_app.payments.statement import statement_with
from onetoken_app.settings import Settings


async def order_top_up(
    caller: Caller,
    *,
    settings: Settings,
    amount: str,
    submission_id: str,
    consent: str,
    caller_ip: str,
    user_agent: str,
    provider: str = PaymentProvider.BANK_TRANSFER.value,
) -> str:
    """Make an order for the organization that the caller acts for; return its id.

    Args:
        caller: Somebody in charge of its money, as the event's role says.
        settings: How long an order is open.
        amount: What they typed.
        submission_id: Made once per form.
        consent: The SHA-256 of the statement that they read and ticked; empty: they did not.
        caller_ip: From where.
        user_agent: With what.
        provider: How they want to pay.

    Raises:
        NotOffered: It is no way to pay, or one that is switched off.
        OneTokenError: As ``payments.orders.place_order``; without consent nothing is ordered.
    """
    amount_nanos, chosen = amount_from_text(amount), _chosen(provider, settings)
    statement = statement_with(consent) if consent else None
    async with unit_of_work() as session:
        return await orders.place_order(
            session,
            organization_id=caller.organization_id,
            amount_nanos=amount_nanos,
            submission_id=submission_id,
            statement=statement,
            consented_by=caller.person.person_id,
            caller_ip=caller_ip,
            user_agent=user_agent,
            valid_days=settings.top_up_order_days,
            provider=chosen,
        )


async def report_transfer(
    caller: Caller, *, settings: Settings, order_id: str, payer_name: str, bank_reference: str, paid_on: date
) -> None:
    """Report the transfer of an order of the organization that the caller acts for.

    Raises:
        OneTokenError: As ``payments.orders.report_transfer``.
    """
    async with unit_of_work() as session:
        await orders.report_transfer(
            session,
            organization_id=caller.organization_id,
            order_id=order_id,
            reported_by=caller.person.person_id,
            payer_name=payer_name,
            bank_reference=bank_reference,
            paid_on=paid_on,
            mail_room=mail_room(settings),
        )


async def cancel_order(caller: Caller, *, settings: Settings, order_id: str) -> None:
    """Call off an order of the organization that the caller acts for, at its payment provider too.

    Raises:
        OneTokenError: As ``payments.orders.cancel_order``.
    """
    async with unit_of_work() as session:
        await orders.cancel_order(
            session,
            organization_id=caller.organization_id,
            order_id=order_id,
            cancelled_by=caller.person.person_id,
        )
    await close_called_off(settings, organization_id=caller.organization_id, order_id=order_id)


async def approve_transfer(
    caller: Caller, *, settings: Settings, order_id: str, expected_revision: int, received: str, bank_entry: str
) -> bool:
    """Approve a reported transfer; False: a second person has to approve it too.

    Args:
        caller: Somebody of finance, as the event's role says.
        settings: Above which amount two have to approve.
        order_id: Which order.
        expected_revision: Of the order that was on the screen.
        received: The amount that arrived, as they typed it.
        bank_entry: The entry of the bank statement.

    Raises:
        OneTokenError: As ``payments.approvals.approve_transfer``.
    """
    received_nanos = amount_from_text(received)
    async with unit_of_work() as session:
        return await approvals.approve_transfer(
            session,
            order_id=order_id,
            approved_by=caller.person.person_id,
            expected_revision=expected_revision,
            received_nanos=received_nanos,
            bank_entry=bank_entry,
            second_person_above_nanos=settings.top_up_second_person_above_units * NANOS_PER_UNIT,
            mail_room=mail_room(settings),
        )


async def refuse_transfer(
    caller: Caller,
    *,
    settings: Settings,
    order_id: str,
    expected_revision: int,
    reason: TransferRefusal,
    words: str,
) -> None:
    """Refuse a reported transfer.

    Raises:
        OneTokenError: As ``payments.approvals.refuse_transfer``.
    """
    async with unit_of_work() as session:
        await approvals.refuse_transfer(
            session,
            order_id=order_id,
            refused_by=caller.person.person_id,
            expected_revision=expected_revision,
            reason=reason,
            words=words,
            mail_room=mail_room(settings),
        )


def _chosen(provider: str, settings: Settings) -> PaymentProvider:
    """Return a way to pay that is switched on; whether it takes the currency is for the payments room to say."""
    if provider not in set(PaymentProvider) or missing_settings(settings, PaymentProvider(provider)):
        raise NotOffered("This way to pay is not offered; nothing was ordered.", parameter="provider")
    return PaymentProvider(provider)


def day_of_transfer(written: str) -> date:
    """Read a day as a browser's field writes it.

    Raises:
        BadRequest: It is none.
    """
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadRequest("Choose the day of the transfer.", parameter="paid_on") from None
