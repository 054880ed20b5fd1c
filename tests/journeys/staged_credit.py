"""Credit of the staged business: budgets in each state, lots of every kind, packages, a freeze."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from onetoken_app.clock import utc_now
from onetoken_app.credit.alerts import set_alert
from onetoken_app.credit.budgets import set_budget
from onetoken_app.credit.freezes import freeze_credit, release_credit
from onetoken_app.credit.grants import GrantForm, propose_grant
from onetoken_app.credit.models import GrantKind
from onetoken_app.credit.packages import PackageOffer, buy_package, offer_package, withdraw_package
from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, Window
from onetoken_app.credit.windows import period_key
from onetoken_app.database import unit_of_work
from onetoken_app.keys.queries import projects_of
from onetoken_app.keys.service import revoke_key
from onetoken_app.ledger.models import BudgetPeriod
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.settings import Settings
from onetoken_app.usage.periods import today
from tests.support.builders import a_key

_UNIT = NANOS_PER_UNIT


@dataclass(frozen=True, slots=True)
class Desk:
    """Who of finance acts."""

    settings: Settings
    staff_id: str
    colleague_id: str


async def budgets_in_each_state(settings: Settings, organization_id: str, *, key_id: str, set_by: str) -> None:
    """Set budgets of the organization, of a project and of keys; what they have seen is written down alone."""
    async with unit_of_work() as session:
        projects = [one for one in await projects_of(session, organization_id) if one.archived_at is None]
        former = await a_key(session, settings, organization_id=organization_id, name="former-batch")
    wanted = [
        (BudgetSubject(SubjectKind.ORGANIZATION, organization_id, Window.DAY), 250 * _UNIT, 61_734_112_500, 0),
        (BudgetSubject(SubjectKind.ORGANIZATION, organization_id, Window.MONTH), 5_000 * _UNIT, 1_204_550_000_000, 0),
        (BudgetSubject(SubjectKind.PROJECT, projects[0].id, Window.MONTH), 800 * _UNIT, 412 * _UNIT, 3_250_000_000),
        (BudgetSubject(SubjectKind.API_KEY, key_id, Window.DAY), 20 * _UNIT, 20 * _UNIT, 0),
        (BudgetSubject(SubjectKind.API_KEY, former.id, Window.MONTH), 100 * _UNIT, 0, 0),
    ]
    for subject, limit_nanos, spent_nanos, held_nanos in wanted:
        await _a_budget(
            organization_id, subject, limit_nanos, spent_nanos=spent_nanos, held_nanos=held_nanos, set_by=set_by
        )
    async with unit_of_work() as session:
        await revoke_key(session, organization_id=organization_id, api_key_id=former.id)


async def _a_budget(
    organization_id: str,
    subject: BudgetSubject,
    limit_nanos: Nanos,
    *,
    spent_nanos: Nanos,
    held_nanos: Nanos,
    set_by: str,
) -> None:
    """Set one budget."""
    period = period_key(subject.window, utc_now(), time_zone="Asia/Shanghai")
    async with unit_of_work() as session:
        budget_id = await set_budget(
            session, organization_id=organization_id, subject=subject, limit_nanos=limit_nanos, set_by=set_by
        )
        if spent_nanos or held_nanos:
            session.add(
                BudgetPeriod(budget_id=budget_id, period=period, spent_nanos=spent_nanos, held_nanos=held_nanos)
            )


async def credit_of_every_kind(organization_id: str, model_id: str, *, bought_by: str, desk: Desk) -> None:
    """Give, offer and sell; set a threshold that the balance is above."""
    room, last_day = mail_room(desk.settings), today(utc_now(), time_zone="Asia/Shanghai") + timedelta(days=20)
    gifts = ((GrantKind.TRIAL, 25), (GrantKind.PROMOTIONAL, 120), (GrantKind.PROMOTIONAL, 2_500))
    async with unit_of_work() as session:
        for number, (kind, units) in enumerate(gifts):
            await propose_grant(
                session,
                GrantForm(
                    organization_id,
                    kind,
                    units * _UNIT,
                    last_day + timedelta(days=30 * number),
                    "As agreed with their team in October.",
                    f"staged-grant-{number}",
                ),
                proposed_by=desk.colleague_id if number == 2 else desk.staff_id,
                second_person_above_nanos=1_000 * _UNIT,
                mail_room=room,
            )
    offers = (
        PackageOffer("Starter", Currency.USD, 50 * _UNIT, 0, 90),
        PackageOffer("Reasoning, half a year", Currency.USD, 500 * _UNIT, 60 * _UNIT, 183, (model_id,)),
        PackageOffer("Enterprise", Currency.USD, 20_000 * _UNIT, 3_000 * _UNIT, 366),
        PackageOffer("企业套餐", Currency.CNY, 10_000 * _UNIT, 1_200 * _UNIT, 366),
        PackageOffer("Spring offer", Currency.USD, 100 * _UNIT, 30 * _UNIT, 30),
        PackageOffer("Reasoning by the token", Currency.USD, 99 * _UNIT, 0, 90, (model_id,), 100_000_000),
    )
    async with unit_of_work() as session:
        whose: dict[str, Any] = {"bonus_max_nanos": 3_000 * _UNIT, "offered_by": desk.staff_id}
        ids = [await offer_package(session, offer=one, **whose) for one in offers]
        for number, package_id in enumerate((ids[1], ids[4], ids[5])):
            await buy_package(
                session,
                organization_id=organization_id,
                package_id=package_id,
                submission_id=f"staged-sale-{number}",
                bought_by=bought_by,
            )
        await withdraw_package(session, package_id=ids[4], withdrawn_by=desk.staff_id)
        await set_alert(session, organization_id=organization_id, threshold_nanos=200 * _UNIT, set_by=bought_by)


async def frozen_credit(organization_id: str, *, desk: Desk) -> None:
    """Freeze, release and freeze again."""
    whose, room = {"organization_id": organization_id}, mail_room(desk.settings)
    async with unit_of_work() as session:
        await freeze_credit(
            session, **whose, reason="A card payment was disputed.", frozen_by=desk.staff_id, mail_room=room
        )
        await release_credit(
            session, **whose, reason="The bank withdrew the dispute.", lifted_by=desk.colleague_id, mail_room=room
        )
        await freeze_credit(
            session,
            **whose,
            reason="Invoice 2026-08 is overdue. Please pay it, or write to us about a plan.",
            frozen_by=desk.colleague_id,
            mail_room=room,
        )
        await set_alert(session, **whose, threshold_nanos=50 * _UNIT, set_by=desk.staff_id)
