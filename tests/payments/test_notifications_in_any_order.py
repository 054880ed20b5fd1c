"""A16 for Alipay and WeChat Pay: paid, said again, closed and refunded, in any order and at once: one credit."""

import asyncio
import time
from collections.abc import Callable
from itertools import permutations

import pytest

from onetoken_app.console.payment_notifications import PaymentNotifications
from onetoken_app.database import Database, read_session
from onetoken_app.ledger.queries import balance_of
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Currency
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.queries import OrderView
from onetoken_app.settings import Settings
from tests.console.asgi_calls import post
from tests.payments.chinese_providers import (
    MERCHANT_ID,
    alipay_form,
    alipay_signed,
    as_asgi,
    wechat_notification,
    wechat_signed,
    wechat_transaction,
    with_alipay,
    with_wechat_pay,
)
from tests.payments.orders import AMOUNT, a_cast, place, the_order
from tests.payments.test_alipay_page import FORM
from tests.payments.test_approve_transfer import top_up_count

Told = tuple[bytes, str, dict[str, str]]
"""A body, its type, and its headers."""


@pytest.fixture
def desk(database: Database, database_settings: Settings) -> PaymentNotifications:
    """The addresses that both post to, on each database."""
    assert database.is_sqlite is database_settings.is_sqlite
    return PaymentNotifications(with_alipay(with_wechat_pay(database_settings)))


def by_alipay(order: OrderView, payment: str) -> list[Told]:
    """Say that a trade is paid, that it is closed, and that some of it went back."""
    kinds = (
        {"trade_status": "TRADE_SUCCESS"},
        {"trade_status": "TRADE_CLOSED"},
        {"trade_status": "TRADE_SUCCESS", "refund_fee": "1.00", "out_biz_no": "rfd_1"},
    )
    return [(alipay_signed(alipay_form(order, **kind, trade_no=payment)), FORM, {}) for kind in kinds]


def by_wechat(order: OrderView, payment: str) -> list[Told]:
    """Say the same of an order."""
    went_back = {
        "mchid": MERCHANT_ID, "out_trade_no": order.id, "transaction_id": payment, "out_refund_no": "rfd_1",
        "refund_status": "SUCCESS", "amount": {"total": 100_000, "refund": 500},
    }  # fmt: skip
    bodies = [
        *[
            wechat_notification(wechat_transaction(order, trade_state=state, transaction_id=payment))
            for state in ("SUCCESS", "CLOSED")
        ],
        wechat_notification(went_back, event_type="REFUND.SUCCESS"),
    ]
    return [(body, "application/json", wechat_signed(body, moment=int(time.time()))) for body in bodies]


async def tell(desk: PaymentNotifications, provider: PaymentProvider, told: Told) -> None:
    """Post a notification, twice."""
    body, content_type, headers = told
    for _ in range(2):
        answer = await post(
            desk, f"/payments/notifications/{provider}", body, origin="", content_type=content_type,
            headers=as_asgi(headers),
        )  # fmt: skip
        assert answer.status == 200


@pytest.mark.row("A16")
class TestInAnyOrder:
    @pytest.mark.parametrize(
        ("provider", "says"),
        [
            pytest.param(PaymentProvider.ALIPAY, by_alipay, id="Alipay"),
            pytest.param(PaymentProvider.WECHAT_PAY, by_wechat, id="WeChat Pay"),
        ],
    )
    async def test_a16_one_order_is_credited_once(
        self, desk: PaymentNotifications, provider: PaymentProvider, says: Callable[[OrderView, str], list[Told]]
    ) -> None:
        cast = await a_cast(currency=Currency.CNY)
        for number, sequence in enumerate(permutations(range(3))):
            order_id = await place(cast, provider=provider, submission_id=f"form-{number:04d}")
            told = says(await the_order(order_id), f"4200{number}")
            if number % 2:
                await asyncio.gather(*(tell(desk, provider, told[place_in_it]) for place_in_it in sequence))
            else:
                for place_in_it in sequence:
                    await tell(desk, provider, told[place_in_it])
            assert await top_up_count() == number + 1, sequence
        async with read_session() as session:
            balance = await balance_of(session, owner_id=cast.organization_id, currency=Currency.CNY)
        async with read_session() as session:
            assert (await verify(session)).is_ok
        assert balance.posted_nanos == 6 * AMOUNT
