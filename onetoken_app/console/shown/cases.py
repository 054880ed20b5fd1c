"""Case files as pages show them, to their organization and to the staff."""

from dataclasses import dataclass, field

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.organizations.queries import OrganizationView
from onetoken_app.settings import Settings
from onetoken_app.verification.models import CaseState, MissingPart
from onetoken_app.verification.particulars import Particulars
from onetoken_app.verification.queries import (
    CaseView,
    DecidedCaseView,
    DocumentView,
    WaitingCaseView,
    waiting_cases,
)
from onetoken_app.verification.retention import purge_due_at

_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """A document, unopened."""

    id: str = ""
    kind: str = ""
    name: str = ""
    size: str = ""
    uploaded: str = ""
    address: str = ""
    """Where it is handed out; each look is in the audit log. Empty: it is gone."""
    kept_until: str = ""
    """The day; empty: until a decision and some time after."""
    removed: str = ""
    """When it went; empty: it is there."""


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case."""

    id: str = ""
    state: str = CaseState.DRAFT.value
    revision: int = 0
    """0: nothing was saved yet."""
    round_number: int = 1
    is_editable: bool = True
    particulars: Particulars = field(default_factory=Particulars)
    documents: list[ShownDocument] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    submitted: str = ""
    reason: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class ShownWaitingCase:
    """A row of the staff's desk."""

    id: str = ""
    name: str = ""
    state: str = ""
    submitted: str = ""
    reviewer: str = ""
    round_number: str = ""


@dataclass(frozen=True, slots=True)
class ShownDecidedCase:
    """A row of what the staff decided."""

    id: str = ""
    name: str = ""
    state: str = ""
    decided: str = ""
    reviewer: str = ""
    reason: str = ""
    round_number: str = ""


def shown_case(view: CaseView, *, time_zone: str, settings: Settings) -> ShownCase:
    """Show a case.

    Args:
        view: The case.
        time_zone: The reader's.
        settings: Say how long its documents are kept.
    """
    return ShownCase(
        id=view.id,
        state=view.state.value,
        revision=view.revision,
        round_number=view.round_number,
        is_editable=view.is_editable,
        particulars=view.particulars,
        documents=[
            _shown_document(one, view, time_zone=time_zone, retention_days=settings.document_retention_days)
            for one in (*view.documents, *view.removed_documents)
        ],
        missing=[part.value for part in view.missing],
        submitted=shown_minute(view.submitted_at, time_zone),
        reason=view.reason.value if view.reason else "",
        words=view.words,
    )


def case_to_begin(customer: OrganizationView) -> ShownCase:
    """Show what an organization that has written nothing begins with: what is on record already.

    One that the operator verified without a case is approved as it is.
    """
    on_record = Particulars(legal_name=customer.name, registration_code=customer.registration_code)
    if customer.verified_at is not None:
        return ShownCase(state=CaseState.APPROVED.value, is_editable=False, particulars=on_record)
    known = {MissingPart.LEGAL_NAME, MissingPart.REGISTRATION_CODE}
    return ShownCase(particulars=on_record, missing=[part.value for part in MissingPart if part not in known])


async def waiting_on_desk(session: AsyncSession, *, time_zone: str) -> list[ShownWaitingCase]:
    """Read the reviewers' list, longest waiting first."""
    return [shown_waiting_case(view, time_zone=time_zone) for view in await waiting_cases(session)]


def shown_waiting_case(view: WaitingCaseView, *, time_zone: str) -> ShownWaitingCase:
    """Turn a case into its row."""
    return ShownWaitingCase(
        id=view.id,
        name=view.legal_name or view.organization_name,
        state=view.state.value,
        submitted=shown_minute(view.submitted_at, time_zone),
        reviewer=view.reviewer_name,
        round_number=str(view.round_number),
    )


def shown_decided_case(view: DecidedCaseView, *, time_zone: str) -> ShownDecidedCase:
    """Turn a decided case into its row."""
    return ShownDecidedCase(
        id=view.id,
        name=view.name,
        state=view.state.value,
        decided=shown_minute(view.decided_at, time_zone),
        reviewer=view.reviewer_name,
        reason=view.reason.value if view.reason else "",
        round_number=str(view.round_number),
    )


def _shown_document(view: DocumentView, case: CaseView, *, time_zone: str, retention_days: int) -> ShownDocument:
    """Show a document, or that it was there."""
    due_at = purge_due_at(
        state=case.state,
        last_step_at=case.last_step_at,
        uploaded_at=view.uploaded_at,
        retention_days=retention_days,
    )
    return ShownDocument(
        id=view.id,
        kind=view.kind.value,
        name=view.name,
        size=f"{max(1, view.byte_count // _KIBIBYTE):,} KiB",
        uploaded=shown_minute(view.uploaded_at, time_zone),
        address="" if view.removed_at else f"/account/documents/{view.id}",
        kept_until="" if view.removed_at or due_at is None else shown_minute(due_at, time_zone)[:10],
        removed=shown_minute(view.removed_at, time_zone)[:10],
    )
