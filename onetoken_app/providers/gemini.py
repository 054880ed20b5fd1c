"""The adapter of Gemini's API: the model stands in the address, and each event of a stream is an answer of its own.

Streams have no last event: they end. Figures come with every event and grow; the latest count. What was thought is
counted beside the candidates, and what was cached within the prompt.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from onetoken_app.conversation.asked import Conversation
from onetoken_app.providers.documents import document_of, encoded
from onetoken_app.providers.gemini_translation import GeminiReader, gemini_members
from onetoken_app.providers.protocol import (
    CHOICES_MAX,
    ChatCounts,
    Dialect,
    UnusableReply,
    UpstreamRequest,
    UpstreamTarget,
    usual_headers,
)
from onetoken_app.token_usage import TokenUsage

USUAL_BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
_NO_OUTPUT = frozenset({"thoughtSignature", "thought", "mimeType", "id", "language", "outcome", "data", "fileUri"})
"""Members of parts that hold no generated text."""
_MEDIA_PARTS = frozenset({"inlineData", "fileData"})


class GeminiProvider:
    """Speaks ``generateContent`` to one upstream; stateless."""

    dialect = Dialect.GEMINI

    def request_for(
        self,
        target: UpstreamTarget,
        members: Mapping[str, msgspec.Raw],
        *,
        is_streaming: bool,
        headers: Mapping[str, str],
    ) -> UpstreamRequest:
        """Write the request: the body as it is, the model in the address."""
        method = "streamGenerateContent?alt=sse" if is_streaming else "generateContent"
        own = {"x-goog-api-key": target.credential, **usual_headers(is_streaming=is_streaming)}
        return UpstreamRequest(f"{_address_of(target)}:{method}", {**headers, **own}, encoded(members))

    def count_request(
        self, target: UpstreamTarget, members: Mapping[str, msgspec.Raw], headers: Mapping[str, str]
    ) -> UpstreamRequest:
        """Write the request that only counts the input; it costs nothing."""
        whole = {**members, "model": msgspec.Raw(encoded(f"models/{target.upstream_model}"))}
        own = {"x-goog-api-key": target.credential, **usual_headers(is_streaming=False)}
        body = encoded({"generateContentRequest": whole})
        return UpstreamRequest(f"{_address_of(target)}:countTokens", {**headers, **own}, body)

    def members_of(self, conversation: Conversation) -> dict[str, msgspec.Raw]:
        """Write a conversation that came in another dialect.

        Raises:
            CannotBeExpressed: Gemini has no word for it.
        """
        return gemini_members(conversation)

    def reader(self) -> GeminiReader:
        """Return what reads one answer for another dialect."""
        return GeminiReader()

    def read_reply(self, body: bytes, counts: ChatCounts) -> None:
        """Count what a whole plain reply holds.

        Raises:
            UnusableReply: It is no answer of this API.
        """
        answer = document_of(body)
        if not ({"candidates", "promptFeedback", "error"} & answer.keys()):
            message = "the reply has no candidates"
            raise UnusableReply(message)
        _count(answer, counts)

    def read_event(self, payload: bytes, counts: ChatCounts) -> None:
        """Count what one event holds.

        Raises:
            UnusableReply: It is not a JSON object.
        """
        _count(document_of(payload), counts)

    def is_end(self, payload: bytes) -> bool:  # noqa: ARG002 # the form that every provider has
        """Say no: a stream just ends."""
        return False


def _address_of(target: UpstreamTarget) -> str:
    """Return where a model is, up to the method."""
    return f"{target.base_url}/models/{quote(target.upstream_model, safe='')}"


def _count(answer: dict[str, Any], counts: ChatCounts) -> None:
    """Count one document. Output beside an error is not counted."""
    if answer.get("error"):
        counts.has_failed = True
        return
    candidates = answer.get("candidates")
    has_output = False
    for place, candidate in enumerate(candidates if isinstance(candidates, list) else ()):
        if isinstance(candidate, dict):
            has_output |= _note_candidate(candidate, place, counts)
    if has_output:
        counts.note_output_event()
    feedback = answer.get("promptFeedback")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        counts.note_choice(0, is_finished=True)
    if answer.get("usageMetadata") is not None:
        counts.note_usage(_usage_of(answer["usageMetadata"]))


def _note_candidate(candidate: dict[str, Any], place: int, counts: ChatCounts) -> bool:
    """Count one candidate; return whether it holds output."""
    index = candidate.get("index")
    number = index if isinstance(index, int) and 0 <= index < CHOICES_MAX else place
    counts.note_choice(number, is_finished=isinstance(candidate.get("finishReason"), str))
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    has_output = False
    for part in parts if isinstance(parts, list) else ():
        has_output |= isinstance(part, dict) and bool(_MEDIA_PARTS & part.keys())
        for text in _texts_in(part):
            counts.note_text(text)
            has_output = True
    return has_output


def _texts_in(value: object) -> Iterator[str]:
    """Yield the texts within a part; a call's arguments as they were generated."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if part:
                yield part
        elif isinstance(part, dict):
            call = part.get("functionCall")
            if isinstance(call, dict):
                waiting.extend([call.get("name"), encoded(call["args"]).decode() if call.get("args") else ""])
            waiting.extend(inner for name, inner in part.items() if name not in _NO_OUTPUT and name != "functionCall")
        elif isinstance(part, list):
            waiting.extend(part)


def _usage_of(figures: object) -> TokenUsage | None:
    """Read the provider's figures; ``None`` when they cannot be true."""
    try:
        return _disjoint(figures)
    except ValueError:
        return None


def _disjoint(figures: object) -> TokenUsage:
    """Split figures, where the prompt includes what was cached, and the candidates exclude what was thought.

    Raises:
        ValueError: A figure is negative, or no count, or nobody said what went in.
    """
    if not isinstance(figures, dict):
        message = "figures are an object"
        raise ValueError(message)  # noqa: TRY004 # a provider's mistake, met like a negative count
    prompt = _figure(figures, "promptTokenCount") + _figure(figures, "toolUsePromptTokenCount")
    cached = min(prompt, _figure(figures, "cachedContentTokenCount"))
    output, thoughts = _figure(figures, "candidatesTokenCount"), _figure(figures, "thoughtsTokenCount")
    heard = _by_modality(figures, "promptTokensDetails")
    kept = _by_modality(figures, "cacheTokensDetails")
    said = _by_modality(figures, "candidatesTokensDetails")
    rest = prompt - cached
    audio_in = min(rest, max(0, heard.get("AUDIO", 0) - kept.get("AUDIO", 0)))
    seen = sum(heard.get(kind, 0) - kept.get(kind, 0) for kind in ("IMAGE", "VIDEO"))
    image_in = min(rest - audio_in, max(0, seen))
    audio_out = min(output, said.get("AUDIO", 0))
    image_out = min(output - audio_out, said.get("IMAGE", 0))
    return TokenUsage(
        input=rest - audio_in - image_in,
        cache_read=cached,
        audio_in=audio_in,
        image_in=image_in,
        output=output - audio_out - image_out + thoughts,
        reasoning=thoughts,
        audio_out=audio_out,
        image_out=image_out,
    )


def _by_modality(figures: dict[str, Any], name: str) -> dict[str, int]:
    """Read a list of counts by what they are counts of.

    Raises:
        ValueError: One is negative, or no count.
    """
    listed = figures.get(name)
    counts: dict[str, int] = {}
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(kind := one.get("modality"), str):
            counts[kind] = counts.get(kind, 0) + _figure(one, "tokenCount")
    return counts


def _figure(figures: dict[str, Any], name: str) -> int:
    """Read one count; absent is 0, because this API leaves zeros out.

    Raises:
        ValueError: It is negative, or no count.
    """
    figure = figures.get(name)
    if isinstance(figure, float) and figure.is_integer():
        figure = int(figure)
    if figure is None:
        return 0
    if type(figure) is not int or figure < 0:
        message = f"{name} is not a count"
        raise ValueError(message)
    return figure
