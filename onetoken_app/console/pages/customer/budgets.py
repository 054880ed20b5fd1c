"""Budgets: hard caps of the organization, its projects and keys, by day and month, with what they have seen."""

from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.console.callers import Role
from onetoken_app.console.components import budget_forms as parts
from onetoken_app.console.components.card import card, note, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.budgets import ShownBudget, ShownSubject, shown_budget, shown_subjects
from onetoken_app.console.text.lookup import text
from onetoken_app.credit import budgets as budget_service
from onetoken_app.credit.queries import spending_of
from onetoken_app.credit.subjects import subject_from_form
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.keys.queries import keys_of, projects_of
from onetoken_app.organizations.queries import organization


class BudgetsState(rx.State):
    """The list, and the budget that a form or a dialog is about."""

    is_loaded: bool = False
    may_change: bool = False
    budgets: rx.Field[list[ShownBudget]] = rx.field(default_factory=list)
    subjects: rx.Field[list[ShownSubject]] = rx.field(default_factory=list)
    """What a new one can be for."""
    currency: str = ""
    time_zone: str = ""
    changed: ShownBudget = ShownBudget()
    """Whose limit is going to be another."""
    selected: ShownBudget = ShownBudget()
    """What the dialog asks about."""

    @event_for(Role.VIEWER)
    async def load(self) -> None:
        """Read the budgets anew."""
        acting, now = caller(), clock.utc_now()
        async with read_session() as session:
            customer = await organization(session, acting.organization_id)
            if customer is None:
                return
            found = await spending_of(session, customer.id, now=now)
            projects = await projects_of(session, customer.id)
            keys = await keys_of(session, customer.id)
        self.budgets = [shown_budget(view, time_zone=customer.time_zone) for view in found]
        self.subjects = shown_subjects(projects, keys, now=now)
        self.currency, self.time_zone = customer.currency.value, customer.time_zone
        self.may_change, self.changed, self.is_loaded = acting.may(Role.ADMINISTRATOR), ShownBudget(), True

    @event_for(Role.ADMINISTRATOR)
    async def put(self, form: dict[str, Any]) -> None:
        """Set a budget, or another limit of one; the relay keeps it from the next call on."""
        acting = caller()
        subject = subject_from_form(
            str(form.get("subject", "")), str(form.get("window", "")), organization_id=acting.organization_id
        )
        limit_nanos = budget_service.limit_from_text(str(form.get("limit", "")))
        async with unit_of_work() as session:
            await budget_service.set_budget(
                session,
                organization_id=acting.organization_id,
                subject=subject,
                limit_nanos=limit_nanos,
                set_by=acting.person.person_id,
            )
        await self.load()

    @event_for(Role.ADMINISTRATOR)
    async def begin_changing(self, budget_id: str) -> None:
        """Open the form of another limit."""
        self.changed = self._known(budget_id)

    @event_for(Role.ADMINISTRATOR)
    async def leave_changing(self) -> None:
        """Close that form; nothing is saved."""
        self.changed = ShownBudget()

    @event_for(Role.ADMINISTRATOR)
    async def select(self, budget_id: str) -> None:
        """Take the budget that the dialog is going to be about."""
        self.selected = self._known(budget_id)

    @event_for(Role.ADMINISTRATOR)
    async def remove(self, budget_id: str) -> None:
        """Limit nothing by a budget any more."""
        acting = caller()
        try:
            async with unit_of_work() as session:
                await budget_service.remove_budget(
                    session,
                    organization_id=acting.organization_id,
                    budget_id=budget_id,
                    removed_by=acting.person.person_id,
                )
        finally:
            await self.load()

    def _known(self, budget_id: str) -> ShownBudget:
        """Return a row of the list; an empty one when it is not there."""
        return next((one for one in self.budgets if one.id == budget_id), ShownBudget())


def budgets() -> rx.Component:
    """Show the budgets, the form of a new one, and what is open."""
    state = BudgetsState
    new = parts.new_budget_form(
        subjects=state.subjects, currency=state.currency, follows=state.budgets.length(), on_submit=state.put
    )
    changing = parts.limit_form(
        state.changed, currency=state.currency, on_submit=state.put, on_close=state.leave_changing
    )  # fmt: skip
    return framed(
        page_heading(text("budgets.title"), lead=text("budgets.lead")),
        card(
            data_table(
                columns=parts.budget_columns(
                    may_change=state.may_change, on_change=state.begin_changing, on_remove=state.select
                ),
                rows=state.budgets,
                caption=text("budgets.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("budgets.none"), text("budgets.none_next")),
            )
        ),
        rx.el.div(
            rx.cond(state.changed.id != "", card(changing, title=text("budgets.change_title"))),
            id=parts.OPEN_BUDGET,
            tab_index=-1,
            class_name="open-order",
        ),
        rx.cond(
            state.is_loaded,
            rx.cond(state.may_change, card(new, title=text("budgets.new")), note(text("budgets.ask_administrator"))),
        ),
        rx.el.p(text("budgets.times_in", zone=state.time_zone), class_name="quiet-text"),
        parts.remove_dialog(state.selected, on_confirm=state.remove(state.selected.id)),
        here="/budgets",
    )


PAGE = Page(route="/budgets", title_key="budgets.title", body=budgets, on_load=(LocaleState.derive, BudgetsState.load))
