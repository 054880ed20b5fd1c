"""What this room needs of a payment provider: send a customer to it, believe what it says, ask it, give money back.

A provider's words are believed only when its signature is right, and are facts about one payment, never text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from onetoken_app.errors import Unavailable, UpstreamFailed
from onetoken_app.money import Currency, Nanos
from onetoken_app.payments.models import NewsKind

REPLAY_SECONDS = 300
"""How far a notification's own moment may be from ours, where the provider signs one."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a provider is told of an order."""

    order_id: str
    reference_code: str
    """Shown to the payer, and on their statement where there is room."""
    amount_nanos: Nanos
    currency: Currency
    expires_at: datetime
    provider_reference: str = ""
    """What the provider called its page for the order, if it gave that a name of its own."""
    is_called_off: bool = False
    """Whether the customer called it off, so that it should no longer be paid."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a provider sends the payer and its notifications."""

    return_url: str
    notify_url: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the payer pays: on a page of the provider, or with a code that they scan."""

    page_url: str = ""
    qr_text: str = ""
    provider_reference: str = ""


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """A verified fact about one payment."""

    kind: NewsKind
    notification_id: str
    """The provider's name for what it said: the same for each repeat."""
    order_id: str
    external_payment_id: str
    currency: str
    """As the provider writes it, in capitals."""
    amount_nanos: Nanos
    refund_id: str = ""
    """Of our refund, when it is about one."""


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Money to give back to whoever paid an order."""

    refund_id: str
    """Ours; the provider gives it back once, however often it is asked to."""
    order_id: str
    external_payment_id: str
    currency: Currency
    paid_nanos: Nanos
    refund_nanos: Nanos


class RefundState(StrEnum):
    """How far a provider is with a refund."""

    PENDING = "pending"
    """Accepted; it will say more."""
    CONFIRMED = "confirmed"
    """The money is on its way back."""
    FAILED = "failed"
    """It will not go back."""
    UNKNOWN = "unknown"
    """The provider has no such refund."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a provider wants to read before it stops repeating itself."""

    status: HTTPStatus
    content_type: str
    text: str


class NotificationRefused(Exception):
    """A notification is not genuine, or not of a form that can be believed; the reason is a constant for the log."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


class ProviderOff(Unavailable):
    """The payment provider is not set up here."""

    code = "payment_provider_off"


class ProviderSilent(Unavailable):
    """The payment provider did not answer, or not in a form that can be believed."""

    code = "payment_provider_silent"


class ProviderRefused(UpstreamFailed):
    """The payment provider will not do it."""

    code = "payment_provider_refused"


class PaymentClient(Protocol):
    """One payment provider, with the operator's credentials."""

    async def start(self, invoice: Invoice, addresses: Addresses) -> Checkout:
        """Have an order paid; the same order again leads to the same payment.

        Raises:
            ProviderSilent, ProviderRefused: Nothing was started.
        """
        ...

    def read_notification(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> PaymentNews | None:
        """Verify a notification; ``None``: it is genuine and about nothing that is acted upon.

        Args:
            headers: With names in lower case.
            body: As it came, before anything read it.
            now: For signatures that have a moment.

        Raises:
            NotificationRefused: It cannot be believed.
        """
        ...

    async def ask(self, invoice: Invoice) -> PaymentNews | None:
        """Ask what became of an order; ``None``: it may still be paid.

        Raises:
            ProviderSilent, ProviderRefused: Nothing was learned.
        """
        ...

    async def close(self, invoice: Invoice) -> None:
        """See to it that an order can no longer be paid; one that nobody began to pay, or is closed, is left alone.

        Raises:
            ProviderRefused: It is paid, or closed in a way that the provider calls a mistake; ``ask`` says which.
            ProviderSilent: It may or may not be closed; do it again.
        """
        ...

    async def refund(self, order: RefundOrder) -> RefundState:
        """Give money back, once per ``refund_id``.

        Raises:
            ProviderSilent: It may or may not have been accepted; ask, or do it again.
            ProviderRefused: It will not be done.
        """
        ...

    async def ask_refund(self, order: RefundOrder) -> RefundState:
        """Ask how far a refund is.

        Raises:
            ProviderSilent: Nothing was learned.
        """
        ...

    def acknowledgement(self, *, is_accepted: bool) -> Acknowledgement:
        """Say yes to a notification, or that it has to come again."""
        ...
