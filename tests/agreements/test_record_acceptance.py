"""Acceptances are evidence of one exact text; confirmations lift a default refusal until they end."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pytest

from onetoken_app import clock
from onetoken_app.agreements.documents import current_document, current_versions, documents
from onetoken_app.agreements.errors import MissingText
from onetoken_app.agreements.models import AcceptanceMethod, AgreementKind, ConfirmationKind
from onetoken_app.agreements.outstanding import GRACE, OwedAgreement
from onetoken_app.agreements.queries import (
    acceptances_of,
    accepted_versions,
    confirmations,
    has_confirmation,
    outstanding_agreements,
    owed_agreements,
    owing_acceptance,
)
from onetoken_app.agreements.service import record_acceptance, record_confirmation, withdraw_confirmations
from onetoken_app.database import Database, current_database, read_session, unit_of_work
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identity.service import create_person
from onetoken_app.money import Currency
from onetoken_app.organizations.service import register_organization

TERMS, PRIVACY = AgreementKind.TERMS_OF_SERVICE, AgreementKind.PRIVACY_POLICY
FIRST, SECOND = date(2026, 5, 18), date(2027, 1, 1)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of texts: both agreements from the first day on, the terms again later, and in Chinese."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in (
        "terms_of_service.2026-05-18.en", "terms_of_service.2026-05-18.zh-CN", "terms_of_service.2027-01-01.en",
        "privacy_policy.2026-05-18.en",
    ):  # fmt: skip
        (folder / f"{name}.md").write_text(f"# {name}\n")
    return folder


@pytest.fixture
async def organization_id(database: Database) -> str:
    """An organization, on each engine."""
    assert current_database() is database
    async with unit_of_work() as session:
        return await register_organization(
            session, name="Bench Ltd", registration_code="91350100M000100Y43", currency=Currency.USD
        )


async def attest(organization_id: str, kind: AgreementKind, *, on: date, texts: Path) -> None:
    """Record the operator's attestation of the text in force."""
    async with unit_of_work() as session:
        await record_acceptance(
            session,
            organization_id=organization_id,
            kind=kind,
            document=current_document(kind, "en", on, texts=texts),
            method=AcceptanceMethod.OPERATOR_ATTESTATION,
        )


async def outstanding(organization_id: str, *, on: date, texts: Path) -> list[AgreementKind]:
    """Read what is not accepted."""
    async with read_session() as session:
        return await outstanding_agreements(session, organization_id, on=on, texts=texts)


class TestCurrentDocument:
    def test_is_the_latest_in_force_in_the_language_asked_for(self, texts: Path) -> None:
        document = current_document(TERMS, "zh-CN", FIRST, texts=texts)
        assert (document.version, document.locale) == ("2026-05-18", "zh-CN")
        assert current_document(TERMS, "zh-CN", SECOND - timedelta(days=1), texts=texts) == document

    def test_a_language_without_a_text_reads_english(self, texts: Path) -> None:
        document = current_document(TERMS, "zh-CN", SECOND, texts=texts)
        assert (document.version, document.locale) == ("2027-01-01", "en")

    def test_has_the_digest_of_the_file(self, texts: Path) -> None:
        document = current_document(PRIVACY, "en", FIRST, texts=texts)
        content = (texts / "privacy_policy.2026-05-18.en.md").read_bytes()
        assert document.sha256 == hashlib.sha256(content).hexdigest()
        assert document.text == content.decode()

    def test_is_missing_before_the_first_takes_effect(self, texts: Path) -> None:
        with pytest.raises(MissingText):
            current_document(TERMS, "en", FIRST - timedelta(days=1), texts=texts)

    def test_a_file_of_another_name_is_not_passed_over(self, texts: Path) -> None:
        (texts / "notes.md").write_text("not a text")
        with pytest.raises(ValueError, match=r".+"):
            documents(texts)

    def test_the_packages_own_texts_are_there_in_both_languages(self) -> None:
        today = clock.utc_now().date()
        assert current_versions(today).keys() == set(AgreementKind)
        for kind in AgreementKind:
            for locale in ("en", "zh-CN"):
                assert current_document(kind, locale, today).locale == locale


class TestRecordAcceptance:
    async def test_each_agreement_is_outstanding_until_accepted(self, organization_id: str, texts: Path) -> None:
        assert await outstanding(organization_id, on=FIRST, texts=texts) == [TERMS, PRIVACY]
        await attest(organization_id, TERMS, on=FIRST, texts=texts)
        assert await outstanding(organization_id, on=FIRST, texts=texts) == [PRIVACY]
        await attest(organization_id, PRIVACY, on=FIRST, texts=texts)
        assert await outstanding(organization_id, on=FIRST, texts=texts) == []

    async def test_a_new_version_asks_again(self, organization_id: str, texts: Path) -> None:
        for kind in AgreementKind:
            await attest(organization_id, kind, on=FIRST, texts=texts)
        assert await outstanding(organization_id, on=SECOND, texts=texts) == [TERMS]
        async with read_session() as session:
            assert await accepted_versions(session) == {
                organization_id: frozenset({(TERMS, "2026-05-18"), (PRIVACY, "2026-05-18")})
            }

    async def test_keeps_who_clicked_on_which_exact_text(self, organization_id: str, texts: Path) -> None:
        document = current_document(TERMS, "zh-CN", FIRST, texts=texts)
        async with unit_of_work() as session:
            person_id = await create_person(session, email="a@b.example", name="Pat", password_hash=None)
            await record_acceptance(
                session, organization_id=organization_id, kind=TERMS, document=document,
                method=AcceptanceMethod.PERSON_CLICKED, person_id=person_id, signatory_name="Pat",
                signatory_title="Director", caller_ip="192.0.2.1", user_agent="Browser",
            )  # fmt: skip
        async with read_session() as session:
            (view,) = await acceptances_of(session, organization_id)
        assert (view.person_id, view.text_sha256, view.locale) == (person_id, document.sha256, "zh-CN")
        assert (view.method, view.signatory_title) == (AcceptanceMethod.PERSON_CLICKED, "Director")

    @pytest.mark.parametrize(
        ("method", "person_id"),
        [(AcceptanceMethod.PERSON_CLICKED, None), (AcceptanceMethod.OPERATOR_ATTESTATION, "per_1")],
        ids=["a click of nobody", "an attestation in a person's name"],
    )
    async def test_refuses_evidence_that_claims_what_did_not_happen(
        self, organization_id: str, texts: Path, method: AcceptanceMethod, person_id: str | None
    ) -> None:
        document = current_document(TERMS, "en", FIRST, texts=texts)
        async with unit_of_work() as session:
            with pytest.raises(BadRequest):
                await record_acceptance(
                    session, organization_id=organization_id, kind=TERMS, document=document, method=method,
                    person_id=person_id,
                )  # fmt: skip

    async def test_refuses_the_text_of_another_agreement(self, organization_id: str, texts: Path) -> None:
        document = current_document(PRIVACY, "en", FIRST, texts=texts)
        async with unit_of_work() as session:
            with pytest.raises(BadRequest):
                await record_acceptance(
                    session, organization_id=organization_id, kind=TERMS, document=document,
                    method=AcceptanceMethod.OPERATOR_ATTESTATION,
                )  # fmt: skip

    @pytest.mark.usefixtures("database")
    async def test_refuses_an_unknown_organization(self, texts: Path) -> None:
        with pytest.raises(NotFound):
            await attest("org_none", TERMS, on=FIRST, texts=texts)


class TestRecordConfirmation:
    async def test_is_in_force_until_it_expires(self, organization_id: str) -> None:
        expiry = clock.utc_now() + timedelta(days=1)
        kind = ConfirmationKind.OVERSEAS_MODELS
        async with unit_of_work() as session:
            ids = {
                await record_confirmation(
                    session, organization_id=organization_id, kind=kind,
                    method=AcceptanceMethod.OPERATOR_ATTESTATION, expires_at=expiry,
                )
                for _ in range(2)
            }  # fmt: skip
        assert len(ids) == 1
        async with read_session() as session:
            assert await has_confirmation(session, organization_id, kind, expiry - timedelta(microseconds=1))
            assert not await has_confirmation(session, organization_id, kind, expiry)
            assert not await has_confirmation(session, "org_other", kind, clock.utc_now())

    async def test_is_over_when_withdrawn(self, organization_id: str) -> None:
        kind = ConfirmationKind.OVERSEAS_MODELS
        async with unit_of_work() as session:
            await record_confirmation(
                session, organization_id=organization_id, kind=kind, method=AcceptanceMethod.OPERATOR_ATTESTATION
            )
        async with read_session() as session:
            assert await has_confirmation(session, organization_id, kind, clock.utc_now())
            assert [view.organization_id for view in await confirmations(session)] == [organization_id]
        async with unit_of_work() as session:
            await withdraw_confirmations(session, organization_id=organization_id, kind=kind)
        async with read_session() as session:
            assert not await has_confirmation(session, organization_id, kind, clock.utc_now())
            assert await confirmations(session) == []

    async def test_refuses_an_expiry_in_the_past(self, organization_id: str) -> None:
        async with unit_of_work() as session:
            with pytest.raises(BadRequest):
                await record_confirmation(
                    session, organization_id=organization_id, kind=ConfirmationKind.OVERSEAS_MODELS,
                    method=AcceptanceMethod.OPERATOR_ATTESTATION, expires_at=clock.utc_now(),
                )  # fmt: skip


class TestGrace:
    async def test_calls_go_on_for_a_while_under_an_earlier_version(self, organization_id: str, texts: Path) -> None:
        for kind in AgreementKind:
            await attest(organization_id, kind, on=FIRST, texts=texts)
        (owed,) = await owed_by(organization_id, on=SECOND, texts=texts)
        assert (owed.kind, owed.version, owed.previous_version) == (TERMS, "2027-01-01", "2026-05-18")
        assert owed.calls_stop_on == SECOND + GRACE
        for on, stops in ((SECOND + GRACE - timedelta(days=1), set()), (SECOND + GRACE, {organization_id})):
            async with read_session() as session:
                assert await owing_acceptance(session, [organization_id], on=on, texts=texts) == stops

    async def test_another_version_does_not_begin_it_anew(self, organization_id: str, texts: Path) -> None:
        (texts / "terms_of_service.2027-01-10.en.md").write_text("# third\n")
        for kind in AgreementKind:
            await attest(organization_id, kind, on=FIRST, texts=texts)
        (owed,) = await owed_by(organization_id, on=date(2027, 1, 11), texts=texts)
        assert (owed.version, owed.calls_stop_on) == ("2027-01-10", SECOND + GRACE)

    async def test_whoever_never_accepted_has_none(self, organization_id: str, texts: Path) -> None:
        owed = await owed_by(organization_id, on=SECOND, texts=texts)
        assert {(one.kind, one.previous_version, one.calls_stop_on) for one in owed} == {
            (TERMS, "", FIRST), (PRIVACY, "", FIRST),
        }  # fmt: skip
        async with read_session() as session:
            assert await owing_acceptance(session, [organization_id], on=SECOND, texts=texts) == {organization_id}


async def owed_by(organization_id: str, *, on: date, texts: Path) -> tuple[OwedAgreement, ...]:
    """Read what has to be accepted."""
    async with read_session() as session:
        return (await owed_agreements(session, [organization_id], on=on, texts=texts))[organization_id]
