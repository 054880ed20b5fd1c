"""Creates people, signs them in and out, and counts failed guesses."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import Person, SignInSession, SignInThrottle, StaffMembership, StaffRole
from onetoken_app.identity.throttle import (
    FORGOTTEN_AFTER,
    account_subject,
    address_subject,
    asking_subject,
    mailbox_subject,
    remaining_seconds,
)

_SESSION_SECRET_BYTES = 32
_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\]{1,64}@[^@\s,;:<>()\[\]\"\\]+\.[^@\s.,;:<>()\[\]\"\\]+")
"""One address: nothing that a mail's header would read as a list, a name or a comment."""
_EMAIL_CHARACTERS_MAX = 254
_NAME_CHARACTERS_MAX = 120


def normalized_email(email: str) -> str:
    """Return the one form of an e-mail address that people sign in with: lower case, no spaces around it.

    Raises:
        BadRequest: It is no e-mail address.
    """
    email = email.strip().lower()
    if len(email) > _EMAIL_CHARACTERS_MAX or not email.isprintable() or _EMAIL.fullmatch(email) is None:
        raise BadRequest("This is not an e-mail address.", parameter="email")
    return email


def session_digest(secret: str) -> bytes:
    """Return what is stored of a session's secret."""
    return hashlib.sha256(secret.encode()).digest()


async def create_person(
    session: AsyncSession, *, email: str, name: str, password_hash: str | None, locale: str = "en"
) -> str:
    """Create somebody who may sign in; return the id.

    Args:
        session: Open unit of work; the caller commits.
        email: What they sign in with; unique whatever its case.
        name: What they are called; at most 120 characters, may be empty.
        password_hash: Made by ``passwords.hash_password``; ``None``: cannot sign in with a password.
        locale: ``en`` or ``zh-CN``.

    Raises:
        BadRequest: The e-mail address or the name cannot be used.
        Conflict: Somebody has this e-mail address.
    """
    email = normalized_email(email)
    name = _checked_name(name)
    if (await session.exec(select(Person.id).where(Person.email == email))).first() is not None:
        raise Conflict("Somebody with this e-mail address exists already.")
    person_id = new_id(Kind.PERSON)
    session.add(
        Person(
            id=person_id,
            email=email,
            name=name,
            password_hash=password_hash,
            locale=locale,
            created_at=clock.utc_now(),
        )
    )
    await session.flush()
    return person_id


async def set_password_hash(session: AsyncSession, *, person_id: str, password_hash: str) -> None:
    """Replace a person's password and end every session they have, because the old one may be known to others.

    Raises:
        NotFound: There is no such person.
    """
    person = await _person(session, person_id)
    person.password_hash = password_hash
    await revoke_sessions_of(session, person_id)


async def rename_person(session: AsyncSession, *, person_id: str, name: str) -> None:
    """Change what a person is called.

    Raises:
        BadRequest: The name cannot be used.
        NotFound: There is no such person.
    """
    (await _person(session, person_id)).name = _checked_name(name)


async def set_locale(session: AsyncSession, *, person_id: str, locale: str) -> None:
    """Remember the language a person reads.

    Raises:
        NotFound: There is no such person.
    """
    (await _person(session, person_id)).locale = locale


async def disable_person(session: AsyncSession, *, person_id: str) -> None:
    """Keep a person out from now on; doing it again changes nothing.

    Raises:
        NotFound: There is no such person.
    """
    person = await _person(session, person_id)
    person.disabled_at = person.disabled_at or clock.utc_now()
    await revoke_sessions_of(session, person_id)


async def grant_staff_role(session: AsyncSession, *, person_id: str, role: StaffRole) -> None:
    """Make a person a member of the operator's staff; granting it again changes nothing.

    Raises:
        NotFound: There is no such person.
    """
    await _person(session, person_id)
    if await session.get(StaffMembership, (person_id, role)) is None:
        session.add(StaffMembership(person_id=person_id, role=role, created_at=clock.utc_now()))
        await session.flush()


async def start_session(
    session: AsyncSession, *, person_id: str, caller_ip: str, user_agent: str, lifetime: timedelta
) -> str:
    """Sign a person in; return the cookie's secret, which is stored nowhere.

    Raises:
        NotFound: There is no such person, or they are disabled.
    """
    person = await _person(session, person_id)
    if person.disabled_at is not None:
        raise NotFound("There is no such person.")
    secret = secrets.token_urlsafe(_SESSION_SECRET_BYTES)
    now = clock.utc_now()
    session.add(
        SignInSession(
            secret_digest=session_digest(secret),
            person_id=person_id,
            created_at=now,
            expires_at=now + lifetime,
            caller_ip=caller_ip[:45],
            user_agent=_printable(user_agent)[:256],
        )
    )
    await session.flush()
    return secret


async def end_session(session: AsyncSession, *, secret: str) -> None:
    """Sign one browser out; an unknown or ended session is left as it is."""
    await session.exec(
        update(SignInSession)
        .where(col(SignInSession.secret_digest) == session_digest(secret), col(SignInSession.revoked_at).is_(None))
        .values(revoked_at=clock.utc_now())
    )


async def revoke_sessions_of(session: AsyncSession, person_id: str) -> None:
    """Sign a person out everywhere."""
    await session.exec(
        update(SignInSession)
        .where(col(SignInSession.person_id) == person_id, col(SignInSession.revoked_at).is_(None))
        .values(revoked_at=clock.utc_now())
    )


async def purge_sessions(session: AsyncSession, *, ended_before: datetime, count_max: int) -> int:
    """Remove sessions that expired or were revoked before a moment, at most ``count_max``; return how many."""
    ended = (
        select(SignInSession.id)
        .where(sa.or_(col(SignInSession.expires_at) < ended_before, col(SignInSession.revoked_at) < ended_before))
        .limit(count_max)
    )
    result = await session.exec(delete(SignInSession).where(col(SignInSession.id).in_(ended)))
    return result.rowcount


async def purge_throttles(session: AsyncSession, *, now: datetime, count_max: int) -> int:
    """Remove counts of failures that are forgotten by now, at most ``count_max``; return how many.

    Rows that a guess has locked are left alone: waiting for two of them in the wrong order would be a deadlock.
    """
    forgotten = (
        select(SignInThrottle.subject)
        .where(SignInThrottle.last_failure_at <= now - FORGOTTEN_AFTER)
        .limit(count_max)
        .with_for_update(skip_locked=True)
    )
    subjects = (await session.exec(forgotten)).all()
    await session.exec(delete(SignInThrottle).where(col(SignInThrottle.subject).in_(subjects)))
    return len(subjects)


async def admit_sign_in_attempt(session: AsyncSession, *, email: str, caller_ip: str, now: datetime) -> int:
    """Count a guess before it is checked, or say how long it has to wait.

    A guess that is counted only after it was checked would let a hundred at once through the same gap. Commit, then
    check the password, then call ``clear_failed_sign_ins`` when it was right.

    Returns:
        0: the guess is counted and may be checked. Otherwise the seconds to wait, and nothing was counted.
    """
    return await _admit(session, _subjects(email, caller_ip), now)


async def admit_mail_request(session: AsyncSession, *, email: str, caller_ip: str, now: datetime) -> int:
    """Count a mail that somebody not signed in asks for, or say how long it has to wait.

    The same for mailboxes of people whom nobody knows. Commit before anything else is done.

    Returns:
        0: the mail is counted and may be sent. Otherwise the seconds to wait, and nothing was counted.
    """
    return await _admit(session, (mailbox_subject(email), asking_subject(caller_ip)), now)


async def clear_failed_sign_ins(session: AsyncSession, *, email: str, caller_ip: str | None = None) -> None:
    """Forget an account's failures after its owner got in.

    Args:
        session: Open unit of work; the caller commits.
        email: The account.
        caller_ip: Given after ``admit_sign_in_attempt``: takes back the one failure it counted against the address.
            The other failures of the address stay, or one right password would buy twenty guesses at other people's.
    """
    (await _locked_throttle(session, account_subject(email))).failure_count = 0
    if caller_ip is not None:
        of_address = await _locked_throttle(session, address_subject(caller_ip))
        of_address.failure_count = max(0, of_address.failure_count - 1)
    await session.flush()


def _checked_name(name: str) -> str:
    """Trim a person's name and refuse one that is long or cannot be shown."""
    name = name.strip()
    if len(name) > _NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest(f"A name has at most {_NAME_CHARACTERS_MAX} printable characters.", parameter="name")
    return name


async def _person(session: AsyncSession, person_id: str) -> Person:
    """Find a person."""
    person = await session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    return person


def _subjects(email: str, caller_ip: str) -> tuple[str, str]:
    """Name who is counted, always in the order in which they are locked."""
    return account_subject(email), address_subject(caller_ip)


async def _admit(session: AsyncSession, subjects: tuple[str, ...], now: datetime) -> int:
    """Count one more for each subject, unless one of them has to wait; return the seconds."""
    throttles = [await _locked_throttle(session, subject) for subject in subjects]
    waits = [_remaining(throttle, now) for throttle in throttles]
    if any(waits):
        return max(waits)
    for throttle in throttles:
        _count_failure(throttle)
    await session.flush()
    return 0


async def _locked_throttle(session: AsyncSession, subject: str) -> SignInThrottle:
    """Find or make a subject's count and lock it, so that guesses made at once are counted one by one.

    The row is made first: a row that does not exist cannot be locked, and two who both found none would both go on. One
    that is there is written over with itself, which locks it at once: a purge cannot take it away in between.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {"subject": subject, "failure_count": 0, "last_failure_at": clock.utc_now()}
    making = insert(SignInThrottle).values(row)
    await session.exec(making.on_conflict_do_update(index_elements=["subject"], set_={"subject": subject}))
    return await session.get_one(SignInThrottle, subject, with_for_update=True)


def _count_failure(throttle: SignInThrottle) -> None:
    """Count one more, or begin afresh after a quiet hour."""
    now = clock.utc_now()
    is_forgotten = now - throttle.last_failure_at >= FORGOTTEN_AFTER
    throttle.failure_count = 1 if is_forgotten else throttle.failure_count + 1
    throttle.last_failure_at = now


def _remaining(throttle: SignInThrottle, now: datetime) -> int:
    """Return the seconds a subject has to wait."""
    return remaining_seconds(
        throttle.subject, failure_count=throttle.failure_count, last_failure_at=throttle.last_failure_at, now=now
    )


def _printable(text: str) -> str:
    """Drop control characters."""
    return "".join(character for character in text[:1024] if character.isprintable())
