"""Invitations: who is offered which role, and what became of it. At most one is open for an address.

Whoever decides about an invitation locks its row first, so that it is accepted or withdrawn, never both. Whoever locks
members as well locks them before, as ``members`` does: the other order would let two wait for each other.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.errors import Conflict, Forbidden, Gone, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import Person
from onetoken_app.identity.service import normalized_email
from onetoken_app.organizations.circulars import IN_CHARGE
from onetoken_app.organizations.members import OwnersOnly, lock_members
from onetoken_app.organizations.models import Invitation, Membership, OrganizationRole
from onetoken_app.organizations.service import add_member


class AlreadyMember(Conflict):
    """The invited address belongs to somebody who acts for the organization already."""

    code = "already_member"


class InvitationWithdrawn(Gone):
    """The offer was taken back, or a newer one of the same address replaced it."""

    code = "invitation_withdrawn"


async def invite(
    session: AsyncSession,
    *,
    organization_id: str,
    email: str,
    role: OrganizationRole,
    invited_by: str,
    lifetime: timedelta,
) -> str:
    """Offer a role to an address; an open invitation of the same address is replaced. Return the invitation's id.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Which organization.
        email: Who is invited, known or not.
        role: As what.
        invited_by: The member who invites; their role is read here, under the lock of whoever changes it.
        lifetime: How long the offer stands.

    Raises:
        AlreadyMember: They act for the organization already.
        BadRequest: It is no e-mail address.
        Forbidden: Who invites is not, or no longer, in charge of the members.
        OwnersOnly: The role of an owner is offered by somebody who is none.
    """
    email = normalized_email(email)
    await _check_inviter(session, organization_id, invited_by, offers=role)
    earlier_ones = await _lock_open_invitations(session, organization_id, email)
    # Only now: somebody who was accepting one of them while it was being locked is a member by this time.
    await _refuse_member(session, organization_id, email)
    now = clock.utc_now()
    for earlier in earlier_ones:
        earlier.withdrawn_at = now
    invitation_id = new_id(Kind.INVITATION)
    session.add(
        Invitation(
            id=invitation_id,
            organization_id=organization_id,
            email=email,
            role=role,
            invited_by=invited_by,
            invited_at=now,
            expires_at=now + lifetime,
        )
    )
    await session.flush()
    return invitation_id


async def withdraw_invitation(session: AsyncSession, *, organization_id: str, invitation_id: str) -> None:
    """Take an offer back; doing it again changes nothing.

    Raises:
        NotFound: The organization made no such offer, or it was accepted.
    """
    invitation = await session.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
    if invitation is None or invitation.organization_id != organization_id or invitation.accepted_at is not None:
        raise NotFound("There is no such open invitation.")
    invitation.withdrawn_at = invitation.withdrawn_at or clock.utc_now()
    await session.flush()


async def accept_invitation(session: AsyncSession, *, invitation_id: str, person_id: str) -> str:
    """Make the invited person a member; return the organization's id.

    Raises:
        InvitationWithdrawn: The offer was withdrawn or replaced.
        NotFound: It has expired, or was accepted before.
    """
    invitation = await session.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)
    now = clock.utc_now()
    if invitation is not None and invitation.withdrawn_at is not None:
        raise withdrawn()
    if invitation is None or invitation.accepted_at is not None or invitation.expires_at <= now:
        raise NotFound("This invitation is no longer open. Ask whoever invited you for a new one.")
    invitation.accepted_at, invitation.accepted_by = now, person_id
    # Whoever became a member in the meantime keeps the role they have.
    if await session.get(Membership, (invitation.organization_id, person_id)) is None:
        await add_member(session, organization_id=invitation.organization_id, person_id=person_id, role=invitation.role)
    await session.flush()
    return invitation.organization_id


def withdrawn() -> InvitationWithdrawn:
    """Say that the offer does not stand any more, and what may help."""
    return InvitationWithdrawn(
        "This invitation was withdrawn, or replaced by a newer one. Look for a newer mail, or ask whoever invited you."
    )


async def _check_inviter(
    session: AsyncSession, organization_id: str, person_id: str, *, offers: OrganizationRole
) -> None:
    """Refuse whoever may not offer a role; what an edge remembers of a caller may be seconds old."""
    inviter = (await lock_members(session, organization_id)).get(person_id)
    if inviter is None or inviter.role not in IN_CHARGE:
        raise Forbidden("Only owners and administrators invite members.")
    if offers is OrganizationRole.OWNER and inviter.role is not OrganizationRole.OWNER:
        raise OwnersOnly("Only an owner invites owners.")


async def _lock_open_invitations(session: AsyncSession, organization_id: str, email: str) -> Sequence[Invitation]:
    """Return an address's open invitations; nobody accepts or withdraws one until the caller commits."""
    query = (
        select(Invitation)
        .where(
            Invitation.organization_id == organization_id,
            Invitation.email == email,
            col(Invitation.accepted_at).is_(None),
            col(Invitation.withdrawn_at).is_(None),
        )
        .order_by(Invitation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.exec(query)).all()


async def _refuse_member(session: AsyncSession, organization_id: str, email: str) -> None:
    """Refuse an address whose owner acts for the organization."""
    query = (
        select(Membership.person_id)
        .join(Person, col(Person.id) == col(Membership.person_id))
        .where(Membership.organization_id == organization_id, Person.email == email)
    )
    if (await session.exec(query)).first() is not None:
        raise AlreadyMember("This person is a member already; change their role instead.")
