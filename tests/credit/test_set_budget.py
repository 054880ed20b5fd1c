"""Setting and removing budgets, on both databases."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlmodel import col, select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.credit import budgets
from onetoken_app.credit.caps import Cap, caps_of
from onetoken_app.credit.errors import LimitRefused, NothingToLimit, TooManyBudgets
from onetoken_app.credit.queries import SpendingView, spending_of
from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, Window
from onetoken_app.database import Database, policy_revision, read_session, unit_of_work
from onetoken_app.errors import NotFound
from onetoken_app.keys.models import ApiKey
from onetoken_app.keys.projects import archive_project, create_project
from onetoken_app.keys.service import revoke_key
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.errors import NoSuchBudget
from onetoken_app.money import Currency, Nanos
from onetoken_app.settings import Settings
from tests.support.builders import a_key, an_organization

WHO = "per_1"


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization with a key in a project."""

    id: str
    key_id: str
    project_id: str

    def subject(self, kind: SubjectKind = SubjectKind.ORGANIZATION, window: Window = Window.DAY) -> BudgetSubject:
        ids = {SubjectKind.PROJECT: self.project_id, SubjectKind.API_KEY: self.key_id}
        return BudgetSubject(kind, ids.get(kind, self.id), window)


async def a_customer(settings: Settings) -> Customer:
    async with unit_of_work() as session:
        organization_id = await an_organization(session)
        key = await a_key(session, settings, organization_id=organization_id)
        row = await session.get(ApiKey, key.id)
        assert row is not None
        return Customer(organization_id, key.id, row.project_id)


@pytest.fixture
async def customer(database: Database, database_settings: Settings) -> Customer:  # noqa: ARG001 # opens the database
    """A customer without a budget."""
    return await a_customer(database_settings)


async def limit(customer: Customer, subject: BudgetSubject, limit_nanos: Nanos = 5_000_000_000) -> str:
    async with unit_of_work() as session:
        return await budgets.set_budget(
            session, organization_id=customer.id, subject=subject, limit_nanos=limit_nanos, set_by=WHO
        )


async def remove(customer: Customer, budget_id: str) -> None:
    async with unit_of_work() as session:
        await budgets.remove_budget(session, organization_id=customer.id, budget_id=budget_id, removed_by=WHO)


async def the_budgets(customer: Customer, *, now: datetime | None = None) -> list[SpendingView]:
    async with read_session() as session:
        return await spending_of(session, customer.id, now=now or clock.utc_now())


async def the_audit() -> list[tuple[str, str]]:
    async with read_session() as session:
        query = select(AuditEntry).where(col(AuditEntry.action).startswith("budget_"))
        return [(entry.action, entry.facts) for entry in await session.exec(query)]


class TestSetBudget:
    async def test_each_kind_in_each_window_is_a_budget_of_its_own(self, customer: Customer) -> None:
        for kind in reversed(SubjectKind):
            for window in Window:
                await limit(customer, customer.subject(kind, window))
        shown = [(view.subject.kind, view.subject.window, view.name) for view in await the_budgets(customer)]
        assert shown == [
            ("organization", "day", ""), ("organization", "month", ""), ("project", "day", "Default"),
            ("project", "month", "Default"), ("api_key", "day", "test"), ("api_key", "month", "test"),
        ]  # fmt: skip

    async def test_setting_it_again_changes_the_limit_alone(self, customer: Customer) -> None:
        first = await limit(customer, customer.subject(), 5_000_000_000)
        assert await limit(customer, customer.subject(), 7_000_000_000) == first
        assert await limit(customer, customer.subject(), 7_000_000_000) == first
        (view,) = await the_budgets(customer)
        assert (view.limit_nanos, view.left_nanos, view.is_in_use) == (7_000_000_000, 7_000_000_000, True)
        of = f'"of":"organization","of_id":"{customer.id}","window":"day"'
        assert await the_audit() == [
            ("budget_set", f'{{"limit":"5.00",{of}}}'),
            ("budget_set", f'{{"limit":"7.00","limit_before":"5.00",{of}}}'),
        ]

    async def test_the_relay_hears_of_it_with_the_commit(self, customer: Customer) -> None:
        async with read_session() as session:
            before = await policy_revision(session)
        budget_id = await limit(customer, customer.subject(SubjectKind.API_KEY))
        async with read_session() as session:
            assert await policy_revision(session) > before
            (cap,) = (await caps_of(session, [customer.id]))[customer.id]
        assert cap == Cap(budget_id, customer.subject(SubjectKind.API_KEY))
        assert cap.counts(project_id="prj_any", api_key_id=customer.key_id)
        assert not cap.counts(project_id=customer.project_id, api_key_id="key_other")

    async def test_two_at_once_make_one(self, customer: Customer) -> None:
        ids = await asyncio.gather(*(limit(customer, customer.subject(), 10**9 + number) for number in range(8)))
        assert len(set(ids)) == 1
        assert len(await the_budgets(customer)) == 1

    @pytest.mark.parametrize("limit_nanos", [-1, budgets.LIMIT_NANOS_MAX + 1, True])
    async def test_what_is_no_limit_is_refused(self, customer: Customer, limit_nanos: int) -> None:
        with pytest.raises(LimitRefused):
            await limit(customer, customer.subject(), limit_nanos)

    async def test_what_is_somebody_elses_does_not_exist(
        self, customer: Customer, database_settings: Settings
    ) -> None:  # fmt: skip
        other = await a_customer(database_settings)
        for kind in SubjectKind:
            with pytest.raises(NotFound):
                await limit(customer, other.subject(kind))
        with pytest.raises(NotFound):
            await limit(Customer("org_none", "", ""), customer.subject())
        assert (await the_budgets(customer), await the_audit()) == ([], [])

    async def test_what_makes_no_calls_any_more_gets_none(self, customer: Customer) -> None:
        async with unit_of_work() as session:
            project_id = await create_project(session, organization_id=customer.id, name="Over")
            await archive_project(session, organization_id=customer.id, project_id=project_id)
            await revoke_key(session, organization_id=customer.id, api_key_id=customer.key_id)
        for subject in (
            customer.subject(SubjectKind.API_KEY),
            BudgetSubject(SubjectKind.PROJECT, project_id, Window.DAY),
        ):
            with pytest.raises(NothingToLimit):
                await limit(customer, subject)

    async def test_a_revoked_key_keeps_its_budget_until_it_is_removed(self, customer: Customer) -> None:
        budget_id = await limit(customer, customer.subject(SubjectKind.API_KEY))
        async with unit_of_work() as session:
            await revoke_key(session, organization_id=customer.id, api_key_id=customer.key_id)
        (view,) = await the_budgets(customer)
        assert (view.id, view.is_in_use) == (budget_id, False)

    async def test_there_are_only_so_many(self, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(budgets, "BUDGETS_MAX", 1)
        await limit(customer, customer.subject())
        with pytest.raises(TooManyBudgets):
            await limit(customer, customer.subject(window=Window.MONTH))


class TestRemoveBudget:
    async def test_it_is_gone_and_may_be_set_anew(self, customer: Customer) -> None:
        first = await limit(customer, customer.subject())
        await remove(customer, first)
        assert await the_budgets(customer) == []
        assert await limit(customer, customer.subject()) != first
        assert [action for action, _ in await the_audit()] == ["budget_set", "budget_removed", "budget_set"]

    async def test_another_organizations_does_not_exist(
        self, customer: Customer, database_settings: Settings
    ) -> None:  # fmt: skip
        other = await a_customer(database_settings)
        budget_id = await limit(other, other.subject())
        for wrong_id in (budget_id, "bud_none"):
            with pytest.raises(NoSuchBudget):
                await remove(customer, wrong_id)
        assert len(await the_budgets(other)) == 1


class TestCapsOf:
    async def test_a_budget_that_was_not_made_here_is_left_out(self, customer: Customer) -> None:
        async with unit_of_work() as session:
            await ledger.create_budget(
                session, owner_id=customer.id, subject="all", currency=Currency.USD, limit_nanos=1
            )
        async with read_session() as session:
            assert await caps_of(session, [customer.id]) == {}
        assert await the_budgets(customer) == []
