"""Whether an organization's calls would be admitted, and if not, what is in the way first."""

from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.credit.lots import spendable_now
from onetoken_app.money import Nanos
from onetoken_app.organizations.queries import OrganizationView
from onetoken_app.payments.queries import has_reported_order
from onetoken_app.verification.models import CaseState
from onetoken_app.verification.queries import case_state


class Readiness(StrEnum):
    """What a page says above the figures."""

    READY = "ready"
    """Nothing is in the way."""
    SUSPENDED = "suspended"
    """The operator suspended the organization."""
    UNVERIFIED = "unverified"
    """It is not verified yet."""
    FROZEN = "frozen"
    """The operator froze its credit."""
    NO_MODEL = "no_model"
    """No model has a price in its currency and a region that is open to it."""
    USED_UP = "used_up"
    """There is nothing to spend."""


def readiness_of(
    customer: OrganizationView, *, has_model: bool, available_nanos: Nanos, is_frozen: bool = False
) -> Readiness:  # fmt: skip
    """Judge what a page tells a customer; the relay decides on each call.

    Args:
        customer: Who calls.
        has_model: There is one that it could call.
        available_nanos: What it can spend on any model or on some.
        is_frozen: No new call is paid for.
    """
    if customer.suspended_at is not None:
        return Readiness.SUSPENDED
    if customer.verified_at is None:
        return Readiness.UNVERIFIED
    if is_frozen:
        return Readiness.FROZEN
    if not has_model:
        return Readiness.NO_MODEL
    return Readiness.READY if available_nanos > 0 else Readiness.USED_UP


async def is_with_operator(session: AsyncSession, organization_id: str) -> bool:
    """Whether the organization waits for the operator: its case is under review, or a transfer of it is looked for."""
    if await case_state(session, organization_id) in {CaseState.SUBMITTED, CaseState.IN_REVIEW}:
        return True
    return await has_reported_order(session, organization_id)


async def readiness_now(session: AsyncSession, customer: OrganizationView | None, *, has_model: bool) -> str:
    """Read the balance, and judge; an organization that is gone is told nothing."""
    if customer is None:
        return Readiness.READY.value
    found = await spendable_now(session, organization_id=customer.id, currency=customer.currency, now=clock.utc_now())
    return readiness_of(
        customer,
        has_model=has_model,
        available_nanos=found.balance.available_nanos + found.in_lots_nanos,
        is_frozen=found.is_frozen,
    ).value
