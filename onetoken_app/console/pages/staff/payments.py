"""Finance's page of what payment providers said, what of it was believed, and what was ordered at them."""

from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components import provider_payments as parts
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state, pager
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.provider_payments import (
    ShownNotification,
    ShownProviderOrder,
    ShownRefused,
    shown_notification,
    shown_provider_order,
    shown_refused,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.provider_queries import notifications, provider_orders
from onetoken_app.payments.refused_notifications import refused_since_start

_ROWS_A_PAGE = 20


class ProviderPaymentsState(rx.State):
    """The lists on screen."""

    is_loaded: bool = False
    said: rx.Field[list[ShownNotification]] = rx.field(default_factory=list)
    refused: rx.Field[list[ShownRefused]] = rx.field(default_factory=list)
    orders: rx.Field[list[ShownProviderOrder]] = rx.field(default_factory=list)
    has_older_said: bool = False
    has_newer_said: bool = False
    has_older_orders: bool = False
    has_newer_orders: bool = False
    _sought: str = ""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the newest of everything anew."""
        zone = await reader_zone(self)
        self.refused = [shown_refused(one, time_zone=zone) for one in refused_since_start()]
        await self._read_said(before=None)
        await self._read_orders(before=None)
        self.is_loaded = True

    @event_for(Role.STAFF_FINANCE)
    async def search(self, form: dict[str, Any]) -> None:
        """List those alone that have such an id."""
        self._sought = str(form.get("sought", ""))
        await self._read_said(before=None)
        await self._read_orders(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def newest_said(self) -> None:
        """Go back to what was said last."""
        await self._read_said(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def older_said(self) -> None:
        """Go on to what was said before."""
        last = self.said[-1] if self.said else None
        await self._read_said(before=(PaymentProvider(last.provider), last.id) if last else None)

    @event_for(Role.STAFF_FINANCE)
    async def newest_orders(self) -> None:
        """Go back to the last orders."""
        await self._read_orders(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def older_orders(self) -> None:
        """Go on to older orders."""
        await self._read_orders(before=self.orders[-1].id if self.orders else None)

    async def _read_said(self, *, before: tuple[PaymentProvider, str] | None) -> None:
        """Read one page of what was said; one more says whether there is another."""
        async with read_session() as session:
            found = await notifications(session, limit=_ROWS_A_PAGE + 1, words=self._sought, before=before)
        zone = await reader_zone(self)
        self.said = [shown_notification(one, time_zone=zone) for one in found[:_ROWS_A_PAGE]]
        self.has_older_said, self.has_newer_said = len(found) > _ROWS_A_PAGE, before is not None

    async def _read_orders(self, *, before: str | None) -> None:
        """Read one page of orders; one more says whether there is another."""
        async with read_session() as session:
            found = await provider_orders(session, limit=_ROWS_A_PAGE + 1, words=self._sought, before=before)
        zone = await reader_zone(self)
        self.orders = [shown_provider_order(one, time_zone=zone) for one in found[:_ROWS_A_PAGE]]
        self.has_older_orders, self.has_newer_orders = len(found) > _ROWS_A_PAGE, before is not None


def payments() -> rx.Component:
    """Show the lists."""
    state = ProviderPaymentsState
    refused = data_table(
        columns=parts.refused_columns(),
        rows=state.refused,
        caption=text("provider_payments.refused"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("provider_payments.none_refused"), text("provider_payments.none_refused_next")),
    )
    return framed(
        page_heading(text("provider_payments.title"), lead=text("provider_payments.lead")),
        card(parts.search_form(on_submit=state.search)),
        card(_said(), title=text("provider_payments.notifications")),
        card(_orders(), title=text("provider_payments.orders")),
        card(refused, title=text("provider_payments.refused")),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        here="/staff/payments",
    )


def _said() -> rx.Component:
    """List what providers said, and what came of it."""
    state = ProviderPaymentsState
    return data_table(
        columns=parts.notification_columns(),
        rows=state.said,
        caption=text("provider_payments.notifications"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("provider_payments.none_said"), text("provider_payments.none_said_next")),
        pager=pager(
            has_newer=state.has_newer_said,
            has_older=state.has_older_said,
            on_newest=state.newest_said,
            on_older=state.older_said,
        ),
    )


def _orders() -> rx.Component:
    """List what was ordered at providers."""
    state = ProviderPaymentsState
    return data_table(
        columns=parts.order_columns(),
        rows=state.orders,
        caption=text("provider_payments.orders"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("provider_payments.none_orders"), text("provider_payments.none_orders_next")),
        pager=pager(
            has_newer=state.has_newer_orders,
            has_older=state.has_older_orders,
            on_newest=state.newest_orders,
            on_older=state.older_orders,
        ),
    )


PAGE = Page(
    route="/staff/payments",
    title_key="provider_payments.title",
    body=payments,
    on_load=(LocaleState.derive, ProviderPaymentsState.load),
)
