"""Roles change and members leave; an organization keeps an owner, and only owners decide who is one."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.database import Database, current_database, read_session, unit_of_work
from onetoken_app.errors import Conflict, Forbidden, NotFound
from onetoken_app.identity.models import Person
from onetoken_app.identity.queries import signed_in_person
from onetoken_app.identity.service import disable_person, start_session
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.notifications.queries import waiting_letters
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.invitations import InvitationWithdrawn, accept_invitation, invite
from onetoken_app.organizations.members import LastOwner, OwnersOnly, change_role, remove_member
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import members_of, open_invitations
from tests.support.builders import a_person, an_organization

OWNER, ADMINISTRATOR = OrganizationRole.OWNER, OrganizationRole.ADMINISTRATOR
DEVELOPER, VIEWER = OrganizationRole.DEVELOPER, OrganizationRole.VIEWER
MAIL_ROOM = MailRoom(bytes(32), "https://console.test.example")


@pytest.fixture
async def organization_id(database: Database) -> str:
    """An organization without members, on each engine."""
    assert current_database() is database
    async with unit_of_work() as session:
        return await an_organization(session)


async def a_member(organization_id: str, role: OrganizationRole) -> str:
    """Add a member; return the person's id."""
    async with unit_of_work() as session:
        return await a_person(session, organization_id=organization_id, role=role)


async def roles_in(organization_id: str) -> dict[str, OrganizationRole]:
    """Return the role of each member by the person's id."""
    async with read_session() as session:
        return {member.person_id: member.role for member in await members_of(session, organization_id)}


async def change(organization_id: str, person_id: str, role: OrganizationRole, *, by: str) -> None:
    """Change a role and commit."""
    async with unit_of_work() as session:
        await change_role(
            session, organization_id=organization_id, person_id=person_id, role=role, changed_by=by, mail_room=MAIL_ROOM
        )


async def remove(organization_id: str, person_id: str, *, by: str) -> None:
    """Remove a member and commit."""
    async with unit_of_work() as session:
        await remove_member(
            session, organization_id=organization_id, person_id=person_id, removed_by=by, mail_room=MAIL_ROOM
        )


async def offer(organization_id: str, role: OrganizationRole, *, by: str) -> str:
    """Invite an address of the inviter's own for each role, and commit; return the invitation's id."""
    async with unit_of_work() as session:
        return await invite(
            session, organization_id=organization_id, email=f"{by}.{role}@home.example".lower(), role=role,
            invited_by=by, lifetime=timedelta(days=7),
        )  # fmt: skip


async def acts() -> list[tuple[str, str, str]]:
    """Return who did what to whom, as the audit log says."""
    async with read_session() as session:
        rows = await session.exec(select(AuditEntry).order_by(col(AuditEntry.sequence_number)))
        return [(row.actor_id, row.action, row.subject_id) for row in rows]


async def email_of(person_id: str) -> str:
    """Return a person's address."""
    async with read_session() as session:
        return (await session.exec(select(Person.email).where(Person.id == person_id))).one()


async def mails() -> list[tuple[str, str]]:
    """Return to whom a mail waits, and its words."""
    async with read_session() as session:
        waiting = await waiting_letters(session, key_encryption_key=MAIL_ROOM.key_encryption_key)
    return [(letter.recipient, letter.words) for letter in waiting]


class TestChangeRole:
    async def test_counts_at_once_and_is_audited(self, organization_id: str) -> None:
        owner, member = await a_member(organization_id, OWNER), await a_member(organization_id, VIEWER)
        for _ in range(2):
            await change(organization_id, member, DEVELOPER, by=owner)
        assert await roles_in(organization_id) == {owner: OWNER, member: DEVELOPER}
        assert await acts() == [(owner, "member_role_changed", member)]

    async def test_tells_the_member_once_by_mail(self, organization_id: str) -> None:
        owner, member = await a_member(organization_id, OWNER), await a_member(organization_id, VIEWER)
        for _ in range(2):
            await change(organization_id, member, DEVELOPER, by=owner)
        ((recipient, words),) = await mails()
        assert recipient == await email_of(member)
        assert "Test Ltd" in words
        assert f"{MAIL_ROOM.console_url}/members" in words.splitlines()

    async def test_a_refused_change_tells_nobody(self, organization_id: str) -> None:
        owner = await a_member(organization_id, OWNER)
        for act in (change(organization_id, owner, VIEWER, by=owner), remove(organization_id, owner, by=owner)):
            with pytest.raises(LastOwner):
                await act
        assert await mails() == []

    @pytest.mark.parametrize("role", [OrganizationRole.BILLING, DEVELOPER, VIEWER])
    async def test_whoever_is_not_in_charge_changes_nobody(self, organization_id: str, role: OrganizationRole) -> None:
        await a_member(organization_id, OWNER)
        member = await a_member(organization_id, role)
        for act in (
            change(organization_id, member, ADMINISTRATOR, by=member),
            remove(organization_id, member, by=member),
        ):
            with pytest.raises(Forbidden):
                await act
        assert (await roles_in(organization_id))[member] is role
        assert await acts() == []

    async def test_an_administrator_touches_no_owner_and_makes_none(self, organization_id: str) -> None:
        owner, administrator = await a_member(organization_id, OWNER), await a_member(organization_id, ADMINISTRATOR)
        for act in (
            change(organization_id, administrator, OWNER, by=administrator),
            change(organization_id, owner, VIEWER, by=administrator),
            remove(organization_id, owner, by=administrator),
        ):
            with pytest.raises(OwnersOnly):
                await act
        assert await roles_in(organization_id) == {owner: OWNER, administrator: ADMINISTRATOR}

    async def test_the_last_owner_stays_one(self, organization_id: str) -> None:
        owner, gone = await a_member(organization_id, OWNER), await a_member(organization_id, OWNER)
        async with unit_of_work() as session:
            await disable_person(session, person_id=gone)
        for act in (change(organization_id, owner, VIEWER, by=owner), remove(organization_id, owner, by=owner)):
            with pytest.raises(LastOwner):
                await act
        await a_member(organization_id, OWNER)
        await change(organization_id, owner, VIEWER, by=owner)
        assert (await roles_in(organization_id))[owner] is VIEWER

    async def test_nobody_of_another_organization_is_found(self, organization_id: str) -> None:
        owner = await a_member(organization_id, OWNER)
        async with unit_of_work() as session:
            other = await an_organization(session)
        stranger = await a_member(other, OWNER)
        for act in (change(organization_id, stranger, VIEWER, by=owner), remove(organization_id, stranger, by=owner)):
            with pytest.raises(NotFound):
                await act
        for act in (change(organization_id, owner, VIEWER, by=stranger), remove(organization_id, owner, by=stranger)):
            with pytest.raises(Forbidden):
                await act

    async def test_two_owners_who_demote_each_other_leave_one(self, organization_id: str) -> None:
        one, other = await a_member(organization_id, OWNER), await a_member(organization_id, OWNER)
        done = await asyncio.gather(
            change(organization_id, one, VIEWER, by=other),
            change(organization_id, other, VIEWER, by=one),
            return_exceptions=True,
        )
        (refusal,) = [outcome for outcome in done if outcome is not None]
        assert isinstance(refusal, Forbidden | Conflict)
        assert list((await roles_in(organization_id)).values()).count(OWNER) == 1

    @pytest.mark.parametrize(
        ("before", "after", "still_open"),
        [
            pytest.param(OWNER, ADMINISTRATOR, {ADMINISTRATOR, VIEWER}, id="an owner no longer makes owners"),
            pytest.param(OWNER, VIEWER, set(), id="an owner no longer invites"),
            pytest.param(ADMINISTRATOR, DEVELOPER, set(), id="an administrator no longer invites"),
            pytest.param(ADMINISTRATOR, OWNER, {ADMINISTRATOR, VIEWER}, id="a promotion withdraws nothing"),
        ],
    )
    async def test_offers_that_the_new_role_may_not_make_are_withdrawn(
        self,
        organization_id: str,
        before: OrganizationRole,
        after: OrganizationRole,
        still_open: set[OrganizationRole],
    ) -> None:
        owner, member = await a_member(organization_id, OWNER), await a_member(organization_id, before)
        kept = await offer(organization_id, OWNER, by=owner)
        own = {
            role: await offer(organization_id, role, by=member)
            for role in (OWNER, ADMINISTRATOR, VIEWER)
            if before is OWNER or role is not OWNER
        }
        await change(organization_id, member, after, by=owner)
        async with read_session() as session:
            left = {one.id for one in await open_invitations(session, organization_id, clock.utc_now())}
        assert left == {kept} | {own[role] for role in still_open}

    async def test_a_demoted_owner_does_not_come_back_as_one(self, organization_id: str) -> None:
        owner, demoted = await a_member(organization_id, OWNER), await a_member(organization_id, OWNER)
        offered = await offer(organization_id, OWNER, by=demoted)
        async with unit_of_work() as session:
            second_self = await a_person(session)
        await change(organization_id, demoted, VIEWER, by=owner)
        async with unit_of_work() as session:
            with pytest.raises(InvitationWithdrawn):
                await accept_invitation(session, invitation_id=offered, person_id=second_self)
        assert await roles_in(organization_id) == {owner: OWNER, demoted: VIEWER}


class TestRemoveMember:
    async def test_ends_every_session_and_is_audited(self, organization_id: str) -> None:
        owner, member = await a_member(organization_id, OWNER), await a_member(organization_id, DEVELOPER)
        async with unit_of_work() as session:
            secret = await start_session(
                session, person_id=member, caller_ip="", user_agent="", lifetime=timedelta(hours=1)
            )
        await remove(organization_id, member, by=owner)
        assert await roles_in(organization_id) == {owner: OWNER}
        async with read_session() as session:
            assert await signed_in_person(session, secret, clock.utc_now()) is None
        assert await acts() == [(owner, "member_removed", member)]
        with pytest.raises(NotFound):
            await remove(organization_id, member, by=owner)

    async def test_tells_whoever_was_removed_by_mail(self, organization_id: str) -> None:
        owner, member = await a_member(organization_id, OWNER), await a_member(organization_id, DEVELOPER)
        await remove(organization_id, member, by=owner)
        ((recipient, words),) = await mails()
        assert recipient == await email_of(member)
        assert "Test Ltd" in words
        assert f"{MAIL_ROOM.console_url}/sign-in" in words.splitlines()
        async with read_session() as session:
            kinds = list(await session.exec(select(OutboxLetter.kind)))
        assert kinds == [LetterKind.MEMBER_REMOVED]

    async def test_whoever_is_disabled_gets_no_mail(self, organization_id: str) -> None:
        owner, gone = await a_member(organization_id, OWNER), await a_member(organization_id, DEVELOPER)
        async with unit_of_work() as session:
            await disable_person(session, person_id=gone)
        await remove(organization_id, gone, by=owner)
        assert await mails() == []

    async def test_an_administrator_may_leave(self, organization_id: str) -> None:
        await a_member(organization_id, OWNER)
        administrator = await a_member(organization_id, ADMINISTRATOR)
        await remove(organization_id, administrator, by=administrator)
        assert administrator not in await roles_in(organization_id)

    async def test_their_own_invitations_are_worthless_and_those_of_others_stand(self, organization_id: str) -> None:
        owner, administrator = await a_member(organization_id, OWNER), await a_member(organization_id, ADMINISTRATOR)
        offers = {inviter: await offer(organization_id, VIEWER, by=inviter) for inviter in (owner, administrator)}
        async with unit_of_work() as session:
            guest = await a_person(session)
        await remove(organization_id, administrator, by=owner)
        async with unit_of_work() as session:
            with pytest.raises(InvitationWithdrawn):
                await accept_invitation(session, invitation_id=offers[administrator], person_id=guest)
            await accept_invitation(session, invitation_id=offers[owner], person_id=guest)
