"""What an organization does with its case: writes it, adds documents, submits it, takes it back, opens it again.

Every verb takes the organization from the caller and finds the case by it: nobody reaches another's case by an id.
"""

import json
from dataclasses import asdict, fields, replace

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.errors import Conflict, NotFound
from onetoken_app.identity.models import StaffRole
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import MailRoom, write_to_staff
from onetoken_app.organizations.queries import organization
from onetoken_app.organizations.service import free_registration_code
from onetoken_app.verification.casework import audit_case, locked_case_of, move_case, refuse_stale
from onetoken_app.verification.errors import DocumentApproved, TooManyDocuments, VerificationIncomplete
from onetoken_app.verification.models import (
    Case,
    CaseEvent,
    CaseState,
    DocumentKind,
    MissingPart,
    SealedDocument,
    StoredDocument,
)
from onetoken_app.verification.particulars import (
    IDENTITY,
    Particulars,
    checked_particulars,
    missing_texts,
    particulars_of,
)
from onetoken_app.verification.sealing import PreparedDocument

EDITABLE = frozenset({CaseState.DRAFT, CaseState.MORE_WANTED})
"""States in which the organization writes."""
DECIDED = frozenset({CaseState.APPROVED, CaseState.REFUSED})
"""States from which a change opens the case again."""
DESK_PATH = "/staff/reviews"
"""Where the console shows reviewers what waits."""
REQUIRED_KINDS = (DocumentKind.BUSINESS_LICENCE, DocumentKind.AUTHORIZATION_LETTER)
DOCUMENTS_MAX = 20
_UNDER_REVIEW = "The case is with the reviewers or decided; nothing was changed. Take a submission back, or wait."


async def save_particulars(
    session: AsyncSession,
    *,
    organization_id: str,
    particulars: Particulars,
    saved_by: str,
    expected_revision: int | None,
) -> None:
    """Write what the organization says about itself; saving the same again changes nothing.

    A decided case is opened again, in its next round. Until that round is decided the organization stays on record as
    it was approved.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose case; the first save opens it.
        particulars: All parts; empty ones are fine until it is submitted.
        saved_by: Who writes.
        expected_revision: Of the case that was on the screen; ``None``: there was none yet.

    Raises:
        BadRequest: A part cannot be used; ``parameter`` names it.
        Conflict: The case was changed since, is being reviewed, or the code is another organization's.
        NotFound: There is no such organization.
    """
    checked = await _checked(session, organization_id, particulars)
    case = await locked_case_of(session, organization_id)
    if case is None and expected_revision is None:
        case = await _open_case(session, organization_id, actor_id=saved_by)
    elif case is None:
        raise NotFound("There is no such case.")
    elif particulars_of(case) == checked:
        return
    else:
        refuse_stale(case, expected_revision)
    changed = [name for name in asdict(checked) if getattr(case, name) != getattr(checked, name)]
    await _make_editable(session, case, actor_id=saved_by)
    for name in changed:
        setattr(case, name, getattr(checked, name))
    case.revision += 1
    await session.flush()
    facts = {"changes_identity": bool(set(changed) & set(IDENTITY)), "changed_count": len(changed)}
    await audit_case(session, case, action="verification_particulars_saved", actor_id=saved_by, facts=facts)


async def add_document(
    session: AsyncSession, *, organization_id: str, document: PreparedDocument, uploaded_by: str
) -> str:
    """Put a document into the case and return its id; the same file of the same kind again returns the first's.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose case; the first document opens it, and a decided one is opened again.
        document: Examined and sealed.
        uploaded_by: Who adds it.

    Raises:
        Conflict: The case is being reviewed.
        NotFound: There is no such organization.
        TooManyDocuments: It holds ``DOCUMENTS_MAX``.
    """
    case = await locked_case_of(session, organization_id) or await _open_case(
        session, organization_id, actor_id=uploaded_by
    )
    kept = await _kept_documents(session, case.id)
    for known in kept:
        if (known.sha256, known.kind) == (document.sha256, document.kind):
            return known.id
    if len(kept) >= DOCUMENTS_MAX:
        raise TooManyDocuments(f"A case holds {DOCUMENTS_MAX} documents. Remove one that is no longer needed.")
    await _make_editable(session, case, actor_id=uploaded_by)
    described = {field.name: getattr(document, field.name) for field in fields(document)}
    sealed = {name: described.pop(name) for name in ("key_sealed", "bytes_sealed")}
    session.add(StoredDocument(case_id=case.id, uploaded_by=uploaded_by, uploaded_at=clock.utc_now(), **described))
    await session.flush()
    session.add(SealedDocument(document_id=document.id, **sealed))
    case.revision += 1
    await session.flush()
    await audit_case(
        session, case, action="document_added", actor_id=uploaded_by, subject_id=document.id,
        facts={"kind": document.kind.value, "byte_count": document.byte_count, "sha256": document.sha256},
    )  # fmt: skip
    return document.id


async def remove_document(session: AsyncSession, *, organization_id: str, document_id: str, removed_by: str) -> None:
    """Delete a document's bytes; that it was there stays known. Doing it again changes nothing.

    Raises:
        Conflict: The case is being reviewed or decided.
        DocumentApproved: An approval rests on it; it goes when its retention is over.
        NotFound: There is no such document in the organization's case.
    """
    case = await locked_case_of(session, organization_id)
    document = await session.get(StoredDocument, document_id)
    if case is None or document is None or document.case_id != case.id:
        raise NotFound("There is no such document.")
    if document.removed_at is not None:
        return
    if case.state not in EDITABLE:
        raise Conflict(_UNDER_REVIEW)
    if await _was_approved(session, document):
        raise DocumentApproved(
            "The organization's approval rests on this document, so it stays until its retention is over; nothing was "
            "removed. Add the new one beside it."
        )
    await session.exec(delete(SealedDocument).where(col(SealedDocument.document_id) == document_id))
    document.removed_at = clock.utc_now()
    case.revision += 1
    await session.flush()
    await audit_case(
        session, case, action="document_removed", actor_id=removed_by, subject_id=document_id, facts={}
    )  # fmt: skip


async def _was_approved(session: AsyncSession, document: StoredDocument) -> bool:
    """Whether a case was approved while it held a document."""
    query = select(CaseEvent.number).where(
        CaseEvent.case_id == document.case_id,
        CaseEvent.state == CaseState.APPROVED,
        CaseEvent.recorded_at >= document.uploaded_at,
    )
    return (await session.exec(query)).first() is not None


async def submit_case(
    session: AsyncSession, *, organization_id: str, submitted_by: str, expected_revision: int, mail_room: MailRoom
) -> None:
    """Hand the case to the staff and tell the reviewers; a case that is with them already stays as it is.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose case.
        submitted_by: Who hands it in.
        expected_revision: Of the case that was on the screen.
        mail_room: Writes to the reviewers.

    Raises:
        Conflict: It was changed since, or is decided: a change opens it again.
        NotFound: The organization has no case.
        VerificationIncomplete: Something is missing; ``missing`` names it.
    """
    case = await locked_case_of(session, organization_id)
    if case is None:
        raise NotFound("There is no such case.")
    if case.state in {CaseState.SUBMITTED, CaseState.IN_REVIEW}:
        return
    refuse_stale(case, expected_revision)
    if case.state in DECIDED:
        raise Conflict("This case is decided. Change what has to be changed, then submit it again.")
    missing = await missing_parts(session, case)
    if missing:
        raise VerificationIncomplete(missing)
    case.submitted_by, case.submitted_at = submitted_by, clock.utc_now()
    case.reviewer_id = None
    await move_case(
        session, case, CaseState.SUBMITTED, actor_id=submitted_by, particulars_json=await evidence_of(session, case)
    )
    await _tell_reviewers(session, case, mail_room)


async def withdraw_case(
    session: AsyncSession, *, organization_id: str, withdrawn_by: str, expected_revision: int
) -> None:
    """Take a submission back to change it, as long as nobody of the staff took it.

    Raises:
        Conflict: It was changed since, or somebody reviews it.
        NotFound: The organization has no case.
    """
    case = await locked_case_of(session, organization_id)
    if case is None:
        raise NotFound("There is no such case.")
    refuse_stale(case, expected_revision)
    if case.state is not CaseState.SUBMITTED:
        raise Conflict("Only a submission that nobody reviews yet can be taken back; nothing was changed.")
    await move_case(session, case, CaseState.DRAFT, actor_id=withdrawn_by)


async def _tell_reviewers(session: AsyncSession, case: Case, mail_room: MailRoom) -> None:
    """Post a mail to every reviewer; it names the organization and nothing of its case."""

    def letter(locale: str) -> Letter:
        address = f"{mail_room.console_url}{DESK_PATH}"
        return letters.case_waits(locale, organization_name=case.legal_name, address=address)

    await write_to_staff(session, mail_room=mail_room, role=StaffRole.REVIEWER, letter=letter)


async def missing_parts(session: AsyncSession, case: Case) -> tuple[MissingPart, ...]:
    """Name what a case needs before it can be submitted."""
    kinds = {document.kind for document in await _kept_documents(session, case.id)}
    documents = tuple(MissingPart(kind.value) for kind in REQUIRED_KINDS if kind not in kinds)
    return missing_texts(particulars_of(case)) + documents


async def evidence_of(session: AsyncSession, case: Case) -> str:
    """Write down what a case says and which documents it holds, for its event."""
    hashes = [document.sha256 for document in await _kept_documents(session, case.id)]
    facts = asdict(particulars_of(case)) | {"documents": hashes}
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


async def _checked(session: AsyncSession, organization_id: str, particulars: Particulars) -> Particulars:
    """Trim everything, and check the code unless it is the one on record."""
    checked = checked_particulars(particulars)
    on_record = await organization(session, organization_id)
    if on_record is None:
        raise NotFound("There is no such organization.")
    if checked.registration_code in {"", on_record.registration_code}:
        return checked
    return replace(checked, registration_code=await free_registration_code(session, checked.registration_code))


async def _open_case(session: AsyncSession, organization_id: str, *, actor_id: str) -> Case:
    """Open an organization's first round with what is on record."""
    on_record = await organization(session, organization_id)
    if on_record is None:
        raise NotFound("There is no such organization.")
    case = Case(
        organization_id=organization_id,
        legal_name=on_record.name,
        registration_code=on_record.registration_code,
        created_at=clock.utc_now(),
        revision=0,
    )
    session.add(case)
    await session.flush()
    await move_case(session, case, CaseState.DRAFT, actor_id=actor_id)
    return case


async def _make_editable(session: AsyncSession, case: Case, *, actor_id: str) -> None:
    """Refuse a case that is with the staff; open a decided one again, in its next round."""
    if case.state in EDITABLE:
        return
    if case.state not in DECIDED:
        raise Conflict(_UNDER_REVIEW)
    case.round_number += 1
    await move_case(session, case, CaseState.DRAFT, actor_id=actor_id)


async def _kept_documents(session: AsyncSession, case_id: str) -> list[StoredDocument]:
    """Return the documents of a case that were not removed, oldest first."""
    query = (
        select(StoredDocument)
        .where(StoredDocument.case_id == case_id, col(StoredDocument.removed_at).is_(None))
        .order_by(StoredDocument.id)
    )
    return list(await session.exec(query))
