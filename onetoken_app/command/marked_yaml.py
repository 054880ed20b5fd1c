"""Reads YAML strictly, with the line of everything, so that each complaint can name one.

Scalars are taken as they are written and read by what the member is, never by YAML's guesses: an amount goes from its
text to an integer without becoming a float on the way. Unknown and repeated members are refused.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import yaml

from onetoken_app.command.failure import CommandFailed
from onetoken_app.errors import BadRequest, OneTokenError
from onetoken_app.money import MicrosPerMillion, Nanos, parse_amount, parse_price
from onetoken_app.pricing.written import parse_written_price
from onetoken_app.token_usage import TokenKind

_NULL = "tag:yaml.org,2002:null"
_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
Choice = TypeVar("Choice", bound=StrEnum)


class BadFile(CommandFailed):
    """Something in the file cannot be used; the message begins with its line."""

    def __init__(self, line: int, problem: str) -> None:
        """Put the line first, the way compilers do."""
        super().__init__(f"line {line}: {problem}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as it is written, and where."""

    value: str
    line: int


class Members:
    """The members of one mapping, read one by one by what they are."""

    def __init__(self, node: yaml.Node, *, what: str, known: Collection[str]) -> None:
        """Check the names.

        Args:
            node: What the file has in this place.
            what: The kind of thing, for messages: ``a channel``.
            known: Every member that it may have.

        Raises:
            BadFile: Not a mapping, or a member is unknown or stands twice.
        """
        self.line = line_of(node)
        self._what = what
        self._nodes: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            raise BadFile(self.line, f"{what} is a mapping of names to values")
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in known:
                raise BadFile(line_of(key), f"{what} has no member {name!r}{_nearest(name, known)}")
            if name in self._nodes:
                raise BadFile(line_of(key), f"{name!r} stands here a second time")
            self._nodes[name] = value

    def has(self, name: str) -> bool:
        """Whether the member is there, with a value."""
        return name in self._nodes and self._nodes[name].tag != _NULL

    def lines(self) -> dict[str, int]:
        """Return where each member stands, for complaints that come later."""
        return {name: line_of(node) for name, node in self._nodes.items()}

    def line_of(self, name: str) -> int:
        """Return where a member's value stands, or where the mapping begins."""
        return line_of(self._nodes[name]) if name in self._nodes else self.line

    def text(self, name: str, *, characters_max: int, keeps_spaces: bool = False) -> str:
        """Return a member that has to be there, as it is written; spaces around it count in a secret only."""
        if not self.has(name):
            raise BadFile(self.line_of(name), f"{self._what} needs {name!r}")
        node = self._nodes[name]
        if not isinstance(node, yaml.ScalarNode):
            raise BadFile(line_of(node), f"{name!r} is a single value")
        value: str = node.value if keeps_spaces else node.value.strip()
        if not value or len(value) > characters_max:
            raise BadFile(line_of(node), f"{name!r} has 1 to {characters_max} characters")
        return value

    def text_or(self, name: str, default: str, *, characters_max: int) -> str:
        """Return a member, or ``default`` when it is not there."""
        return self.text(name, characters_max=characters_max) if self.has(name) else default

    def amount(self, name: str) -> Nanos:
        """Return an amount of currency, at least 0, exact."""
        with _complaints_at(self.line_of(name), name):
            amount = parse_amount(self.text(name, characters_max=40))
            if amount < 0:
                message = "an amount here is not negative"
                raise ValueError(message)
            return amount

    def price(self, name: str, kind: TokenKind) -> MicrosPerMillion:
        """Return a price as it is written for its kind, at least 0, exact."""
        with _complaints_at(self.line_of(name), name):
            return parse_written_price(kind, self.text(name, characters_max=40))

    def ratio_ppm(self, name: str) -> int:
        """Return a ratio such as ``0.85`` in parts per million, at least 0, exact."""
        with _complaints_at(self.line_of(name), name):
            return parse_price(self.text(name, characters_max=40))

    def whole(self, name: str, default: int | None = None, *, minimum: int, maximum: int = 2**31 - 1) -> int:
        """Return a whole number in bounds, or ``default`` when it is not there and there is one."""
        if default is not None and not self.has(name):
            return default
        text = self.text(name, characters_max=20)
        if not text.isascii() or not text.isdigit() or not minimum <= int(text) <= maximum:
            raise BadFile(self.line_of(name), f"{name!r} is a whole number from {minimum} to {maximum}")
        return int(text)

    def truth(self, name: str, *, default: bool) -> bool:
        """Return a yes or no."""
        if not self.has(name):
            return default
        word = self.text(name, characters_max=5).lower()
        if word not in _TRUTH:
            raise BadFile(self.line_of(name), f"{name!r} is true or false")
        return _TRUTH[word]

    def choice(self, name: str, members: type[Choice], default: Choice | None = None) -> Choice:
        """Return one of a closed list of words, or ``default`` when it is not there and there is one."""
        if default is not None and not self.has(name):
            return default
        word = self.text(name, characters_max=64)
        words = [member.value for member in members]
        if word not in words:
            raise BadFile(self.line_of(name), f"{name!r} is one of {', '.join(words)}{_nearest(word, words)}")
        return members(word)

    def nested(self, name: str) -> yaml.Node:
        """Return the node of a member that has to be there."""
        if not self.has(name):
            raise BadFile(self.line_of(name), f"{self._what} needs {name!r}")
        return self._nodes[name]

    def listed(self, name: str) -> list[yaml.Node]:
        """Return the entries of a list; none when the member is not there."""
        if not self.has(name):
            return []
        node = self._nodes[name]
        if not isinstance(node, yaml.SequenceNode):
            raise BadFile(line_of(node), f"{name!r} is a list")
        return list(node.value)

    def texts(self, name: str, *, characters_max: int) -> list[Text]:
        """Return a list of single values."""
        entries = []
        for node in self.listed(name):
            if not isinstance(node, yaml.ScalarNode) or not 1 <= len(node.value.strip()) <= characters_max:
                raise BadFile(line_of(node), f"{name!r} is a list of names of 1 to {characters_max} characters")
            entries.append(Text(node.value.strip(), line_of(node)))
        return entries


def read_document(content: bytes) -> yaml.Node:
    """Read one YAML document into marked nodes.

    Raises:
        BadFile: It is empty, not UTF-8, or not one YAML document.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(content.count(b"\n", 0, error.start) + 1, "the file is not UTF-8 text") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadFile(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError:
        raise BadFile(1, "not YAML: a character is not allowed in text") from None
    except RecursionError:
        raise BadFile(1, "nested too deeply") from None
    if node is None:
        raise BadFile(1, "the file is empty")
    return node


def line_of(node: yaml.Node) -> int:
    """Return the line where a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


@contextmanager
def complaints_at(line: int, lines: Mapping[str, int] | None = None) -> Iterator[None]:
    """Turn what a room says about an entry into a complaint with a line: the member's if it names one of ``lines``."""
    try:
        yield
    except BadRequest as error:
        raise BadFile((lines or {}).get(error.parameter or "", line), error.public_message) from None
    except OneTokenError as error:
        raise BadFile(line, error.public_message) from None


@contextmanager
def _complaints_at(line: int, name: str) -> Iterator[None]:
    """The same for a number that does not parse."""
    try:
        yield
    except ValueError as error:
        raise BadFile(line, f"{name!r}: {error}") from None


def _nearest(word: str, known: Collection[str]) -> str:
    """Guess what was meant."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
