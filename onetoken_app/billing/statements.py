"""Closes months: one statement an organization, currency and month, in order, never changed afterwards.

A month is closed hours after its end, so that clocks which differ and closes that were spooled are through, and while
calls that began in it are still open it waits for a few days more; then they are named on it and charged to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.billing.contracts import due_of
from onetoken_app.billing.figures import Figures, Movement, Pot, digest_of, read_figures, write_figures
from onetoken_app.billing.models import Contract, MonthlyStatement
from onetoken_app.billing.months import Month, month_after, month_around
from onetoken_app.billing.reckoning import Bounds, Reckoned, Stretch, added_lines, reckon
from onetoken_app.clock import iso_instant
from onetoken_app.database import begin_snapshot
from onetoken_app.errors import OneTokenError
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.ledger.models import Account
from onetoken_app.money import Currency
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members
from onetoken_app.organizations.models import Organization
from onetoken_app.payments.adjustment_queries import words_of_adjustments

CLOSED_AFTER = timedelta(hours=6)
"""How long after its end a month is closed at the earliest."""
OPEN_CALLS_WAIT = timedelta(hours=72)
"""How long after its end a month is closed at the latest, whatever is under way."""
CONSOLE_PATH = "/statements"
"""Where mails send people."""


class StatementDoesNotAddUp(OneTokenError):
    """Balances, movements and charges of a month disagree; it was not closed."""

    code = "statement_does_not_add_up"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose month, with what stood on file when it was looked at."""

    organization_id: str
    name: str
    registration_code: str
    currency: Currency
    month: Month
    before: "Stated | None"
    contract: Contract | None


@dataclass(frozen=True, slots=True)
class Stated:
    """Where the statement before ended."""

    id: str
    month: date
    since: datetime
    until: datetime
    last_number: int


async def months_to_close(session: AsyncSession, *, now: datetime, organization_id: str | None = None) -> list[Subject]:
    """Return the next month of each organization and currency that is over and not closed, oldest first.

    Args:
        session: Any session.
        now: The present moment.
        organization_id: Only of this organization.
    """
    subjects = [one for one in await _subjects(session, organization_id) if now >= one.month.until + CLOSED_AFTER]
    return sorted(subjects, key=lambda one: (one.month.until, one.organization_id, one.currency))


async def running_month(session: AsyncSession, *, organization_id: str, now: datetime) -> list[Figures]:
    """Return what the month that runs has come to, one for each currency; nothing is closed by that.

    A month that is over and not closed yet counts as running.

    Args:
        session: A fresh session: all of it is of one moment.
        organization_id: Whose.
        now: The present moment.
    """
    await begin_snapshot(session)
    subjects = [one for one in await _subjects(session, organization_id) if one.month.since <= now]
    return [await figures_of(session, one) for one in subjects]


async def reckon_month(session: AsyncSession, subject: Subject, *, now: datetime) -> Figures | None:
    """Reckon a month that is to be closed.

    Args:
        session: A fresh session: all of it is of one moment.
        subject: One of ``months_to_close``.
        now: The present moment.

    Returns:
        Its figures; ``None``: calls of the month are under way, and it is too early to close it over them.

    Raises:
        StatementDoesNotAddUp: The sources disagree; ``onetoken ledger verify`` says more.
    """
    await begin_snapshot(session)
    figures = await figures_of(session, subject)
    if figures.open_hold_count and now < subject.month.until + OPEN_CALLS_WAIT:
        return None
    if not figures.adds_up:
        message = f"{subject.organization_id} {figures.month} {figures.currency.value}: the books disagree; not closed"
        raise StatementDoesNotAddUp(message)
    return figures


async def close_month(session: AsyncSession, figures: Figures, *, mail_room: MailRoom | None) -> str | None:
    """Put a reckoned month on file; return the statement's id, or ``None`` when somebody else closed it.

    Args:
        session: Open unit of work; the caller commits.
        figures: Of ``reckon_month``, read before: the journal only grows, so they stay right.
        mail_room: Tells the organization, unless a later month of it is over as well: who did not look for a year gets
            one mail, not twelve. ``None``: nobody is told.
    """
    first = date.fromisoformat(f"{figures.month}-01")
    stated = (await _stated(session, figures.organization_id)).get((figures.organization_id, figures.currency))
    if stated is not None and stated.month >= first:
        return None
    written = write_figures(figures)
    due = figures.due
    row = MonthlyStatement(
        id=new_id(Kind.STATEMENT),
        organization_id=figures.organization_id,
        currency=figures.currency,
        month=first,
        time_zone=figures.time_zone,
        since=clock.parse_instant(figures.since),
        until=clock.parse_instant(figures.until),
        last_number=figures.last_number,
        opening_nanos=figures.opening_nanos,
        charged_nanos=figures.charged_nanos,
        closing_nanos=figures.closing_nanos,
        due_nanos=due.amount_nanos if due else 0,
        due_on=date.fromisoformat(due.pay_by) if due else None,
        closed_at=clock.utc_now(),
        figures_json=written,
        sha256=digest_of(written),
    )
    session.add(row)
    await session.flush()
    await audit.record(
        session,
        actor=audit.SYSTEM,
        action="statement_closed",
        subject_id=row.id,
        organization_id=row.organization_id,
        facts={"month": figures.month, "currency": figures.currency.value, "sha256": row.sha256},
    )
    if mail_room is not None and _is_latest(row):
        await _tell(session, row, mail_room)
    return row.id


async def _explained(session: AsyncSession, movements: list[Movement]) -> list[Movement]:
    """Say of adjustments why they were made, in the words that were meant for the organization."""
    references = [one.reference for one in movements if one.kind is TransactionKind.ADJUSTMENT]
    words = await words_of_adjustments(session, references)
    return [msgspec.structs.replace(one, words=words.get(one.reference, "")) for one in movements]


async def figures_of(session: AsyncSession, subject: Subject) -> Figures:
    """Reckon a subject's month, whether it is over or not."""
    before = subject.before
    row = await session.get(MonthlyStatement, before.id) if before else None
    known = read_figures(row.figures_json, sha256=row.sha256) if row else None
    month = subject.month
    reckoned = await reckon(
        session,
        Stretch(
            organization_id=subject.organization_id,
            currency=subject.currency,
            since=month.since,
            until=month.until,
            before=Bounds(before.until, before.last_number) if before else None,
            before_since=before.since if before else None,
            before_charges=added_lines(known.charges, known.late_charges, sign=-1) if known else [],
        ),
    )
    pots = _pots(known, reckoned)
    closing = sum(pot.closing_nanos for pot in pots if pot.kind is AccountKind.PREPAID)
    return Figures(
        organization_id=subject.organization_id,
        organization_name=subject.name,
        registration_code=subject.registration_code,
        currency=subject.currency,
        month=month.label,
        time_zone=month.time_zone,
        since=iso_instant(month.since),
        until=iso_instant(month.until),
        last_number=reckoned.last_number,
        pots=pots,
        movements=await _explained(session, reckoned.movements),
        charges=reckoned.charges,
        corrections_nanos=reckoned.corrections_nanos,
        open_hold_count=reckoned.open_hold_count,
        open_hold_nanos=reckoned.open_hold_nanos,
        late_charges=reckoned.late_charges,
        due=due_of(subject.contract, month=month, prepaid_nanos=closing),
    )


def _pots(known: Figures | None, reckoned: Reckoned) -> list[Pot]:
    """Set each kind of account between its balances; what no movement explains, calls took."""
    opening = {pot.kind: pot.closing_nanos for pot in known.pots} if known else {}
    moved: dict[AccountKind, int] = {}
    for movement in reckoned.movements:
        moved[movement.pot] = moved.get(movement.pot, 0) + movement.amount_nanos
    kinds = [kind for kind in AccountKind if kind in {*opening, *moved, *reckoned.closing}]
    return [
        Pot(
            kind=kind,
            opening_nanos=opening.get(kind, 0),
            moved_nanos=moved.get(kind, 0),
            charged_nanos=opening.get(kind, 0) + moved.get(kind, 0) - reckoned.closing.get(kind, 0),
            closing_nanos=reckoned.closing.get(kind, 0),
        )
        for kind in kinds
    ]


async def _subjects(session: AsyncSession, organization_id: str | None) -> list[Subject]:
    """Return the next month of every verified organization with an account, over or not."""
    query = (
        select(Account.owner_id, Account.currency, Account.created_at, Organization)
        .join(Organization, col(Organization.id) == col(Account.owner_id))
        .where(Account.kind == AccountKind.PREPAID, col(Organization.verified_at).is_not(None))
    )
    contracts = select(Contract)
    if organization_id is not None:
        query = query.where(Organization.id == organization_id)
        contracts = contracts.where(Contract.organization_id == organization_id)
    stated = await _stated(session, organization_id)
    by_organization: Mapping[str, Contract] = {one.organization_id: one for one in await session.exec(contracts)}
    subjects = []
    for _, currency, opened_at, organization in (await session.exec(query)).all():
        before = stated.get((organization.id, Currency(currency)))
        zone = organization.time_zone
        subjects.append(
            Subject(
                organization_id=organization.id,
                name=organization.name,
                registration_code=organization.registration_code,
                currency=Currency(currency),
                month=month_after(before.month, ended_at=before.until, time_zone=zone)
                if before
                else month_around(opened_at, time_zone=zone),
                before=before,
                contract=by_organization.get(organization.id),
            )
        )
    return subjects


async def _stated(session: AsyncSession, organization_id: str | None) -> dict[tuple[str, Currency], Stated]:
    """Return where the newest statement of each organization and currency ended."""
    row = MonthlyStatement
    newest = sa.select(col(row.organization_id), col(row.currency), sa.func.max(col(row.month)).label("month"))
    if organization_id is not None:
        newest = newest.where(col(row.organization_id) == organization_id)
    last = newest.group_by(col(row.organization_id), col(row.currency)).subquery("newest")
    columns = (row.organization_id, row.currency, row.id, row.month, row.since, row.until, row.last_number)
    query = sa.select(*(col(column) for column in columns)).join(
        last,
        (last.c.organization_id == col(row.organization_id))
        & (last.c.currency == col(row.currency))
        & (last.c.month == col(row.month)),
    )
    found: Sequence[Any] = (await (await session.connection()).execute(query)).all()
    return {(owner, Currency(currency)): Stated(*rest) for owner, currency, *rest in found}


def _is_latest(row: MonthlyStatement) -> bool:
    """Whether no later month could be closed by now."""
    following = month_after(row.month, ended_at=row.until, time_zone=row.time_zone)
    return clock.utc_now() < following.until + CLOSED_AFTER


async def _tell(session: AsyncSession, row: MonthlyStatement, mail_room: MailRoom) -> None:
    """Post a mail to those in charge of money; it names the month and no amount."""

    def letter(locale: str, organization_name: str) -> Letter:
        address = f"{mail_room.console_url}{CONSOLE_PATH}"
        return letters.statement_closed(
            locale, organization_name=organization_name, month=f"{row.month:%Y-%m}", address=address
        )

    await write_to_members(
        session, mail_room=mail_room, organization_id=row.organization_id, roles=IN_CHARGE_OF_MONEY, letter=letter
    )
