"""Decides what a call used, out of counters only: the provider's figures, an estimate, or nothing.

This is the table ``who pays`` of docs/relay-api.md, one branch a row.
"""

from dataclasses import dataclass

from onetoken_app.money import NANOS_MAX, Nanos
from onetoken_app.relay.estimation import estimated_input, estimated_output
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.token_usage import TokenUsage, UsageSource

_NOTHING = TokenUsage()


@dataclass(frozen=True, slots=True)
class Metered:
    """What a call used and what that costs."""

    usage: TokenUsage
    source: UsageSource
    charge_nanos: Nanos


def meter(call: OpenCall, *, is_complete: bool) -> Metered:
    """Say what an ended call is charged for.

    An explicit zero of the provider is a figure like any other; figures that are missing or absurd are estimated.

    Args:
        call: The call; its upstream is no longer read.
        is_complete: The upstream's answer came to its end.
    """
    delivered = call.delivered
    usage = call.counts.usage
    if usage is not None and (is_complete or delivered.event_count):
        return _priced(call, usage, UsageSource.UPSTREAM)
    if not delivered.event_count:
        return Metered(_NOTHING, UsageSource.NONE, 0)
    return estimate(call)


def estimate(call: OpenCall) -> Metered:
    """Say what was delivered so far, counted here; within the hold by construction, so it needs no extension."""
    admission = call.admission
    if call.estimated_input_tokens is None:
        call.estimated_input_tokens = estimated_input(call.request)
    usage = TokenUsage(
        input=min(admission.input_tokens_max, call.estimated_input_tokens),
        output=estimated_output(call.delivered, tokens_max=admission.output_tokens_max),
    )
    return _priced(call, usage, UsageSource.ESTIMATED)


def _priced(call: OpenCall, usage: TokenUsage, source: UsageSource) -> Metered:
    """Apply the prices that the hold was made with, whatever was published since."""
    return Metered(usage, source, min(NANOS_MAX, call.admission.sheet.charge_for(usage)))
