"""Short forms of the verbs of credit, each in a unit of work of its own, and what they leave behind."""

from datetime import date, timedelta

from sqlmodel import col, select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.credit import freezes, grants, packages
from onetoken_app.credit.grants import GrantForm
from onetoken_app.credit.models import GrantKind, GrantState
from onetoken_app.credit.packages import PackageOffer
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.ledger.queries import BalanceView, LotView, balance_of, lots_of
from onetoken_app.ledger.verification import verify
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.usage.periods import today
from tests.support.builders import a_person, an_organization

UNIT = NANOS_PER_UNIT
ABOVE: Nanos = 100 * UNIT
"""Grants above it need a second person."""
ROOM = MailRoom(b"k" * 32, "https://console.test.example")
USD = Currency.USD


async def a_customer(*, balance_nanos: Nanos = 0, is_verified: bool = True) -> str:
    async with unit_of_work() as session:
        organization_id = await an_organization(session, balance_nanos=balance_nanos, is_verified=is_verified)
        await a_person(session, email=f"owner@{organization_id}.example", organization_id=organization_id)
    return organization_id


async def finance(*, organization_id: str | None = None) -> str:
    async with unit_of_work() as session:
        return await a_person(session, staff_role=StaffRole.FINANCE, organization_id=organization_id)


def a_week_from_now() -> date:
    return today(clock.utc_now(), time_zone="Asia/Shanghai") + timedelta(days=7)


async def propose(
    organization_id: str,
    by: str,
    amount_nanos: Nanos = 10 * UNIT,
    *,
    kind: GrantKind = GrantKind.PROMOTIONAL,
    form: str = "form-0001",
    reason: str = "For the outage of Monday.",
    last_day: date | None = None,
) -> tuple[str, GrantState]:
    async with unit_of_work() as session:
        grant = await grants.propose_grant(
            session,
            GrantForm(organization_id, kind, amount_nanos, last_day or a_week_from_now(), reason, form),
            proposed_by=by,
            second_person_above_nanos=ABOVE,
            mail_room=ROOM,
        )
        return grant.id, grant.state


async def approve(grant_id: str, by: str) -> None:
    async with unit_of_work() as session:
        await grants.approve_grant(session, grant_id=grant_id, approved_by=by, mail_room=ROOM)


async def refuse(grant_id: str, by: str) -> None:
    async with unit_of_work() as session:
        await grants.refuse_grant(session, grant_id=grant_id, refused_by=by)


async def offer(
    by: str,
    *,
    name: str = "Starter",
    currency: Currency = USD,
    price_nanos: Nanos = 50 * UNIT,
    bonus_nanos: Nanos = 5 * UNIT,
    valid_days: int = 30,
    model_ids: tuple[str, ...] = (),
    token_count: int = 0,
) -> str:
    async with unit_of_work() as session:
        return await packages.offer_package(
            session,
            offer=PackageOffer(name, currency, price_nanos, bonus_nanos, valid_days, model_ids, token_count),
            bonus_max_nanos=ABOVE,
            offered_by=by,
        )


async def buy(organization_id: str, package_id: str, by: str, *, form: str = "form-0001") -> str:
    async with unit_of_work() as session:
        return await packages.buy_package(
            session, organization_id=organization_id, package_id=package_id, submission_id=form, bought_by=by
        )


async def withdraw(package_id: str, by: str) -> None:
    async with unit_of_work() as session:
        await packages.withdraw_package(session, package_id=package_id, withdrawn_by=by)


async def freeze(organization_id: str, by: str, reason: str = "A payment was disputed.") -> str:
    async with unit_of_work() as session:
        return await freezes.freeze_credit(
            session, organization_id=organization_id, reason=reason, frozen_by=by, mail_room=ROOM
        )


async def release(organization_id: str, by: str, reason: str = "The dispute is over.") -> None:
    async with unit_of_work() as session:
        await freezes.release_credit(
            session, organization_id=organization_id, reason=reason, lifted_by=by, mail_room=ROOM
        )


async def the_lots(organization_id: str) -> list[LotView]:
    async with read_session() as session:
        assert (await verify(session)).is_ok
        return await lots_of(session, owner_id=organization_id, currency=USD, now=clock.utc_now())


async def the_balance(organization_id: str) -> BalanceView:
    async with read_session() as session:
        return await balance_of(session, owner_id=organization_id, currency=USD)


async def the_letters(kind: LetterKind) -> list[str]:
    """Return who got a mail of a kind."""
    async with read_session() as session:
        query = select(OutboxLetter.recipient).where(OutboxLetter.kind == kind)
        return list(await session.exec(query.order_by(col(OutboxLetter.id))))


async def the_actions() -> list[str]:
    """Return what the audit log says of credit, in order."""
    async with read_session() as session:
        query = select(AuditEntry.action).order_by(col(AuditEntry.sequence_number))
        return [action for action in await session.exec(query) if action.startswith(("grant", "package", "credit"))]
