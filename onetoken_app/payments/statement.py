"""What is consented to with an order: what happens to paid credit. Versioned texts, which an operator may replace."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from onetoken_app.payments.errors import StatementChanged

CURRENT_VERSION = "2026-05-18"
_FOLDER = Path(__file__).parent / "texts"
_LOCALES = ("en", "zh-CN")


@dataclass(frozen=True, slots=True)
class Statement:
    """One exact text."""

    version: str
    locale: str
    text: str
    sha256: str


def statement_with(sha256: str) -> Statement:
    """Return the statement in force that has a digest, whatever its language: the one that somebody read.

    Raises:
        StatementChanged: None of those in force has it.
    """
    for locale in _LOCALES:
        statement = current_statement(locale)
        if statement.sha256 == sha256:
            return statement
    raise StatementChanged("What is consented to has changed; nothing was ordered. Read it again.")


@lru_cache(maxsize=len(_LOCALES))
def current_statement(locale: str) -> Statement:
    """Return the statement in force, in English for a language that it is not written in."""
    known = locale if locale in _LOCALES else _LOCALES[0]
    written = (_FOLDER / f"top-up.{CURRENT_VERSION}.{known}.md").read_bytes()
    return Statement(
        version=CURRENT_VERSION,
        locale=known,
        text=written.decode("utf-8").strip(),
        sha256=hashlib.sha256(written).hexdigest(),
    )
