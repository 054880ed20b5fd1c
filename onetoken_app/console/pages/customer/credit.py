"""Credit: what an organization can spend, in the order in which it is spent; packages; mails about a low balance."""

import secrets
from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components import credit_parts as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.components.money_text import money_text
from onetoken_app.console.components.stat_card import stat_card, stat_row
from onetoken_app.console.credit import CreditView, buy, credit_of, tell_below
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.credit import ShownLot, ShownPackage, shown_lots, shown_package
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.text.lookup import text
from onetoken_app.money import format_amount


class CreditState(rx.State):
    """What is on screen, and the package that the dialog is about."""

    is_loaded: bool = False
    may_change: bool = False
    available: ShownAmount = ShownAmount()
    held: ShownAmount = ShownAmount()
    in_lots: ShownAmount = ShownAmount()
    limit: ShownAmount = ShownAmount()
    has_limit: bool = False
    lots: rx.Field[list[ShownLot]] = rx.field(default_factory=list)
    packages: rx.Field[list[ShownPackage]] = rx.field(default_factory=list)
    package: ShownPackage = ShownPackage()
    """What the dialog asks about."""
    submission_id: str = ""
    """Made once per question: the same answer sent twice buys once."""
    is_bought: bool = False
    freeze_reason: str = ""
    """Empty: the credit is not frozen."""
    frozen: str = ""
    threshold: str = ""
    """As it would be typed; empty: nobody is told."""
    is_below: bool = False
    currency: str = ""
    time_zone: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read everything anew."""
        await self._read(is_bought=False)

    @event_for(Role.BILLING)
    async def choose(self, package_id: str) -> None:
        """Take the package that the dialog is going to be about."""
        self.package = next((one for one in self.packages if one.id == package_id), ShownPackage())
        self.submission_id, self.is_bought = secrets.token_urlsafe(12), False

    @event_for(Role.BILLING)
    async def buy(self, package_id: str, submission: str) -> None:
        """Turn money of the balance into a package; the same answer again buys nothing."""
        await buy(caller(), package_id=package_id, submission_id=submission)
        await self._read(is_bought=True)

    @event_for(Role.BILLING)
    async def tell(self, form: dict[str, Any]) -> None:
        """Set below what the organization is told by mail."""
        await tell_below(caller(), threshold=str(form.get("threshold", "")))
        await self._read(is_bought=False)

    async def _read(self, *, is_bought: bool) -> None:
        """Read everything anew, and say what was done."""
        found = await credit_of(caller().organization_id)
        if found is None:
            return
        self._show(found)
        self.may_change, self.is_bought, self.is_loaded = caller().may(Role.BILLING), is_bought, True

    def _show(self, view: CreditView) -> None:
        """Put what was read on screen."""
        zone, currency = view.customer.time_zone, view.customer.currency
        self.available = shown_amount(view.balance.available_nanos, currency)
        self.held = shown_amount(view.balance.held_nanos, currency)
        self.in_lots = shown_amount(sum(lot.left_nanos - lot.held_nanos for lot in view.lots), currency)
        self.limit = shown_amount(view.standing.credit_limit_nanos, currency)
        self.has_limit = view.standing.credit_limit_nanos > 0
        self.lots = shown_lots(view.lots, currency, time_zone=zone)
        self.packages = [shown_package(one, time_zone=zone) for one in view.for_sale]
        self.freeze_reason = view.freeze.reason if view.freeze else ""
        self.frozen = shown_minute(view.freeze.frozen_at, zone) if view.freeze else ""
        self.threshold = format_amount(view.alert.threshold_nanos) if view.alert else ""
        self.is_below = view.alert.is_below if view.alert else False
        self.currency, self.time_zone = currency.value, zone


def credit() -> rx.Component:
    """Show the figures, the lots, the packages and the threshold."""
    state = CreditState
    return framed(
        page_heading(text("credit.title"), lead=text("credit.lead")),
        rx.cond(state.freeze_reason != "", _frozen()),
        stat_row(
            stat_card(
                label=text("credit.in_lots"),
                figure=money_text(state.in_lots, size="large"),
                note=text("credit.in_lots_note"),
            ),
            stat_card(label=text("credit.balance"), figure=money_text(state.available, size="large"), note=_limit()),
            stat_card(label=text("credit.held"), figure=money_text(state.held, size="large")),
        ),
        card(parts.lots_table(state.lots, is_loaded=state.is_loaded), title=text("credit.lots")),
        card(_packages(), title=text("packages.title")),
        card(_threshold(), title=text("credit.threshold")),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        parts.buy_dialog(state.package, on_confirm=state.buy(state.package.id, state.submission_id)),
        here="/credit",
    )


def _frozen() -> rx.Component:
    """Say that no call is made, since when and why."""
    state = CreditState
    return rx.el.div(
        rx.el.p(text("credit.frozen", since=state.frozen)),
        rx.el.p(text("credit.frozen_reason"), " ", rx.el.q(state.freeze_reason, class_name="own-words")),
        class_name="note tone-bad",
        role="alert",
    )


def _limit() -> rx.Component:
    """Say how far below 0 the balance may go, or where there is more to have."""
    state = CreditState
    limit = rx.fragment(text("credit.limit_included"), " ", money_text(state.limit))
    top_up = rx.el.a(text("overview.top_up"), href="/top-up", class_name="quiet-link")
    return rx.fragment(rx.cond(state.has_limit, rx.fragment(limit, " · "), rx.fragment()), top_up)


def _packages() -> rx.Component:
    """List what is for sale."""
    state = CreditState
    return rx.fragment(
        rx.el.p(text("packages.lead"), class_name="quiet-text above-table"),
        rx.cond(state.is_bought, rx.el.p(text("packages.bought"), class_name="note tone-good", role="status")),
        data_table(
            columns=parts.package_columns(parts.buy_column(may_buy=state.may_change, on_choose=state.choose)),
            rows=state.packages,
            caption=text("packages.title"),
            is_loaded=state.is_loaded,
            empty=empty_state(text("packages.none"), text("packages.none_next")),
        ),
        rx.cond(state.is_loaded & ~state.may_change, note(text("credit.ask_billing"))),
    )


def _threshold() -> rx.Component:
    """Say and change below what the organization is told."""
    state = CreditState
    form = parts.threshold_form(threshold=state.threshold, currency=state.currency, on_submit=state.tell)
    said = rx.cond(
        state.threshold == "",
        rx.el.p(text("credit.threshold_none")),
        rx.el.p(text("credit.threshold_in", currency=state.currency), " ", state.threshold),
    )
    return rx.fragment(
        rx.cond(state.is_below, note(text("credit.is_below"), tone="warning")),
        rx.cond(state.may_change, form, said),
    )


PAGE = Page(route="/credit", title_key="credit.title", body=credit, on_load=(LocaleState.derive, CreditState.load))
