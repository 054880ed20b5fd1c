"""Top-up, the organization's side: order, pay or transfer and report; what became of it, and the receipt."""

import secrets
from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components import top_up_orders as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.payment_choice import payment_facts
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import SessionState, caller, event_for
from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.platform import shown_organization
from onetoken_app.console.shown.top_ups import (
    OrderStanding,
    ShownOrder,
    ShownStatement,
    order_to_open,
    shown_order,
    shown_statement,
)
from onetoken_app.console.socket_address import socket_address
from onetoken_app.console.text.lookup import text
from onetoken_app.console.top_ups import cancel_order, day_of_transfer, order_top_up, report_transfer
from onetoken_app.database import read_session
from onetoken_app.ledger.queries import balance_of
from onetoken_app.organizations.queries import organization
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.offers import offered
from onetoken_app.payments.provider_desk import ask_about, start_payment
from onetoken_app.payments.qr_code import code_picture
from onetoken_app.payments.queries import orders_of, orders_revision
from onetoken_app.settings import get_settings
from onetoken_app.usage.periods import today

_LATEST = 10


class TopUpState(rx.State):
    """The orders on screen, and the one that is open."""

    is_loaded: bool = False
    standing: str = ""
    may_order: bool = False
    available: ShownAmount = ShownAmount()
    currency: str = ""
    bank_account: str = ""
    providers: rx.Field[list[str]] = rx.field(default_factory=list)
    """The ways to pay that are switched on for the currency."""
    code: str = ""
    """Address of the picture of a code to scan for the open order."""
    statement: ShownStatement = ShownStatement()
    submission_id: str = ""
    """Made once per form: the same form sent twice is one order."""
    orders: rx.Field[list[ShownOrder]] = rx.field(default_factory=list)
    open_order: ShownOrder = ShownOrder()
    shows_all: bool = False
    has_more: bool = False
    is_waiting: bool = False
    """A reported transfer is being looked for, or a payment provider's word awaited."""
    _revision: int = 0
    """Of the orders that were read last."""
    own_latest_id: str = ""
    """Of the orders that the reader placed; the form begins anew with the next one."""
    today: str = ""
    time_zone: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the orders anew, and the statement in the reader's language."""
        acting, now = caller(), clock.utc_now()
        reading = await self.get_state(LocaleState)
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            if customer is None:
                return
            balance = await balance_of(session, owner_id=customer.id, currency=customer.currency)
            self._revision = await orders_revision(session, customer.id)
            found = await orders_of(session, customer.id)
        self.standing, self.may_order = shown_organization(customer).standing, acting.may(Role.BILLING)
        self.currency, self.time_zone = customer.currency.value, customer.time_zone
        self.available = shown_amount(balance.available_nanos, customer.currency)
        self.bank_account = get_settings().bank_account or ""
        self.providers = [one.value for one in offered(get_settings(), customer.currency)]
        self.statement = shown_statement(reading.code)
        self.submission_id = self.submission_id or secrets.token_urlsafe(12)
        orders = [shown_order(view, now=now, time_zone=customer.time_zone) for view in found]
        self.open_order = order_to_open(orders, self.open_order.id)
        self.code = self.code if self.open_order.is_payable else ""
        self.is_waiting = any(one.standing in {OrderStanding.REPORTED, OrderStanding.PENDING} for one in orders)
        self.own_latest_id = next((view.id for view in found if view.ordered_by == acting.person.person_id), "")
        self.has_more = len(orders) > _LATEST and not self.shows_all
        self.orders = orders if self.shows_all else orders[:_LATEST]
        self.today = today(now, time_zone=customer.time_zone).isoformat()
        self.is_loaded = True

    @event_for(Role.VIEWER)
    async def refresh(self) -> None:
        """Read the orders anew if somebody changed one."""
        async with read_session() as session:
            revision = await orders_revision(session, caller().organization_id)
        if revision != self._revision:
            await self.load()

    @event_for(Role.VIEWER)
    async def look(self, order_id: str) -> None:
        """Open one of the orders on the list."""
        self.open_order, self.code = next((one for one in self.orders if one.id == order_id), ShownOrder()), ""
        await self.load()

    @event_for(Role.VIEWER)
    async def show_all(self) -> None:
        """List the older orders too."""
        self.shows_all = True
        await self.load()

    @event_for(Role.VIEWER)
    async def come_back(self) -> None:
        """Ask about the order that somebody comes back from paying, so that the page says how it is."""
        order_id = self.router.url.query_parameters.get("order", "")
        if any(one.id == order_id and one.standing == OrderStanding.PENDING for one in self.orders):
            self.open_order = ShownOrder(id=order_id)
            await self.check(order_id)

    @event_for(Role.VIEWER)
    async def check(self, order_id: str) -> None:
        """Ask the provider what became of an order; read the orders anew whatever comes of it."""
        try:
            await ask_about(get_settings(), organization_id=caller().organization_id, order_id=order_id)
        finally:
            await self.load()

    @event_for(Role.BILLING)
    async def pay(self, order_id: str) -> Any:
        """Start the payment of an order: the browser goes to the provider's page, or shows its code."""
        self.open_order, self.code = ShownOrder(id=order_id), ""
        try:
            checkout = await start_payment(get_settings(), organization_id=caller().organization_id, order_id=order_id)
            self.code = code_picture(checkout.qr_text) if checkout.qr_text else ""
        finally:
            await self.load()
        return rx.redirect(checkout.page_url) if checkout.page_url else None

    @event_for(Role.BILLING)
    async def order(self, form: dict[str, Any]) -> Any:
        """Place an order and go to pay it, if a provider is paid; the same form again opens the first one."""
        settings = get_settings()
        order_id = await order_top_up(
            caller(),
            settings=settings,
            amount=str(form.get("amount", "")),
            submission_id=str(form.get("submission_id", "")),
            consent=str(form.get("consent", "")),
            caller_ip=socket_address(self, settings),
            user_agent=self.router.headers.user_agent,
            provider=(provider := str(form.get("provider") or PaymentProvider.BANK_TRANSFER.value)),
        )
        self.open_order, self.submission_id = ShownOrder(id=order_id), ""
        if provider != PaymentProvider.BANK_TRANSFER.value:
            return await self.pay(order_id)
        await self.load()
        return None

    @event_for(Role.BILLING)
    async def report(self, form: dict[str, Any]) -> None:
        """Report the transfer of the order that the form was filled in for."""
        try:
            await report_transfer(
                caller(),
                settings=get_settings(),
                order_id=str(form.get("order_id", "")),
                payer_name=str(form.get("payer_name", "")),
                bank_reference=str(form.get("bank_reference", "")),
                paid_on=day_of_transfer(str(form.get("paid_on", ""))),
            )
        finally:
            await self.load()

    @event_for(Role.BILLING)
    async def cancel(self, order_id: str) -> None:
        """Call an order off."""
        try:
            await cancel_order(caller(), settings=get_settings(), order_id=order_id)
        finally:
            await self.load()


def top_up() -> rx.Component:
    """Show the open order, the form of a new one, and the list."""
    state = TopUpState
    form = parts.order_form(
        currency=state.currency,
        providers=state.providers,
        statement=state.statement,
        submission_id=state.submission_id,
        follows=state.own_latest_id,
        on_submit=state.order,
    )
    new = rx.cond(state.may_order, card(form, title=text("top_up.new")), note(text("top_up.ask_billing")))
    shown = rx.cond(state.open_order.id != "", _open_order())
    side = rx.cond(state.is_loaded, parts.available(state.available))
    more = rx.el.button(text("top_up.show_all"), type="button", on_click=state.show_all, class_name="button quiet")
    return framed(
        page_heading(text("top_up.title"), lead=text("top_up.lead"), side=side),
        rx.cond(state.is_loaded, parts.not_in_good_standing(state.standing)),
        rx.el.div(shown, id=parts.OPEN_ORDER, tab_index=-1, class_name="open-order"),
        rx.cond(state.is_loaded & (state.standing == "verified"), new),
        card(
            parts.order_table(state.orders, is_loaded=state.is_loaded, on_look=state.look),
            rx.cond(state.has_more, rx.el.div(more, class_name="pager")),
            title=text("top_up.orders"),
        ),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        asks_for_news(state.refresh, while_waiting=state.is_waiting),
        parts.cancel_dialog(state.open_order, on_confirm=state.cancel(state.open_order.id)),
        here="/top-up",
    )


def _open_order() -> rx.Component:
    """Show an order: where it stands, what to transfer, the report."""
    state = TopUpState
    order = state.open_order
    report = parts.report_form(
        order, payer_name=SessionState.organization_name, today=state.today, on_submit=state.report
    )
    payment = payment_facts(
        order,
        code=state.code,
        may_pay=state.may_order,
        on_pay=state.pay(order.id),
        on_check=state.check(order.id),
    )
    return parts.order_card(
        order,
        transfer=parts.transfer_facts(order, bank_account=state.bank_account),
        report=rx.cond(order.is_reportable & state.may_order, report, parts.report_facts(order)),
        payment=payment,
        may_see_receipt=state.may_order,
    )


_LOADS = (LocaleState.derive, TopUpState.load, TopUpState.come_back)
PAGE = Page(route="/top-up", title_key="top_up.title", body=top_up, on_load=_LOADS)
