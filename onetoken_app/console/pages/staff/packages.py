"""Finance's page of packages: offer one, see what is and was for sale, withdraw one."""

from typing import Any

import reflex as rx

from onetoken_app.catalog.queries import models_for_sale
from onetoken_app.console.callers import Role
from onetoken_app.console.components import credit_parts, package_desk
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.credit import ShownPackage, shown_package
from onetoken_app.console.small_numbers import whole_number
from onetoken_app.console.text.lookup import text
from onetoken_app.credit.customers import amount_from_text
from onetoken_app.credit.desk import packages as all_packages
from onetoken_app.credit.packages import PackageOffer, offer_package, withdraw_package
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.settings import get_settings


class PackagesState(rx.State):
    """The list, and the package that the dialog is about."""

    is_loaded: bool = False
    packages: rx.Field[list[ShownPackage]] = rx.field(default_factory=list)
    models: rx.Field[list[tuple[str, str]]] = rx.field(default_factory=list)
    """Id and name of each model that a package can be for."""
    selected: ShownPackage = ShownPackage()

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read the packages anew."""
        async with read_session() as session:
            found = await all_packages(session)
            models = await models_for_sale(session)
        zone = await reader_zone(self)
        self.packages = [shown_package(view, time_zone=zone) for view in found]
        self.models = [(one.id, one.name) for one in models]
        self.is_loaded = True

    @event_for(Role.STAFF_FINANCE)
    async def offer(self, form: dict[str, Any]) -> None:
        """Offer a package from now on."""
        offer = await _offer_of(form)
        bonus_max_nanos = get_settings().grant_second_person_above_units * NANOS_PER_UNIT
        async with unit_of_work() as session:
            await offer_package(
                session, offer=offer, bonus_max_nanos=bonus_max_nanos, offered_by=caller().person.person_id
            )
        await self.load()

    @event_for(Role.STAFF_FINANCE)
    async def select(self, package_id: str) -> None:
        """Take the package that the dialog is going to be about."""
        self.selected = next((one for one in self.packages if one.id == package_id), ShownPackage())

    @event_for(Role.STAFF_FINANCE)
    async def withdraw(self, package_id: str) -> None:
        """Sell a package no more."""
        async with unit_of_work() as session:
            await withdraw_package(session, package_id=package_id, withdrawn_by=caller().person.person_id)
        await self.load()


async def _offer_of(form: dict[str, Any]) -> PackageOffer:
    """Read a form; the models are those that are for sale now."""
    currency = str(form.get("currency", ""))
    days = whole_number(str(form.get("valid_days", "")).strip(), digits_max=6)
    if currency not in set(Currency):
        raise BadRequest("Choose a currency.", parameter="currency")
    tokens = whole_number(str(form.get("tokens", "0")).strip(), digits_max=package_desk.TOKEN_DIGITS_MAX)
    if tokens is None:
        raise BadRequest("Write the tokens as a plain number; 0: the package is credit.", parameter="tokens")
    if days is None:
        raise BadRequest("Write the days as a plain number.", parameter="valid_days")
    async with read_session() as session:
        models = await models_for_sale(session)
    return PackageOffer(
        name=str(form.get("name", "")),
        currency=Currency(currency),
        price_nanos=amount_from_text(str(form.get("price", "")), parameter="price"),
        bonus_nanos=amount_from_text(str(form.get("bonus", "")), parameter="bonus"),
        valid_days=days,
        model_ids=[one.id for one in models if form.get(one.id)],
        token_count=tokens,
    )


def packages() -> rx.Component:
    """Show the list and the form."""
    state = PackagesState
    return framed(
        page_heading(text("package_desk.title"), lead=text("package_desk.lead")),
        card(
            data_table(
                columns=credit_parts.package_columns(*package_desk.desk_columns(state.select)),
                rows=state.packages,
                caption=text("package_desk.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("packages.none"), text("package_desk.none_next")),
            )
        ),
        card(
            package_desk.offer_form(models=state.models, follows=state.packages.length(), on_submit=state.offer),
            title=text("package_desk.new"),
        ),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        package_desk.withdraw_dialog(state.selected, on_confirm=state.withdraw(state.selected.id)),
        here="/staff/packages",
    )


PAGE = Page(
    route="/staff/packages",
    title_key="package_desk.title",
    body=packages,
    on_load=(LocaleState.derive, PackagesState.load),
)
