"""Counts what answers of Chat Completions hold: characters, ends and usage, in every spelling that vendors have."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from onetoken_app.providers.documents import lenient_document_of
from onetoken_app.providers.openai_presets import Preset
from onetoken_app.providers.protocol import ChatCounts
from onetoken_app.token_usage import TokenUsage

_NULL = msgspec.Raw(b"null")


class _Function(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct, forbid_unknown_fields=True):
    function: _Function | None = None
    id: msgspec.Raw = _NULL
    type: msgspec.Raw = _NULL
    index: msgspec.Raw = _NULL


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    """A delta or a message: the members that hold generated text, in every spelling seen, and those that hold none.

    One with any other member is read by ``_read_leniently``, so that no output passes uncounted.
    """

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None
    audio: None = None
    role: msgspec.Raw = _NULL
    annotations: msgspec.Raw = _NULL


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Text | None = None
    message: _Text | None = None
    finish_reason: str | None = None
    usage: msgspec.Raw = _NULL


class _BaseResp(msgspec.Struct):
    status_code: int = 0


class _Reply(msgspec.Struct):
    """A plain reply or one chunk of a stream."""

    choices: list[_Choice] | msgspec.UnsetType | None = msgspec.UNSET
    usage: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    base_resp: msgspec.Raw = _NULL


class _CachedDetails(msgspec.Struct):
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    cached_tokens_details: _CachedDetails | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    total_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None


_reply_decoder = msgspec.json.Decoder(_Reply)
_usage_decoder = msgspec.json.Decoder(_Usage)
_base_resp_decoder = msgspec.json.Decoder(_BaseResp | None)
_NOT_TEXT_BUT_OUTPUT = ("audio", "images")
_NOT_TEXT = frozenset({*_NOT_TEXT_BUT_OUTPUT, "role", "type", "id", "index", "annotations", "signature", "format"})


def count_document(document: bytes, counts: ChatCounts, preset: Preset) -> bool:
    """Count one document; return whether it names choices or an error at all. Output beside an error is not counted."""
    try:
        reply = _reply_decoder.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_leniently(document, counts, preset)
    if _says_something(reply.error) or (preset.states_failure_in_body and _is_failure(reply.base_resp)):
        counts.has_failed = True
    elif reply.choices:
        _note_choices(reply.choices, counts, preset)
    if bytes(reply.usage) != b"null":
        _note_usage(reply.usage, counts, preset)
    return reply.choices is not msgspec.UNSET or counts.has_failed


def _is_failure(base_resp: msgspec.Raw) -> bool:
    """Whether a vendor says in the body that it failed; what cannot be read is no such word."""
    try:
        stated = _base_resp_decoder.decode(base_resp)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return stated is not None and stated.status_code != 0


def _note_usage(figures: object, counts: ChatCounts, preset: Preset) -> None:
    """Take figures, unless they are a place that a vendor keeps free for them: nothing but zeros, and no input."""
    usage = _usage_of(figures, preset)
    if usage is None and _is_placeholder(figures):
        return
    counts.note_usage(usage)


def _is_placeholder(figures: object) -> bool:
    """Whether figures say nothing: an object without counts of input and output whose numbers are all 0."""
    try:
        decoded = json.loads(bytes(figures)) if isinstance(figures, msgspec.Raw) else figures
    except (ValueError, RecursionError):
        return False
    if not isinstance(decoded, dict) or {"prompt_tokens", "completion_tokens"} & decoded.keys():
        return False
    return not any(decoded.values())


def _says_something(error: msgspec.Raw) -> bool:
    """Whether an ``error`` member is one: some back-ends always send it, empty."""
    if bytes(error) == b"null":
        return False
    try:
        return bool(json.loads(bytes(error)))
    except (ValueError, RecursionError):
        return True


def _note_choices(choices: list[_Choice], counts: ChatCounts, preset: Preset) -> None:
    """Count the output of all choices as one event."""
    has_output = False
    for choice in choices:
        counts.note_choice(choice.index, is_finished=bool(choice.finish_reason))
        if choice.finish_reason in preset.failures:
            counts.has_failed = True
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
        counts.note_output_event()
    if preset.states_usage_in_choices:
        for choice in choices:
            if bytes(choice.usage) != b"null":
                _note_usage(choice.usage, counts, preset)


def _rarer_texts(text: _Text) -> Iterator[str]:
    """Yield what was generated beside ``content``; two names of one reasoning are counted once."""
    functions = [call.function for call in text.tool_calls or ()] + [text.function_call]
    for function in functions:
        if function is not None:
            yield from filter(None, (function.name, function.arguments))
    yield from filter(None, (text.refusal, text.reasoning_content or text.reasoning))


def _read_leniently(document: bytes, counts: ChatCounts, preset: Preset) -> bool:
    """Count a reply of an unfamiliar shape: every text within its choices, and its usage if that is readable."""
    reply = lenient_document_of(document)
    if reply.get("error"):
        counts.has_failed = True
    else:
        _note_choices_leniently(reply.get("choices"), counts, preset)
    if reply.get("usage") is not None:
        _note_usage(reply["usage"], counts, preset)
    return "choices" in reply or counts.has_failed


def _note_choices_leniently(choices: object, counts: ChatCounts, preset: Preset) -> None:
    """Count the output of choices of an unfamiliar shape."""
    has_output = False
    stated = []
    for choice in choices if isinstance(choices, list) else ():
        if not isinstance(choice, dict):
            continue
        reason = choice.get("finish_reason")
        counts.note_choice(_index_of(choice), is_finished=isinstance(reason, str) and bool(reason))
        counts.has_failed = counts.has_failed or (isinstance(reason, str) and reason in preset.failures)
        if preset.states_usage_in_choices and choice.get("usage") is not None:
            stated.append(choice["usage"])
        delta = choice.get("delta") or choice.get("message")
        for text in _texts_in(delta):
            counts.note_text(text)
            has_output = True
        has_output = has_output or (isinstance(delta, dict) and any(map(delta.get, _NOT_TEXT_BUT_OUTPUT)))
    if has_output:
        counts.note_output_event()
    for figures in stated:
        _note_usage(figures, counts, preset)


def _index_of(choice: dict[str, Any]) -> int:
    """Return which choice this is."""
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _texts_in(value: object) -> Iterator[str]:
    """Yield every text within a JSON value, without names of members and without what is no generated text."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if part:
                yield part
        elif isinstance(part, dict):
            waiting.extend(inner for name, inner in part.items() if name not in _NOT_TEXT)
        elif isinstance(part, list):
            waiting.extend(part)


def _usage_of(figures: object, preset: Preset) -> TokenUsage | None:
    """Read the provider's figures, raw or decoded; ``None`` when they cannot be true."""
    if isinstance(figures, msgspec.Raw):
        try:
            return _disjoint(_usage_decoder.decode(figures), preset)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            figures = bytes(figures)
    try:
        decoded = json.loads(figures) if isinstance(figures, bytes) else figures
        return _disjoint(msgspec.convert(_whole_numbers(decoded), _Usage), preset)
    except (msgspec.ValidationError, ValueError, RecursionError, OverflowError):
        return None


def _whole_numbers(figures: object) -> object:
    """Write ``5.0`` as 5, as back-ends whose language has one kind of number may send it."""
    if isinstance(figures, dict):
        return {name: _whole_numbers(figure) for name, figure in figures.items()}
    return int(figures) if isinstance(figures, float) and figures.is_integer() else figures


def _disjoint(usage: _Usage, preset: Preset) -> TokenUsage:
    """Split OpenAI's figures, where prompt and completion include everything that their details name.

    Parts that exceed their whole are cut to it, so that nothing is charged twice.

    Raises:
        ValueError: A figure is negative, or no count.
    """
    prompt = usage.prompt_tokens_details or _PromptDetails()
    completion = usage.completion_tokens_details or _CompletionDetails()
    rest = usage.prompt_tokens
    cache_read = _part(_cached_tokens(usage, prompt, preset), rest)
    cache_write = _part(prompt.cache_write_tokens, rest - cache_read)
    rest -= cache_read + cache_write
    cached_audio, cached_image = _cached_media(prompt, cache_read + cache_write)
    audio_in = max(0, _part(prompt.audio_tokens, usage.prompt_tokens) - cached_audio)
    image_in = max(0, _part(prompt.image_tokens, usage.prompt_tokens) - cached_image)
    audio_in = min(audio_in, rest)
    image_in = min(image_in, rest - audio_in)
    answered = usage.completion_tokens + _reasoning_apart(usage, completion, preset)
    audio_out = _part(completion.audio_tokens, answered)
    image_out = _part(completion.image_tokens, answered - audio_out)
    output = answered - audio_out - image_out
    return TokenUsage(
        input=rest - audio_in - image_in,
        cache_read=cache_read,
        cache_write_5m=cache_write,
        output=output,
        reasoning=_part(completion.reasoning_tokens, output),
        audio_in=audio_in,
        image_in=image_in,
        audio_out=audio_out,
        image_out=image_out,
    )


def _cached_tokens(usage: _Usage, prompt: _PromptDetails, preset: Preset) -> int | None:
    """Return what came from a cache, from the usual place or from the vendor's own."""
    if prompt.cached_tokens is not None or not preset.cached_member:
        return prompt.cached_tokens
    stated: int | None = getattr(usage, preset.cached_member)
    return stated


def _reasoning_apart(usage: _Usage, completion: _CompletionDetails, preset: Preset) -> int:
    """Return the reasoning that a vendor counts beside the completion; its own total tells whether it did this time.

    Raises:
        ValueError: It is negative.
    """
    reasoning = completion.reasoning_tokens
    if not preset.counts_reasoning_apart or not reasoning:
        return 0
    if usage.total_tokens == usage.prompt_tokens + usage.completion_tokens:
        return 0
    return _part(reasoning, reasoning)


def _part(figure: int | None, whole: int) -> int:
    """Return a part, no larger than its whole.

    Raises:
        ValueError: It is negative.
    """
    if figure is None:
        return 0
    if figure < 0:
        message = "a count is not negative"
        raise ValueError(message)
    return min(figure, whole)


def _cached_media(prompt: _PromptDetails, cached_tokens: int) -> tuple[int, int]:
    """Return how many tokens of sounds and of pictures are among the cached ones.

    Where the provider does not say, as many as can be: they are the dearer ones, and only what is proved is charged.
    """
    stated = prompt.cached_tokens_details
    if stated is not None:
        return _part(stated.audio_tokens, cached_tokens), _part(stated.image_tokens, cached_tokens)
    audio = _part(prompt.audio_tokens, cached_tokens)
    return audio, _part(prompt.image_tokens, cached_tokens - audio)
