"""Orders to top up as pages show them: to their organization, and to finance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.prose import Block, blocks_of
from onetoken_app.money import Nanos, format_amount
from onetoken_app.payments.models import OrderState
from onetoken_app.payments.queries import OrderView
from onetoken_app.payments.statement import current_statement

_PARENTHESES = str.maketrans("\N{FULLWIDTH LEFT PARENTHESIS}\N{FULLWIDTH RIGHT PARENTHESIS}", "()")
RECEIPTS = "/account/receipts/"
"""Where receipts are handed out, by the order's id."""


class OrderStanding(StrEnum):
    """How far an order is, as its organization reads it."""

    OPEN = "open"
    """The transfer is awaited."""
    REPORTED = "reported"
    """Finance looks for it."""
    REFUSED = "refused"
    """Finance says why it was not credited; it may be reported again."""
    CREDITED = "credited"
    """The balance has it."""
    CANCELLED = "cancelled"
    """Called off."""
    EXPIRED = "expired"
    """Nobody reported a transfer in time."""
    PAYABLE = "payable"
    """To be paid on a payment provider's page; nobody was sent there yet."""
    PENDING = "pending"
    """Somebody was sent there; the provider's word is awaited."""
    LAPSED = "lapsed"
    """It can no longer be paid there; what was paid is credited all the same."""


class Duty(StrEnum):
    """What a member of finance may do about a transfer."""

    DECIDE = "decide"
    """Approve or refuse."""
    ABSTAIN = "abstain"
    """Nothing: they ordered, reported, or belong to the organization."""
    WAIT = "wait"
    """They approved it; somebody else has to."""


@dataclass(frozen=True, slots=True)
class ShownStatement:
    """What is consented to with an order."""

    sha256: str = ""
    """Of the exact text on screen; what the box that is ticked posts."""
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ShownOrder:
    """An order, to its organization."""

    id: str = ""
    reference: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    exact: str = ""
    """The amount's plain digits, for a bank's form."""
    standing: str = ""
    provider: str = ""
    is_reportable: bool = False
    is_payable: bool = False
    ordered: str = ""
    expires: str = ""
    reported: str = ""
    credited: str = ""
    payer_name: str = ""
    bank_reference: str = ""
    paid_on: str = ""
    refusal: str = ""
    words: str = ""
    receipt: str = ""
    """Where its receipt is; empty before it is credited."""


@dataclass(frozen=True, slots=True)
class ShownTransfer:
    """A reported transfer, to finance."""

    id: str = ""
    revision: int = 0
    organization: str = ""
    code: str = ""
    reference: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    reported: str = ""
    reported_by: str = ""
    ordered: str = ""
    ordered_by: str = ""
    payer_name: str = ""
    is_payer_another: bool = False
    bank_reference: str = ""
    paid_on: str = ""
    approvals: str = ""
    """How many there are of how many that are needed."""
    needs_second: bool = False
    approvers: str = ""
    bank_entry: str = ""
    """What whoever approved first named."""
    duty: str = Duty.DECIDE.value


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """A transfer that finance decided on."""

    organization: str = ""
    reference: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    standing: str = ""
    reported: str = ""
    approvers: str = ""
    bank_entry: str = ""
    refusal: str = ""
    words: str = ""


def shown_decision(view: OrderView, *, names: Mapping[str, str], time_zone: str) -> ShownDecision:
    """Show a decided transfer to finance.

    Args:
        view: The order.
        names: Of people, by id; who is not in it stays unnamed.
        time_zone: Of every moment.
    """
    return ShownDecision(
        organization=view.organization_name,
        reference=view.reference_code,
        amount=shown_amount(view.amount_nanos, view.currency),
        standing=OrderStanding(view.state.value).value,
        reported=shown_minute(view.reported_at, time_zone),
        approvers=", ".join(names.get(one, "") for one in view.approved_by),
        bank_entry=view.bank_entry or "",
        refusal=view.refusal.value if view.refusal else "",
        words=view.words,
    )


def shown_statement(locale: str) -> ShownStatement:
    """Show the statement in force, in the reader's language."""
    statement = current_statement(locale)
    return ShownStatement(sha256=statement.sha256, blocks=list(blocks_of(statement.text)))


def shown_order(view: OrderView, *, now: datetime, time_zone: str) -> ShownOrder:
    """Show an order to its organization."""
    standing = _standing(view, now)
    return ShownOrder(
        id=view.id,
        reference=view.reference_code,
        amount=shown_amount(view.amount_nanos, view.currency),
        exact=format_amount(view.amount_nanos),
        standing=standing.value,
        provider=view.provider.value,
        is_reportable=standing in {OrderStanding.OPEN, OrderStanding.REFUSED},
        is_payable=standing in _PAYABLE,
        ordered=shown_minute(view.ordered_at, time_zone),
        expires=shown_minute(view.expires_at, time_zone),
        reported=shown_minute(view.reported_at, time_zone),
        credited=shown_minute(view.credited_at, time_zone),
        payer_name=view.payer_name,
        bank_reference=view.bank_reference,
        paid_on=view.paid_on.isoformat() if view.paid_on else "",
        refusal=view.refusal.value if view.refusal else "",
        words=view.words,
        receipt=f"{RECEIPTS}{view.id}" if view.state is OrderState.CREDITED else "",
    )


_PAYABLE = frozenset({OrderStanding.PAYABLE, OrderStanding.PENDING})


def _standing(view: OrderView, now: datetime) -> OrderStanding:
    """Say how far an order is."""
    if view.state is OrderState.OPEN and not view.provider.is_by_hand:
        if view.has_expired(now):
            return OrderStanding.LAPSED
        return OrderStanding.PENDING if view.started_at else OrderStanding.PAYABLE
    return OrderStanding.EXPIRED if view.has_expired(now) else OrderStanding(view.state.value)


def order_to_open(orders: list[ShownOrder], order_id: str) -> ShownOrder:
    """Return the order that a page opens: the chosen one, else the newest that something is left to do about."""
    chosen = [one for one in orders if one.id == order_id]
    under_way = [one for one in orders if one.is_reportable or one.is_payable or one.standing == OrderStanding.REPORTED]
    return next(iter((*chosen, *under_way)), ShownOrder())


def shown_transfer(
    view: OrderView, *, left_alone_nanos: Nanos, duty: Duty, names: Mapping[str, str], time_zone: str
) -> ShownTransfer:
    """Show a reported transfer to finance.

    Args:
        view: The order.
        left_alone_nanos: Up to which amount the reader may decide alone now.
        duty: What the reader may do about it.
        names: Of people, by id; who is not in it stays unnamed.
        time_zone: Of every moment.
    """
    needs_second = bool(view.approved_by) or view.amount_nanos > left_alone_nanos
    return ShownTransfer(
        id=view.id,
        revision=view.revision,
        organization=view.organization_name,
        code=view.registration_code,
        reference=view.reference_code,
        amount=shown_amount(view.amount_nanos, view.currency),
        reported=shown_minute(view.reported_at, time_zone),
        reported_by=names.get(view.reported_by or "", ""),
        ordered=shown_minute(view.ordered_at, time_zone),
        ordered_by=names.get(view.ordered_by, ""),
        payer_name=view.payer_name,
        is_payer_another=_plain(view.payer_name) != _plain(view.organization_name),
        bank_reference=view.bank_reference,
        paid_on=view.paid_on.isoformat() if view.paid_on else "",
        approvals=f"{len(view.approved_by)} / {2 if needs_second else 1}",
        needs_second=needs_second,
        approvers=", ".join(names.get(one, "") for one in view.approved_by),
        bank_entry=view.bank_entry or "",
        duty=duty.value,
    )


def duty_of(view: OrderView, *, person_id: str, is_member: bool) -> Duty:
    """Judge what somebody of finance may do about a transfer; the payments room decides."""
    if is_member or person_id in {view.ordered_by, view.reported_by}:
        return Duty.ABSTAIN
    return Duty.WAIT if person_id in view.approved_by else Duty.DECIDE


def _plain(name: str) -> str:
    """Compare names as a bank prints them: without regard to case, spaces and kinds of parentheses."""
    return "".join(name.casefold().translate(_PARENTHESES).split())
