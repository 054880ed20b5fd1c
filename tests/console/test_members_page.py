"""What the pages of members and agreements show, and to whom; what waits for an organization's acceptance."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from onetoken_app import clock
from onetoken_app.agreements import documents
from onetoken_app.agreements.models import AcceptanceMethod, AgreementKind
from onetoken_app.agreements.outstanding import OwedAgreement
from onetoken_app.agreements.queries import AcceptanceView
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import find_caller, forget_everybody
from onetoken_app.console.session import SessionState
from onetoken_app.console.shown.acceptances import changed_sections, shown_acceptance, shown_owed
from onetoken_app.console.shown.cases import case_to_begin
from onetoken_app.console.shown.members import shown_invitation, shown_member
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import InvitationView, MemberView, organization
from onetoken_app.organizations.service import add_member
from tests.console.asgi_calls import post
from tests.console.conftest import Signed, a_signed_in
from tests.console.sign_up_forms import accepted
from tests.support.builders import an_organization

OWNER, ADMINISTRATOR = OrganizationRole.OWNER, OrganizationRole.ADMINISTRATOR
DEVELOPER, VIEWER = OrganizationRole.DEVELOPER, OrganizationRole.VIEWER
TERMS = AgreementKind.TERMS_OF_SERVICE


async def a_member_who_owes(routes: AccountRoutes, role: OrganizationRole) -> Signed:
    """Sign somebody in who also acts for an organization, first by name, that has accepted nothing."""
    member = await a_signed_in(routes, role=role)
    async with unit_of_work() as session:
        organization_id = await an_organization(session, name="A first Ltd", has_accepted=False)
        await add_member(session, organization_id=organization_id, person_id=member.person_id, role=role)
    forget_everybody()
    return Signed(member.person_id, organization_id, member.email, member.cookie)


async def shown_to(cookie: str, **owed: Any) -> SimpleNamespace:
    """Return what the frame shows to somebody."""
    caller = await find_caller(cookie)
    assert caller is not None
    shown = SimpleNamespace()
    changed = caller if not owed else type(caller)(caller.person, caller.memberships, caller.acting_for, **owed)
    SessionState._show(shown, changed)  # type: ignore[arg-type] # only its members are set
    return shown


class TestOwedTexts:
    @pytest.mark.parametrize(("role", "runs_it"), [(OWNER, True), (ADMINISTRATOR, True), (DEVELOPER, False)])
    async def test_are_told_to_everybody_and_asked_of_those_in_charge(
        self, routes: AccountRoutes, *, role: OrganizationRole, runs_it: bool
    ) -> None:
        member = await a_member_who_owes(routes, role)
        shown = await shown_to(member.cookie)
        assert (shown.owes_acceptance, shown.runs_organization, shown.calls_stop_on) == (True, runs_it, "")

    async def test_are_gone_at_once_when_accepted(self, routes: AccountRoutes) -> None:
        owner = await a_member_who_owes(routes, OWNER)
        assert (await shown_to(owner.cookie)).owes_acceptance
        form = {
            "organization_id": owner.organization_id, "title": "Director", "acts_with_authority": True,
            "accepted": accepted(), "locale": "en",
        }  # fmt: skip
        assert (await post(routes, "/account/agreements/accept", form, cookie=owner.cookie)).status == 200
        assert not (await shown_to(owner.cookie)).owes_acceptance

    async def test_the_first_day_without_calls_is_named(self, routes: AccountRoutes) -> None:
        owner = await a_signed_in(routes)
        today = clock.utc_now().date()
        later, sooner = (
            OwedAgreement(TERMS, "2026-11-01", "2026-05-18", today + timedelta(days=days)) for days in (9, 3)
        )
        shown = await shown_to(owner.cookie, owed=(later, sooner))
        assert shown.calls_stop_on == sooner.calls_stop_on.isoformat()

    def test_show_the_text_in_the_readers_language(self) -> None:
        owed = OwedAgreement(TERMS, "2026-05-18", "", date(2026, 5, 18))
        (shown,) = shown_owed([owed], locale="zh-CN", on=date(2026, 11, 24))
        document = documents.current_document(TERMS, "zh-CN", date(2026, 11, 24))
        assert (shown.sha256, shown.address) == (document.sha256, "/terms?version=2026-05-18")
        assert (shown.previous_version, shown.changed_sections) == ("", [])
        assert shown.blocks[0].kind == "title"

    def test_name_the_sections_that_changed(self) -> None:
        before = "# Terms\n\nVersion 1\n\n## 1. Who\n\nYou.\n\n## 2. Fees\n\nNone.\n"
        after = "# Terms\n\nVersion 2\n\n## 1. Who\n\nYou.\n\n## 2. Fees\n\nSome.\n\n## 3. New\n\nThis.\n"
        assert changed_sections(before, after) == ["2. Fees", "3. New"]
        assert changed_sections(after, after) == []


class TestShownAcceptance:
    def test_an_operators_attestation_names_nobody(self) -> None:
        view = AcceptanceView(
            id="acc_1", kind=TERMS, version="2026-05-18", locale="en", text_sha256="0" * 64,
            method=AcceptanceMethod.OPERATOR_ATTESTATION, person_id=None, signatory_name="", signatory_title="",
            accepted_at=clock.utc_now(),
        )  # fmt: skip
        shown = shown_acceptance(view, time_zone="Asia/Shanghai")
        assert (shown.signatory, shown.certificate) == ("", "/account/certificates/acc_1")


class TestShownMember:
    @pytest.mark.parametrize(
        ("reads_as", "changes"),
        [
            pytest.param(OWNER, {OWNER, DEVELOPER}, id="an owner changes everybody"),
            pytest.param(ADMINISTRATOR, {DEVELOPER}, id="an administrator changes no owner"),
            pytest.param(DEVELOPER, set(), id="a developer changes nobody"),
            pytest.param(VIEWER, set(), id="a viewer changes nobody"),
        ],
    )
    def test_offers_what_the_service_would_do(self, reads_as: OrganizationRole, changes: set[OrganizationRole]) -> None:
        rows = {role: MemberView("per_1", "a@b.example", "", role) for role in (OWNER, DEVELOPER)}
        shown = {role: shown_member(view, reader_id="per_1", reads_as=reads_as) for role, view in rows.items()}
        assert {role for role, row in shown.items() if row.may_be_changed} == changes
        assert {(row.name, row.is_reader) for row in shown.values()} == {("a@b.example", True)}

    def test_an_administrator_sends_no_owner_a_second_invitation(self) -> None:
        now = clock.utc_now()
        view = InvitationView("inv_1", "org_1", "a@b.example", OWNER, "per_gone", now, now, None)
        shown = [
            shown_invitation(view, names={}, time_zone="UTC", makes_owners=makes_owners)
            for makes_owners in (True, False)
        ]
        assert [row.may_be_sent_again for row in shown] == [True, False]
        assert shown[0].invited_by == ""


class TestCaseToBegin:
    @pytest.mark.usefixtures("routes")
    @pytest.mark.parametrize(("is_verified", "state"), [(True, "approved"), (False, "draft")])
    async def test_one_that_the_operator_verified_is_no_draft(self, *, is_verified: bool, state: str) -> None:
        async with unit_of_work() as session:
            organization_id = await an_organization(session, is_verified=is_verified)
        async with read_session() as session:
            view = await organization(session, organization_id)
        assert view is not None
        shown = case_to_begin(view)
        assert (shown.state, shown.is_editable) == (state, not is_verified)
        assert bool(shown.missing) is not is_verified
