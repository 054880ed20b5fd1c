"""Orders at payment providers in each standing, and the variables that switch the providers on."""

from enum import StrEnum
from pathlib import Path

from onetoken_app.clock import utc_now
from onetoken_app.database import unit_of_work
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.payments.models import NewsKind, NewsOutcome, PaymentProvider, TopUpOrder
from onetoken_app.payments.offers import OFFERS, setting_text
from onetoken_app.payments.providers.protocol import Checkout, PaymentNews
from onetoken_app.payments.settling import note_started, settle
from onetoken_app.settings import PREFIX, Settings
from tests.payments import orders
from tests.payments.chinese_providers import with_alipay, with_wechat_pay
from tests.payments.stripe_events import with_stripe


class HostedOrder(StrEnum):
    """How far an order at a payment provider is."""

    LAPSED = "lapsed"
    """It can no longer be paid."""
    CREDITED = "credited"
    """It is paid."""
    PENDING = "pending"
    """Somebody was sent to pay it."""
    PAYABLE = "payable"
    """Nobody was."""


HOSTED_NANOS: dict[HostedOrder, Nanos] = {
    HostedOrder.LAPSED: 310 * NANOS_PER_UNIT,
    HostedOrder.CREDITED: 2_500 * NANOS_PER_UNIT,
    HostedOrder.PENDING: 432_100_000_000,
    HostedOrder.PAYABLE: 999_990_000_000,
}
"""By the amount it is found on a page."""


def payment_variables(data_dir: Path, *, provider_url: str) -> dict[str, str]:
    """Return the variables that switch every payment provider on.

    Args:
        data_dir: Of the installation.
        provider_url: Where all of them are.
    """
    settings = Settings(_env_file=None, data_dir=data_dir)
    settings = with_alipay(with_stripe(settings, base_url=provider_url), gateway_url=provider_url)
    settings = with_wechat_pay(settings, base_url=provider_url)
    places = ("stripe_base_url", "alipay_gateway_url", "wechat_pay_base_url")
    names = [*places, *[name for offer in OFFERS.values() for name in offer.settings]]
    return {f"{PREFIX}{name.upper()}": setting_text(settings, name) for name in names}


async def hosted_orders(cast: orders.Cast, provider: PaymentProvider) -> None:
    """Make orders at a payment provider: credited, started, not started yet; and one that was never paid."""
    currency = Currency.USD if provider is PaymentProvider.STRIPE else Currency.CNY

    async def place(amount_nanos: Nanos) -> str:
        return await orders.place(
            cast, amount_nanos=amount_nanos, submission_id=f"{provider}-{amount_nanos}", provider=provider
        )

    await _let_lapse(await place(HOSTED_NANOS[HostedOrder.LAPSED]))
    credited = await place(HOSTED_NANOS[HostedOrder.CREDITED])
    pending = await place(HOSTED_NANOS[HostedOrder.PENDING])
    await place(HOSTED_NANOS[HostedOrder.PAYABLE])
    for order_id in (credited, pending):
        checkout = Checkout(provider_reference=f"page-{order_id}")
        async with unit_of_work() as session:
            await note_started(session, organization_id=cast.organization_id, order_id=order_id, checkout=checkout)
    news = PaymentNews(
        kind=NewsKind.PAID,
        notification_id=f"evt_{credited}",
        order_id=credited,
        external_payment_id=f"4200{credited}",
        currency=currency.value,
        amount_nanos=HOSTED_NANOS[HostedOrder.CREDITED],
    )
    async with unit_of_work() as session:
        outcome = await settle(session, provider=provider, news=news, mail_room=orders.MAIL_ROOM)
    assert outcome is NewsOutcome.CREDITED


async def _let_lapse(order_id: str) -> None:
    """Let an order be over that nobody paid."""
    async with unit_of_work() as session:
        order = await session.get(TopUpOrder, order_id)
        assert order is not None
        order.expires_at = utc_now()
