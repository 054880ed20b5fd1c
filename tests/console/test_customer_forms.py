"""What customers do names what their screen showed, whatever the server has opened meanwhile."""

from typing import Any

import pytest

from onetoken_app.console import session as guards
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.pages.customer.keys import KeysState
from onetoken_app.console.session import SessionState
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.keys.projects import create_project
from onetoken_app.keys.queries import ApiKeyView, keys_of
from onetoken_app.settings import Settings
from tests.console.conftest import Signed, a_signed_in
from tests.console.test_staff_forms import Desk
from tests.support.builders import a_key, a_model, an_organization


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
