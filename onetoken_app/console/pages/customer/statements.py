"""Statements: the month that runs, closed months with their lines and files, and what is due."""

from collections.abc import Sequence

import reflex as rx
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.billing.contracts import contract_of, unpaid
from onetoken_app.billing.figures import Figures
from onetoken_app.billing.statement_queries import statements_of, whole_statement
from onetoken_app.console.callers import Caller, Role
from onetoken_app.console.components import statement_sheet as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import loading_rows
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.running_months import reckoned_for
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.statements import (
    ShownContract,
    ShownDue,
    ShownMonth,
    ShownSheet,
    is_running_name,
    running_name,
    shown_contract,
    shown_dues,
    shown_months,
    shown_sheet,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.errors import NotFound
from onetoken_app.organizations.queries import OrganizationView, organization

_LATEST = 12


class StatementsState(rx.State):
    """The months on screen, and the one that is open."""

    is_loaded: bool = False
    may_keep: bool = False
    """Whether the reader is in charge of money, and may have files."""
    running: rx.Field[list[ShownSheet]] = rx.field(default_factory=list)
    """One for each currency."""
    months: rx.Field[list[ShownMonth]] = rx.field(default_factory=list)
    open_month: ShownSheet = ShownSheet()
    contract: ShownContract = ShownContract()
    dues: rx.Field[list[ShownDue]] = rx.field(default_factory=list)
    closes: str = ""
    """When the month that runs is closed at the earliest; empty: none runs."""
    shows_all: bool = False
    has_more: bool = False
    time_zone: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the months anew, in the reader's language."""
        acting, now = caller(), clock.utc_now()
        locale = (await self.get_state(LocaleState)).code
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            if customer is None:
                return
            views = await statements_of(session, customer.id)
            await self._read_dues(session, acting, customer)
        self.has_more = len(views) > _LATEST and not self.shows_all
        latest = views if self.shows_all else views[:_LATEST]
        self.months = shown_months(latest, locale=locale, time_zone=customer.time_zone)
        self.may_keep, self.time_zone, self.is_loaded = acting.may(Role.BILLING), customer.time_zone, True
        # The last step: who had it reckoned too often sees everything else, and the month as it stood before.
        figures = await reckoned_for(acting.person.person_id, organization_id=customer.id)
        self.running = [
            shown_sheet(one, name=running_name(customer.id, one.currency), locale=locale, now=now, is_closed=False)
            for one in figures
        ]
        self.closes = self.running[0].closes if self.running else ""
        if self.open_month.id:
            await self._open(self.open_month.id, running=figures)

    @event_for(Role.VIEWER)
    async def look(self, statement_id: str) -> None:
        """Open one of the organization's months."""
        await self._open(statement_id)

    @event_for(Role.VIEWER)
    async def show_all(self) -> None:
        """List the older months too."""
        self.shows_all = True
        await self.load()

    async def _read_dues(self, session: AsyncSession, acting: Caller, customer: OrganizationView) -> None:
        """Read what was agreed and what is to be paid, for those in charge of money."""
        if not acting.may(Role.BILLING):
            self.contract, self.dues = ShownContract(), []
            return
        self.contract = shown_contract(await contract_of(session, customer.id), customer.currency)
        self.dues = shown_dues(await unpaid(session, now=clock.utc_now(), organization_id=customer.id))

    async def _open(self, statement_id: str, *, running: Sequence[Figures] | None = None) -> None:
        """Show a month with its lines; the one that runs is reckoned unless it was just now.

        Raises:
            NotFound: The organization that the caller acts for has no such month.
            ReckonedTooOften: It runs, and the caller had it reckoned many times just now.
        """
        now, acting = clock.utc_now(), caller()
        figures, is_closed = await _figures_of(acting, statement_id, running)
        locale = (await self.get_state(LocaleState)).code
        self.open_month = shown_sheet(figures, name=statement_id, locale=locale, now=now, is_closed=is_closed)


async def _figures_of(acting: Caller, statement_id: str, running: Sequence[Figures] | None) -> tuple[Figures, bool]:
    """Return what one of an organization's months says, and whether it is closed."""
    organization_id = acting.organization_id
    async with read_session() as session:
        found = await whole_statement(session, statement_id)
    if found is not None and found.view.organization_id == organization_id:
        return found.figures, True
    if not is_running_name(statement_id, organization_id):
        raise NotFound("There is no such statement.")
    if running is None:
        running = await reckoned_for(acting.person.person_id, organization_id=organization_id)
    for figures in running:
        if statement_id == running_name(organization_id, figures.currency):
            return figures, False
    raise NotFound("There is no such statement.")


def statements() -> rx.Component:
    """Show what is due, the month that runs, the open month, and the list."""
    state = StatementsState
    running = rx.foreach(
        state.running, lambda sheet: parts.running_card(sheet, may_keep=state.may_keep, on_look=state.look)
    )
    table = parts.month_table(
        state.months, is_loaded=state.is_loaded, closes=state.closes, may_keep=state.may_keep, on_look=state.look
    )
    more = rx.el.button(text("statements.show_all"), type="button", on_click=state.show_all, class_name="button quiet")
    opened = rx.cond(state.open_month.id != "", parts.month_card(state.open_month, may_keep=state.may_keep))
    return framed(
        page_heading(text("statements.title"), lead=text("statements.lead")),
        rx.cond(state.contract.number != "", parts.due_card(state.contract, state.dues)),
        rx.cond(state.is_loaded, rx.fragment(running), card(loading_rows())),
        rx.el.div(opened, id=parts.OPEN_MONTH, tab_index=-1, class_name="open-order"),
        card(
            table,
            rx.cond(state.has_more, rx.el.div(more, class_name="pager")),
            title=text("statements.months"),
        ),
        rx.cond(state.is_loaded & ~state.may_keep, note(text("statements.ask_billing"))),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        here="/statements",
    )


PAGE = Page(
    route="/statements",
    title_key="statements.title",
    body=statements,
    on_load=(LocaleState.derive, StatementsState.load),
)
