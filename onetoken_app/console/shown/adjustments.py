"""Adjustments as finance reads them, with what the reader may do about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.ledger.queries import BalanceView
from onetoken_app.payments.adjustment_queries import AdjustmentView
from onetoken_app.payments.models import AdjustmentState


class AdjustmentStep(StrEnum):
    """What a member of finance may do about an adjustment."""

    DECIDE = "decide"
    """Make or drop it."""
    DROP = "drop"
    """Drop it; a colleague has to make it."""
    ABSTAIN = "abstain"
    """Nothing: they belong to the organization."""
    NOTHING = "nothing"
    """Nothing: it is decided."""


@dataclass(frozen=True, slots=True)
class ShownAdjustment:
    """An adjustment."""

    id: str = ""
    revision: int = 0
    organization: str = ""
    code: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    reason: str = ""
    words: str = ""
    evidence: str = ""
    state: str = ""
    proposed: str = ""
    proposed_by: str = ""
    decided: str = ""
    decided_by: str = ""
    balance: ShownAmount = field(default_factory=ShownAmount)
    """Of now; without a currency: it is decided."""
    balance_after: ShownAmount = field(default_factory=ShownAmount)
    step: str = ""


@dataclass(frozen=True, slots=True)
class AdjustmentNames:
    """What ids stand for; what is not in it stays unnamed."""

    people: Mapping[str, str]
    organizations: Mapping[str, tuple[str, str]]
    """Name and registration code."""


def shown_adjustment(
    view: AdjustmentView,
    *,
    names: AdjustmentNames,
    balance: BalanceView | None,
    needs_another: bool,
    is_member: bool,
    time_zone: str,
) -> ShownAdjustment:
    """Show an adjustment.

    Args:
        view: The adjustment.
        names: Of people and organizations.
        balance: Of the organization now; ``None``: it is decided.
        needs_another: Whether the reader proposed it and a colleague has to make it.
        is_member: Whether the reader belongs to the organization.
        time_zone: Of every moment.
    """
    name, code = names.organizations.get(view.organization_id, (view.organization_id, ""))
    step = AdjustmentStep.DROP if needs_another else AdjustmentStep.DECIDE
    if view.state is not AdjustmentState.PROPOSED:
        step = AdjustmentStep.NOTHING
    elif is_member:
        step = AdjustmentStep.ABSTAIN
    now = balance.posted_nanos if balance else 0
    return ShownAdjustment(
        id=view.id,
        revision=view.revision,
        organization=name,
        code=code,
        amount=shown_amount(view.amount_nanos, view.currency),
        reason=view.reason.value,
        words=view.words,
        evidence=view.evidence,
        state=view.state.value,
        proposed=shown_minute(view.proposed_at, time_zone),
        proposed_by=names.people.get(view.proposed_by, ""),
        decided=shown_minute(view.decided_at, time_zone),
        decided_by=names.people.get(view.decided_by or "", ""),
        balance=shown_amount(now, view.currency) if balance else ShownAmount(),
        balance_after=shown_amount(now + view.amount_nanos, view.currency) if balance else ShownAmount(),
        step=step.value,
    )
