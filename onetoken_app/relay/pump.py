"""Carries an upstream's answer to the caller: whole events only, counted as they pass, never faster than is read.

The end is not sent here: ``[DONE]`` and plain bodies wait until the close has committed.
"""

import asyncio
from collections.abc import Awaitable, Callable

from onetoken_app.errors import UpstreamFailed
from onetoken_app.providers.event_stream import EventReader
from onetoken_app.providers.protocol import Provider, UnusableReply
from onetoken_app.providers.registry import PROVIDERS
from onetoken_app.relay.errors import CallerLeft, UpstreamUnusable
from onetoken_app.relay.forwarding import UpstreamReply
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.relay.shaping import Shaper, shaper_for
from onetoken_app.relay.upstream_connection import UpstreamBroke

_CUT = "The provider's answer broke off before its end."
_FAILED = "The provider failed while it was answering."
_UNREADABLE = "The provider's answer could not be read."
_TOO_LONG = "The provider's answer is longer than is delivered here, and was thrown away."

Cover = Callable[[OpenCall], Awaitable[None]]


async def pump_stream(call: OpenCall, upstream: UpstreamReply, cover: Cover) -> bytes:
    """Pass a stream on up to, and without, its end, which is returned.

    An upstream that gives every finish reason and then ends without its last event has ended well.

    Args:
        call: The call.
        upstream: Its answer, whose head is good.
        cover: Sees to it that the hold covers what was counted, before it is sent; raises when it cannot.

    Raises:
        OneTokenError: What ``cover`` raises.
        UpstreamFailed: It said in-band that it failed.
        UpstreamUnusable: It broke off, or is not a stream of chunks.
    """
    provider = _provider_of(call)
    shaper = _shaper_of(call, provider)
    reader = EventReader()
    is_done = False
    if opening := shaper.opening():
        await _deliver(call, opening)
    while not is_done:
        try:
            piece = await upstream.next_piece()
            call.sign_count += 1
            payloads = reader.feed(piece) if piece else reader.finish()
        except (UpstreamBroke, UnusableReply) as error:
            raise UpstreamUnusable(_told(call, _CUT)) from error
        is_done = await _pass_on(call, payloads, provider, shaper, cover)
        if not piece and not is_done:
            if call.counts.has_finished:
                break
            raise UpstreamUnusable(_told(call, _CUT))
    return shaper.end()


async def read_plain(call: OpenCall, upstream: UpstreamReply, *, bytes_max: int) -> bytes:
    """Read a whole plain answer, so that the caller gets all of it or a clear error.

    Raises:
        UpstreamFailed: It is an error in the form of a success.
        UpstreamUnusable: It broke off, is too long, or is not a chat completion.
    """
    pieces: list[bytes] = []
    byte_count = 0
    try:
        while piece := await upstream.next_piece():
            call.sign_count += 1
            pieces.append(piece)
            byte_count += len(piece)
            if byte_count > bytes_max:
                raise UpstreamUnusable(_told(call, _TOO_LONG))
        body = b"".join(pieces)
        provider = _provider_of(call)
        provider.read_reply(body, call.counts)
        shown_body = b"" if call.counts.has_failed else _shaper_of(call, provider).plain(body)
    except UpstreamBroke as error:
        raise UpstreamUnusable(_told(call, _CUT)) from error
    except UnusableReply as error:
        raise UpstreamUnusable(_told(call, _UNREADABLE)) from error
    if call.counts.has_failed:
        raise UpstreamFailed(_told(call, _FAILED))
    call.note_delivered()
    return shown_body


async def _pass_on(call: OpenCall, payloads: list[bytes], provider: Provider, shaper: Shaper, cover: Cover) -> bool:
    """Count and send the events of one piece; return whether the end was among them.

    What came before a broken event has been counted, and is therefore sent before the error is raised.
    """
    events: list[bytes] = []
    is_done = False
    failure: tuple[type[UpstreamFailed], str] | None = None
    for payload in payloads:
        if provider.is_end(payload):
            is_done = True
            break
        try:
            shown = shaper.event(payload)
            provider.read_event(payload, call.counts)
            if call.counts.has_failed:
                failure = UpstreamFailed, _FAILED
                break
        except UnusableReply:
            failure = UpstreamUnusable, _UNREADABLE
            break
        if shown:
            events.append(shown)
    if events:
        await cover(call)
        await _deliver(call, b"".join(events))
    if failure is not None:
        kind, what = failure
        raise kind(_told(call, what))
    return is_done


async def _deliver(call: OpenCall, events: bytes) -> None:
    """Send events, and count them for delivered once the caller's socket has taken them."""
    try:
        await call.reply.write_events(events)
    except CallerLeft:
        call.note_caller_left()
        await asyncio.sleep(0)  # a call that is not read on for nobody is interrupted here
    call.note_delivered()


def _told(call: OpenCall, what: str) -> str:
    """Say what happened, what it costs, and what to do."""
    return f"{what} {call.charge_words} Try again."


def _provider_of(call: OpenCall) -> Provider:
    """Return the provider of the attempt that answered."""
    return PROVIDERS[call.target.provider if call.target is not None else ""]


def _shaper_of(call: OpenCall, provider: Provider) -> Shaper:
    """Return what shows the answer as the caller asked for it."""
    return shaper_for(call.request, provider, call.counts, model_name=call.shown_model_name, request_id=call.request_id)
