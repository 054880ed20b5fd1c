"""Who is calling, read from the session behind a browser's cookie, and remembered for at most three seconds.

Nothing that a browser says about itself counts: not its State, not the organization it names. The cookie's secret is
looked up, the memberships are read, and what was chosen is only believed when it is one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from onetoken_app import clock
from onetoken_app.agreements.outstanding import OwedAgreement
from onetoken_app.agreements.queries import owed_agreements
from onetoken_app.console.http_exchange import cookie_of
from onetoken_app.console.origins import is_https
from onetoken_app.database import read_session
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.queries import SignedInView, signed_in_person
from onetoken_app.identity.service import session_digest
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import MembershipView, memberships_of
from onetoken_app.organizations.suspensions import SuspensionView, suspensions_in_force
from onetoken_app.settings import Settings, get_settings

REMEMBERED_SECONDS = 3.0
"""Sign-out, a change of role and a disabled person reach open sockets within this time; the promise is five."""
_REMEMBERED_MAX = 10_000


class Role(StrEnum):
    """For whom an event is; the app refuses to start with one that does not say."""

    NOBODY = "nobody"
    """Anybody, signed in or not: looks of the page only."""
    PERSON = "person"
    """Whoever is signed in."""
    VIEWER = "viewer"
    """Any member of the organization."""
    BILLING = "billing"
    """Who looks after its money."""
    DEVELOPER = "developer"
    """Who looks after its keys."""
    ADMINISTRATOR = "administrator"
    """Who looks after its members and settings."""
    OWNER = "owner"
    """Who answers for it."""
    STAFF = "staff"
    """Any member of the operator's staff."""
    STAFF_SUPPORT = "staff_support"
    """Staff who help customers."""
    STAFF_REVIEWER = "staff_reviewer"
    """Staff who decide on organizations."""
    STAFF_FINANCE = "staff_finance"
    """Staff who look after prices and payments."""
    STAFF_ADMINISTRATOR = "staff_administrator"
    """Staff who run the platform."""


CHANGES = frozenset({Role.BILLING, Role.DEVELOPER, Role.ADMINISTRATOR, Role.OWNER})
"""Roles of events that change something for an organization; they are refused for another than the screen shows."""
_ABOVE_ALL = {OrganizationRole.ADMINISTRATOR, OrganizationRole.OWNER}
_ORGANIZATION_ROLES: Mapping[Role, frozenset[OrganizationRole]] = {
    Role.VIEWER: frozenset(OrganizationRole),
    Role.BILLING: frozenset({OrganizationRole.BILLING, *_ABOVE_ALL}),
    Role.DEVELOPER: frozenset({OrganizationRole.DEVELOPER, *_ABOVE_ALL}),
    Role.ADMINISTRATOR: frozenset(_ABOVE_ALL),
    Role.OWNER: frozenset({OrganizationRole.OWNER}),
}
_STAFF_ROLES: Mapping[Role, frozenset[StaffRole]] = {
    Role.STAFF: frozenset(StaffRole),
    Role.STAFF_SUPPORT: frozenset({StaffRole.SUPPORT, StaffRole.ADMINISTRATOR}),
    Role.STAFF_REVIEWER: frozenset({StaffRole.REVIEWER, StaffRole.ADMINISTRATOR}),
    Role.STAFF_FINANCE: frozenset({StaffRole.FINANCE, StaffRole.ADMINISTRATOR}),
    Role.STAFF_ADMINISTRATOR: frozenset({StaffRole.ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in person, and the organization they act for at the moment, if they have one."""

    person: SignedInView
    memberships: tuple[MembershipView, ...]
    acting_for: MembershipView | None
    owed: tuple[OwedAgreement, ...] = ()
    """What the organization they act for has to accept."""
    suspension: SuspensionView | None = None
    """Why its calls are refused; unset: it is not suspended."""

    @property
    def organization_id(self) -> str:
        """The organization they act for; empty for somebody who has none."""
        return self.acting_for.organization_id if self.acting_for else ""

    def may(self, role: Role) -> bool:
        """Whether an event for ``role`` is open to them."""
        if role in {Role.NOBODY, Role.PERSON}:
            return True
        if role in _STAFF_ROLES:
            return bool(self.person.staff_roles & _STAFF_ROLES[role])
        return self.acting_for is not None and self.acting_for.role in _ORGANIZATION_ROLES[role]


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What was read for one cookie, and when."""

    person: SignedInView | None
    memberships: tuple[MembershipView, ...]
    owed: Mapping[str, tuple[OwedAgreement, ...]]
    """By organization, of those that owe any."""
    suspensions: Mapping[str, SuspensionView]
    """By organization, of those that are suspended."""
    read_at_seconds: float


_remembered: dict[bytes, _Remembered] = {}


def cookie_name(settings: Settings) -> str:
    """Return the session cookie's name; over TLS the browser itself binds it to this host and path."""
    return "__Host-onetoken" if is_https(settings) else "onetoken"


def session_secret(cookie_header: str) -> str | None:
    """Return the secret that a browser holds."""
    return cookie_of(cookie_header, cookie_name(get_settings()))


async def find_caller(cookie_header: str, *, chosen_organization_id: str = "") -> Caller | None:
    """Return who calls, or ``None``.

    Args:
        cookie_header: The browser's ``Cookie`` header.
        chosen_organization_id: What the browser says it acts for; the first by name when it is none of theirs.
    """
    secret = session_secret(cookie_header)
    if secret is None:
        return None
    found = await _read(secret)
    if found.person is None:
        return None
    chosen = [one for one in found.memberships if one.organization_id == chosen_organization_id]
    acting_for = next(iter((*chosen, *found.memberships)), None)
    organization_id = acting_for.organization_id if acting_for else ""
    return Caller(
        person=found.person,
        memberships=found.memberships,
        acting_for=acting_for,
        owed=found.owed.get(organization_id, ()),
        suspension=found.suspensions.get(organization_id),
    )


def forget_session(secret: str) -> None:
    """Look a session up anew at its next use."""
    _remembered.pop(session_digest(secret), None)


def forget_everybody() -> None:
    """Look every session up anew."""
    _remembered.clear()


async def _read(secret: str) -> _Remembered:
    """Look a session up, at most once in three seconds."""
    digest = session_digest(secret)
    now_seconds = clock.monotonic_seconds()
    known = _remembered.get(digest)
    if known is not None and now_seconds - known.read_at_seconds < REMEMBERED_SECONDS:
        return known
    async with read_session() as session:
        person = await signed_in_person(session, secret, clock.utc_now())
        memberships = tuple(await memberships_of(session, person.person_id)) if person else ()
        owed = await owed_agreements(session, [one.organization_id for one in memberships]) if memberships else {}
        suspended = [one.organization_id for one in memberships if one.suspended_at is not None]
        suspensions = await suspensions_in_force(session, suspended) if suspended else {}
    if len(_remembered) >= _REMEMBERED_MAX:
        _remembered.clear()
    # The moment before the look counts: what was read is at least as old as that.
    _remembered[digest] = found = _Remembered(person, memberships, owed, suspensions, now_seconds)
    return found
