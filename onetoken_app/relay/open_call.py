"""One admitted call while it is open: what it is, how far it came, and who may stop it."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from onetoken_app.clock import monotonic_seconds
from onetoken_app.errors import OneTokenError
from onetoken_app.providers.protocol import ChatCounts, UpstreamTarget
from onetoken_app.relay.admission import Admission
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.errors import CallerLeft
from onetoken_app.relay.repeats import RequestClaim
from onetoken_app.relay.reply import Reply
from onetoken_app.relay.request_body import Receive
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import AttemptOutcome

ABSURD_FACTOR = 4
"""Figures of a provider above this many context windows are not believed."""

FIGURES_SECONDS_MAX = 3.0
"""How long a finished answer whose caller left is read on for the provider's figures, which come right after it."""


class Phase(StrEnum):
    """How far a call came."""

    HOLDING = "holding"
    """Money is being set aside; this takes milliseconds and is not interrupted."""
    FORWARDING = "forwarding"
    """The upstream works; the only phase that may be interrupted."""
    CLOSING = "closing"
    """The hold is being closed and the end is being sent."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """How much output had been passed on at a moment."""

    ascii_characters: int
    other_characters: int
    event_count: int


NOTHING_DELIVERED = Delivered(0, 0, 0)


@dataclass(slots=True)
class OpenAttempt:
    """One request that goes upstream."""

    admission: Admission
    """Of the model that was asked, which may be a fallback."""
    target: UpstreamTarget
    began_at: datetime
    began_at_seconds: float
    duration_ms: int = 0
    outcome: AttemptOutcome | None = None
    """Set when it failed before it answered; of the last one the call's end says how it ended."""


@dataclass(slots=True, repr=False, eq=False)
class OpenCall:
    """One call. Never printed: it holds content."""

    request_id: str
    requested_at: datetime
    arrived_at_seconds: float
    """Monotonic seconds, as are all moments below."""
    interface_path: str
    caller_ip: str
    user_agent: str
    request: CallRequest
    admission: Admission
    reply: Reply
    receive: Receive
    counts: ChatCounts
    hang_up_drain_seconds: float
    claim: RequestClaim | None = None
    """Set when its caller named it, so that it is made once."""
    phase: Phase = Phase.HOLDING
    task: asyncio.Task[None] | None = None
    """The supervised task that owes the close."""
    interruption: OneTokenError | None = None
    """Why it was stopped from outside."""
    has_caller_left: bool = False
    drain_until_seconds: float | None = None
    """Set when the upstream is read on for nobody, because it bills anyway."""
    delivered: Delivered = NOTHING_DELIVERED
    """What the caller was sent so far; what is drained after the caller left does not count."""
    extended_output_tokens: int = 0
    """The output that the hold covers since it was extended; 0: it never was."""
    target: UpstreamTarget | None = None
    """Of the latest attempt."""
    attempts: list[OpenAttempt] = field(default_factory=list)
    first_byte_at_seconds: float | None = None
    upstream_request_id: str = ""
    sign_count: int = 0
    """Counts signs of life of the upstream: attempts, heads, pieces."""
    seen_sign_count: int = -1
    quiet_since_seconds: float = 0.0
    kept_alive_at_seconds: float = 0.0
    recorded_nanos: int = 0
    """The charge of the last durable progress."""
    recorded_at_seconds: float = 0.0
    is_recording: bool = False
    usage_source: UsageSource = UsageSource.NONE
    """Of the close, once it was asked for."""
    estimated_input_tokens: int | None = None
    watcher: asyncio.Task[None] | None = field(default=None)

    @property
    def attempt_count(self) -> int:
        """How often it was sent upstream."""
        return len(self.attempts)

    @property
    def shown_model_name(self) -> str | None:
        """The name to put into the reply, or ``None`` where the caller and the upstream use the same."""
        name = self.admission.offer.model.name
        is_the_same = self.target is not None and self.target.upstream_model == name == self.request.model_name
        return None if is_the_same else name

    @property
    def held_output_tokens(self) -> int:
        """The output that the hold covers, over all choices."""
        return self.extended_output_tokens or self.admission.output_tokens_max

    @property
    def charge_words(self) -> str:
        """Say what a call that is cut now is charged for."""
        return "You are charged for what was delivered." if self.delivered.event_count else "Nothing was charged."

    def note_delivered(self) -> None:
        """Take all that was counted for delivered, unless nobody was there to take it."""
        if not self.has_caller_left:
            counts = self.counts
            self.delivered = Delivered(counts.ascii_characters, counts.other_characters, counts.output_event_count)

    def interrupt(self, reason: OneTokenError) -> None:
        """Stop forwarding at once, or before it begins; a close is not stopped. The first reason stays."""
        if self.phase is Phase.CLOSING or self.interruption is not None or self.task is None:
            return
        self.interruption = reason
        if self.phase is Phase.FORWARDING:
            self.task.cancel()

    def note_caller_left(self) -> None:
        """Stop answering, and stop the upstream or read it on where it bills anyway."""
        if self.has_caller_left:
            return
        self.has_caller_left = True
        self.reply.abandon()
        drain_seconds = self._drain_seconds()
        if drain_seconds > 0:
            self.drain_until_seconds = monotonic_seconds() + drain_seconds
        else:
            self.interrupt(caller_left())

    def _drain_seconds(self) -> float:
        """Say for how long the upstream is read on: it bills anyway, or its figures are one event away."""
        if self.target is not None and self.target.bills_after_hang_up:
            return self.hang_up_drain_seconds
        return FIGURES_SECONDS_MAX if self.counts.has_finished and not self.counts.is_usage_latest else 0


def counts_for(admission: Admission) -> ChatCounts:
    """Begin to count one call's reply. Each choice may be as long as the window."""
    tokens_max = ABSURD_FACTOR * admission.offer.model.context_window_tokens
    return ChatCounts(tokens_max=tokens_max, output_tokens_max=tokens_max * admission.choice_count)


def caller_left() -> CallerLeft:
    """Name it for the record; nobody reads the sentence."""
    return CallerLeft("The caller hung up.")
