"""Invoices, the organization's side: what can be invoiced, requests, and what became of them."""

import secrets
from typing import Any

import reflex as rx

from onetoken_app.billing.invoice_files import files_of
from onetoken_app.billing.invoiceable import invoiceable
from onetoken_app.billing.invoicing import kinds_for
from onetoken_app.billing.queries import invoiceable_orders, invoices_of, invoices_revision
from onetoken_app.console.callers import Role
from onetoken_app.console.components import invoice_forms as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.invoice_requests import request_invoice, withdraw_request
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.invoices import (
    ShownChoice,
    ShownInvoice,
    ShownInvoiceFile,
    ShownStanding,
    is_with_finance,
    shown_choice,
    shown_invoice,
    shown_invoice_files,
    shown_standing,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.organizations.queries import organization
from onetoken_app.payments.queries import orders_of
from onetoken_app.settings import get_settings

_LATEST = 10


class InvoicesState(rx.State):
    """The invoices on screen, and the one that is open."""

    is_loaded: bool = False
    may_ask: bool = False
    """Whether the reader is in charge of money; nobody else is shown anything."""
    is_verified: bool = False
    currency: str = ""
    title: str = ""
    tax_id: str = ""
    email: str = ""
    kinds: rx.Field[list[str]] = rx.field(default_factory=list)
    standing: ShownStanding = ShownStanding()
    choices: rx.Field[list[ShownChoice]] = rx.field(default_factory=list)
    submission_id: str = ""
    """Made once per form: the same form sent twice is one request."""
    own_latest_id: str = ""
    """Of the reader's requests; the form begins anew with the next one."""
    invoices: rx.Field[list[ShownInvoice]] = rx.field(default_factory=list)
    open_invoice: ShownInvoice = ShownInvoice()
    files: rx.Field[list[ShownInvoiceFile]] = rx.field(default_factory=list)
    """Of the one that is open."""
    shows_all: bool = False
    has_more: bool = False
    is_waiting: bool = False
    """Finance has something in hand."""
    time_zone: str = ""
    _revision: int = 0
    """Of the invoices that were read last."""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the invoices anew; who is not in charge of money learns only that."""
        acting = caller()
        self.may_ask = acting.may(Role.BILLING)
        if self.may_ask:
            await self._read()
        self.is_loaded = True

    @event_for(Role.VIEWER)
    async def refresh(self) -> None:
        """Read the invoices anew if somebody changed one."""
        async with read_session() as session:
            revision = await invoices_revision(session, caller().organization_id)
        if revision != self._revision:
            await self.load()

    @event_for(Role.BILLING)
    async def look(self, invoice_id: str) -> None:
        """Open one of the organization's invoices."""
        self.open_invoice = ShownInvoice(id=invoice_id)
        await self._read()

    @event_for(Role.BILLING)
    async def show_all(self) -> None:
        """List the older invoices too."""
        self.shows_all = True
        await self._read()

    @event_for(Role.BILLING)
    async def request(self, form: dict[str, Any]) -> None:
        """Ask for an invoice, and show the request; the same form again shows the first one."""
        invoice_id = await request_invoice(caller(), settings=get_settings(), form=form)
        self.open_invoice, self.submission_id = ShownInvoice(id=invoice_id), ""
        await self._read()

    @event_for(Role.BILLING)
    async def withdraw(self, invoice_id: str) -> None:
        """Take a request back; read the invoices anew whatever comes of it."""
        try:
            await withdraw_request(caller(), invoice_id=invoice_id)
        finally:
            await self._read()

    async def _read(self) -> None:
        """Read the organization's invoices, in the reader's language."""
        acting, locale = caller(), (await self.get_state(LocaleState)).code
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            if customer is None:
                return
            standing = await invoiceable(session, organization_id=customer.id, currency=customer.currency)
            self._revision = await invoices_revision(session, customer.id)
            found = await invoices_of(session, customer.id)
            files = await files_of(session, [view.id for view in found if view.id == self.open_invoice.id])
            choices = await invoiceable_orders(session, customer.id)
            references = {order.id: order.reference_code for order in await orders_of(session, customer.id)}
        zone = customer.time_zone
        self.is_verified, self.currency, self.time_zone = (
            customer.verified_at is not None,
            customer.currency.value,
            zone,
        )
        self.title, self.tax_id, self.email = customer.name, customer.registration_code, acting.person.email
        self.kinds = [kind.value for kind in kinds_for(customer)]
        self.standing = shown_standing(standing, customer.currency)
        self.choices = [shown_choice(one, time_zone=zone) for one in choices if one.currency is customer.currency]
        self.submission_id = self.submission_id or secrets.token_urlsafe(12)
        mine = [view.id for view in found if view.requested_by == acting.person.person_id]
        self.own_latest_id = mine[0] if mine else ""
        invoices = [shown_invoice(one, references=references, locale=locale, time_zone=zone) for one in found]
        self.open_invoice = next((one for one in invoices if one.id == self.open_invoice.id), ShownInvoice())
        self.files = [one for view in found for one in shown_invoice_files(view, files)]
        self.is_waiting = any(is_with_finance(one) for one in invoices)
        self.has_more = len(invoices) > _LATEST and not self.shows_all
        self.invoices = invoices if self.shows_all else invoices[:_LATEST]


def invoices() -> rx.Component:
    """Show what can be invoiced, the open invoice, the form, and the list."""
    state = InvoicesState
    return framed(
        page_heading(text("invoices.title"), lead=text("invoices.lead")),
        rx.cond(
            state.is_loaded & ~state.may_ask,
            note(text("invoices.ask_billing")),
            rx.fragment(_all()),
        ),
        asks_for_news(state.refresh, while_waiting=state.is_waiting),
        parts.withdraw_dialog(state.open_invoice, on_confirm=state.withdraw(state.open_invoice.id)),
        here="/invoices",
    )


def _all() -> rx.Component:
    """Show everything, to those in charge of money."""
    state = InvoicesState
    form = parts.request_form(
        kinds=state.kinds,
        currency=state.currency,
        choices=state.choices,
        title=state.title,
        tax_id=state.tax_id,
        email=state.email,
        submission_id=state.submission_id,
        follows=state.own_latest_id,
        on_submit=state.request,
    )
    unverified = rx.el.div(
        rx.el.p(text("invoices.unverified")),
        rx.el.a(text("top_up.verify"), href="/verification", class_name="button primary"),
        class_name="note tone-warning with-action",
    )
    new = rx.cond(
        state.is_verified,
        rx.cond(
            state.standing.has_any,
            card(form, title=text("invoices.new")),
            note(text("invoices.nothing_left")),
        ),
        unverified,
    )
    more = rx.el.button(text("invoices.show_all"), type="button", on_click=state.show_all, class_name="button quiet")
    opened = rx.cond(state.open_invoice.id != "", parts.invoice_card(state.open_invoice, state.files))
    return rx.fragment(
        rx.el.div(opened, id=parts.OPEN_INVOICE, tab_index=-1, class_name="open-order"),
        rx.cond(state.is_loaded, rx.fragment(parts.standing_card(state.standing), new)),
        card(
            parts.invoice_table(state.invoices, is_loaded=state.is_loaded, on_look=state.look),
            rx.cond(state.has_more, rx.el.div(more, class_name="pager")),
            title=text("invoices.list"),
        ),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
    )


PAGE = Page(
    route="/invoices",
    title_key="invoices.title",
    body=invoices,
    on_load=(LocaleState.derive, InvoicesState.load),
)
