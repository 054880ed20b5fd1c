"""Models for sale with prices and regions, for anybody."""

import reflex as rx

from onetoken_app import clock
from onetoken_app.catalog.queries import channels, models_for_sale, routes_of
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import FrameState, Page, open_to_all
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.offers import ShownOffer, regions_by_model, shown_offers
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.database import read_session
from onetoken_app.pricing.queries import price_sheets

_REGION_TONES = {"mainland": Tone.NEUTRAL, "overseas": Tone.WARNING}


class ModelsState(rx.State):
    """The list on screen."""

    is_loaded: bool = False
    offers: rx.Field[list[ShownOffer]] = rx.field(default_factory=list)

    @event_for(Role.NOBODY)
    async def load(self) -> None:
        """Read the catalog and the price book as they are now."""
        async with read_session() as session:
            found = await models_for_sale(session)
            sheets = await price_sheets(session, now=clock.utc_now())
            regions = regions_by_model(await routes_of(session), await channels(session))
        self.offers = shown_offers(found, sheets=sheets, regions=regions)
        self.is_loaded = True


def models() -> rx.Component:
    """Show the list."""
    return open_to_all(
        page_heading(text("models.title"), lead=text("models.lead")),
        card(
            data_table(
                columns=_columns(),
                rows=ModelsState.offers,
                caption=text("models.title"),
                is_loaded=ModelsState.is_loaded,
                empty=empty_state(text("models.none"), text("models.none_next")),
            )
        ),
        note(text("models.overseas")),
        rx.el.p(text("models.tokens"), class_name="quiet-text"),
        here="/models",
    )


def _columns() -> list[Column]:
    """Describe the table."""
    return [
        Column(text("models.model"), lambda one: rx.el.code(one.model, class_name="strong")),
        Column(text("models.supplier"), lambda one: one.supplier),
        Column(text("models.region"), _regions),
        Column(text("models.context"), lambda one: one.context_window, align=Align.NUMBER),
        Column(text("models.output_max"), lambda one: one.output_max, align=Align.NUMBER),
        Column(text("models.input_price"), lambda one: _price(one.currency, one.input_price), align=Align.NUMBER),
        Column(text("models.cached_price"), lambda one: _price(one.currency, one.cache_read_price), align=Align.NUMBER),
        Column(text("models.output_price"), lambda one: _price(one.currency, one.output_price), align=Align.NUMBER),
    ]


def _regions(offer: Value) -> rx.Component:
    """Name where a model is served from."""
    return rx.el.span(
        rx.foreach(offer.regions, lambda region: status_badge(region, prefix="region", tones=_REGION_TONES)),
        class_name="badges",
    )


def _price(currency: Value, price: Value) -> rx.Component:
    """Show the price of a million tokens."""
    return rx.el.span(rx.el.span(currency, class_name="money-currency"), " ", price, class_name="money")


PAGE = Page(
    route="/models",
    title_key="models.title",
    body=models,
    on_load=(LocaleState.derive, FrameState.look, ModelsState.load),
)
