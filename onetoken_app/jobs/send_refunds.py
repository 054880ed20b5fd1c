"""Takes approved refunds to payment providers, and asks about those of which nothing was heard.

Not one of the scheduler's jobs: those are units of work, and nobody talks to a network inside one. Several processes
may do this at once: a refund is taken before its provider is told, and the provider knows it by its id.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onetoken_app.errors import OneTokenError
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.offers import OFFERS, missing_settings
from onetoken_app.payments.refund_desk import send_next_refund
from onetoken_app.settings import BadSettings, Settings
from onetoken_app.telemetry import get_logger

POLL_SECONDS = 20.0
_AT_ONCE_MAX = 50
"""Refunds that are taken before it pauses."""
logger = get_logger()


@asynccontextmanager
async def refunds_sent(settings: Settings, *, poll_seconds: float = POLL_SECONDS) -> AsyncIterator[None]:
    """Take refunds to their providers while the block runs; with no provider switched on there is nobody to tell.

    The database has to be in use from before the block until after it. Its end waits for the refund in hand.
    """
    hosted = [one for one in OFFERS if one is not PaymentProvider.BANK_TRANSFER]
    if all(missing_settings(settings, one) for one in hosted):
        yield
        return
    is_stopping = asyncio.Event()
    sending = asyncio.create_task(_send_until(is_stopping, settings, poll_seconds))
    try:
        yield
    finally:
        is_stopping.set()
        await sending


async def send_refunds(settings: Settings, is_stopping: asyncio.Event) -> None:
    """Take every refund that is due; one that cannot be taken does not keep the others."""
    for _ in range(_AT_ONCE_MAX):
        try:
            if is_stopping.is_set() or not await send_next_refund(settings):
                return
        except OneTokenError as error:
            logger.warning("refund_not_sent", error_code=error.code)
        except BadSettings:
            logger.warning("refund_not_sent", error_code="payment_keys_unusable")


async def _send_until(is_stopping: asyncio.Event, settings: Settings, poll_seconds: float) -> None:
    """Take them, again and again."""
    while not is_stopping.is_set():
        await send_refunds(settings, is_stopping)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(is_stopping.wait(), poll_seconds)
