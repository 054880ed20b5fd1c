"""Makes the client of a payment provider that is switched on. Only then is its SDK imported, beside the event loop."""

import asyncio
from functools import lru_cache
from pathlib import Path

from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.offers import missing_settings, setting_text
from onetoken_app.payments.providers.protocol import PaymentClient, ProviderOff
from onetoken_app.settings import PREFIX, BadSettings, Settings

_FILE_BYTES_MAX = 64 * 1024


async def client_for(settings: Settings, provider: PaymentProvider) -> PaymentClient:
    """Return the client of a payment provider.

    Raises:
        BadSettings: A key cannot be read.
        ProviderOff: It is not set up here.
    """
    if provider.is_by_hand or missing_settings(settings, provider):
        raise ProviderOff("This way to pay is switched off here; nothing was done.")
    return await asyncio.to_thread(make_client, settings, provider)


@lru_cache(maxsize=8)
def make_client(settings: Settings, _provider: PaymentProvider) -> PaymentClient:
    """Make the client of a payment provider whose settings are all there; takes half a second the first time.

    Raises:
        BadSettings: A key cannot be read.
    """
    # Each SDK takes a third of a second to import, which only those who use it pay.
    from onetoken_app.payments.providers.stripe_checkout import StripeCheckout  # noqa: PLC0415 # slow, see above

    return StripeCheckout(
        secret_key=setting_text(settings, "stripe_secret_key"),
        webhook_secret=setting_text(settings, "stripe_webhook_secret"),
        base_url=settings.stripe_base_url,
    )


def pem_of(settings: Settings, name: str) -> bytes:
    """Return a key that a setting holds, or names the file of.

    Raises:
        BadSettings: It is neither a PEM nor a file that can be read; the value is not shown.
    """
    text = setting_text(settings, name)
    if text.startswith("-----BEGIN "):
        return text.replace("\\n", "\n").encode()
    try:
        with Path(text).open("rb") as file:
            return file.read(_FILE_BYTES_MAX)
    except (OSError, ValueError):
        message = f"{PREFIX}{name.upper()}: neither a PEM nor a file that can be read"
        raise BadSettings(message) from None
