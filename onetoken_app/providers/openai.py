"""The adapter of every API that speaks OpenAI's Chat Completions."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from onetoken_app.providers.protocol import ChatCounts, UnusableReply, UpstreamRequest, UpstreamTarget
from onetoken_app.token_usage import TokenUsage

_NULL = msgspec.Raw(b"null")
_FALSE = msgspec.Raw(b"false")
_ONLY_USAGE = msgspec.Raw(b'{"include_usage":true}')
_USER_AGENT = "onetoken"


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct):
    function: _Function | None = None


class _Text(msgspec.Struct):
    """A delta or a message: the members that hold generated text, in every spelling seen."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Text | None = None
    message: _Text | None = None
    finish_reason: str | None = None


class _Reply(msgspec.Struct):
    """A plain reply or one chunk of a stream."""

    choices: list[_Choice] | msgspec.UnsetType | None = msgspec.UNSET
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


_reply_decoder = msgspec.json.Decoder(_Reply)
_usage_decoder = msgspec.json.Decoder(_Usage)
_any_decoder = msgspec.json.Decoder(dict[str, Any])
_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()
_NO_ERROR = frozenset({b"null", b"false", b"{}", b'""'})


class OpenAiProvider:
    """Speaks Chat Completions to one upstream; stateless."""

    def chat_request(
        self, target: UpstreamTarget, members: Mapping[str, msgspec.Raw], *, is_streaming: bool
    ) -> UpstreamRequest:
        """Write the request: the model renamed, nothing stored upstream, usage always asked for on streams."""
        changed = {**members, "model": msgspec.Raw(_encoder.encode(target.upstream_model))}
        if "store" in changed:
            changed["store"] = _FALSE
        if is_streaming:
            changed["stream_options"] = _with_usage(changed.get("stream_options"))
        headers = {
            "authorization": f"Bearer {target.credential}",
            "content-type": "application/json",
            "accept": "text/event-stream" if is_streaming else "application/json",
            "accept-encoding": "identity",
            "user-agent": _USER_AGENT,
        }
        return UpstreamRequest(f"{target.base_url}/chat/completions", headers, _encoder.encode(changed))

    def read_reply(self, body: bytes, counts: ChatCounts) -> None:
        """Count what a whole plain reply holds.

        Raises:
            UnusableReply: It is not a chat completion.
        """
        if not _read(body, counts):
            message = "the reply has no choices"
            raise UnusableReply(message)

    def read_event(self, payload: bytes, counts: ChatCounts) -> None:
        """Count what one chunk holds; one without choices is fine, back-ends differ.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        _read(payload, counts)


def _read(document: bytes, counts: ChatCounts) -> bool:
    """Count one document; return whether it names choices, usage or an error at all."""
    try:
        reply = _reply_decoder.decode(document)
    except msgspec.ValidationError:
        return _read_leniently(document, counts)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "not a JSON object"
        raise UnusableReply(message) from error
    _note_usage(reply.usage, counts)
    has_failed = bytes(reply.error) not in _NO_ERROR
    if has_failed:
        counts.has_failed = True
    if reply.choices:
        _note_choices(reply.choices, counts)
    return reply.choices is not msgspec.UNSET or has_failed


def _note_choices(choices: list[_Choice], counts: ChatCounts) -> None:
    """Count the output of all choices as one event."""
    has_output = False
    for choice in choices:
        counts.note_choice(choice.index, is_finished=choice.finish_reason is not None)
        text = choice.delta or choice.message
        if text is None:
            continue
        if text.content:
            counts.note_text(text.content)
            has_output = True
        if text.refusal or text.reasoning_content or text.reasoning or text.tool_calls or text.function_call:
            for piece in _rarer_texts(text):
                counts.note_text(piece)
                has_output = True
    if has_output:
        counts.output_event_count += 1


def _rarer_texts(text: _Text) -> Iterator[str]:
    """Yield what was generated beside ``content``; two names of one reasoning are counted once."""
    functions = [call.function for call in text.tool_calls or ()] + [text.function_call]
    for function in functions:
        if function is not None:
            yield from filter(None, (function.name, function.arguments))
    yield from filter(None, (text.refusal, text.reasoning_content or text.reasoning))


def _read_leniently(document: bytes, counts: ChatCounts) -> bool:
    """Count a reply of an unfamiliar shape: every text within its choices, and its usage if that is readable."""
    try:
        reply = _any_decoder.decode(document)
        raw_usage = _members_decoder.decode(document).get("usage", _NULL)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "not a JSON object"
        raise UnusableReply(message) from error
    _note_usage(raw_usage, counts)
    choices = reply.get("choices")
    before = counts.ascii_characters + counts.other_characters
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            counts.note_choice(_index_of(choice), is_finished=isinstance(choice.get("finish_reason"), str))
            for text in _texts_in(choice.get("delta") or choice.get("message")):
                counts.note_text(text)
    if counts.ascii_characters + counts.other_characters > before:
        counts.output_event_count += 1
    if reply.get("error"):
        counts.has_failed = True
    return "choices" in reply or counts.has_failed


def _index_of(choice: dict[str, Any]) -> int:
    """Return which choice this is."""
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _texts_in(value: object) -> Iterator[str]:
    """Yield every text within a JSON value, without names of members."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _note_usage(raw: msgspec.Raw, counts: ChatCounts) -> None:
    """Keep the provider's figures if they can be true. A later report replaces an earlier one."""
    if bytes(raw) == b"null":
        return
    try:
        usage = _disjoint(_usage_decoder.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        counts.has_absurd_usage = True
        return
    if usage.input_total > counts.tokens_max or usage.output > counts.tokens_max:
        counts.has_absurd_usage = True
        return
    counts.usage = usage


def _disjoint(usage: _Usage) -> TokenUsage:
    """Split OpenAI's figures, where the prompt includes cached tokens and the completion includes reasoning.

    Parts that exceed their whole are cut to it, so that nothing is charged twice.
    """
    prompt = usage.prompt_tokens_details or _PromptDetails()
    completion = usage.completion_tokens_details or _CompletionDetails()
    cache_read = min(prompt.cached_tokens or 0, usage.prompt_tokens)
    cache_write = min(prompt.cache_write_tokens or 0, usage.prompt_tokens - cache_read)
    return TokenUsage(
        input=usage.prompt_tokens - cache_read - cache_write,
        cache_read=cache_read,
        cache_write_5m=cache_write,
        output=usage.completion_tokens,
        reasoning=min(completion.reasoning_tokens or 0, usage.completion_tokens),
    )


def _with_usage(stream_options: msgspec.Raw | None) -> msgspec.Raw:
    """Ask for usage, and keep what else the caller asked of the stream."""
    if stream_options is None or bytes(stream_options) == b"null":
        return _ONLY_USAGE
    options = _members_decoder.decode(stream_options)
    return msgspec.Raw(_encoder.encode({**options, "include_usage": True}))
