"""Orders by whoever acts for an organization, approvals by finance, with what the operator set."""

import pytest

from onetoken_app import clock
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.callers import Caller, find_caller
from onetoken_app.console.top_ups import (
    approve_transfer,
    cancel_order,
    order_top_up,
    refuse_transfer,
    report_transfer,
)
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import NotFound
from onetoken_app.identity.models import StaffRole
from onetoken_app.identity.passwords import hash_password
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.payments.errors import NoConsent, StatementChanged
from onetoken_app.payments.models import OrderState, TopUpOrder, TransferRefusal
from onetoken_app.payments.queries import OrderView, orders_of
from onetoken_app.payments.statement import current_statement
from onetoken_app.settings import Settings
from tests.console.asgi_calls import post
from tests.console.conftest import PASSWORD, a_signed_in
from tests.support.builders import a_person


async def a_customer(routes: AccountRoutes, email: str = "pat@test.example") -> Caller:
    """Sign an owner in."""
    found = await find_caller((await a_signed_in(routes, email=email)).cookie)
    assert found is not None
    return found


async def somebody_of_finance(routes: AccountRoutes, email: str = "finance@test.example") -> Caller:
    """Sign a member of finance in."""
    password_hash = await hash_password(PASSWORD)
    async with unit_of_work() as session:
        await a_person(session, email=email, password_hash=password_hash, staff_role=StaffRole.FINANCE)
    found = await find_caller((await post(routes, "/account/sign-in", {"email": email, "password": PASSWORD})).cookie)
    assert found is not None
    return found


READ = current_statement("zh-CN").sha256
"""What was read and ticked."""


async def order(customer: Caller, settings: Settings, *, amount: str = "100.00", consent: str = READ) -> OrderView:
    """Make an order and report its transfer."""
    order_id = await order_top_up(
        customer,
        settings=settings,
        amount=amount,
        submission_id="form-0001",
        consent=consent,
        caller_ip="198.51.100.7",
        user_agent="test",
    )
    await report(customer, settings, order_id)
    return await the_order(customer)


async def report(customer: Caller, settings: Settings, order_id: str) -> None:
    """Report a transfer of today."""
    await report_transfer(
        customer,
        settings=settings,
        order_id=order_id,
        payer_name="Test Ltd",
        bank_reference="",
        paid_on=clock.utc_now().date(),
    )


async def the_order(customer: Caller) -> OrderView:
    async with read_session() as session:
        (found,) = await orders_of(session, customer.organization_id)
    return found


class TestTopUps:
    async def test_a_transfer_is_ordered_reported_and_approved(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        customer, finance = await a_customer(routes), await somebody_of_finance(routes)
        reported = await order(customer, sqlite_settings)
        assert (reported.expires_at - reported.ordered_at).days == sqlite_settings.top_up_order_days
        assert await approve_transfer(
            finance,
            settings=sqlite_settings,
            order_id=reported.id,
            expected_revision=reported.revision,
            received="100",
            bank_entry="ENTRY-1",
        )
        async with read_session() as session:
            balance = await balance_of(session, owner_id=customer.organization_id, currency=Currency.USD)
        assert balance.available_nanos == 100 * NANOS_PER_UNIT

    async def test_the_operator_says_above_what_two_have_to_approve(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        settings = sqlite_settings.model_copy(update={"top_up_second_person_above_units": 99})
        customer = await a_customer(routes)
        reported = await order(customer, settings)
        approvals = []
        for email in ("one@test.example", "two@test.example"):
            finance = await somebody_of_finance(routes, email)
            seen = await the_order(customer)
            is_credited = await approve_transfer(
                finance,
                settings=settings,
                order_id=reported.id,
                expected_revision=seen.revision,
                received="100.00",
                bank_entry="ENTRY-1",
            )
            approvals.append(is_credited)
        assert approvals == [False, True]

    async def test_without_consent_nothing_is_ordered(self, routes: AccountRoutes, sqlite_settings: Settings) -> None:
        customer = await a_customer(routes)
        with pytest.raises(NoConsent):
            await order(customer, sqlite_settings, consent="")
        with pytest.raises(StatementChanged):
            await order(customer, sqlite_settings, consent="0" * 64)
        async with read_session() as session:
            assert await orders_of(session, customer.organization_id) == []

    async def test_what_was_read_is_what_is_kept_whatever_language_the_person_has(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        customer = await a_customer(routes)
        reported = await order(customer, sqlite_settings)
        assert customer.person.locale == "en"
        async with read_session() as session:
            row = await session.get(TopUpOrder, reported.id)
        assert row is not None
        assert (row.statement_locale, row.statement_sha256) == ("zh-CN", READ)

    async def test_another_organizations_order_is_neither_reported_nor_cancelled(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        reported = await order(await a_customer(routes), sqlite_settings)
        other = await a_customer(routes, "other@test.example")
        with pytest.raises(NotFound):
            await report(other, sqlite_settings, reported.id)
        with pytest.raises(NotFound):
            await cancel_order(other, settings=sqlite_settings, order_id=reported.id)

    async def test_a_refused_transfer_may_be_reported_again(
        self, routes: AccountRoutes, sqlite_settings: Settings
    ) -> None:
        customer, finance = await a_customer(routes), await somebody_of_finance(routes)
        reported = await order(customer, sqlite_settings)
        await refuse_transfer(
            finance,
            settings=sqlite_settings,
            order_id=reported.id,
            expected_revision=reported.revision,
            reason=TransferRefusal.NOT_RECEIVED,
            words="",
        )
        assert (await the_order(customer)).state is OrderState.REFUSED
        await report(customer, sqlite_settings, reported.id)
        assert (await the_order(customer)).state is OrderState.REPORTED
