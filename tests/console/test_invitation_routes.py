"""Invitations: who may offer which role, and how new and known people take it."""

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.agreements.models import Acceptance, Declaration
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import find_caller
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import Person
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import members_of, open_invitations
from onetoken_app.organizations.service import add_member
from onetoken_app.settings import Settings
from tests.console.asgi_calls import Answered, post
from tests.console.conftest import Signed, a_signed_in
from tests.console.mails import mailed_secret, mails
from tests.console.sign_up_forms import PASSWORD, accepted

EMAIL = "han@company.example"
ACCEPT = "/account/invitations/accept"


async def invite(routes: AccountRoutes, member: Signed, *, role: str = "developer", email: str = EMAIL) -> Answered:
    """Invite somebody to the member's organization."""
    form = {"organization_id": member.organization_id, "email": email, "role": role}
    return await post(routes, "/account/invitations", form, cookie=member.cookie)


def joining_form(secret: str, **changes: object) -> dict[str, object]:
    """Return what a new person posts."""
    return {
        "secret": secret,
        "name": "Han Meimei",
        "title": "Engineer",
        "password": PASSWORD,
        "acts_with_authority": True,
        "accepted": accepted(),
        "locale": "zh-CN",
        **changes,
    }


async def roles_in(organization_id: str) -> dict[str, OrganizationRole]:
    """Return the members by address."""
    async with read_session() as session:
        return {member.email: member.role for member in await members_of(session, organization_id)}


class TestInvite:
    async def test_a_new_person_joins_declares_and_is_signed_in(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        owner = await a_signed_in(routes)
        assert (await invite(routes, owner)).status == 202
        secret = await mailed_secret(sqlite_settings)
        look = await post(routes, "/account/invitations/look", {"secret": secret})
        assert look.json == {
            "email": EMAIL, "organization_name": "Test Ltd", "role": "developer",
            "is_known_person": False, "is_named": False, "is_signed_in": False,
        }  # fmt: skip
        joined = await post(routes, ACCEPT, joining_form(secret))
        assert (joined.status, joined.json) == (201, {"organization_id": owner.organization_id})
        caller = await find_caller(joined.cookie)
        assert caller is not None
        assert (caller.person.name, caller.person.locale) == ("Han Meimei", "zh-CN")
        assert (await roles_in(owner.organization_id))[EMAIL] is OrganizationRole.DEVELOPER
        async with read_session() as session:
            declaration = (await session.exec(select(Declaration))).one()
            clicks = [row for row in await session.exec(select(Acceptance)) if row.person_id]
        assert (declaration.person_id, declaration.signatory_title) == (caller.person.person_id, "Engineer")
        assert {row.person_id for row in clicks} == {caller.person.person_id}

    @pytest.mark.parametrize(
        ("own_role", "offered", "status"),
        [
            pytest.param(OrganizationRole.OWNER, "owner", 202, id="an owner makes owners"),
            pytest.param(OrganizationRole.ADMINISTRATOR, "administrator", 202, id="an administrator makes equals"),
            pytest.param(OrganizationRole.ADMINISTRATOR, "owner", 403, id="an administrator makes no owner"),
            pytest.param(OrganizationRole.DEVELOPER, "viewer", 403, id="a developer invites nobody"),
            pytest.param(OrganizationRole.OWNER, "king", 400, id="no such role"),
        ],
    )
    async def test_only_who_may_offers_a_role(
        self,
        routes: AccountRoutes,
        sqlite_settings: Settings,
        own_role: OrganizationRole,
        offered: str,
        status: int,
    ) -> None:
        member = await a_signed_in(routes, role=own_role)
        assert (await invite(routes, member, role=offered)).status == status
        assert len(await mails(sqlite_settings)) == (status == 202)

    async def test_nobody_invites_to_an_organization_of_others(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        owner = await a_signed_in(routes)
        stranger = await a_signed_in(routes, email="stranger@test.example")
        form = {"organization_id": owner.organization_id, "email": EMAIL, "role": "viewer"}
        assert (await post(routes, "/account/invitations", form, cookie=stranger.cookie)).status == 403
        assert (await post(routes, "/account/invitations", form)).status == 401
        assert await mails(sqlite_settings) == []

    async def test_a_member_is_not_invited_again(self, routes: AccountRoutes) -> None:
        owner = await a_signed_in(routes)
        answer = await invite(routes, owner, email=owner.email)
        assert (answer.status, answer.json["code"]) == (409, "already_member")

    async def test_a_second_invitation_replaces_the_first(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        owner = await a_signed_in(routes)
        await invite(routes, owner, role="administrator")
        first = await mailed_secret(sqlite_settings)
        await invite(routes, owner, role="viewer")
        second = await mailed_secret(sqlite_settings)
        late = await post(routes, ACCEPT, joining_form(first))
        assert (late.status, late.json["code"]) == (410, "invitation_withdrawn")
        async with read_session() as session:
            assert [one.role for one in await open_invitations(session, owner.organization_id, clock.utc_now())] == [
                OrganizationRole.VIEWER
            ]
        assert (await post(routes, ACCEPT, joining_form(second))).status == 201
        assert (await roles_in(owner.organization_id))[EMAIL] is OrganizationRole.VIEWER


class TestWithdraw:
    async def test_the_link_is_worthless_afterwards(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        owner = await a_signed_in(routes)
        invited = await invite(routes, owner)
        secret = await mailed_secret(sqlite_settings)
        form = {"organization_id": owner.organization_id, "invitation_id": invited.json["invitation_id"]}
        for _ in range(2):
            withdrawn = await post(routes, "/account/invitations/withdraw", form, cookie=owner.cookie)
            assert withdrawn.status == 200
        for late in (
            await post(routes, "/account/invitations/look", {"secret": secret}),
            await post(routes, ACCEPT, joining_form(secret)),
        ):
            assert (late.status, late.json["code"]) == (410, "invitation_withdrawn")

    async def test_nobody_withdraws_an_invitation_of_others(self, routes: AccountRoutes) -> None:
        owner = await a_signed_in(routes)
        stranger = await a_signed_in(routes, email="stranger@test.example")
        invited = await invite(routes, owner)
        form = {"organization_id": stranger.organization_id, "invitation_id": invited.json["invitation_id"]}
        answer = await post(routes, "/account/invitations/withdraw", form, cookie=stranger.cookie)
        assert answer.status == 404


class TestAccept:
    async def test_a_known_person_signs_in_first_and_needs_no_password(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        owner = await a_signed_in(routes)
        guest = await a_signed_in(routes, email="guest@other.example")
        await invite(routes, owner, email=guest.email)
        secret = await mailed_secret(sqlite_settings)
        form = {"secret": secret, "title": "Adviser", "acts_with_authority": True, "accepted": accepted()}
        for cookie in ("", owner.cookie):
            refused = await post(routes, ACCEPT, {**form, "password": PASSWORD, "name": "Eve"}, cookie=cookie)
            assert (refused.status, refused.json["code"]) == (401, "sign_in_first")
        for cookie, is_signed_in in ((owner.cookie, False), (guest.cookie, True)):
            look = await post(routes, "/account/invitations/look", {"secret": secret}, cookie=cookie)
            assert (look.json["is_known_person"], look.json["is_signed_in"]) == (True, is_signed_in)
        assert (await post(routes, ACCEPT, form, cookie=guest.cookie)).status == 201
        caller = await find_caller(guest.cookie, chosen_organization_id=owner.organization_id)
        assert caller is not None
        assert caller.organization_id == owner.organization_id

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            pytest.param({"acts_with_authority": False}, "declaration_missing", id="no authority"),
            pytest.param({"accepted": {}}, "agreement_not_accepted", id="nothing accepted"),
            pytest.param({"password": "short"}, "weak_password", id="a weak password"),
            pytest.param({"password": "password1234"}, "common_password", id="a common password"),
            pytest.param({"password": "test ltd 2026"}, "personal_password", id="the organization's name"),
        ],
    )
    async def test_without_declaration_and_acceptance_nobody_joins(
        self, routes: AccountRoutes, sqlite_settings: Settings, changes: dict[str, object], code: str
    ) -> None:
        owner = await a_signed_in(routes)
        await invite(routes, owner)
        secret = await mailed_secret(sqlite_settings)
        refused = await post(routes, ACCEPT, joining_form(secret, **changes))
        assert (refused.status, refused.json["code"]) == (400, code)
        async with read_session() as session:
            assert (await session.exec(select(Person).where(Person.email == EMAIL))).first() is None
        assert (await post(routes, ACCEPT, joining_form(secret))).status == 201

    async def test_somebody_who_became_a_member_meanwhile_keeps_their_role(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        owner = await a_signed_in(routes)
        guest = await a_signed_in(routes, email="guest@other.example")
        await invite(routes, owner, email=guest.email, role="viewer")
        secret = await mailed_secret(sqlite_settings)
        async with unit_of_work() as session:
            await add_member(
                session,
                organization_id=owner.organization_id,
                person_id=guest.person_id,
                role=OrganizationRole.ADMINISTRATOR,
            )
        assert (await post(routes, ACCEPT, joining_form(secret), cookie=guest.cookie)).status == 201
        assert (await roles_in(owner.organization_id))[guest.email] is OrganizationRole.ADMINISTRATOR
