"""Routes of the sign-up: ask for the mail, look at its link, and register with one form."""

from http import HTTPStatus
from typing import Any

from onetoken_app import clock
from onetoken_app.console.browser_sessions import session_cookie, start_browser_session
from onetoken_app.console.form_members import (
    FORM_BYTES_MAX,
    accepted_of,
    choice_of,
    choices_of,
    has_ticked,
    locale_of,
    signatory_of,
    text_of,
)
from onetoken_app.console.http_exchange import Answer, Receive, Route, Scope, read_json_object
from onetoken_app.console.mail_requests import admit_mail
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.mailed_links import link_of
from onetoken_app.identity.models import MailedLinkKind
from onetoken_app.identity.passwords import check_password_rules, hash_password
from onetoken_app.money import Currency
from onetoken_app.organizations.models import Scenario
from onetoken_app.organizations.registration_codes import MAINLAND, registration_code_in
from onetoken_app.organizations.service import DEFAULT_TIME_ZONE
from onetoken_app.pricing.queries import price_sheets
from onetoken_app.registration.mailing import mailing_of
from onetoken_app.registration.sign_up import (
    Party,
    SignUpForm,
    begin_sign_up,
    check_form,
    complete_sign_up,
    refuse_private_use,
)
from onetoken_app.settings import Settings


def routes(settings: Settings) -> dict[str, Route]:
    """Return the routes by their paths."""

    async def begin(scope: Scope, receive: Receive) -> Answer:
        form = await read_json_object(scope, receive)
        email, party = text_of(form, "email"), choice_of(form, "party", Party)
        refuse_private_use(party)
        await admit_mail(scope, settings, email=email)
        async with unit_of_work() as session:
            await begin_sign_up(session, email=email, party=party, locale=locale_of(form), mailing=mailing_of(settings))
        return Answer(HTTPStatus.ACCEPTED)

    async def look(scope: Scope, receive: Receive) -> Answer:
        form = await read_json_object(scope, receive)
        return Answer(HTTPStatus.OK, {"email": await _confirmed_email(text_of(form, "secret"))})

    async def complete(scope: Scope, receive: Receive) -> Answer:
        posted = await read_json_object(scope, receive, bytes_max=FORM_BYTES_MAX)
        return await _complete(scope, posted, settings)

    return {
        "/account/sign-up": begin,
        "/account/sign-up/look": look,
        "/account/sign-up/complete": complete,
    }


async def _complete(scope: Scope, posted: dict[str, Any], settings: Settings) -> Answer:
    """Register person and organization and sign the person in, all of it or nothing."""
    secret, password = text_of(posted, "secret"), text_of(posted, "password")
    form = await _form(scope, posted, settings)
    email = await _confirmed_email(secret)
    check_form(form)
    known_as = (form.signatory.name, form.organization_name)
    await check_password_rules(password, email=email, known_as=known_as)
    # Outside of any unit of work: hashing takes a tenth of a second, and on SQLite nobody else could write.
    password_hash = await hash_password(password)
    async with unit_of_work() as session:
        signed_up = await complete_sign_up(
            session, secret=secret, form=form, password_hash=password_hash, locale=locale_of(posted)
        )
        cookie = await start_browser_session(session, scope, person_id=signed_up.person_id, settings=settings)
    return Answer(
        HTTPStatus.CREATED,
        {"organization_id": signed_up.organization_id},
        set_cookie=session_cookie(settings, cookie),
    )


async def _form(scope: Scope, posted: dict[str, Any], settings: Settings) -> SignUpForm:
    """Read what somebody says about their organization and themselves."""
    return SignUpForm(
        organization_name=text_of(posted, "organization_name"),
        registration_code=registration_code_in(
            text_of(posted, "country", default=MAINLAND), text_of(posted, "registration_code")
        ),
        currency=choice_of(posted, "currency", Currency) if "currency" in posted else await _usual_currency(),
        time_zone=text_of(posted, "time_zone", default=DEFAULT_TIME_ZONE),
        scenarios=choices_of(posted, "scenarios", Scenario),
        signatory=signatory_of(posted, scope, settings),
        acts_with_authority=has_ticked(posted, "acts_with_authority"),
        accepted=accepted_of(posted),
    )


async def _confirmed_email(secret: str) -> str:
    """Return the address that a link confirms; looking uses nothing up."""
    async with read_session() as session:
        return (await link_of(session, kind=MailedLinkKind.SIGN_UP, secret=secret)).email


async def _usual_currency() -> Currency:
    """Return the currency in which most models have a price: what an organization is billed in unless it says."""
    async with read_session() as session:
        priced = [currency for _, currency in await price_sheets(session, now=clock.utc_now())]
    return max(Currency, key=priced.count) if priced else Currency.CNY
