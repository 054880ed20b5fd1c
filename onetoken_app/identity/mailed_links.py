"""Links for one use, sent by mail: whoever follows one reads the mail of its address. Only digests are stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identity.errors import LinkExpired, LinkUnknown, LinkUsed
from onetoken_app.identity.models import MailedLink, MailedLinkKind
from onetoken_app.identity.service import normalized_email

LIFETIMES = {
    MailedLinkKind.SIGN_UP: timedelta(hours=24),
    MailedLinkKind.PASSWORD_RESET: timedelta(hours=1),
    MailedLinkKind.INVITATION: timedelta(days=7),
}
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class MailedLinkView:
    """What a link is good for."""

    kind: MailedLinkKind
    email: str
    subject_id: str


async def issue_link(session: AsyncSession, *, kind: MailedLinkKind, email: str, subject_id: str = "") -> str:
    """Make a link for one use; return its secret, which is stored nowhere.

    Earlier links stay good until one of them is used: mails overtake each other.

    Args:
        session: Open unit of work; the caller commits.
        kind: What it is good for; decides how long.
        email: Where it will be sent.
        subject_id: What it is about.

    Raises:
        BadRequest: It is no e-mail address.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    now = clock.utc_now()
    session.add(
        MailedLink(
            kind=kind,
            secret_digest=_digest(secret),
            email=normalized_email(email),
            subject_id=subject_id,
            created_at=now,
            expires_at=now + LIFETIMES[kind],
        )
    )
    await session.flush()
    return secret


async def link_of(session: AsyncSession, *, kind: MailedLinkKind, secret: str) -> MailedLinkView:
    """Return what a link is good for; looking uses nothing up.

    Raises:
        LinkUnknown: No link of this kind has this secret.
        LinkUsed: It was used, or another one sent for the same was.
        LinkExpired: Its time is over.
    """
    return _view(await _usable(session, kind=kind, secret=secret))


async def use_link(session: AsyncSession, *, kind: MailedLinkKind, secret: str) -> MailedLinkView:
    """Use a link up, together with the others of its kind that were sent to the same address about the same.

    Of two who use it at once, one gets ``LinkUsed``.

    Raises:
        LinkUnknown: As ``link_of``.
        LinkUsed: As ``link_of``.
        LinkExpired: As ``link_of``.
    """
    link = await _usable(session, kind=kind, secret=secret)
    used = await session.exec(
        update(MailedLink)
        .where(
            col(MailedLink.kind) == kind,
            col(MailedLink.email) == link.email,
            col(MailedLink.subject_id) == link.subject_id,
            col(MailedLink.used_at).is_(None),
        )
        .values(used_at=clock.utc_now())
    )
    if used.rowcount == 0:
        raise _used()
    return _view(link)


async def purge_links(session: AsyncSession, *, expired_before: datetime, count_max: int) -> int:
    """Remove links that expired before a moment, at most ``count_max``; return how many."""
    expired = select(MailedLink.id).where(MailedLink.expires_at < expired_before).limit(count_max)
    result = await session.exec(delete(MailedLink).where(col(MailedLink.id).in_(expired)))
    return result.rowcount


async def _usable(session: AsyncSession, *, kind: MailedLinkKind, secret: str) -> MailedLink:
    """Find a link that is good."""
    query = select(MailedLink).where(MailedLink.secret_digest == _digest(secret), MailedLink.kind == kind)
    link = (await session.exec(query)).first()
    if link is None:
        raise LinkUnknown("This link is not known. Open it from the mail again, or ask for a new one.")
    if link.used_at is not None:
        raise _used()
    if link.expires_at <= clock.utc_now():
        raise LinkExpired("This link has expired; nothing was done. Ask for a new one.")
    return link


def _used() -> LinkUsed:
    """Say that it is too late, and that what was to be done is done."""
    return LinkUsed("This link was used already; it is not needed again. Sign in.")


def _digest(secret: str) -> bytes:
    """Return what is stored of a secret; a browser may send half a surrogate pair."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def _view(link: MailedLink) -> MailedLinkView:
    """Copy what the link is good for."""
    return MailedLinkView(kind=link.kind, email=link.email, subject_id=link.subject_id)
