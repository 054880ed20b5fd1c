"""Payment intents against localstripe, a server of Stripe's API that this project did not write, on loopback."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import uvicorn

from onetoken_app.console.payment_notifications import PaymentNotifications
from onetoken_app.database import Database, unit_of_work
from onetoken_app.payments.models import OrderState, PaymentProvider
from onetoken_app.payments.provider_desk import ask_about
from onetoken_app.payments.providers.protocol import Checkout, RefundOrder, RefundState
from onetoken_app.payments.providers.stripe_checkout import ORDER_MARK, StripeCheckout
from onetoken_app.payments.settling import note_started
from onetoken_app.settings import Settings
from tests.payments.orders import AMOUNT, Cast, a_cast, place, the_balance, the_order
from tests.payments.stripe_events import SECRET_KEY, WEBHOOK_SECRET, with_stripe
from tests.support.installation import free_port


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running localstripe, by its address."""
    port = free_port()
    folder: Path = tmp_path_factory.mktemp("localstripe")
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"],
            cwd=folder, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    with httpx.Client(trust_env=False) as asking:
        while True:
            with suppress(httpx.TransportError):
                asking.get(f"{url}/v1/customers", auth=(SECRET_KEY, ""))
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield url
    process.kill()
    process.wait()


@pytest.fixture
def settings(sqlite_database: Database, sqlite_settings: Settings, localstripe: str) -> Settings:
    """Settings of an installation that takes payments by it."""
    assert sqlite_database.is_sqlite
    return with_stripe(sqlite_settings, base_url=localstripe)


@pytest.fixture
def client(localstripe: str) -> StripeCheckout:
    """An account at it."""
    return StripeCheckout(SECRET_KEY, WEBHOOK_SECRET, localstripe)


async def a_paid_order(client: StripeCheckout) -> tuple[Cast, str, str]:
    """Make an order and pay it as a browser with a card would; return its payment too."""
    cast = await a_cast()
    order_id = await place(cast, provider=PaymentProvider.STRIPE)
    sdk = client._sdk()
    card = await sdk.v1.payment_methods.create_async(
        {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}}
    )
    intent = await sdk.v1.payment_intents.create_async(
        {
            "amount": 100_000,
            "currency": "usd",
            "payment_method": card.id,
            "confirm": True,
            "metadata": {ORDER_MARK: order_id},
        }
    )
    assert intent.status == "succeeded"
    return cast, order_id, intent.id


class TestLocalstripe:
    async def test_a_payment_whose_notification_was_lost_is_asked_about_and_credited(
        self, settings: Settings, client: StripeCheckout
    ) -> None:
        cast, order_id, intent_id = await a_paid_order(client)
        async with unit_of_work() as session:
            await note_started(
                session,
                organization_id=cast.organization_id,
                order_id=order_id,
                checkout=Checkout(provider_reference=intent_id),
            )
        await ask_about(settings, organization_id=cast.organization_id, order_id=order_id)
        assert (await the_order(order_id)).state is OrderState.CREDITED
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_its_signed_event_credits_the_order(
        self, settings: Settings, client: StripeCheckout, localstripe: str
    ) -> None:
        port = free_port()
        app = PaymentNotifications(settings)
        server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve())
        try:
            async with httpx.AsyncClient(trust_env=False) as telling:
                hook = {
                    "url": f"http://127.0.0.1:{port}/payments/notifications/stripe",
                    "secret": WEBHOOK_SECRET,
                    "events": ["payment_intent.succeeded"],
                }
                (await telling.post(f"{localstripe}/_config/webhooks/ours", json=hook)).raise_for_status()
            cast, order_id, _ = await a_paid_order(client)
            async with asyncio.timeout(30):
                while (await the_order(order_id)).state is not OrderState.CREDITED:  # noqa: ASYNC110 # a row is watched
                    await asyncio.sleep(0.05)
        finally:
            server.should_exit = True
            await serving
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    @pytest.mark.usefixtures("settings")
    async def test_a_part_is_refunded_and_found_again(self, client: StripeCheckout) -> None:
        _cast, order_id, intent_id = await a_paid_order(client)
        order = await the_order(order_id)
        refund = RefundOrder("rfd_1", order_id, intent_id, order.currency, AMOUNT, AMOUNT // 4)
        assert await client.refund(refund) is RefundState.CONFIRMED
        assert await client.ask_refund(refund) is RefundState.CONFIRMED
        refunds = await client._sdk().v1.refunds.list_async({"payment_intent": intent_id})
        assert [one.amount for one in refunds.data] == [25_000]
