"""Finance's desk of invoices: what has to be made, the one that is open with the forms, and what was decided."""

from collections.abc import Awaitable
from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.billing.invoice_files import files_of
from onetoken_app.billing.invoiceable import invoiceable
from onetoken_app.billing.queries import (
    decided_invoices,
    invoice_for_staff,
    owed_red_letters,
    waiting_invoices,
)
from onetoken_app.console.callers import Role
from onetoken_app.console.components import invoice_desk as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import empty_state, pager
from onetoken_app.console.components.invoice_forms import OPEN_INVOICE, standing_card
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.invoice_desk import (
    issue_invoice,
    red_letter,
    refuse_request,
    shown_at_desk,
    take_request,
)
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.invoice_desk import (
    DeskReader,
    InvoiceStep,
    ShownDeskInvoice,
    ShownOwedLetters,
    shown_owed_letters,
)
from onetoken_app.console.shown.invoices import ShownInvoiceFile, ShownStanding, shown_invoice_files, shown_standing
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.organizations.queries import organizations_by_id
from onetoken_app.payments.queries import orders_of
from onetoken_app.settings import get_settings
from onetoken_app.usage.periods import today

_DECIDED_A_PAGE = 20


class InvoiceDeskState(rx.State):
    """The lists, and the invoice that is open."""

    is_loaded: bool = False
    waiting: rx.Field[list[ShownDeskInvoice]] = rx.field(default_factory=list)
    owed: rx.Field[list[ShownOwedLetters]] = rx.field(default_factory=list)
    open_invoice: ShownDeskInvoice = ShownDeskInvoice()
    files: rx.Field[list[ShownInvoiceFile]] = rx.field(default_factory=list)
    standing: ShownStanding = ShownStanding()
    """Of the organization whose invoice is open."""
    today: str = ""
    """What stands in the field of the day at first."""
    decided: rx.Field[list[ShownDeskInvoice]] = rx.field(default_factory=list)
    older_than: str = ""
    """The invoice after which the next page begins; empty: this is the last."""
    is_newest_page: bool = True
    outcome: str = ""
    """What was done last: the end of the key of its words."""
    _sought: str = ""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the lists anew, and the open invoice with them."""
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def refresh(self) -> None:
        """Read what waits anew; what is open stays under the forms that are being filled in for it."""
        async with read_session() as session:
            found = await waiting_invoices(session)
        if (shown := await shown_at_desk(found, await _reader(self))) != self.waiting:
            self.waiting = shown

    @event_for(Role.STAFF_FINANCE)
    async def newest(self) -> None:
        """Go back to the last that was decided."""
        await self._read_decided(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def older(self) -> None:
        """Go on to older ones."""
        await self._read_decided(before=self.older_than or None)

    @event_for(Role.STAFF_FINANCE)
    async def search(self, form: dict[str, Any]) -> None:
        """List those alone that have such a number or title."""
        self._sought = str(form.get("sought", ""))
        await self._read_decided(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def look(self, invoice_id: str) -> None:
        """Open one of the invoices."""
        self.open_invoice = ShownDeskInvoice(id=invoice_id)
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def take(self, form: dict[str, Any]) -> None:
        """Say that the reader makes the invoice."""
        await self._do("taken", take_request(caller(), form=form))

    @event_for(Role.STAFF_FINANCE)
    async def issue(self, form: dict[str, Any]) -> None:
        """Enter number and date."""
        await self._do("issued", issue_invoice(caller(), settings=get_settings(), form=form))

    @event_for(Role.STAFF_FINANCE)
    async def refuse(self, form: dict[str, Any]) -> None:
        """Say why there will be no such invoice."""
        await self._do("refused", refuse_request(caller(), settings=get_settings(), form=form))

    @event_for(Role.STAFF_FINANCE)
    async def reverse(self, form: dict[str, Any]) -> None:
        """Enter a red letter."""
        await self._do("reversed", red_letter(caller(), settings=get_settings(), form=form))

    @event_for(Role.STAFF_FINANCE)
    async def show_file(self) -> None:
        """Show a file that arrived."""
        await self._read("file_added")

    async def _do(self, outcome: str, doing: Awaitable[None]) -> None:
        """Do it and say so; who was too late sees everything as it is now."""
        async with shown_anew(self._read):
            await doing
        await self._read(outcome)

    async def _read(self, outcome: str = "") -> None:
        """Read everything anew, and say what was done."""
        reader = await _reader(self)
        async with read_session() as session:
            found = await waiting_invoices(session)
            owed = await owed_red_letters(session)
            owing = await organizations_by_id(session, {one.organization_id for one in owed})
        names = {one.id: one.name for one in owing.values()}
        self.owed = [shown_owed_letters(one, organizations=names) for one in owed]
        self.waiting = await shown_at_desk(found, reader)
        await self._open(self.open_invoice.id, reader)
        await self._read_decided(before=None)
        self.today = today(clock.utc_now(), time_zone=reader.time_zone).isoformat()
        self.outcome, self.is_loaded = outcome, True

    async def _open(self, invoice_id: str, reader: DeskReader) -> None:
        """Show an invoice with where its organization stands, or none."""
        async with read_session() as session:
            view = await invoice_for_staff(session, invoice_id) if invoice_id else None
            if view is None:
                self.open_invoice, self.standing, self.files = ShownDeskInvoice(), ShownStanding(), []
                return
            self.files = shown_invoice_files(view, await files_of(session, [view.id]))
            standing = await invoiceable(session, organization_id=view.organization_id, currency=view.currency)
            orders = {one.id: one.reference_code for one in await orders_of(session, view.organization_id)}
        (self.open_invoice,) = await shown_at_desk([view], reader, orders=orders)
        self.standing = shown_standing(standing, view.currency)

    async def _read_decided(self, *, before: str | None) -> None:
        """Read one page of what was decided; one more says whether there is another."""
        async with read_session() as session:
            found = await decided_invoices(session, limit=_DECIDED_A_PAGE + 1, before=before, words=self._sought)
        self.decided = await shown_at_desk(found[:_DECIDED_A_PAGE], await _reader(self))
        self.older_than = self.decided[-1].id if len(found) > _DECIDED_A_PAGE else ""
        self.is_newest_page = before is None


async def _reader(state: rx.State) -> DeskReader:
    """Say for whom invoices are shown: whoever calls."""
    acting, locale = caller(), (await state.get_state(LocaleState)).code
    own = frozenset(one.organization_id for one in acting.memberships)
    return DeskReader(acting.person.person_id, own, locale=locale, time_zone=await reader_zone(state))


def invoices() -> rx.Component:
    """Show the lists and the open invoice."""
    state = InvoiceDeskState
    nothing = empty_state(text("invoice_desk.none"), text("invoice_desk.none_next"))
    waiting = parts.waiting_table(state.waiting, is_loaded=state.is_loaded, empty=nothing, on_look=state.look)
    return framed(
        page_heading(text("invoice_desk.title"), lead=text("invoice_desk.lead")),
        parts.done_note(state.outcome),
        parts.owed_note(state.owed),
        card(waiting),
        rx.el.div(
            rx.cond(state.open_invoice.id != "", _open_invoice()),
            id=OPEN_INVOICE,
            tab_index=-1,
            class_name="open-order",
        ),
        card(parts.search_form(on_submit=state.search), _decided(), title=text("invoice_desk.decided")),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        asks_for_news(state.refresh),
        here="/staff/invoices",
    )


def _decided() -> rx.Component:
    """List what was decided, the last first."""
    state = InvoiceDeskState
    pages = pager(
        has_newer=~state.is_newest_page, has_older=state.older_than != "", on_newest=state.newest, on_older=state.older
    )
    return parts.decided_table(state.decided, is_loaded=state.is_loaded, pages=pages, on_look=state.look)


def _open_invoice() -> rx.Component:
    """Show particulars, where the organization stands, and the forms for whoever may use them."""
    state, one = InvoiceDeskState, InvoiceDeskState.open_invoice
    deciding = rx.fragment(
        card(parts.take_form(one, on_submit=state.take)),
        rx.el.div(
            card(parts.issue_form(one, today=state.today, on_submit=state.issue)),
            card(parts.refuse_form(one, on_submit=state.refuse)),
            class_name="columns",
        ),
    )
    return rx.fragment(
        parts.particulars(one, files=state.files, on_uploaded=state.show_file),
        standing_card(state.standing),
        rx.match(
            one.step,
            (InvoiceStep.DECIDE.value, deciding),
            (InvoiceStep.REVERSE.value, card(parts.reverse_form(one, today=state.today, on_submit=state.reverse))),
            (InvoiceStep.ABSTAIN.value, note(text("invoice_desk.involved"), tone="warning")),
            rx.fragment(),
        ),
    )


PAGE = Page(
    route="/staff/invoices",
    title_key="invoice_desk.title",
    body=invoices,
    on_load=(LocaleState.derive, InvoiceDeskState.load),
)
