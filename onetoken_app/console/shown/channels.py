"""Channels as staff see them: how they did lately, and what failed; never a credential."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from onetoken_app.catalog.queries import ChannelView
from onetoken_app.console.shown.moments import shown_milliseconds, shown_moment
from onetoken_app.usage.channel_health import FAILURES, FailureView
from onetoken_app.usage.models import AttemptOutcome

_FAILING_PERCENT = 50
_TROUBLED_PERCENT = 5


class ChannelHealth(StrEnum):
    """What the attempts of the last hour say."""

    QUIET = "quiet"
    """There were none."""
    GOOD = "good"
    """Next to none failed."""
    TROUBLED = "troubled"
    """Some failed."""
    FAILING = "failing"
    """Half of them or more failed."""


@dataclass(frozen=True, slots=True)
class ShownCount:
    """How many attempts failed in one way."""

    outcome: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class ShownChannel:
    """One row; never a credential."""

    id: str = ""
    name: str = ""
    provider: str = ""
    base_url: str = ""
    region: str = ""
    switch: str = ""
    """``on`` or ``off``."""
    health: str = ""
    attempt_count: int = 0
    failures: list[ShownCount] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ShownFailure:
    """One attempt that failed."""

    moment: str = ""
    channel: str = ""
    upstream_model: str = ""
    outcome: str = ""
    duration: str = ""
    request_id: str = ""


def shown_channel(view: ChannelView, counts: Mapping[AttemptOutcome, int]) -> ShownChannel:
    """Turn a channel, and how its attempts of the last hour ended, into its row."""
    failures = [ShownCount(outcome.value, counts[outcome]) for outcome in FAILURES if counts.get(outcome)]
    attempt_count = sum(counts.values())
    return ShownChannel(
        id=view.id,
        name=view.name,
        provider=view.provider,
        base_url=view.base_url,
        region=view.region.value,
        switch="on" if view.is_enabled else "off",
        health=_health(attempt_count, sum(one.count for one in failures)).value,
        attempt_count=attempt_count,
        failures=failures,
    )


def shown_failure(view: FailureView, *, channel_names: Mapping[str, str], time_zone: str) -> ShownFailure:
    """Turn a failed attempt into its row."""
    return ShownFailure(
        moment=shown_moment(view.began_at, time_zone),
        channel=channel_names.get(view.channel_id, view.channel_id),
        upstream_model=view.upstream_model,
        outcome=view.outcome.value,
        duration=shown_milliseconds(view.duration_ms),
        request_id=view.request_id,
    )


def _health(attempt_count: int, failure_count: int) -> ChannelHealth:
    """Judge an hour."""
    if not attempt_count:
        return ChannelHealth.QUIET
    percent = 100 * failure_count // attempt_count
    if percent >= _FAILING_PERCENT:
        return ChannelHealth.FAILING
    return ChannelHealth.TROUBLED if percent >= _TROUBLED_PERCENT else ChannelHealth.GOOD
