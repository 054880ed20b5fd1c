"""Where this service talks to payment providers: sends payers there, takes notifications, asks about orders.

An edge, shared by console and jobs: providers are talked to outside of any unit of work, and what they say is acted
upon in one of its own. Dying in between loses nothing: a provider repeats itself, and orders are asked about.
"""

import asyncio
from collections.abc import Mapping

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import Conflict, OneTokenError
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.payments.crediting import CONSOLE_PATH
from onetoken_app.payments.models import NewsOutcome, PaymentProvider
from onetoken_app.payments.providers.protocol import (
    Addresses,
    Checkout,
    Invoice,
    PaymentNews,
    ProviderRefused,
    ProviderSilent,
)
from onetoken_app.payments.providers.registry import client_for
from onetoken_app.payments.settling import invoice_to_start, note_started, settle, take_due_to_ask, take_to_ask
from onetoken_app.settings import BadSettings, Settings
from onetoken_app.telemetry import get_logger

NOTIFICATIONS = "/payments/notifications/"
"""Where providers post to, each under its own name."""
_SETTLE_TRIES = 3
_CLOSE_SECONDS = 3
"""How long somebody who calls an order off waits for its provider."""
logger = get_logger()


async def start_payment(settings: Settings, *, organization_id: str, order_id: str) -> Checkout:
    """Have an organization's order paid at its provider; the same order again leads to the same payment.

    Raises:
        NotFound: The organization has no such order.
        OrderChanged, OrderExpired: It is not to be paid now.
        ProviderOff, ProviderSilent, ProviderRefused: Nothing was started.
    """
    async with read_session() as session:
        provider, invoice = await invoice_to_start(session, organization_id=organization_id, order_id=order_id)
    client = await client_for(settings, provider)
    addresses = Addresses(
        return_url=f"{settings.console_url}{CONSOLE_PATH}?order={order_id}",
        notify_url=f"{settings.console_url}{NOTIFICATIONS}{provider.value}",
    )
    checkout = await client.start(invoice, addresses)
    async with unit_of_work() as session:
        await note_started(session, organization_id=organization_id, order_id=order_id, checkout=checkout)
    return checkout


async def receive(
    settings: Settings, provider: PaymentProvider, *, headers: Mapping[str, str], body: bytes
) -> NewsOutcome | None:
    """Verify one notification and act on it; ``None``: it is genuine and about nothing that is acted upon.

    Args:
        settings: With the provider's secrets.
        provider: Whose address it came to.
        headers: With names in lower case.
        body: As it came.

    Raises:
        NotificationRefused: It cannot be believed.
        ProviderOff: The provider is switched off; nothing is believed in its name.
        Unavailable: The database does not answer; it has to come again.
    """
    client = await client_for(settings, provider)
    news = client.read_notification(headers, body, now=clock.utc_now())
    return await _act(settings, provider, news) if news else None


async def ask_about(settings: Settings, *, organization_id: str, order_id: str) -> NewsOutcome | None:
    """Ask an order's provider what became of it, every five seconds at most; ``None``: there is nothing new.

    Raises:
        NotFound: The organization has no such order.
        ProviderOff, ProviderSilent, ProviderRefused: Nothing was learned.
    """
    async with unit_of_work() as session:
        taken = await take_to_ask(session, organization_id=organization_id, order_id=order_id)
    return await _ask(settings, *taken) if taken else None


async def close_called_off(settings: Settings, *, organization_id: str, order_id: str) -> None:
    """Close at its provider, at once if that answers soon, what an organization called off; else the job does.

    Nothing is raised: the order is called off already, and what is paid all the same is credited.
    """
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await ask_about(settings, organization_id=organization_id, order_id=order_id)
    except TimeoutError:
        logger.warning("payment_not_closed", error_code="payment_provider_silent")
    except OneTokenError as error:
        logger.warning("payment_not_closed", error_code=error.code)
    except BadSettings:
        logger.warning("payment_not_closed", error_code="payment_keys_unusable")


async def ask_about_next(settings: Settings) -> bool:
    """Ask about the order that has been due for longest; return whether there was one.

    Raises:
        ProviderOff, ProviderSilent, ProviderRefused: Nothing was learned; the order is due again later.
    """
    async with unit_of_work() as session:
        taken = await take_due_to_ask(session)
    if taken is None:
        return False
    await _ask(settings, *taken)
    return True


async def _ask(settings: Settings, provider: PaymentProvider, invoice: Invoice) -> NewsOutcome | None:
    """Ask, and act on the answer; what was called off is closed there first, as often as it is asked about."""
    client = await client_for(settings, provider)
    if invoice.is_called_off:
        try:
            await client.close(invoice)
        except (
            ProviderRefused,
            ProviderSilent,
        ) as error:  # it is paid or closed already, perhaps: the answer says which
            logger.info("payment_not_closed", error_code=error.code)
    news = await client.ask(invoice)
    return await _act(settings, provider, news) if news else None


async def _act(settings: Settings, provider: PaymentProvider, news: PaymentNews) -> NewsOutcome:
    """Act on news; who was slower than somebody with the same news looks again."""
    room = mail_room(settings)
    for is_last in [*[False] * (_SETTLE_TRIES - 1), True]:
        try:
            async with unit_of_work() as session:
                outcome = await settle(session, provider=provider, news=news, mail_room=room)
        except Conflict:
            if is_last:
                raise
        else:
            logger.info("payment_news_settled", outcome=outcome.value)
            return outcome
    raise AssertionError  # the last try returns or raises
