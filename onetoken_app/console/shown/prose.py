"""Markdown as blocks of plain values: what a page draws element by element, so that no text ever becomes HTML.

Markup of HTML in a text stays text. Links lead only where ``_LINKS`` admits; a picture is replaced by its words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_LINKS = re.compile(r"(?:https?://|mailto:|/(?!/)|#)", re.IGNORECASE)
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
_HEADINGS = {"h1": "title", "h2": "section"}


class SpanKind(StrEnum):
    """How a piece of a line looks."""

    PLAIN = "plain"
    """Words."""
    STRONG = "strong"
    """Words that matter."""
    EMPHASIS = "emphasis"
    """Words with a stress."""
    CODE = "code"
    """A name or a value."""
    LINK = "link"
    """Words that lead elsewhere."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line."""

    kind: str = SpanKind.PLAIN.value
    text: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a list, or one cell of a table."""

    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    cells: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a text, from top to bottom."""

    kind: str = "paragraph"
    """``title``, ``section``, ``subsection``, ``paragraph``, ``bullets``, ``numbers``, ``table`` or ``code``."""
    anchor: str = ""
    """Where links inside the page lead to; of headings only."""
    spans: list[Span] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    """The items of a list, or the head of a table."""
    rows: list[Row] = field(default_factory=list)


@lru_cache(maxsize=32)
def blocks_of(markdown: str) -> tuple[Block, ...]:
    """Parse a text; what the parser knows and we do not draw is left out, what it does not know is words."""
    return tuple(_blocks(_PARSER.parse(markdown)))


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    """Cut the parser's flat list at the outermost level."""
    at = 0
    while at < len(tokens):
        opening = tokens[at]
        end = _end_of(tokens, at)
        inner = tokens[at : end + 1]
        match opening.type:
            case "heading_open":
                spans = _inline(inner)
                kind = _HEADINGS.get(opening.tag, "subsection")
                yield Block(kind=kind, anchor=_anchor("".join(span.text for span in spans)), spans=spans)
            case "paragraph_open":
                yield Block(spans=_inline(inner))
            case "bullet_list_open" | "ordered_list_open":
                kind = "bullets" if opening.type.startswith("bullet") else "numbers"
                yield Block(kind=kind, lines=[Line(_spans(token)) for token in inner if token.type == "inline"])
            case "table_open":
                head, *rows = _rows(inner)
                yield Block(kind="table", lines=head.cells, rows=rows)
            case "blockquote_open":
                yield from _blocks(inner[1:-1])
            case "fence" | "code_block":
                yield Block(kind="code", spans=[Span(SpanKind.CODE.value, opening.content)])
            case _:
                pass
        at = end + 1


def _end_of(tokens: Sequence[Token], start: int) -> int:
    """Return the position of the token that closes the one at ``start``."""
    depth = 0
    for position in range(start, len(tokens)):
        depth += tokens[position].nesting
        if depth == 0:
            return position
    return len(tokens) - 1


def _rows(tokens: Sequence[Token]) -> list[Row]:
    """Read the rows of a table, its head first."""
    rows: list[Row] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append(Row())
        elif token.type == "inline":
            rows[-1].cells.append(Line(_spans(token)))
    return rows


def _inline(tokens: Sequence[Token]) -> list[Span]:
    """Read the only line of a block."""
    return [span for token in tokens if token.type == "inline" for span in _spans(token)]


def _spans(line: Token) -> list[Span]:
    """Read a line; of marks inside one another the outermost counts."""
    spans: list[Span] = []
    marks: list[tuple[SpanKind, str]] = []
    for token in line.children or []:
        if token.nesting == 1:
            marks.append(_mark(token))
        elif token.nesting == -1:
            marks.pop()
        else:
            kind, href = marks[0] if marks else (SpanKind.PLAIN, "")
            if token.type == "code_inline" and not marks:
                kind = SpanKind.CODE
            words = " " if token.type in {"softbreak", "hardbreak"} else token.content
            spans.append(Span(kind.value, words, href))
    return _joined(spans)


def _mark(token: Token) -> tuple[SpanKind, str]:
    """Read what a mark makes of the words inside it."""
    if token.type == "strong_open":
        return SpanKind.STRONG, ""
    if token.type == "em_open":
        return SpanKind.EMPHASIS, ""
    href = str(token.attrs.get("href", ""))
    return (SpanKind.LINK, href) if _LINKS.match(href) else (SpanKind.PLAIN, "")


def _joined(spans: list[Span]) -> list[Span]:
    """Put neighbours of one look together."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and (last.kind, last.href) == (span.kind, span.href):
            joined[-1] = Span(last.kind, last.text + span.text, last.href)
        else:
            joined.append(span)
    return joined


def _anchor(words: str) -> str:
    """Make the name of a heading out of its number, or of its words: the same in both languages where it has one."""
    number = re.match(r"\d+(?:\.\d+)*", words)
    return f"section-{number[0]}" if number else re.sub(r"[^\w]+", "-", words.lower()).strip("-")
