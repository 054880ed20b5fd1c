"""Refunds, the organization's side: ask for unused credit back, and see what became of it."""

import secrets
from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components import refunds as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.refunds import ask_for_refund, what_can_be_refunded, withdraw_refund
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.refunds import (
    ShownRefund,
    ShownRefundableOrder,
    shown_refund,
    shown_refundable_order,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.organizations.queries import organization
from onetoken_app.payments.models import RefundStage
from onetoken_app.payments.refund_queries import refunds_of, refunds_revision
from onetoken_app.payments.refundable import obstacle
from onetoken_app.settings import get_settings

_UNDER_WAY = frozenset({RefundStage.REQUESTED, RefundStage.HELD, RefundStage.SENT})


class RefundsState(rx.State):
    """The refunds on screen, and what can be asked back."""

    is_loaded: bool = False
    may_ask: bool = False
    obstacle: str = ""
    """Why nothing is refunded now; empty: nothing is in the way."""
    orders: rx.Field[list[ShownRefundableOrder]] = rx.field(default_factory=list)
    refunds: rx.Field[list[ShownRefund]] = rx.field(default_factory=list)
    submission_id: str = ""
    """Made once per form: the same form sent twice is one refund."""
    latest_id: str = ""
    is_waiting: bool = False
    _revision: int = 0
    time_zone: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the refunds anew, and what can be asked back now."""
        acting = caller()
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            if customer is None:
                return
            blocked = await obstacle(session, customer.id)
            self._revision = await refunds_revision(session, customer.id)
            found = await refunds_of(session, customer.id)
        orders = await what_can_be_refunded(customer.id, customer.currency)
        self.orders = [shown_refundable_order(view) for view in orders]
        self.refunds = [shown_refund(view, time_zone=customer.time_zone) for view in found]
        self.obstacle, self.may_ask = blocked.value if blocked else "", acting.may(Role.BILLING)
        self.latest_id = found[0].id if found else ""
        self.is_waiting = any(view.stage in _UNDER_WAY for view in found)
        self.submission_id = self.submission_id or secrets.token_urlsafe(12)
        self.time_zone, self.is_loaded = customer.time_zone, True

    @event_for(Role.VIEWER)
    async def refresh(self) -> None:
        """Read the refunds anew if one has changed."""
        async with read_session() as session:
            revision = await refunds_revision(session, caller().organization_id)
        if revision != self._revision:
            await self.load()

    @event_for(Role.BILLING)
    async def ask(self, form: dict[str, Any]) -> None:
        """Ask for a part of an order back; the same form again changes nothing."""
        await ask_for_refund(
            caller(),
            settings=get_settings(),
            order_id=str(form.get("order_id", "")),
            amount=str(form.get("amount", "")),
            submission_id=str(form.get("submission_id", "")),
            words=str(form.get("words", "")),
            is_for_own=True,
        )
        self.submission_id = ""
        await self.load()

    @event_for(Role.BILLING)
    async def withdraw(self, refund_id: str) -> None:
        """Take a refund back that nobody decided on; read the list anew whatever comes of it."""
        try:
            await withdraw_refund(caller(), refund_id=refund_id)
        finally:
            await self.load()


def refunds() -> rx.Component:
    """Show the form and the list."""
    state = RefundsState
    form = parts.ask_form(
        orders=state.orders, submission_id=state.submission_id, follows=state.latest_id, on_submit=state.ask
    )
    asking = rx.cond(
        state.orders.length() > 0,
        card(rx.el.p(text("refunds.what_is_left"), class_name="quiet-text"), form, title=text("refunds.new")),
        note(text("refunds.nothing_left")),
    )
    new = rx.cond(state.may_ask, asking, note(text("refunds.ask_billing")))
    return framed(
        page_heading(text("refunds.title"), lead=text("refunds.lead")),
        rx.cond(state.is_loaded, rx.cond(state.obstacle == "", new, parts.obstacle_note(state.obstacle))),
        card(
            data_table(
                columns=parts.refund_columns(may_withdraw=state.may_ask, on_withdraw=state.withdraw),
                rows=state.refunds,
                caption=text("refunds.list"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("refunds.none"), text("refunds.none_next")),
            ),
            title=text("refunds.list"),
        ),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        asks_for_news(state.refresh, while_waiting=state.is_waiting),
        here="/refunds",
    )


PAGE = Page(
    route="/refunds",
    title_key="refunds.title",
    body=refunds,
    on_load=(LocaleState.derive, RefundsState.load),
)
