"""Acceptance of new versions: whoever runs the organization accepts what took effect since, and says as what."""

from collections.abc import Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.agreements.clicks import Signatory, accepted_documents, check_signatory, record_clicks
from onetoken_app.agreements.queries import outstanding_agreements
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor


async def accept_for_organization(
    session: AsyncSession,
    *,
    organization_id: str,
    person_id: str,
    signatory: Signatory,
    acts_with_authority: bool,
    accepted: Mapping[str, str],
) -> None:
    """Accept every outstanding text in force for an organization; when nothing is outstanding, nothing is added.

    Args:
        session: Open unit of work; the caller commits, and has checked that the person may.
        organization_id: Who is bound.
        person_id: Who clicked.
        signatory: As what, and from where.
        acts_with_authority: Whether they stated it.
        accepted: SHA-256 of the text that was shown, by kind of agreement.

    Raises:
        DeclarationMissing: The statement of authority, the name or the title is missing.
        AgreementNotAccepted: A text is not accepted.
        AgreementChanged: A text was replaced while it was read.
    """
    check_signatory(signatory, acts_with_authority=acts_with_authority)
    outstanding = await outstanding_agreements(session, organization_id)
    if not outstanding:
        return
    documents = accepted_documents(accepted, kinds=outstanding)
    await record_clicks(
        session,
        organization_id=organization_id,
        person_id=person_id,
        signatory=signatory,
        accepted=documents,
    )
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, person_id),
        action="agreements_accepted",
        subject_id=organization_id,
        organization_id=organization_id,
        facts={"caller_ip": signatory.caller_ip, **{document.kind: document.version for document in documents}},
    )
