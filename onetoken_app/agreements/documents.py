"""The texts of agreements: files of this package, named ``<kind>.<version>.<locale>.md``.

A version is the date its text takes effect, such as ``2026-05-18``. A text that has been published is never edited:
acceptances carry its SHA-256.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

from onetoken_app.agreements.errors import MissingText
from onetoken_app.agreements.models import AgreementKind

TEXTS = Path(__file__).parent / "texts"
DEFAULT_LOCALE = "en"


@dataclass(frozen=True, slots=True)
class Document:
    """One text of one agreement in one language."""

    kind: AgreementKind
    version: str
    locale: str
    text: str = field(repr=False)
    """Markdown, as published."""
    sha256: str
    """Of the file's bytes, in hexadecimal."""
    effective_on: date


def current_document(kind: AgreementKind, locale: str, on: date, *, texts: Path = TEXTS) -> Document:
    """Return the text in force on a day, in the language asked for, else in English.

    Args:
        kind: Which agreement.
        locale: Such as ``zh-CN``.
        on: The day.
        texts: The folder of texts.

    Raises:
        MissingText: None is in force on that day.
    """
    in_force = [document for document in documents(texts) if document.kind is kind and document.effective_on <= on]
    if not in_force:
        raise MissingText("The text of an agreement is missing; tell the operator.")
    version = max(document.version for document in in_force)
    by_locale = {document.locale: document for document in in_force if document.version == version}
    return by_locale.get(locale) or by_locale.get(DEFAULT_LOCALE) or by_locale[min(by_locale)]


def current_versions(on: date, *, texts: Path = TEXTS) -> dict[AgreementKind, str]:
    """Return the version of each agreement that is in force on a day.

    Raises:
        MissingText: An agreement has none.
    """
    return {kind: current_document(kind, DEFAULT_LOCALE, on, texts=texts).version for kind in AgreementKind}


def published_document(kind: AgreementKind, version: str, locale: str, *, texts: Path = TEXTS) -> Document | None:
    """Return one text as it was published, in force or not; ``None``: there is none."""
    for document in documents(texts):
        if (document.kind, document.version, document.locale) == (kind, version, locale):
            return document
    return None


@lru_cache(maxsize=8)
def documents(texts: Path = TEXTS) -> tuple[Document, ...]:
    """Read every text once per process.

    Raises:
        ValueError: A file's name is not that of a text.
    """
    return tuple(_read(path) for path in sorted(texts.glob("*.md")))


def _read(path: Path) -> Document:
    """Read one file."""
    kind, version, locale = path.stem.split(".")
    content = path.read_bytes()
    return Document(
        kind=AgreementKind(kind),
        version=version,
        locale=locale,
        text=content.decode(),
        sha256=hashlib.sha256(content).hexdigest(),
        effective_on=date.fromisoformat(version),
    )
