"""Credit limits follow the days of their contracts: nothing is lent before the first, and nothing new after the last.

The floor of the balance is the ledger's; a job brings it to what the day says, in the organization's time zone. What is
owed at the end stays owed: the floor rises as it is paid.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.billing.models import Contract
from onetoken_app.billing.months import day_at
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.models import Account, AccountKind
from onetoken_app.money import Currency, Nanos
from onetoken_app.organizations.models import Organization

ENTRIES = "contract_day"
"""What the references of the ledger's entries begin with."""


class ContractStanding(StrEnum):
    """Whether a contract lends today."""

    COMING = "coming"
    """Its first day is not reached."""
    IN_FORCE = "in_force"
    """It lends."""
    ENDED = "ended"
    """Its last day has passed; what is owed stays due."""


class _Term(Protocol):
    """From when to when something is agreed."""

    @property
    def starts_on(self) -> date: ...
    @property
    def ends_on(self) -> date | None: ...


class _Customer(Protocol):
    """Whose balance it is."""

    @property
    def id(self) -> str: ...
    @property
    def currency(self) -> Currency: ...


def standing_on(term: _Term, day: date) -> ContractStanding:
    """Say what a contract is on a day of the organization's."""
    if day < term.starts_on:
        return ContractStanding.COMING
    if term.ends_on is not None and day > term.ends_on:
        return ContractStanding.ENDED
    return ContractStanding.IN_FORCE


async def contracts_to_follow(session: AsyncSession, *, now: datetime) -> list[str]:
    """Return the organizations whose floor is not what the day says, as far as it can be."""
    query = (
        select(Contract, Organization.time_zone, Account)
        .join(Organization, col(Organization.id) == col(Contract.organization_id))
        .join(
            Account,
            (col(Account.owner_id) == col(Organization.id))
            & (col(Account.currency) == col(Organization.currency))
            & (col(Account.kind) == AccountKind.PREPAID),
        )
        .order_by(col(Contract.organization_id))
    )
    return [
        contract.organization_id
        for contract, time_zone, account in await session.exec(query)
        if account.floor_nanos
        != -max(_limit_on(contract, day_at(now, time_zone=time_zone)), account.held_nanos - account.posted_nanos)
    ]


async def follow_contracts(session: AsyncSession, *, organization_ids: Sequence[str]) -> None:
    """Bring the credit limits of some organizations to what the day says; doing it again changes nothing.

    Args:
        session: Open unit of work; the caller commits. Holds and closes wait from here to the commit.
        organization_ids: A few of ``contracts_to_follow``.
    """
    for organization_id in organization_ids:
        row = await session.get(Contract, organization_id, with_for_update=True, populate_existing=True)
        customer = await session.get(Organization, organization_id)
        if row is not None and customer is not None:
            today = day_at(clock.utc_now(), time_zone=customer.time_zone)
            await follow(session, customer, limit_nanos=_limit_on(row, today))


async def follow(session: AsyncSession, customer: _Customer, *, limit_nanos: Nanos) -> None:
    """Bring one credit limit to what it should be, as far as what is in use allows."""
    await ledger.follow_credit_limit(
        session,
        owner_id=customer.id,
        currency=customer.currency,
        limit_nanos=limit_nanos,
        reference=f"{ENTRIES}:{customer.id}",
    )


def _limit_on(contract: Contract, day: date) -> Nanos:
    """Return what is lent on a day."""
    return contract.credit_limit_nanos if standing_on(contract, day) is ContractStanding.IN_FORCE else 0
