"""What customers do names what their screen showed, whatever the server has opened meanwhile."""

from typing import Any

import pytest
from sqlmodel import select

from onetoken_app.audit.models import AuditEntry
from onetoken_app.console import session as guards
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.pages.customer.keys import KeysState
from onetoken_app.console.pages.customer.projects import ProjectsState
from onetoken_app.console.pages.customer.verification import VerificationState
from onetoken_app.console.session import SessionState
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.keys.projects import create_project
from onetoken_app.keys.queries import ApiKeyView, keys_of, projects_of
from onetoken_app.settings import Settings
from onetoken_app.verification.models import CaseState
from onetoken_app.verification.particulars import CHARACTERS_MAX
from onetoken_app.verification.queries import CaseView, case_of
from onetoken_app.verification.service import REQUIRED_KINDS
from tests.console.conftest import Signed, a_signed_in
from tests.console.test_staff_forms import Desk
from tests.support.builders import a_key, a_model, an_organization
from tests.verification import cases


@pytest.fixture(autouse=True)
def _settings_of_a_process(monkeypatch: pytest.MonkeyPatch, sqlite_settings: Settings) -> None:
    """Let events find the same installation as the rest of a test, and pages that begin with nothing."""
    monkeypatch.setenv("ONETOKEN_DATA_DIR", str(sqlite_settings.data_dir))
    monkeypatch.setattr(guards, "_loads", lambda _state: [])


async def a_screen(routes: AccountRoutes) -> tuple[Signed, Desk]:
    """Sign the owner of an organization in; return them and their tab."""
    owner = await a_signed_in(routes)
    tab = Desk(owner.person_id, owner.cookie)
    (await tab.state(SessionState))._shown_for = owner.organization_id
    return owner, tab


class TestKeys:
    async def the_key(self, organization_id: str, api_key_id: str) -> ApiKeyView:
        """Read a key."""
        async with read_session() as session:
            return next(one for one in await keys_of(session, organization_id) if one.id == api_key_id)

    async def test_what_the_dialog_showed_is_done_to_the_key_that_it_showed(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        owner, tab = await a_screen(routes)
        of = owner.organization_id
        async with unit_of_work() as session:
            model = await a_model(session, sqlite_settings)
            shown, other = [await a_key(session, sqlite_settings, organization_id=of, name=name) for name in "ab"]
            project_id = await create_project(session, organization_id=of, name="Website")
        await tab.send(KeysState, "load")
        await tab.send(KeysState, "select", other.id)
        for event, more in (("save_restriction", (True, [model.id])), ("move", (project_id,)), ("revoke", ())):
            assert await tab.send(KeysState, event, shown.id, *more) == ""
        first, second = await self.the_key(of, shown.id), await self.the_key(of, other.id)
        assert first.permitted_model_ids == frozenset({model.id})
        assert (first.project_id, first.revoked_at is None) == (project_id, False)
        assert (second.permitted_model_ids, second.project_id == project_id, second.revoked_at) == (None, False, None)

    @pytest.mark.parametrize(
        ("event", "more"),
        [("save_restriction", (False, [])), ("move", ("prj_any",)), ("revoke", ())],
        ids=["restrict", "move", "revoke"],
    )
    async def test_a_key_of_another_organization_does_not_exist(
        self, routes: AccountRoutes, sqlite_settings: Settings, event: str, more: tuple[Any, ...]
    ) -> None:
        _, tab = await a_screen(routes)
        async with unit_of_work() as session:
            foreign = await an_organization(session)
            key = await a_key(session, sqlite_settings, organization_id=foreign)
        before = await self.the_key(foreign, key.id)
        assert await tab.send(KeysState, event, key.id, *more) == "There is no such key."
        assert await self.the_key(foreign, key.id) == before


class TestVerification:
    async def the_case(self, organization_id: str) -> CaseView:
        """Read the case."""
        async with read_session() as session:
            found = await case_of(session, organization_id)
        assert found is not None
        return found

    async def a_form(self, tab: Desk, **typed: str) -> dict[str, Any]:
        """Return the form as it stands on a screen, with something typed into it."""
        shown = await tab.state(VerificationState)
        filled = {name: getattr(shown.case.particulars, name) for name in CHARACTERS_MAX}
        return {**filled, "revision": str(shown.form_revision), **typed}

    async def test_what_somebody_else_saved_since_is_not_written_over(self, routes: AccountRoutes) -> None:
        owner, tab = await a_screen(routes)
        await tab.send(VerificationState, "load")
        assert await tab.send(VerificationState, "save", await self.a_form(tab, contact_name="Li Na")) == ""
        mine = await self.a_form(tab, contact_name="Li Na", contact_phone="1")
        theirs = cases.Cast(owner.organization_id, owner.person_id, "", "")
        await cases.save(theirs, expected_revision=int(mine["revision"]), contact_name="Wang Fang")
        await cases.add(theirs, cases.a_document(REQUIRED_KINDS[0]))
        await tab.send(VerificationState, "uploaded")
        mine["revision"] = (await self.a_form(tab))["revision"]
        assert "changed" in await tab.send(VerificationState, "save", mine)
        assert (await self.the_case(owner.organization_id)).particulars.contact_name == "Wang Fang"
        mine["revision"] = (await self.a_form(tab))["revision"]
        assert await tab.send(VerificationState, "save", mine) == ""
        assert (await self.the_case(owner.organization_id)).particulars.contact_name == "Li Na"

    async def test_a_document_of_ones_own_is_in_nobodys_way(self, routes: AccountRoutes) -> None:
        owner, tab = await a_screen(routes)
        await tab.send(VerificationState, "load")
        await tab.send(VerificationState, "save", await self.a_form(tab, contact_name="Li Na"))
        await cases.add(cases.Cast(owner.organization_id, owner.person_id, "", ""), cases.a_document(REQUIRED_KINDS[0]))
        await tab.send(VerificationState, "uploaded")
        assert await tab.send(VerificationState, "save", await self.a_form(tab, contact_name="Li Wei")) == ""

    async def test_only_what_was_seen_is_submitted_and_withdrawn(self, routes: AccountRoutes) -> None:
        owner, tab = await a_screen(routes)
        cast = cases.Cast(owner.organization_id, owner.person_id, "", "")
        await cases.save(cast)
        for kind in REQUIRED_KINDS:
            await cases.add(cast, cases.a_document(kind))
        await tab.send(VerificationState, "load")
        seen = (await tab.state(VerificationState)).case.revision
        await cases.save(cast, expected_revision=seen, contact_name="Somebody else")
        await tab.send(VerificationState, "load")
        assert "changed" in await tab.send(VerificationState, "submit", seen)
        assert (await self.the_case(owner.organization_id)).state is CaseState.DRAFT
        assert await tab.send(VerificationState, "submit", (await tab.state(VerificationState)).case.revision) == ""
        assert "changed" in await tab.send(VerificationState, "withdraw", seen)
        assert (await self.the_case(owner.organization_id)).state is CaseState.SUBMITTED


class TestProjects:
    async def names(self, organization_id: str) -> list[str]:
        """Return what the organization's projects are called, and see that each was noted once."""
        async with read_session() as session:
            noted = await session.exec(select(AuditEntry.subject_id).where(AuditEntry.action == "project_created"))
            found = await projects_of(session, organization_id)
            assert sorted(noted) == sorted(one.id for one in found if not one.is_default)
        return sorted(one.name for one in found)

    async def test_a_form_sent_twice_makes_one_project_and_is_no_failure(self, routes: AccountRoutes) -> None:
        owner, tab = await a_screen(routes)
        await tab.send(ProjectsState, "load")
        form = {"name": " Website ", "submission_id": (await tab.state(ProjectsState)).submission_id}
        assert [await tab.send(ProjectsState, "create", form) for _ in range(2)] == ["", ""]
        assert await self.names(owner.organization_id) == ["Default", "Website"]

    async def test_another_name_is_not_lost_in_silence(self, routes: AccountRoutes) -> None:
        owner, tab = await a_screen(routes)
        await tab.send(ProjectsState, "load")
        form = {"name": "Website", "submission_id": (await tab.state(ProjectsState)).submission_id}
        await tab.send(ProjectsState, "create", form)
        assert "another project before" in await tab.send(ProjectsState, "create", {**form, "name": "Mobile"})
        next_form = {"name": "Mobile", "submission_id": (await tab.state(ProjectsState)).submission_id}
        assert await tab.send(ProjectsState, "create", next_form) == ""
        assert await self.names(owner.organization_id) == ["Default", "Mobile", "Website"]

    @pytest.mark.parametrize("submission_id", ["", "short", "x" * 65, "with space"])
    async def test_a_form_without_an_id_of_its_own_makes_none(self, routes: AccountRoutes, submission_id: str) -> None:
        owner, tab = await a_screen(routes)
        form = {"name": "Website", "submission_id": submission_id}
        assert "incomplete" in await tab.send(ProjectsState, "create", form)
        assert await self.names(owner.organization_id) == []

    async def test_a_name_that_is_taken_stays_a_failure(self, routes: AccountRoutes) -> None:
        _, tab = await a_screen(routes)
        await tab.send(ProjectsState, "load")
        for outcome in ("", "A project of this name exists, maybe an archived one. Choose another name."):
            form = {"name": "Website", "submission_id": (await tab.state(ProjectsState)).submission_id}
            assert await tab.send(ProjectsState, "create", form) == outcome
