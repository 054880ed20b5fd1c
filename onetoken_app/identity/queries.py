"""Reads people and their sessions."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.identity.models import Person, SignInSession, StaffMembership, StaffRole
from onetoken_app.identity.service import session_digest


@dataclass(frozen=True, slots=True)
class CredentialsView:
    """What signing in compares."""

    person_id: str
    password_hash: str | None = field(repr=False)
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody who may sign in."""

    id: str
    email: str
    name: str
    locale: str
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class SignedInView:
    """Who is calling, as their session says."""

    person_id: str
    email: str
    name: str
    locale: str
    staff_roles: frozenset[StaffRole]
    session_id: str


async def credentials_of(session: AsyncSession, email: str) -> CredentialsView | None:
    """Return what signing in as ``email`` compares, whatever its case; ``None``: nobody."""
    row = await _by_email(session, email)
    if row is None:
        return None
    return CredentialsView(person_id=row.id, password_hash=row.password_hash, is_disabled=row.disabled_at is not None)


async def person_by_email(session: AsyncSession, email: str) -> PersonView | None:
    """Return the person who signs in as ``email``."""
    row = await _by_email(session, email)
    return _person_view(row) if row else None


async def person(session: AsyncSession, person_id: str) -> PersonView | None:
    """Return a person."""
    row = await session.get(Person, person_id)
    return _person_view(row) if row else None


async def names_of(session: AsyncSession, person_ids: Collection[str]) -> dict[str, str]:
    """Return what people are called, by id: the name, or the e-mail address of somebody who gave none."""
    query = select(Person.id, Person.name, Person.email).where(col(Person.id).in_(person_ids))
    return {person_id: name or email for person_id, name, email in await session.exec(query)}


async def signed_in_person(session: AsyncSession, secret: str, now: datetime) -> SignedInView | None:
    """Return whose session a cookie opens; ``None``: unknown, expired, signed out, or the person is disabled."""
    query = (
        select(SignInSession, Person)
        .join(Person, col(Person.id) == col(SignInSession.person_id))
        .where(
            SignInSession.secret_digest == session_digest(secret),
            SignInSession.expires_at > now,
            col(SignInSession.revoked_at).is_(None),
            col(Person.disabled_at).is_(None),
        )
    )
    row = (await session.exec(query)).first()
    if row is None:
        return None
    sign_in, owner = row
    roles = await session.exec(select(StaffMembership.role).where(StaffMembership.person_id == owner.id))
    return SignedInView(
        person_id=owner.id,
        email=owner.email,
        name=owner.name,
        locale=owner.locale,
        staff_roles=frozenset(StaffRole(role) for role in roles),
        session_id=sign_in.id,
    )


async def _by_email(session: AsyncSession, email: str) -> Person | None:
    """Find who signs in with an address; what no column can hold (NUL, half a surrogate pair) is nobody's."""
    normalized = email.strip().lower()
    if not normalized.isprintable():
        return None
    return (await session.exec(select(Person).where(Person.email == normalized))).first()


def _person_view(row: Person) -> PersonView:
    """Copy a person without the password's hash."""
    return PersonView(
        id=row.id, email=row.email, name=row.name, locale=row.locale, is_disabled=row.disabled_at is not None
    )
