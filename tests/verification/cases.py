"""Cases in every state, by the verbs that lead there."""

from dataclasses import dataclass, replace

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.verification import review, service
from onetoken_app.verification.models import CaseState, DocumentKind, ReviewReason
from onetoken_app.verification.particulars import Particulars
from onetoken_app.verification.queries import CaseView, case_of
from onetoken_app.verification.sealing import PreparedDocument, prepare_document
from tests.support.builders import a_person, an_organization
from tests.verification.files import PDF

KEY = bytes(32)
MAIL_ROOM = MailRoom(KEY, "https://console.test.example")
CODE = "91350100M000100Y43"
OTHER_CODE = "91110000600037341L"
PARTICULARS = Particulars(
    legal_name="Example Ltd",
    registration_code=CODE,
    legal_representative="Wang Wei",
    registered_address="1 First Road, Fuzhou",
    contact_name="Li Na",
    contact_phone="+86 591 0000 0000",
)


@dataclass(frozen=True, slots=True)
class Cast:
    """An organization with its people, and two of the staff."""

    organization_id: str
    owner_id: str
    reviewer_id: str
    colleague_id: str


async def a_cast(*, code: str = CODE) -> Cast:
    """Add an organization that is not verified, its owner, and two reviewers."""
    async with unit_of_work() as session:
        organization_id = await an_organization(session, name="Draft Ltd", registration_code=code, is_verified=False)
        return Cast(
            organization_id=organization_id,
            owner_id=await a_person(session, organization_id=organization_id, role=OrganizationRole.OWNER),
            reviewer_id=await a_person(session, staff_role=StaffRole.REVIEWER),
            colleague_id=await a_person(session, staff_role=StaffRole.REVIEWER),
        )


async def the_case(cast: Cast) -> CaseView:
    """Return the organization's case."""
    async with read_session() as session:
        found = await case_of(session, cast.organization_id)
    assert found is not None
    return found


def a_document(kind: DocumentKind, *, more: bytes = b"", name: str = "licence.pdf") -> PreparedDocument:
    """Prepare a small PDF; ``more`` makes it another one."""
    file = PDF[:9] + b"%" + more + b"\n" + PDF[9:]
    return prepare_document(file, key_encryption_key=KEY, kind=kind, name=name, media_type="application/pdf")


async def save(cast: Cast, *, expected_revision: int | None = None, **changes: str) -> None:
    """Save the usual particulars with changes."""
    async with unit_of_work() as session:
        await service.save_particulars(
            session,
            organization_id=cast.organization_id,
            particulars=replace(PARTICULARS, **changes),
            saved_by=cast.owner_id,
            expected_revision=expected_revision,
        )


async def add(cast: Cast, document: PreparedDocument) -> str:
    """Add a document."""
    async with unit_of_work() as session:
        return await service.add_document(
            session, organization_id=cast.organization_id, document=document, uploaded_by=cast.owner_id
        )


async def submit(cast: Cast, *, expected_revision: int | None = None) -> None:
    """Submit the case as it is, or as it was at a revision."""
    seen = expected_revision or (await the_case(cast)).revision
    async with unit_of_work() as session:
        await service.submit_case(
            session,
            organization_id=cast.organization_id,
            submitted_by=cast.owner_id,
            expected_revision=seen,
            mail_room=MAIL_ROOM,
        )


async def take(cast: Cast, *, reviewer_id: str = "", expected_revision: int | None = None) -> None:
    """Take the case as it is, or as it was at a revision."""
    seen = await the_case(cast)
    async with unit_of_work() as session:
        await review.take_case(
            session,
            case_id=seen.id,
            reviewer_id=reviewer_id or cast.reviewer_id,
            expected_revision=expected_revision or seen.revision,
        )


async def approve(
    cast: Cast, *, decided_by: str = "", expected_revision: int | None = None, consents: bool = False
) -> None:
    """Approve the case as it is, or as it was at a revision."""
    seen = await the_case(cast)
    async with unit_of_work() as session:
        await review.approve_case(
            session,
            case_id=seen.id,
            decided_by=decided_by or cast.reviewer_id,
            expected_revision=expected_revision or seen.revision,
            mail_room=MAIL_ROOM,
            consents_to_public_service=consents,
        )


async def hand_back(
    cast: Cast, state: CaseState, *, reason: ReviewReason = ReviewReason.DOCUMENT_UNREADABLE, words: str = ""
) -> None:
    """Refuse the case, or ask for more."""
    seen = await the_case(cast)
    verb = review.refuse_case if state is CaseState.REFUSED else review.ask_for_more
    async with unit_of_work() as session:
        await verb(
            session,
            case_id=seen.id,
            decided_by=cast.reviewer_id,
            expected_revision=seen.revision,
            reason=reason,
            words=words,
            mail_room=MAIL_ROOM,
        )


async def a_case_in(state: CaseState) -> Cast:
    """Lead a new case into a state."""
    cast = await a_cast()
    await save(cast)
    for kind in service.REQUIRED_KINDS:
        await add(cast, a_document(kind))
    if state is CaseState.DRAFT:
        return cast
    await submit(cast)
    if state is CaseState.SUBMITTED:
        return cast
    await take(cast)
    if state is CaseState.APPROVED:
        await approve(cast)
    elif state is not CaseState.IN_REVIEW:
        await hand_back(cast, state)
    return cast
