"""Stripe by its official SDK: Checkout against a scripted server whose shapes the SDK's types know."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from inspect import get_annotations
from urllib.parse import parse_qsl

import pytest
from stripe.params.checkout import SessionCreateParams

from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.payments.models import NewsKind
from onetoken_app.payments.providers import exchange
from onetoken_app.payments.providers.protocol import (
    Addresses,
    Invoice,
    ProviderRefused,
    ProviderSilent,
    RefundOrder,
    RefundState,
)
from onetoken_app.payments.providers.stripe_checkout import StripeCheckout
from tests.payments.scripted_provider import Answer, ScriptedProvider, scripted_provider
from tests.payments.stripe_events import SECRET_KEY, WEBHOOK_SECRET, Json, checked

INVOICE = Invoice(
    order_id="ord_1",
    reference_code="OT-7K4M2QXB",
    amount_nanos=1_234 * NANOS_PER_UNIT + 560_000_000,
    currency=Currency.USD,
    expires_at=datetime(2026, 11, 27, 12, tzinfo=UTC),
    provider_reference="cs_test_1",
)
ADDRESSES = Addresses(return_url="https://console.test.example/top-up?order=ord_1", notify_url="https://unused.example")
REFUND = RefundOrder("rfd_1", "ord_1", "pi_1", Currency.USD, INVOICE.amount_nanos, 5 * NANOS_PER_UNIT)
SESSION = {"id": "cs_test_1", "object": "checkout.session", "url": "https://checkout.example/c/pay/cs_test_1"}


def answers(shape: Json, status: int = 200) -> Answer:
    """Answer with an object."""
    return Answer(json.dumps(shape).encode(), status)


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    """Stripe's API; opens sessions until a test says otherwise."""
    with scripted_provider(lambda _asked: answers(checked(SESSION))) as running:
        yield running


@pytest.fixture
def client(provider: ScriptedProvider) -> StripeCheckout:
    """An account at it."""
    return StripeCheckout(SECRET_KEY, WEBHOOK_SECRET, provider.url)


class TestStart:
    async def test_opens_a_session_for_exactly_the_order(
        self, client: StripeCheckout, provider: ScriptedProvider
    ) -> None:
        checkout = await client.start(INVOICE, ADDRESSES)
        assert (checkout.page_url, checkout.provider_reference) == (SESSION["url"], "cs_test_1")
        (asked,) = provider.asked
        form = dict(parse_qsl(asked.body.decode()))
        assert (asked.method, asked.path) == ("POST", "/v1/checkout/sessions")
        assert asked.headers["authorization"] == f"Bearer {SECRET_KEY}"
        assert asked.headers["idempotency-key"] == "start:ord_1"
        assert form["line_items[0][price_data][unit_amount]"] == "123456"
        assert form["line_items[0][price_data][currency]"] == "usd"
        assert form["line_items[0][quantity]"] == "1"
        assert form["client_reference_id"] == form["payment_intent_data[metadata][onetoken_order]"] == "ord_1"
        assert form["expires_at"] == str(int(INVOICE.expires_at.timestamp()))
        assert form["success_url"] == ADDRESSES.return_url
        assert {name.partition("[")[0] for name in form} <= set(get_annotations(SessionCreateParams))

    async def test_again_is_the_same_request_under_the_same_key(
        self, client: StripeCheckout, provider: ScriptedProvider
    ) -> None:
        await client.start(INVOICE, ADDRESSES)
        await client.start(replace(INVOICE, provider_reference=""), ADDRESSES)
        first, second = provider.asked
        assert (first.body, first.headers["idempotency-key"]) == (second.body, second.headers["idempotency-key"])

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            *[(status, ProviderRefused) for status in (400, 401, 402, 403)],
            *[(status, ProviderSilent) for status in (429, 500, 302, 200)],
        ],
    )
    async def test_what_stripe_says_instead_is_said_in_our_words(
        self, client: StripeCheckout, provider: ScriptedProvider, status: int, error: type[Exception]
    ) -> None:
        refusal = {"error": {"type": "invalid_request_error", "message": f"no such key {SECRET_KEY}"}}
        body = b"<html>" if status == 200 else json.dumps(refusal).encode()
        provider.script = lambda _asked: Answer(body, status, {"location": f"{provider.url}/elsewhere"})
        with pytest.raises(error) as caught:
            await client.start(INVOICE, ADDRESSES)
        assert "no such key" not in str(caught.value)
        assert SECRET_KEY not in str(caught.value)
        assert len(provider.asked) == 1  # neither again nor elsewhere

    async def test_nobody_there_is_silence(self) -> None:
        with pytest.raises(ProviderSilent):
            await StripeCheckout(SECRET_KEY, WEBHOOK_SECRET, "http://127.0.0.1:9").start(INVOICE, ADDRESSES)

    async def test_an_endless_answer_is_cut_off(
        self, client: StripeCheckout, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exchange, "_ANSWER_BYTES_MAX", 1_000)
        provider.script = lambda _asked: Answer(b" " * 5_000)
        with pytest.raises(ProviderSilent):
            await client.start(INVOICE, ADDRESSES)

    async def test_secrets_are_not_printed(self, client: StripeCheckout) -> None:
        assert SECRET_KEY not in repr(client)
        assert WEBHOOK_SECRET not in repr(client)


class TestAsk:
    async def test_a_paid_session_is_told_by_its_payment(
        self, client: StripeCheckout, provider: ScriptedProvider
    ) -> None:
        paid = {**SESSION, "status": "complete", "payment_status": "paid", "payment_intent": "pi_1"}
        intent = {
            "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 123_456,
            "amount_received": 123_456, "currency": "usd", "metadata": {"onetoken_order": "ord_1"},
        }  # fmt: skip
        provider.script = lambda asked: answers(checked(paid if "sessions" in asked.path else intent))
        news = await client.ask(INVOICE)
        assert news is not None
        assert (news.kind, news.order_id, news.external_payment_id) == (NewsKind.PAID, "ord_1", "pi_1")
        assert (news.amount_nanos, news.currency) == (INVOICE.amount_nanos, "USD")
        assert [one.path for one in provider.asked] == ["/v1/checkout/sessions/cs_test_1", "/v1/payment_intents/pi_1"]

    @pytest.mark.parametrize(
        ("session", "kind"),
        [
            ({"status": "open", "payment_intent": None}, None),
            ({"status": "expired", "client_reference_id": "ord_1", "payment_intent": None}, NewsKind.CLOSED),
        ],
    )
    async def test_an_unpaid_session(
        self, client: StripeCheckout, provider: ScriptedProvider, session: Json, kind: NewsKind | None
    ) -> None:
        provider.script = lambda _asked: answers(checked({**SESSION, **session}))
        news = await client.ask(INVOICE)
        assert (news.kind if news else None) is kind

    async def test_nothing_was_started_so_nothing_is_asked(
        self, client: StripeCheckout, provider: ScriptedProvider
    ) -> None:
        assert await client.ask(replace(INVOICE, provider_reference="")) is None
        assert provider.asked == []


class TestRefund:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("succeeded", RefundState.CONFIRMED),
            ("pending", RefundState.PENDING),
            ("failed", RefundState.FAILED),
            ("canceled", RefundState.FAILED),
        ],
    )
    async def test_is_asked_for_under_our_own_id(
        self, client: StripeCheckout, provider: ScriptedProvider, status: str, state: RefundState
    ) -> None:
        provider.script = lambda _asked: answers(checked({"id": "re_1", "object": "refund", "status": status}))
        assert await client.refund(REFUND) is state
        (asked,) = provider.asked
        form = dict(parse_qsl(asked.body.decode()))
        assert asked.headers["idempotency-key"] == "refund:rfd_1"
        assert (form["payment_intent"], form["amount"]) == ("pi_1", "500")

    async def test_is_found_again_among_those_of_its_payment(
        self, client: StripeCheckout, provider: ScriptedProvider
    ) -> None:
        mine = {"id": "re_2", "object": "refund", "status": "succeeded", "metadata": {"onetoken_refund": "rfd_1"}}
        other = {"id": "re_1", "object": "refund", "status": "failed", "metadata": {}}
        listing = {"object": "list", "data": [checked(other), checked(mine)], "has_more": False, "url": "/v1/refunds"}
        provider.script = lambda _asked: answers(listing)
        assert await client.ask_refund(REFUND) is RefundState.CONFIRMED
        assert await client.ask_refund(replace(REFUND, refund_id="rfd_2")) is RefundState.UNKNOWN


class TestExpiry:
    def test_a_session_lives_as_long_as_stripe_admits(self) -> None:
        from onetoken_app.payments.orders import PAGE_LIFE  # noqa: PLC0415 # beside the rule that it has to keep

        assert timedelta(minutes=30) < PAGE_LIFE < timedelta(hours=24)
