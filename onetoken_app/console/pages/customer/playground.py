"""The playground: ``assets/playground.js`` talks to the relay; key, questions and answers are in no State."""

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.in_the_way import in_the_way
from onetoken_app.console.components.talk import talk
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.callable_models import callable_models
from onetoken_app.console.shown.readiness import Readiness, readiness_now
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.organizations.queries import organization


class PlaygroundState(rx.State):
    """The models to choose from, and whether they would answer."""

    is_loaded: bool = False
    readiness: str = Readiness.READY.value
    models: rx.Field[list[str]] = rx.field(default_factory=list)

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read which models may be called."""
        async with read_session() as session:
            customer = await organization(session, caller().organization_id)
            self.models = await callable_models(session, customer, now=clock.utc_now()) if customer else []
            self.readiness = await readiness_now(session, customer, has_model=bool(self.models))
        self.is_loaded = True


def playground() -> rx.Component:
    """Show the place where a person talks to a model."""
    return framed(
        page_heading(text("play.title"), lead=text("play.lead")),
        in_the_way(PlaygroundState.readiness),
        card(talk(PlaygroundState.models)),
        note(text("play.notice")),
        here="/playground",
    )


PAGE = Page(
    route="/playground",
    title_key="play.title",
    body=playground,
    on_load=(LocaleState.derive, PlaygroundState.load),
)
