"""Finance's desk of adjustments: proposals, the one that is open, and what was decided."""

import secrets
from collections.abc import Awaitable
from typing import Any

import reflex as rx

from onetoken_app.console.adjustments import drop_adjustment, make_adjustment, propose_adjustment, shown_at_desk
from onetoken_app.console.callers import Role
from onetoken_app.console.components import adjustments as parts
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state, pager
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.top_up_orders import OPEN_ORDER
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.adjustments import ShownAdjustment
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.payments.adjustment_queries import (
    AdjustmentView,
    adjustment_for_staff,
    decided_adjustments,
    proposed_adjustments,
)
from onetoken_app.settings import get_settings

_DECIDED_A_PAGE = 20


class AdjustmentsState(rx.State):
    """The lists, and the adjustment that is open."""

    is_loaded: bool = False
    waiting: rx.Field[list[ShownAdjustment]] = rx.field(default_factory=list)
    open_adjustment: ShownAdjustment = ShownAdjustment()
    decided: rx.Field[list[ShownAdjustment]] = rx.field(default_factory=list)
    older_than: str = ""
    """The adjustment after which the next page begins; empty: this is the last."""
    is_newest_page: bool = True
    submission_id: str = ""
    outcome: str = ""
    """What was done last: the end of the key of its words."""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the lists anew, and the open adjustment with them."""
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def refresh(self) -> None:
        """Read what waits anew; what is open stays as it was seen."""
        async with read_session() as session:
            found = await proposed_adjustments(session)
        if (shown := await _shown(self, found)) != self.waiting:
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
    async def look(self, adjustment_id: str) -> None:
        """Open one of the adjustments."""
        self.open_adjustment = ShownAdjustment(id=adjustment_id)
        await self._read()

    @event_for(Role.STAFF_FINANCE)
    async def propose(self, form: dict[str, Any]) -> None:
        """Propose an adjustment, and open it."""
        adjustment_id = await propose_adjustment(caller(), settings=get_settings(), form=form)
        self.open_adjustment, self.submission_id = ShownAdjustment(id=adjustment_id), ""
        await self._read("proposed")

    @event_for(Role.STAFF_FINANCE)
    async def make(self, form: dict[str, Any]) -> None:
        """Put the balance right as it was proposed."""
        await self._do("made", make_adjustment(caller(), settings=get_settings(), form=form))

    @event_for(Role.STAFF_FINANCE)
    async def drop(self, form: dict[str, Any]) -> None:
        """Make nothing of a proposal."""
        await self._do("dropped", drop_adjustment(caller(), form=form))

    async def _do(self, outcome: str, doing: Awaitable[None]) -> None:
        """Do it and say so; who was too late sees everything as it is now."""
        async with shown_anew(self._read):
            await doing
        await self._read(outcome)

    async def _read(self, outcome: str = "") -> None:
        """Read everything anew, and say what was done."""
        open_id = self.open_adjustment.id
        async with read_session() as session:
            found = await proposed_adjustments(session)
            opened = await adjustment_for_staff(session, open_id) if open_id else None
        self.waiting = await _shown(self, found)
        (self.open_adjustment,) = await _shown(self, [opened]) if opened else [ShownAdjustment()]
        await self._read_decided(before=None)
        self.submission_id = self.submission_id or secrets.token_urlsafe(12)
        self.outcome, self.is_loaded = outcome, True

    async def _read_decided(self, *, before: str | None) -> None:
        """Read one page of what was decided; one more says whether there is another."""
        async with read_session() as session:
            found = await decided_adjustments(session, limit=_DECIDED_A_PAGE + 1, before=before)
        self.decided = await _shown(self, found[:_DECIDED_A_PAGE])
        self.older_than = self.decided[-1].id if len(found) > _DECIDED_A_PAGE else ""
        self.is_newest_page = before is None


async def _shown(state: rx.State, found: list[AdjustmentView]) -> list[ShownAdjustment]:
    """Show adjustments to whoever calls."""
    return await shown_at_desk(caller(), found, settings=get_settings(), time_zone=await reader_zone(state))


def adjustments() -> rx.Component:
    """Show the lists, the open adjustment, and the form to propose one."""
    state = AdjustmentsState
    opened = parts.open_adjustment(state.open_adjustment, on_make=state.make, on_drop=state.drop)
    waiting = data_table(
        columns=parts.waiting_columns(state.look),
        rows=state.waiting,
        caption=text("adjustments.title"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("adjustments.none"), text("adjustments.none_next")),
    )
    decided = data_table(
        columns=parts.decided_columns(state.look),
        rows=state.decided,
        caption=text("adjustments.decided"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("adjustments.none_decided"), text("adjustments.none_decided_next")),
        pager=pager(
            has_newer=~state.is_newest_page,
            has_older=state.older_than != "",
            on_newest=state.newest,
            on_older=state.older,
        ),
    )
    proposing = parts.propose_form(submission_id=state.submission_id, on_submit=state.propose)
    return framed(
        page_heading(text("adjustments.title"), lead=text("adjustments.lead")),
        parts.done_note(state.outcome),
        card(waiting),
        rx.el.div(
            rx.cond(state.open_adjustment.id != "", opened), id=OPEN_ORDER, tab_index=-1, class_name="open-order"
        ),
        card(proposing, title=text("adjustments.propose_title")),
        card(decided, title=text("adjustments.decided")),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        asks_for_news(state.refresh),
        here="/staff/adjustments",
    )


PAGE = Page(
    route="/staff/adjustments",
    title_key="adjustments.title",
    body=adjustments,
    on_load=(LocaleState.derive, AdjustmentsState.load),
)
