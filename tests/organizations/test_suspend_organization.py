"""An organization is suspended and resumed: once each, with a reason, and those in charge of it hear of it."""

import asyncio

import pytest
from sqlmodel import col, select

from onetoken_app.audit.models import ActorKind, AuditEntry
from onetoken_app.audit.service import OPERATOR, Actor
from onetoken_app.database import policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identity.models import StaffRole
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.models import OrganizationRole, SuspensionCause
from onetoken_app.organizations.queries import organization
from onetoken_app.organizations.suspensions import (
    OwnOrganization,
    SuspensionChanged,
    resume_organization,
    suspend_organization,
    suspension_cause,
    suspension_in_force,
    suspensions_of,
)
from tests.support.builders import a_person, an_organization

pytestmark = pytest.mark.usefixtures("database")
ROOM = MailRoom(b"k" * 32, "https://console.test.example")
SECURITY, OVERDUE = SuspensionCause.SECURITY, SuspensionCause.OVERDUE


async def a_customer() -> str:
    """Add an organization with an owner, an administrator and a developer."""
    async with unit_of_work() as session:
        organization_id = await an_organization(session)
        for role in (OrganizationRole.OWNER, OrganizationRole.ADMINISTRATOR, OrganizationRole.DEVELOPER):
            await a_person(session, email=f"{role}@x.example", organization_id=organization_id, role=role)
    return organization_id


async def a_reviewer(organization_id: str | None = None) -> Actor:
    """Add somebody of the staff; a member of an organization, where one is named."""
    async with unit_of_work() as session:
        person_id = await a_person(session, staff_role=StaffRole.REVIEWER, organization_id=organization_id)
    return Actor(ActorKind.PERSON, person_id)


async def suspend(
    organization_id: str, by: Actor, *, cause: SuspensionCause = SECURITY, words: str = "A key of yours was published."
) -> str:
    """Suspend an organization and commit; return the suspension's id."""
    async with unit_of_work() as session:
        return await suspend_organization(
            session, organization_id=organization_id, cause=cause, words=words, actor=by, mail_room=ROOM
        )


async def resume(organization_id: str, suspension_id: str, by: Actor, words: str = "The key is revoked.") -> None:
    """Resume an organization and commit."""
    async with unit_of_work() as session:
        await resume_organization(
            session,
            organization_id=organization_id,
            suspension_id=suspension_id,
            words=words,
            actor=by,
            mail_room=ROOM,
        )


async def is_suspended(organization_id: str) -> bool:
    """Whether it is; the organization's row and the suspensions agree."""
    async with read_session() as session:
        found = await organization(session, organization_id)
        assert found is not None
        in_force = await suspension_in_force(session, organization_id)
    assert (found.suspended_at is None) == (in_force is None)
    return in_force is not None


async def the_actions() -> list[tuple[str, str]]:
    """Return what the audit log says of it, and who."""
    async with read_session() as session:
        lines = await session.exec(select(AuditEntry).order_by(col(AuditEntry.sequence_number)))
        return [(line.action, line.actor_kind.value) for line in lines if "organization_" in line.action]


async def the_letters() -> list[tuple[str, str]]:
    """Return which mails were posted, and to whom."""
    async with read_session() as session:
        letters = await session.exec(select(OutboxLetter.kind, OutboxLetter.recipient).order_by(col(OutboxLetter.id)))
        return [(LetterKind(kind).value, recipient) for kind, recipient in letters]


class TestSuspendOrganization:
    async def test_those_in_charge_hear_of_it_and_whoever_did_it_may_end_it(self) -> None:
        customer, reviewer = await a_customer(), await a_reviewer()
        suspension_id = await suspend(customer, reviewer)
        assert await is_suspended(customer)
        await resume(customer, suspension_id, reviewer)
        assert not await is_suspended(customer)
        assert await the_actions() == [("organization_suspended", "person"), ("organization_resumed", "person")]
        readers = ["administrator@x.example", "owner@x.example"]
        assert await the_letters() == [
            *[("organization_suspended", one) for one in readers],
            *[("organization_resumed", one) for one in readers],
        ]
        async with read_session() as session:
            (kept,) = await suspensions_of(session, customer)
        assert (kept.cause, kept.words, kept.resume_words) == (
            SECURITY,
            "A key of yours was published.",
            "The key is revoked.",
        )
        assert (kept.suspended_by, kept.resumed_by) == (reviewer.id, reviewer.id)

    async def test_the_relay_is_told_each_time(self) -> None:
        customer, reviewer = await a_customer(), await a_reviewer()
        before = await _revision()
        suspension_id = await suspend(customer, reviewer)
        meanwhile = await _revision()
        await resume(customer, suspension_id, reviewer)
        assert before < meanwhile < await _revision()

    async def test_the_same_form_twice_is_one_suspension_and_one_end(self) -> None:
        customer, reviewer = await a_customer(), await a_reviewer()
        suspension_id = await suspend(customer, reviewer)
        assert await suspend(customer, reviewer) == suspension_id
        await resume(customer, suspension_id, reviewer)
        await resume(customer, suspension_id, reviewer)
        assert len(await the_actions()) == 2

    async def test_two_at_once_suspend_once(self) -> None:
        customer, one, other = await a_customer(), await a_reviewer(), await a_reviewer()
        outcomes = await asyncio.gather(suspend(customer, one), suspend(customer, other), return_exceptions=True)
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
        assert len(await the_actions()) == 1

    async def test_who_comes_too_late_changes_nothing(self) -> None:
        customer, one, other = await a_customer(), await a_reviewer(), await a_reviewer()
        first = await suspend(customer, one)
        with pytest.raises(SuspensionChanged):
            await suspend(customer, other, cause=OVERDUE, words="Nothing was paid.")
        await resume(customer, first, one)
        with pytest.raises(SuspensionChanged):
            await resume(customer, first, other, "Also looked at.")

    async def test_nobody_ends_a_suspension_that_they_have_not_seen(self) -> None:
        customer, reviewer = await a_customer(), await a_reviewer()
        first = await suspend(customer, reviewer)
        await resume(customer, first, reviewer)
        await suspend(customer, reviewer, cause=OVERDUE, words="Nothing was paid.")
        with pytest.raises(SuspensionChanged):
            await resume(customer, first, reviewer, "Again.")
        assert await is_suspended(customer)

    async def test_a_suspension_of_another_organization_is_none(self) -> None:
        customer, other, reviewer = await a_customer(), await _another(), await a_reviewer()
        suspension_id = await suspend(customer, reviewer)
        with pytest.raises(NotFound):
            await resume(other, suspension_id, reviewer)
        with pytest.raises(NotFound):
            await suspend("org_none", reviewer)
        assert await is_suspended(customer)

    async def test_without_a_reason_nothing_is_done(self) -> None:
        customer, reviewer = await a_customer(), await a_reviewer()
        with pytest.raises(BadRequest):
            await suspend(customer, reviewer, words=" ")
        with pytest.raises(BadRequest):
            suspension_cause("mood")
        suspension_id = await suspend(customer, reviewer)
        with pytest.raises(BadRequest):
            await resume(customer, suspension_id, reviewer, "x" * 1_001)
        assert await is_suspended(customer)

    async def test_nobody_decides_on_their_own_organization(self) -> None:
        customer = await a_customer()
        member = await a_reviewer(customer)
        with pytest.raises(OwnOrganization):
            await suspend(customer, member)
        suspension_id = await suspend(customer, OPERATOR)
        with pytest.raises(OwnOrganization):
            await resume(customer, suspension_id, member)
        assert await the_actions() == [("organization_suspended", "operator")]


async def _another() -> str:
    """Add an organization without members."""
    async with unit_of_work() as session:
        return await an_organization(session, name="Other Ltd")


async def _revision() -> int:
    """Return what the relay compares with its own."""
    async with read_session() as session:
        return await policy_revision(session)
