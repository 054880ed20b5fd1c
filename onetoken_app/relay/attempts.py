"""Tries channels until one answers, before the first byte went to the caller; names each failure in our own words.

A connection that fails, a 429 and a 5xx are tried again, on another channel first; other refusals are not, because
they would be refused again.
"""

import asyncio
import random
from collections.abc import Container

from onetoken_app.clock import monotonic_seconds, utc_now
from onetoken_app.errors import OneTokenError, UpstreamFailed
from onetoken_app.providers.protocol import UpstreamTarget
from onetoken_app.providers.registry import PROVIDERS
from onetoken_app.relay.errors import (
    NoChannelAvailable,
    UpstreamBusy,
    UpstreamCredentials,
    UpstreamRejectedRequest,
    UpstreamTooSlow,
    UpstreamUnreachable,
    UpstreamUnusable,
)
from onetoken_app.relay.forwarding import UpstreamBroke, UpstreamClient, UpstreamReply
from onetoken_app.relay.open_call import OpenAttempt, OpenCall
from onetoken_app.relay.routing import RetryBudget, attempts_in_order
from onetoken_app.telemetry import get_logger
from onetoken_app.usage.models import AttemptOutcome
from onetoken_app.usage.recording import clean_upstream_request_id

SAME_CHANNEL_PAUSE_SECONDS = 0.1
"""Pause before the same channel is asked again; half of it is jitter."""
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


async def open_upstream(call: OpenCall, client: UpstreamClient, budget: RetryBudget) -> UpstreamReply:
    """Return a reply whose head is good; its body has not been read.

    Raises:
        OneTokenError: No channel gave one; the error is that of the last attempt.
    """
    budget.note_call()
    targets = attempts_in_order(call.admission.routes)
    for target, following in zip(targets, [*targets[1:], None], strict=True):
        call.target = target
        call.attempts.append(OpenAttempt(target, utc_now(), monotonic_seconds()))
        call.sign_count += 1
        try:
            return await _attempt(call, client, target)
        except OneTokenError as failure:
            _note(failure, call)
            if following is None or not _may_try_again(failure) or not budget.spend():
                raise
        if following is target:
            await asyncio.sleep(SAME_CHANNEL_PAUSE_SECONDS * random.uniform(0.5, 1))  # noqa: S311 # no secret
    raise NoChannelAvailable("No channel serves this model at the moment. Nothing was charged; try again later.")


def outcome_of(failure: OneTokenError) -> AttemptOutcome:
    """Return the class of a failure that came before an answer; what no upstream caused abandoned the attempt."""
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(failure, kind)), AttemptOutcome.ABANDONED)


def _note(failure: OneTokenError, call: OpenCall) -> None:
    """Write a failed attempt down; for a credential that is refused someone must look."""
    attempt = call.attempts[-1]
    attempt.outcome = outcome_of(failure)
    attempt.duration_ms = int((monotonic_seconds() - attempt.began_at_seconds) * _MS)
    log = get_logger().error if isinstance(failure, UpstreamCredentials) else get_logger().warning
    log("upstream_failed", request_id=call.request_id, channel_id=attempt.target.channel_id, error_code=failure.code)


async def _attempt(call: OpenCall, client: UpstreamClient, target: UpstreamTarget) -> UpstreamReply:
    """Make one attempt."""
    is_streaming = call.request.is_streaming
    request = PROVIDERS[target.provider].chat_request(target, call.request.members, is_streaming=is_streaming)
    try:
        upstream = await client.send(request)
    except UpstreamBroke as error:
        raise UpstreamUnreachable(_UNREACHABLE) from error
    call.sign_count += 1
    call.upstream_request_id = clean_upstream_request_id(upstream.request_id)
    failure = _failure_of(upstream, is_streaming=is_streaming)
    if failure is not None:
        upstream.release()
        raise failure
    call.first_byte_at_seconds = monotonic_seconds()
    return upstream


def _failure_of(upstream: UpstreamReply, *, is_streaming: bool) -> OneTokenError | None:
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
    """Whether another attempt could go better."""
    return failure.is_retryable and not isinstance(failure, UpstreamUnusable)


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
    (
        (401, 402, 403),
        UpstreamCredentials,
        _CREDENTIALS,
    ),
    ((408, 504), UpstreamTooSlow, "The provider gave up waiting. Nothing was charged; try again."),
    (
        range(400, 500),
        UpstreamRejectedRequest,
        _REJECTED,
    ),
    (range(500, 600), UpstreamFailed, "The provider failed. Nothing was charged; try again."),
)
"""By status; the first that fits."""
