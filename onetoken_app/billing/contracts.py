"""Contracts with organizations that pay afterwards: what they may owe, when they settle, and who is late."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.billing import following
from onetoken_app.billing.errors import ContractChanged, IssuerInvolved
from onetoken_app.billing.figures import Due
from onetoken_app.billing.following import ContractStanding, standing_on
from onetoken_app.billing.invoiceable import paid_total
from onetoken_app.billing.models import BillingCycle, Contract, MonthlyStatement
from onetoken_app.billing.months import Month, day_at, next_first
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import NANOS_MAX, Currency, Nanos, format_amount
from onetoken_app.organizations.models import Organization
from onetoken_app.organizations.queries import OrganizationView, members_of, organization
from onetoken_app.payments.errors import NotVerified
from onetoken_app.payments.words import checked_words

NUMBER_CHARACTERS_MAX = 64
PAYMENT_DAYS_MAX = 365


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """What was agreed."""

    number: str
    credit_limit_nanos: Nanos
    cycle: BillingCycle
    payment_days: int
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract in force or ended."""

    organization_id: str
    terms: ContractTerms
    reason: str
    """Of the last change, in finance's own words."""
    revision: int
    agreed_by: str
    agreed_at: datetime


@dataclass(frozen=True, slots=True)
class UnpaidView:
    """A closed cycle that is not paid wholly."""

    statement_id: str
    organization_id: str
    organization_name: str
    month: date
    currency: Currency
    due_nanos: Nanos
    paid_since_nanos: Nanos
    """Money that arrived − money that went back since it was closed."""
    outstanding_nanos: Nanos
    due_on: date
    is_overdue: bool
    """Its day has passed, where the organization is."""


async def agree_contract(
    session: AsyncSession,
    *,
    organization_id: str,
    terms: ContractTerms,
    agreed_by: str,
    expected_revision: int | None,
    limit_max_nanos: Nanos,
    reason: str = "",
) -> None:
    """Enter or change what was agreed; if it is in force, set the credit limit at once. The same again changes nothing.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: With whom; verified.
        terms: What was agreed; a limit of 0 ends the credit: it fails while more is used.
        agreed_by: Who of finance; has the role, as the edge checked, and belongs to the organization no more than that.
        expected_revision: Of the contract that was on the screen; ``None``: there was none.
        limit_max_nanos: No contract's credit limit is raised above it.
        reason: At most 1 000 characters, for colleagues.

    Raises:
        BadRequest: A term cannot be.
        ContractChanged: It was changed since.
        IssuerInvolved: They belong to the organization.
        LedgerConflict: The organization owes more than the new limit.
        NotFound, NotVerified: There is no such organization, or it was never verified.
    """
    terms, reason = _checked(terms), checked_words(reason)
    customer = await organization(session, organization_id)
    if customer is None:
        raise NotFound("There is no such organization.")
    if customer.verified_at is None:
        raise NotVerified("Only a verified organization pays afterwards; nothing was changed.")
    if agreed_by in {member.person_id for member in await members_of(session, organization_id)}:
        raise IssuerInvolved("You belong to this organization; a colleague has to do it.")
    row = await session.get(Contract, organization_id, with_for_update=True, populate_existing=True)
    if row is not None and (_terms(row), row.reason) == (terms, reason):
        return
    if (row.revision if row else None) != expected_revision:
        raise ContractChanged("Somebody changed this contract since you opened it; nothing was done. Look again.")
    _refuse_above(terms, limit_max_nanos, before_nanos=row.credit_limit_nanos if row else 0)
    now = clock.utc_now()
    if row is None:
        row = Contract(organization_id=organization_id, revision=0, agreed_by=agreed_by, agreed_at=now, **asdict(terms))
        session.add(row)
    for name, value in asdict(terms).items():
        setattr(row, name, value)
    row.agreed_by, row.agreed_at, row.reason = agreed_by, now, reason
    row.revision += 1
    await session.flush()
    await _audit(session, row, customer, actor_id=agreed_by)
    await _set_limit(session, row, customer, today=day_at(now, time_zone=customer.time_zone))


async def contract_of(session: AsyncSession, organization_id: str) -> ContractView | None:
    """Return an organization's contract; ``None``: it pays beforehand."""
    row = await session.get(Contract, organization_id)
    return _view(row) if row else None


async def overdue(session: AsyncSession, *, now: datetime, organization_id: str | None = None) -> list[UnpaidView]:
    """Return the cycles that should have been paid by now, longest overdue first; see ``unpaid``."""
    # A day ahead of UTC is still today somewhere.
    latest = now.date() + timedelta(days=1)
    found = await unpaid(session, now=now, organization_id=organization_id, due_until=latest)
    return [one for one in found if one.is_overdue]


async def unpaid(
    session: AsyncSession, *, now: datetime, organization_id: str | None = None, due_until: date | None = None
) -> list[UnpaidView]:
    """Return the cycles that are closed and not paid wholly, the earliest day first.

    Each is looked at by itself, because the next one's due includes it with a later day. What arrived since it was
    closed pays the oldest first, and nobody owes more than what the balance is below 0.

    Args:
        session: Any session.
        now: The present moment.
        organization_id: Only of this organization.
        due_until: Only with this day or an earlier one.
    """
    query = (
        select(MonthlyStatement, Organization)
        .join(Organization, col(Organization.id) == col(MonthlyStatement.organization_id))
        .where(col(MonthlyStatement.due_on).is_not(None), MonthlyStatement.due_nanos > 0)
        .order_by(col(MonthlyStatement.due_on), MonthlyStatement.id)
    )
    if organization_id is not None:
        query = query.where(MonthlyStatement.organization_id == organization_id)
    if due_until is not None:
        query = query.where(col(MonthlyStatement.due_on) <= due_until)
    found = []
    for row, customer in (await session.exec(query)).all():
        if row.due_on is None:
            continue
        paid = await paid_total(
            session, organization_id=customer.id, currency=row.currency, after_number=row.last_number
        )
        balance = await balance_of(session, owner_id=customer.id, currency=row.currency)
        outstanding = min(row.due_nanos - paid, -balance.posted_nanos)
        if outstanding > 0:
            found.append(
                UnpaidView(
                    statement_id=row.id,
                    organization_id=customer.id,
                    organization_name=customer.name,
                    month=row.month,
                    currency=row.currency,
                    due_nanos=row.due_nanos,
                    paid_since_nanos=paid,
                    outstanding_nanos=outstanding,
                    due_on=row.due_on,
                    is_overdue=day_at(now, time_zone=customer.time_zone) > row.due_on,
                )
            )
    return found


def due_of(contract: Contract | None, *, month: Month, prepaid_nanos: Nanos) -> Due | None:
    """Say what an organization owes at the end of a month; ``None``: no cycle ends with it.

    Args:
        contract: The organization's; ``None``: it pays beforehand.
        month: That is stated.
        prepaid_nanos: Its balance at the end, credit that was given apart.
    """
    if contract is None or next_first(month.first) <= contract.starts_on:
        return None
    ends_on = contract.ends_on
    has_ended = ends_on is not None and month.first > ends_on
    # Debt stays due, and calls that were under way at the end make some afterwards.
    if has_ended and prepaid_nanos >= 0:
        return None
    is_last = ends_on is not None and next_first(month.first) > ends_on
    if contract.cycle is BillingCycle.QUARTERLY and month.first.month % 3 and not is_last:
        return None
    last_day = day_at(month.until, time_zone=month.time_zone) - timedelta(days=1)
    return Due(
        amount_nanos=max(0, -prepaid_nanos),
        pay_by=(last_day + timedelta(days=contract.payment_days)).isoformat(),
        credit_limit_nanos=0 if has_ended else contract.credit_limit_nanos,
        contract_number=contract.number,
    )


def _refuse_above(terms: ContractTerms, limit_max_nanos: Nanos, *, before_nanos: Nanos) -> None:
    """Refuse to lend more than the operator lends anybody; what was agreed before may stay or fall."""
    if terms.credit_limit_nanos > max(limit_max_nanos, before_nanos):
        raise BadRequest(
            f"A credit limit is at most {format_amount(limit_max_nanos)} here; nothing was changed.",
            parameter="credit_limit",
        )


def _checked(terms: ContractTerms) -> ContractTerms:
    """Refuse terms that nobody can agree on."""
    number = terms.number.strip()
    if not 0 < len(number) <= NUMBER_CHARACTERS_MAX or not number.isprintable():
        raise BadRequest(f"Write the contract's number in 1 to {NUMBER_CHARACTERS_MAX} characters.", parameter="number")
    # A bool or a float that slipped through is no amount.
    if type(terms.credit_limit_nanos) is not int or not 0 <= terms.credit_limit_nanos <= NANOS_MAX:
        raise BadRequest("A credit limit is an amount of 0 or more.", parameter="credit_limit")
    if not 0 <= terms.payment_days <= PAYMENT_DAYS_MAX:
        raise BadRequest(f"0 to {PAYMENT_DAYS_MAX} days to pay.", parameter="payment_days")
    if terms.ends_on is not None and terms.ends_on < terms.starts_on:
        raise BadRequest("A contract does not end before it starts.", parameter="ends_on")
    return ContractTerms(
        number=number,
        credit_limit_nanos=terms.credit_limit_nanos,
        cycle=terms.cycle,
        payment_days=terms.payment_days,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
    )


async def _audit(session: AsyncSession, row: Contract, customer: OrganizationView, *, actor_id: str) -> None:
    """Add a line about a contract."""
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, actor_id),
        action="contract_agreed",
        subject_id=customer.id,
        organization_id=customer.id,
        facts={
            "number": row.number,
            "credit_limit": format_amount(row.credit_limit_nanos),
            "currency": customer.currency.value,
            "cycle": row.cycle.value,
            "payment_days": row.payment_days,
            "starts_on": row.starts_on.isoformat(),
            "ends_on": row.ends_on.isoformat() if row.ends_on else None,
            "revision": row.revision,
        },
    )


async def _set_limit(session: AsyncSession, row: Contract, customer: OrganizationView, *, today: date) -> None:
    """Let the balance fall as far as was agreed; not at all before the contract's first day and after its last."""
    await ledger.open_account(session, owner_id=customer.id, currency=customer.currency)
    if standing_on(row, today) is not ContractStanding.IN_FORCE:
        await following.follow(session, customer, limit_nanos=0)
        return
    await ledger.set_credit_limit(
        session,
        owner_id=customer.id,
        currency=customer.currency,
        limit_nanos=row.credit_limit_nanos,
        reference=f"contract:{customer.id}:{row.revision}",
    )


def _terms(row: Contract) -> ContractTerms:
    """Copy what was agreed."""
    return ContractTerms(**{name: getattr(row, name) for name in ContractTerms.__slots__})


def _view(row: Contract) -> ContractView:
    """Copy a contract."""
    return ContractView(
        organization_id=row.organization_id,
        terms=_terms(row),
        reason=row.reason,
        revision=row.revision,
        agreed_by=row.agreed_by,
        agreed_at=row.agreed_at,
    )
