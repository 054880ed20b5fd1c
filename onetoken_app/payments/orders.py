"""What a customer does with an order: makes it, goes to pay it, reports the transfer, calls it off.

Every verb takes the organization from the caller: nobody reaches another's order by its id. The same form sent twice is
one order, the same report made twice is one report.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import StaffRole
from onetoken_app.money import Nanos, format_amount
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import MailRoom, write_to_staff
from onetoken_app.organizations.queries import OrganizationView, organization
from onetoken_app.payments.amounts import new_reference_code
from onetoken_app.payments.errors import (
    FormReused,
    NoConsent,
    NotVerified,
    OrderChanged,
    OrderExpired,
    StatementChanged,
    TooManyOrders,
)
from onetoken_app.payments.models import OrderState, PaymentProvider, TopUpOrder
from onetoken_app.payments.offers import check_offer
from onetoken_app.payments.statement import Statement, current_statement

DESK_PATH = "/staff/top-ups"
"""Where the console shows finance what waits."""
PAGE_LIFE = timedelta(hours=6)
"""How long an order may be paid on a payment provider's page."""
OPEN_ORDERS_MAX = 20
"""Orders that an organization may have under way."""
_UNDER_WAY = (OrderState.OPEN, OrderState.REPORTED, OrderState.REFUSED)
_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
PAYER_CHARACTERS_MAX = 200
BANK_REFERENCE_CHARACTERS_MAX = 64


async def place_order(
    session: AsyncSession,
    *,
    organization_id: str,
    amount_nanos: Nanos,
    submission_id: str,
    statement: Statement | None,
    consented_by: str,
    caller_ip: str,
    user_agent: str,
    valid_days: int,
    provider: PaymentProvider = PaymentProvider.BANK_TRANSFER,
) -> str:
    """Make an order and return its id; a repeat of the same form returns the first one's.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Who will pay; verified and in good standing.
        amount_nanos: In the organization's currency: whole cents, 1 to 10 000 000 units.
        submission_id: Made once per form; 8 to 64 letters, digits, ``-`` or ``_``.
        statement: What was consented to: the one in force; ``None``: there was no consent.
        consented_by: Who orders and consents.
        caller_ip: From where.
        user_agent: With what.
        valid_days: How long a transfer may be reported; at least 1.
        provider: How it will be paid, and no other way; the edge saw that it is switched on.

    Raises:
        AmountRefused, NotOffered: The amount cannot be ordered, or not be paid in this way.
        BadRequest, FormReused: The form has no id of its own, or one that ordered something else.
        NotFound, NotVerified: There is no such organization, or it is not verified, or suspended.
        NoConsent, StatementChanged: Nobody consented to what is in force.
        TooManyOrders: As many are under way as may be.
    """
    customer = await _customer(session, organization_id)
    check_offer(provider, currency=customer.currency, amount_nanos=amount_nanos)
    if first_id := await _order_of_form(session, organization_id, submission_id, amount_nanos, provider):
        return first_id
    statement, now = _consented_statement(statement), clock.utc_now()
    await _refuse_too_many(session, organization_id)
    order = TopUpOrder(
        id=new_id(Kind.TOP_UP_ORDER),
        organization_id=organization_id,
        submission_id=submission_id,
        organization_name=customer.name,
        registration_code=customer.registration_code,
        reference_code=new_reference_code(),
        provider=provider,
        currency=customer.currency,
        amount_nanos=amount_nanos,
        ordered_by=consented_by,
        ordered_at=now,
        expires_at=now + (timedelta(days=valid_days) if provider.is_by_hand else PAGE_LIFE),
        statement_version=statement.version,
        statement_locale=statement.locale,
        statement_sha256=statement.sha256,
        caller_ip=caller_ip[:45],
        user_agent=_shortened_user_agent(user_agent),
    )
    return await _add(session, order)


async def report_transfer(
    session: AsyncSession,
    *,
    organization_id: str,
    order_id: str,
    reported_by: str,
    payer_name: str,
    bank_reference: str,
    paid_on: date,
    mail_room: MailRoom,
) -> None:
    """Say that the money is on its way; saying the same again changes nothing. After a refusal it may be said anew.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose order.
        order_id: Which one.
        reported_by: Who says so.
        payer_name: Who paid, as the bank has it; 1 to 200 characters.
        bank_reference: The bank's number of the transfer; at most 64 characters, may be empty.
        paid_on: The day of the transfer; not in the future.
        mail_room: Writes to finance.

    Raises:
        BadRequest: A value cannot be used.
        NotFound: The organization has no such order.
        OrderChanged: Something else was reported already, or the order is credited or cancelled.
        OrderExpired: It was open for longer than it said.
    """
    payer_name = _checked_line(payer_name, PAYER_CHARACTERS_MAX, parameter="payer_name", is_required=True)
    bank_reference = _checked_line(bank_reference, BANK_REFERENCE_CHARACTERS_MAX, parameter="bank_reference")
    order = await _locked_order(session, organization_id, order_id)
    now = clock.utc_now()
    # A day ahead of UTC is still today somewhere.
    if not order.ordered_at.date() - timedelta(days=366) <= paid_on <= now.date() + timedelta(days=1):
        raise BadRequest("The day of the transfer is not in the future.", parameter="paid_on")
    said = (payer_name, bank_reference, paid_on)
    if order.state is OrderState.REPORTED and said == (order.payer_name, order.bank_reference, order.paid_on):
        return
    if not order.provider.is_by_hand:
        raise OrderChanged("This order is paid to a payment provider, which tells us itself; nothing was reported.")
    if order.state not in {OrderState.OPEN, OrderState.REFUSED}:
        raise OrderChanged(_STATES_IN_WORDS[order.state])
    if order.expires_at < now:
        raise OrderExpired("This order is no longer open; nothing was reported. Make a new one.")
    order.payer_name, order.bank_reference, order.paid_on = said
    order.state, order.reported_by, order.reported_at = OrderState.REPORTED, reported_by, now
    order.report_number += 1
    order.revision += 1
    order.bank_entry = None
    await session.flush()
    facts = {"report_number": order.report_number}
    await audit_order(session, order, action="transfer_reported", actor_id=reported_by, facts=facts)
    await _tell_finance(session, order, mail_room)


async def cancel_order(session: AsyncSession, *, organization_id: str, order_id: str, cancelled_by: str) -> None:
    """Call off an order that nobody waits for; doing it again changes nothing.

    What is paid to a provider all the same is credited: the money arrived. One that somebody was sent to pay is due to
    be closed at its provider.

    Raises:
        NotFound: The organization has no such order.
        OrderChanged: The transfer is reported or credited.
    """
    order = await _locked_order(session, organization_id, order_id)
    if order.state is OrderState.CANCELLED:
        return
    if order.state not in {OrderState.OPEN, OrderState.REFUSED}:
        raise OrderChanged(_STATES_IN_WORDS[order.state])
    order.state = OrderState.CANCELLED
    order.revision += 1
    if order.started_at is not None:
        order.ask_at = clock.utc_now()
    await session.flush()
    await audit_order(session, order, action="top_up_cancelled", actor_id=cancelled_by, facts={})


async def audit_order(
    session: AsyncSession, order: TopUpOrder, *, action: str, actor_id: str, facts: Mapping[str, Fact]
) -> None:
    """Add a line about an order."""
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, actor_id),
        action=action,
        subject_id=order.id,
        organization_id=order.organization_id,
        facts=facts,
    )


async def _tell_finance(session: AsyncSession, order: TopUpOrder, mail_room: MailRoom) -> None:
    """Post a mail to those who look for transfers."""

    def letter(locale: str) -> Letter:
        address = f"{mail_room.console_url}{DESK_PATH}"
        return letters.transfer_waits(locale, organization_name=order.organization_name, address=address)

    await write_to_staff(session, mail_room=mail_room, role=StaffRole.FINANCE, letter=letter)


_STATES_IN_WORDS = {
    OrderState.REPORTED: "A transfer is reported for this order already and is being looked for; nothing was changed.",
    OrderState.CREDITED: "This order is credited already; nothing was changed.",
    OrderState.CANCELLED: "This order was called off; nothing was changed. Make a new one.",
}


async def _customer(session: AsyncSession, organization_id: str) -> OrganizationView:
    """Find an organization that may top up."""
    found = await organization(session, organization_id)
    if found is None:
        raise NotFound("There is no such organization.")
    if not found.is_in_good_standing:
        raise NotVerified("Only a verified organization in good standing tops up; nothing was ordered.")
    return found


async def _order_of_form(
    session: AsyncSession, organization_id: str, submission_id: str, amount_nanos: Nanos, provider: PaymentProvider
) -> str | None:
    """Find the order that a form made before, for the same amount and the same way to pay."""
    if _SUBMISSION_ID.fullmatch(submission_id) is None:
        raise BadRequest("The form is incomplete; nothing was ordered. Load the page again.", parameter="submission_id")
    query = select(TopUpOrder).where(
        TopUpOrder.organization_id == organization_id, TopUpOrder.submission_id == submission_id
    )
    first = (await session.exec(query)).first()
    if first is not None and (first.amount_nanos, first.provider) != (amount_nanos, provider):
        raise FormReused("This form was sent before with other values; nothing new was ordered.")
    return first.id if first else None


async def _add(session: AsyncSession, order: TopUpOrder) -> str:
    """Put a new order on file; return its id."""
    session.add(order)
    await session.flush()
    facts = {
        "amount": format_amount(order.amount_nanos),
        "currency": order.currency.value,
        "provider": order.provider.value,
    }
    await audit_order(session, order, action="top_up_ordered", actor_id=order.ordered_by, facts=facts)
    return order.id


def _consented_statement(statement: Statement | None) -> Statement:
    """Refuse an order without consent, or with consent to what is no longer in force."""
    if statement is None:
        raise NoConsent("Without your consent to what happens to paid credit nothing is ordered.")
    if statement != current_statement(statement.locale):
        raise StatementChanged("What is consented to has changed; nothing was ordered. Read it again.")
    return statement


def _shortened_user_agent(user_agent: str) -> str:
    """Keep what can be read of a browser's name, 256 characters at most."""
    return "".join(character for character in user_agent[:1024] if character.isprintable())[:256]


async def _refuse_too_many(session: AsyncSession, organization_id: str) -> None:
    """Keep an organization from filling the staff's list; orders that expired do not count."""
    query = select(TopUpOrder.id).where(
        TopUpOrder.organization_id == organization_id,
        col(TopUpOrder.state).in_(_UNDER_WAY),
        TopUpOrder.expires_at > clock.utc_now(),
    )
    if len((await session.exec(query)).all()) >= OPEN_ORDERS_MAX:
        raise TooManyOrders(f"{OPEN_ORDERS_MAX} orders are under way; report or cancel one before you make another.")


async def _locked_order(session: AsyncSession, organization_id: str, order_id: str) -> TopUpOrder:
    """Find an organization's order and keep everybody else out of it until the unit of work ends."""
    order = await session.get(TopUpOrder, order_id, with_for_update=True, populate_existing=True)
    if order is None or order.organization_id != organization_id:
        raise NotFound("There is no such order.")
    return order


def _checked_line(text: str, characters_max: int, *, parameter: str, is_required: bool = False) -> str:
    """Trim one line."""
    text = text.strip()
    if len(text) > characters_max or not text.isprintable() or (is_required and not text):
        raise BadRequest(f"At most {characters_max} printable characters on one line.", parameter=parameter)
    return text
