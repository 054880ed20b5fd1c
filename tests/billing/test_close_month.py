"""A closed month equals the journal to the nano, wherever its borders lie and whatever came late. On both databases."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from onetoken_app.billing.figures import Figures, StatementDamaged, read_figures, write_figures
from onetoken_app.billing.statement_queries import whole_statement
from onetoken_app.billing.statements import StatementDoesNotAddUp, close_month, months_to_close, reckon_month
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.errors import Conflict
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.settings import Settings
from onetoken_app.usage.rollups import begin_rebuild, roll_up
from tests.billing.invoices import execute
from tests.billing.months import Books, at
from tests.console.mails import mails
from tests.ledger.desks import a_desk
from tests.support.builders import a_person
from tests.usage.books import roll_up_all


@pytest.fixture
async def books(
    database: Database,  # noqa: ARG001 # opens the database for this process
    database_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Books]:
    """Books of an organization that is still to be opened."""
    desk = a_desk(database_settings)
    yield Books(desk=desk, settings=database_settings, monkeypatch=monkeypatch)
    desk.backend.close()


def charges(figures: Figures) -> dict[tuple[str, str], tuple[int, int]]:
    """Return calls and amount by model and key."""
    return {(line.model_id, line.api_key_id): (line.call_count, line.amount_nanos) for line in figures.charges}


async def roll_up_some(transactions_max: int) -> None:
    """Let the roll-ups follow a part of the journal."""
    async with unit_of_work() as session:
        await roll_up(session, transactions_max=transactions_max)


async def told_of(books: Books, moment: str) -> list[str]:
    """Send the mails that wait; return the months that they name."""
    with books.clock_at(moment):
        return [month for mail in await mails(books.settings) for month in set(re.findall(r"20\d\d-\d\d", mail.words))]


class TestCloseMonth:
    async def test_says_what_was_there_what_moved_and_what_is_there(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        await books.grant("2026-06-05T00:00", 77)
        books.call("2026-06-06T00:00", 3, model="a", key="x")
        books.call("2026-06-06T00:00", 5, model="a", key="y")
        books.call("2026-06-07T00:00", 7, model="b", key="x")
        (june,) = await books.close_months("2026-07-01T00:00")
        assert (june.month, june.opening_nanos, june.charged_nanos, june.closing_nanos) == ("2026-06", 0, 15, 1_062)
        assert [(one.kind, one.amount_nanos) for one in june.movements] == [
            (TransactionKind.TOP_UP, 1_000),
            (TransactionKind.GRANT, 77),
        ]
        assert charges(june) == {("a", "x"): (1, 3), ("a", "y"): (1, 5), ("b", "x"): (1, 7)}
        assert june.adds_up
        assert june.closing_nanos == await books.journal_total()

    async def test_a_month_ends_where_the_organizations_clocks_say(self, books: Books) -> None:
        await books.open(time_zone="Asia/Kathmandu")
        await books.top_up("2026-06-04T00:00", 1_000)
        books.call("2026-06-30T18:14:59.999999", 1)  # 23:59:59.999999 in Kathmandu
        books.call("2026-06-30T18:15:00", 10)
        (june,) = await books.close_months("2026-07-01T06:00")
        assert (june.charged_nanos, june.until) == (1, "2026-06-30T18:15:00.000000Z")
        (july,) = await books.close_months("2026-08-01T06:00")
        assert (july.opening_nanos, july.charged_nanos, july.closing_nanos) == (999, 10, 989)

    async def test_a_month_in_which_clocks_change_has_every_hour_once(self, books: Books) -> None:
        await books.open(time_zone="Europe/Berlin", moment="2026-10-02T00:00")
        await books.top_up("2026-10-03T00:00", 1_000)
        books.call("2026-10-25T00:30", 1)
        books.call("2026-10-25T01:30", 10)  # the same hour on the wall
        books.call("2026-10-31T22:59:59", 100)
        books.call("2026-10-31T23:00", 5)
        (october,) = await books.close_months("2026-11-02T00:00")
        assert (october.since, october.until) == ("2026-09-30T22:00:00.000000Z", "2026-10-31T23:00:00.000000Z")
        assert october.charged_nanos == 111

    async def test_after_a_change_of_time_zone_the_next_month_begins_where_the_last_ended(self, books: Books) -> None:
        await books.open(time_zone="Asia/Shanghai")
        await books.top_up("2026-06-04T00:00", 1_000)
        await books.close_months("2026-07-01T00:00")
        books.call("2026-07-01T01:00", 1)
        await books.move_to("America/New_York")
        books.call("2026-08-01T03:59", 10)  # still July in New York
        (july,) = await books.close_months("2026-08-01T12:00")
        assert (july.month, july.since, july.until) == (
            "2026-07",
            "2026-06-30T16:00:00.000000Z",
            "2026-08-01T04:00:00.000000Z",
        )
        assert july.charged_nanos == 11
        june = (await books.statements())[0].figures
        assert (june.time_zone, june.until) == ("Asia/Shanghai", july.since)

    async def test_is_not_closed_before_six_hours_have_passed(self, books: Books) -> None:
        await books.open()
        assert await books.close_months("2026-06-30T21:59") == []
        assert len(await books.close_months("2026-06-30T22:00")) == 1
        assert await books.close_months("2026-06-30T22:00") == []

    async def test_months_that_were_missed_are_closed_in_order(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        books.call("2026-07-04T00:00", 1)
        books.call("2026-09-04T00:00", 10)
        closed = await books.close_months("2026-10-02T00:00")
        assert [(one.month, one.opening_nanos, one.closing_nanos) for one in closed] == [
            ("2026-06", 0, 1_000),
            ("2026-07", 1_000, 999),
            ("2026-08", 999, 999),
            ("2026-09", 999, 989),
        ]

    async def test_what_is_recorded_late_counts_for_the_next(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        books.call("2026-06-05T00:00", 1)
        await books.close_months("2026-07-01T00:00")
        books.call("2026-06-30T15:00", 10)  # its clock is behind
        await books.top_up("2026-06-30T15:00", 100)
        books.call("2026-07-05T00:00", 1_00)
        (july,) = await books.close_months("2026-08-01T00:00")
        assert (july.opening_nanos, july.charged_nanos, july.closing_nanos) == (999, 110, 989)
        assert [line.amount_nanos for line in july.late_charges] == [10]
        books.call("2026-08-05T00:00", 2)
        (august,) = await books.close_months("2026-09-01T00:00")
        assert (august.charged_nanos, august.late_charges, august.closing_nanos) == (2, [], 987)
        assert august.closing_nanos == await books.journal_total()

    async def test_a_correction_counts_when_it_comes(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        more, less = books.hold("2026-06-05T00:00", 200), books.hold("2026-06-05T00:00", 200)
        books.recover("2026-06-05T00:10", more, 30)
        books.recover("2026-06-05T00:10", less, 90)
        (june,) = await books.close_months("2026-07-01T00:00")
        assert (june.charged_nanos, june.corrections_nanos) == (120, 0)
        books.close("2026-07-02T00:00", more, 150)
        books.close("2026-07-02T00:00", less, 40)
        (july,) = await books.close_months("2026-08-01T00:00")
        assert (july.charged_nanos, july.corrections_nanos, july.closing_nanos) == (70, 70, 810)
        assert july.closing_nanos == await books.journal_total()

    async def test_waits_for_open_calls_and_then_names_them(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        request_id = books.hold("2026-06-30T15:59", 50)
        assert await books.close_months("2026-07-01T00:00") == []
        (june,) = await books.close_months("2026-07-03T16:00")
        assert (june.open_hold_count, june.open_hold_nanos, june.charged_nanos) == (1, 50, 0)
        books.close("2026-07-03T17:00", request_id, 42)
        (july,) = await books.close_months("2026-08-01T00:00")
        assert (july.open_hold_count, july.charged_nanos, july.closing_nanos) == (0, 42, 958)

    async def test_without_any_movement_it_is_all_zeros(self, books: Books) -> None:
        await books.open()
        (june,) = await books.close_months("2026-07-01T00:00")
        assert (june.movements, june.charges) == ([], [])
        assert [(pot.kind, pot.closing_nanos) for pot in june.pots] == [(AccountKind.PREPAID, 0)]

    async def test_two_at_once_close_it_once(self, books: Books) -> None:
        await books.open()
        with books.clock_at("2026-07-01T00:00"):
            async with read_session() as session:
                (subject,) = await months_to_close(session, now=at("2026-07-01T00:00"))
            async with read_session() as session:
                figures = await reckon_month(session, subject, now=at("2026-07-01T00:00"))
            assert figures is not None

            async def close() -> str | None:
                async with unit_of_work() as session:
                    return await close_month(session, figures, mail_room=None)

            results = await asyncio.gather(close(), close(), return_exceptions=True)
        assert sum(isinstance(one, str) for one in results) == 1
        assert all(one is None or isinstance(one, str | Conflict) for one in results)
        assert len(await books.statements()) == 1

    async def test_tells_those_in_charge_of_money(self, books: Books) -> None:
        await books.open()
        async with unit_of_work() as session:
            await a_person(session, organization_id=books.organization_id)
        await books.close_months("2026-07-01T00:00")
        async with read_session() as session:
            assert list(await session.exec(select(OutboxLetter.kind))) == [LetterKind.STATEMENT_CLOSED]

    async def test_tells_of_the_newest_month_alone_when_many_are_closed_at_once(self, books: Books) -> None:
        await books.open()
        async with unit_of_work() as session:
            await a_person(session, organization_id=books.organization_id)
        closed = await books.close_months("2026-11-27T00:00")
        assert [one.month for one in closed] == ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10"]
        assert await told_of(books, "2026-11-27T00:01") == ["2026-10"]
        await books.close_months("2026-12-01T00:00")
        assert await told_of(books, "2026-12-01T00:01") == ["2026-11"]

    async def test_books_that_disagree_are_not_closed(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        books.call("2026-06-05T00:00", 10)
        await execute("UPDATE ledger_account SET posted_nanos = posted_nanos + 1 WHERE kind = 'prepaid'")
        assert await books.close_months("2026-07-01T00:00") == []
        with books.clock_at("2026-07-01T00:00"):
            async with read_session() as session:
                (subject,) = await months_to_close(session, now=at("2026-07-01T00:00"))
            async with read_session() as session:
                with pytest.raises(StatementDoesNotAddUp):
                    await reckon_month(session, subject, now=at("2026-07-01T00:00"))

    async def test_sums_that_disagree_are_not_closed(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        books.call("2026-06-05T00:00", 10)
        await roll_up_all()
        await execute("UPDATE usage_rollup SET charge_nanos = charge_nanos + 1")
        assert await books.close_months("2026-07-01T00:00") == []
        async with unit_of_work() as session:
            await begin_rebuild(session)
        assert [one.month for one in await books.close_months("2026-07-01T00:00")] == ["2026-06"]

    async def test_lines_are_the_same_before_and_after_the_roll_up(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        for minute, (model, key) in enumerate((("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"))):
            books.call(f"2026-06-05T00:{minute:02}", 10 + minute, model=model, key=key)
        before = await books.running("2026-06-20T00:00")
        for _ in range(3):
            await roll_up_some(3)
            assert charges(await books.running("2026-06-20T00:00")) == charges(before)
        assert charges(before) == {("a", "x"): (2, 23), ("a", "y"): (1, 11), ("b", "x"): (1, 12)}


class TestKindsOfCredit:
    async def test_promotional_credit_packages_and_prepaid_money_stand_apart(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        await books.move("2026-06-05T00:00", ledger.grant_promotional_credit, 100, expires_at=at("2026-06-20T00:00"))
        await books.move("2026-06-06T00:00", ledger.sell_package, 300, expires_at=at("2027-01-01T00:00"))
        books.call("2026-06-07T00:00", 60)
        await books.expire("2026-06-21T00:00")
        books.call("2026-06-22T00:00", 310)
        (june,) = await books.close_months("2026-07-01T00:00")
        shown = [(pot.kind, pot.moved_nanos, pot.charged_nanos, pot.closing_nanos) for pot in june.pots]
        assert shown == [
            (AccountKind.PREPAID, 700, 10, 690),
            (AccountKind.PROMOTIONAL, 60, 60, 0),
            (AccountKind.PACKAGE, 300, 300, 0),
        ]
        assert [(one.kind, one.pot, one.amount_nanos) for one in june.movements] == [
            (TransactionKind.TOP_UP, AccountKind.PREPAID, 1_000),
            (TransactionKind.PROMOTION, AccountKind.PROMOTIONAL, 100),
            (TransactionKind.PACKAGE_SALE, AccountKind.PREPAID, -300),
            (TransactionKind.PACKAGE_SALE, AccountKind.PACKAGE, 300),
            (TransactionKind.EXPIRY, AccountKind.PROMOTIONAL, -40),
        ]
        assert charges(june) == {("m", "k"): (2, 370)}
        assert june.closing_nanos == await books.journal_total() == 690

    async def test_refunds_adjustments_and_what_undoes_them_are_rows(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        refund = await books.move("2026-06-05T00:00", ledger.refund, 200)
        await books.undo("2026-06-06T00:00", ledger.return_refund, refund_reference=refund)
        await books.move("2026-06-07T00:00", ledger.refund, 100)
        wrong = await books.move("2026-06-08T00:00", ledger.adjust, 50)
        await books.move("2026-06-08T01:00", ledger.adjust, -7)
        await books.close_months("2026-07-01T00:00")
        await books.undo("2026-07-02T00:00", ledger.reverse, reversed_reference=wrong)
        (july,) = await books.close_months("2026-08-01T00:00")
        june = (await books.statements())[0].figures
        assert [(one.kind, one.amount_nanos) for one in june.movements] == [
            (TransactionKind.TOP_UP, 1_000),
            (TransactionKind.REFUND, -200),
            (TransactionKind.REFUND_RETURN, 200),
            (TransactionKind.REFUND, -100),
            (TransactionKind.ADJUSTMENT, 50),
            (TransactionKind.ADJUSTMENT, -7),
        ]
        assert [(one.kind, one.amount_nanos) for one in july.movements] == [(TransactionKind.REVERSAL, -50)]
        assert july.closing_nanos == await books.journal_total() == 893


class TestRunningMonth:
    async def test_is_there_at_any_time_and_closes_nothing(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        books.call("2026-06-05T00:00", 10)
        figures = await books.running("2026-06-06T00:00")
        assert (figures.month, figures.charged_nanos, figures.closing_nanos) == ("2026-06", 10, 990)
        assert figures.adds_up
        assert await books.statements() == []


class TestImmutable:
    async def test_a_closed_month_refuses_changes(self, books: Books) -> None:
        await books.open()
        await books.close_months("2026-07-01T00:00")
        for statement in ("UPDATE billing_statement SET closing_nanos = 1", "DELETE FROM billing_statement"):
            with pytest.raises((Conflict, DBAPIError)):
                await execute(statement)

    async def test_one_that_was_tampered_with_is_not_shown(self, books: Books) -> None:
        await books.open()
        await books.close_months("2026-07-01T00:00")
        (statement,) = await books.statements()
        async with unit_of_work() as session:
            connection = await session.connection()
            is_sqlite = connection.dialect.name == "sqlite"
            await connection.execute(
                sa.text(
                    "DROP TRIGGER billing_statement_refuses_update"
                    if is_sqlite
                    else "ALTER TABLE billing_statement DISABLE TRIGGER billing_statement_is_append_only"
                )
            )
            await connection.execute(sa.text("UPDATE billing_statement SET figures_json = figures_json || ' '"))
        async with read_session() as session:
            with pytest.raises(StatementDamaged):
                await whole_statement(session, statement.view.id)

    async def test_the_text_is_the_same_however_often_it_is_written(self, books: Books) -> None:
        await books.open()
        await books.top_up("2026-06-04T00:00", 1_000)
        await books.close_months("2026-07-01T00:00")
        (statement,) = await books.statements()
        written = write_figures(statement.figures)
        assert read_figures(written, sha256=statement.view.sha256) == statement.figures
        assert statement.view.month == date(2026, 6, 1)


class TestManyMonths:
    @pytest.mark.parametrize("is_rolled_up", [False, True], ids=["from the journal", "from roll-ups"])
    async def test_random_rows_count_once_each_to_the_nano(self, books: Books, *, is_rolled_up: bool) -> None:
        """Rows with clocks that differ, months closed in between: Σ of all statements is the journal."""
        chance = random.Random(20261127)
        await books.open(time_zone="America/St_Johns", moment="2026-01-02T00:00")
        held: list[str] = []
        for month in range(1, 7):
            for _ in range(14):
                day, hour = chance.randint(1, 28), chance.randint(0, 23)
                moment = f"2026-{month:02}-{day:02}T{hour:02}:{chance.randint(0, 59):02}"
                act = chance.randrange(8)
                if act == 0:
                    await books.top_up(moment, chance.randint(1, 10**12))
                elif act == 1:
                    await books.grant(moment, chance.randint(1, 10**9))
                elif act == 2:
                    books.call(moment, chance.randint(0, 1_000), model=chance.choice("ab"), key=chance.choice("xy"))
                elif act == 3:
                    request_id = books.hold(moment, 500)
                    books.recover(moment, request_id, chance.randint(0, 500))
                    held.append(request_id)
                elif act == 5:
                    await books.move(moment, ledger.adjust, chance.randint(1, 10**6))
                elif act == 6:
                    expiry = at(f"2026-{month:02}-28T23:59") + timedelta(days=chance.randint(0, 20))
                    await books.move(moment, ledger.grant_promotional_credit, chance.randint(1, 700), expires_at=expiry)
                    await books.expire(moment)
                elif held:
                    books.close(moment, held.pop(), chance.randint(0, 900))
            if is_rolled_up:
                await roll_up_some(chance.randint(0, 20))
            await books.close_months(f"2026-{month + 1:02}-02T12:00")
        statements = [one.figures for one in await books.statements()]
        assert [one.month for one in statements] == [f"2026-{month:02}" for month in range(1, 7)]
        assert all(one.adds_up for one in statements)
        pairs = pairwise(statements)
        assert all(one.closing_nanos == following.opening_nanos for one, following in pairs)
        assert statements[-1].closing_nanos == await books.journal_total()
        numbers = [movement.transaction_number for one in statements for movement in one.movements]
        assert len(numbers) == len(set(numbers))
