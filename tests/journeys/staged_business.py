"""A business in the middle of its life, for people and checks that look at pages: every kind of row is there.

One organization has calls, keys, members and an order in each state; one pays in yuan; one is as new as can be; one
has accepted nothing yet; and there is one for each state of a case file. It is written through the rooms' own verbs,
but for the calls, which are records alone, no money moved for them, and for the end of an order that nobody paid.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

from onetoken_app.agreements.clicks import Signatory, record_clicks
from onetoken_app.agreements.documents import current_document
from onetoken_app.agreements.models import AgreementKind
from onetoken_app.clock import utc_now
from onetoken_app.database import Database, unit_of_work, use_database
from onetoken_app.identity.mailed_links import issue_link
from onetoken_app.identity.models import MailedLinkKind, Person, StaffMembership, StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.organizations.invitations import invite
from onetoken_app.organizations.models import Membership, Organization, OrganizationRole, Scenario
from onetoken_app.organizations.service import declare_scenarios
from onetoken_app.payments.models import PaymentProvider, TransferRefusal
from onetoken_app.settings import Settings
from onetoken_app.verification.models import CaseState, DocumentKind, ReviewReason
from tests.journeys.staged_billing import adjustments_of_all_kinds, invoices_in_each_state, months_of_a_debtor
from tests.journeys.staged_channels import attempts_of_an_hour
from tests.journeys.staged_costs import margins_and_bills
from tests.journeys.staged_credit import Desk, budgets_in_each_state, credit_of_every_kind, frozen_credit
from tests.journeys.staged_keys import projects_and_keys
from tests.journeys.staged_payments import hosted_orders
from tests.journeys.staged_prices import prices_of_every_kind, terms_of_every_kind
from tests.journeys.staged_refunds import refunds_in_each_stage
from tests.payments import orders
from tests.support.builders import BuiltModel, a_channel, a_model, a_suspension, an_organization
from tests.support.installation import PASSWORD, Installation
from tests.usage.drafts import a_draft, insert
from tests.verification import cases

VARIABLES = {
    "ONETOKEN_BANK_ACCOUNT": "OneToken (Beijing) Technology Co., Ltd, Example Bank, Haidian, 0200 0000 0000 0001"
}
"""What the installation has to have in its environment."""
OWNER, VIEWER = "owner@lantern.example", "viewer@lantern.example"
NEWCOMER, UNSIGNED, SUSPENDED = "owner@new.example", "owner@unsigned.example", "owner@stopped.example"
DEBTOR, FAPIAO = "owner@harbour.example", "finance@fapiao.example"
"""Somebody of an organization that pays afterwards, and of one that gets fapiao."""
PAYS_IN_YUAN, REFUNDED = "owner@yuan.example", "owner@meridian.example"
"""Who has the ways to pay that take yuan alone, and who asked for money back."""
STAFF = "desk@ops.example"
CASE_OWNERS = {state: f"{state}@case.example" for state in CaseState}
"""Who looks at a case file in each state."""
_COMPANY, _COMPANY_CODE = "Lantern Bay Technology (Shenzhen) Co., Ltd", "91350100M000100Y43"
_PEOPLE = (
    (OWNER, "Chen Xiaoming", OrganizationRole.OWNER),
    ("administrator@lantern.example", "Wang Fang", OrganizationRole.ADMINISTRATOR),
    ("developer@lantern.example", "Alexandra Montgomery-Featherstone", OrganizationRole.DEVELOPER),
    ("finance@lantern.example", "李娜", OrganizationRole.BILLING),
    (VIEWER, "Zhao Lei", OrganizationRole.VIEWER),
)
_CODES = dict(
    zip(
        CaseState,
        ("91110000600037341L", "91310000MA1FL70B67", "DE-HRB 86891", "GB-01234567", "SG-201912345K", "US-DE 7654321"),
        strict=True,
    )
)
_CALLS = (
    (1, 1, 200, "", 980, 12_000),
    (0, 4, 200, "", 61_500, 380_000_000),
    (0, 9, 429, "upstream_busy", 3, 0),
    (1, 22, 200, "", 1_250, 490),
    (0, 71, 502, "upstream_failed", 2_300, 0),
    (1, 205, 402, "insufficient_funds", 2, 0),
)
"""The latest calls: which model, minutes ago, status, code, milliseconds, nanos."""
_OLDER_CALL_COUNT = 60


@dataclass(frozen=True, slots=True)
class _Stage:
    """What the parts share."""

    settings: Settings
    password_hash: str
    staff_id: str
    colleague_id: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is known once, of what was arranged."""

    api_key: str = field(repr=False)
    """Of the organization that has everything."""
    links: dict[str, str] = field(repr=False)
    """By the page that a mailed link leads to."""


def arrange(installation: Installation, *, upstream_url: str) -> Secrets:
    """Write the business into a fresh installation, which runs with ``VARIABLES``.

    Args:
        installation: Where.
        upstream_url: What answers the calls of the models.
    """
    installation.succeed("db", "upgrade")
    with ThreadPoolExecutor(1) as another_thread:  # a browser's driver may run a loop in this one
        return another_thread.submit(lambda: asyncio.run(_arrange(installation, upstream_url))).result()


async def _arrange(installation: Installation, upstream_url: str) -> Secrets:
    """Write everything."""
    settings = Settings(_env_file=None, data_dir=installation.data_dir)
    database = Database(settings)
    use_database(database)
    try:
        password_hash = await hash_password(PASSWORD)
        staff_id = await _a_member_of_staff(STAFF, "Sun Mei", password_hash)
        colleague_id = await _a_member_of_staff("colleague@ops.example", "Ada Okafor", password_hash)
        stage = _Stage(settings, password_hash, staff_id, colleague_id)
        await _the_debtor(stage)
        models = await _catalog(stage, upstream_url)
        secrets = await _the_filled_one(stage, models)
        await _the_one_in_yuan(stage)
        await _the_one_with_refunds(stage)
        await prices_of_every_kind(stage.staff_id, models)
        await margins_and_bills(stage.settings, models)
        await _the_bare_ones(stage)
        await _the_one_with_fapiao(stage)
        for state in CaseState:
            await _a_case(stage, state)
        return secrets
    finally:
        use_database(None)
        await database.dispose()


async def _a_member_of_staff(email: str, name: str, password_hash: str) -> str:
    """Add somebody who may look at every page of the staff."""
    async with unit_of_work() as session:
        person = Person(email=email, name=name, password_hash=password_hash)
        session.add(person)
        await session.flush()
        for role in (StaffRole.ADMINISTRATOR, StaffRole.REVIEWER, StaffRole.FINANCE):
            session.add(StaffMembership(person_id=person.id, role=role))
        return person.id


async def _a_person(stage: _Stage, email: str, name: str, organization_id: str, role: OrganizationRole) -> str:
    """Add somebody who can sign in."""
    async with unit_of_work() as session:
        person = Person(email=email, name=name, password_hash=stage.password_hash)
        session.add(person)
        await session.flush()
        session.add(Membership(organization_id=organization_id, person_id=person.id, role=role))
        return person.id


async def _catalog(stage: _Stage, upstream_url: str) -> list[BuiltModel]:
    """Put models on sale, through channels that answer and one that is off."""
    async with unit_of_work() as session:
        first = await a_channel(session, stage.settings, name="mainland-1", base_url=upstream_url)
        await a_channel(
            session, stage.settings, name="mainland-reserve", base_url="https://reserve.example.cn/v1", is_enabled=False
        )
        session.add_all(attempts_of_an_hour(first))
        return [
            await a_model(session, stage.settings, name=name, channel_id=first, context_window_tokens=tokens)
            for name, tokens in (("qwen3-235b-a22b-instruct-2507", 262_144), ("glm-4.6-flash", 128_000))
        ]


async def _the_filled_one(stage: _Stage, models: list[BuiltModel]) -> Secrets:
    """Add an organization that has been a customer for a while."""
    async with unit_of_work() as session:
        organization_id = await an_organization(
            session, name=_COMPANY, registration_code=_COMPANY_CODE, balance_nanos=1_234_567_890_123, has_accepted=False
        )
    people = [await _a_person(stage, email, name, organization_id, role) for email, name, role in _PEOPLE]
    await _accept(organization_id, people[0])
    async with unit_of_work() as session:
        await declare_scenarios(
            session,
            organization_id=organization_id,
            scenarios=[Scenario.BUSINESS_INTEGRATION, Scenario.PUBLIC_SERVICE],
            declared_by=people[0],
        )
    minted = await projects_and_keys(stage.settings, organization_id, people[0], models)
    await _calls(organization_id, [key.id for key in minted], models)
    await budgets_in_each_state(stage.settings, organization_id, key_id=minted[1].id, set_by=people[0])
    cast = orders.Cast(organization_id, people[3], stage.staff_id, stage.colleague_id)
    await _orders(cast)
    await credit_of_every_kind(organization_id, models[0].id, bought_by=people[3], desk=_desk(stage))
    await invoices_in_each_state(cast, stage.settings)
    await adjustments_of_all_kinds(cast)
    await terms_of_every_kind(organization_id, models[1].id, staff_id=stage.staff_id, colleague_id=stage.colleague_id)
    return Secrets(api_key=minted[0].secret, links=await _links(organization_id, people[0]))


async def _links(organization_id: str, person_id: str) -> dict[str, str]:
    """Invite two people; make a link of each kind."""
    async with unit_of_work() as session:
        invitation_id, _ = [
            await invite(
                session, organization_id=organization_id, email=email, role=role, invited_by=person_id,
                lifetime=timedelta(days=7),
            )
            for email, role in (
                ("han@lantern.example", OrganizationRole.DEVELOPER),
                ("auditor@partner.example", OrganizationRole.VIEWER),
            )
        ]  # fmt: skip
        subjects = (
            ("/sign-up/continue", MailedLinkKind.SIGN_UP, "somebody@company.example", ""),
            ("/password/reset", MailedLinkKind.PASSWORD_RESET, OWNER, ""),
            ("/invitation", MailedLinkKind.INVITATION, "han@lantern.example", invitation_id),
        )
        return {
            place: await issue_link(session, kind=kind, email=email, subject_id=subject)
            for place, kind, email, subject in subjects
        }


async def _accept(organization_id: str, person_id: str) -> None:
    """Accept both texts as a person does."""
    today = utc_now().date()
    async with unit_of_work() as session:
        await record_clicks(
            session,
            organization_id=organization_id,
            person_id=person_id,
            signatory=Signatory("Chen Xiaoming", "General Manager", "en", "203.0.113.7", "Mozilla/5.0"),
            accepted=[current_document(kind, "en", today) for kind in AgreementKind],
        )


async def _calls(organization_id: str, key_ids: list[str], models: list[BuiltModel]) -> None:
    """Record calls of today and of the days before."""
    now = utc_now()
    latest = [
        a_draft(
            request_id=f"req_latest_{number}", organization_id=organization_id, api_key_id=key_ids[number % 2],
            model_id=models[which].id, model_name=models[which].name, requested_at=now - timedelta(minutes=minutes),
            response_status=status, error_code=code, latency_ms=latency_ms, charge_nanos=nanos,
            input_tokens=nanos // 2_000, output_tokens=nanos // 4_000, attempt_count=1, is_streaming=number % 2 == 0,
        )
        for number, (which, minutes, status, code, latency_ms, nanos) in enumerate(_CALLS)
    ]  # fmt: skip
    older = [
        replace(
            latest[number % 2], request_id=f"req_older_{number}", requested_at=now - timedelta(hours=6 + 7 * number),
            charge_nanos=(number % 9 + 1) * 734_112_500, input_tokens=91_004, output_tokens=4_120,
        )
        for number in range(_OLDER_CALL_COUNT)
    ]  # fmt: skip
    await insert(*latest, *older)


async def _orders(cast: orders.Cast) -> None:
    """Make an order in each state; the one that is open is the newest."""
    large = 250_000 * NANOS_PER_UNIT
    credited, refused, cancelled, reported, seconded = [
        await orders.place(cast, amount_nanos=amount, submission_id=f"form-{number:04d}")
        for number, amount in enumerate(
            (20_000_500_000_000, 5_000 * NANOS_PER_UNIT, NANOS_PER_UNIT, 88_888_880_000_000, large)
        )
    ]
    await orders.report(cast, credited, payer_name=_COMPANY)
    await orders.approve(cast, credited, bank_entry="2026-11-24/7")
    await orders.approve(cast, credited, approved_by=cast.colleague_id, bank_entry="2026-11-24/7")
    await orders.report(cast, refused, payer_name="Chen Xiaoming")
    await orders.refuse(
        cast, refused, reason=TransferRefusal.PAYER_DIFFERS, words="Please pay from the company's account."
    )
    await orders.cancel(cast, cancelled)
    await orders.report(cast, reported, payer_name=_COMPANY, bank_reference="HQP20261124000173")
    await orders.report(cast, seconded, payer_name=_COMPANY)
    await orders.approve(cast, seconded, approved_by=cast.colleague_id, bank_entry="2026-11-25/2")
    await orders.place(cast, amount_nanos=7_000 * NANOS_PER_UNIT, submission_id="form-expired", valid_days=0)
    await hosted_orders(cast, PaymentProvider.STRIPE)
    await orders.place(cast, amount_nanos=12_345_670_000_000, submission_id="form-open")


async def _the_debtor(stage: _Stage) -> None:
    """Add an organization that pays afterwards, in the past."""
    organization_id = await months_of_a_debtor(stage.settings, agreed_by=stage.staff_id)
    async with unit_of_work() as session:
        row = await session.get_one(Organization, organization_id)
        row.name, row.registration_code = "Harbour Analytics (Singapore) Ltd", "SG-201999999K"
    await _a_person(stage, DEBTOR, "Li Wei", organization_id, OrganizationRole.OWNER)
    await frozen_credit(organization_id, desk=_desk(stage))


def _desk(stage: _Stage) -> Desk:
    """Say who of finance acts."""
    return Desk(stage.settings, stage.staff_id, stage.colleague_id)


async def _the_one_with_fapiao(stage: _Stage) -> None:
    """Add an organization of the mainland that paid in CNY."""
    async with unit_of_work() as session:
        organization_id = await an_organization(
            session, name="杭州示例信息技术有限公司", registration_code="91330100799655058B", currency=Currency.CNY
        )
    person_id = await _a_person(stage, FAPIAO, "Li Na", organization_id, OrganizationRole.BILLING)
    cast = orders.Cast(organization_id, person_id, stage.staff_id, stage.colleague_id)
    for number, amount in enumerate((3_000, 4_500)):
        order_id = await orders.place(cast, amount_nanos=amount * NANOS_PER_UNIT, submission_id=f"form-{number:04d}")
        await orders.report(cast, order_id)
        await orders.approve(cast, order_id, bank_entry=f"2026-11-20/{number}")


async def _the_one_in_yuan(stage: _Stage) -> None:
    """Add an organization that pays by Alipay and WeChat Pay."""
    async with unit_of_work() as session:
        organization_id = await an_organization(
            session, name="上海示例贸易有限公司", currency=Currency.CNY, balance_nanos=88_888 * NANOS_PER_UNIT
        )
    owner_id = await _a_person(stage, PAYS_IN_YUAN, "王小明", organization_id, OrganizationRole.OWNER)
    cast = orders.Cast(organization_id, owner_id, stage.staff_id, stage.colleague_id)
    for provider in (PaymentProvider.ALIPAY, PaymentProvider.WECHAT_PAY):
        await hosted_orders(cast, provider)


async def _the_one_with_refunds(stage: _Stage) -> None:
    """Add an organization that asked for money back."""
    async with unit_of_work() as session:
        organization_id = await an_organization(session, name="Meridian Robotics GmbH")
    owner_id = await _a_person(stage, REFUNDED, "Anna Vogel", organization_id, OrganizationRole.OWNER)
    await refunds_in_each_stage(orders.Cast(organization_id, owner_id, stage.staff_id, stage.colleague_id))


async def _the_bare_ones(stage: _Stage) -> None:
    """Add a newcomer, one that accepted nothing, and one that is suspended."""
    async with unit_of_work() as session:
        newcomer = await an_organization(session, name="New Venture Ltd", is_verified=False)
        unsigned = await an_organization(session, name="北京示例科技有限公司", has_accepted=False)
        stopped = await an_organization(session, name="Stopped Trading GmbH", balance_nanos=NANOS_PER_UNIT)
        await a_suspension(session, stopped)
    for email, organization_id in ((NEWCOMER, newcomer), (UNSIGNED, unsigned), (SUSPENDED, stopped)):
        await _a_person(stage, email, "Li Wei", organization_id, OrganizationRole.OWNER)


async def _a_case(stage: _Stage, state: CaseState) -> None:
    """Add an organization whose case file is in a state."""
    name = f"Case {state.replace('_', ' ')} Instruments Ltd"
    async with unit_of_work() as session:
        organization_id = await an_organization(session, name=name, registration_code=_CODES[state], is_verified=False)
    owner_id = await _a_person(stage, CASE_OWNERS[state], "Li Na", organization_id, OrganizationRole.OWNER)
    cast = cases.Cast(organization_id, owner_id, stage.staff_id, stage.colleague_id)
    await cases.save(cast, legal_name=name, registration_code=_CODES[state])
    await cases.add(
        cast, cases.a_document(DocumentKind.BUSINESS_LICENCE, more=state.encode(), name="营业执照 2026.pdf")
    )
    if state is CaseState.DRAFT:
        return
    letter = f"letter of authorization, signed and stamped, {state}.pdf"
    await cases.add(cast, cases.a_document(DocumentKind.AUTHORIZATION_LETTER, more=state.encode(), name=letter))
    await cases.submit(cast)
    if state is not CaseState.SUBMITTED:
        await cases.take(cast)
    if state is CaseState.APPROVED:
        await cases.approve(cast)
    elif state in {CaseState.MORE_WANTED, CaseState.REFUSED}:
        await cases.hand_back(
            cast, state, reason=ReviewReason.DOCUMENT_UNREADABLE, words="Page two is dark. Please scan it again."
        )
