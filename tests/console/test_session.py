"""Who may call an event, and the refusal to start with one that does not say."""

from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext

from onetoken_app import clock
from onetoken_app.console import session as guards
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import CHANGES, REMEMBERED_SECONDS, Role, find_caller, forget_everybody
from onetoken_app.console.session import EventWithoutRole, SessionState, caller, event_for, seal_events
from onetoken_app.console.text.catalogues import plain_text
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest, Conflict, DeadlineExceeded, OneTokenError
from onetoken_app.identity import service as identity
from onetoken_app.organizations.models import Membership, OrganizationRole
from tests.console.conftest import Signed, a_signed_in
from tests.support.builders import an_organization


class Tab:
    """What an event sees of a browser's tab, and what it shows."""

    def __init__(self, cookie: str, *, organization_id: str = "", shown_for: str = "") -> None:
        headers = SimpleNamespace(cookie=cookie, accept_language="en")
        self.router = SimpleNamespace(headers=headers, url=SimpleNamespace(path="/usage"))
        self.shown = SimpleNamespace(
            organization_id=organization_id,
            refusal="",
            refused_field="",
            _reads="",
            _shown_for=shown_for,
            _said_on="",
            _show=lambda _found: None,
            _forget=lambda: self.forgotten.append("frame"),
        )
        self.forgotten: list[str] = []
        self.root = SimpleNamespace(substates={"keys": SimpleNamespace(reset=lambda: self.forgotten.append("keys"))})

    async def get_state(self, state: type) -> Any:
        return self.shown if state is SessionState else self.root


@pytest.fixture(autouse=True)
def _a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no app here; the page begins with something."""
    monkeypatch.setattr(guards, "_loads", lambda _state: LOADS)


LOADS = ["what the page begins with"]


async def call(role: Role, tab: Tab) -> tuple[Any, list[str]]:
    """Call an event for a role; return its outcome and for whom it ran."""
    ran: list[str] = []

    async def handler(_state: Any) -> str:
        ran.append(caller().organization_id if role is not Role.NOBODY else "nobody")
        return "done"

    return await event_for(role)(handler)(tab), ran


def told(outcome: Any) -> str:
    """Name what the browser is told to do."""
    return str(outcome.handler.fn.__qualname__)


class TestEventFor:
    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.NOBODY])
    @pytest.mark.usefixtures("routes")
    async def test_sends_nobody_to_the_sign_in_and_forgets_the_tab(self, role: Role) -> None:
        tab = Tab("onetoken=unknown")
        outcome, ran = await call(role, tab)
        assert ran == []
        assert told(outcome) == "_redirect"
        assert tab.forgotten == ["keys", "frame"]

    @pytest.mark.parametrize(
        ("held", "open_to"),
        [
            (OrganizationRole.VIEWER, {Role.PERSON, Role.VIEWER}),
            (OrganizationRole.BILLING, {Role.PERSON, Role.VIEWER, Role.BILLING}),
            (OrganizationRole.DEVELOPER, {Role.PERSON, Role.VIEWER, Role.DEVELOPER}),
            (
                OrganizationRole.ADMINISTRATOR,
                {Role.PERSON, Role.VIEWER, Role.BILLING, Role.DEVELOPER, Role.ADMINISTRATOR},
            ),
            (
                OrganizationRole.OWNER,
                {Role.PERSON, Role.VIEWER, Role.BILLING, Role.DEVELOPER, Role.ADMINISTRATOR, Role.OWNER},
            ),
        ],
    )
    async def test_opens_exactly_the_events_of_a_role(
        self, routes: AccountRoutes, held: OrganizationRole, open_to: set[Role]
    ) -> None:
        person = await a_signed_in(routes, role=held)
        opened = set()
        for role in set(Role) - {Role.NOBODY}:
            tab = Tab(person.cookie, shown_for=person.organization_id)
            _, ran = await call(role, tab)
            if ran:
                opened.add(role)
            assert bool(tab.shown.refusal) is not bool(ran)
            assert tab.forgotten == ([] if ran else ["keys"])
        assert opened == open_to

    async def test_believes_a_chosen_organization_only_among_memberships(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        async with unit_of_work() as session:
            foreign = await an_organization(session)
            second = await an_organization(session, name="Zeta Ltd")
            session.add(Membership(organization_id=second, person_id=person.person_id, role=OrganizationRole.VIEWER))
        forget_everybody()
        assert (await call(Role.VIEWER, Tab(person.cookie, organization_id=second)))[1] == [second]
        tab = Tab(person.cookie, organization_id=foreign)
        outcome, ran = await call(Role.VIEWER, tab)
        assert (outcome, ran, tab.forgotten) == (LOADS, [], ["keys"])
        assert "another organization" in tab.shown.refusal

    @pytest.mark.parametrize("role", sorted(CHANGES))
    async def test_changes_nothing_for_another_organization_than_the_screen_shows(
        self, routes: AccountRoutes, role: Role
    ) -> None:
        person = await a_signed_in(routes)
        for shown_for in ("", "org_of_others"):
            tab = Tab(person.cookie, organization_id=person.organization_id, shown_for=shown_for)
            outcome, ran = await call(role, tab)
            assert (outcome, ran, tab.forgotten) == (LOADS, [], ["keys"])
            assert "another organization" in tab.shown.refusal
        tab = Tab(person.cookie, organization_id=person.organization_id, shown_for=person.organization_id)
        assert (await call(role, tab))[1] == [person.organization_id]

    async def test_what_a_page_begins_with_needs_no_screen(
        self, routes: AccountRoutes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = await a_signed_in(routes, role=OrganizationRole.VIEWER)

        async def load(_state: Any) -> str:
            return "done"

        for role, outcome in ((Role.BILLING, []), (Role.VIEWER, "done")):
            loading = event_for(role)(load)
            monkeypatch.setattr(guards, "_loads", lambda _state, fn=loading: [SimpleNamespace(fn=fn)])
            tab = Tab(person.cookie)
            assert await loading(tab) == outcome
            assert "another organization" not in tab.shown.refusal

    async def test_who_opens_a_page_of_others_reads_for_whom_it_is(
        self, routes: AccountRoutes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = await a_signed_in(routes)

        async def load(_state: Any) -> str:
            return "done"

        tab = Tab(person.cookie)
        for role, outcome, needed in ((Role.STAFF_FINANCE, [], "staff_finance"), (Role.VIEWER, "done", "")):
            loading = event_for(role)(load)
            monkeypatch.setattr(guards, "_loads", lambda _state, fn=loading: [SimpleNamespace(fn=fn)])
            assert await loading(tab) == outcome
            assert (tab.shown.needed_role, tab.shown.refusal) == (needed, "")
        assert tab.forgotten == ["keys"]

    async def test_keeps_what_it_said_while_the_page_loads_anew(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        tab = Tab(person.cookie, shown_for=person.organization_id)
        await guards.say(tab, "Nothing was changed.", until_leaving=True)  # type: ignore[arg-type] # as much of one as is used
        await call(Role.VIEWER, tab)
        assert tab.shown.refusal == "Nothing was changed."
        await call(Role.OWNER, tab)
        assert tab.shown.refusal == ""

    async def test_tells_an_error_in_words_and_goes_on(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)

        async def handler(_state: Any) -> None:
            raise Conflict("The name is taken.")

        tab = Tab(person.cookie)
        await event_for(Role.VIEWER)(handler)(tab)
        assert tab.shown.refusal == "The name is taken."

    async def test_tells_an_error_in_the_language_of_the_page_and_names_the_field(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)

        async def handler(_state: Any) -> None:
            raise BadRequest("Choose the day of the transfer.", parameter="paid_on")

        tab = Tab(person.cookie)
        tab.shown._reads = "zh-CN"
        await event_for(Role.VIEWER)(handler)(tab)
        assert tab.shown.refusal == plain_text("error.invalid_request_paid_on", "zh-CN")
        assert tab.shown.refused_field == "paid_on"
        await guards.say(tab, "")  # type: ignore[arg-type] # as much of one as is used
        assert tab.shown.refused_field == ""

    async def test_tells_whatever_breaks_without_its_words(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)

        async def handler(_state: Any) -> None:
            raise LookupError("a secret")

        for role in (Role.VIEWER, Role.NOBODY):
            tab = Tab(person.cookie)
            assert await event_for(role)(handler)(tab) is None
            assert "broke on our side" in tab.shown.refusal
            assert "secret" not in tab.shown.refusal

    async def test_what_a_page_asks_by_itself_leaves_the_words_alone(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        tab = Tab(person.cookie, shown_for=person.organization_id)
        await guards.say(tab, "The name is taken.")  # type: ignore[arg-type] # as much of one as is used

        async def refresh(_state: Any) -> None:
            raise Conflict("Something else.")

        for role in (Role.VIEWER, Role.OWNER):
            await event_for(role)(refresh)(tab)
            assert tab.shown.refusal == "The name is taken."

    def test_refuses_a_method_that_is_not_async(self) -> None:
        with pytest.raises(TypeError):
            event_for(Role.NOBODY)(lambda state: state)

    def test_nobody_has_no_caller(self) -> None:
        guards._caller.set(None)
        with pytest.raises(LookupError):
            caller()


class TestWordsOf:
    @pytest.mark.parametrize(
        ("error", "key"),
        [
            (BadRequest("No.", parameter="paid_on"), "error.invalid_request_paid_on"),
            (BadRequest("No.", parameter="of_no_words"), "error.invalid_request"),
            (BadRequest("No."), "error.invalid_request"),
            (Conflict("No."), "error.conflict"),
        ],
        ids=["a known member", "another member", "no member", "another error"],
    )
    def test_are_the_most_exact_that_there_are(self, error: OneTokenError, key: str) -> None:
        assert guards._words_of(error, "zh-CN") == plain_text(key, "zh-CN")
        assert guards._words_of(error, "en") == "No."

    def test_an_error_without_words_is_said_in_english(self) -> None:
        assert guards._words_of(DeadlineExceeded("Too late."), "zh-CN") == "Too late."


class TestFindCaller:
    async def test_a_sign_out_elsewhere_is_noticed_within_the_bound(
        self, routes: AccountRoutes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = await a_signed_in(routes)
        assert await find_caller(person.cookie)
        async with unit_of_work() as session:
            await identity.revoke_sessions_of(session, person.person_id)
        await _after(monkeypatch, REMEMBERED_SECONDS + 0.01)
        assert await find_caller(person.cookie) is None

    async def test_a_lost_role_is_noticed_within_the_bound(
        self, routes: AccountRoutes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = await a_signed_in(routes)
        await _lose_membership(person)
        await _after(monkeypatch, REMEMBERED_SECONDS + 0.01)
        found = await find_caller(person.cookie)
        assert found is not None
        assert not found.may(Role.VIEWER)

    async def test_the_bound_is_shorter_than_the_promise(self) -> None:
        assert REMEMBERED_SECONDS < 5


class TestSealEvents:
    def test_passes_the_console_as_it_is_and_takes_setters_away(self) -> None:
        __import__("onetoken_app.console.pages")
        seal_events()
        registered = RegistrationContext.ensure_context().event_handlers
        assert registered
        assert [name for name in registered if name.endswith(".setvar")] == []

    def test_refuses_an_event_without_a_role(self, monkeypatch: pytest.MonkeyPatch) -> None:
        context = RegistrationContext.ensure_context()
        monkeypatch.setattr(
            type(context), "ensure_context", classmethod(lambda _cls: SimpleNamespace(event_handlers=_planted()))
        )
        with pytest.raises(EventWithoutRole, match=r"planted_state\.load"):
            seal_events()


def _planted() -> dict[str, Any]:
    """An event that says nothing of roles, beside one that does."""

    async def open_to_all(_state: Any) -> None: ...

    async def load(_state: Any) -> None: ...

    guarded = event_for(Role.VIEWER)(open_to_all)
    return {
        "state.good_state.load": SimpleNamespace(handler=rx.EventHandler(fn=guarded)),
        "state.planted_state.load": SimpleNamespace(handler=rx.EventHandler(fn=load)),
    }


async def _after(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass."""
    now = clock.monotonic_seconds()
    monkeypatch.setattr(clock, "monotonic_seconds", lambda: now + seconds)


async def _lose_membership(person: Signed) -> None:
    """Take a person out of their organization."""
    async with unit_of_work() as session:
        row = await session.get(Membership, (person.organization_id, person.person_id))
        await session.delete(row)
