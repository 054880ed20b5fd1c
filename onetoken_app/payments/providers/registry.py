"""Makes the client of a payment provider that is switched on. Only then is its SDK imported, beside the event loop."""

import asyncio
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509 import load_pem_x509_certificate

from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.offers import missing_settings, setting_text
from onetoken_app.payments.providers.protocol import PaymentClient, ProviderOff
from onetoken_app.settings import PREFIX, BadSettings, Settings

_API_V3_KEY_BYTES = 32
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
def make_client(settings: Settings, provider: PaymentProvider) -> PaymentClient:
    """Make the client of a payment provider whose settings are all there; takes half a second the first time.

    Raises:
        BadSettings: A key cannot be read.
    """
    if provider is PaymentProvider.ALIPAY:
        return _alipay(settings)
    return _wechat_pay(settings) if provider is PaymentProvider.WECHAT_PAY else _stripe(settings)


# Each SDK takes a third of a second to import, which only those who use it pay.


def _stripe(settings: Settings) -> PaymentClient:
    """Make Stripe's."""
    from onetoken_app.payments.providers.stripe_checkout import StripeCheckout  # noqa: PLC0415 # slow, see above

    return StripeCheckout(
        secret_key=setting_text(settings, "stripe_secret_key"),
        webhook_secret=setting_text(settings, "stripe_webhook_secret"),
        base_url=settings.stripe_base_url,
    )


def _alipay(settings: Settings) -> PaymentClient:
    """Make Alipay's, whose SDK reads PKCS#1."""
    from onetoken_app.payments.providers.alipay_page import AlipayPage  # noqa: PLC0415 # slow, see above

    return AlipayPage(
        app_id=setting_text(settings, "alipay_app_id"),
        private_key_pem=private_pem_of(settings, "alipay_private_key", PrivateFormat.TraditionalOpenSSL),
        public_key=public_key_of(settings, "alipay_public_key"),
        gateway_url=settings.alipay_gateway_url,
    )


def _wechat_pay(settings: Settings) -> PaymentClient:
    """Make WeChat Pay's, whose SDK reads PKCS#8."""
    from onetoken_app.payments.providers.wechat_native import Merchant, WechatNative  # noqa: PLC0415 # slow, see above

    api_v3_key = setting_text(settings, "wechat_pay_api_v3_key")
    if len(api_v3_key.encode()) != _API_V3_KEY_BYTES:
        message = f"{PREFIX}WECHAT_PAY_API_V3_KEY: has {_API_V3_KEY_BYTES} characters"
        raise BadSettings(message)
    merchant = Merchant(
        merchant_id=setting_text(settings, "wechat_pay_merchant_id"),
        app_id=setting_text(settings, "wechat_pay_app_id"),
        certificate_serial=setting_text(settings, "wechat_pay_certificate_serial"),
        private_key_pem=private_pem_of(settings, "wechat_pay_private_key", PrivateFormat.PKCS8),
        api_v3_key=api_v3_key,
        public_key=public_key_of(settings, "wechat_pay_public_key"),
        public_key_id=setting_text(settings, "wechat_pay_public_key_id"),
    )
    return WechatNative(merchant, settings.wechat_pay_base_url)


def private_pem_of(settings: Settings, name: str, form: PrivateFormat) -> str:
    """Return an RSA key that a setting holds or names, in the form that an SDK reads.

    Raises:
        BadSettings: It is none, or is protected by a password; the value is not shown.
    """
    try:
        key = load_pem_private_key(_pem_of(settings, name), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        message = f"{PREFIX}{name.upper()}: is no RSA private key without a password"
        raise BadSettings(message)
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_key_of(settings: Settings, name: str) -> RSAPublicKey:
    """Return an RSA public key that a setting holds or names, or the key of such a certificate.

    Raises:
        BadSettings: It is none; the value is not shown.
    """
    pem = _pem_of(settings, name)
    try:
        is_certificate = b"BEGIN CERTIFICATE" in pem
        key = load_pem_x509_certificate(pem).public_key() if is_certificate else load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        message = f"{PREFIX}{name.upper()}: is neither an RSA public key nor a certificate of one"
        raise BadSettings(message)
    return key


def _pem_of(settings: Settings, name: str) -> bytes:
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
