"""Asks payment providers about orders that somebody was sent to pay and nothing was heard of.

Notifications get lost. Not one of the scheduler's jobs: those are units of work, and nobody talks to a network inside
one. Several processes may do this at once: an order is taken before it is asked about, and what is learned twice is
credited once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onetoken_app.errors import OneTokenError
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.offers import OFFERS, missing_settings
from onetoken_app.payments.provider_desk import ask_about_next
from onetoken_app.settings import BadSettings, Settings
from onetoken_app.telemetry import get_logger

POLL_SECONDS = 20.0
_AT_ONCE_MAX = 50
"""Orders that are asked about before it pauses."""
logger = get_logger()


@asynccontextmanager
async def pending_orders_settled(settings: Settings, *, poll_seconds: float = POLL_SECONDS) -> AsyncIterator[None]:
    """Ask while the block runs; with no provider switched on there is nobody to ask.

    The database has to be in use from before the block until after it. Its end waits for the question in hand.
    """
    hosted = [one for one in OFFERS if one is not PaymentProvider.BANK_TRANSFER]
    if all(missing_settings(settings, one) for one in hosted):
        yield
        return
    is_stopping = asyncio.Event()
    asking = asyncio.create_task(_ask_until(is_stopping, settings, poll_seconds))
    try:
        yield
    finally:
        is_stopping.set()
        await asking


async def settle_pending_orders(settings: Settings, is_stopping: asyncio.Event) -> None:
    """Ask about every order that is due; one that cannot be asked about does not keep the others."""
    for _ in range(_AT_ONCE_MAX):
        try:
            if is_stopping.is_set() or not await ask_about_next(settings):
                return
        except OneTokenError as error:
            logger.warning("pending_order_not_settled", error_code=error.code)
        except BadSettings:
            logger.warning("pending_order_not_settled", error_code="payment_keys_unusable")


async def _ask_until(is_stopping: asyncio.Event, settings: Settings, poll_seconds: float) -> None:
    """Ask, again and again."""
    while not is_stopping.is_set():
        await settle_pending_orders(settings, is_stopping)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(is_stopping.wait(), poll_seconds)
