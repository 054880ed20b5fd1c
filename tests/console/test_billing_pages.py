"""Pages of statements and invoices show each member what their role may see, of their own organization alone."""

from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
import sqlalchemy as sa
from reflex.state import State

from onetoken_app import clock
from onetoken_app.billing.statement_queries import statements_of
from onetoken_app.console import running_months
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.pages.customer.invoices import InvoicesState
from onetoken_app.console.pages.customer.statements import StatementsState
from onetoken_app.console.session import SessionState
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.jobs.close_statements import close_some, reckoned_months
from onetoken_app.ledger.models import Account
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from tests.console.conftest import Signed, a_signed_in
from tests.payments import orders
from tests.support.builders import a_person


@pytest.fixture(autouse=True)
def _settings_of_a_process(monkeypatch: pytest.MonkeyPatch, sqlite_settings: Settings) -> None:
    """Let events find the same installation as the rest of a test."""
    monkeypatch.setenv("ONETOKEN_DATA_DIR", str(sqlite_settings.data_dir))


async def shown(of: type[rx.State], signed: Signed, *events: tuple[str, ...]) -> Any:
    """Call events in a new tab of somebody; return the State, with the refusal beside it."""
    tab = State(_reflex_internal_init=True)  # type: ignore[call-arg] # as Reflex itself does
    headers = {"cookie": signed.cookie, "origin": "http://localhost:8000"}
    route = {"pathname": "/", "asPath": "/", "query": {}, "token": "tab", "sid": "1", "headers": headers}
    tab.router_data = tab._update_router_vars(route, {})
    state: Any = await tab.get_state(of)
    for name, *arguments in events:
        await of.event_handlers[name].fn(state, *arguments)
    return state, (await tab.get_state(SessionState)).refusal


async def a_paid_order(signed: Signed) -> None:
    """Credit a top-up of somebody's organization."""
    async with unit_of_work() as session:
        cast = orders.Cast(signed.organization_id, signed.person_id, await a_person(session), await a_person(session))
    order_id = await orders.place(cast)
    await orders.report(cast, order_id)
    await orders.approve(cast, order_id)


async def a_statement(signed: Signed, settings: Settings) -> str:
    """Close a month of everybody, and return the statement's id of one organization."""
    moment = clock.utc_now() - timedelta(days=40)
    async with unit_of_work() as session:
        await (await session.connection()).execute(sa.update(Account).values(created_at=moment))
    figures = await reckoned_months()
    async with unit_of_work() as session:
        await close_some(session, settings, figures=figures)
    async with read_session() as session:
        return (await statements_of(session, signed.organization_id))[0].id


class TestInvoices:
    @pytest.mark.parametrize("role", [OrganizationRole.VIEWER, OrganizationRole.DEVELOPER])
    async def test_who_is_not_in_charge_of_money_learns_only_that(
        self, routes: AccountRoutes, role: OrganizationRole
    ) -> None:
        member = await a_signed_in(routes, role=role)
        await a_paid_order(member)
        state, _ = await shown(InvoicesState, member, ("load",), ("refresh",))
        assert (state.is_loaded, state.may_ask, state.title, state.choices) == (True, False, "", [])
        assert state.standing.available.main == ""

    async def test_those_in_charge_see_what_can_be_invoiced_and_why(self, routes: AccountRoutes) -> None:
        member = await a_signed_in(routes, role=OrganizationRole.BILLING)
        await a_paid_order(member)
        state, _ = await shown(InvoicesState, member, ("load",))
        assert (state.may_ask, state.kinds, state.email) == (True, ["commercial"], member.email)
        assert state.standing.available.main == f"{orders.AMOUNT // NANOS_PER_UNIT:,}.00"
        assert [choice.amount.main for choice in state.choices] == ["1,000.00"]


class TestStatements:
    async def test_everybody_reads_them_and_those_in_charge_of_money_keep_them(self, routes: AccountRoutes) -> None:
        viewer = await a_signed_in(routes, role=OrganizationRole.VIEWER)
        await a_paid_order(viewer)
        state, _ = await shown(StatementsState, viewer, ("load",))
        assert [row.figures[0].amount.main for row in state.running[0].rows][-1] == "1,000.00"
        assert not state.may_keep
        keeper = await a_signed_in(routes, role=OrganizationRole.BILLING, email="lee@test.example")
        assert (await shown(StatementsState, keeper, ("load",)))[0].may_keep

    async def test_without_a_closed_month_they_say_when_the_first_is_closed(self, routes: AccountRoutes) -> None:
        member = await a_signed_in(routes)
        state, _ = await shown(StatementsState, member, ("load",))
        assert state.months == []
        assert state.closes.endswith("-01 06:00")

    async def test_a_month_opens_to_its_own_organization_alone(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        mine = await a_signed_in(routes, role=OrganizationRole.VIEWER)
        other = await a_signed_in(routes, email="eve@other.example")
        statement_id = await a_statement(mine, sqlite_settings)
        running = f"running-{mine.organization_id}-USD"
        for name, is_closed in ((statement_id, True), (running, False)):
            state, _ = await shown(StatementsState, mine, ("look", name))
            assert (state.open_month.id, state.open_month.is_closed) == (name, is_closed)
            state, refusal = await shown(StatementsState, other, ("look", name))
            assert (state.open_month.id, refusal) == ("", "There is no such statement.")

    async def test_who_had_the_running_month_reckoned_too_often_still_sees_the_rest(
        self, routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        member = await a_signed_in(routes)
        await a_statement(member, sqlite_settings)
        monkeypatch.setattr(running_months, "IN_A_ROW", 2)
        state, refusal = await shown(StatementsState, member, *[("load",)] * 3)
        assert (state.is_loaded, len(state.months), len(state.running)) == (True, 1, 1)
        assert refusal.startswith("You had this month reckoned many times just now.")
