"""Refunds as pages show them: to their organization, and to finance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.money import Nanos
from onetoken_app.payments.models import RefundStage
from onetoken_app.payments.refund_queries import RefundView
from onetoken_app.payments.refundable import RefundableOrderView


class RefundStep(StrEnum):
    """What a member of finance may do about a refund."""

    DECIDE = "decide"
    """Approve or refuse."""
    ABSTAIN = "abstain"
    """Nothing: they asked, ordered, or belong to the organization."""
    WAIT = "wait"
    """They approved it; somebody else has to."""
    TRANSFER = "transfer"
    """Transfer it by hand, and say so."""
    PROVIDER = "provider"
    """Nothing: its payment provider has it."""


@dataclass(frozen=True, slots=True)
class ShownRefundableOrder:
    """An order of which something can be asked back."""

    id: str = ""
    reference: str = ""
    most: str = ""
    """How much, with its currency."""


@dataclass(frozen=True, slots=True)
class ShownRefund:
    """A refund, to its organization and to finance."""

    id: str = ""
    revision: int = 0
    organization: str = ""
    reference: str = ""
    provider: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    paid: ShownAmount = field(default_factory=ShownAmount)
    stage: str = ""
    is_withdrawable: bool = False
    """Whether its organization may still take it back."""
    asked: str = ""
    asked_by: str = ""
    asked_words: str = ""
    approvals: str = ""
    """How many there are of how many that are needed."""
    needs_second: bool = False
    approvers: str = ""
    refusal: str = ""
    failure: str = ""
    words: str = ""
    ended: str = ""
    bank_entry: str = ""
    payer_name: str = ""
    bank_reference: str = ""
    step: str = ""


def shown_refundable_order(view: RefundableOrderView) -> ShownRefundableOrder:
    """Show an order with what can be asked back of it."""
    most = shown_amount(view.refundable.amount_nanos, view.currency)
    return ShownRefundableOrder(view.order_id, view.reference_code, f"{most.currency} {most.main}{most.rest}")


def shown_refund(view: RefundView, *, time_zone: str) -> ShownRefund:
    """Show a refund to its organization."""
    return ShownRefund(
        id=view.id,
        reference=view.reference_code,
        provider=view.provider.value,
        amount=shown_amount(view.amount_nanos, view.currency),
        stage=view.stage.value,
        is_withdrawable=view.stage is RefundStage.REQUESTED and not view.approved_by,
        asked=shown_minute(view.asked_at, time_zone),
        refusal=view.refusal.value if view.refusal else "",
        failure=view.failure.value if view.failure else "",
        words=view.words,
        ended=shown_minute(view.ended_at, time_zone),
    )


def shown_refund_at_desk(
    view: RefundView, *, left_alone_nanos: Nanos, step: RefundStep, names: Mapping[str, str], time_zone: str
) -> ShownRefund:
    """Show a refund to finance.

    Args:
        view: The refund.
        left_alone_nanos: Up to which amount the reader may decide alone now.
        step: What the reader may do about it.
        names: Of people, by id; who is not in it stays unnamed.
        time_zone: Of every moment.
    """
    is_open = view.stage is RefundStage.REQUESTED
    needs_second = is_open and (bool(view.approved_by) or view.amount_nanos > left_alone_nanos)
    needed = 2 if needs_second else max(1, len(view.approved_by))
    return ShownRefund(
        id=view.id,
        revision=view.revision,
        organization=view.organization_name,
        reference=view.reference_code,
        provider=view.provider.value,
        amount=shown_amount(view.amount_nanos, view.currency),
        paid=shown_amount(view.paid_nanos, view.currency),
        stage=view.stage.value,
        asked=shown_minute(view.asked_at, time_zone),
        asked_by=names.get(view.asked_by, ""),
        asked_words=view.asked_words,
        approvals=f"{len(view.approved_by)} / {needed}",
        needs_second=needs_second,
        approvers=", ".join(names.get(one, "") for one in view.approved_by),
        refusal=view.refusal.value if view.refusal else "",
        failure=view.failure.value if view.failure else "",
        words=view.words,
        ended=shown_minute(view.ended_at, time_zone),
        bank_entry=view.bank_entry or "",
        payer_name=view.payer_name,
        bank_reference=view.bank_reference,
        step=step.value,
    )


def step_of(view: RefundView, *, person_id: str, is_member: bool) -> RefundStep:
    """Judge what somebody of finance may do about a refund; the payments room decides."""
    if is_member or person_id in {view.asked_by, view.ordered_by}:
        return RefundStep.ABSTAIN
    if view.stage is RefundStage.REQUESTED:
        return RefundStep.WAIT if person_id in view.approved_by else RefundStep.DECIDE
    return RefundStep.TRANSFER if view.waits_for_transfer else RefundStep.PROVIDER
