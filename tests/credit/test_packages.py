"""Packages that are offered and bought, on both databases."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from onetoken_app import clock
from onetoken_app.credit.errors import (
    AmountRefused,
    CreditBlocked,
    FormUsed,
    PackageTooDear,
    PackageWithdrawn,
    StaffInvolved,
)
from onetoken_app.credit.lots import named_lots_of
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.kinds import AccountKind
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from tests.credit.desk import (
    ABOVE,
    UNIT,
    USD,
    a_customer,
    buy,
    finance,
    freeze,
    offer,
    the_actions,
    the_balance,
    the_lots,
    withdraw,
)
from tests.support.builders import a_model

pytestmark = pytest.mark.usefixtures("database")


class TestBuyPackage:
    async def test_the_price_becomes_credit_and_the_bonus_is_given(self, database_settings: Settings) -> None:
        clerk = await finance()
        customer = await a_customer(balance_nanos=80 * UNIT)
        async with unit_of_work() as session:
            model = await a_model(session, database_settings)
        sale_id = await buy(customer, await offer(clerk, model_ids=(model.id,)), clerk)
        given, paid = await the_lots(customer)
        assert (given.kind, given.lot_id, given.posted_nanos) == (
            AccountKind.PROMOTIONAL, f"package_bonus:{sale_id}", 5 * UNIT,
        )  # fmt: skip
        assert (paid.kind, paid.lot_id, paid.posted_nanos) == (AccountKind.PACKAGE, f"package:{sale_id}", 50 * UNIT)
        assert given.scopes == paid.scopes == (model.id,)
        assert given.expires_at == paid.expires_at
        assert paid.expires_at is not None
        assert timedelta(days=29, hours=23) < paid.expires_at - clock.utc_now() <= timedelta(days=30)
        assert (await the_balance(customer)).posted_nanos == 30 * UNIT
        assert await the_actions() == ["package_offered", "package_bought"]

    async def test_the_same_form_buys_once_however_often_it_comes(self) -> None:
        clerk = await finance()
        customer, package_id = await a_customer(balance_nanos=200 * UNIT), await offer(clerk, bonus_nanos=0)
        sales = await asyncio.gather(*(buy(customer, package_id, clerk) for _ in range(5)))
        assert len(set(sales)) == 1
        assert [lot.posted_nanos for lot in await the_lots(customer)] == [50 * UNIT]
        with pytest.raises(FormUsed):
            await buy(customer, await offer(clerk), clerk)

    async def test_a_balance_for_one_buys_one_of_two_at_once(self) -> None:
        clerk = await finance()
        customer, package_id = await a_customer(balance_nanos=99 * UNIT), await offer(clerk)
        outcomes = await asyncio.gather(
            *(buy(customer, package_id, clerk, form=f"form-000{number}") for number in range(2)),
            return_exceptions=True,
        )
        (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert isinstance(refusal, PackageTooDear)
        assert refusal.metadata == {"price": "50.00", "available": "49.00", "currency": "USD"}
        assert (await the_balance(customer)).posted_nanos == 49 * UNIT
        assert len(await the_lots(customer)) == 2

    async def test_given_credit_does_not_buy_anything(self) -> None:
        clerk, customer = await finance(), await a_customer()
        async with unit_of_work() as session:
            await ledger.grant_promotional_credit(
                session,
                owner_id=customer,
                currency=USD,
                amount_nanos=500 * UNIT,
                expires_at=clock.utc_now() + timedelta(days=1),
                reference="promotion:1",
            )
        with pytest.raises(PackageTooDear):
            await buy(customer, await offer(clerk), clerk)

    async def test_what_is_not_for_sale_is_not_sold(self) -> None:
        clerk, customer = await finance(), await a_customer(balance_nanos=200 * UNIT)
        package_id = await offer(clerk)
        await withdraw(package_id, clerk)
        await withdraw(package_id, clerk)
        for wrong in (package_id, await offer(clerk, currency=Currency.CNY)):
            with pytest.raises(PackageWithdrawn):
                await buy(customer, wrong, clerk)
        with pytest.raises(NotFound):
            await buy(customer, "pkg_none", clerk)
        assert (await the_balance(customer)).posted_nanos == 200 * UNIT
        assert (await the_actions()).count("package_withdrawn") == 1

    async def test_whoever_may_not_call_buys_nothing(self) -> None:
        clerk, customer = await finance(), await a_customer(balance_nanos=200 * UNIT)
        package_id = await offer(clerk)
        with pytest.raises(CreditBlocked):
            await buy(await a_customer(is_verified=False), package_id, clerk)
        await freeze(customer, clerk)
        with pytest.raises(CreditBlocked):
            await buy(customer, package_id, clerk)

    async def test_whoever_offers_it_sells_nothing_to_an_organization_of_theirs(self) -> None:
        theirs = await a_customer(balance_nanos=200 * UNIT)
        clerk = await finance(organization_id=theirs)
        with pytest.raises(StaffInvolved):
            await buy(theirs, await offer(clerk), clerk)
        assert (await the_balance(theirs)).posted_nanos == 200 * UNIT


class TestOfferPackage:
    @pytest.mark.parametrize(
        ("terms", "refusal"),
        [
            pytest.param({"name": " "}, BadRequest, id="no name"),
            pytest.param({"name": "x" * 65}, BadRequest, id="a long name"),
            pytest.param({"price_nanos": 0}, AmountRefused, id="no price"),
            pytest.param({"price_nanos": UNIT // 1000}, AmountRefused, id="less than a cent"),
            pytest.param({"bonus_nanos": -UNIT}, AmountRefused, id="a bonus that takes"),
            pytest.param({"price_nanos": UNIT, "bonus_nanos": 2 * UNIT}, BadRequest, id="more bonus than price"),
            pytest.param(
                {"price_nanos": 9 * ABOVE, "bonus_nanos": ABOVE + UNIT}, BadRequest, id="more than one person may give"
            ),
            pytest.param({"valid_days": 0}, BadRequest, id="no day"),
            pytest.param({"valid_days": 5_000}, BadRequest, id="many years"),
            pytest.param({"model_ids": ("mdl_none",)}, NotFound, id="a model that is not there"),
        ],
    )
    async def test_what_cannot_be_is_refused(self, terms: dict[str, object], refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            await offer(await finance(), **terms)  # type: ignore[arg-type] # each is of the right type
        assert await the_actions() == []

    async def test_withdrawing_what_is_not_there(self) -> None:
        with pytest.raises(NotFound):
            await withdraw("pkg_none", await finance())


class TestTokens:
    async def test_the_price_becomes_tokens_of_its_models(self, database_settings: Settings) -> None:
        clerk = await finance()
        customer = await a_customer(balance_nanos=80 * UNIT)
        async with unit_of_work() as session:
            model = await a_model(session, database_settings)
        package_id = await offer(clerk, bonus_nanos=0, model_ids=(model.id,), token_count=10_000_000)
        sale_id = await buy(customer, package_id, clerk)
        assert await buy(customer, package_id, clerk) == sale_id
        (lot,) = await the_lots(customer)
        assert (lot.kind, lot.posted_nanos, lot.unit_nanos) == (AccountKind.PACKAGE, 50 * UNIT, 5_000)
        assert lot.scopes == (model.id,)
        async with read_session() as session:
            (named,) = await named_lots_of(
                session, organization_id=customer, currency=USD, now=clock.utc_now()
            )  # fmt: skip
        assert (named.tokens_left, named.tokens_held) == (10_000_000, 0)
        assert (await the_balance(customer)).posted_nanos == 30 * UNIT

    @pytest.mark.parametrize(
        ("values", "parameter"),
        [
            pytest.param({"token_count": -1}, "tokens", id="fewer than none"),
            pytest.param({"token_count": 10**12 + 1}, "tokens", id="more than any"),
            pytest.param({"token_count": 10**6, "model_ids": ()}, "tokens", id="of no model"),
            pytest.param({"token_count": 10**6, "bonus_nanos": UNIT}, "bonus", id="with a bonus"),
            pytest.param({"token_count": 3 * 10**6}, "price", id="at no whole price"),
            pytest.param({"token_count": 10**8}, "price", id="that save more than they cost"),
            pytest.param(
                {"token_count": 2 * 10**8, "price_nanos": 190 * UNIT}, "price", id="a gift beyond one person's"
            ),
            pytest.param({"token_count": 10**6, "currency": Currency.CNY}, "tokens", id="without a price by the list"),
        ],
    )
    async def test_refuses_tokens_that_cannot_be(
        self, database_settings: Settings, values: dict[str, Any], parameter: str
    ) -> None:
        clerk = await finance()
        async with unit_of_work() as session:
            model = await a_model(session, database_settings)
        with pytest.raises(BadRequest) as refused:
            await offer(clerk, **{"bonus_nanos": 0, "model_ids": (model.id,), **values})
        assert refused.value.parameter == parameter

    async def test_names_the_next_price_that_fits_and_takes_it(self, database_settings: Settings) -> None:
        clerk = await finance()
        async with unit_of_work() as session:
            model = await a_model(session, database_settings)
        with pytest.raises(BadRequest, match=r"is 50\.01;"):
            await offer(clerk, bonus_nanos=0, model_ids=(model.id,), token_count=3 * 10**6)
        assert await offer(
            clerk, price_nanos=5_001 * UNIT // 100, bonus_nanos=0, model_ids=(model.id,), token_count=3 * 10**6
        )
