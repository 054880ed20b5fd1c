"""What pages read of credit: lots by their names, packages, grants, freezes, thresholds."""

from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.credit import desk as reads
from onetoken_app.credit.alerts import set_alert
from onetoken_app.credit.lots import NamedLotView, Origin, named_lots_of
from onetoken_app.credit.models import GrantKind, GrantState
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.credit.desk import (
    ABOVE,
    UNIT,
    USD,
    a_customer,
    approve,
    buy,
    finance,
    freeze,
    offer,
    propose,
    release,
    withdraw,
)
from tests.support.builders import a_model, a_person

pytestmark = pytest.mark.usefixtures("sqlite_database")


async def the_named_lots(organization_id: str) -> list[NamedLotView]:
    async with read_session() as session:
        return await named_lots_of(session, organization_id=organization_id, currency=USD, now=clock.utc_now())


class TestNamedLots:
    async def test_each_says_where_it_comes_from_in_the_order_of_spending(self, sqlite_settings: Settings) -> None:
        clerk, customer = await finance(), await a_customer(balance_nanos=500 * UNIT)
        async with unit_of_work() as session:
            model = await a_model(session, sqlite_settings, name="glm-5")
        await propose(customer, clerk, kind=GrantKind.TRIAL)
        await propose(customer, clerk, form="form-0002")
        await buy(customer, await offer(clerk, name="Reasoning", model_ids=(model.id,)), clerk)
        found = [
            (lot.origin, lot.package_name, lot.left_nanos, lot.model_names) for lot in await the_named_lots(customer)
        ]
        assert sorted(found[:2]) == [
            (Origin.PROMOTIONAL, "", 10 * UNIT, ()),
            (Origin.TRIAL, "", 10 * UNIT, ()),
        ]
        assert found[2:] == [
            (Origin.BONUS, "Reasoning", 5 * UNIT, ("glm-5",)),
            (Origin.PACKAGE, "Reasoning", 50 * UNIT, ("glm-5",)),
        ]

    async def test_one_that_has_expired_is_no_credit_any_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clerk, customer = await finance(), await a_customer()
        await propose(customer, clerk)
        later = clock.utc_now() + timedelta(days=30)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        assert await the_named_lots(customer) == []


class TestPackages:
    async def test_customers_see_what_is_for_sale_in_their_currency_and_finance_sees_all(self) -> None:
        clerk = await finance()
        dear = await offer(clerk, name="Dear", price_nanos=90 * UNIT)
        cheap, gone = await offer(clerk, name="Cheap"), await offer(clerk, name="Gone", price_nanos=5 * UNIT)
        yuan = await offer(clerk, name="Yuan", currency=Currency.CNY, price_nanos=70 * UNIT)
        await withdraw(gone, clerk)
        async with read_session() as session:
            for_sale = await reads.packages(session, currency=USD)
            everything = await reads.packages(session)
        assert [view.id for view in for_sale] == [cheap, dear]
        assert [(view.id, view.is_withdrawn) for view in everything] == [
            (cheap, False), (yuan, False), (dear, False), (gone, True),
        ]  # fmt: skip


class TestHistory:
    async def test_grants_say_who_proposed_and_who_approved(self) -> None:
        clerk, colleague, customer = await finance(), await finance(), await a_customer()
        grant_id, _ = await propose(customer, clerk, ABOVE + UNIT)
        async with read_session() as session:
            (waiting,) = await reads.grants(session, state=GrantState.PROPOSED)
        assert (waiting.id, waiting.proposed_by, waiting.decided_by) == (grant_id, clerk, None)
        await approve(grant_id, colleague)
        async with read_session() as session:
            assert await reads.grants(session, state=GrantState.PROPOSED) == []
            (given,) = await reads.grants(session, organization_id=customer)
            assert await reads.grants(session, organization_id="org_other") == []
        assert (given.state, given.decided_by) == (GrantState.GRANTED, colleague)

    async def test_freezes_say_when_and_why_newest_first(self) -> None:
        clerk, customer = await finance(), await a_customer()
        await freeze(customer, clerk, "First.")
        await release(customer, clerk, "Over.")
        async with read_session() as session:
            assert await reads.freeze_in_force(session, customer) is None
        await freeze(customer, clerk, "Second.")
        async with read_session() as session:
            found = await reads.freezes_of(session, customer)
            in_force = await reads.freeze_in_force(session, customer)
            assert await reads.frozen_among(session, [customer, "org_other"]) == {customer}
        assert [(view.reason, view.lift_reason) for view in found] == [("Second.", ""), ("First.", "Over.")]
        assert in_force == found[0]

    async def test_a_threshold_says_whether_the_balance_is_below_it(self) -> None:
        customer = await a_customer(balance_nanos=UNIT)
        async with read_session() as session:
            assert await reads.alert_of(session, customer) is None
        async with unit_of_work() as session:
            set_by = await a_person(session)
            await set_alert(session, organization_id=customer, threshold_nanos=2 * UNIT, set_by=set_by)
        async with read_session() as session:
            assert await reads.alert_of(session, customer) == reads.AlertView(2 * UNIT, is_below=True, told_at=None)
