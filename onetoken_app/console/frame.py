"""The frame around every page of signed-in people: menu, organization, language, light or dark, sign-out."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_base.registry import RegistrationContext
from reflex_components_core.base.error_boundary import ErrorBoundary
from reflex_components_core.core.banner import has_connection_errors
from reflex_components_core.react_router.dom import ReactRouterLink

from onetoken_app.console.callers import Role
from onetoken_app.console.components.brand import wordmark
from onetoken_app.console.components.new_texts import texts_first, texts_wait
from onetoken_app.console.components.suspensions import suspended_banner
from onetoken_app.console.components.wrong_role import wrong_role
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.navigation import AGREEMENTS, HOME, OVERVIEW, PLACES, STAFF_HOME, Area, Place
from onetoken_app.console.session import SessionState, caller, event_for, forget_contents, reader
from onetoken_app.console.text.catalogues import Locale, plain_text
from onetoken_app.console.text.lookup import text
from onetoken_app.settings import get_settings


@dataclass(frozen=True, slots=True)
class Page:
    """What a page module offers."""

    route: str
    title_key: str
    body: Any
    """A function without arguments that returns the page's component."""
    on_load: tuple[Any, ...] = ()


class FrameState(rx.State):
    """What the frame itself can do and shows."""

    is_known: bool = False
    """Somebody who is signed in reads a page that is for everybody."""

    @rx.var(initial_value="")
    def operator(self) -> str:
        """Who runs this installation; empty: nobody said."""
        return get_settings().operator_name or ""

    @rx.var(initial_value="")
    def contact(self) -> str:
        """Where to ask; empty: nobody said."""
        return get_settings().contact_email or ""

    @event_for(Role.NOBODY)
    async def look(self) -> None:
        """Find out whether to offer the console or the sign-in."""
        self.is_known = await reader(self) is not None

    @event_for(Role.PERSON)
    async def act_for(self, organization_id: str) -> Any:
        """Act for another of the person's organizations from now on, and load the page anew for it."""
        if organization_id in {one.organization_id for one in caller().memberships}:
            await forget_contents(self)
            shown = await self.get_state(SessionState)
            shown.organization_id, shown.has_put_off = organization_id, False
        return RegistrationContext.get().app.get_load_events(self.router.url.path)

    @event_for(Role.PERSON)
    async def put_texts_off(self) -> None:
        """See the pages before a text in force is accepted; the frame goes on to ask for it."""
        (await self.get_state(SessionState)).has_put_off = True


def framed(*content: rx.Component, here: str) -> rx.Component:
    """Put content into the frame.

    Args:
        content: The page's own.
        here: The page's route, to be marked in the menu.
    """
    return _shell(
        rx.el.a(text("frame.skip"), href="#content", class_name="skip"),
        rx.el.header(
            rx.el.a(wordmark(), href=OVERVIEW, class_name="home", custom_attrs={"aria-label": "OneToken"}),
            _organization(),
            rx.el.div(_language(), _appearance(), _person(), class_name="header-tools"),
            class_name="header",
        ),
        rx.el.div(
            rx.el.nav(
                rx.cond(SessionState.organization_id != "", _menu(Area.CUSTOMER, here)),
                _staff_menu(here),
                class_name="menu",
                aria_label=text("frame.menu"),
            ),
            rx.el.main(
                rx.cond(SessionState.needed_role == "", _behind_texts(*content, here=here), _wrong_role()),
                id="content",
                class_name="content",
                tab_index=-1,
            ),
            class_name="body",
        ),
        rx.el.footer(_imprint(), class_name="footer imprint-line"),
    )


def _wrong_role() -> rx.Component:
    """Say for whom the page is, in its place."""
    state = SessionState
    return wrong_role(state.needed_role, is_staff=state.is_staff, overview=OVERVIEW, staff_page=STAFF_HOME)


def _behind_texts(*content: rx.Component, here: str) -> rx.Component:
    """Ask for the acceptance of new texts before a customer's page, and above it while that is put off."""
    if here.startswith("/staff"):
        return rx.fragment(*content)
    if here == AGREEMENTS:
        return rx.fragment(_suspended(), *content)
    return rx.cond(
        SessionState.owes_acceptance & SessionState.runs_organization & ~SessionState.has_put_off,
        texts_first(calls_stop_on=SessionState.calls_stop_on, address=AGREEMENTS, on_put_off=FrameState.put_texts_off),
        rx.fragment(
            _suspended(),
            rx.cond(SessionState.owes_acceptance, _texts_wait()),
            *content,
        ),
    )


def _suspended() -> rx.Component:
    """Say above a page that calls are refused, why, and what to do next."""
    state = SessionState
    return suspended_banner(
        since=state.suspended_since,
        cause=state.suspension_cause,
        words=state.suspension_words,
        contact=FrameState.contact,
    )


def _texts_wait() -> rx.Component:
    """Say above a page that texts wait."""
    state = SessionState
    return texts_wait(calls_stop_on=state.calls_stop_on, address=AGREEMENTS, may_accept=state.runs_organization)


def boundary() -> rx.Component:
    """Catch what breaks while a page is drawn; which language to speak is not known then, so it says both."""
    words = [rx.el.p(plain_text("frame.broken", locale), lang=locale.value) for locale in Locale]
    return ErrorBoundary.create(fallback_render=rx.Var.create(rx.el.div(*words, class_name="card broken")))


def bare(*content: rx.Component) -> rx.Component:
    """Put content alone on a page, for whoever is not signed in."""
    return _shell(
        rx.el.header(_home(), rx.el.div(_language(), _appearance(), class_name="header-tools"), class_name="header"),
        rx.el.main(*content, id="content", class_name="content bare"),
        _footer(),
    )


def open_to_all(*content: rx.Component, here: str) -> rx.Component:
    """Put content into the frame of pages that anybody reads; they load ``FrameState.look``.

    Args:
        content: The page's own.
        here: The page's route, to be marked in the menu.
    """
    return _shell(
        rx.el.a(text("frame.skip"), href="#content", class_name="skip"),
        rx.el.header(
            _home(),
            rx.el.nav(_menu(Area.PUBLIC, here), class_name="public-menu", aria_label=text("frame.menu")),
            rx.el.div(_language(), _appearance(), _way_in(), class_name="header-tools"),
            class_name="header open",
        ),
        rx.el.main(*content, id="content", class_name="content open", tab_index=-1),
        _footer(),
    )


def _shell(*content: rx.Component) -> rx.Component:
    """Hold a page until its language is known, for a moment at most."""
    return rx.el.div(
        rx.cond(
            has_connection_errors,
            rx.el.p(text("frame.reconnecting"), class_name="reconnecting", role="status"),
        ),
        rx.cond(
            SessionState.refusal != "",
            rx.el.p(
                SessionState.refusal,
                id="refusal",
                class_name="refusal note tone-bad",
                role="alert",
                custom_attrs={"data-field": SessionState.refused_field},
            ),
        ),
        *content,
        class_name=rx.cond(rx.State.is_hydrated, "shell is-ready", "shell"),
        lang=LocaleState.code,
        custom_attrs={"data-organization": SessionState.organization_id},
    )


def _home() -> rx.Component:
    """Lead to what a stranger sees first."""
    return rx.el.a(wordmark(), href=HOME, class_name="home", custom_attrs={"aria-label": "OneToken"})


def _way_in() -> rx.Component:
    """Lead to the console, through the sign-in or past it."""
    return rx.cond(
        FrameState.is_known,
        rx.el.a(text("public.console"), href=OVERVIEW, class_name="button primary small"),
        rx.el.a(text("sign_in.title"), href="/sign-in", class_name="button primary small"),
    )


def _footer() -> rx.Component:
    """Name the places that anybody may read."""
    places = [place for place in PLACES if place.area is Area.PUBLIC]
    return rx.el.footer(
        rx.el.ul(*[rx.el.li(rx.el.a(text(place.label_key), href=place.route)) for place in places]),
        rx.el.p(text("public.promise")),
        _imprint(),
        class_name="footer",
    )


def _imprint() -> rx.Component:
    """Say who runs this installation and where to ask; nothing while nobody set it."""
    return rx.cond(
        (FrameState.operator != "") | (FrameState.contact != ""),
        rx.el.p(
            rx.cond(FrameState.operator != "", rx.el.span(text("frame.operator", name=FrameState.operator))),
            rx.cond(
                FrameState.contact != "",
                rx.el.a(text("frame.contact", address=FrameState.contact), href="mailto:" + FrameState.contact),
            ),
            class_name="imprint",
        ),
    )


def _menu(area: Area, here: str) -> rx.Component:
    """List the places of one side, each group under its heading."""
    groups: list[list[Place]] = []
    for place in PLACES:
        if place.area is area:
            if place.heading_key or not groups:
                groups.append([])
            groups[-1].append(place)
    return rx.fragment(*[_menu_group(group, here) for group in groups])


def _menu_group(places: list[Place], here: str) -> rx.Component:
    """List the places of one group."""
    entries = [
        rx.cond(SessionState.looks_after_money, _menu_entry(place, here))
        if place.is_for_money
        else _menu_entry(place, here)
        for place in places
    ]
    if not places[0].heading_key:
        return rx.el.ul(*entries, class_name="menu-list")
    return rx.el.div(
        rx.el.p(text(places[0].heading_key), class_name="menu-title"),
        rx.el.ul(*entries, class_name="menu-list"),
        class_name="menu-section",
    )


def _staff_menu(here: str) -> rx.Component:
    """List the operator's places, for its staff."""
    return rx.cond(
        SessionState.is_staff,
        rx.el.div(
            rx.el.p(text("nav.staff"), class_name="menu-title"), _menu(Area.STAFF, here), class_name="menu-section"
        ),
    )


def _menu_entry(place: Place, here: str) -> rx.Component:
    """Lead to one place."""
    current = {"aria-current": "page"} if place.route == here else {}
    return rx.el.li(
        ReactRouterLink.create(
            rx.icon(place.icon, size=17, aria_hidden="true"),
            rx.el.span(text(place.label_key)),
            to=place.route,
            class_name="menu-entry",
            custom_attrs=current,
        )
    )


def _organization() -> rx.Component:
    """Name the organization the person acts for; offer the others when there are any."""
    switcher = rx.el.label(
        rx.el.span(text("frame.organization"), class_name="unseen"),
        rx.el.select(
            rx.foreach(SessionState.organizations, lambda one: rx.el.option(one[1], value=one[0])),
            value=SessionState.organization_id,
            on_change=FrameState.act_for,
            class_name="input slim",
        ),
    )
    return rx.el.div(
        rx.cond(
            SessionState.organizations.length() > 1,
            switcher,
            rx.el.span(SessionState.organization_name, class_name="organization-name"),
        ),
        class_name="organization",
    )


def _language() -> rx.Component:
    """Change to the other language; the button is written in it."""
    return rx.el.button(
        rx.cond(LocaleState.is_chinese, "English", "中文"),
        on_click=LocaleState.choose(rx.cond(LocaleState.is_chinese, "en", "zh-CN")),
        type="button",
        class_name="button quiet small",
        lang=rx.cond(LocaleState.is_chinese, "en", "zh-CN"),
    )


def _appearance() -> rx.Component:
    """Change between light and dark."""
    return rx.el.button(
        rx.icon("sun-moon", size=16, aria_hidden="true"),
        rx.el.span(text("frame.appearance"), class_name="unseen"),
        on_click=rx.toggle_color_mode,
        type="button",
        class_name="button quiet small",
        title=text("frame.appearance"),
    )


def _person() -> rx.Component:
    """Name the person; sign out."""
    return rx.el.div(
        rx.el.span(SessionState.person_name, class_name="person-name", title=SessionState.person_email),
        rx.el.button(
            rx.icon("log-out", size=16, aria_hidden="true"),
            rx.el.span(text("frame.sign_out"), class_name="sign-out-words"),
            type="button",
            class_name="button quiet small",
            custom_attrs={"data-signs-out": ""},
        ),
        class_name="person",
    )
