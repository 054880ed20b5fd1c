"""Organizations that pay afterwards: what a statement says is due, and who is late. On both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest

from onetoken_app.billing.contracts import ContractTerms, UnpaidView, agree_contract, contract_of, due_of, overdue
from onetoken_app.billing.errors import ContractChanged, IssuerInvolved
from onetoken_app.billing.following import contracts_to_follow, follow_contracts
from onetoken_app.billing.models import BillingCycle, Contract
from onetoken_app.billing.months import month_after, month_around
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.identity.models import StaffRole
from onetoken_app.ledger.errors import CreditLimitTooLow
from onetoken_app.ledger.queries import balance_of
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Currency
from onetoken_app.payments.errors import NotVerified
from onetoken_app.settings import Settings
from tests.billing.invoices import execute
from tests.billing.months import Books, at
from tests.ledger.desks import a_desk
from tests.support.builders import a_person

TERMS = ContractTerms(
    number="C-2026-7", credit_limit_nanos=1_000, cycle=BillingCycle.MONTHLY, payment_days=30, starts_on=date(2026, 6, 1)
)


@pytest.fixture
async def books(
    database: Database,  # noqa: ARG001 # opens the database for this process
    database_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Books]:
    """Books of a verified organization."""
    desk = a_desk(database_settings)
    opened = Books(desk=desk, settings=database_settings, monkeypatch=monkeypatch)
    await opened.open()
    yield opened
    desk.backend.close()


async def agree(
    books: Books,
    terms: ContractTerms = TERMS,
    *,
    revision: int | None = None,
    by: str = "",
    moment: str = "2026-06-02T00:00",
    reason: str = "As signed on paper.",
) -> None:
    """Enter a contract as finance does."""
    with books.clock_at(moment):
        await _agree(books, terms, revision=revision, by=by, reason=reason)


async def _agree(books: Books, terms: ContractTerms, *, revision: int | None, by: str, reason: str) -> None:
    """Enter it now."""
    async with unit_of_work() as session:
        person_id = by or await a_person(session, staff_role=StaffRole.FINANCE)
        await agree_contract(
            session,
            organization_id=books.organization_id,
            terms=terms,
            agreed_by=person_id,
            expected_revision=revision,
            limit_max_nanos=5_000,
            reason=reason,
        )


async def follow(books: Books, moment: str) -> list[str]:
    """Run the job at a moment; return whose limit changed."""
    with books.clock_at(moment):
        async with read_session() as session:
            found = await contracts_to_follow(session, now=at(moment))
        async with unit_of_work() as session:
            await follow_contracts(session, organization_ids=found)
    async with read_session() as session:
        assert (await verify(session)).is_ok
    return found


async def available(books: Books) -> int:
    """Return what can be spent."""
    async with read_session() as session:
        return (await balance_of(session, owner_id=books.organization_id, currency=Currency.USD)).available_nanos


async def late(books: Books, moment: str) -> list[UnpaidView]:
    """Return who is late at a moment."""
    async with read_session() as session:
        return await overdue(session, now=at(moment), organization_id=books.organization_id)


class TestAgree:
    async def test_lets_the_balance_fall_to_the_limit(self, books: Books) -> None:
        await agree(books)
        async with read_session() as session:
            balance = await balance_of(session, owner_id=books.organization_id, currency=Currency.USD)
            contract = await contract_of(session, books.organization_id)
        assert balance.available_nanos == 1_000
        assert contract is not None
        assert (contract.terms, contract.revision, contract.reason) == (TERMS, 1, "As signed on paper.")

    async def test_the_same_again_changes_nothing_and_another_needs_what_was_seen(self, books: Books) -> None:
        await agree(books)
        await agree(books)
        more = ContractTerms("C-2", 2_000, BillingCycle.QUARTERLY, 10, date(2026, 6, 1))
        with pytest.raises(ContractChanged):
            await agree(books, more)
        await agree(books, more, revision=1)
        async with read_session() as session:
            balance = await balance_of(session, owner_id=books.organization_id, currency=Currency.USD)
        assert balance.available_nanos == 2_000

    async def test_a_limit_below_what_is_owed_is_refused_and_nothing_changes(self, books: Books) -> None:
        await agree(books)
        books.call("2026-06-05T00:00", 600)
        with pytest.raises(CreditLimitTooLow):
            await agree(books, ContractTerms("C-2", 500, BillingCycle.MONTHLY, 30, date(2026, 6, 1)), revision=1)
        async with read_session() as session:
            contract = await contract_of(session, books.organization_id)
        assert contract is not None
        assert contract.terms == TERMS

    async def test_is_for_verified_organizations_and_nobody_of_them_enters_it(self, books: Books) -> None:
        async with unit_of_work() as session:
            member = await a_person(session, organization_id=books.organization_id)
        with pytest.raises(IssuerInvolved):
            await agree(books, by=member)
        await execute("UPDATE organizations_organization SET verified_at = NULL")
        with pytest.raises(NotVerified):
            await agree(books)

    @pytest.mark.parametrize(
        "terms",
        [
            pytest.param(ContractTerms("", 1, BillingCycle.MONTHLY, 1, date(2026, 6, 1)), id="no number"),
            pytest.param(ContractTerms("C", -1, BillingCycle.MONTHLY, 1, date(2026, 6, 1)), id="a negative limit"),
            pytest.param(ContractTerms("C", 2**63, BillingCycle.MONTHLY, 1, date(2026, 6, 1)), id="a huge limit"),
            pytest.param(ContractTerms("C", 1, BillingCycle.MONTHLY, 366, date(2026, 6, 1)), id="too many days"),
            pytest.param(
                ContractTerms("C", 1, BillingCycle.MONTHLY, 1, date(2026, 6, 2), date(2026, 6, 1)), id="ends before"
            ),
        ],
    )
    async def test_terms_that_cannot_be_are_refused(self, books: Books, terms: ContractTerms) -> None:
        with pytest.raises(BadRequest):
            await agree(books, terms)

    async def test_another_reason_alone_is_saved(self, books: Books) -> None:
        await agree(books)
        await agree(books, revision=1, reason="The paper was found.")
        async with read_session() as session:
            contract = await contract_of(session, books.organization_id)
        assert contract is not None
        assert (contract.reason, contract.revision) == ("The paper was found.", 2)

    async def test_lends_nobody_more_than_the_operator_lends(self, books: Books) -> None:
        with pytest.raises(BadRequest):
            await agree(books, replace(TERMS, credit_limit_nanos=5_001))
        assert await available(books) == 0


class TestFollow:
    """The organization's day begins at 16:00 UTC of the day before."""

    async def test_lends_from_the_first_day_on(self, books: Books) -> None:
        await agree(books, moment="2026-05-20T00:00")
        assert await available(books) == 0
        assert await follow(books, "2026-05-31T15:59") == []
        assert await follow(books, "2026-05-31T16:00") == [books.organization_id]
        assert await available(books) == 1_000
        assert await follow(books, "2026-05-31T16:01") == []

    async def test_lends_nothing_after_the_last_day_however_late_it_is_looked_at(self, books: Books) -> None:
        await agree(books, replace(TERMS, ends_on=date(2026, 6, 30)))
        assert await follow(books, "2026-06-30T15:59") == []
        assert await follow(books, "2026-08-05T00:00") == [books.organization_id]
        assert await available(books) == 0

    async def test_what_is_owed_at_the_end_stays_owed_and_is_not_lent_again(self, books: Books) -> None:
        await agree(books, replace(TERMS, ends_on=date(2026, 6, 30)))
        books.call("2026-06-05T00:00", 600)
        await follow(books, "2026-06-30T16:00")
        assert await available(books) == 0
        await books.top_up("2026-07-02T00:00", 200)
        await follow(books, "2026-07-02T00:01")
        assert await available(books) == 0
        await books.top_up("2026-07-03T00:00", 500)
        await follow(books, "2026-07-03T00:01")
        assert await available(books) == 100
        assert await follow(books, "2026-07-03T00:02") == []

    async def test_an_ended_contract_that_is_extended_lends_at_once(self, books: Books) -> None:
        ended = replace(TERMS, ends_on=date(2026, 6, 30))
        await agree(books, ended, moment="2026-07-05T00:00")
        assert await available(books) == 0
        await agree(books, replace(ended, ends_on=date(2026, 7, 31)), revision=1, moment="2026-07-05T00:00")
        assert await available(books) == 1_000


class TestStatementOfAContract:
    async def test_says_what_is_due_and_then_who_is_late(self, books: Books) -> None:
        await agree(books)
        books.call("2026-06-05T00:00", 600)
        (june,) = await books.close_months("2026-07-01T00:00")
        assert june.due is not None
        assert (june.due.amount_nanos, june.due.pay_by, june.closing_nanos) == (600, "2026-07-30", -600)
        assert await late(books, "2026-07-30T15:59") == []
        (overdue_june,) = await late(books, "2026-07-30T16:00")
        assert (overdue_june.outstanding_nanos, overdue_june.due_on) == (600, date(2026, 7, 30))
        await books.top_up("2026-07-31T00:00", 400)
        (overdue_june,) = await late(books, "2026-08-01T00:00")
        assert (overdue_june.paid_since_nanos, overdue_june.outstanding_nanos) == (400, 200)
        await books.top_up("2026-08-02T00:00", 200)
        assert await late(books, "2026-08-03T00:00") == []

    async def test_a_later_statement_does_not_hide_that_an_older_one_is_late(self, books: Books) -> None:
        await agree(books)
        books.call("2026-06-05T00:00", 600)
        await books.close_months("2026-07-01T00:00")
        books.call("2026-07-05T00:00", 100)
        (july,) = await books.close_months("2026-08-01T00:00")
        assert july.due is not None
        assert july.due.amount_nanos == 700
        (only,) = await late(books, "2026-08-01T00:00")
        assert (only.month, only.outstanding_nanos) == (date(2026, 6, 1), 600)


class TestDueOf:
    @pytest.mark.parametrize(
        ("cycle", "month", "ends_on", "is_due"),
        [
            pytest.param(BillingCycle.MONTHLY, date(2026, 5, 1), None, False, id="before it starts"),
            pytest.param(BillingCycle.MONTHLY, date(2026, 6, 1), None, True, id="the first month"),
            pytest.param(BillingCycle.QUARTERLY, date(2026, 7, 1), None, False, id="within a quarter"),
            pytest.param(BillingCycle.QUARTERLY, date(2026, 9, 1), None, True, id="the end of a quarter"),
            pytest.param(BillingCycle.QUARTERLY, date(2026, 8, 1), date(2026, 8, 15), True, id="its last month"),
            pytest.param(BillingCycle.MONTHLY, date(2026, 9, 1), date(2026, 8, 15), True, id="debt after it ended"),
        ],
    )
    def test_is_said_at_the_end_of_a_cycle(
        self, *, cycle: BillingCycle, month: date, ends_on: date | None, is_due: bool
    ) -> None:
        contract = Contract(
            organization_id="org_1", number="C", credit_limit_nanos=1, cycle=cycle, payment_days=30,
            starts_on=date(2026, 6, 15), ends_on=ends_on, agreed_by="per_1", agreed_at=at("2026-06-01T00:00"),
        )  # fmt: skip
        stated = month_around(at(f"{month}T12:00"), time_zone="UTC")
        due = due_of(contract, month=stated, prepaid_nanos=-5)
        assert (due is not None) is is_due
        assert due is None or due.amount_nanos == 5

    def test_says_nothing_after_the_end_without_debt(self) -> None:
        contract = Contract(
            organization_id="org_1", number="C", credit_limit_nanos=9, cycle=BillingCycle.MONTHLY, payment_days=0,
            starts_on=date(2026, 6, 1), ends_on=date(2026, 6, 30), agreed_by="per_1", agreed_at=at("2026-06-01T00:00"),
        )  # fmt: skip
        july = month_around(at("2026-07-15T00:00"), time_zone="UTC")
        assert due_of(contract, month=july, prepaid_nanos=0) is None
        late_debt = due_of(contract, month=july, prepaid_nanos=-3)
        assert late_debt is not None
        assert (late_debt.amount_nanos, late_debt.credit_limit_nanos) == (3, 0)

    def test_nothing_is_owed_above_zero(self) -> None:
        contract = Contract(
            organization_id="org_1", number="C", credit_limit_nanos=1, cycle=BillingCycle.MONTHLY, payment_days=0,
            starts_on=date(2026, 6, 1), agreed_by="per_1", agreed_at=at("2026-06-01T00:00"),
        )  # fmt: skip
        first = month_around(at("2026-06-15T00:00"), time_zone="UTC")
        following = month_after(first.first, ended_at=first.until, time_zone="UTC")
        due = due_of(contract, month=following, prepaid_nanos=7)
        assert due is not None
        assert (due.amount_nanos, due.pay_by) == (0, "2026-07-31")
