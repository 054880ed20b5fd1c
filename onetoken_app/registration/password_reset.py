"""Forgotten passwords: a link by mail, then a new password. A stranger never learns whether an address is known."""

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.identity.errors import LinkUnknown
from onetoken_app.identity.mailed_links import LIFETIMES, issue_link, use_link
from onetoken_app.identity.models import MailedLinkKind
from onetoken_app.identity.queries import person_by_email
from onetoken_app.identity.service import clear_failed_sign_ins, normalized_email, set_password_hash
from onetoken_app.notifications import letters
from onetoken_app.notifications.service import post_letter
from onetoken_app.registration.mailing import Mailing


async def ask_for_reset(session: AsyncSession, *, email: str, locale: str, mailing: Mailing) -> None:
    """Post the mail with which a new password is chosen; to an unknown address, one that says so.

    Args:
        session: Open unit of work; the caller commits, and has asked ``admit_mail_request`` before.
        email: What somebody typed.
        locale: Of the mail to an unknown address.
        mailing: How mails are written.

    Raises:
        BadRequest: It is no e-mail address.
    """
    email = normalized_email(email)
    known = await person_by_email(session, email)
    if known is not None and known.is_disabled:
        return
    if known is None:
        letter = letters.no_account(locale, sign_up=mailing.sign_up)
    else:
        secret = await issue_link(session, kind=MailedLinkKind.PASSWORD_RESET, email=email)
        minutes = int(LIFETIMES[MailedLinkKind.PASSWORD_RESET].total_seconds()) // 60
        letter = letters.reset_password(known.locale, link=mailing.reset_link(secret), minutes=minutes)
    await post_letter(session, key_encryption_key=mailing.key_encryption_key, recipient=email, letter=letter)


async def reset_password(session: AsyncSession, *, secret: str, password_hash: str, mailing: Mailing) -> str:
    """Use the link up, replace the password, end every session, tell the person; return their id.

    Raises:
        Gone: The link is used or expired.
        LinkUnknown: There is none, or the person may not sign in any more.
    """
    link = await use_link(session, kind=MailedLinkKind.PASSWORD_RESET, secret=secret)
    person = await person_by_email(session, link.email)
    if person is None or person.is_disabled:
        raise LinkUnknown("This link is not known. Ask for a new one.")
    await set_password_hash(session, person_id=person.id, password_hash=password_hash)
    await clear_failed_sign_ins(session, email=link.email)
    await audit.record(session, actor=Actor(ActorKind.PERSON, person.id), action="password_reset", subject_id=person.id)
    await post_letter(
        session,
        key_encryption_key=mailing.key_encryption_key,
        recipient=person.email,
        letter=letters.password_changed(person.locale, forgotten=mailing.forgotten),
    )
    return person.id
