"""The adapter of every API that speaks Anthropic's Messages.

A stream's figures come twice: in ``message_start`` a running account, in ``message_delta`` the whole call's, where what
is absent or null stays as it was. They are cumulative: the later ones replace the earlier ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from onetoken_app.conversation.asked import Conversation
from onetoken_app.providers.anthropic_translation import MessagesReader, messages_members
from onetoken_app.providers.documents import document_of, encoded
from onetoken_app.providers.protocol import (
    ChatCounts,
    Dialect,
    UnusableReply,
    UpstreamRequest,
    UpstreamTarget,
    usual_headers,
)
from onetoken_app.token_usage import TokenUsage

VERSION_HEADER = "anthropic-version"
USUAL_VERSION = "2023-06-01"
"""Of the API, where a caller names none."""

_encoder = msgspec.json.Encoder()
_TEXT_MEMBERS = ("text", "thinking", "partial_json", "name")
"""Members of blocks and deltas that hold what was generated."""
_NO_OUTPUT = frozenset({"citation", "citations", "id", "signature", "tool_use_id", "type"})
_KNOWN_DELTAS = frozenset({"citations_delta", "input_json_delta", "signature_delta", "text_delta", "thinking_delta"})


class AnthropicProvider:
    """Speaks Messages to one upstream; stateless."""

    dialect = Dialect.MESSAGES

    def request_for(
        self,
        target: UpstreamTarget,
        members: Mapping[str, msgspec.Raw],
        *,
        is_streaming: bool,
        headers: Mapping[str, str],
    ) -> UpstreamRequest:
        """Write the request: the model renamed, everything else as it is."""
        changed = {**members, "model": msgspec.Raw(_encoder.encode(target.upstream_model))}
        own = {"x-api-key": target.credential, **usual_headers(is_streaming=is_streaming)}
        every = {VERSION_HEADER: USUAL_VERSION, **headers, **own}
        return UpstreamRequest(f"{target.base_url}/messages", every, _encoder.encode(changed))

    def count_request(
        self, target: UpstreamTarget, members: Mapping[str, msgspec.Raw], headers: Mapping[str, str]
    ) -> UpstreamRequest:
        """Write the request that only counts the input; it costs nothing."""
        request = self.request_for(target, members, is_streaming=False, headers=headers)
        return replace(request, url=f"{request.url}/count_tokens")

    def members_of(self, conversation: Conversation) -> dict[str, msgspec.Raw]:
        """Write a conversation that came in another dialect.

        Raises:
            CannotBeExpressed: Messages has no word for it.
        """
        return messages_members(conversation)

    def reader(self) -> MessagesReader:
        """Return what reads one answer for another dialect."""
        return MessagesReader()

    def read_reply(self, body: bytes, counts: ChatCounts) -> None:
        """Count what a whole plain reply holds.

        Raises:
            UnusableReply: It is not a message.
        """
        reply = document_of(body)
        if reply.get("type") == "error" or reply.get("error"):
            counts.has_failed = True
            return
        blocks = reply.get("content")
        if not isinstance(blocks, list):
            message = "the reply has no content"
            raise UnusableReply(message)
        counts.note_choice(0, is_finished=isinstance(reply.get("stop_reason"), str))
        if _note_texts(blocks, counts):
            counts.note_output_event()
        _note_usage(reply.get("usage"), counts)

    def read_event(self, payload: bytes, counts: ChatCounts) -> None:
        """Count what one event holds; one of an unknown kind holds nothing that is charged.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        event = document_of(payload)
        kind = event.get("type")
        if kind == "content_block_delta":
            _note_delta(event.get("delta"), counts)
        elif kind == "content_block_start":
            if _note_texts(event.get("content_block"), counts):
                counts.note_output_event()
        elif kind == "message_start":
            counts.note_choice(0, is_finished=False)
            message = event.get("message")
            _note_usage(message.get("usage") if isinstance(message, dict) else None, counts)
        elif kind == "message_delta":
            delta = event.get("delta")
            is_finished = isinstance(delta, dict) and isinstance(delta.get("stop_reason"), str)
            counts.note_choice(0, is_finished=is_finished)
            _note_usage(event.get("usage"), counts)
        elif kind == "error" or event.get("error"):
            counts.has_failed = True

    def is_end(self, payload: bytes) -> bool:
        """Whether this is ``message_stop``."""
        if b"message_stop" not in payload:
            return False
        try:
            return document_of(payload).get("type") == "message_stop"
        except UnusableReply:
            return False


def _note_delta(delta: object, counts: ChatCounts) -> None:
    """Count one piece of a block; of an unknown kind of piece every text, so that no output passes uncounted."""
    if not isinstance(delta, dict):
        return
    kind = delta.get("type")
    if isinstance(kind, str) and kind in _KNOWN_DELTAS:
        texts = [text for name in _TEXT_MEMBERS if isinstance(text := delta.get(name), str) and text]
        for text in texts:
            counts.note_text(text)
        has_output = bool(texts)
    else:
        has_output = _note_texts(delta, counts)
    if has_output:
        counts.note_output_event()


def _note_texts(blocks: object, counts: ChatCounts) -> bool:
    """Count every generated text within blocks; return whether there was any."""
    has_output = False
    for text in _texts_in(blocks):
        counts.note_text(text)
        has_output = True
    return has_output


def _texts_in(value: object) -> Iterator[str]:
    """Yield the texts within a JSON value, and the names of a tool's arguments, which were generated too."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if part:
                yield part
        elif isinstance(part, dict):
            if part.get("type") == "tool_use":
                waiting.extend(_arguments_of(part))
            else:
                waiting.extend(inner for name, inner in part.items() if name not in _NO_OUTPUT)
        elif isinstance(part, list):
            waiting.extend(part)


def _arguments_of(block: dict[str, Any]) -> list[object]:
    """Return a tool's name and its arguments as they were generated; empty ones were not."""
    arguments = block.get("input")
    return [block.get("name"), encoded(arguments).decode() if arguments else ""]


@dataclass(frozen=True, slots=True)
class _Figures:
    """A provider's figures, as whole numbers; ``None``: not given."""

    input: int | None
    cache_read: int | None
    cache_write: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None
    output: int | None
    thinking: int | None
    web_searches: int | None
    web_fetches: int | None


def _note_usage(figures: object, counts: ChatCounts) -> None:
    """Take figures over those that came before them; missing ones are no figures."""
    if figures is None:
        return
    try:
        counts.note_usage(_merged(_figures_of(figures), counts.usage))
    except ValueError:
        counts.note_usage(None)


def _figures_of(figures: object) -> _Figures:
    """Read figures.

    Raises:
        ValueError: They are none.
    """
    if not isinstance(figures, dict):
        message = "figures are an object"
        raise ValueError(message)  # noqa: TRY004 # a provider's mistake, met like a negative count
    created, details, tools = (
        found if isinstance(found := figures.get(name), dict) else {}
        for name in ("cache_creation", "output_tokens_details", "server_tool_use")
    )
    return _Figures(
        input=_count(figures, "input_tokens"),
        cache_read=_count(figures, "cache_read_input_tokens"),
        cache_write=_count(figures, "cache_creation_input_tokens"),
        cache_write_5m=_count(created, "ephemeral_5m_input_tokens"),
        cache_write_1h=_count(created, "ephemeral_1h_input_tokens"),
        output=_count(figures, "output_tokens"),
        thinking=_count(details, "thinking_tokens"),
        web_searches=_count(tools, "web_search_requests"),
        web_fetches=_count(tools, "web_fetch_requests"),
    )


def _count(figures: dict[str, Any], name: str) -> int | None:
    """Read one count; ``5.0`` is 5, as back-ends whose language has one kind of number may send it.

    Raises:
        ValueError: It is negative, or no count.
    """
    figure = figures.get(name)
    if isinstance(figure, float) and figure.is_integer():
        figure = int(figure)
    if figure is not None and (type(figure) is not int or figure < 0):
        message = f"{name} is not a count"
        raise ValueError(message)
    return figure


def _merged(figures: _Figures, before: TokenUsage | None) -> TokenUsage:
    """Return the disjoint counts; Anthropic's input excludes what was read from and written to the cache.

    Raises:
        ValueError: Nobody said what went in, or what came out.
    """
    if before is None and (figures.input is None or figures.output is None):
        message = "figures are missing"
        raise ValueError(message)
    base = before or TokenUsage()
    output = _or(figures.output, base.output)
    write_5m, write_1h = _cache_writes(figures, base)
    return TokenUsage(
        input=_or(figures.input, base.input),
        cache_read=_or(figures.cache_read, base.cache_read),
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        output=output,
        reasoning=min(output, _or(figures.thinking, base.reasoning)),
        web_searches=_or(figures.web_searches, base.web_searches),
        tool_calls=_or(figures.web_fetches, base.tool_calls),
    )


def _cache_writes(figures: _Figures, base: TokenUsage) -> tuple[int, int]:
    """Split what was written to the cache by how long it lasts; without a split it lasts five minutes."""
    if figures.cache_write_5m is not None or figures.cache_write_1h is not None:
        write_1h = figures.cache_write_1h or 0
        stated = (figures.cache_write_5m or 0) + write_1h
        return max(stated, figures.cache_write or 0) - write_1h, write_1h
    if figures.cache_write is None:
        return base.cache_write_5m, base.cache_write_1h
    write_1h = min(base.cache_write_1h, figures.cache_write)
    return figures.cache_write - write_1h, write_1h


def _or(figure: int | None, before: int) -> int:
    """Return a figure, or the one before it."""
    return before if figure is None else figure
