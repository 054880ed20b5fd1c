"""Joins the dialect of a caller and that of a provider: what goes upstream, and how the answer is shown.

Where both are the same, bytes pass with only the changes that docs/relay-api.md lists.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

import msgspec

from onetoken_app.clock import utc_now
from onetoken_app.conversation.answered import AnswerEvent
from onetoken_app.conversation.asked import CannotBeExpressed, Conversation
from onetoken_app.providers.protocol import (
    AnswerReader,
    ChatCounts,
    Dialect,
    Provider,
    UpstreamRequest,
    UpstreamTarget,
)
from onetoken_app.providers.registry import PROVIDERS
from onetoken_app.relay.admission import Admission
from onetoken_app.relay.dialects import (
    anthropic_messages_conversation,
    gemini_conversation,
    openai_chat_conversation,
    openai_responses_conversation,
)
from onetoken_app.relay.dialects.anthropic_messages import PassedOnMessages
from onetoken_app.relay.dialects.anthropic_messages_answer import MessagesAnswer
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.dialects.gemini import Framing, PassedOnGemini
from onetoken_app.relay.dialects.gemini_answer import GeminiAnswer
from onetoken_app.relay.dialects.openai_chat import PassedOnChat
from onetoken_app.relay.dialects.openai_chat_answer import ChatAnswer
from onetoken_app.relay.dialects.openai_responses_answer import ResponsesAnswer
from onetoken_app.relay.errors import NoChannelAvailable, UnsupportedParameter
from onetoken_app.relay.policy_snapshot import ChannelRoute
from onetoken_app.token_usage import TokenUsage

_decoder = msgspec.json.Decoder()


class Shaper(Protocol):
    """Shows one answer as its caller gets it."""

    def opening(self) -> bytes:
        """Return what a stream begins with, before the provider has said anything."""
        ...

    def event(self, payload: bytes) -> bytes:
        """Return the events to send for one of the provider's; perhaps none.

        Raises:
            UnusableReply: It cannot be read.
        """
        ...

    def end(self) -> bytes:
        """Return the last events of a stream that ended well."""
        ...

    def plain(self, body: bytes) -> bytes:
        """Return a plain reply.

        Raises:
            UnusableReply: It cannot be read.
        """
        ...


class _Answer(Protocol):
    """Writes one answer in a dialect, out of neutral events."""

    def opening(self) -> bytes: ...
    def events(self, events: Iterable[AnswerEvent]) -> bytes: ...
    def end(self, usage: TokenUsage | None) -> bytes: ...
    def plain(self, events: Iterable[AnswerEvent], usage: TokenUsage | None) -> bytes: ...


class _Translated:
    """Shows an answer of a provider that speaks another dialect."""

    __slots__ = ("_answer", "_counts", "_reader")

    def __init__(self, reader: AnswerReader, answer: _Answer, counts: ChatCounts) -> None:
        """Begin; the counts are those of the call, and are told once the answer is at its end."""
        self._reader = reader
        self._answer = answer
        self._counts = counts

    def opening(self) -> bytes:
        """Return what the caller's dialect begins with."""
        return self._answer.opening()

    def event(self, payload: bytes) -> bytes:
        """Return one of the provider's events in the caller's dialect."""
        return self._answer.events(self._reader.event(payload))

    def end(self) -> bytes:
        """Return the last events."""
        return self._answer.end(self._counts.usage)

    def plain(self, body: bytes) -> bytes:
        """Return a plain reply in the caller's dialect."""
        return self._answer.plain(self._reader.plain(body), self._counts.usage)


def is_within_reach(request: CallRequest, admission: Admission) -> bool:
    """Whether every route, of fallbacks too, leads to a provider of the caller's own dialect."""
    admissions = (admission, *admission.fallbacks)
    return all(_dialect_of(route) is request.dialect for each in admissions for route in each.routes)


def within_reach(request: CallRequest, admission: Admission) -> Admission:
    """Keep the routes whose provider can be told what was asked, and write it in the dialects of the others.

    Models that may stand in are treated alike; one with no such route is left out. For a large body this is work for a
    thread, as reading it was.

    Raises:
        UnsupportedParameter: None of the model's own can; the first word that one of them lacks is named.
        NoChannelAvailable: All its channels are out, and no model that may stand in for it has the words.
    """
    routes, first = _reachable(request, admission, admission.routes)
    if not routes and first is not None:
        raise UnsupportedParameter(
            f"The provider of this model has no word for {first.parameter}, or for what it holds. Leave it out, or "
            f"choose another model.",
            parameter=first.parameter,
        ) from first
    reached = (_fallback_within_reach(request, admission, fallback) for fallback in admission.fallbacks)
    fallbacks = tuple(fallback for fallback in reached if fallback.routes)
    if not routes and not fallbacks:
        raise NoChannelAvailable(
            "No channel serves this model at the moment, and no other model can be asked this for it. Nothing was "
            "charged; try again later."
        )
    return replace(admission, routes=routes, fallbacks=fallbacks)


def _fallback_within_reach(request: CallRequest, asked: Admission, fallback: Admission) -> Admission:
    """Keep a fallback's routes; a translation carries the limit of the model that was asked, which it has to hold."""
    routes = fallback.routes
    if fallback.output_tokens_max < asked.output_tokens_max:
        routes = tuple(route for route in routes if _dialect_of(route) is request.dialect)
    return replace(fallback, routes=_reachable(request, asked, routes)[0])


def _reachable(
    request: CallRequest, asked: Admission, routes: tuple[ChannelRoute, ...]
) -> tuple[tuple[ChannelRoute, ...], CannotBeExpressed | None]:
    """Translate for routes; return those whose provider has the words, and the first word that one lacks."""
    lacking = {}
    for dialect in {_dialect_of(route) for route in routes} - {request.dialect} - request.translations.keys():
        try:
            request.translations[dialect] = _translated(request, asked, dialect)
        except CannotBeExpressed as error:
            lacking[dialect] = error
    kept = tuple(route for route in routes if _dialect_of(route) not in lacking)
    return kept, next(iter(lacking.values()), None)


def _translated(request: CallRequest, admission: Admission, dialect: Dialect) -> dict[str, msgspec.Raw]:
    """Write a request in another dialect, with the limit that is held for: some cannot do without one."""
    if request.choice_count > 1:
        parameter = "n"
        raise CannotBeExpressed(parameter)
    conversation = _CONVERSATIONS[request.dialect](request)
    bounded = replace(conversation, output_tokens_max=admission.output_tokens_max)
    provider = next(one for one in PROVIDERS.values() if one.dialect is dialect)
    return provider.members_of(bounded)


def _dialect_of(route: ChannelRoute) -> Dialect:
    """Return what a route's provider speaks."""
    return PROVIDERS[route.target.provider].dialect


def upstream_request(request: CallRequest, target: UpstreamTarget) -> UpstreamRequest:
    """Write the request for one attempt."""
    provider = PROVIDERS[target.provider]
    is_own = provider.dialect is request.dialect
    return provider.request_for(
        target,
        request.members if is_own else request.translations[provider.dialect],
        is_streaming=request.is_streaming,
        headers=request.upstream_headers if is_own else {},
    )


def shaper_for(
    request: CallRequest, provider: Provider, counts: ChatCounts, *, model_name: str | None, request_id: str
) -> Shaper:
    """Return what shows the answer.

    Args:
        request: What was asked.
        provider: Who answers.
        counts: What is read out of the answer.
        model_name: The name to show instead of the provider's; ``None`` where they are the same.
        request_id: What an answer that is written here gets its id from.
    """
    if provider.dialect is not request.dialect:
        return _Translated(provider.reader(), _answer_to(request, request_id, model_name or request.model_name), counts)
    if request.dialect is Dialect.CHAT:
        return PassedOnChat(model_name=model_name, wants_usage=request.wants_usage)
    if request.dialect is Dialect.GEMINI:
        framing = Framing(is_array=request.is_array, request_id=request_id)
        return PassedOnGemini(model_name=model_name, framing=framing)
    return PassedOnMessages(model_name=model_name)


def _answer_to(request: CallRequest, request_id: str, model_name: str) -> _Answer:
    """Return what writes an answer in the caller's dialect."""
    if request.dialect is Dialect.MESSAGES:
        return MessagesAnswer(request_id=request_id, model_name=model_name)
    if request.dialect is Dialect.GEMINI:
        framing = Framing(is_array=request.is_array, request_id=request_id)
        return GeminiAnswer(request_id=request_id, model_name=model_name, framing=framing)
    created_seconds = int(utc_now().timestamp())
    if request.dialect is Dialect.RESPONSES:
        asked = {name: _decoder.decode(raw) for name, raw in request.members.items() if name != "input"}
        return ResponsesAnswer(
            request_id=request_id, model_name=model_name, created_seconds=created_seconds, asked=asked
        )
    return ChatAnswer(
        request_id=request_id,
        model_name=model_name,
        created_seconds=created_seconds,
        wants_usage=request.wants_usage,
    )


_CONVERSATIONS: dict[Dialect, Callable[[CallRequest], Conversation]] = {
    Dialect.CHAT: openai_chat_conversation.conversation_of,
    Dialect.RESPONSES: openai_responses_conversation.conversation_of,
    Dialect.MESSAGES: anthropic_messages_conversation.conversation_of,
    Dialect.GEMINI: gemini_conversation.conversation_of,
}
