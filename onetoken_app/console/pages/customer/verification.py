"""Verification, the organization's side: particulars, documents, what is missing, what happens next."""

from typing import Any

import reflex as rx

from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.case_file import (
    CASE_TONES,
    document_form,
    document_table,
    missing_list,
    next_step,
    particulars_form,
    particulars_list,
    reason_given,
)
from onetoken_app.console.components.data_table import loading_rows
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.late_steps import shown_anew
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import SessionState, caller, event_for
from onetoken_app.console.shown.cases import ShownCase, case_to_begin, shown_case
from onetoken_app.console.small_numbers import whole_number
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.organizations.queries import organization
from onetoken_app.settings import get_settings
from onetoken_app.verification import service as verification
from onetoken_app.verification.particulars import CHARACTERS_MAX, Particulars
from onetoken_app.verification.queries import case_of, case_revision


class VerificationState(rx.State):
    """The case on screen."""

    is_loaded: bool = False
    may_change: bool = False
    is_saved: bool = False
    """What was typed last is kept."""
    is_verified: bool = False
    """Calls are admitted, whatever becomes of a change that is under way."""
    form_revision: int = 0
    """Of the case whose particulars the form was filled with; what somebody else wrote since is not written over."""
    organization_id: str = ""
    case: ShownCase = ShownCase()
    time_zone: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the case anew, and begin from it."""
        await self._begin()

    @event_for(Role.VIEWER)
    async def uploaded(self) -> None:
        """Read the case anew with one document more."""
        await self._read()

    async def _begin(self) -> None:
        """Read the case anew, and take it for what the form was filled with."""
        await self._read()
        self.form_revision = self.case.revision

    async def _read(self) -> None:
        """Read the case anew."""
        acting = caller()
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            found = await case_of(session, acting.organization_id)
        if customer is None:
            return
        self.organization_id, self.time_zone = customer.id, customer.time_zone
        zone, filled_with = customer.time_zone, self.case.particulars
        begun = shown_case(found, time_zone=zone, settings=get_settings()) if found else None
        self.case = begun or case_to_begin(customer)
        if self.case.particulars == filled_with:
            self.form_revision = self.case.revision
        self.is_verified = customer.verified_at is not None
        self.may_change = acting.may(Role.ADMINISTRATOR)
        self.is_loaded, self.is_saved = True, False

    @event_for(Role.VIEWER)
    async def refresh(self) -> None:
        """Read the case anew if somebody moved it on."""
        async with read_session() as session:
            revision = await case_revision(session, caller().organization_id)
        if revision != self.case.revision:
            await self._begin()

    @event_for(Role.ADMINISTRATOR)
    async def save(self, form: dict[str, Any]) -> None:
        """Save the particulars as they stand in the form; not over what somebody else saved since it was filled."""
        acting = caller()
        written = {name: str(form.get(name, "")) for name in CHARACTERS_MAX}
        async with shown_anew(self._begin), unit_of_work() as session:
            await verification.save_particulars(
                session,
                organization_id=acting.organization_id,
                particulars=Particulars(**written),
                saved_by=acting.person.person_id,
                expected_revision=whole_number(str(form.get("revision", ""))) or None,
            )
        await self._begin()
        self.is_saved = True

    @event_for(Role.ADMINISTRATOR)
    async def submit(self, revision: int) -> None:
        """Hand the case in as it was on the screen."""
        acting = caller()
        async with shown_anew(self._begin), unit_of_work() as session:
            await verification.submit_case(
                session,
                organization_id=acting.organization_id,
                submitted_by=acting.person.person_id,
                expected_revision=revision,
                mail_room=mail_room(get_settings()),
            )
        await self._begin()

    @event_for(Role.ADMINISTRATOR)
    async def withdraw(self, revision: int) -> None:
        """Take the case back while nobody looks at it."""
        acting = caller()
        async with shown_anew(self._begin), unit_of_work() as session:
            await verification.withdraw_case(
                session,
                organization_id=acting.organization_id,
                withdrawn_by=acting.person.person_id,
                expected_revision=revision,
            )
        await self._begin()

    @event_for(Role.ADMINISTRATOR)
    async def remove(self, document_id: str) -> None:
        """Take a document out."""
        acting = caller()
        async with unit_of_work() as session:
            await verification.remove_document(
                session,
                organization_id=acting.organization_id,
                document_id=document_id,
                removed_by=acting.person.person_id,
            )
        await self._read()


def verification_page() -> rx.Component:
    """Show the case, to be written or to be read."""
    state = VerificationState
    return framed(
        page_heading(
            text("verify.title"),
            lead=rx.cond(state.is_verified, text("verify.lead_verified"), text("verify.lead")),
            side=rx.cond(state.is_loaded, status_badge(state.case.state, prefix="case", tones=CASE_TONES)),
        ),
        rx.cond(state.is_verified & (state.case.state != "approved"), note(text("verify.still_verified"), tone="good")),
        rx.el.div(
            rx.cond(
                state.is_loaded,
                rx.fragment(next_step(state.case.state), reason_given(state.case.reason, state.case.words)),
            ),
            class_name="news",
            aria_live="polite",
        ),
        rx.cond(state.is_loaded, _particulars(), card(loading_rows())),
        card(
            document_table(
                state.case.documents,
                is_loaded=state.is_loaded,
                on_remove=state.remove,
                may_remove=state.may_change & state.case.is_editable,
            ),
            rx.cond(
                _may_write(), document_form(organization_id=SessionState.organization_id, on_uploaded=state.uploaded)
            ),
            title=text("verify.documents"),
        ),
        rx.cond(state.is_loaded, _handing_in()),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        asks_for_news(
            state.refresh, while_waiting=(state.case.state == "submitted") | (state.case.state == "in_review")
        ),
        here="/verification",
    )


def _may_write() -> Any:
    """Whether the form is open to this person now; a decided case is opened again by writing."""
    case = VerificationState.case
    is_open = case.is_editable | (case.state == "approved") | (case.state == "refused")
    return VerificationState.is_loaded & VerificationState.may_change & is_open


def _particulars() -> rx.Component:
    """Show the particulars."""
    state = VerificationState
    form = particulars_form(
        state.case,
        revision=state.form_revision,
        organization_id=state.organization_id,
        is_saved=state.is_saved,
        on_submit=state.save,
    )
    return card(rx.cond(_may_write(), form, particulars_list(state.case.particulars)), title=text("verify.particulars"))


def _handing_in() -> rx.Component:
    """Hand the case in, or take it back."""
    state = VerificationState
    case: Value = state.case
    submit = rx.el.div(
        missing_list(case.missing),
        rx.el.div(
            rx.el.button(
                text("verify.submit"),
                type="button",
                on_click=state.submit(case.revision),
                disabled=(case.missing.length() > 0) | (case.revision == 0),
                class_name="button primary",
            ),
            class_name="dialog-actions",
        ),
        class_name="form",
    )
    withdraw = rx.el.button(
        text("verify.withdraw"), type="button", on_click=state.withdraw(case.revision), class_name="button"
    )
    return rx.cond(
        state.may_change,
        rx.cond(
            state.case.is_editable,
            card(submit, title=text("verify.hand_in")),
            rx.cond(state.case.state == "submitted", card(withdraw)),
        ),
        note(text("verify.ask_owner")),
    )


PAGE = Page(
    route="/verification",
    title_key="verify.title",
    body=verification_page,
    on_load=(LocaleState.derive, VerificationState.load),
)
