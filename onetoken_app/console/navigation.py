"""Every place in the console that a menu leads to: one row a page."""

from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """Whose side of the console a page is on."""

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


PLACES = (
    Place("/", "nav.overview", "layout-dashboard", Area.CUSTOMER),
    Place("/usage", "nav.usage", "chart-column", Area.CUSTOMER),
    Place("/keys", "nav.keys", "key-round", Area.CUSTOMER),
    Place("/staff/organizations", "nav.organizations", "building-2", Area.STAFF),
    Place("/staff/channels", "nav.channels", "route", Area.STAFF),
)
