"""Models for sale with prices and regions, for anybody."""

import reflex as rx
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.catalog.queries import channels, models_for_sale, routes_of
from onetoken_app.console.callers import Role, find_caller
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import Align, Column, data_table, empty_state
from onetoken_app.console.components.price_lines import offer_terms
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import FrameState, Page, open_to_all
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import SessionState, event_for
from onetoken_app.console.shown.callable_models import coming_offers, offers_for
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.offers import ShownOffer, regions_by_model, shown_offers
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value
from onetoken_app.database import read_session
from onetoken_app.money import format_ratio
from onetoken_app.organizations.queries import OrganizationView, organization
from onetoken_app.pricing.queries import plans_by_organization, public_terms, ratios_by_plan

_REGION_TONES = {"mainland": Tone.NEUTRAL, "overseas": Tone.WARNING}


class ModelsState(rx.State):
    """The list on screen."""

    is_loaded: bool = False
    offers: rx.Field[list[ShownOffer]] = rx.field(default_factory=list)
    zone: str = "UTC"
    """In which times are written."""
    organization: str = ""
    """Whose prices they are; empty: everybody's."""
    plan: str = ""
    """Of the organization; empty: none."""
    ratio: str = ""
    coming: rx.Field[list[ShownOffer]] = rx.field(default_factory=list)
    """What is charged otherwise from the next change on; an empty list of prices: the model has none any more."""
    coming_from: str = ""

    @event_for(Role.NOBODY)
    async def load(self) -> None:
        """Read the catalog and the price book as they are now, for the reader's organization if there is one."""
        chosen = (await self.get_state(SessionState)).organization_id
        found = await find_caller(self.router.headers.cookie, chosen_organization_id=chosen)
        self.coming, self.plan, self.ratio = [], "", ""
        async with read_session() as session:
            customer = await organization(session, found.organization_id) if found and found.acting_for else None
            if customer is not None:
                await self._read_own(session, customer)
            else:
                self.offers = await _everybodys(session, time_zone=await reader_zone(self))
        self.organization = customer.name if customer else ""
        self.zone = customer.time_zone if customer else await reader_zone(self)
        self.is_loaded = True

    async def _read_own(self, session: AsyncSession, customer: OrganizationView) -> None:
        """Read what an organization is charged, by which plan, and what changes next."""
        now = clock.utc_now()
        self.offers = await offers_for(session, customer, now=now)
        plan = (await plans_by_organization(session, now=now)).get(customer.id, "")
        ratio_ppm = (await ratios_by_plan(session, now=now)).get(plan)
        self.plan, self.ratio = plan, format_ratio(ratio_ppm) if ratio_ppm is not None else ""
        if coming := await coming_offers(session, customer, now=now):
            moment, self.coming = coming
            self.coming_from = shown_minute(moment, customer.time_zone)


async def _everybodys(session: AsyncSession, *, time_zone: str) -> list[ShownOffer]:
    """Read what everybody sees."""
    regions = regions_by_model(await routes_of(session), await channels(session))
    terms = await public_terms(session, now=clock.utc_now())
    return shown_offers(await models_for_sale(session), terms=terms, regions=regions, time_zone=time_zone)


def models() -> rx.Component:
    """Show the list."""
    return open_to_all(
        page_heading(text("models.title"), lead=text("models.lead")),
        rx.cond(ModelsState.organization != "", note(text("models.own", organization=ModelsState.organization))),
        rx.cond(ModelsState.ratio != "", note(text("models.plan", plan=ModelsState.plan, ratio=ModelsState.ratio))),
        card(
            data_table(
                columns=_columns(),
                rows=ModelsState.offers,
                caption=text("models.title"),
                is_loaded=ModelsState.is_loaded,
                empty=empty_state(text("models.none"), text("models.none_next")),
            )
        ),
        rx.cond(ModelsState.coming.length() > 0, _coming()),
        note(text("models.overseas")),
        rx.el.p(text("models.tokens"), " ", text("prices.fall_back"), class_name="quiet-text"),
        rx.el.p(text("frame.times_in", zone=ModelsState.zone), class_name="quiet-text"),
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
        Column(text("prices.prices"), offer_terms),
    ]


def _coming() -> rx.Component:
    """Show what is charged otherwise from the next change on."""
    columns = [
        Column(text("models.model"), lambda one: rx.el.code(one.model, class_name="strong")),
        Column(
            text("prices.prices"),
            lambda one: rx.cond(one.prices.length() > 0, offer_terms(one), rx.el.p(text("models.no_price"))),
        ),
    ]
    title = text("models.coming", moment=ModelsState.coming_from)
    return card(
        data_table(
            columns=columns,
            rows=ModelsState.coming,
            caption=title,
            is_loaded=ModelsState.is_loaded,
            empty=rx.fragment(),
        ),
        title=title,
    )


def _regions(offer: Value) -> rx.Component:
    """Name where a model is served from."""
    return rx.el.span(
        rx.foreach(offer.regions, lambda region: status_badge(region, prefix="region", tones=_REGION_TONES)),
        class_name="badges",
    )


PAGE = Page(
    route="/models",
    title_key="models.title",
    body=models,
    on_load=(LocaleState.derive, FrameState.look, ModelsState.load),
)
