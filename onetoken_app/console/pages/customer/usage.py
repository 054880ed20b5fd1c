"""Usage: what was called and charged, by day, model and key, and each call."""

from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components.calls_table import calls_table
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import empty_state, pager
from onetoken_app.console.components.fields import choice, period_choice
from onetoken_app.console.components.spend_chart import share_list, spend_chart
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.calls import ShownCall, shown_calls
from onetoken_app.console.shown.moments import PeriodName, days_of
from onetoken_app.console.shown.spending import ShownChart, ShownShare, shown_chart, shown_shares
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.database import read_session
from onetoken_app.organizations.queries import OrganizationView, organization
from onetoken_app.usage.charges import charges_by_day, charges_by_key, charges_by_model
from onetoken_app.usage.periods import period_of_days
from onetoken_app.usage.queries import recent_calls

_CALLS_A_PAGE = 25


class UsageState(rx.State):
    """What was chosen, and what is on screen."""

    is_loaded: bool = False
    period: str = PeriodName.THIS_MONTH.value
    key_id: str = ""
    """Empty: every key."""
    model_id: str = ""
    """Empty: every model."""
    days: str = ""
    time_zone: str = ""
    chart: ShownChart = ShownChart()
    by_model: rx.Field[list[ShownShare]] = rx.field(default_factory=list)
    by_key: rx.Field[list[ShownShare]] = rx.field(default_factory=list)
    calls: rx.Field[list[ShownCall]] = rx.field(default_factory=list)
    older_cursor: str = ""
    """Where the next page begins; empty: this is the last."""
    is_newest_page: bool = True

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the period anew, from its newest call."""
        customer = await self._customer()
        days = days_of(self.period, clock.utc_now(), time_zone=customer.time_zone)
        in_zone = {"organization_id": customer.id, "time_zone": customer.time_zone}
        async with read_session() as session:
            by_day = await charges_by_day(session, since=days.first, until=days.last, **in_zone)
            by_model = await charges_by_model(session, since=days.first, until=days.last, **in_zone)
            by_key = await charges_by_key(session, since=days.first, until=days.last, **in_zone)
        self.days = days.first.isoformat() if days.first == days.last else f"{days.first} – {days.last}"
        self.time_zone = customer.time_zone
        self.chart = shown_chart(by_day, customer.currency)
        self.by_model = shown_shares(by_model, customer.currency)
        self.by_key = shown_shares(by_key, customer.currency)
        # A filter that nothing in this period matches would hide everything, and could not be seen in its list.
        self.key_id = self.key_id if self.key_id in {charge.id for charge in by_key} else ""
        self.model_id = self.model_id if self.model_id in {charge.id for charge in by_model} else ""
        await self._read_calls(customer, before=None)
        self.is_loaded = True

    @event_for(Role.VIEWER)
    async def choose_period(self, period: str) -> None:
        """Look at another period."""
        self.period, self.key_id, self.model_id = period, "", ""
        await self.load()

    @event_for(Role.VIEWER)
    async def choose_key(self, key_id: str) -> None:
        """Look at one key's calls."""
        self.key_id = key_id
        await self._read_calls(await self._customer(), before=None)

    @event_for(Role.VIEWER)
    async def choose_model(self, model_id: str) -> None:
        """Look at one model's calls."""
        self.model_id = model_id
        await self._read_calls(await self._customer(), before=None)

    @event_for(Role.VIEWER)
    async def newest(self) -> None:
        """Go back to the newest calls."""
        await self._read_calls(await self._customer(), before=None)

    @event_for(Role.VIEWER)
    async def older(self) -> None:
        """Go on to older calls."""
        await self._read_calls(await self._customer(), before=self.older_cursor or None)

    async def _customer(self) -> OrganizationView:
        """Return the organization that the caller acts for."""
        async with read_session() as session:
            customer = await organization(session, caller().organization_id)
        if customer is None:
            message = "a membership names an organization that is not there"
            raise LookupError(message)
        return customer

    async def _read_calls(self, customer: OrganizationView, *, before: str | None) -> None:
        """Read one page of calls."""
        days = days_of(self.period, clock.utc_now(), time_zone=customer.time_zone)
        period = period_of_days(days.first, days.last, time_zone=customer.time_zone)
        async with read_session() as session:
            page = await recent_calls(
                session,
                organization_id=customer.id,
                limit=_CALLS_A_PAGE,
                before=before,
                key_id=self.key_id or None,
                model_id=self.model_id or None,
                since=period.since,
                until=period.until,
            )
        self.calls = shown_calls(page.items, time_zone=customer.time_zone)
        self.older_cursor = page.next_cursor or ""
        self.is_newest_page = before is None


def usage() -> rx.Component:
    """Show the period, its chart and breakdowns, then its calls."""
    return framed(
        page_heading(
            text("usage.title"),
            lead=text("usage.lead"),
            side=period_choice(UsageState.period, UsageState.choose_period),
        ),
        card(
            spend_chart(UsageState.chart, label=text("usage.by_day")),
            title=text("usage.by_day"),
            side=rx.el.span(UsageState.days, " · ", UsageState.chart.currency, class_name="quiet-text figure"),
        ),
        rx.el.div(
            card(share_list(UsageState.by_model, empty=text("usage.none")), title=text("usage.by_model")),
            card(share_list(UsageState.by_key, empty=text("usage.none")), title=text("usage.by_key")),
            class_name="columns",
        ),
        card(
            calls_table(
                UsageState.calls,
                is_loaded=UsageState.is_loaded,
                empty=_no_calls(),
                pager=pager(
                    has_newer=~UsageState.is_newest_page,
                    has_older=UsageState.older_cursor != "",
                    on_newest=UsageState.newest,
                    on_older=UsageState.older,
                ),
            ),
            title=text("usage.calls"),
            side=rx.cond(UsageState.by_model.length() > 0, _filters()),
        ),
        rx.el.p(text("frame.times_in", zone=UsageState.time_zone), class_name="quiet-text"),
        here="/usage",
    )


def _no_calls() -> rx.Component:
    """Say how to see calls: by other filters, or by making one."""
    start = rx.el.a(text("nav.quick_start"), href="/quick-start", class_name="button")
    return rx.cond(
        UsageState.by_model.length() > 0,
        empty_state(text("usage.no_calls"), text("usage.no_calls_next")),
        empty_state(text("usage.none"), text("usage.none_next"), start),
    )


def _filters() -> rx.Component:
    """Choose a model and a key among those that were used."""
    return rx.el.div(
        _filter(text("usage.every_model"), UsageState.by_model, UsageState.model_id, UsageState.choose_model),
        _filter(text("usage.every_key"), UsageState.by_key, UsageState.key_id, UsageState.choose_key),
        class_name="filters",
    )


def _filter(every: Value, shares: Value, value: Value, on_change: Any) -> rx.Component:
    """Choose one name, or all."""
    options = [
        rx.el.option(every, value=""),
        rx.foreach(shares, lambda share: rx.el.option(share.name, value=share.id)),
    ]
    return choice(every, options=options, value=value, on_change=on_change, is_label_seen=False)


PAGE = Page(route="/usage", title_key="usage.title", body=usage, on_load=(LocaleState.derive, UsageState.load))
