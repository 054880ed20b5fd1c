"""Quick start: a first call with this organization's models, address and key, ready to be pasted."""

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.copying import snippet
from onetoken_app.console.components.fields import choice
from onetoken_app.console.components.in_the_way import in_the_way
from onetoken_app.console.components.price_lines import offer_terms
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.callable_models import callable_offers
from onetoken_app.console.shown.offers import ShownOffer
from onetoken_app.console.shown.readiness import Readiness, readiness_now
from onetoken_app.console.shown.snippets import curl_snippet, key_line, node_snippet, python_snippet
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.keys.minting import PREFIX
from onetoken_app.keys.queries import keys_of
from onetoken_app.organizations.queries import organization
from onetoken_app.settings import get_settings


class QuickStartState(rx.State):
    """The snippets on screen."""

    is_loaded: bool = False
    readiness: str = Readiness.READY.value
    has_key: bool = True
    key_line: str = ""
    base_url: str = ""
    models: rx.Field[list[str]] = rx.field(default_factory=list)
    model: str = ""
    offer: ShownOffer = ShownOffer()
    """What the model costs this organization."""
    _offers: rx.Field[list[ShownOffer]] = rx.field(default_factory=list)
    curl: str = ""
    python: str = ""
    node: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read which models may be called, and the newest key that still works."""
        organization_id = caller().organization_id
        now = clock.utc_now()
        async with read_session() as session:
            customer = await organization(session, organization_id)
            self._offers = await callable_offers(session, customer, now=now) if customer else []
            self.models = [one.model for one in self._offers]
            self.readiness = await readiness_now(session, customer, has_model=bool(self.models))
            usable = [key for key in await keys_of(session, organization_id) if key.is_usable(now)]
        self.has_key = bool(usable)
        self.key_line = key_line(usable[0].key_prefix if usable else PREFIX)
        self._write(self.model)
        self.is_loaded = True

    @event_for(Role.VIEWER)
    async def choose(self, model: str) -> None:
        """Write the snippets for another model; an unknown one is the first."""
        self._write(model)

    def _write(self, model: str) -> None:
        """Fill the snippets in."""
        self.model = model if model in self.models else next(iter(self.models), "")
        self.offer = next((one for one in self._offers if one.model == self.model), ShownOffer())
        self.base_url = f"{get_settings().console_url}/v1"
        address = get_settings().console_url
        self.curl = curl_snippet(address, self.model)
        self.python = python_snippet(address, self.model)
        self.node = node_snippet(address, self.model)


def quick_start() -> rx.Component:
    """Show three steps."""
    return framed(
        page_heading(text("quick.title"), lead=text("quick.lead")),
        in_the_way(QuickStartState.readiness),
        card(
            rx.el.p(rx.cond(QuickStartState.has_key, text("quick.key_known"), text("quick.key_none"))),
            snippet(QuickStartState.key_line, element_id="quick-key", label=text("first_call.curl")),
            title=text("quick.key"),
            side=rx.el.a(text("quick.keys"), href="/keys", class_name="quiet-link"),
        ),
        card(
            rx.el.p(text("quick.address"), " ", rx.el.code(QuickStartState.base_url)),
            rx.el.div(
                snippet(QuickStartState.curl, element_id="quick-curl", label=text("first_call.curl")),
                snippet(QuickStartState.python, element_id="quick-python", label=text("first_call.python")),
                snippet(QuickStartState.node, element_id="quick-node", label=text("quick.node")),
                class_name="stack",
            ),
            title=text("quick.call"),
            side=choice(
                text("models.model"),
                options=rx.foreach(QuickStartState.models, lambda name: rx.el.option(name, value=name)),
                value=QuickStartState.model,
                on_change=QuickStartState.choose,
                is_label_seen=False,
            ),
        ),
        rx.cond(
            QuickStartState.offer.model != "",
            card(
                offer_terms(QuickStartState.offer),
                rx.el.p(text("prices.fall_back"), class_name="quiet-text"),
                title=text("quick.price", model=QuickStartState.offer.model),
                side=rx.el.a(text("models.title"), href="/models", class_name="quiet-link"),
            ),
        ),
        card(
            rx.el.p(text("quick.see_words")),
            rx.el.div(
                rx.el.a(text("usage.title"), href="/usage", class_name="button"),
                rx.el.a(text("play.title"), href="/playground", class_name="button"),
                class_name="hero-actions",
            ),
            title=text("quick.see"),
        ),
        here="/quick-start",
    )


PAGE = Page(
    route="/quick-start",
    title_key="quick.title",
    body=quick_start,
    on_load=(LocaleState.derive, QuickStartState.load),
)
