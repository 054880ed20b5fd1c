"""The overview: what is there to spend, what was spent, what was called last."""

from typing import Any

import reflex as rx
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components.calls_table import calls_table
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.copying import snippet
from onetoken_app.console.components.data_table import empty_state
from onetoken_app.console.components.in_the_way import in_the_way
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.stat_card import stat_card, stat_row
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.navigation import OVERVIEW
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.amounts import ShownAmount, shown_amount, shown_count
from onetoken_app.console.shown.callable_models import callable_models
from onetoken_app.console.shown.calls import ShownCall, shown_calls
from onetoken_app.console.shown.credit import shown_lots
from onetoken_app.console.shown.readiness import Readiness, is_with_operator, readiness_of
from onetoken_app.console.shown.snippets import curl_snippet, python_snippet
from onetoken_app.console.text.lookup import text
from onetoken_app.credit.lots import SpendableView, spendable_now
from onetoken_app.database import read_session
from onetoken_app.money import Currency
from onetoken_app.organizations.queries import organization
from onetoken_app.payments.queries import orders_revision
from onetoken_app.settings import get_settings
from onetoken_app.usage.charges import charge_of_month
from onetoken_app.usage.queries import recent_calls
from onetoken_app.verification.queries import case_revision

_LATEST = 8


class OverviewState(rx.State):
    """The figures and rows on screen."""

    is_loaded: bool = False
    has_organization: bool = True
    readiness: str = Readiness.READY.value
    available: ShownAmount = ShownAmount()
    balance: ShownAmount = ShownAmount()
    held: ShownAmount = ShownAmount()
    in_lots: ShownAmount = ShownAmount()
    has_lots: bool = False
    first_expiry: str = ""
    """Of what is given and in packages; empty: none of it expires."""
    month: ShownAmount = ShownAmount()
    month_call_count: str = "0"
    calls: rx.Field[list[ShownCall]] = rx.field(default_factory=list)
    is_waiting: bool = False
    """Something that is in the way is with the operator: a case under review, or a reported transfer."""
    _revisions: tuple[int, int] = (0, 0)
    """Of the case and of the orders, as they were read last."""
    time_zone: str = ""
    curl: str = ""
    python: str = ""

    @event_for(Role.PERSON)
    async def load(self) -> Any:
        """Read everything anew; staff who act for no organization start at theirs."""
        organization_id, now = caller().organization_id, clock.utc_now()
        async with read_session() as session:
            customer = await organization(session, organization_id) if organization_id else None
            if customer is None:
                self.has_organization = False
                return rx.redirect("/staff/organizations", replace=True) if caller().person.staff_roles else None
            found = await spendable_now(session, organization_id=customer.id, currency=customer.currency, now=now)
            month = await charge_of_month(session, organization_id=customer.id, time_zone=customer.time_zone, now=now)
            page = await recent_calls(session, organization_id=customer.id, limit=_LATEST)
            models = await callable_models(session, customer, now=now)
            self._revisions = await _revisions_of(session, customer.id)
            self.is_waiting = await is_with_operator(session, customer.id)
        readiness = readiness_of(
            customer,
            has_model=bool(models),
            available_nanos=found.balance.available_nanos + found.in_lots_nanos,
            is_frozen=found.is_frozen,
        )
        self.has_organization, self.readiness, self.time_zone = True, readiness.value, customer.time_zone
        self._show_money(found, customer.currency)
        self.month = shown_amount(month.charge_nanos, customer.currency)
        self.month_call_count = shown_count(month.call_count)
        self.calls = shown_calls(page.items, time_zone=customer.time_zone)
        self.curl = curl_snippet(get_settings().console_url, models[0]) if models else ""
        self.python = python_snippet(get_settings().console_url, models[0]) if models else ""
        self.is_loaded = True
        return None

    def _show_money(self, found: SpendableView, currency: Currency) -> None:
        """Put what there is to spend on screen."""
        self.available = shown_amount(found.on_any_model_nanos, currency)
        self.balance = shown_amount(found.balance.posted_nanos, currency)
        self.held = shown_amount(found.held_nanos, currency)
        self.in_lots, self.has_lots = shown_amount(found.in_lots_nanos, currency), bool(found.lots)
        lots = shown_lots(found.lots, currency, time_zone=self.time_zone)
        self.first_expiry = min((one.expires for one in lots if one.expires), default="")

    @event_for(Role.VIEWER)
    async def refresh(self) -> None:
        """Read everything anew if the operator decided something."""
        async with read_session() as session:
            revisions = await _revisions_of(session, caller().organization_id)
        if revisions != self._revisions:
            await self.load()


async def _revisions_of(session: AsyncSession, organization_id: str) -> tuple[int, int]:
    """Return what changes with the case and with the orders of an organization."""
    return await case_revision(session, organization_id), await orders_revision(session, organization_id)


def overview() -> rx.Component:
    """Show the figures, the latest calls, or how to make the first."""
    return framed(
        page_heading(text("overview.title"), lead=text("overview.lead")),
        rx.cond(OverviewState.has_organization, rx.fragment(), note(text("overview.no_organization"))),
        rx.el.div(in_the_way(OverviewState.readiness), class_name="news", aria_live="polite"),
        stat_row(
            stat_card(
                label=text("overview.available"),
                figure=money_text(OverviewState.available, size="large"),
                note=rx.fragment(
                    text("overview.available_note"),
                    " · ",
                    rx.el.a(text("overview.top_up"), href="/top-up", class_name="quiet-link"),
                ),
            ),
            stat_card(
                label=text("overview.balance"),
                figure=money_text(OverviewState.balance, size="large"),
                note=rx.fragment(
                    rx.el.span(text("overview.held"), " ", money_text(OverviewState.held)),
                    rx.cond(OverviewState.has_lots, _in_lots()),
                ),
            ),
            stat_card(
                label=text("overview.month"),
                figure=money_text(OverviewState.month, size="large"),
                note=text("overview.month_calls", count=OverviewState.month_call_count),
            ),
        ),
        card(
            calls_table(OverviewState.calls, is_loaded=OverviewState.is_loaded, empty=_no_calls()),
            title=text("overview.latest"),
            side=rx.el.a(text("overview.all_calls"), href="/usage", class_name="quiet-link"),
        ),
        rx.el.p(text("frame.times_in", zone=OverviewState.time_zone), class_name="quiet-text"),
        asks_for_news(OverviewState.refresh, while_waiting=OverviewState.is_waiting),
        here=OVERVIEW,
    )


def _in_lots() -> rx.Component:
    """Say what is there beside the balance, and until when the first of it."""
    state = OverviewState
    until = rx.cond(
        state.first_expiry != "",
        rx.fragment(" · ", rx.el.span(text("overview.first_expiry", on=state.first_expiry), class_name="figure")),
    )
    return rx.el.span(
        rx.el.a(text("overview.in_lots"), href="/credit", class_name="quiet-link"),
        " ",
        money_text(state.in_lots),
        until,
        class_name="cell-below",
    )


def _no_calls() -> rx.Component:
    """Say how to begin, once a call would be admitted."""
    return rx.cond(
        OverviewState.readiness == Readiness.READY.value,
        _first_call(),
        empty_state(text("overview.no_calls"), text("overview.no_calls_next")),
    )


def _first_call() -> rx.Component:
    """Say how to begin."""
    return empty_state(
        text("first_call.title"),
        text("first_call.next"),
        rx.el.a(text("first_call.mint"), href="/keys", class_name="button primary"),
        rx.el.div(
            snippet(OverviewState.curl, element_id="first-curl", label=text("first_call.curl")),
            snippet(OverviewState.python, element_id="first-python", label=text("first_call.python")),
            class_name="snippets",
        ),
    )


PAGE = Page(
    route="/overview",
    title_key="overview.title",
    body=overview,
    on_load=(LocaleState.derive, OverviewState.load),
)
