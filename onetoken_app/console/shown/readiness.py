"""Whether an organization's calls would be admitted, and if not, what is in the way first."""

from enum import StrEnum

from onetoken_app.money import Nanos
from onetoken_app.organizations.queries import OrganizationView


class Readiness(StrEnum):
    """What a page says above the figures."""

    READY = "ready"
    """Nothing is in the way."""
    SUSPENDED = "suspended"
    """The operator suspended the organization."""
    UNVERIFIED = "unverified"
    """It is not verified yet."""
    NO_MODEL = "no_model"
    """No model has a price in its currency and a region that is open to it."""
    USED_UP = "used_up"
    """There is nothing to spend."""


def readiness_of(customer: OrganizationView, *, has_model: bool, available_nanos: Nanos) -> Readiness:
    """Judge what a page tells a customer; the relay decides on each call."""
    if customer.suspended_at is not None:
        return Readiness.SUSPENDED
    if customer.verified_at is None:
        return Readiness.UNVERIFIED
    if not has_model:
        return Readiness.NO_MODEL
    return Readiness.READY if available_nanos > 0 else Readiness.USED_UP
