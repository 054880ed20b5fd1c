"""What the staff does with a case: two at once, who may not, and what an approval changes, on both databases."""

import asyncio
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlmodel import select

from onetoken_app.agreements.models import ConfirmationKind
from onetoken_app.agreements.queries import confirmations
from onetoken_app.audit.models import AuditEntry
from onetoken_app.audit.verification import verify_audit
from onetoken_app.database import policy_revision, read_session, unit_of_work
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.organizations.models import OrganizationRole, Scenario
from onetoken_app.organizations.queries import OrganizationView, organization
from onetoken_app.organizations.service import add_member, declare_scenarios
from onetoken_app.verification import review
from onetoken_app.verification.errors import ConsentNotOnFile, SeparationOfDuties
from onetoken_app.verification.models import CaseEvent, CaseState, DocumentKind, ReviewReason
from onetoken_app.verification.queries import case, waiting_cases
from tests.support.builders import a_person
from tests.verification.cases import (
    CODE,
    MAIL_ROOM,
    OTHER_CODE,
    Cast,
    a_case_in,
    a_cast,
    a_document,
    add,
    approve,
    hand_back,
    save,
    submit,
    take,
    the_case,
)

pytestmark = pytest.mark.usefixtures("database")


async def the_organization(cast: Cast) -> OrganizationView:
    async with read_session() as session:
        found = await organization(session, cast.organization_id)
    assert found is not None
    return found


async def recipients() -> list[str]:
    async with read_session() as session:
        query = select(OutboxLetter.recipient).where(OutboxLetter.kind == LetterKind.CASE_NEWS)
        return sorted(await session.exec(query))


def conflicts_in(results: Sequence[BaseException | None]) -> int:
    """Count the conflicts; nothing else may have gone wrong."""
    failures = [result for result in results if result is not None]
    assert all(type(failure) is Conflict for failure in failures), failures
    return len(failures)


class TestTake:
    async def test_of_two_at_once_one_gets_it(self) -> None:
        cast = await a_case_in(CaseState.SUBMITTED)
        seen = (await the_case(cast)).revision
        results = await asyncio.gather(
            *[take(cast, reviewer_id=one, expected_revision=seen) for one in (cast.reviewer_id, cast.colleague_id)],
            return_exceptions=True,
        )
        assert conflicts_in(results) == 1
        assert (await the_case(cast)).reviewer_id in {cast.reviewer_id, cast.colleague_id}

    async def test_who_submitted_cannot(self) -> None:
        cast = await a_case_in(CaseState.SUBMITTED)
        with pytest.raises(SeparationOfDuties):
            await take(cast, reviewer_id=cast.owner_id)

    async def test_a_member_of_the_organization_cannot(self) -> None:
        cast = await a_case_in(CaseState.SUBMITTED)
        async with unit_of_work() as session:
            await add_member(
                session,
                organization_id=cast.organization_id,
                person_id=cast.reviewer_id,
                role=OrganizationRole.VIEWER,
            )
        with pytest.raises(SeparationOfDuties):
            await take(cast)

    async def test_a_draft_cannot_be_taken(self) -> None:
        cast = await a_case_in(CaseState.DRAFT)
        with pytest.raises(Conflict):
            await take(cast)

    async def test_a_case_is_let_go_and_taken_by_a_colleague(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        seen = await the_case(cast)
        async with unit_of_work() as session:
            await review.release_case(
                session, case_id=seen.id, reviewer_id=cast.colleague_id, expected_revision=seen.revision
            )
        await take(cast, reviewer_id=cast.colleague_id)
        await approve(cast, decided_by=cast.colleague_id)
        assert (await the_case(cast)).state is CaseState.APPROVED

    async def test_an_unknown_case_is_not_found(self) -> None:
        async with unit_of_work() as session:
            with pytest.raises(NotFound):
                await review.take_case(session, case_id="ver_x", reviewer_id="per_x", expected_revision=1)


class TestApprove:
    async def test_puts_name_and_code_on_record_and_admits_calls(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        async with read_session() as session:
            before = await policy_revision(session)
        await approve(cast)
        on_record = await the_organization(cast)
        assert (on_record.name, on_record.registration_code, on_record.is_in_good_standing) == (
            "Example Ltd",
            CODE,
            True,
        )
        async with read_session() as session:
            assert await policy_revision(session) == before + 1

    async def test_twice_counts_once(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        seen = (await the_case(cast)).revision
        results = await asyncio.gather(
            *[approve(cast, expected_revision=seen) for _ in range(2)], return_exceptions=True
        )
        assert conflicts_in(results) == 1
        with pytest.raises(Conflict):
            await approve(cast)
        async with read_session() as session:
            query = select(sa.func.count()).select_from(CaseEvent).where(CaseEvent.state == CaseState.APPROVED)
            assert (await session.exec(query)).one() == 1
        assert len(await recipients()) == 1

    async def test_an_approval_and_a_refusal_at_once_are_one_of_them(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        results = await asyncio.gather(approve(cast), hand_back(cast, CaseState.REFUSED), return_exceptions=True)
        assert conflicts_in(results) == 1
        state = (await the_case(cast)).state
        assert (await the_organization(cast)).is_in_good_standing == (state is CaseState.APPROVED)

    async def test_only_who_took_it_decides(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        with pytest.raises(Conflict):
            await approve(cast, decided_by=cast.colleague_id)
        assert not (await the_organization(cast)).is_in_good_standing

    async def test_a_case_that_nobody_took_is_not_approved(self) -> None:
        cast = await a_case_in(CaseState.SUBMITTED)
        with pytest.raises(Conflict):
            await approve(cast)

    async def test_who_became_a_member_meanwhile_cannot(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        async with unit_of_work() as session:
            await add_member(
                session,
                organization_id=cast.organization_id,
                person_id=cast.reviewer_id,
                role=OrganizationRole.OWNER,
            )
        with pytest.raises(SeparationOfDuties):
            await approve(cast)

    async def test_a_code_that_was_taken_meanwhile_is_a_conflict(self) -> None:
        cast = await a_cast()
        await save(cast, registration_code=OTHER_CODE)
        for kind in (DocumentKind.BUSINESS_LICENCE, DocumentKind.AUTHORIZATION_LETTER):
            await add(cast, a_document(kind))
        await submit(cast)
        await take(cast)
        await a_cast(code=OTHER_CODE)
        with pytest.raises(Conflict):
            await approve(cast)
        assert (await the_case(cast)).state is CaseState.IN_REVIEW
        assert (await the_organization(cast)).registration_code == CODE

    async def test_tells_those_in_charge_by_mail_in_the_same_transaction(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        async with unit_of_work() as session:
            for role in OrganizationRole:
                await a_person(session, email=f"{role}@test.example", organization_id=cast.organization_id, role=role)
        await approve(cast)
        assert {"owner@test.example", "administrator@test.example"} <= set(await recipients())
        assert not {"developer@test.example", "billing@test.example", "viewer@test.example"} & set(await recipients())


class TestHandBack:
    @pytest.mark.parametrize("state", [CaseState.REFUSED, CaseState.MORE_WANTED])
    async def test_says_why_to_the_customer(self, state: CaseState) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        await hand_back(cast, state, words="The stamp\ncannot be read.")
        seen = await the_case(cast)
        assert (seen.state, seen.reason, seen.words) == (
            state,
            ReviewReason.DOCUMENT_UNREADABLE,
            "The stamp\ncannot be read.",
        )
        assert len(await recipients()) == 1

    @pytest.mark.parametrize("words", ["", "  \n ", "x" * 1001, "a\x00b"])
    async def test_another_reason_needs_words_that_can_be_shown(self, words: str) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        with pytest.raises(BadRequest):
            await hand_back(cast, CaseState.REFUSED, reason=ReviewReason.OTHER, words=words)
        assert (await the_case(cast)).state is CaseState.IN_REVIEW

    async def test_refusing_a_change_ends_the_calls_of_a_verified_organization(self) -> None:
        cast = await a_case_in(CaseState.APPROVED)
        await save(cast, legal_name="New Ltd", expected_revision=(await the_case(cast)).revision)
        await submit(cast)
        await take(cast)
        assert (await the_organization(cast)).is_in_good_standing
        await hand_back(cast, CaseState.REFUSED)
        assert not (await the_organization(cast)).is_in_good_standing

    async def test_approving_a_change_puts_it_on_record(self) -> None:
        cast = await a_case_in(CaseState.APPROVED)
        first = (await the_organization(cast)).verified_at
        await save(cast, legal_name="New Ltd", expected_revision=(await the_case(cast)).revision)
        await submit(cast)
        await take(cast)
        await approve(cast)
        on_record = await the_organization(cast)
        assert (on_record.name, on_record.verified_at) == ("New Ltd", first)


class TestWaiting:
    async def test_the_longest_waiting_comes_first_whoever_reviews_it(self) -> None:
        first = await a_case_in(CaseState.IN_REVIEW)
        second = await a_cast(code=OTHER_CODE)
        await save(second, registration_code=OTHER_CODE)
        for kind in (DocumentKind.BUSINESS_LICENCE, DocumentKind.AUTHORIZATION_LETTER):
            await add(second, a_document(kind))
        await submit(second)
        async with read_session() as session:
            waiting = await waiting_cases(session)
            seen = await case(session, waiting[0].id)
        assert [one.organization_id for one in waiting] == [first.organization_id, second.organization_id]
        assert [one.reviewer_name for one in waiting] == ["Pat", ""]
        assert seen is not None
        assert seen.particulars.registration_code == CODE

    async def test_a_decided_case_waits_no_more(self) -> None:
        await a_case_in(CaseState.APPROVED)
        async with read_session() as session:
            assert await waiting_cases(session) == []


class TestEvidence:
    async def test_every_step_is_in_the_audit_log_whose_chain_holds(self) -> None:
        await a_case_in(CaseState.APPROVED)
        async with read_session() as session:
            rows = await session.exec(select(AuditEntry.action).order_by(sa.text("sequence_number")))
            actions = list(rows)
            assert (await verify_audit(session)).is_ok
        assert actions == [
            "verification_draft",
            "verification_particulars_saved",
            "document_added",
            "document_added",
            "verification_submitted",
            "verification_in_review",
            "verification_approved",
        ]

    async def test_an_event_keeps_what_was_approved(self) -> None:
        cast = await a_case_in(CaseState.APPROVED)
        async with read_session() as session:
            query = select(CaseEvent.particulars_json).where(CaseEvent.state == CaseState.APPROVED)
            kept = (await session.exec(query)).one()
        assert '"legal_name":"Example Ltd"' in kept
        assert kept.count('"documents":["') == 1
        assert cast.organization_id not in kept

    @pytest.mark.parametrize(
        "statement", ["UPDATE verification_event SET words = 'x'", "DELETE FROM verification_event"]
    )
    async def test_the_database_refuses_to_change_it(self, statement: str) -> None:
        await a_case_in(CaseState.DRAFT)
        with pytest.raises((sa.exc.DBAPIError, Conflict)):
            async with unit_of_work() as session:
                await (await session.connection()).execute(sa.text(statement))

    async def test_a_mail_room_shows_no_key(self) -> None:
        assert "key" not in repr(MAIL_ROOM)


class TestPublicService:
    async def test_nobody_who_serves_the_public_is_approved_without_consent_on_file(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        await _declare(cast, Scenario.TESTING, Scenario.PUBLIC_SERVICE)
        with pytest.raises(ConsentNotOnFile):
            await approve(cast)
        assert not (await the_organization(cast)).is_in_good_standing
        await approve(cast, consents=True)
        assert (await the_organization(cast)).is_in_good_standing
        async with read_session() as session:
            (consent,) = await confirmations(session)
            query = select(AuditEntry).where(AuditEntry.action == "confirmation_recorded")
            (line,) = await session.exec(query)
        assert (consent.organization_id, consent.kind) == (cast.organization_id, ConfirmationKind.PUBLIC_SERVICE)
        assert (line.actor_id, line.subject_id) == (cast.reviewer_id, cast.organization_id)

    async def test_consent_is_recorded_for_nobody_else(self) -> None:
        cast = await a_case_in(CaseState.IN_REVIEW)
        await _declare(cast, Scenario.TESTING)
        await approve(cast, consents=True)
        async with read_session() as session:
            assert await confirmations(session) == []


async def _declare(cast: Cast, *scenarios: Scenario) -> None:
    """Declare what the organization uses the service for."""
    async with unit_of_work() as session:
        await declare_scenarios(
            session, organization_id=cast.organization_id, scenarios=scenarios, declared_by=cast.owner_id
        )
