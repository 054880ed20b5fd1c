"""Orders as pages show them: where they stand, and who may decide."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from onetoken_app.console.shown.top_ups import (
    Duty,
    OrderStanding,
    duty_of,
    order_to_open,
    shown_decision,
    shown_order,
    shown_statement,
    shown_transfer,
)
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.payments.models import OrderState, PaymentProvider, TransferRefusal
from onetoken_app.payments.queries import OrderView
from onetoken_app.payments.statement import current_statement

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ORDER = OrderView(
    id="top_1",
    organization_id="org_1",
    organization_name="Test (Beijing) Ltd",
    registration_code="91350100M000100Y43",
    reference_code="OT-7K4M2QXB",
    provider=PaymentProvider.BANK_TRANSFER,
    currency=Currency.USD,
    amount_nanos=1_000 * NANOS_PER_UNIT,
    state=OrderState.OPEN,
    revision=1,
    ordered_by="per_orders",
    ordered_at=NOW,
    expires_at=NOW + timedelta(days=30),
    reported_by="per_reports",
    reported_at=None,
    payer_name="Test (Beijing) Ltd",
    bank_reference="",
    paid_on=date(2026, 11, 23),
    approved_by=(),
    bank_entry=None,
    refusal=None,
    words="",
    credited_at=None,
    started_at=None,
)


class TestShownOrder:
    @pytest.mark.parametrize("state", OrderState)
    def test_every_state_has_a_standing(self, state: OrderState) -> None:
        shown = shown_order(replace(ORDER, state=state), now=NOW, time_zone="UTC")
        assert shown.standing == state.value
        assert shown.is_reportable == (state in {OrderState.OPEN, OrderState.REFUSED})
        assert bool(shown.receipt) == (state is OrderState.CREDITED)

    @pytest.mark.parametrize(
        ("started_at", "days", "standing", "opened"),
        [
            pytest.param(None, 0, OrderStanding.PAYABLE, "top_1", id="nobody was sent to pay"),
            pytest.param(NOW, 0, OrderStanding.PENDING, "top_1", id="somebody was, and nothing was heard"),
            pytest.param(NOW, 31, OrderStanding.LAPSED, "", id="its time is over"),
        ],
    )
    def test_an_order_for_a_provider_says_truly_how_it_is(
        self, started_at: datetime | None, days: int, standing: OrderStanding, opened: str
    ) -> None:
        hosted = replace(ORDER, provider=PaymentProvider.STRIPE, started_at=started_at)
        shown = shown_order(hosted, now=NOW + timedelta(days=days), time_zone="UTC")
        assert (shown.standing, shown.is_payable, shown.is_reportable) == (standing, bool(opened), False)
        assert order_to_open([shown], "").id == opened

    @pytest.mark.parametrize(
        ("state", "standing"),
        [
            (OrderState.OPEN, OrderStanding.EXPIRED),
            (OrderState.REFUSED, OrderStanding.EXPIRED),
            (OrderState.REPORTED, OrderStanding.REPORTED),
            (OrderState.CREDITED, OrderStanding.CREDITED),
        ],
    )
    def test_only_what_waits_for_a_report_expires(self, state: OrderState, standing: OrderStanding) -> None:
        shown = shown_order(replace(ORDER, state=state), now=NOW + timedelta(days=31), time_zone="UTC")
        assert shown.standing == standing
        assert shown.is_reportable is False

    def test_digits_and_moments_are_for_people(self) -> None:
        shown = shown_order(replace(ORDER, currency=Currency.CNY), now=NOW, time_zone="Asia/Shanghai")
        assert (shown.exact, shown.amount.main, shown.amount.currency) == ("1000.00", "1,000.00", "CNY")
        assert (shown.ordered, shown.paid_on, shown.reported) == ("2026-11-24 16:00", "2026-11-23", "")


class TestOrderToOpen:
    def test_is_the_chosen_one_else_the_newest_with_something_to_do(self) -> None:
        states = (OrderState.CREDITED, OrderState.REPORTED, OrderState.OPEN)
        orders = [
            shown_order(replace(ORDER, id=state.value, state=state), now=NOW, time_zone="UTC") for state in states
        ]
        assert order_to_open(orders, "credited").id == "credited"
        assert order_to_open(orders, "of_somebody_else").id == "reported"
        assert order_to_open(orders[:1], "").id == ""


class TestShownTransfer:
    @pytest.mark.parametrize(
        ("approved_by", "limit", "approvals", "approvers"),
        [
            ((), 1_000, "0 / 1", ""),
            ((), 999, "0 / 2", ""),
            (("per_fin",), 999, "1 / 2", "Fin"),
            (("per_fin",), 5_000, "1 / 2", "Fin"),
        ],
    )
    def test_counts_approvals(self, approved_by: tuple[str, ...], limit: int, approvals: str, approvers: str) -> None:
        shown = shown_transfer(
            replace(ORDER, approved_by=approved_by),
            left_alone_nanos=limit * NANOS_PER_UNIT,
            duty=Duty.DECIDE,
            names={"per_fin": "Fin", "per_orders": "Olga"},
            time_zone="UTC",
        )
        assert (shown.approvals, shown.approvers, shown.needs_second) == (
            approvals,
            approvers,
            limit < 1_000 or bool(approved_by),
        )
        assert (shown.ordered_by, shown.reported_by) == ("Olga", "")

    @pytest.mark.parametrize(
        ("payer_name", "is_another"),
        [
            ("Test (Beijing) Ltd", False),
            ("TEST\N{FULLWIDTH LEFT PARENTHESIS}BEIJING\N{FULLWIDTH RIGHT PARENTHESIS}  LTD", False),
            ("Test Ltd", True),
        ],
        ids=["the same", "as a bank prints it", "somebody else"],
    )
    def test_marks_a_payer_of_another_name(self, payer_name: str, *, is_another: bool) -> None:
        shown = shown_transfer(
            replace(ORDER, payer_name=payer_name),
            left_alone_nanos=0,
            duty=Duty.DECIDE,
            names={},
            time_zone="UTC",
        )
        assert shown.is_payer_another is is_another


class TestShownDecision:
    def test_says_what_was_decided_and_by_whom(self) -> None:
        refused = replace(
            ORDER, state=OrderState.REFUSED, refusal=TransferRefusal.OTHER, words="Too late.", approved_by=("per_fin",)
        )
        shown = shown_decision(refused, names={"per_fin": "Fin"}, time_zone="UTC")
        assert (shown.standing, shown.refusal, shown.words) == ("refused", "other", "Too late.")
        assert (shown.organization, shown.reference, shown.approvers) == (
            ORDER.organization_name,
            ORDER.reference_code,
            "Fin",
        )


class TestDutyOf:
    @pytest.mark.parametrize(
        ("person_id", "is_member", "duty"),
        [
            ("per_fin", False, Duty.DECIDE),
            ("per_fin", True, Duty.ABSTAIN),
            ("per_orders", False, Duty.ABSTAIN),
            ("per_reports", False, Duty.ABSTAIN),
            ("per_first", False, Duty.WAIT),
        ],
    )
    def test_follows_from_what_somebody_did(self, person_id: str, duty: Duty, *, is_member: bool) -> None:
        view = replace(ORDER, approved_by=("per_first",))
        assert duty_of(view, person_id=person_id, is_member=is_member) is duty


class TestShownStatement:
    @pytest.mark.parametrize("locale", ["en", "zh-CN"])
    def test_shows_every_line_of_the_text_whose_digest_it_carries(self, locale: str) -> None:
        shown, statement = shown_statement(locale), current_statement(locale)
        lines = ["".join(span.text for span in line.spans) for block in shown.blocks for line in block.lines]
        assert shown.sha256 == statement.sha256
        assert "".join(lines).replace(" ", "") == "".join(
            line.lstrip("- ").replace(" ", "") for line in statement.text.splitlines()
        )
