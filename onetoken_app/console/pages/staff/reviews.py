"""The reviewers' desk: cases that wait, longest waiting first, and the one that is open beside its documents."""

from collections.abc import Awaitable, Callable
from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components import review_desk as desk
from onetoken_app.console.components.agreement_forms import approval_words, use_list
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.case_file import CASE_TONES, document_table, particulars_list
from onetoken_app.console.components.data_table import data_table, empty_state, pager
from onetoken_app.console.components.dialogs import confirm_dialog
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.acceptances import uses_of
from onetoken_app.console.shown.cases import (
    ShownCase,
    ShownDecidedCase,
    ShownWaitingCase,
    shown_case,
    shown_decided_case,
    waiting_on_desk,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.settings import get_settings
from onetoken_app.verification import review
from onetoken_app.verification.models import ReviewReason
from onetoken_app.verification.queries import case, decided_cases

_DECISIONS_A_PAGE = 20
_APPROVE_DIALOG = "approve-case"
_DECISIONS = {"ask": review.ask_for_more, "refuse": review.refuse_case}


class ReviewsState(rx.State):
    """The list, and the case that is open."""

    is_loaded: bool = False
    waiting: rx.Field[list[ShownWaitingCase]] = rx.field(default_factory=list)
    open_case: ShownCase = ShownCase()
    is_mine: bool = False
    decided: rx.Field[list[ShownDecidedCase]] = rx.field(default_factory=list)
    older_than: str = ""
    """The case after which the next page begins; empty: this is the last."""
    is_newest_page: bool = True
    uses: rx.Field[list[str]] = rx.field(default_factory=list)
    consents_to_public: bool = False

    @event_for(Role.STAFF_REVIEWER)
    async def load(self) -> None:
        """Read the list anew, and the open case with it."""
        zone = await reader_zone(self)
        async with read_session() as session:
            self.waiting = await waiting_on_desk(session, time_zone=zone)
            found = await case(session, self.open_case.id) if self.open_case.id else None
            self.uses, self.consents_to_public = await uses_of(session, found.organization_id) if found else ([], False)
        self.open_case = shown_case(found, time_zone=zone, settings=get_settings()) if found else ShownCase()
        self.is_mine = found is not None and found.reviewer_id == caller().person.person_id
        await self._read_decided(before=None)
        self.is_loaded = True

    @event_for(Role.STAFF_REVIEWER)
    async def refresh(self) -> None:
        """Read the list anew; what is open stays as the reviewer reads it."""
        async with read_session() as session:
            if (found := await waiting_on_desk(session, time_zone=await reader_zone(self))) != self.waiting:
                self.waiting = found

    @event_for(Role.STAFF_REVIEWER)
    async def newest(self) -> None:
        """Go back to the last decisions."""
        await self._read_decided(before=None)

    @event_for(Role.STAFF_REVIEWER)
    async def older(self) -> None:
        """Go on to older decisions."""
        await self._read_decided(before=self.older_than or None)

    @event_for(Role.STAFF_REVIEWER)
    async def look(self, case_id: str) -> None:
        """Open a case to read it."""
        self.open_case = ShownCase(id=case_id)
        await self.load()

    @event_for(Role.STAFF_REVIEWER)
    async def take(self, case_id: str, revision: int) -> None:
        """Take the open case, so that nobody else decides on it meanwhile."""
        await self._act(review.take_case, case_id, revision, reviewer_id=caller().person.person_id)

    @event_for(Role.STAFF_REVIEWER)
    async def release(self, case_id: str, revision: int) -> None:
        """Give the open case back to the list."""
        await self._act(review.release_case, case_id, revision, reviewer_id=caller().person.person_id)

    @event_for(Role.STAFF_REVIEWER)
    async def approve(self, case_id: str, revision: int) -> None:
        """Confirm that the organization is what it says, and consent to its use where the box is ticked."""
        await self._act(
            review.approve_case,
            case_id,
            revision,
            decided_by=caller().person.person_id,
            mail_room=mail_room(get_settings()),
            consents_to_public_service=self.consents_to_public,
        )

    @event_for(Role.STAFF_REVIEWER)
    async def consent(self, case_id: str, consents: bool) -> None:  # noqa: FBT001 # a browser sends arguments by position
        """Tick the box of the open case; nothing is saved yet."""
        self.consents_to_public = consents if case_id == self.open_case.id else self.consents_to_public

    @event_for(Role.STAFF_REVIEWER)
    async def answer(self, form: dict[str, Any]) -> None:
        """Ask for more, or refuse, with a reason of the list and words of one's own."""
        decide, reason = _DECISIONS.get(str(form.get("decision"))), str(form.get("reason"))
        if decide is None or reason not in set(ReviewReason):
            raise BadRequest("Choose what to do and a reason.", parameter="reason")
        await self._act(
            decide,
            form.get("case_id"),
            form.get("revision"),
            decided_by=caller().person.person_id,
            reason=ReviewReason(reason),
            words=str(form.get("words", "")),
            mail_room=mail_room(get_settings()),
        )

    async def _act(self, act: Callable[..., Awaitable[None]], case_id: Any, revision: Any, **how: Any) -> None:
        """Do something about the case that was on the screen, as it was; another one, or a newer one, is loaded."""
        seen = self.open_case
        if (str(case_id), str(revision)) != (seen.id, str(seen.revision)):
            await self.load()
            raise Conflict("This was for another case, or for what it was before; nothing was done. Look again.")
        async with shown_anew(self.load), unit_of_work() as session:
            await act(session, case_id=seen.id, expected_revision=seen.revision, **how)
        await self.load()

    async def _read_decided(self, *, before: str | None) -> None:
        """Read one page of decisions; one more says whether there is another."""
        async with read_session() as session:
            found = await decided_cases(session, limit=_DECISIONS_A_PAGE + 1, before=before)
        shown, zone = found[:_DECISIONS_A_PAGE], await reader_zone(self)
        self.decided = [shown_decided_case(view, time_zone=zone) for view in shown]
        self.older_than, self.is_newest_page = shown[-1].id if len(found) > len(shown) else "", before is None


def reviews() -> rx.Component:
    """Show the list and the open case."""
    state = ReviewsState
    return framed(
        page_heading(text("reviews.title"), lead=text("reviews.lead")),
        card(
            data_table(
                columns=desk.waiting_columns(state.look),
                rows=state.waiting,
                caption=text("reviews.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("reviews.none"), text("reviews.none_next")),
            )
        ),
        desk.open_place(rx.cond(state.open_case.revision > 0, _open_case())),
        card(
            desk.decided_table(
                state.decided,
                is_loaded=state.is_loaded,
                on_look=state.look,
                pager=pager(
                    has_newer=~state.is_newest_page,
                    has_older=state.older_than != "",
                    on_newest=state.newest,
                    on_older=state.older,
                ),
            ),
            title=text("reviews.decided"),
        ),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        confirm_dialog(
            element_id=_APPROVE_DIALOG,
            title=text("reviews.approve_title"),
            consequence=approval_words(
                state.open_case.particulars.legal_name,
                state.uses,
                is_consented=state.consents_to_public,
                on_consent=state.consent(state.open_case.id, ~state.consents_to_public),
            ),
            confirm=text("reviews.approve"),
            on_confirm=state.approve(state.open_case.id, state.open_case.revision),
            takes_away=False,
        ),
        asks_for_news(state.refresh),
        here="/staff/reviews",
    )


def _open_case() -> rx.Component:
    """Show particulars beside documents, and what may be done."""
    state = ReviewsState
    seen = (state.open_case.id, state.open_case.revision)
    return rx.fragment(
        rx.el.div(
            card(
                particulars_list(state.open_case.particulars),
                use_list(state.uses, title=text("reviews.declared_use")),
                title=text("verify.particulars"),
                side=status_badge(state.open_case.state, prefix="case", tones=CASE_TONES),
            ),
            card(
                document_table(state.open_case.documents, is_loaded=state.is_loaded),
                note(text("reviews.looks_are_kept")),
                title=text("verify.documents"),
            ),
            class_name="columns to-the-right",
        ),
        rx.cond(
            state.open_case.state == "submitted",
            card(desk.take_offer(on_take=state.take(*seen)), title=text("reviews.decide")),
        ),
        rx.cond(
            (state.open_case.state == "in_review") & state.is_mine,
            card(
                desk.decision_form(
                    state.open_case,
                    on_answer=state.answer,
                    on_release=state.release(*seen),
                    approves=_APPROVE_DIALOG,
                ),
                title=text("reviews.decide"),
            ),
        ),
    )


PAGE = Page(
    route="/staff/reviews",
    title_key="reviews.title",
    body=reviews,
    on_load=(LocaleState.derive, ReviewsState.load),
)
