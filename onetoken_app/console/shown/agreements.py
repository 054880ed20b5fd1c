"""Agreements as pages show them: a text, what identifies it, and the versions beside it."""

from dataclasses import dataclass, field
from datetime import date

from onetoken_app.agreements.documents import Document, current_document, documents
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.console.published_texts import address_of
from onetoken_app.console.shown.prose import Block, blocks_of

PAGES = {AgreementKind.TERMS_OF_SERVICE: "/terms", AgreementKind.PRIVACY_POLICY: "/privacy"}
"""Where each agreement is read."""


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """One version of an agreement."""

    version: str = ""
    address: str = ""
    sha256: str = ""
    """Of the text in the reader's language."""


@dataclass(frozen=True, slots=True)
class ShownAgreement:
    """One text of an agreement."""

    version: str = ""
    address: str = ""
    """Of this version's page, for ever."""
    sha256: str = ""
    file: str = ""
    """Where the exact text is."""
    is_current: bool = True
    is_upcoming: bool = False
    """It takes effect on a day that has not come."""
    blocks: list[Block] = field(default_factory=list)
    versions: list[ShownVersion] = field(default_factory=list)
    """Every version, newest first."""


def shown_agreement(kind: AgreementKind, *, page: str, version: str, locale: str, on: date) -> ShownAgreement | None:
    """Show a version of an agreement.

    Args:
        kind: Which agreement.
        page: The route of its page.
        version: As an address names it; empty for the one in force.
        locale: The reader's; English when there is no text in it.
        on: Today.

    Raises:
        MissingText: No version was named and none is in force.
    """
    of_kind = [document for document in documents() if document.kind is kind]
    in_force = current_document(kind, locale, on)
    found = _of_version(of_kind, version, locale) if version else in_force
    if found is None:
        return None
    versions = sorted({document.version for document in of_kind}, reverse=True)
    return ShownAgreement(
        version=found.version,
        address=_address(page, found.version),
        sha256=found.sha256,
        file=address_of(found),
        is_current=found.version == in_force.version,
        is_upcoming=found.effective_on > on,
        blocks=list(blocks_of(found.text)),
        versions=[ShownVersion(version=one, address=_address(page, one)) for one in versions],
    )


def version_in_force(kind: AgreementKind, *, page: str, locale: str, on: date) -> ShownVersion:
    """Name the text that is accepted today.

    Raises:
        MissingText: None is in force.
    """
    found = current_document(kind, locale, on)
    return ShownVersion(version=found.version, address=_address(page, found.version), sha256=found.sha256)


def _of_version(of_kind: list[Document], version: str, locale: str) -> Document | None:
    """Find a version in the reader's language, else in any."""
    of_version = sorted(
        (document for document in of_kind if document.version == version),
        key=lambda document: (document.locale != locale, document.locale != "en"),
    )
    return of_version[0] if of_version else None


def _address(page: str, version: str) -> str:
    """Return where a version is read, for ever."""
    return f"{page}?version={version}"
