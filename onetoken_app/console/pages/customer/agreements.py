"""Agreements: what waits for the organization's acceptance, what it accepted, and what it declared to do."""

from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.agreements.declarations import statement
from onetoken_app.agreements.models import DeclarationKind
from onetoken_app.agreements.queries import acceptances_of, owed_agreements
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.console.callers import Role
from onetoken_app.console.components.agreement_forms import (
    acceptance_form,
    acceptance_table,
    owed_text,
    use_form,
    use_list,
    use_standing,
)
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import loading_rows
from onetoken_app.console.components.new_texts import consequence_for_calls
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.navigation import AGREEMENTS
from onetoken_app.console.session import SessionState, caller, event_for
from onetoken_app.console.shown.acceptances import (
    ShownAcceptance,
    ShownOwed,
    shown_acceptance,
    shown_owed,
    uses_of,
)
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.organizations.models import Scenario
from onetoken_app.organizations.queries import organization
from onetoken_app.organizations.service import declare_scenarios


class AgreementsState(rx.State):
    """The texts and rows on screen."""

    is_loaded: bool = False
    may_change: bool = False
    is_named: bool = True
    is_declared: bool = False
    """What was ticked last is on file."""
    owed: rx.Field[list[ShownOwed]] = rx.field(default_factory=list)
    accepted: rx.Field[list[ShownAcceptance]] = rx.field(default_factory=list)
    authority: str = ""
    uses: rx.Field[list[str]] = rx.field(default_factory=list)
    has_consent: bool = False
    time_zone: str = ""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read everything anew, in the reader's language."""
        acting, now = caller(), clock.utc_now()
        locale = (await self.get_state(LocaleState)).code
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            owed = await owed_agreements(session, [acting.organization_id])
            found = await acceptances_of(session, acting.organization_id)
            self.uses, self.has_consent = await uses_of(session, acting.organization_id)
        self.time_zone = customer.time_zone if customer else "UTC"
        self.owed = shown_owed(owed.get(acting.organization_id, ()), locale=locale, on=now.date())
        self.accepted = [shown_acceptance(view, time_zone=self.time_zone) for view in found]
        self.authority = statement(DeclarationKind.AUTHORITY, locale)
        self.is_named = acting.person.name != ""
        self.may_change = acting.may(Role.ADMINISTRATOR)
        self.is_loaded, self.is_declared = True, False

    @event_for(Role.ADMINISTRATOR)
    async def declare(self, form: dict[str, Any]) -> None:
        """Put on file what the service is used for."""
        acting = caller()
        scenarios = [scenario for scenario in Scenario if form.get(scenario.value)]
        async with unit_of_work() as session:
            await declare_scenarios(
                session,
                organization_id=acting.organization_id,
                scenarios=scenarios,
                declared_by=acting.person.person_id,
            )
            await audit.record(
                session,
                actor=Actor(ActorKind.PERSON, acting.person.person_id),
                action="scenarios_declared",
                subject_id=acting.organization_id,
                organization_id=acting.organization_id,
                facts={"scenarios": " ".join(scenarios)},
            )
        await self.load()
        self.is_declared = True


def agreements() -> rx.Component:
    """Show what waits first, then what is on file."""
    state = AgreementsState
    return framed(
        page_heading(text("agreements.title"), lead=text("agreements.lead")),
        rx.cond(state.owed.length() > 0, _waiting()),
        card(acceptance_table(state.accepted, is_loaded=state.is_loaded), title=text("agreements.accepted_texts")),
        card(rx.cond(state.is_loaded, _use(), loading_rows()), title=text("use.title")),
        rx.el.p(text("frame.times_in", zone=state.time_zone), class_name="quiet-text"),
        here=AGREEMENTS,
    )


def _waiting() -> rx.Component:
    """Show the texts, and ask who may accept them."""
    state = AgreementsState
    form = acceptance_form(
        state.owed,
        organization_id=SessionState.organization_id,
        locale=LocaleState.code,
        authority=state.authority,
        is_named=state.is_named,
        on_accepted=state.load,
    )
    return rx.fragment(
        consequence_for_calls(SessionState.calls_stop_on),
        rx.foreach(state.owed, owed_text),
        rx.cond(state.may_change, form, note(text("texts.ask_owner"), tone="warning")),
    )


def _use() -> rx.Component:
    """Show what was declared; those in charge may declare anew."""
    state = AgreementsState
    return rx.el.div(
        rx.el.p(text("use.lead"), class_name="quiet-text"),
        use_standing(state.uses, has_consent=state.has_consent),
        rx.cond(state.may_change, use_form(state.uses, on_declare=state.declare), use_list(state.uses)),
        rx.cond(state.is_declared, rx.el.p(text("verify.saved"), class_name="note tone-good", role="status")),
        class_name="stack",
    )


PAGE = Page(
    route="/agreements",
    title_key="agreements.title",
    body=agreements,
    on_load=(LocaleState.derive, AgreementsState.load),
)
