"""Units of work around refunds: what no invoice has is read here under its lock, and handed to the payments room."""

from onetoken_app.billing.invoiceable import invoiceable, not_invoiced
from onetoken_app.console.callers import Caller
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, NotFound, OneTokenError
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.payments import refunds
from onetoken_app.payments.amounts import refund_from_text
from onetoken_app.payments.models import RefundRefusal
from onetoken_app.payments.queries import OrderView, order_for_staff
from onetoken_app.payments.refund_desk import send_next_refund
from onetoken_app.payments.refund_queries import RefundView, order_id_by_reference, refund_for_staff
from onetoken_app.payments.refundable import RefundableOrderView, refundable_orders
from onetoken_app.settings import BadSettings, Settings
from onetoken_app.telemetry import get_logger

logger = get_logger()


async def ask_for_refund(
    caller: Caller,
    *,
    settings: Settings,
    order_id: str,
    amount: str,
    submission_id: str,
    words: str,
    is_for_own: bool,
) -> str:
    """Ask for unused credit of an order back; return the refund's id.

    Args:
        caller: Somebody in charge of the organization's money, or of finance, as the event's role says.
        settings: For the mails to finance.
        order_id: Which order.
        amount: What they typed.
        submission_id: Made once per form.
        words: Why.
        is_for_own: The order has to be of the organization that the caller acts for.

    Raises:
        OneTokenError: As ``payments.refunds.ask_for_refund``.
    """
    amount_nanos = refund_from_text(amount)
    order = await _order(order_id)
    if is_for_own and order.organization_id != caller.organization_id:
        raise NotFound("There is no such order.")
    async with unit_of_work() as session:
        left = await not_invoiced(session, organization_id=order.organization_id, currency=order.currency)
        return await refunds.ask_for_refund(
            session,
            order_id=order_id,
            organization_id=caller.organization_id if is_for_own else None,
            amount_nanos=amount_nanos,
            submission_id=submission_id,
            words=words,
            asked_by=caller.person.person_id,
            not_invoiced_nanos=left,
            mail_room=mail_room(settings),
        )


async def ask_for_refund_of(
    caller: Caller, *, settings: Settings, reference: str, amount: str, submission_id: str, words: str
) -> str:
    """Ask for a refund in the name of an organization, of the order with a reference code; return the refund's id.

    Raises:
        OneTokenError: As ``ask_for_refund``.
    """
    async with read_session() as session:
        order_id = await order_id_by_reference(session, reference)
    if order_id is None:
        raise BadRequest("There is no order with this reference code; nothing was requested.", parameter="reference")
    return await ask_for_refund(
        caller,
        settings=settings,
        order_id=order_id,
        amount=amount,
        submission_id=submission_id,
        words=words,
        is_for_own=False,
    )


async def approve_refund(caller: Caller, *, settings: Settings, refund_id: str, expected_revision: int) -> bool:
    """Approve a refund, and take it to its provider when nobody else has to; False: a second person has to.

    That the provider is silent is no error here: the money is held, and the job goes on.

    Raises:
        OneTokenError: As ``payments.refunds.approve_refund``.
    """
    found = await _refund(refund_id)
    async with unit_of_work() as session:
        left = await not_invoiced(session, organization_id=found.organization_id, currency=found.currency)
        is_held = await refunds.approve_refund(
            session,
            refund_id=refund_id,
            approved_by=caller.person.person_id,
            expected_revision=expected_revision,
            not_invoiced_nanos=left,
            second_person_above_nanos=settings.refund_second_person_above_units * NANOS_PER_UNIT,
            mail_room=mail_room(settings),
        )
    if is_held and not found.provider.is_by_hand:
        try:
            await send_next_refund(settings, refund_id=refund_id)
        except OneTokenError as error:
            logger.warning("refund_not_sent", error_code=error.code)
        except BadSettings:
            logger.warning("refund_not_sent", error_code="payment_keys_unusable")
    return is_held


async def refuse_refund(
    caller: Caller, *, settings: Settings, refund_id: str, expected_revision: int, reason: str, words: str
) -> None:
    """Refuse a refund.

    Raises:
        OneTokenError: As ``payments.refunds.refuse_refund``; the reason is none of the list.
    """
    if reason not in set(RefundRefusal):
        raise BadRequest("Choose a reason.", parameter="reason")
    async with unit_of_work() as session:
        await refunds.refuse_refund(
            session,
            refund_id=refund_id,
            refused_by=caller.person.person_id,
            expected_revision=expected_revision,
            reason=RefundRefusal(reason),
            words=words,
            mail_room=mail_room(settings),
        )


async def withdraw_refund(caller: Caller, *, refund_id: str) -> None:
    """Take a refund of the organization back that the caller acts for.

    Raises:
        OneTokenError: As ``payments.refunds.withdraw_refund``.
    """
    async with unit_of_work() as session:
        await refunds.withdraw_refund(
            session,
            organization_id=caller.organization_id,
            refund_id=refund_id,
            withdrawn_by=caller.person.person_id,
        )


async def confirm_transfer_back(
    caller: Caller, *, settings: Settings, refund_id: str, expected_revision: int, bank_entry: str
) -> None:
    """Confirm that a refund was transferred by hand.

    Raises:
        OneTokenError: As ``payments.refunds.confirm_transfer_back``.
    """
    async with unit_of_work() as session:
        await refunds.confirm_transfer_back(
            session,
            refund_id=refund_id,
            confirmed_by=caller.person.person_id,
            expected_revision=expected_revision,
            bank_entry=bank_entry,
            mail_room=mail_room(settings),
        )


async def give_up_transfer_back(
    caller: Caller, *, settings: Settings, refund_id: str, expected_revision: int, words: str
) -> None:
    """Give back to the balance what could not be transferred by hand.

    Raises:
        OneTokenError: As ``payments.refunds.give_up_transfer_back``.
    """
    async with unit_of_work() as session:
        await refunds.give_up_transfer_back(
            session,
            refund_id=refund_id,
            given_up_by=caller.person.person_id,
            expected_revision=expected_revision,
            words=words,
            mail_room=mail_room(settings),
        )


async def what_can_be_refunded(organization_id: str, currency: Currency) -> list[RefundableOrderView]:
    """Return an organization's orders of which something can be asked back, as it stands now."""
    async with read_session() as session:
        left: Nanos = (await invoiceable(session, organization_id=organization_id, currency=currency)).available_nanos
        return await refundable_orders(session, organization_id, not_invoiced_nanos=left)


async def _order(order_id: str) -> OrderView:
    """Find any order."""
    async with read_session() as session:
        found = await order_for_staff(session, order_id)
    if found is None:
        raise NotFound("There is no such order.")
    return found


async def _refund(refund_id: str) -> RefundView:
    """Find any refund."""
    async with read_session() as session:
        found = await refund_for_staff(session, refund_id)
    if found is None:
        raise NotFound("There is no such refund.")
    return found
