"""The one walk of a call: authenticate, admit, hold, forward, settle, end. A list of steps; each lives in its module.

The upstream gets nothing before the hold is durable, and the caller gets no end before the close is.
"""

import asyncio
import functools
from typing import Any

from onetoken_app.caller_address import caller_address
from onetoken_app.clock import monotonic_seconds, utc_now
from onetoken_app.errors import OneTokenError
from onetoken_app.ledger.errors import InsufficientFunds
from onetoken_app.money import Nanos
from onetoken_app.relay.admission import Admission, admit, balance_too_low, check_standing
from onetoken_app.relay.attempts import note_broken_answer, open_upstream
from onetoken_app.relay.authentication import authenticate
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.dialects.spoken import SpokenDialect
from onetoken_app.relay.errors import CallerLeft, CallerStalled, internal_error
from onetoken_app.relay.estimation import estimated_input
from onetoken_app.relay.narrowing import read_narrowing
from onetoken_app.relay.open_call import OpenCall, Phase, counts_for
from onetoken_app.relay.policy_snapshot import Caller
from onetoken_app.relay.pump import pump_stream, read_plain
from onetoken_app.relay.receipts import headers_ahead, headers_of_charge
from onetoken_app.relay.reply import Reply
from onetoken_app.relay.request_body import BodyShare, Receive, check_announcement, read_body
from onetoken_app.relay.request_head import RequestHead, read_head
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.relay.settlement import Ending, cover, give_back, hold, settle
from onetoken_app.relay.shaping import is_within_reach, within_reach
from onetoken_app.telemetry import get_logger
from onetoken_app.usage.recording import clean_user_agent

LARGE_BODY_BYTES = 64 * 1024
"""Bodies beyond it are read in a thread: whatever they hold, reading a smaller one takes a few milliseconds."""
_JSON = [(b"content-type", b"application/json")]


async def serve_call(
    runtime: RelayRuntime, scope: dict[str, Any], receive: Receive, reply: Reply, *, spoken: SpokenDialect
) -> None:
    """Answer one call in the dialect of its path.

    Raises:
        OneTokenError: The call is not made.
    """
    with runtime.supervisor.place(), BodyShare(runtime.body_room) as share:
        call = await _admitted(runtime, scope, receive, reply, share=share, spoken=spoken)
        await runtime.supervisor.carry(call, functools.partial(walk, runtime))


async def identify(runtime: RelayRuntime, head: RequestHead) -> Caller:
    """Find out who calls, and refuse organizations that may not.

    Raises:
        OneTokenError: Nobody we know, or not in good standing.
    """
    caller = await authenticate(head, runtime.policy, key_pepper=runtime.secrets.key_pepper, now=utc_now())
    check_standing(caller)
    return caller


def note_refusal(error: OneTokenError, *, request_id: str, path: str) -> None:
    """Write down that a request was refused: it has no hold, hence no record."""
    get_logger().info(
        "request_refused",
        request_id=request_id, interface_path=path, http_status=error.http_status, error_code=error.code,
    )  # fmt: skip


async def _admitted(
    runtime: RelayRuntime,
    scope: dict[str, Any],
    receive: Receive,
    reply: Reply,
    *,
    share: BodyShare,
    spoken: SpokenDialect,
) -> OpenCall:
    """Read the request as far as it may be read, and decide."""
    arrived_at_seconds, requested_at = monotonic_seconds(), utc_now()
    settings = runtime.settings
    head = read_head(scope["headers"])
    caller = await identify(runtime, head)
    narrowing = read_narrowing(head)
    check_announcement(head, bytes_max=settings.request_body_bytes_max)
    policy = runtime.policy.snapshot()
    body = await read_body(receive, share, bytes_max=settings.request_body_bytes_max)
    request, estimated_input_tokens = await _read(runtime, spoken, body, head)
    if runtime.policy.snapshot() is not policy:
        # A body may be a minute on its way; the key may have been revoked since.
        caller = await identify(runtime, head)
    admitted = admit(request, caller, runtime.policy.snapshot(), narrowing)
    admission = await _within_reach(runtime, request, admitted)
    claim = await runtime.repeats.claim_of(head, caller, path=spoken.path + spoken.asked, body=body)
    return OpenCall(
        request_id=reply.request_id,
        requested_at=requested_at,
        arrived_at_seconds=arrived_at_seconds,
        interface_path=spoken.path,
        caller_ip=caller_address(
            scope.get("client"), head.forwarded_for, trusted_proxy_count=settings.trusted_proxy_count
        ),
        user_agent=clean_user_agent(head.user_agent.decode("latin-1")),
        request=request,
        admission=admission,
        claim=claim,
        reply=reply,
        receive=receive,
        counts=counts_for(admission),
        hang_up_drain_seconds=settings.hang_up_drain_seconds,
        estimated_input_tokens=estimated_input_tokens,
    )


async def _read(
    runtime: RelayRuntime, spoken: SpokenDialect, body: bytes, head: RequestHead
) -> tuple[CallRequest, int | None]:
    """Read a request; a large one beside the event loop, and all that will ever be read of it at once."""
    if len(body) <= LARGE_BODY_BYTES:
        return spoken.read_request(body, head), None
    return await asyncio.get_running_loop().run_in_executor(runtime.body_readers, _read_large, spoken, body, head)


async def _within_reach(runtime: RelayRuntime, request: CallRequest, admission: Admission) -> Admission:
    """Translate where a route needs it; a large request beside the event loop."""
    if is_within_reach(request, admission):
        return admission
    if request.body_bytes <= LARGE_BODY_BYTES:
        return within_reach(request, admission)
    return await asyncio.get_running_loop().run_in_executor(runtime.body_readers, within_reach, request, admission)


def _read_large(spoken: SpokenDialect, body: bytes, head: RequestHead) -> tuple[CallRequest, int]:
    """Read a request and estimate its input."""
    request = spoken.read_request(body, head)
    return request, estimated_input(request)


async def walk(runtime: RelayRuntime, call: OpenCall) -> None:
    """Carry one admitted call upstream and close its hold, however it ends. Runs in the supervised task."""
    try:
        await hold(call, ledger=runtime.ledger, is_sqlite=runtime.is_sqlite)
    except InsufficientFunds as error:
        available_nanos = int(error.metadata.get("available_nanos", 0))
        await _refuse(runtime, call, balance_too_low(call.admission, available_nanos=available_nanos))
    except OneTokenError as error:
        await _refuse(runtime, call, error)
    else:
        try:
            await _carry_and_close(runtime, call)
        except Exception:
            # A mistake before the close was asked for would leave the hold open; one that is closed stays as it is.
            await give_back(call, ledger=runtime.ledger, is_sqlite=runtime.is_sqlite)
            raise


async def _carry_and_close(runtime: RelayRuntime, call: OpenCall) -> None:
    """Owe a close, forward, close, and only then send the end."""
    call.reply.announce(headers_ahead(call))
    ending = await _forward(runtime, call)
    note_broken_answer(call, ending.error, runtime.upstreams.health)
    try:
        charge_nanos = await settle(call, ending, ledger=runtime.ledger, is_sqlite=runtime.is_sqlite)
    except OneTokenError as error:
        get_logger().error("close_not_confirmed", request_id=call.request_id, error_code=error.code)
        ending, charge_nanos = Ending(error=error), call.admission.upper_charge_nanos
        runtime.note_call(call, error, charge_nanos=0)
    else:
        runtime.note_call(call, ending.error, charge_nanos=charge_nanos)
    if isinstance(ending.error, CallerStalled):
        call.reply.hang_up()
        return
    if isinstance(ending.error, CallerLeft):
        call.reply.abandon()
        return
    try:
        # One who reads slowly is as patient a caller at the end as in the middle; the call is closed by now.
        async with asyncio.timeout(runtime.settings.upstream_idle_seconds):
            await _send_end(call, ending, charge_nanos=charge_nanos)
    except TimeoutError:
        call.reply.hang_up()
    except CallerLeft:
        call.reply.abandon()


async def _send_end(call: OpenCall, ending: Ending, *, charge_nanos: Nanos) -> None:
    """Send the end of an answer whose close is durable, or the error it ended with."""
    if ending.error is not None:
        await call.reply.fail(ending.error, is_charged=charge_nanos > 0)
    elif call.request.is_streaming:
        await call.reply.finish_stream(ending.last_events)
    else:
        await call.reply.send_whole(200, [*_JSON, *headers_of_charge(call, charge_nanos)], ending.plain_body)


async def _forward(runtime: RelayRuntime, call: OpenCall) -> Ending:
    """Send the request on and carry the answer back; every way in which this can end is an ``Ending``."""
    upstream = None
    call.phase = Phase.FORWARDING
    call.quiet_since_seconds = monotonic_seconds()
    try:
        if call.interruption is not None:
            return Ending(error=call.interruption)
        asked = call.admission
        upstream = await open_upstream(call, runtime.upstreams)
        if call.admission is not asked:
            call.reply.announce(headers_ahead(call))
        if call.request.is_streaming:
            return Ending(
                last_events=await pump_stream(call, upstream, functools.partial(cover, ledger=runtime.ledger))
            )
        return Ending(plain_body=await read_plain(call, upstream, bytes_max=runtime.settings.reply_body_bytes_max))
    except OneTokenError as error:
        return Ending(error=error)
    except asyncio.CancelledError:
        # Of whomever: the close is still owed. One that nobody gave a reason for is a mistake, or the loop's end.
        if call.task is not None:
            call.task.uncancel()
        return Ending(error=call.interruption or internal_error(call.charge_words))
    except Exception:  # noqa: BLE001 # the edge: whatever went wrong, the hold has to be closed
        get_logger().error("forwarding_failed", request_id=call.request_id, exc_info=True)
        return Ending(error=internal_error(call.charge_words))
    finally:
        call.phase = Phase.CLOSING
        if upstream is not None:
            upstream.release()


async def _refuse(runtime: RelayRuntime, call: OpenCall, error: OneTokenError) -> None:
    """Tell a caller that no money could be set aside."""
    runtime.metrics.note_refusal(error, interface=call.interface_path)
    note_refusal(error, request_id=call.request_id, path=call.interface_path)
    await call.reply.fail(error)
