"""What a caller asks: turns of parts, tools, and how the answer is to be. Never printed: it holds content."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class CannotBeExpressed(Exception):
    """The other side has no word for it. Carries the member's name, never its content."""

    def __init__(self, parameter: str) -> None:
        """Name the member."""
        super().__init__(parameter)
        self.parameter = parameter


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    """The caller, and the tools that it runs."""
    ASSISTANT = "assistant"
    """The model."""


class Choice(StrEnum):
    """Whether tools are to be used."""

    AUTO = "auto"
    """As the model likes."""
    ANY = "any"
    """At least one of them."""
    NONE = "none"
    """None of them."""
    NAMED = "named"
    """This one."""


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """A picture: its bytes in base64 with their media type, or where it is."""

    media_type: str = ""
    base64: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A PDF in base64."""

    base64: str
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class ToolCall:
    """The model's wish to have a tool run."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class ToolResult:
    """What a tool answered."""

    call_id: str
    text: str
    is_error: bool = False


Part = Text | Picture | Document | ToolCall | ToolResult


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """What one side says at a time."""

    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Tool:
    """A tool that the caller runs."""

    name: str
    description: str
    schema: Mapping[str, Any]
    is_strict: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Conversation:
    """All of it."""

    system: tuple[Text, ...]
    turns: tuple[Turn, ...]
    is_streaming: bool
    output_tokens_max: int | None
    tools: tuple[Tool, ...] = ()
    choice: Choice | None = None
    chosen_tool: str = ""
    allows_parallel_calls: bool | None = None
    stops: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    effort: str | None = None
    """Of reasoning: ``low``, ``medium``, ``high`` or ``xhigh``."""
    schema: Mapping[str, Any] | None = None
    """What the answer has to fit."""
    end_user: str | None = None
    """The caller's opaque name of whoever asks."""
