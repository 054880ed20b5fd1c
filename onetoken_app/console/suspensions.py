"""Units of work of reviewers around an organization's standing.

A form names the organization that it stood on the screen for, whatever the server has opened since.
"""

from dataclasses import dataclass
from typing import Any

from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.console.callers import Caller
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.queries import names_of
from onetoken_app.organizations import suspensions
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.organizations.suspensions import SuspensionView
from onetoken_app.settings import Settings

Form = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StandingView:
    """When an organization was suspended and why, newest first, and by whom."""

    suspensions: list[SuspensionView]
    names: dict[str, str]
    """Of people, by id."""


async def standing_of(organization_id: str) -> StandingView:
    """Return when an organization was suspended."""
    async with read_session() as session:
        found = await suspensions.suspensions_of(session, organization_id)
        people = {one.suspended_by for one in found} | {one.resumed_by for one in found}
        return StandingView(found, await names_of(session, {one for one in people if one}))


async def suspend(caller: Caller, settings: Settings, form: Form) -> None:
    """Suspend an organization.

    Raises:
        OneTokenError: As ``organizations.suspensions.suspend_organization``.
    """
    cause = suspensions.suspension_cause(_said(form, "cause"))
    async with unit_of_work() as session:
        await suspensions.suspend_organization(
            session,
            organization_id=_said(form, "organization_id"),
            cause=cause,
            words=_said(form, "words"),
            actor=Actor(ActorKind.PERSON, caller.person.person_id),
            mail_room=mail_room(settings),
        )


async def resume(caller: Caller, settings: Settings, form: Form) -> None:
    """End the suspension that the form stood there for.

    Raises:
        OneTokenError: As ``organizations.suspensions.resume_organization``.
    """
    async with unit_of_work() as session:
        await suspensions.resume_organization(
            session,
            organization_id=_said(form, "organization_id"),
            suspension_id=_said(form, "suspension_id"),
            words=_said(form, "words"),
            actor=Actor(ActorKind.PERSON, caller.person.person_id),
            mail_room=mail_room(settings),
        )


def _said(form: Form, name: str) -> str:
    """Return what stands in a field."""
    return str(form.get(name, "")).strip()
