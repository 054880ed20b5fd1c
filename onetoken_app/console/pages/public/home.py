"""What OneToken is, for anybody; who is signed in goes on to the overview."""

from typing import Any

import reflex as rx

from onetoken_app.catalog.queries import models_for_sale
from onetoken_app.console.callers import Role
from onetoken_app.console.components.copying import snippet
from onetoken_app.console.frame import FrameState, Page, open_to_all
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.navigation import OVERVIEW
from onetoken_app.console.session import event_for, reader
from onetoken_app.console.shown.snippets import python_snippet
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.settings import get_settings

_POINTS = (
    ("plug", "home.address_title", "home.address_words"),
    ("eye-off", "home.content_title", "home.content_words"),
    ("receipt-text", "home.charges_title", "home.charges_words"),
    ("building-2", "home.organizations_title", "home.organizations_words"),
    ("map-pin", "home.regions_title", "home.regions_words"),
    ("key-round", "home.keys_title", "home.keys_words"),
)
_STEPS = (
    ("home.step_register", "home.step_register_words"),
    ("home.step_verify", "home.step_verify_words"),
    ("home.step_top_up", "home.step_top_up_words"),
    ("home.step_call", "home.step_call_words"),
)


class HomeState(rx.State):
    """The example on screen; none where no model is for sale."""

    example: str = ""

    @event_for(Role.NOBODY)
    async def load(self) -> Any:
        """Write an example that works here, or send somebody who is signed in on to the overview."""
        if await reader(self):
            return rx.redirect(OVERVIEW, replace=True)
        async with read_session() as session:
            found = await models_for_sale(session)
        self.example = python_snippet(get_settings().console_url, found[0].name) if found else ""
        return None


def home() -> rx.Component:
    """Say what it is, show a call, name what matters."""
    return open_to_all(
        rx.el.section(
            rx.el.div(
                rx.el.h1(text("home.title"), class_name="hero-title"),
                rx.el.p(text("home.lead"), class_name="hero-lead"),
                rx.el.div(
                    rx.el.a(text("sign_up.title"), href="/sign-up", class_name="button primary"),
                    rx.el.a(text("home.see_models"), href="/models", class_name="button"),
                    class_name="hero-actions",
                ),
                class_name="hero-words",
            ),
            rx.cond(
                HomeState.example != "",
                snippet(HomeState.example, element_id="home-example", label=text("first_call.python")),
            ),
            class_name="hero",
        ),
        rx.el.ul(*[_point(*point) for point in _POINTS], class_name="points"),
        rx.el.section(
            rx.el.h2(text("home.steps"), class_name="steps-title"),
            rx.el.ol(*[_step(*step) for step in _STEPS], class_name="steps"),
            class_name="way",
        ),
        here="/",
    )


def _step(title_key: str, words_key: str) -> rx.Component:
    """Draw one step to the first call; the style sheet numbers it."""
    return rx.el.li(
        rx.el.h3(text(title_key), class_name="point-title"),
        rx.el.p(text(words_key), class_name="point-words"),
        class_name="step",
    )


def _point(icon: str, title_key: str, words_key: str) -> rx.Component:
    """Draw one thing that matters."""
    return rx.el.li(
        rx.icon(icon, size=20, aria_hidden="true"),
        rx.el.h2(text(title_key), class_name="point-title"),
        rx.el.p(text(words_key), class_name="point-words"),
        class_name="point",
    )


PAGE = Page(route="/", title_key="home.short", body=home, on_load=(LocaleState.derive, FrameState.look, HomeState.load))
