"""Which ways upstream work: a breaker a channel and model, a rest after 429, credentials that were refused.

Kept in the memory of one process and found out from calls alone, because a probe of our own would cost money. Every
change says its cause and its evidence.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from onetoken_app.clock import monotonic_seconds, utc_now
from onetoken_app.providers.protocol import UpstreamTarget
from onetoken_app.telemetry import get_logger
from onetoken_app.usage.models import AttemptOutcome

WINDOW_SECONDS = 10
FAILURES_LEAST = 20
"""Fewer attempts within the window prove nothing."""
FAILING_SHARE = 0.5
OPEN_SECONDS = 5.0
"""How long a breaker stays open at first; each probe that fails doubles it."""
OPEN_SECONDS_MAX = 30.0
PROBES_AT_ONCE = 3
PROBE_PATIENCE_SECONDS = 10.0
"""Probes of which nothing was heard for so long make room for others."""
REST_SECONDS = 1.0
"""How long a way is left alone after a 429 that does not say."""
REST_SECONDS_MAX = 60.0
REFUSED_SECONDS = 60.0
"""How long a refused credential is out at first; each further refusal doubles it."""
REFUSED_SECONDS_MAX = 960.0
FORBIDDEN_SECONDS = 60.0
"""Within this time two organizations have to be forbidden the same before a credential is taken out for a model."""
LATENCY_DECAY_SECONDS = 10.0

_FAILURES = frozenset({AttemptOutcome.UNREACHABLE, AttemptOutcome.TOO_SLOW, AttemptOutcome.FAILED})


class WayState(StrEnum):
    """Why a way is taken or not."""

    WORKING = "working"
    """Calls go there."""
    OPEN = "open"
    """It failed too often; a few calls try it again when its time is over."""
    LIMITED = "limited"
    """The provider limits our account there."""
    REFUSED = "refused"
    """The provider refused our credential: somebody has to look."""


@dataclass(frozen=True, slots=True)
class HealthChange:
    """One change of a way, with its cause and evidence."""

    at: datetime
    channel_id: str
    credential_id: str
    """Empty: the channel's own, or all of them."""
    upstream_model: str
    """Empty: every model of the channel."""
    state: WayState
    cause: AttemptOutcome
    """The class of what was seen last."""
    attempt_count: int
    """Attempts within the window."""
    failure_count: int
    """Failures among them."""
    seconds: float
    """How long it is left alone; 0: not at all."""


@dataclass(slots=True)
class _Breaker:
    """One channel and model."""

    open_seconds: float
    slots: deque[list[int]] = field(default_factory=deque)
    """Second, attempts and failures, oldest first."""
    is_open: bool = False
    open_until: float = 0.0
    probe_count: int = 0
    probed_at: float = 0.0
    latency_seconds: float = 0.0
    measured_at: float = 0.0

    def count(self, now: float, *, attempts: int, failures: int) -> tuple[int, int]:
        """Add to the window; return the attempts and failures in it."""
        second = int(now)
        if not self.slots or self.slots[-1][0] != second:
            self.slots.append([second, 0, 0])
        self.slots[-1][1] += attempts
        self.slots[-1][2] += failures
        while self.slots[0][0] <= second - WINDOW_SECONDS:
            self.slots.popleft()
        failed = sum(slot[2] for slot in self.slots)
        return max(failed, sum(slot[1] for slot in self.slots)), failed


@dataclass(slots=True)
class _Pause:
    """A time for which a way is left alone."""

    until: float
    seconds: float


def _ignore(_change: HealthChange) -> None:
    """Tell nobody."""


class Health:
    """What one process knows of all ways upstream."""

    def __init__(self, on_change: Callable[[HealthChange], None] = _ignore) -> None:
        """Take every way for working; ``on_change`` is told of each change and must return at once."""
        self._on_change = on_change
        self._breakers: dict[tuple[str, str], _Breaker] = {}
        self._limits: dict[tuple[str, str, str], _Pause] = {}
        self._refusals: dict[tuple[str, str, str], _Pause] = {}
        """By channel, credential and model; an empty model stands for all of them."""
        self._forbidden: dict[tuple[str, str, str], tuple[str, float]] = {}
        """Who was forbidden last, and when."""

    def may_try(self, target: UpstreamTarget) -> bool:
        """Whether a call may go there now."""
        return self.seconds_until(target) <= 0

    def seconds_until(self, target: UpstreamTarget) -> float:
        """Return how long a way is still left alone; 0: a call may go there."""
        until = 0.0
        for pause in (self._limits.get(_limit_key(target)), *self._refusals_of(target)):
            until = until if pause is None else max(until, pause.until)
        breaker = self._breakers.get(_breaker_key(target))
        if breaker is not None and breaker.is_open:
            until = max(until, breaker.open_until)
            if breaker.probe_count >= PROBES_AT_ONCE:
                until = max(until, breaker.probed_at + PROBE_PATIENCE_SECONDS)
        return max(0.0, until - monotonic_seconds()) if until else 0.0

    def is_limited(self, targets: Iterable[UpstreamTarget]) -> bool:
        """Whether the provider's limits are what keeps calls from one of these ways."""
        now = monotonic_seconds()
        limits = (self._limits.get(_limit_key(target)) for target in targets)
        return any(limit is not None and limit.until > now for limit in limits)

    def ways_out(self) -> list[tuple[str, str, WayState]]:
        """Return what is left alone now: channel, the provider's name of the model (empty: all), and why."""
        now = monotonic_seconds()
        found = [
            *((*key, WayState.OPEN) for key, breaker in self._breakers.items() if breaker.is_open),
            *((key[0], key[2], WayState.LIMITED) for key, pause in self._limits.items() if pause.until > now),
            *((key[0], key[2], WayState.REFUSED) for key, pause in self._refusals.items() if pause.until > now),
        ]
        return sorted(set(found))

    def latency_of(self, target: UpstreamTarget) -> float:
        """Return the peak-sensitive average of seconds to a head, fading while nothing is measured; 0: unknown."""
        breaker = self._breakers.get(_breaker_key(target))
        if breaker is None or not breaker.measured_at:
            return 0.0
        age = monotonic_seconds() - breaker.measured_at
        return breaker.latency_seconds * math.exp(-age / LATENCY_DECAY_SECONDS)

    def note_begin(self, target: UpstreamTarget) -> None:
        """Count a probe, if the way is open: as many as may be at once, or the first after they were given up."""
        breaker = self._breakers.get(_breaker_key(target))
        if breaker is not None and breaker.is_open:
            breaker.probe_count = breaker.probe_count % PROBES_AT_ONCE + 1
            breaker.probed_at = monotonic_seconds()

    def note_answer(self, target: UpstreamTarget, *, seconds: float) -> None:
        """Take an answer's head, which came after so many seconds."""
        now = monotonic_seconds()
        breaker = self._breaker_of(target)
        earlier = self.latency_of(target)
        weight = 1 - math.exp(-(now - breaker.measured_at) / LATENCY_DECAY_SECONDS) if breaker.measured_at else 1.0
        breaker.latency_seconds = seconds if seconds > earlier else earlier + (seconds - earlier) * weight
        breaker.measured_at = now
        self._note_working(target, breaker, now)

    def note_refused_request(self, target: UpstreamTarget) -> None:
        """Take a refusal of the request itself: the way works."""
        self._note_working(target, self._breaker_of(target), monotonic_seconds())

    def note_failure(self, target: UpstreamTarget, outcome: AttemptOutcome) -> None:
        """Take an attempt that failed before it answered."""
        if outcome in _FAILURES:
            self._count_failure(target, outcome, attempts=1)

    def note_broken(self, target: UpstreamTarget, outcome: AttemptOutcome) -> None:
        """Take an answer that broke after its head had come, and was counted as an attempt then."""
        self._count_failure(target, outcome, attempts=0)

    def note_limited(self, target: UpstreamTarget, *, retry_after_seconds: float | None) -> None:
        """Leave a way alone for as long as its provider asks, within reason."""
        seconds = REST_SECONDS if retry_after_seconds is None else min(REST_SECONDS_MAX, retry_after_seconds)
        now = monotonic_seconds()
        known = self._limits.get(_limit_key(target))
        self._limits[_limit_key(target)] = _Pause(now + seconds, seconds)
        if known is None or known.until <= now:
            self._tell(target, WayState.LIMITED, AttemptOutcome.BUSY, (1, 1), seconds)

    def note_refused_credential(self, target: UpstreamTarget) -> None:
        """Take a credential out for every model; one that is refused again after its time, for twice as long."""
        self._take_out(target, _credential_key(target), evidence_count=1)

    def note_forbidden(self, target: UpstreamTarget, *, organization_id: str) -> None:
        """Take a credential out for one model, once two organizations were forbidden it and no answer came between.

        A single caller proves nothing: what it asks for may be what is forbidden, and takes nothing from others.
        """
        now = monotonic_seconds()
        key = _limit_key(target)
        known_id, seen_at = self._forbidden.get(key, (organization_id, now))
        if self._refusals.get(key) is None and (known_id == organization_id or now - seen_at > FORBIDDEN_SECONDS):
            self._forbidden[key] = (organization_id, now)
            return
        self._forbidden.pop(key, None)
        self._take_out(target, key, evidence_count=2)

    def _take_out(self, target: UpstreamTarget, key: tuple[str, str, str], *, evidence_count: int) -> None:
        """Leave a credential alone, and say so once."""
        now = monotonic_seconds()
        known = self._refusals.get(key)
        if known is not None and known.until > now:
            return
        seconds = min(REFUSED_SECONDS_MAX, known.seconds * 2) if known else REFUSED_SECONDS
        self._refusals[key] = _Pause(now + seconds, seconds)
        self._tell(
            target, WayState.REFUSED, AttemptOutcome.REFUSED, (evidence_count, evidence_count), seconds, model=key[2]
        )

    def _refusals_of(self, target: UpstreamTarget) -> tuple[_Pause | None, _Pause | None]:
        """Return why a credential is out, for all models and for this one."""
        if not self._refusals:
            return None, None
        return self._refusals.get(_credential_key(target)), self._refusals.get(_limit_key(target))

    def _note_working(self, target: UpstreamTarget, breaker: _Breaker, now: float) -> None:
        """Count a good attempt, and put back what was out and has had its time; an earlier attempt proves nothing."""
        seen = breaker.count(now, attempts=1, failures=0)
        was_out = False
        if breaker.is_open and now >= breaker.open_until:
            breaker.is_open, was_out = False, True
            breaker.open_seconds = OPEN_SECONDS
            breaker.slots.clear()
        self._forbidden.pop(_limit_key(target), None)
        for key in (_credential_key(target), _limit_key(target)):
            if _is_over(self._refusals.get(key), now):
                del self._refusals[key]
                was_out = True
        if _is_over(self._limits.get(_limit_key(target)), now):
            del self._limits[_limit_key(target)]
            was_out = True
        if was_out:
            self._tell(target, WayState.WORKING, AttemptOutcome.ANSWERED, seen, 0)

    def _count_failure(self, target: UpstreamTarget, outcome: AttemptOutcome, *, attempts: int) -> None:
        """Count a failure; open the breaker when there are too many, or when a probe failed."""
        now = monotonic_seconds()
        breaker = self._breaker_of(target)
        seen = breaker.count(now, attempts=attempts, failures=1)
        if breaker.is_open:
            if now < breaker.open_until:
                return
            breaker.open_seconds = min(OPEN_SECONDS_MAX, breaker.open_seconds * 2)
        elif seen[0] < FAILURES_LEAST or seen[1] < FAILING_SHARE * seen[0]:
            return
        breaker.is_open = True
        breaker.open_until = now + breaker.open_seconds
        breaker.probe_count = 0
        self._tell(target, WayState.OPEN, outcome, seen, breaker.open_seconds)

    def _breaker_of(self, target: UpstreamTarget) -> _Breaker:
        """Return a way's breaker; the catalog bounds how many there are."""
        return self._breakers.setdefault(_breaker_key(target), _Breaker(open_seconds=OPEN_SECONDS))

    def _tell(
        self,
        target: UpstreamTarget,
        state: WayState,
        cause: AttemptOutcome,
        seen: tuple[int, int],
        seconds: float,
        *,
        model: str | None = None,
    ) -> None:
        """Say what changed, why, and on what evidence; for a refused credential someone must look."""
        log = get_logger().error if state is WayState.REFUSED else get_logger().warning
        log("channel_health_changed", channel_id=target.channel_id, outcome=cause.value, count=seen[1], seconds=seconds)
        self._on_change(
            HealthChange(
                at=utc_now(),
                channel_id=target.channel_id,
                credential_id=target.credential_id,
                upstream_model=target.upstream_model if model is None else model,
                state=state,
                cause=cause,
                attempt_count=seen[0],
                failure_count=seen[1],
                seconds=seconds,
            )
        )


def _is_over(pause: _Pause | None, now: float) -> bool:
    """Whether there was a pause and its time is over."""
    return pause is not None and now >= pause.until


def _breaker_key(target: UpstreamTarget) -> tuple[str, str]:
    """Name what a breaker is for."""
    return target.channel_id, target.upstream_model


def _limit_key(target: UpstreamTarget) -> tuple[str, str, str]:
    """Name what a provider limits, or forbids."""
    return target.channel_id, target.credential_id, target.upstream_model


def _credential_key(target: UpstreamTarget) -> tuple[str, str, str]:
    """Name a credential that a provider refuses whatever is asked."""
    return target.channel_id, target.credential_id, ""
