"""What finance decided before, and who is told that a transfer waits. On both databases."""

import pytest
from sqlmodel import col, select

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import Person
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.payments.models import OrderState
from onetoken_app.payments.queries import decided_orders
from tests.payments.orders import a_cast, approve, place, refuse, report

pytestmark = pytest.mark.usefixtures("database")


class TestDecidedOrders:
    async def test_are_the_credited_and_the_refused_last_reported_first(self) -> None:
        cast = await a_cast()
        credited, refused, waiting, _open = [
            await place(cast, submission_id=f"form-000{number}") for number in range(4)
        ]
        for order_id in (credited, refused, waiting):
            await report(cast, order_id)
        await refuse(cast, refused)
        await approve(cast, credited)
        async with read_session() as session:
            found = await decided_orders(session, limit=10)
        assert [(one.id, one.state) for one in found] == [
            (refused, OrderState.REFUSED),
            (credited, OrderState.CREDITED),
        ]

    async def test_come_page_by_page(self) -> None:
        cast = await a_cast()
        placed = [await place(cast, submission_id=f"form-000{number}") for number in range(3)]
        unreported = await place(cast, submission_id="form-0009")
        for order_id in placed:
            await report(cast, order_id)
            await refuse(cast, order_id)
        async with read_session() as session:
            first = await decided_orders(session, limit=2)
            second = await decided_orders(session, limit=2, before=first[-1].id)
            for other in ("ord_unknown", unreported):
                assert await decided_orders(session, limit=2, before=other) == []
        assert [one.id for one in (*first, *second)] == placed[::-1]


class TestTellFinance:
    async def test_everybody_of_finance_gets_one_mail_a_report(self) -> None:
        cast = await a_cast()
        order_id = await place(cast)
        await report(cast, order_id)
        await report(cast, order_id)
        async with read_session() as session:
            query = select(OutboxLetter.recipient).where(OutboxLetter.kind == LetterKind.TRANSFER_WAITS)
            told = sorted(await session.exec(query))
            finance = select(Person.email).where(col(Person.id).in_([cast.finance_id, cast.colleague_id]))
            assert told == sorted(await session.exec(finance))

    async def test_nobody_who_may_no_longer_sign_in_does(self) -> None:
        cast = await a_cast()
        async with unit_of_work() as session:
            leaver = await session.get(Person, cast.colleague_id)
            assert leaver is not None
            leaver.disabled_at = leaver.created_at
        await report(cast, await place(cast))
        async with read_session() as session:
            query = select(OutboxLetter.id).where(OutboxLetter.kind == LetterKind.TRANSFER_WAITS)
            assert len(list(await session.exec(query))) == 1
