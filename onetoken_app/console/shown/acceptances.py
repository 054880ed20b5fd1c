"""What an organization accepted, and what it still has to accept, as pages show it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.agreements.documents import current_document, published_document
from onetoken_app.agreements.models import AgreementKind, ConfirmationKind
from onetoken_app.agreements.outstanding import OwedAgreement
from onetoken_app.agreements.queries import AcceptanceView, has_confirmation
from onetoken_app.console.shown.agreements import PAGES, version_in_force
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.prose import Block, blocks_of
from onetoken_app.organizations.queries import declared_scenarios

_SECTION = "## "


@dataclass(frozen=True, slots=True)
class ShownAcceptance:
    """One row."""

    kind: str = ""
    version: str = ""
    address: str = ""
    """Where the text is read."""
    accepted: str = ""
    """When."""
    signatory: str = ""
    """Name and title; empty: the operator attested it."""
    certificate: str = ""
    """Where it is downloaded."""


@dataclass(frozen=True, slots=True)
class ShownOwed:
    """A text that waits for the organization's acceptance."""

    kind: str = ""
    version: str = ""
    address: str = ""
    sha256: str = ""
    previous_version: str = ""
    """Empty: none was ever accepted."""
    changed_sections: list[str] = field(default_factory=list)
    """Headings of the sections that read otherwise than in the version that was accepted."""
    blocks: list[Block] = field(default_factory=list)


def shown_acceptance(view: AcceptanceView, *, time_zone: str) -> ShownAcceptance:
    """Turn an acceptance into its row."""
    return ShownAcceptance(
        kind=view.kind.value,
        version=view.version,
        address=f"{PAGES[view.kind]}?version={view.version}",
        accepted=shown_minute(view.accepted_at, time_zone),
        signatory=", ".join(words for words in (view.signatory_name, view.signatory_title) if words),
        certificate=f"/account/certificates/{view.id}",
    )


def shown_owed(owed: Iterable[OwedAgreement], *, locale: str, on: date) -> list[ShownOwed]:
    """Show what has to be accepted, each with its text.

    Args:
        owed: What has to be accepted.
        locale: The reader's.
        on: Today, in UTC.
    """
    return [_shown(one, locale=locale, on=on) for one in owed]


async def uses_of(session: AsyncSession, organization_id: str) -> tuple[list[str], bool]:
    """Return what an organization declared to use the service for, and whether it may serve the general public."""
    declared = await declared_scenarios(session, organization_id)
    kind = ConfirmationKind.PUBLIC_SERVICE
    return [one.value for one in declared], await has_confirmation(session, organization_id, kind, clock.utc_now())


def changed_sections(before: str, after: str) -> list[str]:
    """Return the headings of the sections of a text that another version does not have word by word."""
    known = set(_sections(before))
    return [section.partition("\n")[0] for section in _sections(after) if section not in known]


def _shown(owed: OwedAgreement, *, locale: str, on: date) -> ShownOwed:
    """Show one."""
    document = current_document(owed.kind, locale, on)
    named = version_in_force(owed.kind, page=PAGES[owed.kind], locale=locale, on=on)
    return ShownOwed(
        kind=owed.kind.value,
        version=owed.version,
        address=named.address,
        sha256=named.sha256,
        previous_version=owed.previous_version,
        changed_sections=_changes(owed.kind, owed.previous_version, document.locale, document.text),
        blocks=list(blocks_of(document.text)),
    )


def _changes(kind: AgreementKind, previous_version: str, locale: str, text: str) -> list[str]:
    """Compare with the version that was accepted, in the same language; nothing to compare: nothing to show."""
    previous = published_document(kind, previous_version, locale)
    return changed_sections(previous.text, text) if previous else []


def _sections(text: str) -> list[str]:
    """Cut a text at its headings; what stands before the first one names the version and is left out."""
    return [part.strip() for part in f"\n{text}".split(f"\n{_SECTION}")[1:]]
