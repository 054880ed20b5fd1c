"""Credit that is frozen and released, on both databases."""

import asyncio

import pytest

from onetoken_app.credit.errors import FreezeChanged, StaffInvolved
from onetoken_app.database import read_session
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.ledger.queries import standing_of
from onetoken_app.ledger.verification import verify
from onetoken_app.notifications.models import LetterKind
from tests.credit.desk import USD, a_customer, finance, freeze, release, the_actions, the_letters

pytestmark = pytest.mark.usefixtures("database")


async def is_frozen(organization_id: str) -> bool:
    async with read_session() as session:
        assert (await verify(session)).is_ok
        return (await standing_of(session, owner_id=organization_id, currency=USD)).is_frozen


class TestFreezeCredit:
    async def test_it_is_frozen_until_it_is_released_and_may_be_frozen_again(self) -> None:
        customer, clerk = await a_customer(), await finance()
        first = await freeze(customer, clerk)
        assert await is_frozen(customer)
        await release(customer, clerk)
        assert not await is_frozen(customer)
        assert await freeze(customer, clerk) != first
        assert await is_frozen(customer)
        assert await the_letters(LetterKind.CREDIT_NEWS) == [f"owner@{customer}.example"] * 3
        assert await the_actions() == ["credit_frozen", "credit_released", "credit_frozen"]

    async def test_two_at_once_freeze_once(self) -> None:
        customer, clerk = await a_customer(), await finance()
        outcomes = await asyncio.gather(*(freeze(customer, clerk) for _ in range(3)), return_exceptions=True)
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 2
        assert await the_actions() == ["credit_frozen"]

    async def test_without_a_reason_nothing_is_done(self) -> None:
        customer, clerk = await a_customer(), await finance()
        with pytest.raises(BadRequest):
            await freeze(customer, clerk, " ")
        await freeze(customer, clerk)
        with pytest.raises(BadRequest):
            await release(customer, clerk, "x" * 1_001)
        assert await is_frozen(customer)

    async def test_nobody_decides_on_their_own_organization(self) -> None:
        customer = await a_customer()
        member = await finance(organization_id=customer)
        with pytest.raises(StaffInvolved):
            await freeze(customer, member)
        await freeze(customer, await finance())
        with pytest.raises(StaffInvolved):
            await release(customer, member)

    async def test_what_is_not_so_is_said(self) -> None:
        customer, clerk = await a_customer(), await finance()
        with pytest.raises(FreezeChanged):
            await release(customer, clerk)
        await freeze(customer, clerk)
        with pytest.raises(FreezeChanged):
            await freeze(customer, clerk)
        with pytest.raises(NotFound):
            await freeze("org_none", clerk)
