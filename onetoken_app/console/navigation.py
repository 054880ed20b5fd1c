"""Every place in the console that a menu leads to: one row a page."""

from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """Whose side of the console a page is on."""

    PUBLIC = "public"
    """Anybody, signed in or not."""
    CUSTOMER = "customer"
    """People of an organization."""
    STAFF = "staff"
    """The operator's people."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row of a menu."""

    route: str
    label_key: str
    icon: str
    """A name of lucide."""
    area: Area
    heading_key: str = ""
    """Of the group that begins with it, in the catalogues; empty: it goes on with the group before."""
    is_for_money: bool = False
    """Whether it is for those in charge of the organization's money alone."""


HOME = "/"
"""What a stranger sees first."""
OVERVIEW = "/overview"
"""What a signed-in person sees first."""
STAFF_HOME = "/staff/organizations"
"""What everybody of the operator's staff may see."""
AGREEMENTS = "/agreements"
"""Where an organization accepts texts and finds what it accepted."""
PLACES = (
    Place("/models", "nav.models", "boxes", Area.PUBLIC),
    Place("/status", "nav.status", "activity", Area.PUBLIC),
    Place("/terms", "nav.terms", "scroll-text", Area.PUBLIC),
    Place("/privacy", "nav.privacy", "shield", Area.PUBLIC),
    Place("/overview", "nav.overview", "layout-dashboard", Area.CUSTOMER),
    Place("/quick-start", "nav.quick_start", "rocket", Area.CUSTOMER),
    Place("/playground", "nav.playground", "message-square", Area.CUSTOMER),
    Place("/usage", "nav.usage", "chart-column", Area.CUSTOMER),
    Place("/keys", "nav.keys", "key-round", Area.CUSTOMER),
    Place("/projects", "nav.projects", "folder", Area.CUSTOMER),
    Place("/top-up", "nav.top_up", "wallet", Area.CUSTOMER, heading_key="nav.money"),
    Place("/credit", "nav.credit", "coins", Area.CUSTOMER),
    Place("/budgets", "nav.budgets", "gauge", Area.CUSTOMER),
    Place("/refunds", "nav.refunds", "undo-2", Area.CUSTOMER),
    Place("/statements", "nav.statements", "receipt-text", Area.CUSTOMER),
    Place("/invoices", "nav.invoices", "stamp", Area.CUSTOMER, is_for_money=True),
    Place("/verification", "nav.verification", "badge-check", Area.CUSTOMER, heading_key="nav.organization"),
    Place("/members", "nav.members", "users", Area.CUSTOMER),
    Place("/agreements", "nav.agreements", "file-check", Area.CUSTOMER),
    Place("/staff/reviews", "nav.reviews", "clipboard-check", Area.STAFF),
    Place("/staff/top-ups", "nav.top_ups", "landmark", Area.STAFF),
    Place("/staff/prices", "nav.prices", "tags", Area.STAFF),
    Place("/staff/plans", "nav.plans", "badge-percent", Area.STAFF),
    Place("/staff/credit", "nav.credit_desk", "coins", Area.STAFF),
    Place("/staff/packages", "nav.package_desk", "package", Area.STAFF),
    Place("/staff/refunds", "nav.refund_desk", "undo-2", Area.STAFF),
    Place("/staff/invoices", "nav.invoice_desk", "stamp", Area.STAFF),
    Place("/staff/adjustments", "nav.adjustments", "scale", Area.STAFF),
    Place("/staff/payments", "nav.provider_payments", "credit-card", Area.STAFF),
    Place("/staff/margins", "nav.margins", "percent", Area.STAFF),
    Place("/staff/reconciliation", "nav.reconciliation", "file-diff", Area.STAFF),
    Place("/staff/organizations", "nav.organizations", "building-2", Area.STAFF),
    Place("/staff/channels", "nav.channels", "route", Area.STAFF),
)
