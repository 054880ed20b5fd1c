"""Counts, in this process, the notifications that were not believed: by provider and reason, never what they said.

Anybody can send such a thing, so it leaves no row; the counts begin anew with the process.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from onetoken_app import clock
from onetoken_app.payments.models import PaymentProvider

REASONS = (
    "amount_unreadable",
    "currency_missing",
    "id_missing",
    "not_an_event",
    "not_for_us",
    "not_readable",
    "seal_wrong",
    "signature_wrong",
    "too_old",
)
"""Every reason that a provider's module gives."""


@dataclass(frozen=True, slots=True)
class RefusedView:
    """How often something was not believed."""

    provider: PaymentProvider
    reason: str
    """One of ``REASONS``."""
    count: int
    last_at: datetime


_counts: dict[tuple[PaymentProvider, str], RefusedView] = {}


def count_refused(provider: PaymentProvider, reason: str) -> None:
    """Count one notification that was not believed."""
    now = clock.utc_now()
    known = _counts.get((provider, reason), RefusedView(provider, reason, 0, now))
    _counts[provider, reason] = replace(known, count=known.count + 1, last_at=now)


def refused_since_start() -> list[RefusedView]:
    """Return the counts of this process, the last refused first."""
    return sorted(_counts.values(), key=lambda one: one.last_at, reverse=True)
