"""Changes who acts for an organization, and as what. Every act is in the audit log.

An organization keeps an owner who can sign in, and only owners make, change or remove owners. Whom it concerns is told
by mail.
"""

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import Conflict, Forbidden, NotFound
from onetoken_app.identity.models import Person
from onetoken_app.identity.service import revoke_sessions_of
from onetoken_app.notifications import letters
from onetoken_app.organizations.circulars import IN_CHARGE, MailRoom, write_to_person
from onetoken_app.organizations.models import Invitation, Membership, OrganizationRole


class LastOwner(Conflict):
    """Nobody would be left who answers for the organization."""

    code = "last_owner"


class OwnersOnly(Forbidden):
    """Only an owner decides who is one."""

    code = "owners_only"


async def change_role(
    session: AsyncSession,
    *,
    organization_id: str,
    person_id: str,
    role: OrganizationRole,
    changed_by: str,
    mail_room: MailRoom,
) -> None:
    """Let a member act in another role from now on; the role they have already changes nothing.

    Open invitations that they sent and may no longer send are withdrawn, or they could come back through one.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Which organization.
        person_id: The member.
        role: The new role.
        changed_by: Who does it; their role is read here, under the same lock.
        mail_room: Writes to the member.

    Raises:
        Forbidden: They are not in charge of the members.
        OwnersOnly: An owner is made or changed by somebody who is none.
        LastOwner: The member is the only owner.
        NotFound: There is no such member.
    """
    member = await _member_to_change(session, organization_id, person_id, changed_by, becomes=role)
    if member.role is role:
        return
    before, member.role = member.role, role
    if role not in IN_CHARGE:
        await _withdraw_offers_of(session, member, set(OrganizationRole))
    elif role is not OrganizationRole.OWNER:
        await _withdraw_offers_of(session, member, {OrganizationRole.OWNER})
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, changed_by),
        action="member_role_changed",
        subject_id=person_id,
        organization_id=organization_id,
        facts={"from": before.value, "to": role.value},
    )
    await write_to_person(
        session,
        mail_room=mail_room,
        organization_id=organization_id,
        person_id=person_id,
        letter=lambda locale, name: letters.role_changed(
            locale, organization_name=name, address=f"{mail_room.console_url}/members"
        ),
    )


async def remove_member(
    session: AsyncSession, *, organization_id: str, person_id: str, removed_by: str, mail_room: MailRoom
) -> None:
    """Let a member act for the organization no longer, and sign them out everywhere.

    Open invitations that they sent are withdrawn, or they could come back through one. Keys that they minted belong to
    the organization and stay.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Which organization.
        person_id: The member; may be who removes.
        removed_by: Who does it; their role is read here, under the same lock.
        mail_room: Writes to whoever was removed.

    Raises:
        Forbidden: They are not in charge of the members.
        OwnersOnly: An owner is removed by somebody who is none.
        LastOwner: The member is the only owner.
        NotFound: There is no such member.
    """
    member = await _member_to_change(session, organization_id, person_id, removed_by, becomes=None)
    role = member.role
    await _withdraw_offers_of(session, member, set(OrganizationRole))
    await session.delete(member)
    await revoke_sessions_of(session, person_id)
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, removed_by),
        action="member_removed",
        subject_id=person_id,
        organization_id=organization_id,
        facts={"role": role.value},
    )
    await write_to_person(
        session,
        mail_room=mail_room,
        organization_id=organization_id,
        person_id=person_id,
        letter=lambda locale, name: letters.member_removed(
            locale, organization_name=name, address=f"{mail_room.console_url}/sign-in"
        ),
    )


async def lock_members(session: AsyncSession, organization_id: str) -> dict[str, Membership]:
    """Let nobody else change or remove an organization's members until the caller commits.

    Return them as they are now, by their person's id.
    """
    # All rows, in one order: two owners who remove each other at once must not both find the other still there.
    query = (
        select(Membership)
        .where(Membership.organization_id == organization_id)
        .order_by(Membership.person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {member.person_id: member for member in await session.exec(query)}


async def _withdraw_offers_of(session: AsyncSession, member: Membership, roles: set[OrganizationRole]) -> None:
    """Make a member's open invitations to some roles worthless."""
    await session.exec(
        update(Invitation)
        .where(
            col(Invitation.organization_id) == member.organization_id,
            col(Invitation.invited_by) == member.person_id,
            col(Invitation.role).in_(roles),
            col(Invitation.accepted_at).is_(None),
            col(Invitation.withdrawn_at).is_(None),
        )
        .values(withdrawn_at=clock.utc_now())
    )


async def _member_to_change(
    session: AsyncSession, organization_id: str, person_id: str, changed_by: str, *, becomes: OrganizationRole | None
) -> Membership:
    """Lock an organization's members and return one who may become what is asked for; ``None``: no member."""
    members = await lock_members(session, organization_id)
    acting, member = members.get(changed_by), members.get(person_id)
    if acting is None or acting.role not in IN_CHARGE:
        raise Forbidden("Only owners and administrators change who acts for the organization.")
    if member is None:
        raise NotFound("This person does not act for the organization.")
    if OrganizationRole.OWNER in {member.role, becomes} and acting.role is not OrganizationRole.OWNER:
        raise OwnersOnly("Only an owner makes, changes or removes owners.")
    if member.role is OrganizationRole.OWNER and becomes is not OrganizationRole.OWNER:
        await _refuse_last_owner(session, organization_id, person_id)
    return member


async def _refuse_last_owner(session: AsyncSession, organization_id: str, person_id: str) -> None:
    """Refuse to lose the only owner who can sign in."""
    others = (
        select(Membership.person_id)
        .join(Person, col(Person.id) == col(Membership.person_id))
        .where(
            Membership.organization_id == organization_id,
            Membership.role == OrganizationRole.OWNER,
            Membership.person_id != person_id,
            col(Person.disabled_at).is_(None),
        )
    )
    if (await session.exec(others)).first() is None:
        raise LastOwner("This is the only owner. Make somebody else an owner first.")
