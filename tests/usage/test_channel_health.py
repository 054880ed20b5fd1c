"""How channels did is counted from rows of attempts, within one stretch of time."""

from datetime import datetime, timedelta

import pytest

from onetoken_app.catalog.models import Region
from onetoken_app.catalog.queries import ChannelView
from onetoken_app.clock import utc_now
from onetoken_app.console.shown.channels import ChannelHealth, ShownCount, shown_channel
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identifiers import Kind, first_id_at
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.channel_health import attempts_by_channel, last_failures
from onetoken_app.usage.models import AttemptOutcome, UsageAttempt

pytestmark = pytest.mark.usefixtures("database")


def an_attempt(
    outcome: AttemptOutcome, began_at: datetime, *, channel_id: str = "chn_1", number: int = 1
) -> UsageAttempt:
    """Write an attempt down."""
    return UsageAttempt(
        request_id=first_id_at(Kind.REQUEST, began_at - timedelta(minutes=1)), attempt_number=number, model_id="mdl_1",
        channel_id=channel_id, upstream_model="mock", began_at=began_at, duration_ms=5, outcome=outcome,
        usage_source=UsageSource.NONE, input_tokens=0, cache_read_tokens=0, output_tokens=0,
    )  # fmt: skip


class TestAttemptsByChannel:
    async def test_counts_what_began_within_the_time(self) -> None:

        now = utc_now()
        async with unit_of_work() as session:
            for minutes in (1, 2, 59, 61):
                session.add(an_attempt(AttemptOutcome.ANSWERED, now - timedelta(minutes=minutes)))
            session.add(an_attempt(AttemptOutcome.BUSY, now - timedelta(minutes=1), number=2))
            session.add(an_attempt(AttemptOutcome.FAILED, now - timedelta(minutes=3), channel_id="chn_2"))
        async with read_session() as session:
            counts = await attempts_by_channel(session, since=now - timedelta(hours=1))
        assert counts == {
            "chn_1": {AttemptOutcome.ANSWERED: 3, AttemptOutcome.BUSY: 1},
            "chn_2": {AttemptOutcome.FAILED: 1},
        }


class TestLastFailures:
    async def test_the_newest_come_first_and_callers_who_leave_are_none(self) -> None:
        now = utc_now()
        async with unit_of_work() as session:
            for minutes, outcome in enumerate(AttemptOutcome, start=1):
                session.add(an_attempt(outcome, now - timedelta(minutes=minutes)))
        async with read_session() as session:
            failures = await last_failures(session, since=now - timedelta(hours=1), count_max=3)
        assert [one.outcome for one in failures] == [
            AttemptOutcome.UNREACHABLE, AttemptOutcome.TOO_SLOW, AttemptOutcome.BUSY,
        ]  # fmt: skip


class TestShownChannel:
    @pytest.mark.parametrize(
        ("answered", "failed", "health"),
        [
            pytest.param(0, 0, ChannelHealth.QUIET, id="nobody called"),
            pytest.param(96, 4, ChannelHealth.GOOD, id="a few failed"),
            pytest.param(95, 5, ChannelHealth.TROUBLED, id="some failed"),
            pytest.param(5, 5, ChannelHealth.FAILING, id="half failed"),
        ],
    )
    def test_its_hour_is_judged(self, answered: int, failed: int, health: ChannelHealth) -> None:
        view = ChannelView(
            id="chn_1", name="first", provider="openai", base_url="https://api.example.com/v1",
            region=Region.MAINLAND, is_enabled=False, bills_after_hang_up=False, created_at=utc_now(),
        )  # fmt: skip
        counts = {AttemptOutcome.ANSWERED: answered, AttemptOutcome.TOO_SLOW: failed}
        shown = shown_channel(view, {outcome: count for outcome, count in counts.items() if count})
        assert (shown.health, shown.switch, shown.attempt_count) == (health, "off", answered + failed)
        assert shown.failures == ([ShownCount("too_slow", failed)] if failed else [])
