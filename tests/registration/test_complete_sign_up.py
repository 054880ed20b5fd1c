"""Sign-ups at the same moment, on both databases; what goes wrong leaves nothing behind. More in ``tests/console``."""

import asyncio

import pytest
from sqlmodel import select

from onetoken_app.agreements.clicks import Signatory
from onetoken_app.agreements.documents import current_document
from onetoken_app.agreements.models import Acceptance, AgreementKind
from onetoken_app.clock import utc_now
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import OneTokenError
from onetoken_app.identity.mailed_links import issue_link
from onetoken_app.identity.models import MailedLinkKind, Person
from onetoken_app.money import Currency
from onetoken_app.organizations.models import Organization, Scenario
from onetoken_app.registration.sign_up import SignUpForm, complete_sign_up

FORM = SignUpForm(
    organization_name="Example Ltd",
    registration_code="91350100M000100Y43",
    currency=Currency.CNY,
    time_zone="Asia/Shanghai",
    scenarios=(Scenario.TESTING,),
    signatory=Signatory(name="Li", title="Head", locale="zh-CN", caller_ip="192.0.2.1", user_agent="test"),
    acts_with_authority=True,
    accepted={kind: current_document(kind, "zh-CN", utc_now().date()).sha256 for kind in AgreementKind},
)


async def link(email: str) -> str:
    """Confirm an address."""
    async with unit_of_work() as session:
        return await issue_link(session, kind=MailedLinkKind.SIGN_UP, email=email)


async def completed(secret: str) -> str:
    """Complete a sign-up; return ``done`` or the code of the refusal."""
    try:
        async with unit_of_work() as session:
            await complete_sign_up(session, secret=secret, form=FORM, password_hash="hash", locale="zh-CN")
    except OneTokenError as error:
        return error.code
    return "done"


async def counts() -> list[int]:
    """Count people, organizations and acceptances."""
    async with read_session() as session:
        tables = (Person, Organization, Acceptance)
        return [len((await session.exec(select(table))).all()) for table in tables]


@pytest.mark.usefixtures("database")
class TestCompleteSignUp:
    async def test_of_two_submits_at_once_one_counts(self) -> None:
        secret = await link("li@company.example")
        outcomes = await asyncio.gather(*(completed(secret) for _ in range(3)))
        assert sorted(outcomes) == ["done", "link_used", "link_used"]
        assert await counts() == [1, 1, 2]

    async def test_of_two_people_with_the_same_code_one_registers_and_the_other_can_go_on(self) -> None:
        secrets = [await link("li@company.example"), await link("han@company.example")]
        outcomes = await asyncio.gather(*(completed(secret) for secret in secrets))
        assert outcomes.count("done") == 1
        assert set(outcomes) <= {"done", "conflict", "organization_registered"}
        assert await counts() == [1, 1, 2]
        late = secrets[1 - outcomes.index("done")]
        assert await completed(late) == "organization_registered"

    async def test_an_address_that_got_an_account_meanwhile_is_told(self) -> None:
        secret = await link("li@company.example")
        async with unit_of_work() as session:
            session.add(Person(email="li@company.example"))
        assert await completed(secret) == "already_signed_up"
        assert await counts() == [1, 0, 0]
