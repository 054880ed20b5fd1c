"""Reads organizations, their standing and their members."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.identity.models import Person
from onetoken_app.money import Currency
from onetoken_app.organizations.models import (
    DeclaredScenario,
    Invitation,
    Membership,
    Organization,
    OrganizationRole,
    Scenario,
)


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """A customer."""

    id: str
    name: str
    registration_code: str
    currency: Currency
    time_zone: str
    created_at: datetime
    verified_at: datetime | None
    suspended_at: datetime | None

    @property
    def is_in_good_standing(self) -> bool:
        """Whether its calls are admitted, as far as the organization itself is concerned."""
        return self.verified_at is not None and self.suspended_at is None


@dataclass(frozen=True, slots=True)
class MembershipView:
    """An organization that a person acts for."""

    organization_id: str
    organization_name: str
    role: OrganizationRole
    time_zone: str
    suspended_at: datetime | None
    """Set: the organization's calls are refused."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """A person who acts for an organization."""

    person_id: str
    email: str
    name: str
    role: OrganizationRole


@dataclass(frozen=True, slots=True)
class InvitationView:
    """A role that is offered to an address."""

    id: str
    organization_id: str
    email: str
    role: OrganizationRole
    invited_by: str
    """A person's id."""
    invited_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None


async def organization(session: AsyncSession, organization_id: str) -> OrganizationView | None:
    """Return an organization."""
    row = await session.get(Organization, organization_id)
    return _view(row) if row else None


async def organizations_by_id(session: AsyncSession, organization_ids: Collection[str]) -> dict[str, OrganizationView]:
    """Return these organizations, by id, in one query."""
    query = select(Organization).where(col(Organization.id).in_(organization_ids))
    return {row.id: _view(row) for row in await session.exec(query)}


async def organization_by_code(session: AsyncSession, registration_code: str) -> OrganizationView | None:
    """Return the organization with this registration code, written in its one form."""
    query = select(Organization).where(Organization.registration_code == registration_code)
    row = (await session.exec(query)).first()
    return _view(row) if row else None


async def organizations(session: AsyncSession) -> list[OrganizationView]:
    """Return every organization, oldest first."""
    return [_view(row) for row in await session.exec(select(Organization).order_by(Organization.id))]


async def memberships_of(session: AsyncSession, person_id: str) -> list[MembershipView]:
    """Return the organizations a person acts for, by name."""
    query = (
        select(Membership, Organization)
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(Membership.person_id == person_id)
        .order_by(Organization.name, Organization.id)
    )
    return [
        MembershipView(
            organization_id=customer.id,
            organization_name=customer.name,
            role=membership.role,
            time_zone=customer.time_zone,
            suspended_at=customer.suspended_at,
        )
        for membership, customer in await session.exec(query)
    ]


async def members_of(session: AsyncSession, organization_id: str) -> list[MemberView]:
    """Return the people who act for an organization, by e-mail address."""
    query = (
        select(Membership, Person)
        .join(Person, col(Person.id) == col(Membership.person_id))
        .where(Membership.organization_id == organization_id)
        .order_by(Person.email)
    )
    return [
        MemberView(person_id=person.id, email=person.email, name=person.name, role=membership.role)
        for membership, person in await session.exec(query)
    ]


async def declared_scenarios(session: AsyncSession, organization_id: str) -> list[Scenario]:
    """Return what an organization says it uses the service for."""
    query = select(DeclaredScenario.scenario).where(DeclaredScenario.organization_id == organization_id)
    declared = {Scenario(one) for one in await session.exec(query)}
    return [scenario for scenario in Scenario if scenario in declared]


async def organizations_declaring(session: AsyncSession, scenario: Scenario) -> set[str]:
    """Return the ids of the organizations that say they use the service for this."""
    query = select(DeclaredScenario.organization_id).where(DeclaredScenario.scenario == scenario)
    return set(await session.exec(query))


async def open_invitations(session: AsyncSession, organization_id: str, now: datetime) -> list[InvitationView]:
    """Return the offers of an organization that can still be accepted, newest first."""
    query = (
        select(Invitation)
        .where(
            Invitation.organization_id == organization_id,
            col(Invitation.accepted_at).is_(None),
            col(Invitation.withdrawn_at).is_(None),
            col(Invitation.expires_at) > now,
        )
        .order_by(col(Invitation.id).desc())
    )
    return [_invitation_view(row) for row in await session.exec(query)]


async def invitation(session: AsyncSession, invitation_id: str) -> InvitationView | None:
    """Return an offer, whatever became of it."""
    row = await session.get(Invitation, invitation_id)
    return _invitation_view(row) if row else None


def _invitation_view(row: Invitation) -> InvitationView:
    """Copy an offer."""
    return InvitationView(**{name: getattr(row, name) for name in InvitationView.__slots__})


def _view(row: Organization) -> OrganizationView:
    """Copy an organization."""
    return OrganizationView(
        id=row.id,
        name=row.name,
        registration_code=row.registration_code,
        currency=row.currency,
        time_zone=row.time_zone,
        created_at=row.created_at,
        verified_at=row.verified_at,
        suspended_at=row.suspended_at,
    )
