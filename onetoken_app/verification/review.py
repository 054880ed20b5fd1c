"""What the staff does with a case: take it, let it go, approve it, refuse it, or ask for more.

Who submitted a case, added to it, or belongs to its organization does none of this. Only who took a case decides it,
and names the revision they saw: of two who decide at once, one gets a Conflict. A decision posts a mail to those in
charge of the organization, in the same transaction.
"""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.agreements.models import AcceptanceMethod, ConfirmationKind
from onetoken_app.agreements.queries import has_confirmation
from onetoken_app.agreements.service import record_confirmation
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import Conflict
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations import service as organizations
from onetoken_app.organizations.circulars import IN_CHARGE, MailRoom, write_to_members
from onetoken_app.organizations.models import Scenario
from onetoken_app.organizations.queries import declared_scenarios, members_of
from onetoken_app.verification.casework import locked_case, move_case
from onetoken_app.verification.errors import ConsentNotOnFile, SeparationOfDuties
from onetoken_app.verification.models import Case, CaseEvent, CaseState, ReviewReason, StoredDocument
from onetoken_app.verification.particulars import checked_words
from onetoken_app.verification.service import evidence_of

CONSOLE_PATH = "/verification"
"""Where the console shows an organization its case."""


async def take_case(session: AsyncSession, *, case_id: str, reviewer_id: str, expected_revision: int) -> None:
    """Begin to review a submitted case.

    Args:
        session: Open unit of work; the caller commits.
        case_id: Which case.
        reviewer_id: Who of the staff; has the role, as the edge checked.
        expected_revision: Of the case that was on the screen.

    Raises:
        Conflict: It was changed since, or somebody else reviews it.
        NotFound: There is no such case.
        SeparationOfDuties: The reviewer wrote it or belongs to the organization.
    """
    case = await _case_for(session, case_id, reviewer_id, expected_revision)
    if case.state is not CaseState.SUBMITTED:
        raise Conflict("This case does not wait for a reviewer; nothing was done.")
    case.reviewer_id = reviewer_id
    await move_case(session, case, CaseState.IN_REVIEW, actor_id=reviewer_id)


async def release_case(session: AsyncSession, *, case_id: str, reviewer_id: str, expected_revision: int) -> None:
    """Put a case back among those that wait; a colleague may do it for somebody who is away.

    Raises:
        Conflict: It was changed since, or nobody reviews it.
        NotFound: There is no such case.
        SeparationOfDuties: They wrote it or belong to the organization.
    """
    case = await _case_for(session, case_id, reviewer_id, expected_revision)
    if case.state is not CaseState.IN_REVIEW:
        raise Conflict("Nobody reviews this case; nothing was done.")
    case.reviewer_id = None
    await move_case(session, case, CaseState.SUBMITTED, actor_id=reviewer_id)


async def approve_case(
    session: AsyncSession,
    *,
    case_id: str,
    decided_by: str,
    expected_revision: int,
    mail_room: MailRoom,
    consents_to_public_service: bool = False,
) -> None:
    """Confirm that the organization is what it says; its name and code go on record, and its calls are admitted.

    Args:
        session: Open unit of work; the caller commits.
        case_id: Which case.
        decided_by: Who took it.
        expected_revision: Of the case that was on the screen.
        mail_room: Writes to those in charge.
        consents_to_public_service: Put the operator's written consent on file for an organization that declares to
            serve the general public; nothing where it does not.

    Raises:
        BadRequest: The code is not one that the register gives out.
        ConsentNotOnFile: It declares to serve the general public, and nobody consented to that.
        Conflict: The case was changed since, is not theirs to decide, or another organization has the code.
        NotFound: There is no such case.
        SeparationOfDuties: They wrote it or belong to the organization.
    """
    case = await _case_to_decide(session, case_id, decided_by, expected_revision)
    await _settle_public_service(session, case.organization_id, decided_by, consents=consents_to_public_service)
    await organizations.record_particulars(
        session,
        organization_id=case.organization_id,
        name=case.legal_name,
        registration_code=case.registration_code,
    )
    await organizations.mark_verified(session, organization_id=case.organization_id)
    evidence = await evidence_of(session, case)
    await _decide(session, case, CaseState.APPROVED, decided_by, reason=None, words="", particulars_json=evidence)
    await _tell(session, case, mail_room)


async def refuse_case(
    session: AsyncSession,
    *,
    case_id: str,
    decided_by: str,
    expected_revision: int,
    reason: ReviewReason,
    words: str,
    mail_room: MailRoom,
) -> None:
    """Say no. Calls of an organization that was verified before end with it; it may write the case anew.

    Raises:
        BadRequest: The words cannot be used, or the reason needs some.
        Conflict: The case was changed since, or is not theirs to decide.
        NotFound: There is no such case.
        SeparationOfDuties: They wrote it or belong to the organization.
    """
    words = checked_words(words, is_required=reason is ReviewReason.OTHER)
    case = await _case_to_decide(session, case_id, decided_by, expected_revision)
    await organizations.withdraw_verification(session, organization_id=case.organization_id)
    await _decide(session, case, CaseState.REFUSED, decided_by, reason=reason, words=words)
    await _tell(session, case, mail_room)


async def ask_for_more(
    session: AsyncSession,
    *,
    case_id: str,
    decided_by: str,
    expected_revision: int,
    reason: ReviewReason,
    words: str,
    mail_room: MailRoom,
) -> None:
    """Hand the case back with a question; the organization adds to it and submits again.

    Raises:
        BadRequest: The words cannot be used, or the reason needs some.
        Conflict: The case was changed since, or is not theirs to decide.
        NotFound: There is no such case.
        SeparationOfDuties: They wrote it or belong to the organization.
    """
    words = checked_words(words, is_required=reason is ReviewReason.OTHER)
    case = await _case_to_decide(session, case_id, decided_by, expected_revision)
    await _decide(session, case, CaseState.MORE_WANTED, decided_by, reason=reason, words=words)
    await _tell(session, case, mail_room)


async def _settle_public_service(
    session: AsyncSession, organization_id: str, decided_by: str, *, consents: bool
) -> None:
    """Make sure that whoever declares to serve the general public has the operator's consent on file."""
    if Scenario.PUBLIC_SERVICE not in await declared_scenarios(session, organization_id):
        return
    kind = ConfirmationKind.PUBLIC_SERVICE
    if await has_confirmation(session, organization_id, kind, clock.utc_now()):
        return
    if not consents:
        raise ConsentNotOnFile("This organization declares to serve the general public. Consent to it, or refuse.")
    await record_confirmation(
        session, organization_id=organization_id, kind=kind, method=AcceptanceMethod.OPERATOR_ATTESTATION
    )
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, decided_by),
        action="confirmation_recorded",
        subject_id=organization_id,
        organization_id=organization_id,
        facts={"kind": kind.value},
    )


async def _tell(session: AsyncSession, case: Case, mail_room: MailRoom) -> None:
    """Post a mail to those in charge; it says that there is news, and the console says what."""

    def letter(locale: str, organization_name: str) -> Letter:
        address = f"{mail_room.console_url}{CONSOLE_PATH}"
        return letters.case_news(locale, organization_name=organization_name, address=address)

    await write_to_members(
        session, mail_room=mail_room, organization_id=case.organization_id, roles=IN_CHARGE, letter=letter
    )


async def _case_for(session: AsyncSession, case_id: str, person_id: str, expected_revision: int) -> Case:
    """Lock a case for somebody who has no part in it."""
    case = await locked_case(session, case_id, expected_revision=expected_revision)
    members = {member.person_id for member in await members_of(session, case.organization_id)}
    uploaders = select(StoredDocument.uploaded_by).where(StoredDocument.case_id == case_id)
    written = (CaseState.DRAFT, CaseState.SUBMITTED)
    writers = select(CaseEvent.actor_id).where(
        CaseEvent.case_id == case_id, col(CaseEvent.state).in_(written), col(CaseEvent.particulars_json) != ""
    )
    involved = members | set(await session.exec(uploaders)) | set(await session.exec(writers))
    if person_id in involved:
        raise SeparationOfDuties("You belong to this organization or wrote this case; a colleague has to decide it.")
    return case


async def _case_to_decide(session: AsyncSession, case_id: str, person_id: str, expected_revision: int) -> Case:
    """Lock a case that this person took."""
    case = await _case_for(session, case_id, person_id, expected_revision)
    if case.state is not CaseState.IN_REVIEW:
        raise Conflict("This case is not being reviewed; nothing was done. Take it first.")
    if case.reviewer_id != person_id:
        raise Conflict("Somebody else reviews this case; nothing was done.")
    return case


async def _decide(
    session: AsyncSession,
    case: Case,
    state: CaseState,
    decided_by: str,
    *,
    reason: ReviewReason | None,
    words: str,
    particulars_json: str = "",
) -> None:
    """Write a decision down."""
    case.decided_at = clock.utc_now()
    case.reason, case.words = reason, words
    await move_case(
        session, case, state, actor_id=decided_by, reason=reason, words=words, particulars_json=particulars_json
    )
