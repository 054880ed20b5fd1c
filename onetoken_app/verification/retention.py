"""When documents go: some days after the last step of their case, unless it is with the reviewers.

The last step is the decision, or what an organization did last that never handed its case in. The sealed bytes and
their key are deleted; what the row and the audit log say of them stays.
"""

from datetime import datetime, timedelta

from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.verification.models import Case, CaseEvent, CaseState, SealedDocument, StoredDocument

WITH_REVIEWERS = frozenset({CaseState.SUBMITTED, CaseState.IN_REVIEW})
"""States in which nothing is taken from whoever has to decide."""


def purge_due_at(
    *, state: CaseState, last_step_at: datetime, uploaded_at: datetime, retention_days: int
) -> datetime | None:
    """Return when a document may go; ``None``: not before somebody decides."""
    if state in WITH_REVIEWERS:
        return None
    return max(last_step_at, uploaded_at) + timedelta(days=retention_days)


async def last_step_at(session: AsyncSession, case_id: str) -> datetime:
    """Return the moment of a case's last step."""
    return (await session.exec(select(func.max(col(CaseEvent.recorded_at))).where(CaseEvent.case_id == case_id))).one()


async def purge_documents(session: AsyncSession, *, ended_before: datetime, count_max: int) -> int:
    """Delete the bytes of documents whose case took its last step before a moment; return of how many.

    Args:
        session: Open unit of work; the caller commits.
        ended_before: The moment.
        count_max: At most so many.
    """
    last = select(func.max(col(CaseEvent.recorded_at))).where(CaseEvent.case_id == Case.id).correlate(Case)
    query = (
        select(StoredDocument, Case)
        .join(Case, col(Case.id) == col(StoredDocument.case_id))
        .where(
            col(StoredDocument.removed_at).is_(None),
            StoredDocument.uploaded_at < ended_before,
            col(Case.state).not_in(WITH_REVIEWERS),
            last.scalar_subquery() < ended_before,
        )
        .order_by(StoredDocument.id)
        .limit(count_max)
        .with_for_update(of=Case)  # a step of the case waits, or is waited for and seen
    )
    found = (await session.exec(query)).all()
    for document, case in found:
        await session.exec(delete(SealedDocument).where(col(SealedDocument.document_id) == document.id))
        document.removed_at = clock.utc_now()
        await audit.record(
            session,
            actor=audit.SYSTEM,
            action="document_purged",
            subject_id=document.id,
            organization_id=case.organization_id,
            facts={"kind": document.kind.value, "byte_count": document.byte_count, "sha256": document.sha256},
        )
    await session.flush()
    return len(found)
