"""What is found out of channels from calls: each change has its cause and its evidence, and ends by itself."""

import pytest

from onetoken_app.providers.protocol import UpstreamTarget
from onetoken_app.relay import health as health_module
from onetoken_app.relay.health import (
    FAILURES_LEAST,
    FORBIDDEN_SECONDS,
    OPEN_SECONDS,
    OPEN_SECONDS_MAX,
    PROBE_PATIENCE_SECONDS,
    PROBES_AT_ONCE,
    REFUSED_SECONDS,
    REST_SECONDS,
    REST_SECONDS_MAX,
    WINDOW_SECONDS,
    Health,
    HealthChange,
    WayState,
)
from onetoken_app.usage.models import AttemptOutcome


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the moment."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that stands still."""
    clock = Clock()
    monkeypatch.setattr(health_module, "monotonic_seconds", clock)
    return clock


@pytest.fixture
def changes() -> list[HealthChange]:
    """Every change that was told."""
    return []


@pytest.fixture
def health(clock: Clock, changes: list[HealthChange]) -> Health:
    """A process that knows nothing yet."""
    assert clock.now
    return Health(changes.append)


def a_way(channel_id: str = "chn_1", *, model: str = "large", credential_id: str = "") -> UpstreamTarget:
    """Name a way upstream."""
    return UpstreamTarget(
        channel_id=channel_id,
        provider="openai",
        base_url="https://api.example.com/v1",
        credential="sk-upstream",
        upstream_model=model,
        region="mainland",
        bills_after_hang_up=False,
        credential_id=credential_id,
    )


def break_down(health: Health, way: UpstreamTarget) -> None:
    """Let just enough attempts fail."""
    for _ in range(FAILURES_LEAST):
        health.note_failure(way, AttemptOutcome.UNREACHABLE)


@pytest.mark.row("D5")
class TestBreaker:
    def test_opens_when_half_of_enough_attempts_fail(self, health: Health, changes: list[HealthChange]) -> None:
        for _ in range(FAILURES_LEAST // 2):
            health.note_answer(a_way(), seconds=0.1)
        for _ in range(FAILURES_LEAST // 2 - 1):
            health.note_failure(a_way(), AttemptOutcome.FAILED)
        assert health.may_try(a_way())
        health.note_failure(a_way(), AttemptOutcome.TOO_SLOW)
        assert not health.may_try(a_way())
        (change,) = changes
        assert (change.state, change.cause, change.channel_id) == (WayState.OPEN, AttemptOutcome.TOO_SLOW, "chn_1")
        assert (change.attempt_count, change.failure_count) == (FAILURES_LEAST, FAILURES_LEAST // 2)
        assert change.seconds == OPEN_SECONDS

    def test_few_attempts_prove_nothing(self, health: Health) -> None:
        for _ in range(FAILURES_LEAST - 1):
            health.note_failure(a_way(), AttemptOutcome.FAILED)
        assert health.may_try(a_way())

    def test_what_is_long_ago_does_not_count(self, health: Health, clock: Clock) -> None:
        for _ in range(FAILURES_LEAST - 1):
            health.note_failure(a_way(), AttemptOutcome.FAILED)
        clock.now += WINDOW_SECONDS
        health.note_failure(a_way(), AttemptOutcome.FAILED)
        assert health.may_try(a_way())

    def test_another_model_and_another_channel_go_on(self, health: Health) -> None:
        break_down(health, a_way())
        assert health.may_try(a_way(model="small"))
        assert health.may_try(a_way("chn_2"))
        assert not health.may_try(a_way(credential_id="crd_2"))

    def test_answers_that_break_count_as_the_attempts_they_were(self, health: Health) -> None:
        for _ in range(FAILURES_LEAST):
            health.note_answer(a_way(), seconds=0.1)
        for _ in range(FAILURES_LEAST // 2):
            assert health.may_try(a_way())
            health.note_broken(a_way(), AttemptOutcome.FAILED)
        assert not health.may_try(a_way())

    def test_a_few_probes_try_it_again_and_one_good_one_closes_it(
        self, health: Health, clock: Clock, changes: list[HealthChange]
    ) -> None:
        break_down(health, a_way())
        clock.now += OPEN_SECONDS - 0.1
        assert not health.may_try(a_way())
        clock.now += 0.1
        for _ in range(PROBES_AT_ONCE):
            assert health.may_try(a_way())
            health.note_begin(a_way())
        assert not health.may_try(a_way())
        health.note_answer(a_way(), seconds=0.1)
        assert health.may_try(a_way())
        assert [change.state for change in changes] == [WayState.OPEN, WayState.WORKING]

    def test_probes_that_are_never_heard_of_make_room(self, health: Health, clock: Clock) -> None:
        break_down(health, a_way())
        clock.now += OPEN_SECONDS
        for _ in range(PROBES_AT_ONCE):
            health.note_begin(a_way())
        clock.now += PROBE_PATIENCE_SECONDS
        assert health.may_try(a_way())

    def test_each_failed_probe_doubles_the_time_up_to_a_bound(
        self, health: Health, clock: Clock, changes: list[HealthChange]
    ) -> None:
        break_down(health, a_way())
        for _ in range(4):
            clock.now += health.seconds_until(a_way())
            health.note_begin(a_way())
            health.note_failure(a_way(), AttemptOutcome.FAILED)
        assert [change.seconds for change in changes] == [5, 10, 20, OPEN_SECONDS_MAX, OPEN_SECONDS_MAX]

    def test_answers_of_earlier_attempts_do_not_close_it(self, health: Health) -> None:
        break_down(health, a_way())
        health.note_answer(a_way(), seconds=0.1)
        assert not health.may_try(a_way())


class TestLimits:
    def test_a_429_is_a_rest_for_as_long_as_is_asked(self, health: Health, clock: Clock) -> None:
        health.note_limited(a_way(), retry_after_seconds=7)
        assert (health.seconds_until(a_way()), health.is_limited([a_way()])) == (7, True)
        assert health.may_try(a_way(credential_id="crd_2"))
        clock.now += 7
        assert health.may_try(a_way())
        assert not health.is_limited([a_way()])

    @pytest.mark.parametrize(
        ("asked", "seconds"),
        [pytest.param(None, REST_SECONDS, id="unsaid"), pytest.param(3600, REST_SECONDS_MAX, id="absurd")],
    )
    def test_the_rest_is_bounded(self, health: Health, *, asked: float | None, seconds: float) -> None:
        health.note_limited(a_way(), retry_after_seconds=asked)
        assert health.seconds_until(a_way()) == seconds

    def test_each_rest_is_told_once(self, health: Health, clock: Clock, changes: list[HealthChange]) -> None:
        for _ in range(3):
            health.note_limited(a_way(), retry_after_seconds=7)
        clock.now += 7
        health.note_answer(a_way(), seconds=0.1)
        assert [change.state for change in changes] == [WayState.LIMITED, WayState.WORKING]


class TestCredentials:
    def test_a_refused_one_is_out_for_every_model_and_the_others_go_on(
        self, health: Health, changes: list[HealthChange]
    ) -> None:
        health.note_refused_credential(a_way())
        assert not health.may_try(a_way(model="small"))
        assert health.may_try(a_way(credential_id="crd_2"))
        (change,) = changes
        assert (change.state, change.upstream_model, change.seconds) == (WayState.REFUSED, "", REFUSED_SECONDS)

    def test_one_that_is_refused_again_is_out_for_twice_as_long(self, health: Health, clock: Clock) -> None:
        health.note_refused_credential(a_way())
        clock.now += REFUSED_SECONDS
        assert health.may_try(a_way())
        health.note_refused_credential(a_way())
        assert health.seconds_until(a_way()) == 2 * REFUSED_SECONDS

    def test_one_that_works_again_begins_anew(self, health: Health, clock: Clock, changes: list[HealthChange]) -> None:
        health.note_refused_credential(a_way())
        clock.now += REFUSED_SECONDS
        health.note_refused_request(a_way())
        health.note_refused_credential(a_way())
        assert [change.seconds for change in changes] == [REFUSED_SECONDS, 0, REFUSED_SECONDS]


class TestForbidden:
    def test_one_caller_takes_nothing_from_others_however_often_it_asks(self, health: Health) -> None:
        for _ in range(50):
            health.note_forbidden(a_way(), organization_id="org_1")
        assert health.may_try(a_way())

    def test_two_organizations_take_the_credential_out_for_that_model(
        self, health: Health, changes: list[HealthChange]
    ) -> None:
        health.note_forbidden(a_way(), organization_id="org_1")
        health.note_forbidden(a_way(), organization_id="org_2")
        assert not health.may_try(a_way())
        assert health.may_try(a_way(model="small"))
        assert health.may_try(a_way(credential_id="crd_2"))
        (change,) = changes
        assert (change.state, change.upstream_model, change.failure_count) == (WayState.REFUSED, "large", 2)
        assert health.ways_out() == [("chn_1", "large", WayState.REFUSED)]

    def test_an_answer_in_between_shows_that_it_was_the_request(self, health: Health) -> None:
        health.note_forbidden(a_way(), organization_id="org_1")
        health.note_answer(a_way(), seconds=0.1)
        health.note_forbidden(a_way(), organization_id="org_2")
        assert health.may_try(a_way())

    def test_what_was_long_ago_proves_nothing(self, health: Health, clock: Clock) -> None:
        health.note_forbidden(a_way(), organization_id="org_1")
        clock.now += FORBIDDEN_SECONDS + 1
        health.note_forbidden(a_way(), organization_id="org_2")
        assert health.may_try(a_way())

    def test_the_call_that_tries_it_again_is_enough_to_take_it_out_for_longer(
        self, health: Health, clock: Clock
    ) -> None:
        health.note_forbidden(a_way(), organization_id="org_1")
        health.note_forbidden(a_way(), organization_id="org_2")
        clock.now += REFUSED_SECONDS
        assert health.may_try(a_way())
        health.note_forbidden(a_way(), organization_id="org_2")
        assert health.seconds_until(a_way()) == 2 * REFUSED_SECONDS
        clock.now += 2 * REFUSED_SECONDS
        health.note_answer(a_way(), seconds=0.1)
        assert health.ways_out() == []


class TestLatency:
    def test_a_slow_answer_counts_at_once_and_fades(self, health: Health, clock: Clock) -> None:
        health.note_answer(a_way(), seconds=0.1)
        health.note_answer(a_way(), seconds=2.0)
        assert health.latency_of(a_way()) == 2.0
        clock.now += 60
        assert health.latency_of(a_way()) < 0.01

    def test_a_quick_answer_counts_slowly(self, health: Health, clock: Clock) -> None:
        health.note_answer(a_way(), seconds=2.0)
        clock.now += 1
        health.note_answer(a_way(), seconds=0.1)
        assert 1 < health.latency_of(a_way()) < 2

    def test_what_was_never_measured_is_unknown(self, health: Health) -> None:
        assert health.latency_of(a_way()) == 0
