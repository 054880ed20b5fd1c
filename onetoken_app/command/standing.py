"""Suspends and resumes an organization, as an operator does on the command line."""

from onetoken_app.audit.service import OPERATOR
from onetoken_app.command.failure import CommandFailed
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import OneTokenError
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.organizations.models import SuspensionCause
from onetoken_app.organizations.queries import OrganizationView, organization_by_code
from onetoken_app.organizations.queries import organization as organization_by_id
from onetoken_app.organizations.suspensions import resume_organization, suspend_organization, suspension_in_force
from onetoken_app.settings import Settings


async def suspend_by_command(settings: Settings, organization: str, *, cause: str, words: str) -> str:
    """Suspend an organization; return its name.

    Raises:
        CommandFailed: There is no such organization or cause, no words, or it is suspended already.
    """
    if cause not in set(SuspensionCause):
        message = f"--cause: one of {', '.join(SuspensionCause)}"
        raise CommandFailed(message)
    found = await _named(organization)
    try:
        async with unit_of_work() as session:
            await suspend_organization(
                session,
                organization_id=found.id,
                cause=SuspensionCause(cause),
                words=words,
                actor=OPERATOR,
                mail_room=mail_room(settings),
            )
    except OneTokenError as error:
        raise CommandFailed(error.public_message) from error
    return found.name


async def resume_by_command(settings: Settings, organization: str, *, words: str) -> str:
    """Resume an organization; return its name.

    Raises:
        CommandFailed: There is no such organization, no words, or it is not suspended.
    """
    found = await _named(organization)
    try:
        async with unit_of_work() as session:
            in_force = await suspension_in_force(session, found.id)
            if in_force is None:
                message = f"{found.name} is not suspended; nothing was changed"
                raise CommandFailed(message)
            await resume_organization(
                session,
                organization_id=found.id,
                suspension_id=in_force.id,
                words=words,
                actor=OPERATOR,
                mail_room=mail_room(settings),
            )
    except OneTokenError as error:
        raise CommandFailed(error.public_message) from error
    return found.name


async def _named(organization: str) -> OrganizationView:
    """Find an organization by its registration code, or by its id."""
    async with read_session() as session:
        found = await organization_by_code(session, organization.strip().upper())
        found = found or await organization_by_id(session, organization.strip())
    if found is None:
        message = f"there is no organization {organization!r}; give its registration code or its id"
        raise CommandFailed(message)
    return found
