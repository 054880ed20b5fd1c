"""Adds a person to the operator's staff, or gives one a further role or a new password."""

from dataclasses import dataclass, field

from onetoken_app.audit import service as audit
from onetoken_app.command.failure import CommandFailed
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity import passwords
from onetoken_app.identity import queries as identity_queries
from onetoken_app.identity import service as identity
from onetoken_app.identity.models import StaffRole


@dataclass(frozen=True, slots=True)
class StaffAdded:
    """What came about."""

    person_id: str
    email: str
    is_new: bool
    has_new_password: bool


@dataclass(frozen=True, slots=True)
class StaffRequest:
    """Whom to add, as what."""

    email: str
    role: StaffRole
    name: str = ""
    password: str | None = field(default=None, repr=False)
    """Unset: a person who exists keeps theirs."""


def staff_role(word: str) -> StaffRole:
    """Read a role.

    Raises:
        CommandFailed: There is no such role.
    """
    roles = [role.value for role in StaffRole]
    if word not in roles:
        message = f"--role: one of {', '.join(roles)}"
        raise CommandFailed(message)
    return StaffRole(word)


async def add_staff(request: StaffRequest) -> StaffAdded:
    """Add or change one person, in one unit of work; audited as the operator's act.

    Raises:
        CommandFailed: A new person needs a password.
        BadRequest: The e-mail address or the password cannot be used.
    """
    email = identity.normalized_email(request.email)
    if request.password is not None:
        await passwords.check_password_rules(request.password, email=email, known_as=[request.name])
    async with read_session() as session:
        known = await identity_queries.credentials_of(session, email)
    if known is None and request.password is None:
        message = f"{email}: a new person needs a password"
        raise CommandFailed(message)
    is_right = known is not None and (
        request.password is None or await passwords.verify_password(request.password, known.password_hash)
    )
    password_hash = None if is_right or request.password is None else await passwords.hash_password(request.password)
    async with unit_of_work() as session:
        if known is None:
            person_id = await identity.create_person(
                session, email=email, name=request.name, password_hash=password_hash
            )
        else:
            person_id = known.person_id
            if password_hash is not None:
                await identity.set_password_hash(session, person_id=person_id, password_hash=password_hash)
        await identity.grant_staff_role(session, person_id=person_id, role=request.role)
        await audit.record(
            session,
            actor=audit.OPERATOR,
            action="staff_added",
            subject_id=person_id,
            facts={"role": request.role.value, "is_new": known is None, "has_new_password": password_hash is not None},
        )
    return StaffAdded(
        person_id=person_id, email=email, is_new=known is None, has_new_password=password_hash is not None
    )
