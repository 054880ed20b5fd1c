"""Documents go some days after the last step of their case; that they were there stays known."""

from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.console.shown.cases import ShownCase, shown_case
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.jobs.purge_documents import JOB
from onetoken_app.settings import Settings
from onetoken_app.verification.models import CaseState, DocumentKind, SealedDocument
from onetoken_app.verification.queries import document_place
from tests.verification.cases import Cast, a_case_in, a_document, add, the_case

DAYS = 180
pytestmark = pytest.mark.usefixtures("database")


async def purge_after(settings: Settings, monkeypatch: pytest.MonkeyPatch, *, days: int) -> None:
    """Do the job's work as if some days had gone by."""
    moment = clock.utc_now() + timedelta(days=days)
    with monkeypatch.context() as patched:
        patched.setattr(clock, "utc_now", lambda: moment)
        async with unit_of_work() as session:
            assert not await JOB.step(session, settings)


async def sealed_count() -> int:
    async with read_session() as session:
        return len((await session.exec(select(SealedDocument.document_id))).all())


async def shown(cast: Cast) -> ShownCase:
    return shown_case(await the_case(cast), time_zone="UTC", settings=Settings(document_retention_days=DAYS))


class TestPurgeDocuments:
    @pytest.mark.parametrize("state", [CaseState.APPROVED, CaseState.REFUSED, CaseState.MORE_WANTED])
    async def test_they_go_when_their_days_are_over_and_what_is_known_of_them_stays(
        self, database_settings: Settings, monkeypatch: pytest.MonkeyPatch, state: CaseState
    ) -> None:
        cast = await a_case_in(state)
        before = (await shown(cast)).documents
        day = clock.utc_now() + timedelta(days=DAYS)
        assert [one.kept_until for one in before] == [f"{day:%Y-%m-%d}"] * 2
        await purge_after(database_settings, monkeypatch, days=DAYS - 1)
        assert await sealed_count() == 2
        await purge_after(database_settings, monkeypatch, days=DAYS + 1)
        assert await sealed_count() == 0
        after = (await shown(cast)).documents
        assert [(one.name, one.size, one.address, one.kept_until) for one in after] == [
            (one.name, one.size, "", "") for one in before
        ]
        assert all(one.removed for one in after)
        async with read_session() as session:
            assert [await document_place(session, one.id) for one in after] == [None, None]
            lines = select(AuditEntry.subject_id).where(AuditEntry.action == "document_purged")
            assert sorted(await session.exec(lines)) == sorted(one.id for one in before)
        await purge_after(database_settings, monkeypatch, days=DAYS + 2)
        async with read_session() as session:
            assert len((await session.exec(lines)).all()) == 2

    @pytest.mark.parametrize("state", [CaseState.SUBMITTED, CaseState.IN_REVIEW])
    async def test_nothing_is_taken_from_whoever_has_to_decide(
        self, database_settings: Settings, monkeypatch: pytest.MonkeyPatch, state: CaseState
    ) -> None:
        cast = await a_case_in(state)
        await purge_after(database_settings, monkeypatch, days=4 * DAYS)
        assert await sealed_count() == 2
        assert [one.kept_until for one in (await shown(cast)).documents] == ["", ""]

    async def test_a_case_that_was_never_handed_in_keeps_none_for_ever(
        self, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast = await a_case_in(CaseState.DRAFT)
        await purge_after(database_settings, monkeypatch, days=DAYS + 1)
        assert await sealed_count() == 0
        found = await the_case(cast)
        assert (found.documents, found.removed_documents) == ((), ())
        assert {part.value for part in found.missing} >= {"business_licence", "authorization_letter"}

    async def test_what_was_added_since_stays(
        self, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast = await a_case_in(CaseState.APPROVED)
        moment = clock.utc_now() + timedelta(days=DAYS)
        with monkeypatch.context() as patched:
            patched.setattr(clock, "utc_now", lambda: moment)
            await add(cast, a_document(DocumentKind.FILING, more=b"new"))
        await purge_after(database_settings, monkeypatch, days=DAYS + 1)
        assert await sealed_count() == 3
