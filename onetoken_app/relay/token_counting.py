"""Says how many tokens an input has, without making the call: nothing is held, charged or recorded.

A channel that speaks the caller's dialect is asked, because it knows; where the model has none, the estimate of
docs/relay-api.md is given, and said to be one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from onetoken_app.errors import BadRequest
from onetoken_app.providers.anthropic import AnthropicProvider
from onetoken_app.providers.documents import document_of
from onetoken_app.providers.gemini import GeminiProvider
from onetoken_app.providers.protocol import UnusableReply, UpstreamRequest
from onetoken_app.providers.registry import PROVIDERS
from onetoken_app.relay.admission import Admission, admit
from onetoken_app.relay.attempts import failure_of
from onetoken_app.relay.dialects.anthropic_messages import read_uncounted
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.dialects.gemini_members import in_camel_case
from onetoken_app.relay.dialects.spoken import SpokenDialect
from onetoken_app.relay.errors import UpstreamTooSlow, UpstreamUnreachable, UpstreamUnusable
from onetoken_app.relay.estimation import estimated_input
from onetoken_app.relay.forwarding import UpstreamClient
from onetoken_app.relay.narrowing import read_narrowing
from onetoken_app.relay.pipeline import identify
from onetoken_app.relay.reply import Reply
from onetoken_app.relay.request_body import BodyShare, Receive, check_announcement, read_body
from onetoken_app.relay.request_head import RequestHead, read_head
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.relay.upstream_connection import UpstreamBroke
from onetoken_app.token_usage import UsageSource

COUNT_PATH = "/v1/messages/count_tokens"
ANSWER_BYTES_MAX = 64 * 1024
_encoder = msgspec.json.Encoder()
_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class _Counting:
    """How tokens are counted in one dialect."""

    read: Callable[[bytes, RequestHead], CallRequest]
    member: str
    """Where the count stands, in a provider's answer and in ours."""


async def count_tokens(runtime: RelayRuntime, scope: dict[str, object], receive: Receive, reply: Reply) -> None:
    """Answer one ``POST /v1/messages/count_tokens``; raises what ``_count`` does."""
    await _count(runtime, scope, receive, reply, _Counting(read_uncounted, "input_tokens"))


async def count_gemini_tokens(
    runtime: RelayRuntime, scope: dict[str, object], receive: Receive, reply: Reply, *, spoken: SpokenDialect
) -> None:
    """Answer one ``POST /v1beta/models/{model}:countTokens``; raises what ``_count`` does."""

    def read(body: bytes, head: RequestHead) -> CallRequest:
        return spoken.read_request(_asked_for(body), head)

    await _count(runtime, scope, receive, reply, _Counting(read, "totalTokens"))


async def _count(
    runtime: RelayRuntime, scope: dict[str, object], receive: Receive, reply: Reply, counting: _Counting
) -> None:
    """Count one input.

    Raises:
        OneTokenError: The caller, the model or the request is not admitted, or the provider does not say.
    """
    bytes_max, loop = runtime.settings.request_body_bytes_max, asyncio.get_running_loop()
    head = read_head(scope["headers"])  # type: ignore[arg-type] # a list of pairs, as ASGI promises
    with runtime.supervisor.place(), BodyShare(runtime.body_room) as share:
        await identify(runtime, head)
        check_announcement(head, bytes_max=bytes_max)
        body = await read_body(receive, share, bytes_max=bytes_max)
        request, estimate = await loop.run_in_executor(runtime.body_readers, _read, counting, body, head)
        caller = await identify(runtime, head)
        asked = _request_for(request, admit(request, caller, runtime.policy.snapshot(), read_narrowing(head)))
        count, source = estimate, UsageSource.ESTIMATED
        if asked is not None:
            seconds = runtime.settings.upstream_first_byte_seconds
            count = await _asked(runtime.upstreams.client, asked, member=counting.member, seconds=seconds)
            source = UsageSource.UPSTREAM
        headers = [(b"content-type", b"application/json"), (b"x-onetoken-usage-source", source.value.encode())]
        await reply.send_whole(200, headers, _encoder.encode({counting.member: count}))


def _asked_for(body: bytes) -> bytes:
    """Return the request that is to be counted: all of it may stand in a member.

    Raises:
        BadRequest: The body is no JSON object, or the member is none.
    """
    try:
        members = in_camel_case(_members_decoder.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not a JSON object.") from error
    return bytes(members.get("generateContentRequest", body))


def _read(counting: _Counting, body: bytes, head: RequestHead) -> tuple[CallRequest, int]:
    """Read a request and estimate its input; work for a thread, whatever its size."""
    request = counting.read(body, head)
    return request, estimated_input(request)


def _request_for(request: CallRequest, admission: Admission) -> UpstreamRequest | None:
    """Write the question to the first channel that understands it."""
    for route in admission.routes:
        provider = PROVIDERS[route.target.provider]
        if isinstance(provider, AnthropicProvider | GeminiProvider) and provider.dialect is request.dialect:
            return provider.count_request(route.target, request.members, request.upstream_headers)
    return None


async def _asked(client: UpstreamClient, request: UpstreamRequest, *, member: str, seconds: float) -> int:
    """Ask a provider.

    Raises:
        OneTokenError: It does not say.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _answer_to(client, request, member)
    except TimeoutError as error:
        raise UpstreamTooSlow("The provider did not count in time. Nothing was charged; try again.") from error
    except UpstreamBroke as error:
        raise UpstreamUnreachable("The provider could not be reached. Nothing was charged; try again.") from error
    except UnusableReply as error:
        raise UpstreamUnusable("The provider's count could not be read. Nothing was charged; try again.") from error


async def _answer_to(client: UpstreamClient, request: UpstreamRequest, member: str) -> int:
    """Send the question and read the count."""
    upstream = await client.send(request)
    try:
        failure = failure_of(upstream, is_streaming=False)
        if failure is not None:
            raise failure
        body = b""
        while piece := await upstream.next_piece():
            body += piece
            if len(body) > ANSWER_BYTES_MAX:
                message = "the answer is too long"
                raise UnusableReply(message)
    finally:
        upstream.release()
    count = document_of(body).get(member)
    if type(count) is not int or count < 0:
        message = "it is no count"
        raise UnusableReply(message)
    return count
