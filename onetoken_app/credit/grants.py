"""Promotional and trial credit: finance gives it with a reason, above a limit with the approval of a second person.

The ledger knows a grant by its id, so that it is given once.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.credit.customers import (
    checked_amount,
    checked_submission,
    locked_customer,
    note,
    refuse_members,
    refuse_while_blocked,
    tell_customer,
)
from onetoken_app.credit.errors import FormUsed, GrantChanged, StaffInvolved, TrialGiven
from onetoken_app.credit.models import Grant, GrantKind, GrantState
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import StaffRole
from onetoken_app.ledger import service as ledger
from onetoken_app.money import Nanos, format_amount
from onetoken_app.notifications.credit_letters import grant_waits
from onetoken_app.organizations.circulars import MailRoom, write_to_staff
from onetoken_app.organizations.models import Organization
from onetoken_app.payments.alone import Decision, decide_alone
from onetoken_app.payments.alone_models import AloneKind
from onetoken_app.payments.words import checked_words
from onetoken_app.usage.periods import period_of_days, today

VALID_DAYS_MAX = 3 * 366


@dataclass(frozen=True, slots=True)
class GrantForm:
    """What somebody of finance wants to give."""

    organization_id: str
    """Verified, and neither suspended nor frozen."""
    kind: GrantKind
    amount_nanos: Nanos
    """Whole cents from 0.01 to 10 000 000, in the organization's currency."""
    last_day: date
    """On which it can be spent, on the organization's clocks; today or later."""
    reason: str
    """1 to 1 000 characters."""
    submission_id: str
    """Made once per form."""


async def propose_grant(
    session: AsyncSession,
    form: GrantForm,
    *,
    proposed_by: str,
    second_person_above_nanos: Nanos,
    mail_room: MailRoom,
) -> Grant:
    """Give credit, or propose it where a second person has to approve it; the same form again returns the first.

    Args:
        session: Open unit of work; the caller commits.
        form: To whom, what and why; trial credit is given once.
        proposed_by: Who of finance; has the role, as the edge checked, and does not belong to the organization.
        second_person_above_nanos: Above it, with all that they decided alone within a day, somebody else has to.
        mail_room: Writes to the organization, or to finance.

    Raises:
        AmountRefused, BadRequest, FormUsed: The form cannot be used.
        CreditBlocked: The organization may not call now.
        NotFound: There is no such organization.
        StaffInvolved: They belong to the organization.
        TrialGiven: It had trial credit.
    """
    checked_amount(form.amount_nanos)
    checked_submission(form.submission_id)
    reason = checked_words(form.reason, are_required=True)
    customer = await locked_customer(session, form.organization_id)
    await refuse_members(session, customer.id, proposed_by)
    first = await _of_form(session, form, customer, reason=reason, proposed_by=proposed_by)
    if first is not None:
        return first
    await refuse_while_blocked(session, customer)
    await _refuse_second_trial(session, customer.id, form.kind)
    grant = Grant(
        id=new_id(Kind.GRANT),
        organization_id=customer.id,
        submission_id=form.submission_id,
        kind=form.kind,
        currency=customer.currency,
        amount_nanos=form.amount_nanos,
        expires_at=_end_of(form.last_day, customer),
        reason=reason,
        state=GrantState.PROPOSED,
        proposed_by=proposed_by,
        proposed_at=clock.utc_now(),
    )
    session.add(grant)
    await session.flush()
    decision = Decision(proposed_by, AloneKind.GRANT, grant.id, grant.currency, grant.amount_nanos)
    is_alone = await decide_alone(session, decision, above_nanos=second_person_above_nanos)
    await _note(session, grant, "grant_proposed", actor_id=proposed_by)
    if is_alone:
        await _give(session, grant, mail_room)
    else:
        await _ask_colleagues(session, customer, mail_room)
    return grant


async def approve_grant(session: AsyncSession, *, grant_id: str, approved_by: str, mail_room: MailRoom) -> None:
    """Give the credit that a colleague proposed.

    Args:
        session: Open unit of work; the caller commits.
        grant_id: Which grant.
        approved_by: Who of finance; has the role, as the edge checked.
        mail_room: Writes to the organization.

    Raises:
        CreditBlocked: The organization may not call now; the grant waits.
        GrantChanged: It was decided on, or its last day is over.
        NotFound: There is no such grant.
        StaffInvolved: They proposed it, or belong to the organization.
    """
    grant = await _waiting(session, grant_id, approved_by)
    if approved_by == grant.proposed_by:
        raise StaffInvolved("You proposed this grant; a colleague has to approve it. Nothing was given.")
    if grant.expires_at <= clock.utc_now():
        raise GrantChanged("The last day of this grant is over; nothing was given. Refuse it, and propose another.")
    await refuse_while_blocked(session, await locked_customer(session, grant.organization_id))
    grant.decided_by, grant.decided_at = approved_by, clock.utc_now()
    await _note(session, grant, "grant_approved", actor_id=approved_by)
    await _give(session, grant, mail_room)


async def refuse_grant(session: AsyncSession, *, grant_id: str, refused_by: str) -> None:
    """Give nothing; whoever proposed it may take it back so.

    Raises:
        GrantChanged: It was decided on.
        NotFound: There is no such grant.
        StaffInvolved: They belong to the organization.
    """
    grant = await _waiting(session, grant_id, refused_by)
    grant.state, grant.decided_by, grant.decided_at = GrantState.REFUSED, refused_by, clock.utc_now()
    await session.flush()
    await _note(session, grant, "grant_refused", actor_id=refused_by)


async def _give(session: AsyncSession, grant: Grant, mail_room: MailRoom) -> None:
    """Open the lot."""
    grant.state = GrantState.GRANTED
    await session.flush()
    await ledger.open_account(session, owner_id=grant.organization_id, currency=grant.currency)
    await tell_customer(session, grant.organization_id, mail_room)
    await ledger.grant_promotional_credit(
        session,
        owner_id=grant.organization_id,
        currency=grant.currency,
        amount_nanos=grant.amount_nanos,
        expires_at=grant.expires_at,
        reference=f"grant:{grant.id}",
    )


async def _waiting(session: AsyncSession, grant_id: str, person_id: str) -> Grant:
    """Lock a grant that waits, for somebody who does not belong to its organization."""
    grant = await session.get(Grant, grant_id, with_for_update=True, populate_existing=True)
    if grant is None:
        raise NotFound("There is no such grant.")
    await refuse_members(session, grant.organization_id, person_id)
    if grant.state is not GrantState.PROPOSED:
        raise GrantChanged("Somebody decided on this grant already; nothing was done.")
    return grant


async def _of_form(
    session: AsyncSession, form: GrantForm, customer: Organization, *, reason: str, proposed_by: str
) -> Grant | None:
    """Find what the same form made before; one that says anything else is refused."""
    query = select(Grant).where(
        Grant.organization_id == form.organization_id, Grant.submission_id == form.submission_id
    )
    first = (await session.exec(query)).first()
    if first is None:
        return None
    expires_at = period_of_days(form.last_day, form.last_day, time_zone=customer.time_zone).until
    said = (form.kind, form.amount_nanos, expires_at, reason, proposed_by)
    if said != (first.kind, first.amount_nanos, first.expires_at, first.reason, first.proposed_by):
        raise FormUsed("This form gave something else before; load the page anew. Nothing was done.")
    return first


async def _ask_colleagues(session: AsyncSession, customer: Organization, mail_room: MailRoom) -> None:
    """Tell finance that a grant waits for a second person."""
    await write_to_staff(
        session,
        mail_room=mail_room,
        role=StaffRole.FINANCE,
        letter=lambda locale: grant_waits(
            locale, organization_name=customer.name, address=f"{mail_room.console_url}/staff/credit"
        ),
    )


async def _refuse_second_trial(session: AsyncSession, organization_id: str, kind: GrantKind) -> None:
    """Refuse trial credit to whoever had some; the unique index keeps the rule."""
    if kind is not GrantKind.TRIAL:
        return
    query = select(Grant.id).where(
        Grant.organization_id == organization_id, Grant.kind == GrantKind.TRIAL, col(Grant.state) != GrantState.REFUSED
    )
    if (await session.exec(query)).first() is not None:
        raise TrialGiven("This organization had trial credit, or some waits for approval; nothing was given.")


def _end_of(last_day: date, customer: Organization) -> datetime:
    """Return when a day ends on an organization's clocks."""
    first = today(clock.utc_now(), time_zone=customer.time_zone)
    if not first <= last_day <= first + timedelta(days=VALID_DAYS_MAX):
        raise BadRequest(
            "The last day is today or later, and within three years; nothing was done.", parameter="last_day"
        )
    return period_of_days(last_day, last_day, time_zone=customer.time_zone).until


async def _note(session: AsyncSession, grant: Grant, action: str, *, actor_id: str) -> None:
    """Add a line about a grant."""
    await note(
        session,
        action,
        actor_id=actor_id,
        subject_id=grant.id,
        organization_id=grant.organization_id,
        facts={
            "kind": grant.kind.value,
            "amount": format_amount(grant.amount_nanos),
            "currency": grant.currency.value,
            "expires_at": clock.iso_instant(grant.expires_at),
        },
    )
