"""The words of statements that people make. Rows carry their SHA-256, so a wording that was used is never edited."""

import hashlib

from onetoken_app.agreements.models import DeclarationKind

_STATEMENTS = {
    DeclarationKind.AUTHORITY: {
        "en": "I act for this organization, am authorized by it, and do not register for purposes of my own.",
        "zh-CN": "我代表本组织行事，已获得本组织的充分授权，并非为个人用途注册。",
    }
}
DEFAULT_LOCALE = "en"


def statement(kind: DeclarationKind, locale: str) -> str:
    """Return a statement's words, in English where the language is unknown."""
    wordings = _STATEMENTS[kind]
    return wordings.get(locale, wordings[DEFAULT_LOCALE])


def statement_sha256(kind: DeclarationKind, locale: str) -> str:
    """Return the SHA-256 of a statement's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(statement(kind, locale).encode()).hexdigest()


def statement_locale(kind: DeclarationKind, locale: str) -> str:
    """Return the language in which a statement is shown to somebody who reads ``locale``."""
    return locale if locale in _STATEMENTS[kind] else DEFAULT_LOCALE
