"""Organizations: registered by their code, verified, and acted for by people."""

import pytest
from stdnum.cn import uscc

from onetoken_app.database import policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identity.service import create_person
from onetoken_app.money import Currency
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import (
    OrganizationView,
    members_of,
    memberships_of,
    organization,
    organization_by_code,
    organizations,
)
from onetoken_app.organizations.registration_codes import (
    InvalidRegistrationCode,
    checked_registration_code,
    registration_code_in,
)
from onetoken_app.organizations.service import (
    add_member,
    mark_verified,
    register_organization,
    rename_organization,
    set_time_zone,
)

CODE, OTHER_CODE = "91350100M000100Y43", "91110000600037341L"


async def register(name: str = "Bench Ltd", code: str = CODE, time_zone: str = "Asia/Shanghai") -> str:
    """Register in a unit of its own."""
    async with unit_of_work() as session:
        return await register_organization(
            session, name=name, registration_code=code, currency=Currency.USD, time_zone=time_zone
        )


async def view_of(organization_id: str) -> OrganizationView:
    """Read an organization that exists."""
    async with read_session() as session:
        view = await organization(session, organization_id)
    assert view is not None
    return view


class TestCheckedRegistrationCode:
    @pytest.mark.parametrize("text", [CODE, CODE.lower(), " 91350100 M000100Y43 ", OTHER_CODE])
    def test_returns_the_one_form(self, text: str) -> None:
        assert checked_registration_code(text) in {CODE, OTHER_CODE}

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            pytest.param("de-hrb  86891", "DE-HRB 86891", id="a German register's number"),
            pytest.param("SG-201912345K", "SG-201912345K", id="a Singaporean number"),
            pytest.param("HK-1234567", "HK-1234567", id="a Hong Kong number"),
        ],
    )
    def test_takes_numbers_of_registers_elsewhere(self, text: str, code: str) -> None:
        assert checked_registration_code(text) == code
        assert checked_registration_code(code) == code

    @pytest.mark.parametrize("text", ["CN-12345678", "DE-", "DE-GMBH", "D-12345", "DE-" + "1" * 41, "DE-12;3"])
    def test_refuses_what_no_register_gives(self, text: str) -> None:
        with pytest.raises(InvalidRegistrationCode):
            checked_registration_code(text)

    def test_country_and_number_make_a_code(self) -> None:
        assert registration_code_in("cn", CODE) == CODE
        assert registration_code_in(" de ", " hrb 86891") == "DE-hrb 86891"
        assert registration_code_in("DE", "de-hrb 86891 ") == "de-hrb 86891"

    @pytest.mark.parametrize("code", [CODE, OTHER_CODE])
    def test_finds_every_single_substitution(self, code: str) -> None:
        for position in range(len(code)):
            for character in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
                if character != code[position]:
                    with pytest.raises(InvalidRegistrationCode):
                        checked_registration_code(code[:position] + character + code[position + 1 :])

    @pytest.mark.parametrize("text", ["", "9135", CODE + "0", "110101199003074477", "密" * 18])
    def test_refuses_what_is_no_code(self, text: str) -> None:
        with pytest.raises(InvalidRegistrationCode):
            checked_registration_code(text)

    def test_the_samples_are_valid_by_the_standard(self) -> None:
        assert uscc.is_valid(CODE)
        assert uscc.is_valid(OTHER_CODE)


@pytest.mark.usefixtures("database")
class TestRegisterOrganization:
    async def test_is_found_and_not_verified_yet(self) -> None:
        organization_id = await register(code=CODE.lower())
        view = await view_of(organization_id)
        assert (view.name, view.registration_code, view.currency) == ("Bench Ltd", CODE, Currency.USD)
        assert not view.is_in_good_standing
        async with read_session() as session:
            assert await organization_by_code(session, CODE) == view
            assert await organizations(session) == [view]
            assert await organization(session, "org_none") is None

    async def test_a_code_is_one_organization(self) -> None:
        await register()
        with pytest.raises(Conflict):
            await register(name="Another name")

    @pytest.mark.parametrize(
        ("name", "code", "time_zone"),
        [("", CODE, "UTC"), ("x" * 201, CODE, "UTC"), ("Bench", "1", "UTC"), ("Bench", CODE, "Nowhere")],
        ids=["no name", "a long name", "no code", "no time zone"],
    )
    async def test_refuses(self, name: str, code: str, time_zone: str) -> None:
        with pytest.raises(BadRequest):
            await register(name, code, time_zone)

    async def test_is_renamed(self) -> None:
        organization_id = await register()
        async with unit_of_work() as session:
            await rename_organization(session, organization_id=organization_id, name="  Bank Ltd ")
        assert (await view_of(organization_id)).name == "Bank Ltd"

    async def test_moves_to_another_time_zone_and_to_no_unknown_one(self) -> None:
        organization_id = await register()
        async with unit_of_work() as session:
            await set_time_zone(session, organization_id=organization_id, time_zone="Europe/Berlin")
            with pytest.raises(BadRequest):
                await set_time_zone(session, organization_id=organization_id, time_zone="Mars/Olympus")
        assert (await view_of(organization_id)).time_zone == "Europe/Berlin"


@pytest.mark.usefixtures("database")
class TestStanding:
    async def test_verified_keeps_its_first_moment_and_tells_the_relay_once(self) -> None:
        organization_id = await register()
        seen = []
        for _ in range(2):
            async with unit_of_work() as session:
                await mark_verified(session, organization_id=organization_id)
            async with read_session() as session:
                seen.append(((await view_of(organization_id)).verified_at, await policy_revision(session)))
        assert seen[0] == seen[1]
        assert (await view_of(organization_id)).is_in_good_standing

    async def test_an_unknown_one_has_none(self) -> None:
        async with unit_of_work() as session:
            with pytest.raises(NotFound):
                await mark_verified(session, organization_id="org_none")


@pytest.mark.usefixtures("database")
class TestAddMember:
    async def test_a_person_may_act_for_several(self) -> None:
        one, other = await register("Zeta"), await register("Alpha", OTHER_CODE)
        async with unit_of_work() as session:
            person_id = await create_person(session, email="a@b.example", name="Pat", password_hash=None)
            await add_member(session, organization_id=one, person_id=person_id, role=OrganizationRole.OWNER)
            await add_member(session, organization_id=other, person_id=person_id, role=OrganizationRole.VIEWER)
        async with read_session() as session:
            found = await memberships_of(session, person_id)
        assert [(view.organization_name, view.role) for view in found] == [
            ("Alpha", OrganizationRole.VIEWER),
            ("Zeta", OrganizationRole.OWNER),
        ]

    async def test_again_changes_the_role(self) -> None:
        organization_id = await register()
        async with unit_of_work() as session:
            person_id = await create_person(session, email="a@b.example", name="Pat", password_hash=None)
            for role in (OrganizationRole.OWNER, OrganizationRole.BILLING):
                await add_member(session, organization_id=organization_id, person_id=person_id, role=role)
        async with read_session() as session:
            (view,) = await members_of(session, organization_id)
        assert (view.email, view.role) == ("a@b.example", OrganizationRole.BILLING)

    async def test_refuses_unknown_people_and_organizations(self) -> None:
        organization_id = await register()
        async with unit_of_work() as session:
            for owner in (organization_id, "org_none"):
                with pytest.raises(NotFound):
                    await add_member(session, organization_id=owner, person_id="per_none", role=OrganizationRole.OWNER)
