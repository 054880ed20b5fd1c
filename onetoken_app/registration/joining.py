"""Invitations by mail. Whoever accepts one accepts the texts in force and declares their authority, like the first."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.agreements.clicks import Signatory, accepted_documents, check_signatory, record_clicks
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.identity.errors import LinkUnknown
from onetoken_app.identity.mailed_links import LIFETIMES, MailedLinkView, issue_link, link_of, use_link
from onetoken_app.identity.models import MailedLinkKind
from onetoken_app.identity.queries import SignedInView, person_by_email
from onetoken_app.identity.service import create_person
from onetoken_app.notifications import letters
from onetoken_app.notifications.service import post_letter
from onetoken_app.organizations.invitations import accept_invitation, invite, withdraw_invitation, withdrawn
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.organizations.queries import invitation, organization
from onetoken_app.registration.errors import SignInFirst
from onetoken_app.registration.mailing import Mailing


@dataclass(frozen=True, slots=True)
class OfferView:
    """What an invitation offers, for whoever holds its link."""

    email: str
    organization_name: str
    role: OrganizationRole
    is_known_person: bool
    """Whether the address has an account, so that no password has to be chosen."""
    is_named: bool
    """Whether it is known what they are called."""


@dataclass(frozen=True, slots=True)
class JoiningForm:
    """What an invited person says."""

    signatory: Signatory
    acts_with_authority: bool
    accepted: Mapping[str, str]
    """SHA-256 of the text that was shown, by kind of agreement."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Who came in."""

    person_id: str
    organization_id: str


async def invite_member(
    session: AsyncSession,
    *,
    organization_id: str,
    email: str,
    role: OrganizationRole,
    invited_by: SignedInView,
    mailing: Mailing,
) -> str:
    """Offer somebody a role and mail them the link; an earlier open offer becomes worthless. Return the id.

    Args:
        session: Open unit of work; the caller commits, and has checked what ``invited_by`` may offer.
        organization_id: Which organization.
        email: Who is invited, known or not.
        role: As what.
        invited_by: Who invites; the mail names them and is in their language if the invited person is unknown.
        mailing: How mails are written.

    Raises:
        AlreadyMember: They act for the organization already.
        BadRequest: It is no e-mail address.
    """
    lifetime = LIFETIMES[MailedLinkKind.INVITATION]
    invitation_id = await invite(
        session,
        organization_id=organization_id,
        email=email,
        role=role,
        invited_by=invited_by.person_id,
        lifetime=lifetime,
    )
    secret = await issue_link(session, kind=MailedLinkKind.INVITATION, email=email, subject_id=invitation_id)
    known = await person_by_email(session, email)
    inviting = await organization(session, organization_id)
    await post_letter(
        session,
        key_encryption_key=mailing.key_encryption_key,
        recipient=email.strip().lower(),
        letter=letters.invitation(
            known.locale if known else invited_by.locale,
            organization_name=inviting.name if inviting else "",
            invited_by=invited_by.name or invited_by.email,
            link=mailing.invitation_link(secret),
            days=lifetime.days,
        ),
    )
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, invited_by.person_id),
        action="member_invited",
        subject_id=invitation_id,
        organization_id=organization_id,
        facts={"role": role.value},
    )
    return invitation_id


async def withdraw_offer(session: AsyncSession, *, organization_id: str, invitation_id: str, withdrawn_by: str) -> None:
    """Take an offer back, which makes its link worthless; doing it again changes nothing.

    Raises:
        NotFound: The organization made no such offer, or it was accepted.
    """
    await withdraw_invitation(session, organization_id=organization_id, invitation_id=invitation_id)
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, withdrawn_by),
        action="invitation_withdrawn",
        subject_id=invitation_id,
        organization_id=organization_id,
    )


async def offer_of(session: AsyncSession, *, secret: str) -> OfferView:
    """Return what a link offers; looking uses nothing up.

    Raises:
        Gone: The link is used or expired, or the offer was withdrawn.
        LinkUnknown: There is none.
    """
    link = await link_of(session, kind=MailedLinkKind.INVITATION, secret=secret)
    offer = await invitation(session, link.subject_id)
    inviting = await organization(session, offer.organization_id) if offer else None
    if offer is None or inviting is None:
        raise LinkUnknown("This link is not known. Ask whoever invited you for a new one.")
    if offer.withdrawn_at is not None:
        raise withdrawn()
    known = await person_by_email(session, link.email)
    return OfferView(
        email=link.email,
        organization_name=inviting.name,
        role=offer.role,
        is_known_person=known is not None,
        is_named=known is not None and known.name != "",
    )


def check_joining(form: JoiningForm) -> None:
    """Refuse a form that cannot lead anywhere, before anything costly is done. Nothing is used up.

    Raises:
        DeclarationMissing: The statement of authority, the name or the title is missing.
        AgreementNotAccepted: A text is not accepted.
        AgreementChanged: A text was replaced while it was read.
    """
    check_signatory(form.signatory, acts_with_authority=form.acts_with_authority)
    accepted_documents(form.accepted)


async def join_as_new_person(
    session: AsyncSession, *, secret: str, form: JoiningForm, password_hash: str, locale: str
) -> Joined:
    """Use the link up and make its reader a person and a member.

    Raises:
        Gone: The link is used or expired, or the offer withdrawn; ``NotFound``: or one of them is not there any more.
        SignInFirst: The address has an account: nobody but its owner may join with it.
        OneTokenError: As ``check_joining``.
    """
    check_joining(form)
    link = await use_link(session, kind=MailedLinkKind.INVITATION, secret=secret)
    if await person_by_email(session, link.email) is not None:
        raise SignInFirst(f"{link.email} has an account. Sign in with it, then open the link again.")
    person_id = await create_person(
        session, email=link.email, name=form.signatory.name, password_hash=password_hash, locale=locale
    )
    return await _join(session, link, form, person_id)


async def join_as_known_person(
    session: AsyncSession, *, secret: str, form: JoiningForm, person: SignedInView
) -> Joined:
    """Use the link up and make somebody who is signed in a member.

    Raises:
        Gone: The link is used or expired, or the offer withdrawn; ``NotFound``: or one of them is not there any more.
        SignInFirst: The link was sent to another address than that of who is signed in.
        OneTokenError: As ``check_joining``.
    """
    check_joining(form)
    link = await use_link(session, kind=MailedLinkKind.INVITATION, secret=secret)
    if link.email != person.email:
        raise SignInFirst(f"This invitation is for {link.email}. Sign in as that, then open the link again.")
    return await _join(session, link, form, person.person_id)


async def _join(session: AsyncSession, link: MailedLinkView, form: JoiningForm, person_id: str) -> Joined:
    """Take the seat and put on file what was accepted and declared."""
    organization_id = await accept_invitation(session, invitation_id=link.subject_id, person_id=person_id)
    await record_clicks(
        session,
        organization_id=organization_id,
        person_id=person_id,
        signatory=form.signatory,
        accepted=accepted_documents(form.accepted),
    )
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, person_id),
        action="invitation_accepted",
        subject_id=link.subject_id,
        organization_id=organization_id,
        facts={"caller_ip": form.signatory.caller_ip},
    )
    return Joined(person_id=person_id, organization_id=organization_id)
