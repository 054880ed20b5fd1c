"""The catalogues by locale, and plain look-ups for code that runs on the server."""

from collections.abc import Mapping
from enum import StrEnum

from onetoken_app.console.text.adjustments_en import ADJUSTMENTS_ENGLISH
from onetoken_app.console.text.adjustments_zh_cn import ADJUSTMENTS_CHINESE
from onetoken_app.console.text.billing_en import BILLING_ENGLISH
from onetoken_app.console.text.billing_zh_cn import BILLING_CHINESE
from onetoken_app.console.text.calling_en import CALLING_ENGLISH
from onetoken_app.console.text.calling_zh_cn import CALLING_CHINESE
from onetoken_app.console.text.channels_en import CHANNELS_ENGLISH
from onetoken_app.console.text.channels_zh_cn import CHANNELS_CHINESE
from onetoken_app.console.text.countries_en import COUNTRIES_ENGLISH
from onetoken_app.console.text.countries_zh_cn import COUNTRIES_CHINESE
from onetoken_app.console.text.credit_en import CREDIT_ENGLISH
from onetoken_app.console.text.credit_zh_cn import CREDIT_CHINESE
from onetoken_app.console.text.en import ENGLISH
from onetoken_app.console.text.invoice_desk_en import INVOICE_DESK_ENGLISH
from onetoken_app.console.text.invoice_desk_zh_cn import INVOICE_DESK_CHINESE
from onetoken_app.console.text.joining_en import JOINING_ENGLISH
from onetoken_app.console.text.joining_zh_cn import JOINING_CHINESE
from onetoken_app.console.text.membership_en import MEMBERSHIP_ENGLISH
from onetoken_app.console.text.membership_zh_cn import MEMBERSHIP_CHINESE
from onetoken_app.console.text.money_en import MONEY_ENGLISH
from onetoken_app.console.text.money_zh_cn import MONEY_CHINESE
from onetoken_app.console.text.plans_en import PLANS_ENGLISH
from onetoken_app.console.text.plans_zh_cn import PLANS_CHINESE
from onetoken_app.console.text.pricing_en import PRICING_ENGLISH
from onetoken_app.console.text.pricing_zh_cn import PRICING_CHINESE
from onetoken_app.console.text.projects_en import PROJECTS_ENGLISH
from onetoken_app.console.text.projects_zh_cn import PROJECTS_CHINESE
from onetoken_app.console.text.provider_payments_en import PROVIDER_PAYMENTS_ENGLISH
from onetoken_app.console.text.provider_payments_zh_cn import PROVIDER_PAYMENTS_CHINESE
from onetoken_app.console.text.public_en import PUBLIC_ENGLISH
from onetoken_app.console.text.public_zh_cn import PUBLIC_CHINESE
from onetoken_app.console.text.reconciliation_en import RECONCILIATION_ENGLISH
from onetoken_app.console.text.reconciliation_zh_cn import RECONCILIATION_CHINESE
from onetoken_app.console.text.refunds_en import REFUNDS_ENGLISH
from onetoken_app.console.text.refunds_zh_cn import REFUNDS_CHINESE
from onetoken_app.console.text.suspension_en import SUSPENSION_ENGLISH
from onetoken_app.console.text.suspension_zh_cn import SUSPENSION_CHINESE
from onetoken_app.console.text.vetting_en import VETTING_ENGLISH
from onetoken_app.console.text.vetting_zh_cn import VETTING_CHINESE
from onetoken_app.console.text.zh_cn import CHINESE


class Locale(StrEnum):
    """Languages of the console; the value is what ``lang`` attributes say."""

    ENGLISH = "en"
    """English."""
    CHINESE = "zh-CN"
    """Simplified Chinese."""


PARTS: Mapping[Locale, tuple[Mapping[str, str], ...]] = {
    Locale.ENGLISH: (
        ENGLISH,
        PUBLIC_ENGLISH,
        CALLING_ENGLISH,
        PROJECTS_ENGLISH,
        JOINING_ENGLISH,
        VETTING_ENGLISH,
        MONEY_ENGLISH,
        BILLING_ENGLISH,
        PROVIDER_PAYMENTS_ENGLISH,
        ADJUSTMENTS_ENGLISH,
        INVOICE_DESK_ENGLISH,
        PRICING_ENGLISH,
        PLANS_ENGLISH,
        RECONCILIATION_ENGLISH,
        CHANNELS_ENGLISH,
        REFUNDS_ENGLISH,
        SUSPENSION_ENGLISH,
        CREDIT_ENGLISH,
        MEMBERSHIP_ENGLISH,
        COUNTRIES_ENGLISH,
    ),
    Locale.CHINESE: (
        CHINESE,
        PUBLIC_CHINESE,
        CALLING_CHINESE,
        PROJECTS_CHINESE,
        JOINING_CHINESE,
        VETTING_CHINESE,
        MONEY_CHINESE,
        BILLING_CHINESE,
        PROVIDER_PAYMENTS_CHINESE,
        ADJUSTMENTS_CHINESE,
        INVOICE_DESK_CHINESE,
        PRICING_CHINESE,
        PLANS_CHINESE,
        RECONCILIATION_CHINESE,
        CHANNELS_CHINESE,
        REFUNDS_CHINESE,
        SUSPENSION_CHINESE,
        CREDIT_CHINESE,
        MEMBERSHIP_CHINESE,
        COUNTRIES_CHINESE,
    ),
}
"""A catalogue's files, one a part of the console; a key stands in one of them."""
CATALOGUES: Mapping[Locale, Mapping[str, str]] = {
    locale: {key: words for part in parts for key, words in part.items()} for locale, parts in PARTS.items()
}


def plain_text(key: str, locale: str, **values: str | int) -> str:
    """Look a text up on the server, for toasts and for texts that a page only passes on.

    Raises:
        KeyError: No catalogue has the key.
    """
    return CATALOGUES[known_locale(locale)][key].format(**values)


def known_locale(locale: str) -> Locale:
    """Return the catalogue that serves a locale: Chinese for any Chinese one, English for the rest."""
    return Locale.CHINESE if locale.lower().startswith("zh") else Locale.ENGLISH


def preferred_locale(accept_language: str) -> Locale:
    """Choose by a browser's ``Accept-Language``: the first language that there is a catalogue for."""
    for part in accept_language.split(","):
        language = part.partition(";")[0].strip().lower()
        if language.startswith("zh"):
            return Locale.CHINESE
        if language.startswith("en"):
            return Locale.ENGLISH
    return Locale.ENGLISH
