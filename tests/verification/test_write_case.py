"""What an organization does with its case, on both databases."""

import asyncio

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identity.models import Person
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.organizations.queries import organization
from onetoken_app.organizations.registration_codes import InvalidRegistrationCode
from onetoken_app.verification import service
from onetoken_app.verification.errors import DocumentApproved, TooManyDocuments, VerificationIncomplete
from onetoken_app.verification.models import CaseState, DocumentKind, MissingPart, SealedDocument
from onetoken_app.verification.particulars import Particulars
from onetoken_app.verification.queries import case_of, document_place, history_of, sealed_document
from tests.verification.cases import (
    MAIL_ROOM,
    OTHER_CODE,
    PARTICULARS,
    Cast,
    a_case_in,
    a_cast,
    a_document,
    add,
    save,
    submit,
    take,
    the_case,
)

pytestmark = pytest.mark.usefixtures("database")


async def states_of(cast: Cast) -> list[CaseState]:
    case_id = (await the_case(cast)).id
    async with read_session() as session:
        return [event.state for event in await history_of(session, case_id)]


async def withdraw(cast: Cast) -> None:
    seen = await the_case(cast)
    async with unit_of_work() as session:
        await service.withdraw_case(
            session,
            organization_id=cast.organization_id,
            withdrawn_by=cast.owner_id,
            expected_revision=seen.revision,
        )


async def remove(cast: Cast, document_id: str) -> None:
    async with unit_of_work() as session:
        await service.remove_document(
            session, organization_id=cast.organization_id, document_id=document_id, removed_by=cast.owner_id
        )


async def told() -> list[str]:
    async with read_session() as session:
        query = select(OutboxLetter.recipient).where(OutboxLetter.kind == LetterKind.CASE_WAITS)
        return sorted(await session.exec(query))


class TestSaveParticulars:
    async def test_the_first_save_opens_the_case_and_says_what_is_missing(self) -> None:
        cast = await a_cast()
        await save(cast, contact_phone="")
        seen = await the_case(cast)
        assert (seen.state, seen.round_number, seen.is_editable) == (CaseState.DRAFT, 1, True)
        assert seen.particulars.legal_name == "Example Ltd"
        assert seen.missing == (
            MissingPart.CONTACT_PHONE,
            MissingPart.BUSINESS_LICENCE,
            MissingPart.AUTHORIZATION_LETTER,
        )

    async def test_saving_the_same_twice_changes_nothing(self) -> None:
        cast = await a_cast()
        await save(cast)
        seen = await the_case(cast)
        await save(cast, expected_revision=seen.revision)
        await save(cast, legal_name=f"  {PARTICULARS.legal_name} ", expected_revision=seen.revision)
        assert await the_case(cast) == seen

    async def test_an_older_look_is_a_conflict(self) -> None:
        cast = await a_cast()
        await save(cast)
        with pytest.raises(Conflict):
            await save(cast, legal_name="Other Ltd", expected_revision=None)
        assert (await the_case(cast)).particulars == PARTICULARS

    async def test_two_first_saves_at_once_leave_one_case(self) -> None:
        cast = await a_cast()
        results = await asyncio.gather(save(cast), save(cast, legal_name="Other Ltd"), return_exceptions=True)
        assert [type(result) for result in results if result is not None] == [Conflict]
        assert await states_of(cast) == [CaseState.DRAFT]

    async def test_a_wrong_check_digit_is_refused(self) -> None:
        cast = await a_cast()
        with pytest.raises(InvalidRegistrationCode):
            await save(cast, registration_code=OTHER_CODE[:-1] + "X")

    async def test_the_code_of_another_organization_is_refused(self) -> None:
        cast = await a_cast()
        await a_cast(code=OTHER_CODE)
        with pytest.raises(Conflict):
            await save(cast, registration_code=OTHER_CODE)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"legal_name": "x" * 201}, id="too long"),
            pytest.param({"registered_address": "one\ntwo"}, id="two lines"),
            pytest.param({"contact_name": "a\x00b"}, id="a NUL"),
            pytest.param({"contact_name": "a\u202eb"}, id="a sign that turns the writing round"),
        ],
    )
    async def test_what_no_form_holds_is_refused(self, changes: dict[str, str]) -> None:
        cast = await a_cast()
        with pytest.raises(BadRequest) as refusal:
            await save(cast, expected_revision=None, **changes)
        assert refusal.value.parameter == next(iter(changes))

    async def test_an_unknown_organization_is_named(self) -> None:
        async with unit_of_work() as session:
            with pytest.raises(NotFound):
                await service.save_particulars(
                    session,
                    organization_id="org_x",
                    particulars=Particulars(),
                    saved_by="per_x",
                    expected_revision=None,
                )

    @pytest.mark.parametrize("state", [CaseState.SUBMITTED, CaseState.IN_REVIEW])
    async def test_a_case_with_the_staff_is_not_changed(self, state: CaseState) -> None:
        cast = await a_case_in(state)
        seen = await the_case(cast)
        with pytest.raises(Conflict):
            await save(cast, legal_name="Other Ltd", expected_revision=seen.revision)
        assert await the_case(cast) == seen

    async def test_a_change_opens_an_approved_case_again_and_the_record_stays(self) -> None:
        cast = await a_case_in(CaseState.APPROVED)
        await save(cast, legal_name="New Ltd", expected_revision=(await the_case(cast)).revision)
        seen = await the_case(cast)
        assert (seen.state, seen.round_number, seen.particulars.legal_name) == (CaseState.DRAFT, 2, "New Ltd")
        async with read_session() as session:
            on_record = await organization(session, cast.organization_id)
        assert on_record is not None
        assert (on_record.name, on_record.is_in_good_standing) == ("Example Ltd", True)

    async def test_a_refused_case_may_be_written_anew(self) -> None:
        cast = await a_case_in(CaseState.REFUSED)
        await save(cast, legal_name="New Ltd", expected_revision=(await the_case(cast)).revision)
        assert (await the_case(cast)).state is CaseState.DRAFT


class TestDocuments:
    async def test_the_first_document_opens_the_case(self) -> None:
        cast = await a_cast()
        document_id = await add(cast, a_document(DocumentKind.BUSINESS_LICENCE))
        (document,) = (await the_case(cast)).documents
        assert (document.id, document.name, document.format) == (document_id, "licence.pdf", "application/pdf")

    async def test_the_same_file_twice_is_one_document(self) -> None:
        cast = await a_cast()
        first = await add(cast, a_document(DocumentKind.BUSINESS_LICENCE))
        again = await add(cast, a_document(DocumentKind.BUSINESS_LICENCE))
        other = await add(cast, a_document(DocumentKind.OTHER))
        assert first == again != other
        assert len((await the_case(cast)).documents) == 2

    async def test_a_case_holds_so_many_and_no_more(self) -> None:
        cast = await a_cast()
        for number in range(service.DOCUMENTS_MAX):
            await add(cast, a_document(DocumentKind.OTHER, more=str(number).encode()))
        with pytest.raises(TooManyDocuments):
            await add(cast, a_document(DocumentKind.OTHER, more=b"one more"))

    async def test_no_bytes_of_it_stand_in_the_database(self, database: Database) -> None:
        cast = await a_cast()
        document_id = await add(cast, a_document(DocumentKind.BUSINESS_LICENCE, more=b"SECRET-CANARY"))
        async with read_session() as session:
            sealed = await sealed_document(session, document_id)
            found = (await session.exec(select(sa.func.length(SealedDocument.bytes_sealed)))).one()
        assert sealed is not None
        assert found > 100
        assert b"SECRET-CANARY" not in sealed.bytes_sealed
        if database.is_sqlite:
            folder = database.lock_file.parent
            assert all(b"SECRET-CANARY" not in file.read_bytes() for file in folder.iterdir() if file.is_file())

    async def test_removing_deletes_the_bytes_and_keeps_that_it_was_there(self) -> None:
        cast = await a_cast()
        document_id = await add(cast, a_document(DocumentKind.BUSINESS_LICENCE))
        await remove(cast, document_id)
        await remove(cast, document_id)
        async with read_session() as session:
            assert await sealed_document(session, document_id) is None
            assert await document_place(session, document_id) is None
        assert (await the_case(cast)).documents == ()

    async def test_what_an_approval_rests_on_stays_when_the_case_is_opened_again(self) -> None:
        cast = await a_case_in(CaseState.APPROVED)
        rests_on = [document.id for document in (await the_case(cast)).documents]
        added = await add(cast, a_document(DocumentKind.OTHER, more=b"new"))
        for document_id in rests_on:
            with pytest.raises(DocumentApproved):
                await remove(cast, document_id)
        await remove(cast, added)
        assert [document.id for document in (await the_case(cast)).documents] == rests_on
        async with read_session() as session:
            assert all([await sealed_document(session, document_id) for document_id in rests_on])

    async def test_another_organizations_document_cannot_be_removed(self) -> None:
        cast, other = await a_cast(), await a_cast(code=OTHER_CODE)
        document_id = await add(cast, a_document(DocumentKind.BUSINESS_LICENCE))
        await add(other, a_document(DocumentKind.OTHER))
        with pytest.raises(NotFound):
            await remove(other, document_id)
        assert len((await the_case(cast)).documents) == 1

    @pytest.mark.parametrize("state", [CaseState.SUBMITTED, CaseState.IN_REVIEW])
    async def test_a_case_with_the_staff_takes_and_loses_none(self, state: CaseState) -> None:
        cast = await a_case_in(state)
        with pytest.raises(Conflict):
            await add(cast, a_document(DocumentKind.OTHER))
        with pytest.raises(Conflict):
            await remove(cast, (await the_case(cast)).documents[0].id)
        assert len((await the_case(cast)).documents) == 2


class TestSubmit:
    async def test_what_is_missing_is_named_and_nothing_submitted(self) -> None:
        cast = await a_cast()
        await save(cast, legal_representative="")
        with pytest.raises(VerificationIncomplete) as refusal:
            await submit(cast)
        assert MissingPart.LEGAL_REPRESENTATIVE in refusal.value.missing
        assert MissingPart.BUSINESS_LICENCE in refusal.value.missing
        assert (await the_case(cast)).state is CaseState.DRAFT

    async def test_a_double_submit_is_one(self) -> None:
        cast = await a_case_in(CaseState.DRAFT)
        seen = await the_case(cast)
        await asyncio.gather(*[submit(cast, expected_revision=seen.revision) for _ in range(3)])
        assert await states_of(cast) == [CaseState.DRAFT, CaseState.SUBMITTED]

    async def test_an_older_look_is_a_conflict(self) -> None:
        cast = await a_case_in(CaseState.DRAFT)
        seen = await the_case(cast)
        await save(cast, contact_name="Somebody", expected_revision=seen.revision)
        with pytest.raises(Conflict):
            await submit(cast, expected_revision=seen.revision)

    async def test_a_decided_case_is_not_submitted_again_unchanged(self) -> None:
        cast = await a_case_in(CaseState.REFUSED)
        with pytest.raises(Conflict):
            await submit(cast)

    async def test_more_is_added_and_submitted_again(self) -> None:
        cast = await a_case_in(CaseState.MORE_WANTED)
        await add(cast, a_document(DocumentKind.OTHER, more=b"more"))
        await submit(cast)
        assert (await the_case(cast)).state is CaseState.SUBMITTED
        assert (await the_case(cast)).reviewer_id is None

    async def test_an_organization_without_a_case_submits_nothing(self) -> None:
        cast = await a_cast()
        async with read_session() as session:
            assert await case_of(session, cast.organization_id) is None
        async with unit_of_work() as session:
            with pytest.raises(NotFound):
                await service.submit_case(
                    session,
                    organization_id=cast.organization_id,
                    submitted_by=cast.owner_id,
                    expected_revision=1,
                    mail_room=MAIL_ROOM,
                )

    async def test_each_reviewer_gets_one_mail_a_submission(self) -> None:
        cast = await a_case_in(CaseState.SUBMITTED)
        await submit(cast)
        async with read_session() as session:
            reviewers = select(Person.email).where(col(Person.id).in_([cast.reviewer_id, cast.colleague_id]))
            expected = sorted(await session.exec(reviewers))
        assert await told() == expected
        await withdraw(cast)
        await submit(cast)
        assert await told() == sorted(expected * 2)


class TestWithdraw:
    async def test_takes_a_submission_back(self) -> None:
        cast = await a_case_in(CaseState.SUBMITTED)
        await withdraw(cast)
        assert (await the_case(cast)).is_editable

    async def test_not_once_somebody_reviews_it(self) -> None:
        cast = await a_case_in(CaseState.SUBMITTED)
        await take(cast)
        with pytest.raises(Conflict):
            await withdraw(cast)
        assert (await the_case(cast)).state is CaseState.IN_REVIEW
