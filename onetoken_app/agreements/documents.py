"""The texts of agreements: files of this package or the operator's own, named ``<kind>.<version>.<locale>.md``.

A version is the date its text takes effect, such as ``2026-05-18``. A text that has been published is never edited:
acceptances carry its SHA-256.

The operator's own texts replace the package's of their kind wholly: a version of the package that is to stay readable,
because somebody accepted it, is copied beside them. Otherwise strangers would read as a former version what never was.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path

from onetoken_app.agreements.errors import MissingText
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.settings import BadSettings, get_settings

TEXTS = Path(__file__).parent / "texts"
DEFAULT_LOCALE = "en"
LOCALES = frozenset({DEFAULT_LOCALE, "zh-CN"})
"""Languages that every version is written in."""
_KINDS = "|".join(AgreementKind)
_NAME = re.compile(rf"(?:{_KINDS})\.\d{{4}}-\d{{2}}-\d{{2}}\.(?:{'|'.join(sorted(LOCALES))})\.md", re.ASCII)


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


def current_document(kind: AgreementKind, locale: str, on: date, *, texts: Path | None = None) -> Document:
    """Return the text in force on a day, in the language asked for, else in English.

    Args:
        kind: Which agreement.
        locale: Such as ``zh-CN``.
        on: The day.
        texts: A folder of texts; ``None``: those of this installation.

    Raises:
        MissingText: None is in force on that day.
    """
    in_force = [document for document in documents(texts) if document.kind is kind and document.effective_on <= on]
    if not in_force:
        raise MissingText("The text of an agreement is missing; tell the operator.")
    version = max(document.version for document in in_force)
    by_locale = {document.locale: document for document in in_force if document.version == version}
    return by_locale.get(locale) or by_locale.get(DEFAULT_LOCALE) or by_locale[min(by_locale)]


def current_versions(on: date, *, texts: Path | None = None) -> dict[AgreementKind, str]:
    """Return the version of each agreement that is in force on a day.

    Raises:
        MissingText: An agreement has none.
    """
    return {kind: current_document(kind, DEFAULT_LOCALE, on, texts=texts).version for kind in AgreementKind}


def published_document(kind: AgreementKind, version: str, locale: str, *, texts: Path | None = None) -> Document | None:
    """Return one text as it was published, in force or not; ``None``: there is none."""
    for document in documents(texts):
        if (document.kind, document.version, document.locale) == (kind, version, locale):
            return document
    return None


def documents(texts: Path | None = None) -> tuple[Document, ...]:
    """Return every text of a folder, or of this installation; each is read once per process.

    Raises:
        BadSettings: The operator's own texts cannot be used.
        ValueError: A file's name is not that of a text.
    """
    return _of_folder(texts) if texts is not None else documents_with(get_settings().legal_texts_dir)


@lru_cache(maxsize=8)
def documents_with(own: Path | None) -> tuple[Document, ...]:
    """Return the package's texts, those of a kind replaced by the operator's own where there are any.

    Raises:
        BadSettings: The operator's own texts cannot be used; the message names the file.
    """
    if own is None:
        return _of_folder(TEXTS)
    replacing = _own_documents(own)
    replaced = {document.kind for document in replacing}
    return tuple(document for document in _of_folder(TEXTS) if document.kind not in replaced) + replacing


@lru_cache(maxsize=8)
def _of_folder(texts: Path) -> tuple[Document, ...]:
    """Read every text of a folder."""
    return tuple(_read(path) for path in sorted(texts.glob("*.md")))


def _own_documents(folder: Path) -> tuple[Document, ...]:
    """Read the operator's own texts, and refuse what would be overlooked, unreadable or half a version.

    Raises:
        BadSettings: One of them cannot be used.
    """
    try:
        # A name that begins with a dot is a tool's own, such as those that a mounted volume is swapped by.
        files = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and path.is_file()]
        found = tuple(_own_document(path) for path in files)
    except OSError as error:
        raise _unusable(f"{error.filename or folder}: {error.strerror}") from error
    if not found:
        raise _unusable(f"{folder} holds no text; unset it to use the texts of the package")
    for kind, version in sorted({(document.kind, document.version) for document in found}):
        written = {document.locale for document in found if (document.kind, document.version) == (kind, version)}
        for locale in sorted(LOCALES - written):
            raise _unusable(f"{folder / f'{kind}.{version}.{locale}.md'} is missing; a version has both languages")
    return found


def _own_document(path: Path) -> Document:
    """Read one of the operator's own files."""
    if not _NAME.fullmatch(path.name):
        words = "is no name of a text, such as terms_of_service.2026-05-18.en.md with the day it takes effect"
        raise _unusable(f"{path} {words}; rename it or take it away")
    try:
        document = _read(path)
    except UnicodeDecodeError:
        raise _unusable(f"{path} is not UTF-8; save it as UTF-8") from None
    except ValueError:
        raise _unusable(f"{path} is named for a day that no calendar has; rename it") from None
    if not document.text.strip() or document.text.startswith("\ufeff"):
        raise _unusable(f"{path} is empty or begins with a byte order mark; save it as UTF-8 without one")
    return document


def _unusable(words: str) -> BadSettings:
    """Say what is wrong with the operator's own texts."""
    return BadSettings(f"ONETOKEN_LEGAL_TEXTS_DIR: {words}")


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
