"""Credit as finance's page shows it: organizations with what they can spend, grants, freezes, a contract's terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from onetoken_app.billing.contracts import ContractView
from onetoken_app.billing.following import standing_on
from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.credit.desk import FreezeView, GrantView
from onetoken_app.credit.models import GrantState
from onetoken_app.money import Nanos, format_amount
from onetoken_app.organizations.queries import OrganizationView


@dataclass(frozen=True, slots=True)
class ShownCustomer:
    """One row."""

    id: str = ""
    name: str = ""
    code: str = ""
    spendable: ShownAmount = field(default_factory=ShownAmount)
    is_frozen: bool = False


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """One row."""

    id: str = ""
    organization: str = ""
    kind: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    expires: str = ""
    reason: str = ""
    state: str = ""
    proposed: str = ""
    proposer: str = ""
    decider: str = ""
    may_decide: bool = False
    """The reader belongs to somebody else's organization, and it waits."""
    is_own: bool = False
    """The reader proposed it, and may only take it back."""


@dataclass(frozen=True, slots=True)
class ShownFreeze:
    """One row."""

    since: str = ""
    by: str = ""
    reason: str = ""
    until: str = ""
    """Empty: it is in force."""
    lifter: str = ""
    lift_reason: str = ""


@dataclass(frozen=True, slots=True)
class ShownTerms:
    """A contract as a form has it; all empty: there is none."""

    number: str = ""
    credit_limit: str = ""
    cycle: str = ""
    payment_days: str = ""
    starts_on: str = ""
    ends_on: str = ""
    reason: str = ""
    """Of the last change."""
    revision: str = ""
    standing: str = ""
    """In force, coming or ended; empty: there is none."""


def shown_customer(view: OrganizationView, *, spendable_nanos: Nanos, is_frozen: bool) -> ShownCustomer:
    """Turn an organization into its row."""
    return ShownCustomer(
        id=view.id,
        name=view.name,
        code=view.registration_code,
        spendable=shown_amount(spendable_nanos, view.currency),
        is_frozen=is_frozen,
    )


def shown_grant(
    view: GrantView, *, names: Mapping[str, str], person_id: str, is_member: bool, time_zone: str
) -> ShownGrant:  # fmt: skip
    """Turn a grant into its row, as somebody of finance sees it."""
    return ShownGrant(
        id=view.id,
        organization=view.organization_name,
        kind=view.kind.value,
        amount=shown_amount(view.amount_nanos, view.currency),
        expires=shown_minute(view.expires_at, time_zone),
        reason=view.reason,
        state=view.state.value,
        proposed=shown_minute(view.proposed_at, time_zone),
        proposer=names.get(view.proposed_by, ""),
        decider=names.get(view.decided_by or "", ""),
        may_decide=view.state is GrantState.PROPOSED and not is_member,
        is_own=view.proposed_by == person_id,
    )


def shown_freeze(view: FreezeView, *, names: Mapping[str, str], time_zone: str) -> ShownFreeze:
    """Turn a freeze into its row."""
    return ShownFreeze(
        since=shown_minute(view.frozen_at, time_zone),
        by=names.get(view.frozen_by, ""),
        reason=view.reason,
        until=shown_minute(view.lifted_at, time_zone),
        lifter=names.get(view.lifted_by or "", ""),
        lift_reason=view.lift_reason,
    )


def shown_terms(view: ContractView | None, *, today: date) -> ShownTerms:
    """Write a contract as it would be typed, and say whether it lends on a day of the organization's."""
    if view is None:
        return ShownTerms()
    terms = view.terms
    return ShownTerms(
        number=terms.number,
        credit_limit=format_amount(terms.credit_limit_nanos),
        cycle=terms.cycle.value,
        payment_days=str(terms.payment_days),
        starts_on=terms.starts_on.isoformat(),
        ends_on=terms.ends_on.isoformat() if terms.ends_on else "",
        reason=view.reason,
        revision=str(view.revision),
        standing=standing_on(terms, today).value,
    )
