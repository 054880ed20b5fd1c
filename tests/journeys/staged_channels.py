"""Attempts for the page of channels to show."""

from datetime import timedelta

from onetoken_app.clock import utc_now
from onetoken_app.identifiers import Kind, first_id_at
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import AttemptOutcome, UsageAttempt


def attempts_of_an_hour(channel_id: str) -> list[UsageAttempt]:
    """Write attempts of the last hour down, one of which failed in each way."""
    found = []
    for number, outcome in enumerate((*[AttemptOutcome.ANSWERED] * 40, *AttemptOutcome)):
        began_at = utc_now() - timedelta(minutes=number)
        found.append(
            UsageAttempt(
                request_id=first_id_at(Kind.REQUEST, began_at), attempt_number=1, model_id="mdl_0",
                channel_id=channel_id, upstream_model="qwen3-235b-a22b-instruct-2507", began_at=began_at,
                duration_ms=90 * number, outcome=outcome, usage_source=UsageSource.NONE,
                input_tokens=0, cache_read_tokens=0, output_tokens=0,
            )
        )  # fmt: skip
    return found
