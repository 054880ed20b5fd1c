"""Sign-up: an address is confirmed by mail, then one form registers person and organization, all of it or nothing.

Nothing is stored of somebody who has not confirmed their address, and a stranger never learns whether an address is
known: the answer is the same, and the mail says it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.agreements.clicks import Signatory, accepted_documents, check_signatory, record_clicks
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import BadRequest
from onetoken_app.identity.mailed_links import LIFETIMES, issue_link, use_link
from onetoken_app.identity.models import MailedLinkKind
from onetoken_app.identity.queries import person_by_email
from onetoken_app.identity.service import create_person
from onetoken_app.ledger.service import open_account
from onetoken_app.money import Currency
from onetoken_app.notifications import letters
from onetoken_app.notifications.service import post_letter
from onetoken_app.organizations.models import OrganizationRole, Scenario
from onetoken_app.organizations.registration_codes import InvalidRegistrationCode, checked_registration_code
from onetoken_app.organizations.service import (
    NAME_CHARACTERS_MAX,
    add_member,
    declare_scenarios,
    register_organization,
)
from onetoken_app.organizations.time_zones import zone_of
from onetoken_app.registration.errors import AlreadySignedUp, OrganizationsOnly
from onetoken_app.registration.mailing import Mailing


class Party(StrEnum):
    """For whom somebody wants to register."""

    ORGANIZATION = "organization"
    """A company, an institution, or another organization that legally exists."""
    NATURAL_PERSON = "natural_person"
    """For themselves; refused."""


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """What somebody with a confirmed address says about their organization and themselves."""

    organization_name: str
    registration_code: str
    currency: Currency
    time_zone: str
    scenarios: tuple[Scenario, ...]
    signatory: Signatory
    acts_with_authority: bool
    accepted: Mapping[str, str]
    """SHA-256 of the text that was shown, by kind of agreement."""


@dataclass(frozen=True, slots=True)
class SignedUp:
    """Who came in."""

    person_id: str
    organization_id: str


async def begin_sign_up(session: AsyncSession, *, email: str, party: Party, locale: str, mailing: Mailing) -> None:
    """Post the mail with which a sign-up goes on; to a known address, one that says so.

    Args:
        session: Open unit of work; the caller commits, and has asked ``admit_mail_request`` before.
        email: The work address.
        party: For whom.
        locale: Of the mail.
        mailing: How mails are written.

    Raises:
        OrganizationsOnly: It is for private use.
        BadRequest: It is no e-mail address.
    """
    refuse_private_use(party)
    known = await person_by_email(session, email)
    if known is not None and known.is_disabled:
        return
    if known is not None:
        letter = letters.already_signed_up(known.locale, sign_in=mailing.sign_in, forgotten=mailing.forgotten)
    else:
        secret = await issue_link(session, kind=MailedLinkKind.SIGN_UP, email=email)
        hours = int(LIFETIMES[MailedLinkKind.SIGN_UP].total_seconds()) // 3600
        letter = letters.confirm_address(locale, link=mailing.sign_up_link(secret), hours=hours)
    await post_letter(
        session, key_encryption_key=mailing.key_encryption_key, recipient=email.strip().lower(), letter=letter
    )


def refuse_private_use(party: Party) -> None:
    """Tell natural persons why not.

    Raises:
        OrganizationsOnly: It is for private use.
    """
    if party is Party.NATURAL_PERSON:
        raise OrganizationsOnly(
            "OneToken is for companies, institutions and other organizations that legally exist, not for private use: "
            "we contract with organizations and check that they exist. Nothing was kept. If you act for one, sign up "
            "with your work address and its registration code."
        )


def check_form(form: SignUpForm) -> None:
    """Refuse a form that cannot lead anywhere, before anything costly is done. Nothing is used up.

    Raises:
        BadRequest: A value cannot be used; names the member of the form. Also ``InvalidRegistrationCode``,
            ``DeclarationMissing`` and ``AgreementNotAccepted``.
        AgreementChanged: A text was replaced while it was read.
    """
    name = form.organization_name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest("Give the organization's name as on its licence.", parameter="organization_name")
    try:
        checked_registration_code(form.registration_code)
    except InvalidRegistrationCode as error:
        error.parameter = "registration_code"
        raise
    zone_of(form.time_zone)
    if not form.scenarios:
        raise BadRequest("Say what your organization will use the service for.", parameter="scenarios")
    check_signatory(form.signatory, acts_with_authority=form.acts_with_authority)
    accepted_documents(form.accepted)


async def complete_sign_up(
    session: AsyncSession, *, secret: str, form: SignUpForm, password_hash: str, locale: str
) -> SignedUp:
    """Use the link up and register person and organization; a second submit finds the link used.

    The organization is not verified yet, so its keys are refused.

    Args:
        session: Open unit of work; the caller commits.
        secret: Of the link.
        form: Checked by ``check_form``.
        password_hash: Made by ``passwords.hash_password``.
        locale: What the person reads.

    Raises:
        Gone: The link is used or expired; ``LinkUnknown``: or there is none.
        AlreadySignedUp: The address got an account in another way meanwhile.
        OrganizationRegistered: Somebody registered the organization before.
        BadRequest: As ``check_form``.
    """
    check_form(form)
    link = await use_link(session, kind=MailedLinkKind.SIGN_UP, secret=secret)
    if await person_by_email(session, link.email) is not None:
        raise AlreadySignedUp("This address has an account by now; nothing was done. Sign in.")
    person_id = await create_person(
        session, email=link.email, name=form.signatory.name, password_hash=password_hash, locale=locale
    )
    organization_id = await _register(session, form, person_id)
    accepted = accepted_documents(form.accepted)
    await record_clicks(
        session,
        organization_id=organization_id,
        person_id=person_id,
        signatory=form.signatory,
        accepted=accepted,
    )
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, person_id),
        action="organization_registered",
        subject_id=organization_id,
        organization_id=organization_id,
        facts={"caller_ip": form.signatory.caller_ip, **{document.kind: document.version for document in accepted}},
    )
    return SignedUp(person_id=person_id, organization_id=organization_id)


async def _register(session: AsyncSession, form: SignUpForm, person_id: str) -> str:
    """Register the organization with its first owner, its declared uses and its account."""
    organization_id = await register_organization(
        session,
        name=form.organization_name,
        registration_code=form.registration_code,
        currency=form.currency,
        time_zone=form.time_zone,
    )
    await add_member(session, organization_id=organization_id, person_id=person_id, role=OrganizationRole.OWNER)
    await declare_scenarios(session, organization_id=organization_id, scenarios=form.scenarios, declared_by=person_id)
    await open_account(session, owner_id=organization_id, currency=form.currency)
    return organization_id
