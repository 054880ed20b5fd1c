"""Finance's desk of plans and rates: plans, who has which, contracted prices, offers, exchange rates, and drafts."""

from collections.abc import Awaitable
from typing import Any

import reflex as rx

from onetoken_app.console import terms_desk as desk
from onetoken_app.console.callers import Role
from onetoken_app.console.components import terms_desk as parts
from onetoken_app.console.components import terms_forms as forms
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.terms import (
    ShownAssignment,
    ShownPayer,
    ShownPlan,
    ShownRate,
    ShownSpecial,
    ShownTermsDraft,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.settings import get_settings


class PlansState(rx.State):
    """The lists, the draft and the organization that are open."""

    is_loaded: bool = False
    waiting: rx.Field[list[ShownTermsDraft]] = rx.field(default_factory=list)
    open_draft: ShownTermsDraft = ShownTermsDraft()
    plans: rx.Field[list[ShownPlan]] = rx.field(default_factory=list)
    payers: rx.Field[list[ShownPayer]] = rx.field(default_factory=list)
    open_payer: ShownPayer = ShownPayer()
    assignments: rx.Field[list[ShownAssignment]] = rx.field(default_factory=list)
    contracted: rx.Field[list[ShownSpecial]] = rx.field(default_factory=list)
    offers: rx.Field[list[ShownSpecial]] = rx.field(default_factory=list)
    rates: rx.Field[list[ShownRate]] = rx.field(default_factory=list)
    form_key: str = "terms-0"
    """Another one after each draft that was made here; it empties the forms."""
    _proposals: int = 0
    outcome: str = ""
    """What was done last: the end of the key of its words."""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read everything anew, and what is open with it."""
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def refresh(self) -> None:
        """Read the list of drafts anew; what is open stays."""
        found = await desk.waiting(caller(), await reader_zone(self))
        if found != self.waiting:
            self.waiting = found

    @event_for(Role.STAFF_FINANCE)
    async def look(self, terms_id: int) -> None:
        """Open one of the drafts."""
        self.open_draft = ShownTermsDraft(id=terms_id)
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def look_at_payer(self, organization_id: str) -> None:
        """Open one of the organizations."""
        self.open_payer = ShownPayer(id=organization_id)
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def propose(self, form: dict[str, Any]) -> None:
        """Make a draft of what is in a form, and open it."""
        draft_id = await desk.propose(caller(), form=form, time_zone=await reader_zone(self))
        self.open_draft = ShownTermsDraft(id=draft_id)
        self._proposals += 1
        self.form_key = f"terms-{self._proposals}"
        await self._read("proposed")

    @event_for(Role.STAFF_FINANCE)
    async def publish(self, terms_id: int) -> None:
        """Publish a draft that somebody else made."""
        is_changed = await self._done(desk.publish(caller(), settings=get_settings(), draft_id=terms_id))
        await self._read("published" if is_changed else "unchanged")

    @event_for(Role.STAFF_FINANCE)
    async def discard(self, terms_id: int) -> None:
        """Give a draft up."""
        await self._done(desk.discard(caller(), draft_id=terms_id))
        await self._read("discarded")

    async def _done(self, deciding: Awaitable[Any]) -> Any:
        """Decide; who was too late sees things as they are now."""
        async with shown_anew(self._read):
            return await deciding

    async def _read(self, outcome: str = "") -> None:
        """Read everything anew, and say what was done."""
        zone = await reader_zone(self)
        found = await desk.read_desk(zone)
        self.waiting = await desk.waiting(caller(), zone)
        draft_id, payer_id = self.open_draft.id, self.open_payer.id
        self.open_draft = next((one for one in self.waiting if one.id == draft_id), ShownTermsDraft())
        self.plans, self.payers, self.offers, self.rates = found.plans, found.payers, found.offers, found.rates
        self.open_payer = next((one for one in self.payers if one.id == payer_id), ShownPayer())
        if self.open_payer.id:
            opened = await desk.read_payer(self.open_payer.id, zone)
            self.assignments, self.contracted = opened.assignments, opened.contracted
        self.outcome, self.is_loaded = outcome, True


def plans() -> rx.Component:
    """Show the lists, what is open, and the forms."""
    state = PlansState
    draft = parts.open_draft(state.open_draft, on_publish=state.publish, on_discard=state.discard)
    keyed = {"form_key": state.form_key, "on_submit": state.propose}
    waiting = _table(parts.draft_columns(state.look), state.waiting, "waiting")
    return framed(
        page_heading(text("plans.title"), lead=text("plans.lead")),
        parts.done_note(state.outcome),
        card(waiting, title=text("plans_list.waiting")),
        _opened(state.open_draft.id != 0, draft, parts.OPEN_TERMS),
        card(
            _table(parts.plan_columns(), state.plans, "plans"),
            rx.el.details(rx.el.summary(text("plans.ratio_title")), forms.ratio_form(**keyed), class_name="more-kinds"),
            title=text("plans_list.plans"),
        ),
        card(
            _table(parts.payer_columns(state.look_at_payer), state.payers, "payers"),
            title=text("plans_list.payers"),
        ),
        _opened(state.open_payer.id != "", _open_payer(keyed), parts.OPEN_PAYER),
        _special(state.offers, "offers", keyed),
        card(
            _table(parts.rate_columns(), state.rates, "rates"),
            rx.el.details(rx.el.summary(text("plans.rate_title")), forms.rate_form(**keyed), class_name="more-kinds"),
            title=text("plans_list.rates"),
        ),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        asks_for_news(state.refresh),
        here="/staff/plans",
    )


def _open_payer(keyed: dict[str, Any]) -> rx.Component:
    """Show the plans and the contracted prices of the open organization, and the forms about them."""
    state, payer = PlansState, PlansState.open_payer
    return rx.fragment(
        card(
            _table(parts.assignment_columns(), state.assignments, "assignments"),
            forms.plan_form(payer=payer, plans=state.plans, **keyed),
            title=text("plans.plan_of", organization=payer.name),
            side=rx.el.span(payer.code, " · ", payer.currency, class_name="quiet-text"),
        ),
        _special(state.contracted, "contracted", keyed),
    )


def _special(rows: Any, name: str, keyed: dict[str, Any]) -> rx.Component:
    """Show offers or contracted prices, with a form to end them early; drafts of others begin on the desk of prices."""
    return card(
        _table(parts.special_columns(), rows, name),
        rx.cond(
            rows.length() > 0,
            rx.el.details(
                rx.el.summary(text("plans.end_title")), forms.end_form(rows, **keyed), class_name="more-kinds"
            ),
        ),
        title=text(f"plans_list.{name}"),
        side=rx.el.a(text("plans.draft_prices"), href="/staff/prices", class_name="quiet-link"),
    )


def _opened(is_open: Any, content: rx.Component, place: str) -> rx.Component:
    """Show what is open, where the page's script brings it into view."""
    return rx.el.div(rx.cond(is_open, content), id=place, tab_index=-1, class_name="open-order")


def _table(columns: list[Any], rows: Any, name: str) -> rx.Component:
    """List rows; each list says what its being empty means."""
    nothing = empty_state(text(f"plans_none.{name}"), text(f"plans_none_next.{name}"))
    return data_table(
        columns=columns, rows=rows, caption=text(f"plans_list.{name}"), is_loaded=PlansState.is_loaded, empty=nothing
    )


PAGE = Page(
    route="/staff/plans",
    title_key="plans.title",
    body=plans,
    on_load=(LocaleState.derive, PlansState.load),
)
