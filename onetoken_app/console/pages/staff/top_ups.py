"""Finance's desk: reported transfers, the one that is open with the forms to decide, and what was decided before."""

from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state, pager
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.top_up_orders import OPEN_ORDER
from onetoken_app.console.components.transfer_desk import (
    approve_form,
    decision_columns,
    refuse_form,
    transfer_columns,
    transfer_particulars,
)
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.top_ups import (
    Duty,
    ShownDecision,
    ShownTransfer,
    duty_of,
    shown_decision,
    shown_transfer,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.console.top_ups import approve_transfer, refuse_transfer
from onetoken_app.database import read_session
from onetoken_app.errors import BadRequest
from onetoken_app.identity.queries import names_of
from onetoken_app.money import NANOS_PER_UNIT, Nanos
from onetoken_app.payments.alone import left_alone
from onetoken_app.payments.errors import OrderChanged
from onetoken_app.payments.models import TransferRefusal
from onetoken_app.payments.queries import OrderView, decided_orders, reported_orders
from onetoken_app.settings import get_settings

_DECISIONS_A_PAGE = 20
_OUTCOMES = ("transfers.approved", "transfers.credited", "transfers.refused")


class TopUpsState(rx.State):
    """The list, and the transfer that is open."""

    is_loaded: bool = False
    waiting: rx.Field[list[ShownTransfer]] = rx.field(default_factory=list)
    open_transfer: ShownTransfer = ShownTransfer()
    decided: rx.Field[list[ShownDecision]] = rx.field(default_factory=list)
    older_than: str = ""
    """The order after which the next page begins; empty: this is the last."""
    is_newest_page: bool = True
    outcome: str = ""
    """What was done last: the key of its words."""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the list anew, and the open transfer with it; one that was decided is closed."""
        self.waiting = await _waiting(await reader_zone(self))
        await self._read_decided(before=None)
        self.outcome, self.is_loaded = "", True
        self._open(self.open_transfer.id)

    @event_for(Role.STAFF_FINANCE)
    async def refresh(self) -> None:
        """Read the list anew; what is open stays under the forms that are being filled in for it."""
        if (found := await _waiting(await reader_zone(self))) != self.waiting:
            self.waiting = found

    @event_for(Role.STAFF_FINANCE)
    async def newest(self) -> None:
        """Go back to the last decisions."""
        await self._read_decided(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def older(self) -> None:
        """Go on to older decisions."""
        await self._read_decided(before=self.older_than or None)

    @event_for(Role.STAFF_FINANCE)
    async def look(self, order_id: str) -> None:
        """Open one of the transfers on the list."""
        self._open(order_id)
        await self.load()

    @event_for(Role.STAFF_FINANCE)
    async def approve(self, form: dict[str, Any]) -> None:
        """Say that the open transfer arrived; the last approval that is needed credits it."""
        seen = self.open_transfer
        if not seen.id:
            return
        async with shown_anew(self.load):
            _refuse_for_another(form, seen)
            is_credited = await approve_transfer(
                caller(),
                settings=get_settings(),
                order_id=seen.id,
                expected_revision=seen.revision,
                received=str(form.get("received", "")),
                bank_entry=str(form.get("bank_entry", "")),
            )
        await self.load()
        self.outcome = "transfers.credited" if is_credited else "transfers.approved"

    @event_for(Role.STAFF_FINANCE)
    async def refuse(self, form: dict[str, Any]) -> None:
        """Say why the open transfer is not credited."""
        seen, reason = self.open_transfer, str(form.get("reason"))
        if not seen.id:
            return
        if reason not in set(TransferRefusal):
            raise BadRequest("Choose a reason.", parameter="reason")
        async with shown_anew(self.load):
            _refuse_for_another(form, seen)
            await refuse_transfer(
                caller(),
                settings=get_settings(),
                order_id=seen.id,
                expected_revision=seen.revision,
                reason=TransferRefusal(reason),
                words=str(form.get("words", "")),
            )
        await self.load()
        self.outcome = "transfers.refused"

    async def _read_decided(self, *, before: str | None) -> None:
        """Read one page of decisions; one more says whether there is another."""
        async with read_session() as session:
            found = await decided_orders(session, limit=_DECISIONS_A_PAGE + 1, before=before)
            names = await names_of(session, {one for view in found for one in view.approved_by})
        shown = found[:_DECISIONS_A_PAGE]
        zone = await reader_zone(self)
        self.decided = [shown_decision(view, names=names, time_zone=zone) for view in shown]
        self.older_than = shown[-1].id if len(found) > len(shown) else ""
        self.is_newest_page = before is None

    def _open(self, order_id: str) -> None:
        """Show what the list has of a transfer, or none."""
        self.open_transfer = next((one for one in self.waiting if one.id == order_id), ShownTransfer())


def _refuse_for_another(form: dict[str, Any], seen: ShownTransfer) -> None:
    """Refuse a form that was filled in before another transfer was opened, or before this one was changed."""
    if (str(form.get("order_id")), str(form.get("revision"))) != (seen.id, str(seen.revision)):
        raise OrderChanged("This form was for another transfer, or for what it was before; nothing was done.")


async def _waiting(time_zone: str) -> list[ShownTransfer]:
    """Read the list, for whoever calls."""
    async with read_session() as session:
        found = await reported_orders(session)
        named = {one for view in found for one in (view.ordered_by, view.reported_by or "", *view.approved_by)}
        names = await names_of(session, named)
        above_nanos = get_settings().top_up_second_person_above_units * NANOS_PER_UNIT
        left = await left_alone(session, person_id=caller().person.person_id, above_nanos=above_nanos)
    return [_shown(view, names, left_alone_nanos=left[view.currency], time_zone=time_zone) for view in found]


def _shown(view: OrderView, names: dict[str, str], *, left_alone_nanos: Nanos, time_zone: str) -> ShownTransfer:
    """Show a transfer to whoever calls."""
    acting = caller()
    is_member = view.organization_id in {one.organization_id for one in acting.memberships}
    return shown_transfer(
        view,
        left_alone_nanos=left_alone_nanos,
        duty=duty_of(view, person_id=acting.person.person_id, is_member=is_member),
        names=names,
        time_zone=time_zone,
    )


def top_ups() -> rx.Component:
    """Show the list and the open transfer."""
    state = TopUpsState
    said = [(key, rx.el.p(text(key), class_name="note tone-good", role="status")) for key in _OUTCOMES]
    return framed(
        page_heading(text("transfers.title"), lead=text("transfers.lead")),
        rx.match(state.outcome, *said, rx.fragment()),
        card(
            data_table(
                columns=transfer_columns(state.look),
                rows=state.waiting,
                caption=text("transfers.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("transfers.none"), text("transfers.none_next")),
            )
        ),
        rx.el.div(
            rx.cond(state.open_transfer.id != "", _open_transfer()),
            id=OPEN_ORDER,
            tab_index=-1,
            class_name="open-order",
        ),
        card(_decided(), title=text("transfers.decided")),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        asks_for_news(state.refresh),
        here="/staff/top-ups",
    )


def _decided() -> rx.Component:
    """List what was decided, the last first."""
    state = TopUpsState
    return data_table(
        columns=decision_columns(),
        rows=state.decided,
        caption=text("transfers.decided"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("transfers.none_decided"), text("transfers.none_decided_next")),
        pager=pager(
            has_newer=~state.is_newest_page,
            has_older=state.older_than != "",
            on_newest=state.newest,
            on_older=state.older,
        ),
    )


def _open_transfer() -> rx.Component:
    """Show particulars, and the forms for whoever may decide."""
    state = TopUpsState
    transfer = state.open_transfer
    forms = rx.el.div(
        card(approve_form(transfer, on_submit=state.approve)),
        card(refuse_form(transfer, on_submit=state.refuse)),
        class_name="columns",
    )
    return rx.fragment(
        card(transfer_particulars(transfer), title=text("transfers.report")),
        rx.match(
            transfer.duty,
            (Duty.ABSTAIN.value, note(text("transfers.involved"), tone="warning")),
            (Duty.WAIT.value, note(text("transfers.approved_before"), tone="warning")),
            forms,
        ),
    )


PAGE = Page(
    route="/staff/top-ups",
    title_key="transfers.title",
    body=top_ups,
    on_load=(LocaleState.derive, TopUpsState.load),
)
