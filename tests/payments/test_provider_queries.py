"""Finance sees what providers said and which order has the money, found by any id, and counts of what was refused."""

import re
from pathlib import Path

import pytest

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.payments.models import NewsKind, NewsOutcome, OrderState, PaymentProvider
from onetoken_app.payments.provider_queries import notifications, provider_orders
from onetoken_app.payments.providers.protocol import PaymentNews
from onetoken_app.payments.refused_notifications import REASONS, count_refused, refused_since_start
from onetoken_app.payments.settling import settle
from tests.payments.orders import AMOUNT, MAIL_ROOM, Cast, a_cast, place, the_order

PROVIDERS = Path(__file__).parents[2] / "onetoken_app" / "payments" / "providers"
database = pytest.mark.usefixtures("database")


async def paid(order_id: str, *, news_id: str, payment_id: str, nanos: int = AMOUNT) -> NewsOutcome:
    """Let Stripe say that an order is paid."""
    news = PaymentNews(NewsKind.PAID, news_id, order_id, payment_id, Currency.USD.value, nanos)
    async with unit_of_work() as session:
        return await settle(session, provider=PaymentProvider.STRIPE, news=news, mail_room=MAIL_ROOM)


async def an_order(cast: Cast, number: int) -> str:
    """Make an order at Stripe."""
    return await place(cast, provider=PaymentProvider.STRIPE, submission_id=f"form-000{number}")


@database
class TestNotifications:
    async def test_say_what_came_of_each_and_which_order_has_the_money(self) -> None:
        cast = await a_cast()
        first, second = await an_order(cast, 1), await an_order(cast, 2)
        await paid(first, news_id="evt_1", payment_id="pi_1")
        await paid(second, news_id="evt_2", payment_id="pi_1")
        await paid(second, news_id="evt_3", payment_id="pi_3", nanos=1)
        await paid("ord_unknown", news_id="evt_4", payment_id="pi_4")
        code = (await the_order(first)).reference_code
        async with read_session() as session:
            found = await notifications(session, limit=10)
            rest = await notifications(session, limit=10, before=(PaymentProvider.STRIPE, "evt_2"))
            unknown = await notifications(session, limit=10, before=(PaymentProvider.STRIPE, "evt_9"))
        assert [(one.notification_id, one.outcome, one.credited_reference) for one in found] == [
            ("evt_4", NewsOutcome.UNKNOWN_ORDER, ""),
            ("evt_3", NewsOutcome.WRONG_AMOUNT, ""),
            ("evt_2", NewsOutcome.PAYMENT_USED, code),
            ("evt_1", NewsOutcome.CREDITED, code),
        ]
        assert found[0].organization_name == ""
        assert [one.notification_id for one in rest] == ["evt_1"]
        assert unknown == []

    async def test_and_orders_are_found_by_any_whole_id(self) -> None:
        cast = await a_cast()
        first, second = await an_order(cast, 1), await an_order(cast, 2)
        await paid(first, news_id="evt_1", payment_id="pi_1")
        await paid(second, news_id="evt_2", payment_id="pi_2")
        code = (await the_order(second)).reference_code
        async with read_session() as session:
            said = {
                words: [one.notification_id for one in await notifications(session, limit=10, words=words)]
                for words in (second, code.lower(), "pi_2", "evt_2", "pi", "%")
            }
            orders = {
                words: [one.id for one in await provider_orders(session, limit=10, words=words)]
                for words in (second, code.lower(), "pi_2", "evt_2", "")
            }
        assert said == {
            second: ["evt_2"],
            code.lower(): ["evt_2"],
            "pi_2": ["evt_2"],
            "evt_2": ["evt_2"],
            "pi": [],
            "%": [],
        }
        assert orders == {second: [second], code.lower(): [second], "pi_2": [second], "evt_2": [], "": [second, first]}

    async def test_orders_by_transfer_are_none_of_them(self) -> None:
        cast = await a_cast()
        await place(cast)
        order_id = await an_order(cast, 2)
        await paid(order_id, news_id="evt_1", payment_id="pi_1")
        async with read_session() as session:
            (order,) = await provider_orders(session, limit=10)
            assert await provider_orders(session, limit=10, before=order.id) == []
        assert (order.id, order.state, order.external_payment_id) == (order_id, OrderState.CREDITED, "pi_1")


class TestRefused:
    def test_are_counted_by_provider_and_reason(self) -> None:
        before = {(one.provider, one.reason): one.count for one in refused_since_start()}
        for _ in range(3):
            count_refused(PaymentProvider.ALIPAY, "too_old")
        after = {(one.provider, one.reason): one.count for one in refused_since_start()}
        which = (PaymentProvider.ALIPAY, "too_old")
        assert after[which] == before.get(which, 0) + 3
        assert refused_since_start()[0].reason == "too_old"

    def test_every_reason_of_a_provider_is_known(self) -> None:
        written = "".join(path.read_text() for path in PROVIDERS.glob("*.py"))
        assert set(re.findall(r'NotificationRefused\("(\w+)"', written)) == set(REASONS)
