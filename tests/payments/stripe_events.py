"""What Stripe sends and answers, signed as it signs; every member is one that the SDK's own types have."""

import json
from collections.abc import Mapping
from inspect import get_annotations
from itertools import count
from typing import Any

import stripe
from pydantic import SecretStr

from onetoken_app.payments.queries import OrderView
from onetoken_app.settings import Settings

WEBHOOK_SECRET = "whsec_test"
SECRET_KEY = "sk_test_of_ours"
Json = dict[str, Any]
_numbers = count(1)
_TYPES: Mapping[str, type] = {
    "event": stripe.Event,
    "checkout.session": stripe.checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
}


def with_stripe(settings: Settings, *, base_url: str = "http://127.0.0.1:9", secret: str = WEBHOOK_SECRET) -> Settings:
    """Switch Stripe on."""
    return settings.model_copy(
        update={
            "stripe_secret_key": SecretStr(SECRET_KEY),
            "stripe_webhook_secret": SecretStr(secret),
            "stripe_base_url": base_url,
        }
    )


def checked(shape: Json) -> Json:
    """Return an object of Stripe's, once each of its members is one that the SDK declares."""
    declared = get_annotations(_TYPES[shape["object"]]).keys()
    assert set(shape) <= set(declared), set(shape) - set(declared)
    return shape


def session_of(order: OrderView, **changes: Any) -> Json:
    """A Checkout session that was paid."""
    return checked(
        {
            "id": f"cs_test_{order.id}",
            "object": "checkout.session",
            "mode": "payment",
            "status": "complete",
            "payment_status": "paid",
            "client_reference_id": order.id,
            "amount_total": order.amount_nanos // 10_000_000,
            "currency": order.currency.value.lower(),
            "payment_intent": f"pi_{order.id}",
            "metadata": {"onetoken_order": order.id},
            "url": None,
        }
        | changes
    )


def intent_of(order: OrderView, **changes: Any) -> Json:
    """Its payment, which succeeded."""
    cents = order.amount_nanos // 10_000_000
    return checked(
        {
            "id": f"pi_{order.id}",
            "object": "payment_intent",
            "status": "succeeded",
            "amount": cents,
            "amount_received": cents,
            "currency": order.currency.value.lower(),
            "metadata": {"onetoken_order": order.id},
        }
        | changes
    )


def event_of(kind: str, about: Json, **changes: Any) -> bytes:
    """An event as Stripe writes it."""
    event = {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "api_version": "2026-10-28",
        "created": 1_780_000_000,
        "livemode": False,
        "type": kind,
        "data": {"object": about},
    }
    return json.dumps(checked(event | changes), indent=2).encode()


def signed(body: bytes, *, secret: str = WEBHOOK_SECRET, moment: int | None = None) -> tuple[tuple[bytes, bytes], ...]:
    """Sign a body as the SDK's authors do."""
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, moment)
    return ((b"stripe-signature", header.encode()),)
