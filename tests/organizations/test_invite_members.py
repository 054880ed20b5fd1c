"""Who may still offer a role, and what is left of an offer when two people decide about it at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from onetoken_app import clock
from onetoken_app.database import Database, current_database, read_session, unit_of_work
from onetoken_app.errors import Forbidden, NotFound
from onetoken_app.organizations.invitations import (
    AlreadyMember,
    InvitationWithdrawn,
    accept_invitation,
    invite,
    withdraw_invitation,
)
from onetoken_app.organizations.members import OwnersOnly, change_role, remove_member
from onetoken_app.organizations.models import Invitation, OrganizationRole
from onetoken_app.organizations.queries import members_of, open_invitations
from tests.organizations.test_change_members import MAIL_ROOM
from tests.support.builders import a_person, an_organization

OWNER, ADMINISTRATOR = OrganizationRole.OWNER, OrganizationRole.ADMINISTRATOR
DEVELOPER, VIEWER = OrganizationRole.DEVELOPER, OrganizationRole.VIEWER
EMAIL = "guest@home.example"
ROUNDS = range(8)
"""Two who act at once seldom meet at the worst moment in the first."""


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


async def a_guest(email: str) -> str:
    """Add a person who acts for nobody; return the id."""
    async with unit_of_work() as session:
        return await a_person(session, email=email)


async def offer(organization_id: str, *, by: str, email: str = EMAIL, role: OrganizationRole = VIEWER) -> str:
    """Invite somebody and commit; return the invitation's id."""
    async with unit_of_work() as session:
        return await invite(
            session, organization_id=organization_id, email=email, role=role, invited_by=by, lifetime=timedelta(days=7)
        )


async def accept(invitation_id: str, *, by: str) -> str:
    """Accept an invitation and commit."""
    async with unit_of_work() as session:
        return await accept_invitation(session, invitation_id=invitation_id, person_id=by)


async def withdraw(organization_id: str, invitation_id: str) -> None:
    """Take an invitation back and commit."""
    async with unit_of_work() as session:
        await withdraw_invitation(session, organization_id=organization_id, invitation_id=invitation_id)


async def open_offers(organization_id: str) -> list[str]:
    """Return the ids of the invitations that somebody could accept."""
    async with read_session() as session:
        return [one.id for one in await open_invitations(session, organization_id, clock.utc_now())]


async def members(organization_id: str) -> set[str]:
    """Return the members' ids."""
    async with read_session() as session:
        return {member.person_id for member in await members_of(session, organization_id)}


async def is_accepted_and_withdrawn(invitation_id: str) -> tuple[bool, bool]:
    """Return what an invitation's row says became of it."""
    async with read_session() as session:
        row = (await session.exec(select(Invitation).where(col(Invitation.id) == invitation_id))).one()
    return row.accepted_at is not None, row.withdrawn_at is not None


class TestInvite:
    async def test_whoever_was_removed_meanwhile_invites_nobody(self, organization_id: str) -> None:
        owner, administrator = await a_member(organization_id, OWNER), await a_member(organization_id, ADMINISTRATOR)
        async with unit_of_work() as session:
            await remove_member(
                session, organization_id=organization_id, person_id=administrator, removed_by=owner, mail_room=MAIL_ROOM
            )
        with pytest.raises(Forbidden):
            await offer(organization_id, by=administrator)
        assert await open_offers(organization_id) == []

    async def test_a_demoted_owner_offers_what_their_new_role_may(self, organization_id: str) -> None:
        owner, demoted = await a_member(organization_id, OWNER), await a_member(organization_id, OWNER)
        for role, refusal in ((ADMINISTRATOR, OwnersOnly), (DEVELOPER, Forbidden)):
            async with unit_of_work() as session:
                await change_role(
                    session, organization_id=organization_id, person_id=demoted, role=role, changed_by=owner,
                    mail_room=MAIL_ROOM,
                )  # fmt: skip
            with pytest.raises(refusal):
                await offer(organization_id, by=demoted, role=OWNER)
            assert await open_offers(organization_id) == []
        with pytest.raises(Forbidden):
            await offer(organization_id, by=demoted)
        offered = await offer(organization_id, by=owner, role=OWNER)
        assert await open_offers(organization_id) == [offered]

    async def test_a_refused_offer_leaves_the_earlier_one_open(self, organization_id: str) -> None:
        owner, developer = await a_member(organization_id, OWNER), await a_member(organization_id, DEVELOPER)
        earlier = await offer(organization_id, by=owner)
        with pytest.raises(Forbidden):
            await offer(organization_id, by=developer)
        assert await open_offers(organization_id) == [earlier]

    async def test_nothing_of_whoever_is_removed_at_that_moment_stays_open(self, organization_id: str) -> None:
        owner = await a_member(organization_id, OWNER)

        async def remove(person_id: str) -> None:
            async with unit_of_work() as session:
                await remove_member(
                    session, organization_id=organization_id, person_id=person_id, removed_by=owner, mail_room=MAIL_ROOM
                )

        for _ in ROUNDS:
            leaving = await a_member(organization_id, ADMINISTRATOR)
            offered, removed = await asyncio.gather(
                offer(organization_id, by=leaving), remove(leaving), return_exceptions=True
            )
            assert removed is None
            assert isinstance(offered, str | Forbidden)
            assert await open_offers(organization_id) == []

    async def test_of_two_offers_at_once_one_stays_open(self, organization_id: str) -> None:
        owner, administrator = await a_member(organization_id, OWNER), await a_member(organization_id, ADMINISTRATOR)
        for number in ROUNDS:
            email = f"guest{number}@home.example"
            offers = await asyncio.gather(
                offer(organization_id, by=owner, email=email), offer(organization_id, by=administrator, email=email)
            )
            assert len(set(offers) & set(await open_offers(organization_id))) == 1

    async def test_replaces_an_offer_or_finds_it_accepted(self, organization_id: str) -> None:
        owner = await a_member(organization_id, OWNER)
        for number in ROUNDS:
            email = f"guest{number}@home.example"
            guest, earlier = await a_guest(email), await offer(organization_id, by=owner, email=email)
            accepted, offered = await asyncio.gather(
                accept(earlier, by=guest), offer(organization_id, by=owner, email=email), return_exceptions=True
            )
            has_joined = accepted == organization_id
            assert isinstance(offered, AlreadyMember if has_joined else str)
            assert has_joined or isinstance(accepted, InvitationWithdrawn)
            assert (guest in await members(organization_id)) is has_joined
            assert await is_accepted_and_withdrawn(earlier) == (has_joined, not has_joined)


class TestWithdrawInvitation:
    async def test_is_refused_exactly_when_the_offer_is_accepted_first(self, organization_id: str) -> None:
        owner = await a_member(organization_id, OWNER)
        for number in ROUNDS:
            email = f"guest{number}@home.example"
            guest, offered = await a_guest(email), await offer(organization_id, by=owner, email=email)
            accepted, withdrawn = await asyncio.gather(
                accept(offered, by=guest), withdraw(organization_id, offered), return_exceptions=True
            )
            has_joined = accepted == organization_id
            assert isinstance(withdrawn, NotFound if has_joined else type(None))
            assert has_joined or isinstance(accepted, InvitationWithdrawn)
            assert (guest in await members(organization_id)) is has_joined
            assert await is_accepted_and_withdrawn(offered) == (has_joined, not has_joined)
