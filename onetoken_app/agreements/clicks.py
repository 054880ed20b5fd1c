"""What a person accepts and states by a click: every text in force, by its SHA-256, and their authority."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.agreements.declarations import statement_locale, statement_sha256
from onetoken_app.agreements.documents import Document, current_versions, documents
from onetoken_app.agreements.errors import AgreementChanged, AgreementNotAccepted, DeclarationMissing
from onetoken_app.agreements.models import AcceptanceMethod, AgreementKind, Declaration, DeclarationKind
from onetoken_app.agreements.service import record_acceptance


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who clicks, as what, and from where."""

    name: str
    title: str
    locale: str
    caller_ip: str
    user_agent: str


def accepted_documents(
    accepted: Mapping[str, str], *, kinds: Collection[AgreementKind] = tuple(AgreementKind), texts: Path | None = None
) -> list[Document]:
    """Find the exact texts that somebody accepted; each agreement that is asked for has to be among them.

    Args:
        accepted: The SHA-256 of the text that was shown, in any language, by kind of agreement.
        kinds: Which agreements are asked for.
        texts: A folder of texts; ``None``: those of this installation.

    Raises:
        AgreementNotAccepted: One is missing.
        AgreementChanged: One is not, or no longer, in force.
    """
    found = []
    for kind, version in current_versions(clock.utc_now().date(), texts=texts).items():
        if kind not in kinds:
            continue
        if not accepted.get(kind):
            raise AgreementNotAccepted("Accept the terms of service and the privacy policy to go on.", parameter=kind)
        found.append(_document(kind, version, accepted[kind], texts))
    return found


def check_signatory(signatory: Signatory, *, acts_with_authority: bool) -> None:
    """Refuse whoever does not say that they act for the organization, by what name and in which office.

    Raises:
        DeclarationMissing: One of these is missing or too long; the error names the member of the form.
    """
    if not acts_with_authority:
        raise DeclarationMissing(
            "State that you act for the organization and are authorized by it.", parameter="acts_with_authority"
        )
    for member in ("name", "title"):
        value: str = getattr(signatory, member).strip()
        if not 0 < len(value) <= 120 or not value.isprintable():
            raise DeclarationMissing(
                "Give your name and your position in the organization, at most 120 characters each.", parameter=member
            )


async def record_clicks(
    session: AsyncSession,
    *,
    organization_id: str,
    person_id: str,
    signatory: Signatory,
    accepted: list[Document],
) -> list[str]:
    """Put acceptances and the statement of authority on file; return the acceptances' ids.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Who is bound.
        person_id: Who clicked.
        signatory: Checked by ``check_signatory``.
        accepted: Found by ``accepted_documents``.

    Raises:
        NotFound: There is no such organization.
    """
    ids = [
        await record_acceptance(
            session,
            organization_id=organization_id,
            kind=document.kind,
            document=document,
            method=AcceptanceMethod.PERSON_CLICKED,
            person_id=person_id,
            signatory_name=signatory.name.strip(),
            signatory_title=signatory.title.strip(),
            caller_ip=signatory.caller_ip,
            user_agent=_printable(signatory.user_agent),
        )
        for document in accepted
    ]
    locale = statement_locale(DeclarationKind.AUTHORITY, signatory.locale)
    session.add(
        Declaration(
            organization_id=organization_id,
            person_id=person_id,
            kind=DeclarationKind.AUTHORITY,
            locale=locale,
            text_sha256=statement_sha256(DeclarationKind.AUTHORITY, locale),
            signatory_name=signatory.name.strip(),
            signatory_title=signatory.title.strip(),
            declared_at=clock.utc_now(),
            caller_ip=signatory.caller_ip[:45],
            user_agent=_printable(signatory.user_agent)[:256],
        )
    )
    await session.flush()
    return ids


def _document(kind: AgreementKind, version: str, sha256: str, texts: Path | None) -> Document:
    """Find the text in force with this SHA-256."""
    for document in documents(texts):
        if (document.kind, document.version, document.sha256) == (kind, version, sha256):
            return document
    raise AgreementChanged("A newer text has taken effect while you read. Nothing was done; read it and accept again.")


def _printable(text: str) -> str:
    """Drop control characters."""
    return "".join(character for character in text[:1024] if character.isprintable())
