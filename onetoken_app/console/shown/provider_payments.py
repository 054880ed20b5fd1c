"""What payment providers said and what was ordered at them, as finance reads it."""

from dataclasses import dataclass, field

from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.moments import shown_minute, shown_moment
from onetoken_app.money import Currency
from onetoken_app.payments.provider_queries import NotificationView, ProviderOrderView
from onetoken_app.payments.refused_notifications import RefusedView


@dataclass(frozen=True, slots=True)
class ShownNotification:
    """A notification that was genuine."""

    id: str = ""
    provider: str = ""
    kind: str = ""
    outcome: str = ""
    received: str = ""
    order: str = ""
    """The reference code of our order, or what the provider calls one that is none of ours."""
    organization: str = ""
    payment: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    credited: str = ""
    """The reference code of the order that has the payment."""


@dataclass(frozen=True, slots=True)
class ShownRefused:
    """Notifications that were not believed."""

    provider: str = ""
    reason: str = ""
    count: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class ShownProviderOrder:
    """An order at a payment provider."""

    id: str = ""
    reference: str = ""
    organization: str = ""
    provider: str = ""
    amount: ShownAmount = field(default_factory=ShownAmount)
    state: str = ""
    ordered: str = ""
    started: str = ""
    asked: str = ""
    next_asked: str = ""
    credited: str = ""
    payment: str = ""


def shown_notification(view: NotificationView, *, time_zone: str) -> ShownNotification:
    """Show what a provider said; an amount in a currency that is none of ours keeps the provider's name for it."""
    known = Currency(view.currency) if view.currency in set(Currency) else None
    amount = shown_amount(view.amount_nanos, known or Currency.USD)
    return ShownNotification(
        id=view.notification_id,
        provider=view.provider.value,
        kind=view.kind.value,
        outcome=view.outcome.value,
        received=shown_moment(view.received_at, time_zone),
        order=view.reference_code or view.order_id,
        organization=view.organization_name,
        payment=view.external_payment_id,
        amount=amount if known else ShownAmount(view.currency, amount.main, amount.rest),
        credited=view.credited_reference,
    )


def shown_refused(view: RefusedView, *, time_zone: str) -> ShownRefused:
    """Show how often something was not believed."""
    return ShownRefused(view.provider.value, view.reason, view.count, shown_moment(view.last_at, time_zone))


def shown_provider_order(view: ProviderOrderView, *, time_zone: str) -> ShownProviderOrder:
    """Show an order at a provider."""
    return ShownProviderOrder(
        id=view.id,
        reference=view.reference_code,
        organization=view.organization_name,
        provider=view.provider.value,
        amount=shown_amount(view.amount_nanos, view.currency),
        state=view.state.value,
        ordered=shown_minute(view.ordered_at, time_zone),
        started=shown_minute(view.started_at, time_zone),
        asked=shown_minute(view.asked_at, time_zone),
        next_asked=shown_minute(view.ask_at, time_zone),
        credited=shown_minute(view.credited_at, time_zone),
        payment=view.external_payment_id,
    )
