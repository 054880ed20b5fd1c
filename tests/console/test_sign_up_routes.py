"""Sign-up from the first mail to the signed-in owner, with what goes wrong on the way."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.agreements.models import Acceptance, AcceptanceMethod, AgreementKind, Declaration
from onetoken_app.agreements.queries import outstanding_agreements
from onetoken_app.audit.models import AuditEntry
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import find_caller
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import MailedLink, Person
from onetoken_app.identity.service import disable_person
from onetoken_app.ledger.queries import balance_of
from onetoken_app.organizations.models import Organization, OrganizationRole, Scenario
from onetoken_app.organizations.queries import declared_scenarios, organization
from onetoken_app.settings import Settings
from tests.console.asgi_calls import post
from tests.console.conftest import a_signed_in
from tests.console.mails import mails, secret_in
from tests.console.sign_up_forms import OTHER_CODE, PASSWORD, a_confirmed, accepted, sign_up_form
from tests.support.builders import an_organization

COMPLETE = "/account/sign-up/complete"


async def counts() -> tuple[int, int, int]:
    """Count people, organizations and acceptances."""
    async with read_session() as session:
        found = [len((await session.exec(select(table))).all()) for table in (Person, Organization, Acceptance)]
    return found[0], found[1], found[2]


class TestBegin:
    async def test_the_mail_leads_to_the_form_and_its_secret_is_not_stored(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        secret = await a_confirmed(routes, sqlite_settings)
        look = await post(routes, "/account/sign-up/look", {"secret": secret})
        assert (look.status, look.json) == (200, {"email": "li@company.example"})
        stored = [file.read_bytes() for file in sqlite_settings.data_dir.iterdir() if "sqlite3" in file.name]
        assert not any(secret.encode() in content for content in stored)
        async with read_session() as session:
            assert (await session.exec(select(MailedLink))).one().used_at is None
        assert await counts() == (0, 0, 0)

    async def test_a_stranger_cannot_tell_whether_an_address_is_known(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        person = await a_signed_in(routes)
        form = {"party": "organization", "locale": "zh-CN"}
        known = await post(routes, "/account/sign-up", {"email": person.email, **form})
        unknown = await post(routes, "/account/sign-up", {"email": "new@company.example", **form})
        assert (known.status, known.body) == (unknown.status, unknown.body) == (202, b"{}")
        letters = {letter.recipient: letter for letter in await mails(sqlite_settings)}
        assert letters[person.email].subject == "You have a OneToken account already"
        assert letters["new@company.example"].subject == "确认邮箱，继续注册 OneToken"
        assert "#" not in letters[person.email].words

    async def test_somebody_who_was_shut_out_gets_no_mail(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        person = await a_signed_in(routes)
        async with unit_of_work() as session:
            await disable_person(session, person_id=person.person_id)
        answer = await post(routes, "/account/sign-up", {"email": person.email, "party": "organization"})
        assert answer.status == 202
        assert await mails(sqlite_settings) == []

    async def test_private_use_is_refused_with_the_reason(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        answer = await post(routes, "/account/sign-up", {"email": "me@home.example", "party": "natural_person"})
        assert (answer.status, answer.json["code"]) == (403, "organizations_only")
        assert await mails(sqlite_settings) == []

    @pytest.mark.parametrize(
        "email",
        [
            pytest.param("nobody", id="no address"),
            pytest.param("a@b", id="no domain"),
            pytest.param("victim@a.example,me@b.example", id="two addresses"),
            pytest.param("x@a.example\r\nBcc: y@b.example", id="a header"),
            pytest.param("<x@a.example>", id="brackets"),
        ],
    )
    async def test_what_is_no_address_gets_no_mail(
        self, routes: AccountRoutes, sqlite_settings: Settings, email: str
    ) -> None:
        answer = await post(routes, "/account/sign-up", {"email": email, "party": "organization"})
        assert (answer.status, answer.json) == (400, {"code": "invalid_request", "parameter": "email"})
        assert await mails(sqlite_settings) == []

    async def test_a_mailbox_is_not_flooded(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        form = {"email": "li@company.example", "party": "organization"}
        answers = [await post(routes, "/account/sign-up", form, peer=f"192.0.2.{number}") for number in range(5)]
        assert [answer.status for answer in answers] == [202, 202, 202, 429, 429]
        assert answers[-1].json["code"] == "too_many_requests"
        assert answers[-1].json["seconds"] == int(answers[-1].header("retry-after")) > 3000
        assert len(await mails(sqlite_settings)) == 3

    async def test_an_address_does_not_mail_the_whole_world(self, routes: AccountRoutes) -> None:
        answers = [
            await post(routes, "/account/sign-up", {"email": f"x{number}@company.example", "party": "organization"})
            for number in range(25)
        ]
        assert answers[-1].status == 429


class TestComplete:
    async def test_registers_person_and_organization_and_signs_in(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        secret = await a_confirmed(routes, sqlite_settings)
        answer = await post(routes, COMPLETE, sign_up_form(secret))
        assert answer.status == 201
        caller = await find_caller(answer.cookie)
        assert caller is not None
        assert caller.acting_for is not None
        assert (caller.person.email, caller.person.name) == ("li@company.example", "Li Lei")
        assert (caller.acting_for.role, caller.organization_id) == (
            OrganizationRole.OWNER,
            answer.json["organization_id"],
        )
        async with read_session() as session:
            registered = await organization(session, caller.organization_id)
            assert registered is not None
            assert not registered.is_in_good_standing
            assert await outstanding_agreements(session, caller.organization_id) == []
            assert await declared_scenarios(session, caller.organization_id) == [
                Scenario.TESTING,
                Scenario.OFFICE_WORK,
            ]
            balance = await balance_of(session, owner_id=registered.id, currency=registered.currency)
            assert balance.available_nanos == 0
            actions = [row.action for row in await session.exec(select(AuditEntry))]
        assert actions == ["organization_registered"]
        signed_in = await post(
            routes, "/account/sign-in", {"email": "li@company.example", "password": PASSWORD}, peer="192.0.2.9"
        )
        assert signed_in.status == 200

    async def test_the_evidence_says_who_clicked_what_and_from_where(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        secret = await a_confirmed(routes, sqlite_settings)
        form = sign_up_form(secret, locale="zh-CN", accepted=accepted("zh-CN"))
        answer = await post(routes, COMPLETE, form, peer="203.0.113.8")
        assert answer.status == 201
        async with read_session() as session:
            rows = (await session.exec(select(Acceptance))).all()
            declaration = (await session.exec(select(Declaration))).one()
        assert {row.kind for row in rows} == set(AgreementKind)
        for row in rows:
            assert row.method is AcceptanceMethod.PERSON_CLICKED
            assert (row.signatory_name, row.signatory_title) == ("Li Lei", "Head of IT")
            assert (row.caller_ip, row.user_agent, row.locale) == ("203.0.113.8", "test", "zh-CN")
            assert row.text_sha256 == accepted("zh-CN")[row.kind]
        assert (declaration.signatory_name, declaration.caller_ip, declaration.locale) == (
            "Li Lei", "203.0.113.8", "zh-CN",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            pytest.param(
                {"registration_code": "91350100M000100Y44"}, (400, "invalid_registration_code", "registration_code"),
                id="a wrong check digit",
            ),
            pytest.param({"password": "short"}, (400, "weak_password", "password"), id="a short password"),
            pytest.param({"password": "password1234"}, (400, "common_password", "password"), id="a common password"),
            pytest.param({"password": "li@company.example"}, (400, "personal_password", "password"), id="the address"),
            pytest.param(
                {"organization_name": "Harbour Light", "password": "harbourlight26"},
                (400, "personal_password", "password"), id="the organization's name",
            ),
            pytest.param(
                {"acts_with_authority": False}, (400, "declaration_missing", "acts_with_authority"), id="no authority"
            ),
            pytest.param(
                {"acts_with_authority": "yes"}, (400, "declaration_missing", "acts_with_authority"), id="a box of text"
            ),
            pytest.param({"title": " "}, (400, "declaration_missing", "title"), id="no position"),
            pytest.param({"name": ""}, (400, "declaration_missing", "name"), id="no name"),
            pytest.param(
                {"organization_name": " "}, (400, "invalid_request", "organization_name"), id="no organization"
            ),
            pytest.param({"scenarios": []}, (400, "invalid_request", "scenarios"), id="no declared use"),
            pytest.param({"scenarios": ["world"]}, (400, "invalid_request", "scenarios"), id="an unknown use"),
            pytest.param({"time_zone": "Mars/Base"}, (400, "invalid_request", "time_zone"), id="an unknown zone"),
            pytest.param({"accepted": {}}, (400, "agreement_not_accepted", "terms_of_service"), id="nothing accepted"),
            pytest.param(
                {"accepted": {**accepted(), "privacy_policy": "0" * 64}}, (409, "agreement_changed", None),
                id="another text",
            ),
        ],
    )  # fmt: skip
    async def test_a_form_that_is_wrong_changes_nothing_and_can_be_sent_again(
        self, routes: AccountRoutes, sqlite_settings: Settings, changes: dict[str, object], refusal: tuple[object, ...]
    ) -> None:
        secret = await a_confirmed(routes, sqlite_settings)
        refused = await post(routes, COMPLETE, sign_up_form(secret, **changes))
        assert (refused.status, refused.json["code"], refused.json.get("parameter")) == refusal
        assert await counts() == (0, 0, 0)
        assert (await post(routes, COMPLETE, sign_up_form(secret))).status == 201

    async def test_a_code_that_is_registered_is_said_so_and_the_link_stays_good(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        form = sign_up_form(await a_confirmed(routes, sqlite_settings))
        async with unit_of_work() as session:
            await an_organization(session, registration_code=form["registration_code"], has_accepted=False)
        refused = await post(routes, COMPLETE, form)
        assert (refused.status, refused.json["code"]) == (409, "organization_registered")
        assert await counts() == (0, 1, 0)
        assert (await post(routes, COMPLETE, {**form, "registration_code": OTHER_CODE})).status == 201

    async def test_an_organization_of_another_country_gives_the_number_of_its_register(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        form = sign_up_form(await a_confirmed(routes, sqlite_settings), country="DE")
        form["registration_code"] = "hrb 86891"
        answer = await post(routes, COMPLETE, form)
        assert answer.status == 201
        async with read_session() as session:
            registered = await organization(session, answer.json["organization_id"])
        assert registered is not None
        assert registered.registration_code == "DE-HRB 86891"

    async def test_a_double_submit_does_it_once(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        form = sign_up_form(await a_confirmed(routes, sqlite_settings))
        answers = await asyncio.gather(*(post(routes, COMPLETE, form) for _ in range(3)))
        assert sorted(answer.status for answer in answers) == [201, 410, 410]
        assert {answer.json["code"] for answer in answers if answer.status == 410} == {"link_used"}
        assert await counts() == (1, 1, 2)

    async def test_every_mailed_link_is_spent_by_the_first_that_is_used(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        first = await a_confirmed(routes, sqlite_settings)
        second = await a_confirmed(routes, sqlite_settings)
        assert (await post(routes, COMPLETE, sign_up_form(first))).status == 201
        late = await post(routes, COMPLETE, sign_up_form(second, registration_code=OTHER_CODE))
        assert (late.status, late.json["code"]) == (410, "link_used")

    async def test_an_expired_link_does_nothing(
        self, routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        secret = await a_confirmed(routes, sqlite_settings)
        tomorrow = clock.utc_now() + timedelta(hours=25)
        monkeypatch.setattr(clock, "utc_now", lambda: tomorrow)
        answer = await post(routes, COMPLETE, sign_up_form(secret))
        assert (answer.status, answer.json["code"]) == (410, "link_expired")
        assert await counts() == (0, 0, 0)

    @pytest.mark.parametrize("secret", ["", "x", "密", "a" * 900])
    async def test_a_secret_that_nobody_was_sent_is_unknown(self, routes: AccountRoutes, secret: str) -> None:
        answer = await post(routes, COMPLETE, sign_up_form(secret))
        assert (answer.status, answer.json["code"]) == (404, "link_unknown")

    async def test_a_link_for_a_password_registers_nobody(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        person = await a_signed_in(routes)
        await post(routes, "/account/password/forgotten", {"email": person.email})
        (letter,) = await mails(sqlite_settings)
        answer = await post(routes, COMPLETE, sign_up_form(secret_in(letter.words)))
        assert (answer.status, answer.json["code"]) == (404, "link_unknown")
