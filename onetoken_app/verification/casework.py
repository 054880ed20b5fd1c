"""What every step of a case shares: finding and locking it, and leaving evidence of the step."""

from collections.abc import Mapping

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import Conflict, NotFound
from onetoken_app.verification.models import Case, CaseEvent, CaseState, ReviewReason

_STALE = "Somebody changed this case since you opened it; nothing was done. Look at it again, then decide."


async def locked_case(session: AsyncSession, case_id: str, *, expected_revision: int) -> Case:
    """Find a case and keep everybody else out of it until the unit of work ends.

    Raises:
        Conflict: It was changed since the caller looked.
        NotFound: There is no such case.
    """
    case = await session.get(Case, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise NotFound("There is no such case.")
    if case.revision != expected_revision:
        raise Conflict(_STALE)
    return case


async def locked_case_of(session: AsyncSession, organization_id: str) -> Case | None:
    """Find an organization's case and keep everybody else out of it until the unit of work ends."""
    query = select(Case).where(Case.organization_id == organization_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


def refuse_stale(case: Case, expected_revision: int | None) -> None:
    """Refuse a step that was decided on an older look.

    Raises:
        Conflict: The case was changed since.
    """
    if case.revision != expected_revision:
        raise Conflict(_STALE)


async def move_case(
    session: AsyncSession,
    case: Case,
    state: CaseState,
    *,
    actor_id: str,
    reason: ReviewReason | None = None,
    words: str = "",
    particulars_json: str = "",
) -> None:
    """Bring a case into a state, add the event that says so, and a line to the audit log."""
    case.state = state
    case.revision += 1
    last = (await session.exec(select(func.max(col(CaseEvent.number))).where(CaseEvent.case_id == case.id))).one()
    session.add(
        CaseEvent(
            case_id=case.id,
            number=(last or 0) + 1,
            state=state,
            recorded_at=clock.utc_now(),
            actor_id=actor_id,
            reason=reason,
            words=words,
            particulars_json=particulars_json,
        )
    )
    await session.flush()
    facts = {"round_number": case.round_number, "reason": reason.value if reason else None}
    await audit_case(session, case, action=f"verification_{state.value}", actor_id=actor_id, facts=facts)


async def audit_case(
    session: AsyncSession, case: Case, *, action: str, actor_id: str, facts: Mapping[str, Fact], subject_id: str = ""
) -> None:
    """Add a line about a case, or about a document in it."""
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, actor_id),
        action=action,
        subject_id=subject_id or case.id,
        organization_id=case.organization_id,
        facts=facts,
    )
