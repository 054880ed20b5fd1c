"""Whose credit it is: the organization with its row locked, who of the staff may decide, and who hears of it."""

import re

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.credit.errors import AmountRefused, CreditBlocked, FormUsed, StaffInvolved
from onetoken_app.errors import NotFound
from onetoken_app.ledger.queries import standing_of
from onetoken_app.money import NANOS_PER_UNIT, Nanos, parse_amount
from onetoken_app.notifications.credit_letters import credit_news
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members
from onetoken_app.organizations.models import Organization
from onetoken_app.organizations.queries import members_of

AMOUNT_NANOS_MAX: Nanos = 10_000_000 * NANOS_PER_UNIT
_NANOS_PER_CENT = NANOS_PER_UNIT // 100
_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


async def locked_customer(session: AsyncSession, organization_id: str) -> Organization:
    """Have what credit keeps of an organization to oneself until the commit.

    Raises:
        NotFound: There is no such organization.
    """
    customer = await session.get(Organization, organization_id, with_for_update=True, populate_existing=True)
    if customer is None:
        raise NotFound("There is no such organization.")
    return customer


async def refuse_members(
    session: AsyncSession,
    organization_id: str,
    person_id: str,
    *,
    message: str = "You belong to this organization; a colleague has to do it. Nothing was done.",
) -> None:
    """Refuse somebody of the staff who belongs to the organization.

    Raises:
        StaffInvolved: They do.
    """
    if person_id in {member.person_id for member in await members_of(session, organization_id)}:
        raise StaffInvolved(message)


async def refuse_while_blocked(session: AsyncSession, customer: Organization) -> None:
    """Refuse to give or sell anything to an organization that may not call.

    Raises:
        CreditBlocked: It is not verified, suspended or frozen.
    """
    if customer.verified_at is None or customer.suspended_at is not None:
        raise CreditBlocked("The organization is not verified, or suspended; nothing was done.")
    if (await standing_of(session, owner_id=customer.id, currency=customer.currency)).is_frozen:
        raise CreditBlocked("The credit of this organization is frozen; nothing was done.")


def checked_amount(amount_nanos: Nanos, *, parameter: str = "amount", least_nanos: Nanos = _NANOS_PER_CENT) -> Nanos:
    """Return an amount that is given or asked for.

    Raises:
        AmountRefused: It is no whole number of cents from the least one to 10 000 000.
    """
    # A bool or a float that slipped through is no amount.
    if type(amount_nanos) is not int or not least_nanos <= amount_nanos <= AMOUNT_NANOS_MAX:
        raise AmountRefused("An amount is from 0.01 to 10 000 000; nothing was done.", parameter=parameter)
    if amount_nanos % _NANOS_PER_CENT:
        raise AmountRefused("An amount has at most two decimals; nothing was done.", parameter=parameter)
    return amount_nanos


def amount_from_text(text: str, *, parameter: str = "amount") -> Nanos:
    """Read what somebody typed, such as ``1000`` or ``1000.50``.

    Raises:
        AmountRefused: It is no plain decimal number.
    """
    try:
        return parse_amount(text.strip())
    except ValueError as error:
        raise AmountRefused("Write the amount as a plain number, such as 1000.00.", parameter=parameter) from error


def checked_submission(submission_id: str) -> str:
    """Return the mark of a form.

    Raises:
        FormUsed: It is none.
    """
    if _SUBMISSION_ID.fullmatch(submission_id) is None:
        raise FormUsed("This form cannot be used again; load the page anew. Nothing was done.")
    return submission_id


async def note(
    session: AsyncSession,
    action: str,
    *,
    actor_id: str,
    subject_id: str,
    organization_id: str | None,
    facts: dict[str, Fact] | None = None,
) -> None:
    """Add a line to the audit log; before the ledger is touched, as everywhere, so that nobody waits in a circle."""
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, actor_id),
        action=action,
        subject_id=subject_id,
        organization_id=organization_id,
        facts=facts,
    )


async def tell_customer(session: AsyncSession, organization_id: str, mail_room: MailRoom) -> None:
    """Tell those in charge of an organization's money that its credit has changed; the console says how."""
    await write_to_members(
        session,
        mail_room=mail_room,
        organization_id=organization_id,
        roles=IN_CHARGE_OF_MONEY,
        letter=lambda locale, name: credit_news(
            locale, organization_name=name, address=f"{mail_room.console_url}/credit"
        ),
    )
