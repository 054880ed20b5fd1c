"""The choice of the country or region in whose register an organization is."""

import reflex as rx

from onetoken_app.console.components.fields import field
from onetoken_app.console.text.countries_en import COUNTRIES_ENGLISH
from onetoken_app.console.text.lookup import text
from onetoken_app.console.values import Value
from onetoken_app.organizations.registration_codes import MAINLAND

_FIRST = (MAINLAND, "HK", "MO", "TW")
_PREFIX = "country."


def country_codes() -> list[str]:
    """Return the two letters of each, those of most customers first and the rest by their English names."""
    by_name = sorted(COUNTRIES_ENGLISH, key=lambda key: COUNTRIES_ENGLISH[key])
    others = [key.removeprefix(_PREFIX).upper() for key in by_name]
    return [*_FIRST, *[code for code in others if code not in _FIRST]]


def country_field(label: Value) -> rx.Component:
    """Ask for the country or region; the mainland is chosen until somebody chooses another."""
    options = [rx.el.option(text(f"{_PREFIX}{code.lower()}"), value=code) for code in country_codes()]
    return field(label, rx.el.select(*options, name="country", class_name="input"))


def by_country(mainland: Value, elsewhere: Value) -> rx.Component:
    """Say one thing to organizations of the mainland and another to the rest, as the form's choice has it."""
    return rx.fragment(
        rx.el.span(mainland, class_name="when-mainland"), rx.el.span(elsewhere, class_name="when-elsewhere")
    )
