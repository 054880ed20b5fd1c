"""Registers organizations, keeps their particulars, and says who acts for them."""

from collections.abc import Collection

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import Person
from onetoken_app.money import Currency
from onetoken_app.organizations.models import DeclaredScenario, Membership, Organization, OrganizationRole, Scenario
from onetoken_app.organizations.registration_codes import checked_registration_code
from onetoken_app.organizations.time_zones import zone_of

DEFAULT_TIME_ZONE = "Asia/Shanghai"
NAME_CHARACTERS_MAX = 200


class OrganizationRegistered(Conflict):
    """Somebody registered this organization before."""

    code = "organization_registered"


async def register_organization(
    session: AsyncSession,
    *,
    name: str,
    registration_code: str,
    currency: Currency,
    time_zone: str = DEFAULT_TIME_ZONE,
) -> str:
    """Register a customer, not verified yet; return the id.

    Args:
        session: Open unit of work; the caller commits.
        name: As on the licence; 1–200 characters.
        registration_code: Unified social credit code; at most one organization has it.
        currency: What it is billed in.
        time_zone: IANA name; days and months are cut in it.

    Raises:
        BadRequest: A value cannot be used.
        OrganizationRegistered: An organization with this code is registered.
    """
    code = await free_registration_code(session, registration_code)
    organization_id = new_id(Kind.ORGANIZATION)
    session.add(
        Organization(
            id=organization_id,
            name=_checked_name(name),
            registration_code=code,
            currency=currency,
            time_zone=zone_of(time_zone).key,
            created_at=clock.utc_now(),
        )
    )
    await session.flush()
    return organization_id


async def rename_organization(session: AsyncSession, *, organization_id: str, name: str) -> None:
    """Change the name.

    Raises:
        BadRequest: The name cannot be used.
        NotFound: There is no such organization.
    """
    organization = await _organization(session, organization_id)
    organization.name = _checked_name(name)


async def record_particulars(session: AsyncSession, *, organization_id: str, name: str, registration_code: str) -> None:
    """Put the name and the code on record that were proved; unchanged ones write nothing.

    Raises:
        BadRequest: A value cannot be used.
        Conflict: Another organization has this code.
        NotFound: There is no such organization.
    """
    organization = await _organization(session, organization_id)
    if registration_code != organization.registration_code:
        organization.registration_code = await free_registration_code(session, registration_code)
    if name != organization.name:
        organization.name = _checked_name(name)
    await session.flush()


async def free_registration_code(session: AsyncSession, registration_code: str) -> str:
    """Return a code in its one form when no organization has it.

    Raises:
        BadRequest: It is no code that the register gives out.
        OrganizationRegistered: An organization with this code is registered.
    """
    code = checked_registration_code(registration_code)
    taken = (await session.exec(select(Organization.id).where(Organization.registration_code == code))).first()
    if taken is not None:
        raise OrganizationRegistered(
            "An organization with this registration code exists already. If it is yours, ask its owner to invite you."
        )
    return code


async def set_time_zone(session: AsyncSession, *, organization_id: str, time_zone: str) -> None:
    """Cut days and months in another time zone from now on, past ones as well; charges stay what they are.

    Raises:
        BadRequest: It is unknown.
        NotFound: There is no such organization.
    """
    organization = await _organization(session, organization_id)
    organization.time_zone = zone_of(time_zone).key


async def mark_verified(session: AsyncSession, *, organization_id: str) -> None:
    """Record that an organization has proved what it is; a verified one keeps its first moment.

    Raises:
        NotFound: There is no such organization.
    """
    organization = await _organization(session, organization_id)
    if organization.verified_at is None:
        organization.verified_at = clock.utc_now()


async def withdraw_verification(session: AsyncSession, *, organization_id: str) -> None:
    """Refuse an organization's calls until it has proved again what it is; doing it again changes nothing.

    Raises:
        NotFound: There is no such organization.
    """
    organization = await _organization(session, organization_id)
    organization.verified_at = None


async def add_member(session: AsyncSession, *, organization_id: str, person_id: str, role: OrganizationRole) -> None:
    """Let a person act for an organization, or change the role in which they do.

    A person may act for several organizations.

    Raises:
        NotFound: No such organization or person.
    """
    await _organization(session, organization_id)
    if await session.get(Person, person_id) is None:
        raise NotFound("There is no such person.")
    membership = await session.get(Membership, (organization_id, person_id))
    if membership is None:
        session.add(
            Membership(organization_id=organization_id, person_id=person_id, role=role, created_at=clock.utc_now())
        )
    elif membership.role != role:
        membership.role = role
    await session.flush()


async def declare_scenarios(
    session: AsyncSession, *, organization_id: str, scenarios: Collection[Scenario], declared_by: str
) -> None:
    """Put on file what an organization uses the service for; what it declared before and not now is taken back.

    Raises:
        BadRequest: Nothing is declared.
        NotFound: There is no such organization.
    """
    if not scenarios:
        raise BadRequest("Say what your organization will use the service for.", parameter="scenarios")
    await _organization(session, organization_id)
    of_organization = col(DeclaredScenario.organization_id) == organization_id
    await session.exec(
        delete(DeclaredScenario).where(of_organization, col(DeclaredScenario.scenario).not_in(scenarios))
    )
    kept = set(await session.exec(select(DeclaredScenario.scenario).where(of_organization)))
    for scenario in dict.fromkeys(scenarios):
        if scenario not in kept:
            session.add(
                DeclaredScenario(
                    organization_id=organization_id,
                    scenario=scenario,
                    declared_by=declared_by,
                    declared_at=clock.utc_now(),
                )
            )
    await session.flush()


async def _organization(session: AsyncSession, organization_id: str) -> Organization:
    """Find an organization."""
    organization = await session.get(Organization, organization_id)
    if organization is None:
        raise NotFound("There is no such organization.")
    return organization


def _checked_name(name: str) -> str:
    """Trim a name and refuse an empty, long or unprintable one."""
    name = name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest(
            f"An organization's name has 1 to {NAME_CHARACTERS_MAX} printable characters.", parameter="name"
        )
    return name
