"""Decides what a call used, out of counters only: the provider's figures, an estimate, or nothing.

This is the table ``who pays`` of docs/relay-api.md, one branch a row.
"""

from dataclasses import dataclass, replace

from onetoken_app.money import NANOS_MAX, Currency, Nanos
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.relay.estimation import estimated_input, estimated_output
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.token_usage import TokenUsage, UsageSource


@dataclass(frozen=True, slots=True)
class Metered:
    """What a call used and what that costs."""

    usage: TokenUsage
    source: UsageSource
    charge_nanos: Nanos
    units_nanos: Nanos = 0
    """How much of the charge is for what is no token."""


_NOTHING = Metered(TokenUsage(), UsageSource.NONE, 0)


def meter(call: OpenCall, *, is_complete: bool) -> Metered:
    """Say what an ended call is charged for.

    An explicit zero of the provider is a figure like any other; figures that are missing or absurd are estimated. A
    plain answer is delivered whole or not at all. Figures that output came after, or that stand in an answer that was
    cut before its finish, are a running account: their input is what it was, and the output is at least what was
    delivered.

    Args:
        call: The call; its upstream is no longer read.
        is_complete: The upstream's answer came to its end.
    """
    counts, has_output = call.counts, call.delivered.event_count > 0
    if not is_complete and not (call.request.is_streaming and has_output):
        return _NOTHING
    if counts.usage is None:
        return estimate(call) if has_output else _NOTHING
    stated = _priced(call, counts.usage, UsageSource.UPSTREAM)
    if not has_output or (counts.is_usage_latest and (is_complete or counts.has_finished)):
        return stated
    counted = estimate(call)
    return counted if counted.charge_nanos > stated.charge_nanos else stated


def cost_of(call: OpenCall, metered: Metered) -> tuple[Nanos, Currency] | None:
    """Say what a metered call costs the operator; ``None`` when nobody knows, which is not nothing.

    Of a call that delivered nothing it is not known whether its provider bills it.
    """
    if call.target is None or metered.source is UsageSource.NONE:
        return None
    sheet = call.admission.cost_sheet_of(call.target.channel_id)
    if sheet is None:
        return None
    return min(NANOS_MAX, sheet.charge_for(_with_request(metered.usage, sheet))), sheet.currency


def estimate(call: OpenCall) -> Metered:
    """Say what was delivered so far: output counted here, and the provider's figures where it gave some.

    A provider may state its input, and how much of it came from a cache, before it begins to answer: that is known
    then, and only the output is counted. Without such figures an estimate is within the hold by construction.
    """
    stated, admission = call.counts.usage, call.admission
    output = estimated_output(call.delivered, tokens_max=call.held_output_tokens)
    if stated is not None and stated.input_total:
        return _priced(call, replace(stated, output=max(stated.output, output)), UsageSource.ESTIMATED)
    if call.estimated_input_tokens is None:
        call.estimated_input_tokens = estimated_input(call.request)
    usage = TokenUsage(input=min(admission.input_tokens_max, call.estimated_input_tokens), output=output)
    return _priced(call, usage, UsageSource.ESTIMATED)


def _priced(call: OpenCall, usage: TokenUsage, source: UsageSource) -> Metered:
    """Apply the prices that the hold was made with, whatever was published since.

    A call that used anything is one request too, where requests have a price; one that explicitly used nothing is none.
    """
    sheet = call.admission.sheet
    usage = _with_request(usage, sheet)
    return Metered(usage, source, min(NANOS_MAX, sheet.charge_for(usage)), sheet.charge_of_units(usage))


def _with_request(usage: TokenUsage, sheet: PriceSheet) -> TokenUsage:
    """Count the call itself, where it has a price."""
    return replace(usage, requests=1) if sheet.prices_requests and usage != _NOTHING.usage else usage
