"""Payers are sent to a provider; it is asked about orders that nothing was heard of, so that nothing is lost."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from onetoken_app import clock
from onetoken_app.database import Database, read_session
from onetoken_app.errors import NotFound
from onetoken_app.jobs.settle_pending_orders import pending_orders_settled, settle_pending_orders
from onetoken_app.payments.errors import OrderChanged, OrderExpired
from onetoken_app.payments.models import NewsOutcome, OrderState, PaymentProvider, TopUpOrder
from onetoken_app.payments.provider_desk import ask_about, ask_about_next, close_called_off, start_payment
from onetoken_app.payments.providers.protocol import ProviderOff, ProviderSilent
from onetoken_app.payments.settling import ASK_AFTER, ASK_UNTIL
from onetoken_app.settings import Settings
from tests.payments.orders import AMOUNT, Cast, a_cast, cancel, place, the_balance, the_order
from tests.payments.scripted_provider import Answer, Asked, ScriptedProvider, scripted_provider
from tests.payments.stripe_events import checked, intent_of, session_of, with_stripe
from tests.payments.test_approve_transfer import top_up_count


class Stripe:
    """A provider at which orders are opened, and are paid once a test says so."""

    def __init__(self) -> None:
        self.order_id: str | None = None
        self.paid: dict[str, str] = {}
        """Session and intent, as they are once paid."""
        self.is_expired = False
        """Whether the session was closed."""

    def script(self, asked: Asked) -> Answer:
        """Open a session, or say how it is."""
        known = asked.path.rpartition("/")[2]
        if known == "expire" and (self.paid or self.is_expired):
            refusal = {"type": "invalid_request_error", "message": "Only open sessions can be expired."}
            return Answer(json.dumps({"error": refusal}).encode(), 400)
        self.is_expired = self.is_expired or known == "expire"
        if asked.method == "GET" and known in self.paid:
            return Answer(self.paid[known].encode())
        status = "expired" if self.is_expired else "open"
        session = {"id": "cs_1", "object": "checkout.session", "status": status, "payment_intent": None}
        session["client_reference_id"] = self.order_id
        return Answer(json.dumps(checked({**session, "url": "https://pay.example/cs_1"})).encode())

    async def pay(self, order_id: str) -> None:
        """Let the order be paid, and the notification be lost."""
        order = await the_order(order_id)
        self.paid = {
            "cs_1": json.dumps(session_of(order, id="cs_1", url="https://pay.example/cs_1")),
            f"pi_{order_id}": json.dumps(intent_of(order)),
        }


@pytest.fixture
def stripe() -> Stripe:
    """The provider's side."""
    return Stripe()


@pytest.fixture
def provider(stripe: Stripe) -> Iterator[ScriptedProvider]:
    """Where it is."""
    with scripted_provider(stripe.script) as running:
        yield running


@pytest.fixture
def settings_on(database: Database, database_settings: Settings, provider: ScriptedProvider) -> Settings:
    """An installation that takes payments by it, on each database."""
    assert database.is_sqlite is database_settings.is_sqlite
    return with_stripe(database_settings, base_url=provider.url)


async def a_started_order(settings: Settings) -> tuple[Cast, str]:
    """Make an order and send somebody to pay it."""
    cast = await a_cast()
    order_id = await place(cast, provider=PaymentProvider.STRIPE)
    checkout = await start_payment(settings, organization_id=cast.organization_id, order_id=order_id)
    assert checkout.page_url == "https://pay.example/cs_1"
    return cast, order_id


async def ask_at_of(order_id: str) -> datetime | None:
    """Return when an order is due to be asked about."""
    async with read_session() as session:
        row = await session.get(TopUpOrder, order_id)
    assert row is not None
    return row.ask_at


class TestStart:
    async def test_keeps_what_the_provider_calls_it(self, settings_on: Settings, provider: ScriptedProvider) -> None:
        cast, order_id = await a_started_order(settings_on)
        first = await the_order(order_id)
        await start_payment(settings_on, organization_id=cast.organization_id, order_id=order_id)
        again = await the_order(order_id)
        assert first.started_at == again.started_at is not None
        assert len({asked.headers["idempotency-key"] for asked in provider.asked}) == 1

    async def test_is_for_the_organization_and_for_what_is_to_be_paid(
        self, settings_on: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, other = await a_cast(), await a_cast()
        by_hand = await place(cast)
        order_id = await place(cast, provider=PaymentProvider.STRIPE, submission_id="form-0002")
        with pytest.raises(NotFound):
            await start_payment(settings_on, organization_id=other.organization_id, order_id=order_id)
        with pytest.raises(OrderChanged):
            await start_payment(settings_on, organization_id=cast.organization_id, order_id=by_hand)
        later = (await the_order(order_id)).expires_at + timedelta(seconds=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        with pytest.raises(OrderExpired):
            await start_payment(settings_on, organization_id=cast.organization_id, order_id=order_id)
        monkeypatch.undo()
        await cancel(cast, order_id)
        with pytest.raises(OrderChanged):
            await start_payment(settings_on, organization_id=cast.organization_id, order_id=order_id)

    async def test_without_its_secrets_nothing_is_started(self, settings_on: Settings) -> None:
        cast = await a_cast()
        order_id = await place(cast, provider=PaymentProvider.STRIPE)
        off = settings_on.model_copy(update={"stripe_secret_key": None})
        with pytest.raises(ProviderOff):
            await start_payment(off, organization_id=cast.organization_id, order_id=order_id)
        assert (await the_order(order_id)).started_at is None

    async def test_a_silent_provider_leaves_the_order_to_be_paid_later(
        self, settings_on: Settings, provider: ScriptedProvider
    ) -> None:
        cast = await a_cast()
        order_id = await place(cast, provider=PaymentProvider.STRIPE)
        provider.script = lambda _asked: Answer(b"", 500)
        with pytest.raises(ProviderSilent):
            await start_payment(settings_on, organization_id=cast.organization_id, order_id=order_id)
        assert ((await the_order(order_id)).state, await ask_at_of(order_id)) == (OrderState.OPEN, None)


class TestAsk:
    async def test_credits_what_was_paid_once_however_often_it_is_asked(
        self, settings_on: Settings, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_started_order(settings_on)
        await stripe.pay(order_id)
        whose = {"organization_id": cast.organization_id, "order_id": order_id}
        assert await ask_about(settings_on, **whose) is NewsOutcome.CREDITED
        later = clock.utc_now() + timedelta(minutes=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        assert await ask_about(settings_on, **whose) is None  # there is nothing left to ask
        assert (await the_balance(cast)).posted_nanos == AMOUNT
        assert await top_up_count() == 1

    async def test_is_done_every_five_seconds_at_most(
        self, settings_on: Settings, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_started_order(settings_on)
        started = len(provider.asked)
        whose = {"organization_id": cast.organization_id, "order_id": order_id}
        await asyncio.gather(*[ask_about(settings_on, **whose) for _ in range(5)])
        assert len(provider.asked) == started + 1
        later = clock.utc_now() + timedelta(seconds=6)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        await ask_about(settings_on, **whose)
        assert len(provider.asked) == started + 2

    async def test_is_for_the_organization_only(self, settings_on: Settings) -> None:
        _cast, order_id = await a_started_order(settings_on)
        other = await a_cast()
        with pytest.raises(NotFound):
            await ask_about(settings_on, organization_id=other.organization_id, order_id=order_id)


def expiries(provider: ScriptedProvider) -> list[str]:
    """Return what the provider was told to close."""
    return [asked.path for asked in provider.asked if asked.path.endswith("/expire")]


class TestCalledOff:
    async def test_is_closed_at_the_provider_and_asked_about_no_more(
        self, settings_on: Settings, stripe: Stripe, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_started_order(settings_on)
        stripe.order_id = order_id
        await cancel(cast, order_id)
        for minutes in (0, 1):
            later = clock.utc_now() + timedelta(minutes=minutes)
            monkeypatch.setattr(clock, "utc_now", lambda now=later: now)
            await close_called_off(settings_on, organization_id=cast.organization_id, order_id=order_id)
        assert set(expiries(provider)) == {"/v1/checkout/sessions/cs_1/expire"}
        assert (await the_order(order_id)).state is OrderState.CANCELLED
        assert await ask_at_of(order_id) is None

    async def test_is_closed_by_the_job_when_the_provider_was_silent(
        self, settings_on: Settings, stripe: Stripe, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_started_order(settings_on)
        stripe.order_id = order_id
        await cancel(cast, order_id)
        provider.script = lambda _asked: Answer(b"", 500)
        await close_called_off(settings_on, organization_id=cast.organization_id, order_id=order_id)
        assert await ask_at_of(order_id) is not None
        provider.script, later = stripe.script, clock.utc_now() + timedelta(seconds=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        assert await ask_about_next(settings_on)
        assert stripe.is_expired
        assert await ask_at_of(order_id) is None

    async def test_is_credited_when_it_was_paid_before(self, settings_on: Settings, stripe: Stripe) -> None:
        cast, order_id = await a_started_order(settings_on)
        await stripe.pay(order_id)
        await cancel(cast, order_id)
        await close_called_off(settings_on, organization_id=cast.organization_id, order_id=order_id)
        assert (await the_order(order_id)).state is OrderState.CREDITED
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_before_it_was_started_nobody_is_told(
        self, settings_on: Settings, provider: ScriptedProvider
    ) -> None:
        cast = await a_cast()
        order_id = await place(cast, provider=PaymentProvider.STRIPE)
        await cancel(cast, order_id)
        await close_called_off(settings_on, organization_id=cast.organization_id, order_id=order_id)
        assert provider.asked == []
        assert await ask_at_of(order_id) is None

    async def test_while_the_provider_is_switched_off_the_order_is_called_off_all_the_same(
        self, settings_on: Settings
    ) -> None:
        cast, order_id = await a_started_order(settings_on)
        await cancel(cast, order_id)
        off = settings_on.model_copy(update={"stripe_webhook_secret": None})
        await close_called_off(off, organization_id=cast.organization_id, order_id=order_id)
        assert (await the_order(order_id)).state is OrderState.CANCELLED


class TestPendingOrders:
    async def test_a_lost_notification_leaves_no_money_in_limbo(
        self, settings_on: Settings, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_started_order(settings_on)
        await stripe.pay(order_id)
        assert not await ask_about_next(settings_on)  # not yet: the notification may be on its way
        later = clock.utc_now() + ASK_AFTER + timedelta(seconds=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        async with pending_orders_settled(settings_on, poll_seconds=0.01):
            async with asyncio.timeout(20):
                while (await the_order(order_id)).state is not OrderState.CREDITED:  # noqa: ASYNC110 # a row is watched
                    await asyncio.sleep(0.01)
        assert (await the_balance(cast)).posted_nanos == AMOUNT
        assert await ask_at_of(order_id) is None

    async def test_an_order_that_was_called_off_is_asked_about_too(
        self, settings_on: Settings, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_started_order(settings_on)
        await stripe.pay(order_id)
        await cancel(cast, order_id)
        later = clock.utc_now() + timedelta(hours=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        assert await ask_about_next(settings_on)
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_one_that_is_not_paid_is_asked_about_ever_more_seldom_and_then_no_more(
        self, settings_on: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _cast, order_id = await a_started_order(settings_on)
        order = await the_order(order_id)
        moment, asked = clock.utc_now(), 0
        while (due := await ask_at_of(order_id)) is not None:
            assert due > moment
            moment = due
            monkeypatch.setattr(clock, "utc_now", lambda now=moment: now)
            assert await ask_about_next(settings_on)
            asked += 1
        assert order.expires_at + ASK_UNTIL <= moment <= order.expires_at + ASK_UNTIL + timedelta(hours=1)
        assert 50 < asked < 80

    async def test_a_silent_provider_does_not_keep_the_others(
        self, settings_on: Settings, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            await a_started_order(settings_on)
        later = clock.utc_now() + timedelta(hours=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        provider.script, before = (lambda _asked: Answer(b"", 500)), len(provider.asked)
        await settle_pending_orders(settings_on, asyncio.Event())
        assert len(provider.asked) == before + 3
        await settle_pending_orders(settings_on, asyncio.Event())
        assert len(provider.asked) == before + 3  # each is due again later
