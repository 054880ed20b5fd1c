"""New versions are accepted by whoever runs the organization; every acceptance has a certificate."""

import hashlib

import pytest
import sqlalchemy as sa
from sqlmodel import select

from onetoken_app.agreements.documents import current_document
from onetoken_app.agreements.models import Acceptance, AgreementKind
from onetoken_app.agreements.queries import outstanding_agreements
from onetoken_app.clock import utc_now
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.errors import Conflict
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.service import add_member
from onetoken_app.registration.certificate import CUT_HERE
from onetoken_app.settings import Settings
from tests.console.asgi_calls import Answered, post
from tests.console.conftest import PASSWORD, Signed, a_signed_in
from tests.console.sign_up_forms import a_confirmed, accepted, sign_up_form
from tests.support.builders import a_person, an_organization


async def a_member_with_outstanding_texts(routes: AccountRoutes, role: OrganizationRole) -> Signed:
    """Add a member of an organization that has accepted nothing, and sign them in."""
    member = await a_signed_in(routes, role=role)
    async with unit_of_work() as session:
        organization_id = await an_organization(session, name="A first Ltd", has_accepted=False)
        await add_member(session, organization_id=organization_id, person_id=member.person_id, role=role)
    return Signed(member.person_id, organization_id, member.email, member.cookie)


async def accept(routes: AccountRoutes, member: Signed, **changes: object) -> Answered:
    """Accept the texts in force."""
    form = {
        "organization_id": member.organization_id,
        "title": "Director",
        "acts_with_authority": True,
        "accepted": accepted(),
        "locale": "en",
        **changes,
    }
    return await post(routes, "/account/agreements/accept", form, cookie=member.cookie)


class TestAccept:
    async def test_what_was_outstanding_is_accepted_once(self, routes: AccountRoutes) -> None:
        owner = await a_member_with_outstanding_texts(routes, OrganizationRole.OWNER)
        for _ in range(2):
            assert (await accept(routes, owner)).status == 200
        async with read_session() as session:
            assert await outstanding_agreements(session, owner.organization_id) == []
            query = select(Acceptance).where(Acceptance.organization_id == owner.organization_id)
            rows = (await session.exec(query)).all()
        assert len(rows) == 2
        assert {(row.person_id, row.signatory_name, row.signatory_title) for row in rows} == {
            (owner.person_id, "Pat", "Director")
        }

    @pytest.mark.parametrize("role", [OrganizationRole.DEVELOPER, OrganizationRole.BILLING, OrganizationRole.VIEWER])
    async def test_whoever_does_not_run_the_organization_cannot(
        self, routes: AccountRoutes, role: OrganizationRole
    ) -> None:
        member = await a_member_with_outstanding_texts(routes, role)
        assert (await accept(routes, member)).status == 403
        async with read_session() as session:
            assert len(await outstanding_agreements(session, member.organization_id)) == 2

    async def test_nobody_and_strangers_cannot(self, routes: AccountRoutes) -> None:
        owner = await a_member_with_outstanding_texts(routes, OrganizationRole.OWNER)
        stranger = await a_signed_in(routes, email="stranger@test.example")
        for cookie, status in (("", 401), (stranger.cookie, 403)):
            member = Signed(owner.person_id, owner.organization_id, owner.email, cookie)
            assert (await accept(routes, member)).status == status
        async with read_session() as session:
            assert len(await outstanding_agreements(session, owner.organization_id)) == 2

    async def test_a_text_that_is_not_in_force_is_not_accepted(self, routes: AccountRoutes) -> None:
        owner = await a_member_with_outstanding_texts(routes, OrganizationRole.OWNER)
        answer = await accept(routes, owner, accepted={**accepted(), "terms_of_service": "0" * 64})
        assert (answer.status, answer.json["code"]) == (409, "agreement_changed")


class TestEvidence:
    @pytest.mark.parametrize("table", ["agreements_acceptance", "agreements_declaration"])
    @pytest.mark.parametrize("change", ["UPDATE {} SET signatory_name = 'Eve'", "DELETE FROM {}"])
    async def test_the_database_refuses_to_change_it(
        self, routes: AccountRoutes, sqlite_settings: Settings, table: str, change: str
    ) -> None:
        secret = await a_confirmed(routes, sqlite_settings)
        assert (await post(routes, "/account/sign-up/complete", sign_up_form(secret))).status == 201
        with pytest.raises((Conflict, sa.exc.DBAPIError)):
            async with unit_of_work() as session:
                await (await session.connection()).exec_driver_sql(change.format(table))

    async def test_postgresql_refuses_as_well(self, postgresql_database: Database) -> None:
        assert not postgresql_database.is_sqlite
        async with unit_of_work() as session:
            await an_organization(session)
        for change in ("UPDATE {} SET signatory_name = 'Eve'", "DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(sa.exc.DBAPIError):
                async with unit_of_work() as session:
                    await (await session.connection()).exec_driver_sql(change.format("agreements_acceptance"))


class TestCertificate:
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    async def test_says_who_accepted_what_and_quotes_it_exactly(
        self, routes: AccountRoutes, sqlite_settings: Settings, locale: str
    ) -> None:
        secret = await a_confirmed(routes, sqlite_settings)
        form = sign_up_form(secret, locale=locale, accepted=accepted(locale))
        owner = await post(routes, "/account/sign-up/complete", form, peer="203.0.113.8")
        async with read_session() as session:
            rows = (await session.exec(select(Acceptance))).all()
        for row in rows:
            path = f"/account/certificates/{row.id}"
            answer = await post(routes, path, b"", method="GET", origin="", cookie=owner.cookie)
            assert answer.status == 200
            assert answer.header("content-disposition") == f'attachment; filename="onetoken-{row.id}.txt"'
            assert answer.header("x-content-type-options") == "nosniff"
            text = answer.body.decode()
            for fact in ("Li Lei", "Head of IT", "203.0.113.8", row.text_sha256, "Example Ltd", row.version, row.id):
                assert fact in text
            quoted = text.split(f"{CUT_HERE}\n")[1]
            assert hashlib.sha256(quoted.encode()).hexdigest() == row.text_sha256
            assert quoted == current_document(AgreementKind(row.kind), locale, utc_now().date()).text

    async def test_is_for_members_and_for_staff_who_check(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        assert sqlite_settings.is_sqlite
        owner = await a_signed_in(routes)
        stranger = await a_signed_in(routes, email="stranger@test.example")
        async with read_session() as session:
            query = select(Acceptance.id).where(Acceptance.organization_id == owner.organization_id)
            path = f"/account/certificates/{(await session.exec(query)).first()}"
        password_hash = await hash_password(PASSWORD)
        async with unit_of_work() as session:
            for role in (StaffRole.REVIEWER, StaffRole.SUPPORT):
                await a_person(session, email=f"{role}@ops.example", password_hash=password_hash, staff_role=role)
        cookies = {"": 401, owner.cookie: 200, stranger.cookie: 404}
        for role, status in ((StaffRole.REVIEWER, 200), (StaffRole.SUPPORT, 404)):
            signed = await post(routes, "/account/sign-in", {"email": f"{role}@ops.example", "password": PASSWORD})
            cookies[signed.cookie] = status
        for cookie, status in cookies.items():
            assert (await post(routes, path, b"", method="GET", cookie=cookie)).status == status
        for unknown in ("acc_x", "", "\0", "\ud800", "../sign-in", "x" * 5000):
            path = f"/account/certificates/{unknown}"
            assert (await post(routes, path, b"", method="GET", cookie=owner.cookie)).status == 404
