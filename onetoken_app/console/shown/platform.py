"""Organizations as rows for the operator's people."""

from dataclasses import dataclass
from enum import StrEnum

from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.organizations.queries import OrganizationView


class OrganizationStanding(StrEnum):
    """Whether an organization's calls are admitted."""

    VERIFIED = "verified"
    """Admitted."""
    UNVERIFIED = "unverified"
    """Not yet: nobody has checked that it is one."""
    SUSPENDED = "suspended"
    """Not any more, for now."""


class PublicService(StrEnum):
    """Whether an organization says that it serves the general public, and may."""

    CONSENTED = "consented"
    """It does, with the operator's written consent on file."""
    MISSING = "missing"
    """It declared so, and the consent is not there."""
    NO = "no"
    """It does not."""


@dataclass(frozen=True, slots=True)
class ShownOrganization:
    """One row."""

    id: str = ""
    name: str = ""
    code: str = ""
    currency: str = ""
    standing: str = ""
    public_service: str = ""
    created: str = ""


def shown_organization(
    view: OrganizationView, *, public_service: PublicService = PublicService.NO, time_zone: str = "UTC"
) -> ShownOrganization:
    """Turn an organization into its row."""
    return ShownOrganization(
        id=view.id,
        name=view.name,
        code=view.registration_code,
        currency=view.currency.value,
        standing=_standing(view).value,
        public_service=public_service.value,
        created=shown_minute(view.created_at, time_zone),
    )


def _standing(view: OrganizationView) -> OrganizationStanding:
    """Judge whether calls are admitted."""
    if view.suspended_at is not None:
        return OrganizationStanding.SUSPENDED
    return OrganizationStanding.VERIFIED if view.verified_at else OrganizationStanding.UNVERIFIED
