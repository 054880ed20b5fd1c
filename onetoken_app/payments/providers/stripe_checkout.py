"""Stripe, by its official SDK: hosted Checkout, signed events, payment intents as the truth, refunds.

A payment is known by its payment intent, whichever event tells of it. Imported only where Stripe is switched on.
"""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import stripe
from stripe.params.checkout import SessionCreateParams

from onetoken_app.payments.amounts import cents_of
from onetoken_app.payments.models import NewsKind
from onetoken_app.payments.providers.exchange import exchange
from onetoken_app.payments.providers.facts import (
    cents_in,
    currency_in,
    id_in,
    object_in,
    optional_id_in,
)
from onetoken_app.payments.providers.protocol import (
    REPLAY_SECONDS,
    Acknowledgement,
    Addresses,
    Checkout,
    Invoice,
    NotificationRefused,
    PaymentNews,
    ProviderRefused,
    ProviderSilent,
    RefundOrder,
    RefundState,
)

ORDER_MARK = "onetoken_order"
"""Under which a payment carries the order's id, whatever object tells of it."""
REFUND_MARK = "onetoken_refund"
_PAID_SESSIONS = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
_UNPAID_SESSIONS = ("checkout.session.expired", "checkout.session.async_payment_failed")
_REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_T = TypeVar("_T")

stripe.enable_telemetry = False


class _Transport(stripe.HTTPClient):
    """Sends the SDK's requests as every other provider's are sent: bounded, no proxies, no redirects."""

    name = "onetoken"

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request."""
        body = post_data.encode() if isinstance(post_data, str) else (post_data or b"")
        try:
            answer = await exchange(method.upper(), url, headers=headers, body=body)
        except ProviderSilent as error:
            raise stripe.APIConnectionError("no answer") from error  # type: ignore[no-untyped-call] # the SDK's
        return answer.body, answer.status, answer.headers


@dataclass(frozen=True, slots=True)
class StripeCheckout:
    """An account at Stripe."""

    secret_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    base_url: str

    async def start(self, invoice: Invoice, addresses: Addresses) -> Checkout:
        """Open a Checkout session for exactly the order's amount in its currency; see ``PaymentClient``."""
        form: SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": invoice.order_id,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": invoice.currency.value.lower(),
                        "unit_amount": cents_of(invoice.amount_nanos),
                        "product_data": {"name": f"OneToken {invoice.reference_code}"},
                    },
                }
            ],
            "metadata": {ORDER_MARK: invoice.order_id},
            "payment_intent_data": {"metadata": {ORDER_MARK: invoice.order_id}},
            # Paid in another currency it would no longer be the order's amount.
            "adaptive_pricing": {"enabled": False},
            "expires_at": int(invoice.expires_at.timestamp()),
            "success_url": addresses.return_url,
            "cancel_url": addresses.return_url,
        }
        creating = self._sdk().v1.checkout.sessions.create_async(form, {"idempotency_key": f"start:{invoice.order_id}"})
        session = await _translated(creating)
        if not session.url:
            raise ProviderSilent("Stripe named no page to pay on; nothing was charged. Try again in a few minutes.")
        return Checkout(page_url=session.url, provider_reference=session.id)

    def read_notification(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> PaymentNews | None:
        """Verify a signed event; see ``PaymentClient``."""
        del now  # the SDK looks at the clock itself
        try:
            stripe.WebhookSignature.verify_header(
                body, headers.get("stripe-signature"), self.webhook_secret, REPLAY_SECONDS
            )
            event = json.loads(body)
        except stripe.SignatureVerificationError:
            raise NotificationRefused("signature_wrong") from None
        except (ValueError, RecursionError):
            raise NotificationRefused("not_readable") from None
        if not isinstance(event, dict) or event.get("object") != "event":
            raise NotificationRefused("not_an_event")
        return _news_of_event(event)

    async def ask(self, invoice: Invoice) -> PaymentNews | None:
        """Look the order's session up, and its payment; see ``PaymentClient``."""
        reference = invoice.provider_reference
        if reference.startswith("cs_"):
            session = (await _translated(self._sdk().v1.checkout.sessions.retrieve_async(reference))).to_dict()
            reference = optional_id_in(session, "payment_intent")
            if session.get("status") == "expired":
                return _unpaid(session, notification_id=f"asked:{session['id']}")
        if not reference.startswith("pi_"):
            return None
        intent = (await _translated(self._sdk().v1.payment_intents.retrieve_async(reference))).to_dict()
        try:
            is_paid = intent.get("status") == "succeeded"
            return _paid_intent(intent, notification_id=f"asked:{reference}") if is_paid else None
        except NotificationRefused:
            raise ProviderSilent(_UNREADABLE) from None

    async def close(self, invoice: Invoice) -> None:
        """Let the order's session expire now; see ``PaymentClient``."""
        if invoice.provider_reference.startswith("cs_"):
            await _translated(self._sdk().v1.checkout.sessions.expire_async(invoice.provider_reference))

    async def refund(self, order: RefundOrder) -> RefundState:
        """Refund a part of a payment, or all of it; see ``PaymentClient``."""
        creating = self._sdk().v1.refunds.create_async(
            {
                "payment_intent": order.external_payment_id,
                "amount": cents_of(order.refund_nanos),
                "metadata": {REFUND_MARK: order.refund_id, ORDER_MARK: order.order_id},
            },
            {"idempotency_key": f"refund:{order.refund_id}"},
        )
        return _refund_state((await _translated(creating)).to_dict())

    async def ask_refund(self, order: RefundOrder) -> RefundState:
        """Find the refund among those of its payment; see ``PaymentClient``."""
        listing = self._sdk().v1.refunds.list_async({"payment_intent": order.external_payment_id, "limit": 100})
        for refund in (await _translated(listing)).data:
            found = refund.to_dict()
            if object_in(found, "metadata").get(REFUND_MARK) == order.refund_id:
                return _refund_state(found)
        return RefundState.UNKNOWN

    def acknowledgement(self, *, is_accepted: bool) -> Acknowledgement:
        """Answer with a status, which is all that Stripe reads."""
        status = HTTPStatus.OK if is_accepted else HTTPStatus.BAD_REQUEST
        return Acknowledgement(status, "application/json", "{}")

    def _sdk(self) -> stripe.StripeClient:
        """Make the SDK's client; it keeps no connection."""
        return stripe.StripeClient(
            self.secret_key,
            base_addresses={"api": self.base_url},
            http_client=_Transport(),
            max_network_retries=0,
        )


_UNREADABLE = "Stripe's answer cannot be read; nothing was done. Try again in a few minutes."


async def _translated(asking: Awaitable[_T]) -> _T:
    """Await the SDK; its errors carry Stripe's words, ours do not."""
    try:
        return await asking
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as error:
        raise ProviderRefused("Stripe will not do this; nothing was charged. Please tell us.") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise ProviderRefused(
            "Stripe does not know this service's key; nothing was charged. Please tell us."
        ) from error
    except (stripe.StripeError, ValueError) as error:
        raise ProviderSilent("Stripe does not answer; nothing was charged. Try again in a few minutes.") from error


def _news_of_event(event: Mapping[str, object]) -> PaymentNews | None:
    """Read the events that are acted upon."""
    kind, notification_id = event.get("type"), id_in(event, "id")
    told = object_in(object_in(event, "data"), "object") if "data" in event else {}
    if kind in _PAID_SESSIONS and told.get("payment_status") == "paid" and told.get("mode") == "payment":
        return _paid_session(told, notification_id=notification_id)
    if kind in _UNPAID_SESSIONS:
        return _unpaid(told, notification_id=notification_id)
    if kind == "payment_intent.succeeded" and told.get("status") == "succeeded":
        return _paid_intent(told, notification_id=notification_id)
    if kind in _REFUNDS:
        return _refunded(told, notification_id=notification_id)
    if isinstance(kind, str) and kind.startswith("charge.dispute."):
        return _about_payment(told, NewsKind.DISPUTED, notification_id=notification_id)
    return None


def _paid_session(session: Mapping[str, object], *, notification_id: str) -> PaymentNews | None:
    """Read a session that was paid; ``None``: it is none of ours."""
    order_id = optional_id_in(session, "client_reference_id")
    if not order_id:
        return None
    return PaymentNews(
        kind=NewsKind.PAID,
        notification_id=notification_id,
        order_id=order_id,
        external_payment_id=id_in(session, "payment_intent"),
        currency=currency_in(session, "currency"),
        amount_nanos=cents_in(session, "amount_total"),
    )


def _unpaid(session: Mapping[str, object], *, notification_id: str) -> PaymentNews | None:
    """Read a session that can no longer be paid; ``None``: it is none of ours."""
    order_id = optional_id_in(session, "client_reference_id")
    if not order_id:
        return None
    return PaymentNews(NewsKind.CLOSED, notification_id, order_id, optional_id_in(session, "payment_intent"), "", 0)


def _paid_intent(intent: Mapping[str, object], *, notification_id: str) -> PaymentNews | None:
    """Read a payment that succeeded; ``None``: it is none of ours."""
    order_id = optional_id_in(object_in(intent, "metadata"), ORDER_MARK)
    if not order_id:
        return None
    received = "amount_received" if "amount_received" in intent else "amount"  # all of it, once it succeeded
    return PaymentNews(
        kind=NewsKind.PAID,
        notification_id=notification_id,
        order_id=order_id,
        external_payment_id=id_in(intent, "id"),
        currency=currency_in(intent, "currency"),
        amount_nanos=cents_in(intent, received),
    )


def _refunded(refund: Mapping[str, object], *, notification_id: str) -> PaymentNews | None:
    """Read a refund that went through or failed, whoever made it; ``None``: it is still on its way."""
    state = _refund_state(refund)
    if state is RefundState.PENDING:
        return None
    kind = NewsKind.REFUNDED if state is RefundState.CONFIRMED else NewsKind.REFUND_FAILED
    return _about_payment(refund, kind, notification_id=notification_id)


def _about_payment(told: Mapping[str, object], kind: NewsKind, *, notification_id: str) -> PaymentNews:
    """Read something that happened to a payment after it was made."""
    marks = object_in(told, "metadata")
    return PaymentNews(
        kind=kind,
        notification_id=notification_id,
        order_id=optional_id_in(marks, ORDER_MARK),
        external_payment_id=optional_id_in(told, "payment_intent"),
        currency=currency_in(told, "currency"),
        amount_nanos=cents_in(told, "amount"),
        refund_id=optional_id_in(marks, REFUND_MARK),
    )


def _refund_state(refund: Mapping[str, object]) -> RefundState:
    """Read how far a refund is; ``canceled`` and ``failed`` give nothing back."""
    status = refund.get("status")
    if status == "succeeded":
        return RefundState.CONFIRMED
    return RefundState.FAILED if status in {"failed", "canceled"} else RefundState.PENDING
