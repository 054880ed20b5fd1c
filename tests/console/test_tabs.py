"""Whose a tab's State is: looked at before each event, Reflex's own included."""

from typing import Any

import pytest
from reflex.state import State
from reflex_base.event import Event
from reflex_base.utils.format import json_dumps

from onetoken_app.console import tabs
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import forget_everybody
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.pages.customer.keys import KeysState
from onetoken_app.console.pages.customer.top_up import TopUpState
from onetoken_app.console.session import SessionState, say
from onetoken_app.console.tabs import NOBODY, TabGuard
from onetoken_app.database import unit_of_work
from onetoken_app.identity import service as identity
from onetoken_app.organizations.models import Membership, OrganizationRole
from tests.console.conftest import Signed, a_signed_in
from tests.support.builders import an_organization

BOOT = "reflex___state____state.hydrate_and_load"
UPDATE = "reflex___state____state.reflex___state____update_vars_internal_state.update_vars_internal"
SELECT = f"{KeysState.get_full_name()}.select"
REFRESH = f"{TopUpState.get_full_name()}.refresh"
NEW = ["1"]
"""What only a new document sends with its first event."""


class App:
    """An app whose pages begin with nothing, or with what a test wants."""

    def __init__(self, *loads: Any) -> None:
        self._loads = loads

    def get_load_events(self, path: str) -> list[Any]:
        assert path
        return list(self._loads)


def a_tab() -> State:
    """A tab's whole tree of States, as Reflex makes it."""
    return State(_reflex_internal_init=True)  # type: ignore[call-arg] # as Reflex itself does


async def sent(
    tab: State,
    name: str,
    *,
    cookie: str = "",
    shown_for: str = "",
    step: int = 0,
    is_unanswered: bool = False,
    app: App | None = None,
    **payload: Any,
) -> Any:
    """Bring an event to the guard, after Reflex's own preparations."""
    route = {
        "pathname": "/keys",
        "asPath": "/keys",
        "query": {},
        "token": "tab",
        "sid": "1",
        "ip": "198.51.100.7",
        "headers": {"cookie": cookie, "origin": "http://localhost:8000"},
        "organization_id": shown_for,
        "step": step,
        "is_step_unanswered": is_unanswered,
    }
    tab.router_data = tab._update_router_vars(route, tab.router_data)
    return await TabGuard().preprocess(app or App(), tab, Event(name=name, router_data=route, payload=payload))  # type: ignore[arg-type] # as much of one as is used


async def filled(tab: State) -> None:
    """Put something of a customer onto the screen."""
    (await tab.get_state(KeysState)).time_zone = "Asia/Shanghai"


async def shows_something(tab: State) -> bool:
    return (await tab.get_state(KeysState)).time_zone != ""


class TestOwner:
    @pytest.mark.parametrize("name", [BOOT, "reflex___state____state.hydrate", UPDATE, SELECT])
    async def test_another_session_or_none_finds_the_state_empty(self, routes: AccountRoutes, name: str) -> None:
        one, other = await a_signed_in(routes), await a_signed_in(routes, email="kim@test.example")
        for cookie in (other.cookie, "", "onetoken=made-up"):
            tab = a_tab()
            await sent(tab, BOOT, cookie=one.cookie, hashes=NEW)
            await filled(tab)
            await sent(tab, BOOT, cookie=one.cookie)
            assert await shows_something(tab)
            await sent(tab, name, cookie=cookie)
            assert not await shows_something(tab)
            shown = await tab.get_state(SessionState)
            assert shown.organization_id != one.organization_id
            assert one.email not in str(tab.dict())

    async def test_a_session_that_has_ended_leaves_nothing(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, BOOT, cookie=person.cookie, hashes=NEW)
        await filled(tab)
        async with unit_of_work() as session:
            await identity.revoke_sessions_of(session, person.person_id)
        forget_everybody()
        await sent(tab, BOOT, cookie=person.cookie)
        assert not await shows_something(tab)
        assert (await tab.get_state(SessionState))._owner == NOBODY

    async def test_is_never_sent_to_a_browser(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, BOOT, cookie=person.cookie)
        owner = (await tab.get_state(SessionState))._owner
        assert len(owner) == 64
        written = json_dumps(tab.dict())
        assert person.organization_id in written
        assert owner not in written
        assert person.cookie.partition("=")[2] not in written


class TestOrganization:
    async def test_of_the_screen_is_taken_for_a_new_state(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        second = await _second_organization(person)
        for wanted, taken in (
            (second, second),
            ("org_of_others", person.organization_id),
            ("", person.organization_id),
        ):
            tab = a_tab()
            await sent(tab, BOOT, cookie=person.cookie, shown_for=wanted)
            assert (await tab.get_state(SessionState)).organization_id == taken

    async def test_of_a_state_that_is_there_stays(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        second = await _second_organization(person)
        await sent(tab, BOOT, cookie=person.cookie, shown_for=second)
        await sent(tab, BOOT, cookie=person.cookie, shown_for=person.organization_id)
        assert (await tab.get_state(SessionState)).organization_id == second


class TestLostState:
    async def test_an_event_of_its_screen_is_not_done(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        update = await sent(tab, SELECT, cookie=person.cookie, api_key_id="key_1")
        assert [event.name for event in update.events] == ["_remove_session_storage"]
        assert "lost" in (await tab.get_state(SessionState)).refusal

    async def test_a_screen_that_still_stands_is_filled_before_it_is_replaced(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, BOOT, cookie=person.cookie, app=App(KeysState.load))
        assert (await tab.get_state(KeysState)).is_loaded

    async def test_a_new_document_is_not_filled_twice_and_says_nothing_old(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, SELECT, cookie=person.cookie, api_key_id="key_1")
        await sent(tab, BOOT, cookie=person.cookie, app=App(KeysState.load), hashes=NEW)
        assert not (await tab.get_state(KeysState)).is_loaded
        assert (await tab.get_state(SessionState)).refusal == ""

    async def test_what_is_for_everybody_goes_on(self) -> None:
        assert await sent(a_tab(), f"{LocaleState.get_full_name()}.choose", locale="en") is None


class TestBrokenConnection:
    async def test_a_step_that_did_not_arrive_is_named(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, BOOT, cookie=person.cookie, hashes=NEW)
        await sent(tab, SELECT, cookie=person.cookie, step=1, api_key_id="key_1")
        await sent(tab, BOOT, cookie=person.cookie, step=2)
        assert "Nothing was done" in await refusal_of(tab)

    @pytest.mark.parametrize("step", [1, 10**30, True, "2", None], ids=str)
    async def test_steps_that_arrived_and_what_counts_nothing_are_no_news(
        self, routes: AccountRoutes, step: Any
    ) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, BOOT, cookie=person.cookie, hashes=NEW)
        await sent(tab, SELECT, cookie=person.cookie, step=step, api_key_id="key_1")
        await sent(tab, BOOT, cookie=person.cookie, step=step)
        assert await refusal_of(tab) == ""

    async def test_a_new_document_begins_to_count_where_its_browser_does(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, SELECT, cookie=person.cookie, step=5, api_key_id="key_1")
        await sent(tab, BOOT, cookie=person.cookie, step=0, hashes=NEW)
        await sent(tab, BOOT, cookie=person.cookie, step=1)
        assert "Nothing was done" in await refusal_of(tab)

    async def test_of_a_step_just_before_a_restart_nobody_knows(self, routes: AccountRoutes) -> None:
        person = await a_signed_in(routes)
        for is_unanswered, words in ((True, "look whether the step was done"), (False, "")):
            tab = a_tab()
            await sent(tab, BOOT, cookie=person.cookie, step=7, is_unanswered=is_unanswered)
            said = await refusal_of(tab)
            assert words in said if words else said == ""

    async def test_words_that_nobody_has_read_yet_are_said(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        await sent(tab, BOOT, cookie=person.cookie, hashes=NEW)
        await say(tab, "The name is taken.")
        await sent(tab, BOOT, cookie=person.cookie, app=App(KeysState.load))
        assert await refusal_of(tab) == "The name is taken."

    async def test_a_page_that_asks_by_itself_is_filled_without_words(self, routes: AccountRoutes) -> None:
        person, tab = await a_signed_in(routes), a_tab()
        update = await sent(tab, REFRESH, cookie=person.cookie)
        assert [event.name for event in update.events] == ["_remove_session_storage"]
        assert await refusal_of(tab) == ""


async def refusal_of(tab: State) -> str:
    """Return what the frame says."""
    return (await tab.get_state(SessionState)).refusal


class TestBounds:
    @pytest.mark.parametrize("name", [BOOT, UPDATE])
    @pytest.mark.parametrize(
        ("value", "kept"), [("zh-CN", "zh-CN"), ("x" * 100_000, None), (["zh-CN"], None), ({"a": 1}, None)]
    )
    async def test_of_what_a_browser_keeps_only_a_locale_comes_in(self, name: str, value: object, kept: object) -> None:
        key = f"{LocaleState.get_full_name()}.chosen_rx_state_"
        payload = {key: value, f"{SessionState.get_full_name()}.organization_id_rx_state_": "org_x"}
        event = Event(name=name, payload={"vars": payload})
        tabs._bound(a_tab(), event)
        assert event.payload["vars"] == ({key: kept} if kept else {})

    @pytest.mark.parametrize(("value", "kept"), [("Europe/Berlin", "Europe/Berlin"), ("x" * 65, None), (7, None)])
    async def test_a_time_zone_is_kept_no_longer_than_its_name_is(self, value: object, kept: object) -> None:
        key = f"{LocaleState.get_full_name()}.own_zone_rx_state_"
        event = Event(name=BOOT, payload={"vars": {key: value}})
        tabs._bound(a_tab(), event)
        assert event.payload["vars"] == ({key: kept} if kept else {})

    @pytest.mark.parametrize(
        ("sent", "zone"),
        [("Europe/Berlin", "Europe/Berlin"), ("", "UTC"), ("../etc/passwd", "UTC"), ("No/Where", "UTC")],
    )
    async def test_an_unknown_time_zone_is_utc(self, sent: str, zone: str) -> None:
        reading = await a_tab().get_state(LocaleState)
        reading.own_zone = sent
        assert reading.zone == zone

    async def test_addresses_are_kept_no_longer_than_addresses_are(self) -> None:
        tab = a_tab()
        tab.router_data = {"pathname": "/keys", "asPath": "x" * 100_000, "query": {"a": "b"}, "planted": "x" * 100_000}
        tabs._bound(tab, Event(name=BOOT))
        assert tab.router_data == {"pathname": "/keys"}


async def _second_organization(person: Signed) -> str:
    """Make somebody a member of another organization, which is not the first by name."""
    async with unit_of_work() as session:
        organization_id = await an_organization(session, name="Zeta Ltd")
        session.add(
            Membership(organization_id=organization_id, person_id=person.person_id, role=OrganizationRole.OWNER)
        )
    forget_everybody()
    return organization_id
