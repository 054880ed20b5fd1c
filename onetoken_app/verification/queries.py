"""Reads case files: for the organization what it said and what is missing, for the staff what waits."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.identity.models import Person
from onetoken_app.organizations.models import Organization
from onetoken_app.verification.models import (
    Case,
    CaseEvent,
    CaseState,
    DocumentFormat,
    DocumentKind,
    MissingPart,
    ReviewReason,
    SealedDocument,
    StoredDocument,
)
from onetoken_app.verification.particulars import Particulars, particulars_of
from onetoken_app.verification.retention import last_step_at
from onetoken_app.verification.service import EDITABLE, missing_parts


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document, unopened."""

    id: str
    kind: DocumentKind
    name: str
    format: DocumentFormat
    byte_count: int
    uploaded_at: datetime
    uploaded_by: str
    removed_at: datetime | None
    """Set: its bytes are gone."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with everything but the documents' bytes."""

    id: str
    organization_id: str
    state: CaseState
    revision: int
    round_number: int
    particulars: Particulars
    documents: tuple[DocumentView, ...]
    removed_documents: tuple[DocumentView, ...]
    """Those that were handed in once and are gone."""
    last_step_at: datetime
    """With it, how long documents are kept begins."""
    missing: tuple[MissingPart, ...]
    """What it needs before it can be submitted."""
    submitted_by: str | None
    submitted_at: datetime | None
    reviewer_id: str | None
    decided_at: datetime | None
    reason: ReviewReason | None
    words: str

    @property
    def is_editable(self) -> bool:
        """Whether the organization may write without opening the case again."""
        return self.state in EDITABLE


@dataclass(frozen=True, slots=True)
class WaitingCaseView:
    """A case that the staff has to look at."""

    id: str
    organization_id: str
    organization_name: str
    """On record; what the case says may differ."""
    legal_name: str
    state: CaseState
    revision: int
    round_number: int
    submitted_at: datetime | None
    reviewer_id: str | None
    reviewer_name: str


@dataclass(frozen=True, slots=True)
class DecidedCaseView:
    """A case that the staff answered last, and that nobody has opened again."""

    id: str
    name: str
    """As the case has it."""
    state: CaseState
    round_number: int
    decided_at: datetime | None
    reviewer_name: str
    reason: ReviewReason | None


@dataclass(frozen=True, slots=True)
class CaseEventView:
    """One step of a case."""

    number: int
    state: CaseState
    recorded_at: datetime
    actor_id: str
    reason: ReviewReason | None
    words: str


@dataclass(frozen=True, slots=True)
class DocumentPlaceView:
    """Whose a document is, to decide who may open it."""

    id: str
    case_id: str
    organization_id: str
    name: str
    format: DocumentFormat


@dataclass(frozen=True, slots=True)
class SealedDocumentView:
    """A document's bytes as they are stored."""

    document_id: str
    key_sealed: bytes = field(repr=False)
    bytes_sealed: bytes = field(repr=False)


async def case_of(session: AsyncSession, organization_id: str) -> CaseView | None:
    """Return an organization's case; ``None``: it has written nothing yet."""
    row = (await session.exec(select(Case).where(Case.organization_id == organization_id))).first()
    return await _view(session, row) if row else None


async def case_revision(session: AsyncSession, organization_id: str) -> int:
    """Return the revision of an organization's case, which every change counts up; 0: it has none."""
    return (await session.exec(select(Case.revision).where(Case.organization_id == organization_id))).first() or 0


async def case_state(session: AsyncSession, organization_id: str) -> CaseState | None:
    """Return where an organization's case stands; ``None``: it has none."""
    found = (await session.exec(select(Case.state).where(Case.organization_id == organization_id))).first()
    return None if found is None else CaseState(found)


async def case(session: AsyncSession, case_id: str) -> CaseView | None:
    """Return a case, for the staff."""
    row = await session.get(Case, case_id)
    return await _view(session, row) if row else None


async def waiting_cases(session: AsyncSession) -> list[WaitingCaseView]:
    """Return the cases that wait or are being reviewed, longest waiting first."""
    query = (
        select(Case, Organization.name, Person.name, Person.email)
        .join(Organization, col(Organization.id) == col(Case.organization_id))
        .join(Person, col(Person.id) == col(Case.reviewer_id), isouter=True)
        .where(col(Case.state).in_([CaseState.SUBMITTED, CaseState.IN_REVIEW]))
        .order_by(col(Case.submitted_at), Case.id)
    )
    return [
        WaitingCaseView(
            id=row.id,
            organization_id=row.organization_id,
            organization_name=organization_name,
            legal_name=row.legal_name,
            state=row.state,
            revision=row.revision,
            round_number=row.round_number,
            submitted_at=row.submitted_at,
            reviewer_id=row.reviewer_id,
            reviewer_name=reviewer_name or email or "",
        )
        for row, organization_name, reviewer_name, email in await session.exec(query)
    ]


async def decided_cases(session: AsyncSession, *, limit: int, before: str | None = None) -> list[DecidedCaseView]:
    """Return the cases that were approved, refused or handed back, the last decided first.

    Args:
        session: Open session.
        limit: At most so many.
        before: The id of a case; what was decided before it. One that is unknown or undecided ends the list.
    """
    at, number = col(Case.decided_at), col(Case.id)
    query = (
        select(Case, Person.name, Person.email)
        .join(Person, col(Person.id) == col(Case.reviewer_id), isouter=True)
        .where(col(Case.state).in_([CaseState.APPROVED, CaseState.REFUSED, CaseState.MORE_WANTED]))
        .where(at.is_not(None))
    )
    if before is not None:
        last = await session.get(Case, before)
        if last is None or last.decided_at is None:
            return []
        query = query.where((at < last.decided_at) | ((at == last.decided_at) & (number < last.id)))
    return [
        DecidedCaseView(
            id=row.id,
            name=row.legal_name,
            state=row.state,
            round_number=row.round_number,
            decided_at=row.decided_at,
            reviewer_name=name or email or "",
            reason=row.reason,
        )
        for row, name, email in await session.exec(query.order_by(at.desc(), number.desc()).limit(limit))
    ]


async def history_of(session: AsyncSession, case_id: str) -> list[CaseEventView]:
    """Return the steps of a case, first to last."""
    query = select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.number))
    return [
        CaseEventView(
            number=row.number,
            state=row.state,
            recorded_at=row.recorded_at,
            actor_id=row.actor_id,
            reason=row.reason,
            words=row.words,
        )
        for row in await session.exec(query)
    ]


async def document_place(session: AsyncSession, document_id: str) -> DocumentPlaceView | None:
    """Return whose a document is; ``None``: there is none, or its bytes were removed."""
    query = (
        select(StoredDocument, Case.organization_id)
        .join(Case, col(Case.id) == col(StoredDocument.case_id))
        .where(StoredDocument.id == document_id, col(StoredDocument.removed_at).is_(None))
    )
    found = (await session.exec(query)).first()
    if found is None:
        return None
    row, organization_id = found
    return DocumentPlaceView(
        id=row.id, case_id=row.case_id, organization_id=organization_id, name=row.name, format=row.format
    )


async def sealed_document(session: AsyncSession, document_id: str) -> SealedDocumentView | None:
    """Return a document's sealed bytes."""
    row = await session.get(SealedDocument, document_id)
    if row is None:
        return None
    return SealedDocumentView(document_id=row.document_id, key_sealed=row.key_sealed, bytes_sealed=row.bytes_sealed)


async def _view(session: AsyncSession, row: Case) -> CaseView:
    """Copy a case and describe its documents."""
    query = select(StoredDocument).where(StoredDocument.case_id == row.id).order_by(StoredDocument.id)
    handed_in = " ".join(
        await session.exec(select(CaseEvent.particulars_json).where(CaseEvent.case_id == row.id))
    )  # names the SHA-256 of each document
    documents = tuple(
        DocumentView(
            id=one.id,
            kind=one.kind,
            name=one.name,
            format=one.format,
            byte_count=one.byte_count,
            uploaded_at=one.uploaded_at,
            uploaded_by=one.uploaded_by,
            removed_at=one.removed_at,
        )
        for one in await session.exec(query)
        if one.removed_at is None or one.sha256 in handed_in
    )
    return CaseView(
        id=row.id,
        organization_id=row.organization_id,
        state=row.state,
        revision=row.revision,
        round_number=row.round_number,
        particulars=particulars_of(row),
        documents=tuple(one for one in documents if one.removed_at is None),
        removed_documents=tuple(one for one in documents if one.removed_at is not None),
        last_step_at=await last_step_at(session, row.id),
        missing=await missing_parts(session, row),
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        reviewer_id=row.reviewer_id,
        decided_at=row.decided_at,
        reason=row.reason,
        words=row.words,
    )
