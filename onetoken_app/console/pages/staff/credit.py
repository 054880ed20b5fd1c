"""Finance's page of credit: what organizations can spend; grants, contracts with limits, freezes and their history."""

import secrets
from collections.abc import Awaitable
from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.billing.months import day_at
from onetoken_app.console import credit_desk as desk
from onetoken_app.console.callers import Role
from onetoken_app.console.components import credit_desk as parts
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.credit_parts import lots_table
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.stat_card import stat_card, stat_row
from onetoken_app.console.components.top_up_orders import OPEN_ORDER
from onetoken_app.console.credit import credit_of
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.credit import ShownLot, shown_lots
from onetoken_app.console.shown.credit_desk import (
    ShownCustomer,
    ShownFreeze,
    ShownGrant,
    ShownTerms,
    shown_freeze,
    shown_grant,
    shown_terms,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.credit.desk import GrantView
from onetoken_app.settings import get_settings


class CreditDeskState(rx.State):
    """The lists, and the organization that is open."""

    is_loaded: bool = False
    waiting: rx.Field[list[ShownGrant]] = rx.field(default_factory=list)
    customers: rx.Field[list[ShownCustomer]] = rx.field(default_factory=list)
    open_customer: ShownCustomer = ShownCustomer()
    currency: str = ""
    available: ShownAmount = ShownAmount()
    held: ShownAmount = ShownAmount()
    limit: ShownAmount = ShownAmount()
    lots: rx.Field[list[ShownLot]] = rx.field(default_factory=list)
    grants: rx.Field[list[ShownGrant]] = rx.field(default_factory=list)
    freezes: rx.Field[list[ShownFreeze]] = rx.field(default_factory=list)
    terms: ShownTerms = ShownTerms()
    submission_id: str = ""
    outcome: str = ""
    """What was done last: the end of the key of its words."""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the lists anew, and the open organization with them."""
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def look(self, organization_id: str) -> None:
        """Open one of the organizations."""
        self.open_customer = ShownCustomer(id=organization_id)
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def give(self, form: dict[str, Any]) -> None:
        """Give credit, or have a colleague approve it."""
        giving = desk.give(caller(), get_settings(), form)
        is_given = await self._done(giving)
        self.submission_id = ""
        await self._read("given" if is_given else "proposed")

    @event_for(Role.STAFF_FINANCE)
    async def approve(self, grant_id: str) -> None:
        """Give what a colleague proposed."""
        await self._done(desk.approve(caller(), get_settings(), grant_id))
        await self._read("approved")

    @event_for(Role.STAFF_FINANCE)
    async def refuse(self, grant_id: str) -> None:
        """Give nothing."""
        await self._done(desk.refuse(caller(), grant_id))
        await self._read("refused")

    @event_for(Role.STAFF_FINANCE)
    async def agree(self, form: dict[str, Any]) -> None:
        """Enter or change the contract, and with it the credit limit."""
        await self._done(desk.agree(caller(), get_settings(), form))
        await self._read("agreed")

    @event_for(Role.STAFF_FINANCE)
    async def freeze(self, form: dict[str, Any]) -> None:
        """Stop new calls of the open organization."""
        await self._done(desk.freeze(caller(), get_settings(), form))
        await self._read("frozen")

    @event_for(Role.STAFF_FINANCE)
    async def release(self, form: dict[str, Any]) -> None:
        """Let the open organization call again."""
        await self._done(desk.release(caller(), get_settings(), form))
        await self._read("released")

    async def _done(self, deciding: Awaitable[Any]) -> Any:
        """Decide; who was too late sees things as they are now."""
        async with shown_anew(self._read):
            return await deciding

    async def _read(self, outcome: str = "") -> None:
        """Read everything anew, and say what was done."""
        zone = await reader_zone(self)
        found, names = await desk.waiting_grants()
        self.waiting = [_shown(one, names, zone) for one in found]
        self.customers = await desk.customers()
        which = self.open_customer.id
        self.open_customer = next((one for one in self.customers if one.id == which), ShownCustomer())
        if self.open_customer.id:
            await self._read_open(zone)
        self.submission_id = self.submission_id or secrets.token_urlsafe(12)
        self.outcome, self.is_loaded = outcome, True

    async def _read_open(self, zone: str) -> None:
        """Read what the open organization has, and what was done about it."""
        view = await credit_of(self.open_customer.id)
        history = await desk.history_of(self.open_customer.id)
        if view is None:
            return
        currency = view.customer.currency
        self.currency = currency.value
        self.available = shown_amount(view.balance.available_nanos, currency)
        self.held = shown_amount(view.balance.held_nanos, currency)
        self.limit = shown_amount(view.standing.credit_limit_nanos, currency)
        self.lots = shown_lots(view.lots, currency, time_zone=zone)
        self.grants = [_shown(one, history.names, zone) for one in history.grants]
        self.freezes = [shown_freeze(one, names=history.names, time_zone=zone) for one in history.freezes]
        today = day_at(clock.utc_now(), time_zone=view.customer.time_zone)
        self.terms = shown_terms(history.contract, today=today)


def _shown(view: GrantView, names: dict[str, str], zone: str) -> ShownGrant:
    """Show a grant to whoever calls."""
    acting = caller()
    is_member = view.organization_id in {one.organization_id for one in acting.memberships}
    return shown_grant(
        view, names=names, person_id=acting.person.person_id, is_member=is_member, time_zone=zone
    )  # fmt: skip


def credit() -> rx.Component:
    """Show the lists, and the open organization."""
    state = CreditDeskState
    waiting = data_table(
        columns=parts.waiting_columns(on_approve=state.approve, on_refuse=state.refuse),
        rows=state.waiting,
        caption=text("credit_desk.waiting"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("credit_desk.none_waits"), text("credit_desk.none_waits_next")),
    )
    customers = data_table(
        columns=parts.customer_columns(state.look),
        rows=state.customers,
        caption=text("credit_desk.customers"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("organizations.none"), text("organizations.none_next")),
    )
    return framed(
        page_heading(text("credit_desk.title"), lead=text("credit_desk.lead")),
        parts.done_note(state.outcome),
        card(waiting, title=text("credit_desk.waiting")),
        card(customers, title=text("credit_desk.customers")),
        rx.el.div(
            rx.cond(state.open_customer.id != "", _open_customer()),
            id=OPEN_ORDER,
            tab_index=-1,
            class_name="open-order",
        ),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        here="/staff/credit",
    )


def _open_customer() -> rx.Component:
    """Show what the organization has, the forms about it, and what was done before."""
    state, customer = CreditDeskState, CreditDeskState.open_customer
    whose = {"customer_id": customer.id}
    figures = stat_row(
        stat_card(label=text("credit.balance"), figure=money_text(state.available, size="large")),
        stat_card(label=text("credit.held"), figure=money_text(state.held, size="large")),
        stat_card(label=text("credit_desk.limit"), figure=money_text(state.limit, size="large")),
    )
    giving = parts.give_form(**whose, submission_id=state.submission_id, currency=state.currency, on_submit=state.give)
    contract = parts.contract_form(**whose, terms=state.terms, currency=state.currency, on_submit=state.agree)
    freezing = rx.cond(
        customer.is_frozen,
        card(parts.release_form(**whose, on_submit=state.release), title=text("credit_desk.release_title")),
        card(parts.freeze_form(**whose, on_submit=state.freeze), title=text("credit_desk.freeze_title")),
    )
    return rx.fragment(
        card(figures, lots_table(state.lots, is_loaded=state.is_loaded), title=customer.name),
        rx.el.div(
            rx.el.div(card(giving, title=text("credit_desk.give_title")), freezing, class_name="stacked"),
            card(contract, title=text("credit_desk.contract_title")),
            class_name="columns",
        ),
        card(_history(parts.grant_columns(), state.grants, "credit_desk.grants"), title=text("credit_desk.grants")),
        card(_history(parts.freeze_columns(), state.freezes, "credit_desk.freezes"), title=text("credit_desk.freezes")),
    )


def _history(columns: list[Any], rows: Any, caption: str) -> rx.Component:
    """List what was done before."""
    nothing = empty_state(text("credit_desk.nothing_yet"), text("credit_desk.nothing_yet_next"))
    return data_table(
        columns=columns, rows=rows, caption=text(caption), is_loaded=CreditDeskState.is_loaded, empty=nothing
    )  # fmt: skip


PAGE = Page(
    route="/staff/credit",
    title_key="credit_desk.title",
    body=credit,
    on_load=(LocaleState.derive, CreditDeskState.load),
)
