"""What the relay needs of a provider: a request to send, and counts read out of what comes back.

Adapters know bytes and counts. Content passes through them; only numbers stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from onetoken_app.conversation.answered import AnswerEvent
from onetoken_app.conversation.asked import Conversation
from onetoken_app.token_usage import TokenUsage

CHOICES_MAX = 128
"""What OpenAI's API admits as ``n``."""
UNIT_COUNT_MAX = 10_000
"""More pictures, or calls of the provider's tools, than this in one call are absurd and not believed."""
AUDIO_MS_MAX = 86_400_000
"""The same for sound: a day of it."""
_USER_AGENT = "onetoken"


class Dialect(StrEnum):
    """Shapes of an API, spoken by callers and by providers alike."""

    CHAT = "chat"
    """OpenAI's Chat Completions."""
    RESPONSES = "responses"
    """OpenAI's Responses."""
    MESSAGES = "messages"
    """Anthropic's Messages."""
    GEMINI = "gemini"
    """Gemini's ``generateContent``."""


@dataclass(frozen=True, slots=True, repr=False)
class UpstreamTarget:
    """Where one attempt goes; made from a catalog row by ``relay/routing.py``. Never printed: it holds a credential."""

    channel_id: str
    provider: str
    """A name in ``providers.registry``."""
    base_url: str
    credential: str
    upstream_model: str
    region: str
    bills_after_hang_up: bool
    credential_id: str = ""
    """Which of the channel's credentials; empty: its first."""


@dataclass(frozen=True, slots=True, repr=False)
class UpstreamRequest:
    """One HTTP POST, ready to be sent. Never printed: it holds a credential and content."""

    url: str
    headers: dict[str, str]
    body: bytes


def usual_headers(*, is_streaming: bool) -> dict[str, str]:
    """Return the headers that every upstream gets: nothing of the caller's, and nothing that asks for compression."""
    return {
        "content-type": "application/json",
        "accept": "text/event-stream" if is_streaming else "application/json",
        "accept-encoding": "identity",
        "user-agent": _USER_AGENT,
    }


class UnusableReply(Exception):
    """The upstream's bytes are not what its API promises. Carries no text of them."""


class ChatCounts:
    """What was read out of one reply so far: numbers about the text, never the text.

    Attributes:
        tokens_max: Figures of the provider above this are absurd and not believed.
        output_tokens_max: The same for output, over all choices.
        ascii_characters: Generated so far, all choices, reasoning and tool calls included.
        other_characters: The same, outside of ASCII.
        output_event_count: Events, or plain replies, that carried output.
        usage: The provider's own figures, the latest believable ones.
        has_absurd_usage: It gave figures that are not believed.
        is_usage_latest: Neither output nor figures that are not believed came after ``usage``.
        has_finished: Every choice opened so far has given its finish reason.
        has_failed: The upstream said in-band that it failed.
    """

    __slots__ = (
        "_finished_choices", "_open_choices", "ascii_characters", "has_absurd_usage", "has_failed",
        "is_usage_latest", "other_characters", "output_event_count", "output_tokens_max", "tokens_max", "usage",
    )  # fmt: skip

    def __init__(self, *, tokens_max: int, output_tokens_max: int | None = None) -> None:
        """Begin at nothing."""
        self.tokens_max = tokens_max
        self.output_tokens_max = tokens_max if output_tokens_max is None else output_tokens_max
        self.ascii_characters = 0
        self.other_characters = 0
        self.output_event_count = 0
        self.usage: TokenUsage | None = None
        self.has_absurd_usage = False
        self.is_usage_latest = False
        self.has_failed = False
        self._open_choices: set[int] = set()
        self._finished_choices: set[int] = set()

    @property
    def has_finished(self) -> bool:
        """Whether there was a choice and none is still open."""
        return bool(self._finished_choices) and self._open_choices == self._finished_choices

    def note_choice(self, index: int, *, is_finished: bool) -> None:
        """Remember that a choice was seen; more than any request may ask for are not remembered."""
        if len(self._open_choices) >= CHOICES_MAX and index not in self._open_choices:
            return
        self._open_choices.add(index)
        if is_finished:
            self._finished_choices.add(index)

    def note_output_event(self) -> None:
        """Count an event that carried output."""
        self.output_event_count += 1
        self.is_usage_latest = False

    def note_usage(self, usage: TokenUsage | None) -> None:
        """Take a report of the provider; ``None`` for one that cannot be read."""
        if usage is None or self._is_absurd(usage):
            self.has_absurd_usage = True
            self.is_usage_latest = False
        else:
            self.usage = usage
            self.is_usage_latest = True

    def _is_absurd(self, usage: TokenUsage) -> bool:
        """Whether figures are beyond anything that one call can use."""
        return (
            usage.input_total > self.tokens_max
            or usage.output_total > self.output_tokens_max
            or usage.images > UNIT_COUNT_MAX
            or usage.tool_call_total > UNIT_COUNT_MAX
            or usage.audio_ms > AUDIO_MS_MAX
            or usage.requests > 1
        )

    def note_text(self, text: str) -> None:
        """Count the characters of a piece of output."""
        ascii_count = ascii_count_of(text)
        self.ascii_characters += ascii_count
        self.other_characters += len(text) - ascii_count


def ascii_count_of(text: str) -> int:
    """Count the ASCII characters of a text, in C for long ones too."""
    return len(text) if text.isascii() else len(text.encode("ascii", "ignore"))


class AnswerReader(Protocol):
    """Reads one answer as neutral events."""

    def event(self, payload: bytes) -> list[AnswerEvent]:
        """Read one event of a stream; raises ``UnusableReply``."""
        ...

    def plain(self, body: bytes) -> list[AnswerEvent]:
        """Read a plain reply; raises ``UnusableReply``."""
        ...


class Provider(Protocol):
    """One upstream API that carries conversations."""

    @property
    def dialect(self) -> Dialect:
        """What it speaks."""
        ...

    def request_for(
        self,
        target: UpstreamTarget,
        members: Mapping[str, msgspec.Raw],
        *,
        is_streaming: bool,
        headers: Mapping[str, str],
    ) -> UpstreamRequest:
        """Write the request for one attempt.

        Args:
            target: Where it goes.
            members: A JSON object in the provider's dialect, one raw value a member.
            is_streaming: Whether an event stream is asked for.
            headers: What the caller said in headers of that dialect.
        """
        ...

    def members_of(self, conversation: Conversation) -> dict[str, msgspec.Raw]:
        """Write a conversation that came in another dialect as ``members`` of a request.

        Raises:
            CannotBeExpressed: This dialect has no word for something.
        """
        ...

    def reader(self) -> AnswerReader:
        """Return what reads one answer for another dialect."""
        ...

    def read_reply(self, body: bytes, counts: ChatCounts) -> None:
        """Count what a whole plain reply holds.

        Raises:
            UnusableReply: It is not a reply of this API.
        """
        ...

    def read_event(self, payload: bytes, counts: ChatCounts) -> None:
        """Count what one event of a stream holds.

        Raises:
            UnusableReply: It is not an event of this API.
        """
        ...

    def is_end(self, payload: bytes) -> bool:
        """Whether this event only says that the stream has ended well."""
        ...
