"""Routes of invitations: invite and withdraw for members who may, look and accept for whoever holds a link."""

from http import HTTPStatus
from typing import Any

from onetoken_app.console.browser_sessions import session_cookie, start_browser_session
from onetoken_app.console.callers import Caller, Role, find_caller, forget_everybody
from onetoken_app.console.form_members import (
    FORM_BYTES_MAX,
    accepted_of,
    choice_of,
    has_ticked,
    locale_of,
    signatory_of,
    text_of,
)
from onetoken_app.console.http_exchange import Answer, Receive, RefusedExchange, Route, Scope, header, read_json_object
from onetoken_app.console.mail_requests import admit_mail
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.passwords import check_password_rules, hash_password
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.registration.errors import SignInFirst
from onetoken_app.registration.joining import (
    JoiningForm,
    OfferView,
    check_joining,
    invite_member,
    join_as_known_person,
    join_as_new_person,
    offer_of,
    withdraw_offer,
)
from onetoken_app.registration.mailing import mailing_of
from onetoken_app.settings import Settings


def routes(settings: Settings) -> dict[str, Route]:
    """Return the routes by their paths."""

    async def invite(scope: Scope, receive: Receive) -> Answer:
        return await _invite(scope, await read_json_object(scope, receive), settings)

    async def withdraw(scope: Scope, receive: Receive) -> Answer:
        form = await read_json_object(scope, receive)
        caller = await member_who_may(Role.ADMINISTRATOR, scope, text_of(form, "organization_id"))
        async with unit_of_work() as session:
            await withdraw_offer(
                session,
                organization_id=caller.organization_id,
                invitation_id=text_of(form, "invitation_id"),
                withdrawn_by=caller.person.person_id,
            )
        return Answer(HTTPStatus.OK)

    async def look(scope: Scope, receive: Receive) -> Answer:
        form = await read_json_object(scope, receive)
        offer = await _offer(text_of(form, "secret"))
        caller = await find_caller(header(scope, b"cookie"))
        return Answer(
            HTTPStatus.OK,
            {
                "email": offer.email,
                "organization_name": offer.organization_name,
                "role": offer.role.value,
                "is_known_person": offer.is_known_person,
                "is_named": offer.is_named,
                "is_signed_in": caller is not None and caller.person.email == offer.email,
            },
        )

    async def accept(scope: Scope, receive: Receive) -> Answer:
        posted = await read_json_object(scope, receive, bytes_max=FORM_BYTES_MAX)
        secret = text_of(posted, "secret")
        offer = await _offer(secret)
        caller = await find_caller(header(scope, b"cookie"))
        if caller is not None and caller.person.email == offer.email:
            return await _join_known(scope, posted, settings, caller)
        if offer.is_known_person:
            raise SignInFirst(f"{offer.email} has an account. Sign in with it, then open the link again.")
        return await _join_new(scope, posted, settings, offer)

    return {
        "/account/invitations": invite,
        "/account/invitations/withdraw": withdraw,
        "/account/invitations/look": look,
        "/account/invitations/accept": accept,
    }


async def member_who_may(role: Role, scope: Scope, organization_id: str) -> Caller:
    """Find out who asks, and refuse whoever may not do it for exactly this organization.

    Raises:
        RefusedExchange: Nobody is signed in, or their role does not suffice.
    """
    caller = await find_caller(header(scope, b"cookie"), chosen_organization_id=organization_id)
    if caller is None:
        raise RefusedExchange(HTTPStatus.UNAUTHORIZED, "unauthenticated")
    if caller.organization_id != organization_id or not caller.may(role):
        raise RefusedExchange(HTTPStatus.FORBIDDEN, "forbidden")
    return caller


async def _invite(scope: Scope, form: dict[str, Any], settings: Settings) -> Answer:
    """Offer somebody a role; only an owner makes owners."""
    email, role = text_of(form, "email"), choice_of(form, "role", OrganizationRole)
    needed = Role.OWNER if role is OrganizationRole.OWNER else Role.ADMINISTRATOR
    caller = await member_who_may(needed, scope, text_of(form, "organization_id"))
    await admit_mail(scope, settings, email=email)
    async with unit_of_work() as session:
        invitation_id = await invite_member(
            session,
            organization_id=caller.organization_id,
            email=email,
            role=role,
            invited_by=caller.person,
            mailing=mailing_of(settings),
        )
    return Answer(HTTPStatus.ACCEPTED, {"invitation_id": invitation_id})


async def _offer(secret: str) -> OfferView:
    """Return what a link offers; looking uses nothing up."""
    async with read_session() as session:
        return await offer_of(session, secret=secret)


async def _join_known(scope: Scope, posted: dict[str, Any], settings: Settings, caller: Caller) -> Answer:
    """Make somebody who is signed in a member."""
    name = caller.person.name or text_of(posted, "name")
    form = _joining_form(scope, posted, settings, name=name)
    async with unit_of_work() as session:
        joined = await join_as_known_person(session, secret=text_of(posted, "secret"), form=form, person=caller.person)
    # What was remembered of them does not know the new membership yet.
    forget_everybody()
    return Answer(HTTPStatus.CREATED, {"organization_id": joined.organization_id})


async def _join_new(scope: Scope, posted: dict[str, Any], settings: Settings, offer: OfferView) -> Answer:
    """Make the reader of the mail a person and a member, and sign them in."""
    password = text_of(posted, "password")
    form = _joining_form(scope, posted, settings, name=text_of(posted, "name"))
    check_joining(form)
    known_as = (form.signatory.name, offer.organization_name)
    await check_password_rules(password, email=offer.email, known_as=known_as)
    password_hash = await hash_password(password)
    async with unit_of_work() as session:
        joined = await join_as_new_person(
            session,
            secret=text_of(posted, "secret"),
            form=form,
            password_hash=password_hash,
            locale=locale_of(posted),
        )
        cookie = await start_browser_session(session, scope, person_id=joined.person_id, settings=settings)
    return Answer(
        HTTPStatus.CREATED,
        {"organization_id": joined.organization_id},
        set_cookie=session_cookie(settings, cookie),
    )


def _joining_form(scope: Scope, posted: dict[str, Any], settings: Settings, *, name: str) -> JoiningForm:
    """Read what an invited person says."""
    return JoiningForm(
        signatory=signatory_of(posted, scope, settings, name=name),
        acts_with_authority=has_ticked(posted, "acts_with_authority"),
        accepted=accepted_of(posted),
    )
