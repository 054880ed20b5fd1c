"""Budgets of a call: which it counts against, and what its caller is told when one does not allow it."""

from datetime import datetime

from onetoken_app.credit.caps import Cap
from onetoken_app.credit.subjects import SubjectKind, Window
from onetoken_app.credit.windows import period_key, renews_at
from onetoken_app.ledger.errors import BudgetExhausted
from onetoken_app.ledger.operations import BudgetPeriod
from onetoken_app.money import format_amount
from onetoken_app.organizations.time_zones import zone_of
from onetoken_app.relay.errors import BudgetReached
from onetoken_app.relay.open_call import OpenCall

_WHOSE = {
    SubjectKind.ORGANIZATION: "organization",
    SubjectKind.PROJECT: "project of this key",
    SubjectKind.API_KEY: "key",
}
_HOW_OFTEN = {Window.DAY: "daily", Window.MONTH: "monthly"}


def periods_of(call: OpenCall) -> list[BudgetPeriod]:
    """Return what a call counts against: in the day and month in which it arrived, on the organization's clocks."""
    caller = call.admission.caller
    return [
        BudgetPeriod(cap.budget_id, period_key(cap.subject.window, call.requested_at, time_zone=caller.time_zone))
        for cap in caller.caps
    ]


def budget_reached(call: OpenCall, error: BudgetExhausted) -> BudgetReached:
    """Say which budget does not allow a call, what it has left, when it begins anew, and what to do."""
    admission, currency = call.admission, call.admission.sheet.currency.value
    left_nanos = int(error.metadata["left_nanos"])
    needed, left = format_amount(admission.upper_charge_nanos), format_amount(left_nanos)
    limit = format_amount(int(error.metadata["limit_nanos"]))
    affordable = admission.sheet.output_tokens_within(
        left_nanos,
        input_tokens_max=admission.input_tokens_max,
        output_tokens_max=admission.output_tokens_max,
        has_media=admission.has_media,
    )
    cap = _cap_of(call, error)
    return BudgetReached(
        f"{_name(cap)} does not allow this call: up to {needed} {currency} would be set aside for it, and {left} of "
        f"{limit} {currency} are left. Nothing was sent or charged. {_what_to_do(call, cap)}",
        metadata={
            **_facts(call, cap, error),
            "required": needed,
            "left": left,
            "limit": limit,
            "currency": currency,
            "affordable_output_tokens": affordable // admission.choice_count,
        },
    )


def budget_reached_midway(call: OpenCall, error: BudgetExhausted) -> BudgetReached:
    """Say which budget allows no more of an answer that grows longer than was asked for."""
    cap = _cap_of(call, error)
    return BudgetReached(
        f"The provider answers at greater length than was asked for, and more of it is not allowed by a budget: "
        f"{_name(cap)} is used up. {call.charge_words} {_what_to_do(call, cap)}",
        metadata=_facts(call, cap, error),
    )


def _cap_of(call: OpenCall, error: BudgetExhausted) -> Cap:
    """Find the budget that was named to the ledger for this very call."""
    return next(cap for cap in call.admission.caller.caps if cap.budget_id == error.metadata["budget_id"])


def _name(cap: Cap) -> str:
    """Say which budget it is."""
    return f"The {_HOW_OFTEN[cap.subject.window]} budget of the {_WHOSE[cap.subject.kind]}"


def _renewal(call: OpenCall, cap: Cap) -> datetime:
    """Return when the budget begins anew, on the organization's clocks."""
    time_zone = call.admission.caller.time_zone
    moment = renews_at(cap.subject.window, call.requested_at, time_zone=time_zone)
    return moment.astimezone(zone_of(time_zone))


def _what_to_do(call: OpenCall, cap: Cap) -> str:
    """Say how to go on."""
    renewal = _renewal(call, cap).strftime("%Y-%m-%d %H:%M")
    return (
        f"It begins anew at {renewal} ({call.admission.caller.time_zone}). Until then lower max_tokens, or have an "
        f"owner or administrator of the organization raise the budget in the console."
    )


def _facts(call: OpenCall, cap: Cap, error: BudgetExhausted) -> dict[str, int | str]:
    """Name the budget to programs."""
    return {
        "budget": str(error.metadata["budget_id"]),
        "budget_of": cap.subject.kind.value,
        "budget_of_id": cap.subject.id,
        "window": cap.subject.window.value,
        "renews_at": _renewal(call, cap).isoformat(),
    }
