"""What a provider answers, as the events of a stream; a plain answer is the same events at once.

Figures are not among them: they are counted where every answer is counted. Never printed: events hold content.
"""

from dataclasses import dataclass
from enum import StrEnum


class StopReason(StrEnum):
    """Why an answer ended."""

    END = "end"
    """It was complete, or came to a stop sequence."""
    LENGTH = "length"
    """It came to the limit."""
    TOOLS = "tools"
    """Tools are to be run."""
    REFUSED = "refused"
    """The provider would not go on."""


@dataclass(frozen=True, slots=True, repr=False)
class TextPiece:
    """More of the answer's words."""

    text: str


@dataclass(frozen=True, slots=True, repr=False)
class RefusalPiece:
    """More of the words of a refusal."""

    text: str


@dataclass(frozen=True, slots=True, repr=False)
class ReasoningPiece:
    """More of the reasoning, as far as the provider shows it."""

    text: str


@dataclass(frozen=True, slots=True, repr=False)
class ToolCallBegun:
    """A call of a tool, whose arguments follow."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class ArgumentsPiece:
    """More of a tool's arguments, cut anywhere."""

    index: int
    json: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete; figures may follow elsewhere."""

    reason: StopReason
    stop_sequence: str | None = None


AnswerEvent = TextPiece | RefusalPiece | ReasoningPiece | ToolCallBegun | ArgumentsPiece | Finished
