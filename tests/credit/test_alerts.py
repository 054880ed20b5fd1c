"""Mails about a low balance: one for each fall below the threshold, on both databases."""

from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.credit.alerts import set_alert
from onetoken_app.credit.errors import AmountRefused
from onetoken_app.database import unit_of_work
from onetoken_app.jobs import tell_low_balances
from onetoken_app.ledger import service as ledger
from onetoken_app.money import Nanos
from onetoken_app.notifications.models import LetterKind
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.settings import Settings
from tests.credit.desk import UNIT, USD, a_customer, the_letters
from tests.support.builders import a_person

pytestmark = pytest.mark.usefixtures("database")


async def alert_below(organization_id: str, threshold_nanos: Nanos | None) -> None:
    async with unit_of_work() as session:
        set_by = await a_person(session)
        await set_alert(session, organization_id=organization_id, threshold_nanos=threshold_nanos, set_by=set_by)


async def change(organization_id: str, amount_nanos: Nanos, reference: str) -> None:
    """Put a balance up or down."""
    async with unit_of_work() as session:
        await ledger.adjust(
            session, owner_id=organization_id, currency=USD, amount_nanos=amount_nanos, reference=reference
        )


async def run_the_job(settings: Settings) -> int:
    """Do the job once; return how many were told of it so far."""
    step = await tell_low_balances.JOB.look(settings)
    if step is not None:
        async with unit_of_work() as session:
            await step(session, settings)
    return len(await the_letters(LetterKind.BALANCE_LOW))


class TestTellCrossing:
    async def test_each_fall_is_told_once(self, database_settings: Settings) -> None:
        customer = await a_customer(balance_nanos=10 * UNIT)
        await alert_below(customer, 5 * UNIT)
        assert await run_the_job(database_settings) == 0
        await change(customer, -5 * UNIT, "down:1")
        assert await run_the_job(database_settings) == 0  # at the threshold is not below it
        await change(customer, -1, "down:2")
        assert await run_the_job(database_settings) == 1
        await change(customer, -1, "down:3")
        assert await run_the_job(database_settings) == 1
        await change(customer, UNIT, "up:1")
        assert await run_the_job(database_settings) == 1
        await change(customer, -UNIT, "down:4")
        assert await run_the_job(database_settings) == 2

    async def test_those_in_charge_of_money_hear_of_it(self, database_settings: Settings) -> None:
        customer = await a_customer(balance_nanos=10 * UNIT)
        async with unit_of_work() as session:
            for role in OrganizationRole:
                await a_person(session, email=f"{role}@test.example", organization_id=customer, role=role)
        await alert_below(customer, 5 * UNIT)
        await change(customer, -6 * UNIT, "down:1")
        await run_the_job(database_settings)
        told = set(await the_letters(LetterKind.BALANCE_LOW)) - {f"owner@{customer}.example"}
        assert told == {"owner@test.example", "administrator@test.example", "billing@test.example"}

    async def test_lots_for_everything_and_a_credit_limit_count(self, database_settings: Settings) -> None:
        customer = await a_customer(balance_nanos=10 * UNIT)
        async with unit_of_work() as session:
            await ledger.grant_promotional_credit(
                session, owner_id=customer, currency=USD, amount_nanos=10 * UNIT,
                expires_at=clock.utc_now() + timedelta(days=1), reference="promotion:1",
            )  # fmt: skip
            await ledger.set_credit_limit(
                session, owner_id=customer, currency=USD, limit_nanos=10 * UNIT, reference="limit:1"
            )
            await ledger.sell_package(
                session, owner_id=customer, currency=USD, amount_nanos=UNIT, expires_at=None, reference="package:1",
                scopes=["mdl_1"],
            )  # fmt: skip
        await alert_below(customer, 29 * UNIT)
        assert await run_the_job(database_settings) == 0
        await change(customer, -1, "down:1")
        assert await run_the_job(database_settings) == 1

    async def test_a_lot_that_has_expired_does_not(
        self, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer = await a_customer()
        tomorrow = clock.utc_now() + timedelta(days=1)
        async with unit_of_work() as session:
            await ledger.grant_promotional_credit(
                session, owner_id=customer, currency=USD, amount_nanos=10 * UNIT, expires_at=tomorrow,
                reference="promotion:1",
            )  # fmt: skip
        await alert_below(customer, 5 * UNIT)
        assert await run_the_job(database_settings) == 0
        monkeypatch.setattr(clock, "utc_now", lambda: tomorrow)
        assert await run_the_job(database_settings) == 1


class TestSetAlert:
    async def test_a_balance_that_is_below_it_already_is_told_of_at_the_next_fall(
        self, database_settings: Settings
    ) -> None:
        customer = await a_customer(balance_nanos=UNIT)
        await alert_below(customer, 5 * UNIT)
        assert await run_the_job(database_settings) == 0
        await change(customer, 5 * UNIT, "up:1")
        assert await run_the_job(database_settings) == 0
        await change(customer, -5 * UNIT, "down:1")
        assert await run_the_job(database_settings) == 1

    async def test_without_one_nobody_is_told(self, database_settings: Settings) -> None:
        customer = await a_customer(balance_nanos=10 * UNIT)
        await alert_below(customer, None)
        await alert_below(customer, 5 * UNIT)
        await alert_below(customer, 4 * UNIT)
        await alert_below(customer, None)
        await change(customer, -10 * UNIT, "down:1")
        assert await run_the_job(database_settings) == 0

    @pytest.mark.parametrize("threshold_nanos", [0, -UNIT, 1, 10_000_001 * UNIT])
    async def test_what_is_no_amount_is_refused(self, threshold_nanos: Nanos) -> None:
        with pytest.raises(AmountRefused):
            await alert_below(await a_customer(), threshold_nanos)
