"""Lets people ask for mails before they sign in, a few an hour, and answers alike for known and unknown addresses."""

from http import HTTPStatus

from onetoken_app import clock
from onetoken_app.console.http_exchange import RefusedExchange, Scope, caller_ip
from onetoken_app.database import unit_of_work
from onetoken_app.identity.service import admit_mail_request, normalized_email
from onetoken_app.settings import Settings


async def admit_mail(scope: Scope, settings: Settings, *, email: str) -> None:
    """Count a mail that somebody asks for.

    Raises:
        BadRequest: It is no e-mail address.
        RefusedExchange: The mailbox, or whoever asks, had enough of them; says how long to wait.
    """
    normalized_email(email)
    address = caller_ip(scope, trusted_proxy_count=settings.trusted_proxy_count)
    async with unit_of_work() as session:
        seconds = await admit_mail_request(session, email=email, caller_ip=address, now=clock.utc_now())
    if seconds:
        raise RefusedExchange(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", seconds=seconds)
