"""Credit as pages show it, and what forms about it say."""

from datetime import UTC, date, datetime

import pytest

from onetoken_app.billing.contracts import ContractTerms, ContractView
from onetoken_app.billing.models import BillingCycle
from onetoken_app.console import credit_desk
from onetoken_app.console.shown.budgets import shown_budget
from onetoken_app.console.shown.credit import shown_lots
from onetoken_app.console.shown.credit_desk import ShownTerms, shown_grant, shown_terms
from onetoken_app.credit.budgets import limit_from_text
from onetoken_app.credit.customers import amount_from_text
from onetoken_app.credit.desk import GrantView
from onetoken_app.credit.errors import AmountRefused, LimitRefused
from onetoken_app.credit.lots import NamedLotView, Origin
from onetoken_app.credit.models import GrantKind, GrantState
from onetoken_app.credit.queries import SpendingView
from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, Window, subject_from_form
from onetoken_app.errors import BadRequest
from onetoken_app.money import Currency

MIDNIGHT = datetime(2026, 11, 27, 16, tzinfo=UTC)


def a_budget(*, limit_nanos: int, spent_nanos: int, held_nanos: int = 0) -> SpendingView:
    subject = BudgetSubject(SubjectKind.API_KEY, "key_1", Window.DAY)
    return SpendingView(
        "bud_1",
        subject,
        "production",
        True,
        Currency.USD,
        limit_nanos,
        spent_nanos,
        held_nanos,
        MIDNIGHT,
    )


def a_grant(*, state: GrantState = GrantState.PROPOSED) -> GrantView:
    return GrantView(
        "grt_1", "org_1", "Test Ltd", GrantKind.TRIAL, Currency.USD, 10**9, MIDNIGHT, "To try.", state, "per_1",
        MIDNIGHT, None,
    )  # fmt: skip


class TestShownBudget:
    def test_says_what_is_left_and_when_it_begins_anew(self) -> None:
        shown = shown_budget(
            a_budget(limit_nanos=10**9, spent_nanos=4 * 10**8, held_nanos=10**8), time_zone="Asia/Shanghai"
        )
        assert (shown.left.main, shown.spent.main, shown.held.main, shown.has_held) == ("0.50", "0.40", "0.10", True)
        assert (shown.renews, shown.is_used_up, shown.subject) == ("2026-11-28 00:00", False, "api_key:key_1")

    def test_one_that_is_exceeded_has_nothing_left(self) -> None:
        shown = shown_budget(a_budget(limit_nanos=10**9, spent_nanos=2 * 10**9), time_zone="UTC")
        assert (shown.left.main, shown.is_used_up) == ("0.00", True)


class TestSubjectFromForm:
    def test_the_organization_is_the_readers_own(self) -> None:
        found = subject_from_form("organization", "month", organization_id="org_1")
        assert found == BudgetSubject(SubjectKind.ORGANIZATION, "org_1", Window.MONTH)

    @pytest.mark.parametrize(("subject", "window"), [("", "day"), ("key_1", "day"), ("api_key:key_1", "year")])
    def test_anything_else_is_refused(self, subject: str, window: str) -> None:
        with pytest.raises(BadRequest):
            subject_from_form(subject, window, organization_id="org_1")


class TestTypedAmounts:
    @pytest.mark.parametrize("text", ["", "1,5", "ten", "1e3"])
    def test_no_plain_number_is_refused_with_its_field(self, text: str) -> None:
        with pytest.raises(LimitRefused) as limit:
            limit_from_text(text)
        with pytest.raises(AmountRefused) as amount:
            amount_from_text(text, parameter="threshold")
        assert (limit.value.parameter, amount.value.parameter) == ("limit", "threshold")

    def test_a_plain_one_is_exact(self) -> None:
        assert limit_from_text(" 0.000000001 ") == amount_from_text("0.000000001") == 1


class TestShownLots:
    def test_name_their_models_and_their_last_moment(self) -> None:
        lots = [
            NamedLotView(Origin.BONUS, "Starter", 5 * 10**9, 10**9, MIDNIGHT, ("a", "b")),
            NamedLotView(Origin.PACKAGE, "Starter", 1, 0, None, ()),
        ]
        first, second = shown_lots(lots, Currency.USD, time_zone="UTC")
        assert (first.models, first.expires, first.has_held) == ("a, b", "2026-11-27 16:00", True)
        assert (second.models, second.expires, second.has_held) == ("", "", False)
        assert len(first.left.pad) == len(second.left.rest)


class TestShownGrant:
    @pytest.mark.parametrize(
        ("person_id", "is_member", "state", "may_decide"),
        [
            pytest.param("per_2", False, GrantState.PROPOSED, True, id="a colleague"),
            pytest.param("per_1", False, GrantState.PROPOSED, True, id="who proposed it takes it back"),
            pytest.param("per_2", True, GrantState.PROPOSED, False, id="a member of the organization"),
            pytest.param("per_2", False, GrantState.GRANTED, False, id="when it was given"),
        ],
    )
    def test_says_who_may_decide(self, person_id: str, state: GrantState, *, is_member: bool, may_decide: bool) -> None:
        shown = shown_grant(
            a_grant(state=state), names={"per_1": "Pat"}, person_id=person_id, is_member=is_member, time_zone="UTC"
        )
        assert (shown.may_decide, shown.is_own, shown.proposer) == (may_decide, person_id == "per_1", "Pat")


class TestForms:
    def test_no_contract_is_an_empty_form(self) -> None:
        assert shown_terms(None, today=date(2026, 6, 1)) == ShownTerms()

    @pytest.mark.parametrize(
        ("today", "standing"),
        [
            (date(2026, 5, 31), "coming"),
            (date(2026, 6, 1), "in_force"),
            (date(2026, 6, 30), "in_force"),
            (date(2026, 7, 1), "ended"),
        ],
    )
    def test_a_contract_says_whether_it_lends(self, today: date, standing: str) -> None:
        terms = ContractTerms("C-1", 5, BillingCycle.MONTHLY, 30, date(2026, 6, 1), date(2026, 6, 30))
        view = ContractView("org_1", terms, "As signed.", 2, "per_1", datetime(2026, 5, 1, tzinfo=UTC))
        shown = shown_terms(view, today=today)
        assert (shown.standing, shown.revision, shown.ends_on) == (standing, "2", "2026-06-30")

    @pytest.mark.parametrize("said", ["", "27.11.2026", "2026-13-01"])
    def test_what_is_no_day_is_refused(self, said: str) -> None:
        with pytest.raises(BadRequest):
            credit_desk._day({"last_day": said}, "last_day")

    @pytest.mark.parametrize("said", ["", "-1", "1.5", "²", "1234567"])
    def test_what_is_no_count_is_refused(self, said: str) -> None:
        with pytest.raises(BadRequest):
            credit_desk._count({"days": said}, "days")
