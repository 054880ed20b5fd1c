"""Mails to people of an organization or of the staff, in their own language and the transaction of the news."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.identity.models import Person, StaffMembership, StaffRole
from onetoken_app.notifications.letters import Letter
from onetoken_app.notifications.service import post_letter
from onetoken_app.organizations.models import Membership, Organization, OrganizationRole
from onetoken_app.settings import Settings
from onetoken_app.vault import load_root_secrets

IN_CHARGE = frozenset({OrganizationRole.OWNER, OrganizationRole.ADMINISTRATOR})
"""Who hears of the organization's affairs."""
IN_CHARGE_OF_MONEY = IN_CHARGE | {OrganizationRole.BILLING}
"""Who hears of its payments."""


@dataclass(frozen=True, slots=True)
class MailRoom:
    """What it takes to write to people; an edge makes it, a service uses it."""

    key_encryption_key: bytes = field(repr=False)
    """Seals what a mail says while it waits."""
    console_url: str
    """Where its link leads."""


def mail_room(settings: Settings) -> MailRoom:
    """Make a mail room from the settings.

    Raises:
        BadSettings: The key-encryption key is missing or cannot be used.
    """
    return MailRoom(load_root_secrets(settings).key_encryption_key, settings.console_url)


async def write_to_members(
    session: AsyncSession,
    *,
    mail_room: MailRoom,
    organization_id: str,
    roles: frozenset[OrganizationRole],
    letter: Callable[[str, str], Letter],
) -> None:
    """Post a mail to every member with one of the roles who may sign in.

    Args:
        session: Open unit of work; the caller commits.
        mail_room: Seals the mails.
        organization_id: Whose members.
        roles: Who hears of it.
        letter: Writes it, given a locale and the organization's name.
    """
    query = (
        select(Person.email, Person.locale, Organization.name)
        .join(Membership, col(Membership.person_id) == col(Person.id))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(
            Membership.organization_id == organization_id,
            col(Membership.role).in_(roles),
            col(Person.disabled_at).is_(None),
        )
        .order_by(Person.email)
    )
    for email, locale, name in (await session.exec(query)).all():
        await post_letter(
            session,
            key_encryption_key=mail_room.key_encryption_key,
            recipient=email,
            letter=letter(locale, name),
        )


async def write_to_person(
    session: AsyncSession,
    *,
    mail_room: MailRoom,
    organization_id: str,
    person_id: str,
    letter: Callable[[str, str], Letter],
) -> None:
    """Post a mail to one person about an organization, member or not; somebody disabled gets none.

    Args:
        session: Open unit of work; the caller commits.
        mail_room: Seals the mail.
        organization_id: Which organization.
        person_id: To whom.
        letter: Writes it, given a locale and the organization's name.
    """
    person, organization = await session.get(Person, person_id), await session.get(Organization, organization_id)
    if person is None or organization is None or person.disabled_at is not None:
        return
    await post_letter(
        session,
        key_encryption_key=mail_room.key_encryption_key,
        recipient=person.email,
        letter=letter(person.locale, organization.name),
    )


async def write_to_staff(
    session: AsyncSession, *, mail_room: MailRoom, role: StaffRole, letter: Callable[[str], Letter]
) -> None:
    """Post a mail to everybody of the staff with a role who may sign in; to administrators where nobody has it.

    Args:
        session: Open unit of work; the caller commits.
        mail_room: Seals the mails.
        role: Whose business it is; administrators may do it, too.
        letter: Writes it, given a locale.
    """
    readers = await _staff_with(session, role) or await _staff_with(session, StaffRole.ADMINISTRATOR)
    for email, locale in readers:
        await post_letter(
            session, key_encryption_key=mail_room.key_encryption_key, recipient=email, letter=letter(locale)
        )


async def _staff_with(session: AsyncSession, role: StaffRole) -> list[tuple[str, str]]:
    """Return address and locale of everybody with a role who may sign in."""
    query = (
        select(Person.email, Person.locale)
        .join(StaffMembership, col(StaffMembership.person_id) == col(Person.id))
        .where(StaffMembership.role == role, col(Person.disabled_at).is_(None))
        .order_by(Person.email)
    )
    return [(email, locale) for email, locale in await session.exec(query)]
