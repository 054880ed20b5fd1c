"""Suspends organizations and resumes them, each with a reason: new calls are refused, and open ones go on.

The organization's row says whether it is suspended, and the relay reads it there; a suspension says why. Both change
in one transaction, under the lock of the organization's row.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import BadRequest, Conflict, Forbidden, NotFound
from onetoken_app.notifications.standing_letters import organization_resumed, organization_suspended
from onetoken_app.organizations.circulars import IN_CHARGE, MailRoom, write_to_members
from onetoken_app.organizations.models import Membership, Organization, Suspension, SuspensionCause
from onetoken_app.organizations.words import checked_words


class SuspensionChanged(Conflict):
    """The organization is suspended already, or not in the way that whoever acts has seen."""

    code = "suspension_changed"


class OwnOrganization(Forbidden):
    """Somebody of the staff belongs to the organization that they decide on."""

    code = "own_organization"


@dataclass(frozen=True, slots=True)
class SuspensionView:
    """A time in which an organization's calls are refused."""

    id: str
    organization_id: str
    cause: SuspensionCause
    words: str
    suspended_by: str | None
    """A person's id; unset: whoever runs commands on the server."""
    suspended_at: datetime
    resume_words: str
    resumed_by: str | None
    resumed_at: datetime | None
    """Unset: it is in force."""


async def suspend_organization(
    session: AsyncSession,
    *,
    organization_id: str,
    cause: SuspensionCause,
    words: str,
    actor: Actor,
    mail_room: MailRoom,
) -> str:
    """Refuse an organization's calls from the commit on; return the suspension's id.

    The same form sent twice, by the same person, is one suspension.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose calls.
        cause: Why.
        words: 1 to 1 000 characters that the organization reads.
        actor: Who of the staff, with the role, as the edge checked; or the operator.
        mail_room: Writes to those in charge of the organization.

    Raises:
        BadRequest: There are no words, or they cannot be used.
        NotFound: There is no such organization.
        OwnOrganization: They belong to it.
        SuspensionChanged: It is suspended already.
    """
    words = checked_words(words, are_required=True)
    organization = await _locked(session, organization_id)
    await _refuse_members(session, organization_id, actor)
    known = await suspension_in_force(session, organization_id)
    if known is not None and (known.suspended_by, known.cause, known.words) == (actor.id or None, cause, words):
        return known.id
    if organization.suspended_at is not None:
        raise SuspensionChanged("This organization is suspended already; nothing was changed.")
    now = clock.utc_now()
    suspension = Suspension(
        organization_id=organization_id, cause=cause, words=words, suspended_by=actor.id or None, suspended_at=now
    )
    session.add(suspension)
    organization.suspended_at = now
    await session.flush()
    await audit.record(
        session,
        actor=actor,
        action="organization_suspended",
        subject_id=suspension.id,
        organization_id=organization_id,
        facts={"cause": cause.value},
    )
    await write_to_members(
        session,
        mail_room=mail_room,
        organization_id=organization_id,
        roles=IN_CHARGE,
        letter=lambda locale, name: organization_suspended(
            locale, organization_name=name, address=f"{mail_room.console_url}/overview"
        ),
    )
    return suspension.id


async def resume_organization(
    session: AsyncSession,
    *,
    organization_id: str,
    suspension_id: str,
    words: str,
    actor: Actor,
    mail_room: MailRoom,
) -> None:
    """Admit an organization's calls again, from the commit on; whoever suspended it may do so, too.

    The same form sent twice, by the same person, is one end.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose calls.
        suspension_id: The suspension that whoever acts has seen.
        words: 1 to 1 000 characters: why.
        actor: Who of the staff, with the role, as the edge checked; or the operator.
        mail_room: Writes to those in charge of the organization.

    Raises:
        BadRequest: There are no words, or they cannot be used.
        NotFound: There is no such organization, or it has no such suspension.
        OwnOrganization: They belong to it.
        SuspensionChanged: That suspension is over.
    """
    words = checked_words(words, are_required=True)
    organization = await _locked(session, organization_id)
    await _refuse_members(session, organization_id, actor)
    suspension = await session.get(Suspension, suspension_id, populate_existing=True)
    if suspension is None or suspension.organization_id != organization_id:
        raise NotFound("This organization has no such suspension; nothing was changed.")
    if suspension.resumed_at is not None:
        if (suspension.resumed_by, suspension.resume_words) == (actor.id or None, words):
            return
        raise SuspensionChanged("This suspension is over already; nothing was changed.")
    suspension.resume_words, suspension.resumed_by, suspension.resumed_at = words, actor.id or None, clock.utc_now()
    organization.suspended_at = None
    await session.flush()
    await audit.record(
        session,
        actor=actor,
        action="organization_resumed",
        subject_id=suspension.id,
        organization_id=organization_id,
    )
    await write_to_members(
        session,
        mail_room=mail_room,
        organization_id=organization_id,
        roles=IN_CHARGE,
        letter=lambda locale, name: organization_resumed(
            locale, organization_name=name, address=f"{mail_room.console_url}/overview"
        ),
    )


async def suspensions_of(session: AsyncSession, organization_id: str) -> list[SuspensionView]:
    """Return when an organization was suspended and why, newest first."""
    query = select(Suspension).where(Suspension.organization_id == organization_id).order_by(col(Suspension.id).desc())
    return [_view(row) for row in await session.exec(query)]


async def suspensions_in_force(session: AsyncSession, organization_ids: Collection[str]) -> dict[str, SuspensionView]:
    """Return why these organizations are suspended, by id; those that are not have no entry."""
    query = select(Suspension).where(
        col(Suspension.organization_id).in_(organization_ids), col(Suspension.resumed_at).is_(None)
    )
    return {row.organization_id: _view(row) for row in await session.exec(query)}


async def suspension_in_force(session: AsyncSession, organization_id: str) -> SuspensionView | None:
    """Return why an organization is suspended; ``None``: it is not."""
    return (await suspensions_in_force(session, [organization_id])).get(organization_id)


def suspension_cause(word: str) -> SuspensionCause:
    """Read a cause.

    Raises:
        BadRequest: There is no such cause.
    """
    if word not in set(SuspensionCause):
        raise BadRequest("Choose a reason.", parameter="cause")
    return SuspensionCause(word)


async def _locked(session: AsyncSession, organization_id: str) -> Organization:
    """Have an organization's standing to oneself until the commit."""
    organization = await session.get(Organization, organization_id, with_for_update=True, populate_existing=True)
    if organization is None:
        raise NotFound("There is no such organization.")
    return organization


async def _refuse_members(session: AsyncSession, organization_id: str, actor: Actor) -> None:
    """Refuse somebody of the staff who belongs to the organization."""
    if actor.kind is ActorKind.PERSON and await session.get(Membership, (organization_id, actor.id)) is not None:
        raise OwnOrganization("You belong to this organization; a colleague has to do it. Nothing was changed.")


def _view(row: Suspension) -> SuspensionView:
    """Copy a suspension."""
    return SuspensionView(**{name: getattr(row, name) for name in SuspensionView.__slots__})
