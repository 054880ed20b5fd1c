"""Which ways to pay are switched on, what each takes, and what a setting is missing for. Imports no SDK."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.payments.amounts import AMOUNT_NANOS_MAX, checked_amount
from onetoken_app.payments.errors import AmountRefused, NotOffered
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Offer:
    """What a way to pay takes, and what switches it on."""

    currencies: frozenset[Currency]
    amount_nanos_max: Nanos
    settings: tuple[str, ...] = ()
    """All of them are needed; an empty one counts as missing."""


OFFERS: Mapping[PaymentProvider, Offer] = {
    PaymentProvider.BANK_TRANSFER: Offer(frozenset(Currency), AMOUNT_NANOS_MAX),
    PaymentProvider.STRIPE: Offer(
        frozenset(Currency), 999_999 * NANOS_PER_UNIT, ("stripe_secret_key", "stripe_webhook_secret")
    ),
    PaymentProvider.ALIPAY: Offer(
        frozenset({Currency.CNY}), AMOUNT_NANOS_MAX, ("alipay_app_id", "alipay_private_key", "alipay_public_key")
    ),
    PaymentProvider.WECHAT_PAY: Offer(
        frozenset({Currency.CNY}),
        AMOUNT_NANOS_MAX,
        (
            "wechat_pay_merchant_id",
            "wechat_pay_app_id",
            "wechat_pay_certificate_serial",
            "wechat_pay_private_key",
            "wechat_pay_api_v3_key",
            "wechat_pay_public_key",
            "wechat_pay_public_key_id",
        ),
    ),
}


def missing_settings(settings: Settings, provider: PaymentProvider) -> tuple[str, ...]:
    """Name the variables that a way to pay is switched off for; empty: it is on."""
    return tuple(PREFIX + name.upper() for name in OFFERS[provider].settings if not setting_text(settings, name))


def is_meant(settings: Settings, provider: PaymentProvider) -> bool:
    """Whether at least one of the variables of a payment provider is set."""
    return any(setting_text(settings, name) for name in OFFERS[provider].settings)


def offered(settings: Settings, currency: Currency) -> tuple[PaymentProvider, ...]:
    """Return the ways to pay in a currency that are switched on; bank transfer always is."""
    return tuple(
        provider
        for provider, offer in OFFERS.items()
        if currency in offer.currencies and not missing_settings(settings, provider)
    )


def check_offer(provider: PaymentProvider, *, currency: Currency, amount_nanos: Nanos) -> None:
    """Refuse an order that cannot be paid in this way.

    Raises:
        AmountRefused: The amount cannot be ordered, or is more than the provider takes at once.
        NotOffered: The provider does not take the currency.
    """
    checked_amount(amount_nanos)
    offer = OFFERS[provider]
    if currency not in offer.currencies:
        raise NotOffered("This way to pay does not take your currency; nothing was ordered.", parameter="provider")
    if amount_nanos > offer.amount_nanos_max:
        raise AmountRefused(
            "This is more than can be paid in this way at once; nothing was ordered.", parameter="amount"
        )


def setting_text(settings: Settings, name: str) -> str:
    """Return a setting's text without white space around it; empty when it is not set."""
    value = getattr(settings, name)
    return (value.get_secret_value() if isinstance(value, SecretStr) else value or "").strip()
