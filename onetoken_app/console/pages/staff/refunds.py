"""Finance's desk of refunds: what is under way, the one that is open with the forms to decide, and what has ended."""

import secrets
from collections.abc import Awaitable
from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components import refunds as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state, pager
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.top_up_orders import OPEN_ORDER
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.refunds import (
    approve_refund,
    ask_for_refund_of,
    confirm_transfer_back,
    give_up_transfer_back,
    refuse_refund,
)
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.refunds import RefundStep, ShownRefund, shown_refund_at_desk, step_of
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.identity.queries import names_of
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.payments.alone import left_alone
from onetoken_app.payments.errors import RefundChanged
from onetoken_app.payments.refund_queries import RefundView, ended_refunds, refunds_under_way
from onetoken_app.settings import get_settings

_ENDED_A_PAGE = 20


class RefundDeskState(rx.State):
    """The list, and the refund that is open."""

    is_loaded: bool = False
    waiting: rx.Field[list[ShownRefund]] = rx.field(default_factory=list)
    open_refund: ShownRefund = ShownRefund()
    ended: rx.Field[list[ShownRefund]] = rx.field(default_factory=list)
    older_than: str = ""
    """The refund after which the next page begins; empty: this is the last."""
    is_newest_page: bool = True
    submission_id: str = ""
    outcome: str = ""
    """What was done last: the end of the key of its words."""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the list anew, and the open refund with it; one that has ended is closed."""
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def refresh(self) -> None:
        """Read the list anew; what is open stays under the forms that are being filled in for it."""
        async with read_session() as session:
            found = await _shown(await refunds_under_way(session), await reader_zone(self))
        if found != self.waiting:
            self.waiting = found

    @event_for(Role.STAFF_FINANCE)
    async def newest(self) -> None:
        """Go back to the last that ended."""
        await self._read_ended(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def older(self) -> None:
        """Go on to older ones."""
        await self._read_ended(before=self.older_than or None)

    @event_for(Role.STAFF_FINANCE)
    async def look(self, refund_id: str) -> None:
        """Open one of the refunds on the list."""
        self.open_refund = ShownRefund(id=refund_id)
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def ask(self, form: dict[str, Any]) -> None:
        """Ask for a refund in the name of an organization; colleagues decide on it."""
        await ask_for_refund_of(
            caller(),
            settings=get_settings(),
            reference=str(form.get("reference", "")),
            amount=str(form.get("amount", "")),
            submission_id=str(form.get("submission_id", "")),
            words=str(form.get("words", "")),
        )
        self.submission_id = ""
        await self._read("asked")

    @event_for(Role.STAFF_FINANCE)
    async def approve(self, form: dict[str, Any]) -> None:
        """Approve the open refund; the last approval that is needed has it paid out."""
        which = _which(form, self.open_refund)
        is_held = await self._done(approve_refund(caller(), **which))
        await self._read("held" if is_held else "approved")

    @event_for(Role.STAFF_FINANCE)
    async def refuse(self, form: dict[str, Any]) -> None:
        """Say why nothing is refunded."""
        which = _which(form, self.open_refund)
        reason, words = str(form.get("reason")), str(form.get("words", ""))
        await self._done(refuse_refund(caller(), **which, reason=reason, words=words))
        await self._read("refused")

    @event_for(Role.STAFF_FINANCE)
    async def confirm(self, form: dict[str, Any]) -> None:
        """Say that the open refund was transferred by hand."""
        which = _which(form, self.open_refund)
        await self._done(confirm_transfer_back(caller(), **which, bank_entry=str(form.get("bank_entry", ""))))
        await self._read("confirmed")

    @event_for(Role.STAFF_FINANCE)
    async def give_up(self, form: dict[str, Any]) -> None:
        """Say that the open refund could not be transferred; the balance has it again."""
        which = _which(form, self.open_refund)
        await self._done(give_up_transfer_back(caller(), **which, words=str(form.get("words", ""))))
        await self._read("given_up")

    async def _done(self, deciding: Awaitable[Any]) -> Any:
        """Decide; who was too late sees the list as it is now."""
        async with shown_anew(self._read):
            return await deciding

    async def _read(self, outcome: str = "") -> None:
        """Read the lists anew, and say what was done."""
        async with read_session() as session:
            self.waiting = await _shown(await refunds_under_way(session), await reader_zone(self))
        self.open_refund = next((one for one in self.waiting if one.id == self.open_refund.id), ShownRefund())
        await self._read_ended(before=None)
        self.submission_id = self.submission_id or secrets.token_urlsafe(12)
        self.outcome, self.is_loaded = outcome, True

    async def _read_ended(self, *, before: str | None) -> None:
        """Read one page of what has ended; one more says whether there is another."""
        async with read_session() as session:
            found = await ended_refunds(session, limit=_ENDED_A_PAGE + 1, before=before)
        self.ended = await _shown(found[:_ENDED_A_PAGE], await reader_zone(self))
        self.older_than = self.ended[-1].id if len(found) > _ENDED_A_PAGE else ""
        self.is_newest_page = before is None


def _which(form: dict[str, Any], seen: ShownRefund) -> dict[str, Any]:
    """Name the open refund as it was seen; refuse a form for another, or for what it was before."""
    if not seen.id or (str(form.get("refund_id")), str(form.get("revision"))) != (seen.id, str(seen.revision)):
        raise RefundChanged("This form was for another refund, or for what it was before; nothing was done.")
    return {"settings": get_settings(), "refund_id": seen.id, "expected_revision": seen.revision}


async def _shown(found: list[RefundView], time_zone: str) -> list[ShownRefund]:
    """Show refunds to whoever calls."""
    acting = caller()
    own = {one.organization_id for one in acting.memberships}
    async with read_session() as session:
        names = await names_of(session, {one for view in found for one in (view.asked_by, *view.approved_by)})
        above_nanos = get_settings().refund_second_person_above_units * NANOS_PER_UNIT
        left = await left_alone(session, person_id=acting.person.person_id, above_nanos=above_nanos)
    return [
        shown_refund_at_desk(
            view,
            left_alone_nanos=left[view.currency],
            step=step_of(view, person_id=acting.person.person_id, is_member=view.organization_id in own),
            names=names,
            time_zone=time_zone,
        )
        for view in found
    ]


def refunds() -> rx.Component:
    """Show the lists, the open refund, and the form to ask for one."""
    state = RefundDeskState
    waiting = data_table(
        columns=parts.desk_columns(state.look),
        rows=state.waiting,
        caption=text("refund_desk.title"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("refund_desk.none"), text("refund_desk.none_next")),
    )
    asking = parts.ask_form_of_finance(submission_id=state.submission_id, on_submit=state.ask)
    return framed(
        page_heading(text("refund_desk.title"), lead=text("refund_desk.lead")),
        parts.done_note(state.outcome),
        card(waiting),
        rx.el.div(
            rx.cond(state.open_refund.id != "", _open_refund()), id=OPEN_ORDER, tab_index=-1, class_name="open-order"
        ),
        card(asking, title=text("refund_desk.ask")),
        card(_ended(), title=text("refund_desk.ended")),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        asks_for_news(state.refresh),
        here="/staff/refunds",
    )


def _ended() -> rx.Component:
    """List what has ended, the last first."""
    state = RefundDeskState
    return data_table(
        columns=parts.ended_columns(),
        rows=state.ended,
        caption=text("refund_desk.ended"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("refund_desk.none_ended"), text("refund_desk.none_ended_next")),
        pager=pager(
            has_newer=~state.is_newest_page,
            has_older=state.older_than != "",
            on_newest=state.newest,
            on_older=state.older,
        ),
    )


def _open_refund() -> rx.Component:
    """Show particulars, and the forms for whoever may decide."""
    state, refund = RefundDeskState, RefundDeskState.open_refund
    deciding = (
        card(parts.approve_form(refund, on_submit=state.approve)),
        card(parts.refuse_form(refund, on_submit=state.refuse)),
    )
    transferring = (
        card(parts.confirm_form(refund, on_submit=state.confirm)),
        card(parts.give_up_form(refund, on_submit=state.give_up)),
    )
    return rx.fragment(
        card(parts.refund_particulars(refund), title=text("refund_desk.open")),
        rx.match(
            refund.step,
            (RefundStep.DECIDE.value, rx.el.div(*deciding, class_name="columns")),
            (RefundStep.TRANSFER.value, rx.el.div(*transferring, class_name="columns")),
            (RefundStep.ABSTAIN.value, note(text("refund_desk.involved"), tone="warning")),
            (RefundStep.WAIT.value, note(text("refund_desk.approved_before"), tone="warning")),
            note(text("refund_desk.at_provider")),
        ),
    )


PAGE = Page(
    route="/staff/refunds",
    title_key="refund_desk.title",
    body=refunds,
    on_load=(LocaleState.derive, RefundDeskState.load),
)
