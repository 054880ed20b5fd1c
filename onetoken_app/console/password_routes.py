"""Routes of a forgotten password: ask for the mail, look at its link, choose a new one."""

from http import HTTPStatus

from onetoken_app.console.form_members import locale_of, text_of
from onetoken_app.console.http_exchange import Answer, Receive, Route, Scope, read_json_object
from onetoken_app.console.mail_requests import admit_mail
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.mailed_links import link_of
from onetoken_app.identity.models import MailedLinkKind
from onetoken_app.identity.passwords import check_password_rules, hash_password
from onetoken_app.identity.queries import person_by_email
from onetoken_app.organizations.queries import memberships_of
from onetoken_app.registration.mailing import mailing_of
from onetoken_app.registration.password_reset import ask_for_reset, reset_password
from onetoken_app.settings import Settings


def routes(settings: Settings) -> dict[str, Route]:
    """Return the routes by their paths."""

    async def forgotten(scope: Scope, receive: Receive) -> Answer:
        form = await read_json_object(scope, receive)
        email = text_of(form, "email")
        await admit_mail(scope, settings, email=email)
        async with unit_of_work() as session:
            await ask_for_reset(session, email=email, locale=locale_of(form), mailing=mailing_of(settings))
        return Answer(HTTPStatus.ACCEPTED)

    async def look(scope: Scope, receive: Receive) -> Answer:
        form = await read_json_object(scope, receive)
        return Answer(HTTPStatus.OK, {"email": await _email_of(text_of(form, "secret"))})

    async def reset(scope: Scope, receive: Receive) -> Answer:
        form = await read_json_object(scope, receive)
        secret, password = text_of(form, "secret"), text_of(form, "password")
        email = await _email_of(secret)
        await check_password_rules(password, email=email, known_as=await _known_as(email))
        password_hash = await hash_password(password)
        async with unit_of_work() as session:
            await reset_password(session, secret=secret, password_hash=password_hash, mailing=mailing_of(settings))
        return Answer(HTTPStatus.OK)

    return {
        "/account/password/forgotten": forgotten,
        "/account/password/look": look,
        "/account/password/reset": reset,
    }


async def _email_of(secret: str) -> str:
    """Return the address that a link was sent to; looking uses nothing up."""
    async with read_session() as session:
        return (await link_of(session, kind=MailedLinkKind.PASSWORD_RESET, secret=secret)).email


async def _known_as(email: str) -> list[str]:
    """Return what the person with an address, and the organizations that they act for, are called."""
    async with read_session() as session:
        person = await person_by_email(session, email)
        if person is None:
            return []
        memberships = await memberships_of(session, person.id)
        return [person.name, *(one.organization_name for one in memberships)]
