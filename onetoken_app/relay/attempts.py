"""Tries channels until one answers, before the first byte went to the caller; names each failure in our own words.

A connection that fails, a 429 and a 5xx are tried again, on another channel first; what came too late or refused our
credential, on another one only; other refusals are not, because they would be refused again. ``health.py`` is told.
"""

import asyncio
import random
from collections.abc import Container
from dataclasses import dataclass

from onetoken_app.clock import monotonic_seconds, utc_now
from onetoken_app.errors import OneTokenError, UpstreamFailed
from onetoken_app.relay.errors import (
    UpstreamBusy,
    UpstreamCredentials,
    UpstreamForbade,
    UpstreamRejectedRequest,
    UpstreamTooSlow,
    UpstreamUnreachable,
    UpstreamUnusable,
)
from onetoken_app.relay.forwarding import UpstreamClient, UpstreamReply
from onetoken_app.relay.health import Health
from onetoken_app.relay.open_call import OpenAttempt, OpenCall
from onetoken_app.relay.routing import Picker, RetryBudget, Tries, Way, ways_in_order
from onetoken_app.relay.shaping import upstream_request
from onetoken_app.relay.upstream_connection import UpstreamBroke
from onetoken_app.telemetry import get_logger
from onetoken_app.usage.models import AttemptOutcome
from onetoken_app.usage.recording import clean_upstream_request_id

SAME_CHANNEL_PAUSE_SECONDS = 0.1
"""Pause before the same way is asked again; half of it is jitter, and each further one is twice as long."""
SHORT_REST_SECONDS = 2.0
"""A caller waits so long for a channel that its provider limits, where no other channel can be asked."""
RETRY_AFTER_SECONDS_MAX = 60
_EVENT_STREAM = "text/event-stream"
_MS = 1000
_OUTCOMES: tuple[tuple[type[OneTokenError], AttemptOutcome], ...] = (
    (UpstreamUnreachable, AttemptOutcome.UNREACHABLE),
    (UpstreamBusy, AttemptOutcome.BUSY),
    (UpstreamTooSlow, AttemptOutcome.TOO_SLOW),
    (UpstreamCredentials, AttemptOutcome.REFUSED),
    (UpstreamRejectedRequest, AttemptOutcome.REFUSED),
    (UpstreamFailed, AttemptOutcome.FAILED),
)
"""The first that fits."""


@dataclass(frozen=True, slots=True)
class Upstreams:
    """What one process reaches its upstreams with."""

    client: UpstreamClient
    picker: Picker
    retries: RetryBudget
    first_byte_seconds: float
    """For the first byte of a streamed answer."""
    plain_answer_seconds: float
    """For the first byte of a plain one."""

    @property
    def health(self) -> Health:
        """What is known of the ways."""
        return self.picker.health


async def open_upstream(call: OpenCall, upstreams: Upstreams) -> UpstreamReply:
    """Return a reply whose head is good; its body has not been read.

    From then on the call's admission is that of the model which answers; nothing is answered: of the one asked for.

    Raises:
        OneTokenError: No channel gave one; the error is that of the last attempt.
    """
    asked = call.admission
    upstreams.retries.note_call()
    tries = Tries(ways_in_order(asked, call.request, upstreams.picker), upstreams.health)
    way = tries.next_way() or await _after_a_short_rest(tries)
    if way is None:
        raise tries.refusal()
    while True:
        call.admission, call.target = way.admission, way.target
        call.attempts.append(OpenAttempt(way.admission, way.target, utc_now(), monotonic_seconds()))
        call.sign_count += 1
        try:
            return await _attempt(call, upstreams, way)
        except OneTokenError as failure:
            call.admission = asked
            _note(failure, call, upstreams.health)
            following = await _following(failure, call, tries)
            if following is None or not upstreams.retries.spend():
                raise
        if tries.was_tried(following):
            await asyncio.sleep(_pause_seconds(len(call.attempts)))
        way = following


async def _following(failure: OneTokenError, call: OpenCall, tries: Tries) -> Way | None:
    """Return the way to try after a failure; ``None``: that was the last attempt.

    What a channel itself failed at is asked of another channel first; where it limits or refuses one credential, its
    next credential may do.
    """
    if len(call.attempts) >= call.admission.narrowing.attempts_max or not _may_try_again(failure):
        return None
    is_of_credential = isinstance(failure, (UpstreamBusy, UpstreamCredentials))
    failed_channel_id = "" if is_of_credential else call.attempts[-1].target.channel_id
    following = tries.next_way(only_new=isinstance(failure, _NOT_TWICE), not_channel_id=failed_channel_id)
    if following is None and isinstance(failure, UpstreamBusy):
        return await _after_a_short_rest(tries)
    return following


async def _after_a_short_rest(tries: Tries) -> Way | None:
    """Wait for a provider that asked to be left alone for a moment only; ``None``: for longer, or that is no reason."""
    seconds = tries.rest_seconds()
    if seconds is None or seconds > SHORT_REST_SECONDS:
        return None
    await asyncio.sleep(seconds * random.uniform(1, 1.1))  # noqa: S311 # no secret
    return tries.next_way()


def note_broken_answer(call: OpenCall, error: OneTokenError | None, health: Health) -> None:
    """Count an answer that broke off, or that nobody can use, against the way it came."""
    if call.target is None or call.first_byte_at_seconds is None or not isinstance(error, _BROKEN_ANSWERS):
        return
    health.note_broken(call.target, outcome_of(error))


def outcome_of(failure: OneTokenError) -> AttemptOutcome:
    """Return the class of a failure that came before an answer; what no upstream caused abandoned the attempt."""
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(failure, kind)), AttemptOutcome.ABANDONED)


def _pause_seconds(attempt_count: int) -> float:
    """Return how long the same way is left alone before it is asked again: longer each time, half of it jitter."""
    doublings = 1 << (attempt_count - 1)
    return SAME_CHANNEL_PAUSE_SECONDS * doublings * random.uniform(0.5, 1)  # noqa: S311 # no secret


def _note(failure: OneTokenError, call: OpenCall, health: Health) -> None:
    """Write a failed attempt down, and what it says of the way."""
    attempt = call.attempts[-1]
    attempt.outcome = outcome_of(failure)
    attempt.duration_ms = int((monotonic_seconds() - attempt.began_at_seconds) * _MS)
    if isinstance(failure, UpstreamForbade):
        health.note_forbidden(attempt.target, organization_id=call.admission.caller.organization_id)
    elif isinstance(failure, UpstreamCredentials):
        health.note_refused_credential(attempt.target)
    elif isinstance(failure, UpstreamBusy):
        asked = failure.metadata.get("retry_after_seconds")
        health.note_limited(attempt.target, retry_after_seconds=None if asked is None else float(asked))
    elif isinstance(failure, UpstreamRejectedRequest):
        health.note_refused_request(attempt.target)
    else:
        health.note_failure(attempt.target, attempt.outcome)
    get_logger().warning(
        "upstream_failed",
        request_id=call.request_id, channel_id=attempt.target.channel_id, error_code=failure.code,
    )  # fmt: skip


async def _attempt(call: OpenCall, upstreams: Upstreams, way: Way) -> UpstreamReply:
    """Make one attempt."""
    target, is_streaming = way.target, call.request.is_streaming
    request = upstream_request(call.request, target)
    upstreams.health.note_begin(target)
    try:
        async with asyncio.timeout(_patience_seconds(way, upstreams, is_streaming=is_streaming)):
            upstream = await upstreams.client.send(request)
    except UpstreamBroke as error:
        raise UpstreamUnreachable(_UNREACHABLE) from error
    except TimeoutError as error:
        raise UpstreamTooSlow(_NOT_BEGUN) from error
    call.sign_count += 1
    call.upstream_request_id = clean_upstream_request_id(upstream.request_id)
    failure = failure_of(upstream, is_streaming=is_streaming)
    if failure is not None:
        upstream.release()
        raise failure
    call.first_byte_at_seconds = monotonic_seconds()
    upstreams.health.note_answer(target, seconds=call.first_byte_at_seconds - call.attempts[-1].began_at_seconds)
    return upstream


def _patience_seconds(way: Way, upstreams: Upstreams, *, is_streaming: bool) -> float:
    """Return how long a provider may take to begin: the model's own time, else the settings'."""
    own_seconds = way.admission.offer.model.first_byte_seconds
    if own_seconds is not None:
        return own_seconds
    return upstreams.first_byte_seconds if is_streaming else upstreams.plain_answer_seconds


def failure_of(upstream: UpstreamReply, *, is_streaming: bool) -> OneTokenError | None:
    """Name what is wrong with a head; its body is not read, because it may quote the prompt."""
    status = upstream.status
    if status == 200:
        is_usable = not upstream.is_coded and (not is_streaming or upstream.content_type == _EVENT_STREAM)
        return None if is_usable else UpstreamUnusable(_UNUSABLE)
    if status == 429:
        return _busy(upstream.retry_after)
    for statuses, failure, words in _FAILURES:
        if status in statuses:
            return failure(words)
    return UpstreamUnusable(_UNUSABLE)


def _busy(retry_after: str) -> UpstreamBusy:
    """Pass on how long the provider wants to be left alone, within reason."""
    busy = UpstreamBusy("The provider limits this service at the moment. Nothing was charged; try again shortly.")
    if retry_after.isascii() and retry_after.isdigit():
        busy.metadata["retry_after_seconds"] = min(RETRY_AFTER_SECONDS_MAX, int(retry_after[:6]))
    return busy


def _may_try_again(failure: OneTokenError) -> bool:
    """Whether another attempt could go better; another credential may be taken where one was refused."""
    if isinstance(failure, UpstreamCredentials):
        return True
    return failure.is_retryable and not isinstance(failure, UpstreamUnusable)


_NOT_TWICE = (UpstreamTooSlow, UpstreamCredentials)
"""After these only another way is tried: the same one would keep the caller waiting as long, or refuse again."""
_BROKEN_ANSWERS = (UpstreamFailed, UpstreamTooSlow)
_NOT_BEGUN = "The provider did not begin to answer in time. Nothing was charged; try again."
_UNREACHABLE = "The provider could not be reached. Nothing was charged; try again."
_UNUSABLE = "The provider's answer could not be used. Nothing was charged; try again."
_CREDENTIALS = (
    "The provider refused this service's own credential, which only the operator can mend. Nothing was charged; tell "
    "the operator the request's id."
)
_REJECTED = (
    "The provider refused the request as it is. Its words are not passed on, because they may quote the prompt. Check "
    "the parameters against the model's documentation. Nothing was charged."
)
_FAILURES: tuple[tuple[Container[int], type[OneTokenError], str], ...] = (
    ((401,), UpstreamCredentials, _CREDENTIALS),
    ((402, 403), UpstreamForbade, _CREDENTIALS),
    ((408, 504), UpstreamTooSlow, "The provider gave up waiting. Nothing was charged; try again."),
    (
        range(400, 500),
        UpstreamRejectedRequest,
        _REJECTED,
    ),
    (range(500, 600), UpstreamFailed, "The provider failed. Nothing was charged; try again."),
)
"""By status; the first that fits."""
