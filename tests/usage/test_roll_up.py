"""Roll-ups say to the nano what the journal says, whatever happened to the calls, and however they were made."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.ledger.kinds import AccountKind, Outcome
from onetoken_app.ledger.models import Account, Posting
from onetoken_app.ledger.operations import CloseHold
from onetoken_app.money import Currency
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.charges import charge_of_month, statement_lines
from onetoken_app.usage.counted import counted, read_rows
from onetoken_app.usage.models import UsageRecord, UsageRollup
from onetoken_app.usage.periods import month_of
from onetoken_app.usage.rollup_sql import COUNTERS
from onetoken_app.usage.rollups import begin_rebuild, first_difference, roll_up
from onetoken_app.usage.service import purge_records
from tests.usage.books import (
    assert_sums_are_right,
    corrected,
    hold_of,
    open_account,
    perform,
    recovered,
    roll_up_all,
    settled,
)
from tests.usage.drafts import NOON, ORGANIZATION, a_draft

pytestmark = pytest.mark.usefixtures("database")

USED: dict[str, Any] = {"usage_source": UsageSource.UPSTREAM, "channel_id": "chn_1", "project_id": "prj_1"}


async def rollups() -> list[UsageRollup]:
    """Read all roll-ups, in order."""
    async with read_session() as session:
        query = select(UsageRollup).order_by(
            col(UsageRollup.organization_id), col(UsageRollup.quarter_at), col(UsageRollup.channel_id),
            col(UsageRollup.api_key_id), col(UsageRollup.model_id),
        )  # fmt: skip
        return list(await session.exec(query))


async def values() -> list[dict[str, Any]]:
    """Read all roll-ups as plain values."""
    return [row.model_dump() for row in await rollups()]


async def month_charge() -> int:
    """Read what the month came to."""
    async with read_session() as session:
        total = await charge_of_month(session, organization_id=ORGANIZATION, time_zone="UTC", now=NOON)
    return total.charge_nanos


async def revenue() -> int:
    """Add up every posting to revenue, less those from it."""
    async with read_session() as session:
        account_id = (await session.exec(select(Account.id).where(Account.kind == AccountKind.REVENUE))).first()
        sums = []
        for side in (Posting.to_account_id, Posting.from_account_id):
            query = select(sa.func.coalesce(sa.func.sum(Posting.amount_nanos), 0)).where(side == account_id)
            sums.append(int((await session.exec(query)).one()))
    return sums[0] - sums[1]


class TestRollUp:
    async def test_a_quarter_of_an_hour_is_one_row_of_sums(self) -> None:
        quarter = NOON + timedelta(minutes=15)
        await settled(
            a_draft(charge_nanos=1, input_tokens=10, output_tokens=3, reasoning_tokens=1, **USED),
            a_draft(charge_nanos=2, cache_read_tokens=5, cache_write_5m_tokens=6, cache_write_1h_tokens=7, **USED),
            a_draft(error_code="caller_left", **USED),
            closed_at=quarter + timedelta(minutes=14, seconds=59, microseconds=999_999),
        )
        assert await roll_up_all() == 4
        (row,) = await rollups()
        assert row.quarter_at == quarter
        assert (row.call_count, row.error_count, row.charge_nanos, row.absorbed_nanos) == (3, 1, 3, 0)
        assert [getattr(row, counter) for counter in COUNTERS] == [10, 5, 6, 7, 3, 1, *[0] * 10]
        assert (row.model_id, row.model_name, row.api_key_id) == ("mdl_1", "mock", "key_1")
        assert (row.project_id, row.channel_id, row.cost_currency) == ("prj_1", "chn_1", "")

    @pytest.mark.parametrize("minute", [0, 14, 15, 29, 30, 44, 45, 59])
    async def test_every_minute_is_in_its_quarter(self, minute: int) -> None:
        await settled(a_draft(), closed_at=NOON.replace(minute=minute, second=59))
        await roll_up_all()
        (row,) = await rollups()
        assert row.quarter_at == NOON.replace(minute=minute // 15 * 15)

    async def test_nothing_is_counted_twice_however_small_the_steps(self) -> None:
        drafts = [a_draft(requested_at=NOON + timedelta(minutes=number), charge_nanos=number) for number in range(40)]
        await settled(*drafts)
        for size in (1, 7, 3):
            async with unit_of_work() as session:
                assert await roll_up(session, transactions_max=size) == size
            assert await month_charge() == sum(range(40))
        await roll_up_all(transactions_max=4)
        assert await roll_up_all() == 0
        assert sum(row.charge_nanos for row in await rollups()) == sum(range(40))
        await assert_sums_are_right()

    async def test_a_step_that_is_not_committed_leaves_nothing(self) -> None:
        await settled(a_draft(charge_nanos=1))
        async with unit_of_work() as session:
            await roll_up(session, transactions_max=10)
            await session.rollback()
        assert await rollups() == []
        await roll_up_all()
        assert await month_charge() == 1

    async def test_what_calls_cost_is_kept_by_its_currency_and_unknown_is_not_nothing(self) -> None:
        known = {"cost_nanos": 7, "cost_currency": Currency.CNY}
        await settled(a_draft(charge_nanos=1, **USED, **known), a_draft(**USED, **known), a_draft(**USED))
        for step in (0, 10):
            async with unit_of_work() as session:
                await roll_up(session, transactions_max=step)
            async with read_session() as session:
                moves = counted(organization_id=ORGANIZATION, period=month_of(NOON, time_zone="UTC"))
                sums = (sa.func.sum(moves.c.call_count), sa.func.sum(moves.c.cost_nanos))
                by_currency = sa.select(moves.c.cost_currency, *sums).group_by(moves.c.cost_currency)
                rows = {row[0]: (int(row[1]), int(row[2])) for row in await read_rows(session, by_currency)}
            assert rows == {"CNY": (2, 14), "": (1, 0)}

    async def test_grants_move_the_cursor_and_no_sum(self) -> None:
        await open_account(ORGANIZATION)
        assert await roll_up_all() == 1
        assert await rollups() == []

    async def test_what_no_balance_covered_is_told_apart(self) -> None:
        await open_account(ORGANIZATION, balance_nanos=10)
        draft = a_draft(charge_nanos=25, **USED)
        await settled(draft)
        await roll_up_all()
        (row,) = await rollups()
        assert (row.charge_nanos, row.absorbed_nanos) == (10, 15)

    async def test_a_void_without_a_record_counts_as_a_call_of_nobody(self) -> None:
        await open_account(ORGANIZATION)
        draft = a_draft()
        await perform(hold_of(draft), CloseHold(draft.request_id, Outcome.VOIDED, 0, UsageSource.NONE, []), moment=NOON)
        await roll_up_all()
        (row,) = await rollups()
        assert (row.call_count, row.charge_nanos, row.model_id) == (1, 0, "")
        await assert_sums_are_right()


class TestCorrections:
    @pytest.mark.parametrize("rolls_up_between", [True, False])
    async def test_counts_when_it_was_recorded(self, *, rolls_up_between: bool) -> None:
        draft = a_draft(charge_nanos=5, input_tokens=10, output_tokens=2, **USED)
        await recovered(draft, closed_at=NOON)
        if rolls_up_between:
            await roll_up_all()
        later = NOON + timedelta(minutes=20)
        await corrected(replace(draft, charge_nanos=12, output_tokens=9), corrected_at=later)
        assert await month_charge() == 12
        await roll_up_all()
        first, second = await rollups()
        assert (first.quarter_at, second.quarter_at) == (NOON, NOON + timedelta(minutes=15))
        assert (first.call_count, first.error_count, first.charge_nanos, first.output_tokens) == (1, 1, 5, 2)
        assert (second.call_count, second.error_count, second.charge_nanos, second.output_tokens) == (0, -1, 7, 7)
        assert await month_charge() == 12
        await assert_sums_are_right()

    async def test_a_call_that_had_been_given_back_moves_to_its_channel(self) -> None:
        draft = a_draft(charge_nanos=0, channel_id="", usage_source=UsageSource.NONE)
        await recovered(draft, closed_at=NOON)
        await corrected(replace(draft, charge_nanos=3, output_tokens=4, **USED), corrected_at=NOON)
        await roll_up_all()
        nobody, served = await rollups()
        assert (nobody.channel_id, nobody.call_count, nobody.charge_nanos) == ("", 0, 0)
        assert (served.channel_id, served.call_count, served.charge_nanos, served.output_tokens) == ("chn_1", 1, 3, 4)

    async def test_money_that_is_given_back_is_taken_out(self) -> None:
        draft = a_draft(charge_nanos=50, output_tokens=5, **USED)
        await recovered(draft, closed_at=NOON)
        await corrected(replace(draft, charge_nanos=20, output_tokens=2), corrected_at=NOON + timedelta(hours=1))
        await roll_up_all()
        assert [row.charge_nanos for row in await rollups()] == [50, -30]
        assert await revenue() == await month_charge() == 20

    async def test_a_context_that_cannot_be_read_is_a_call_of_nobody(self) -> None:
        draft = a_draft(charge_nanos=0)
        await open_account(ORGANIZATION)
        hold = hold_of(draft)
        unreadable = type(hold)(hold.request_id, hold.owner_id, hold.currency, 0, b"\xc1")
        close = CloseHold(draft.request_id, Outcome.RECOVERED, 0, UsageSource.NONE, [])
        await perform(unreadable, close, moment=NOON)
        await roll_up_all()
        (row,) = await rollups()
        assert (row.call_count, row.error_count, row.model_id) == (1, 1, "")


class TestInvariantI8:
    async def test_sums_are_the_revenue_of_a_wild_mixture(self) -> None:
        chance = random.Random(8)
        expected: Counter[str] = Counter()
        for number in range(60):
            owner = f"org_{number % 3}"
            moment = NOON + timedelta(minutes=chance.randrange(600), microseconds=chance.randrange(10**6))
            draft = a_draft(
                organization_id=owner, charge_nanos=chance.randrange(10**12), output_tokens=chance.randrange(10**6),
                api_key_id=f"key_{number % 4}", model_id=f"mdl_{number % 2}", **USED,
            )  # fmt: skip
            kind = chance.randrange(3)
            if kind == 0:
                await settled(draft, closed_at=moment)
            else:
                await recovered(draft, closed_at=moment)
            if kind == 2:
                draft = replace(draft, charge_nanos=chance.randrange(10**12), output_tokens=chance.randrange(10**6))
                await corrected(draft, corrected_at=moment + timedelta(hours=1))
            expected[owner] += draft.charge_nanos
            if chance.random() < 0.3:
                async with unit_of_work() as session:
                    await roll_up(session, transactions_max=chance.randrange(1, 10))
        await roll_up_all()
        sums: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        for row in await rollups():
            sums[row.organization_id] += row.charge_nanos + row.absorbed_nanos
            counts["calls"] += row.call_count
            counts["output"] += row.output_tokens
        assert sums == expected
        assert sum(sums.values()) == await revenue()
        async with read_session() as session:
            query = select(sa.func.count(), sa.func.sum(UsageRecord.output_tokens)).select_from(UsageRecord)
            call_count, output_tokens = (await session.exec(query)).one()
        assert (counts["calls"], counts["output"]) == (call_count, int(output_tokens)) == (60, counts["output"])
        await assert_sums_are_right()
        before = await values()
        async with unit_of_work() as session:
            await begin_rebuild(session)
        await roll_up_all(transactions_max=17)
        assert await values() == before

    @pytest.mark.parametrize("column", ["charge_nanos", "absorbed_nanos", "call_count"])
    async def test_a_sum_that_was_changed_is_named(self, column: str) -> None:
        await settled(a_draft(charge_nanos=5))
        await roll_up_all()
        async with unit_of_work() as session:
            await session.exec(sa.update(UsageRollup).values({column: 7}))
        async with read_session() as session:
            wrong = await first_difference(session)
        assert wrong is not None
        assert wrong.startswith(f"usage_rollup of {ORGANIZATION} at 2026-11-23")


class TestRebuild:
    async def test_sums_are_whole_at_every_moment_of_it(self) -> None:
        await settled(*(a_draft(charge_nanos=number) for number in range(20)))
        await roll_up_all()
        async with unit_of_work() as session:
            assert await begin_rebuild(session) is None
        for _ in range(3):
            assert await month_charge() == sum(range(20))
            async with unit_of_work() as session:
                await roll_up(session, transactions_max=5)
        assert await month_charge() == sum(range(20))

    async def test_keeps_what_purged_records_told(self) -> None:
        old = NOON - timedelta(days=2)
        await settled(a_draft(requested_at=old, charge_nanos=1, output_tokens=4), a_draft(charge_nanos=2))
        await roll_up_all()
        before = await values()
        async with unit_of_work() as session:
            assert await purge_records(session, requested_before=NOON - timedelta(days=1), count_max=10) == 1
        async with unit_of_work() as session:
            assert await begin_rebuild(session) == NOON - timedelta(days=1) + timedelta(hours=1)
        assert [row.quarter_at for row in await rollups()] == [old]
        assert await month_charge() == 3
        await assert_sums_are_right()
        await roll_up_all()
        assert await values() == before


class TestPurge:
    async def test_never_takes_what_is_not_rolled_up(self) -> None:
        long_ago = NOON - timedelta(days=400)
        await settled(a_draft(requested_at=long_ago, charge_nanos=1, output_tokens=4))
        async with unit_of_work() as session:
            assert await purge_records(session, requested_before=NOON, count_max=10) == 0
        await roll_up_all()
        async with unit_of_work() as session:
            assert await purge_records(session, requested_before=NOON, count_max=10) == 1
        (row,) = await rollups()
        assert (row.charge_nanos, row.output_tokens) == (1, 4)

    async def test_waits_for_a_correction_as_well(self) -> None:
        draft = a_draft(requested_at=NOON - timedelta(days=400), charge_nanos=1, **USED)
        await recovered(draft, closed_at=draft.requested_at)
        await roll_up_all()
        await corrected(replace(draft, charge_nanos=9, output_tokens=3), corrected_at=NOON)
        async with unit_of_work() as session:
            assert await purge_records(session, requested_before=NOON, count_max=10) == 0
        await roll_up_all()
        async with unit_of_work() as session:
            assert await purge_records(session, requested_before=NOON, count_max=10) == 1
        assert sum(row.output_tokens for row in await rollups()) == 3


class TestStatementLines:
    async def test_are_the_charges_of_the_period_by_model_key_and_project(self) -> None:
        await settled(a_draft(charge_nanos=1, **USED), a_draft(charge_nanos=2, model_id="mdl_2", model_name="zeta"))
        await roll_up_all()
        await settled(a_draft(charge_nanos=4, error_code="caller_left", **USED))
        period = month_of(NOON, time_zone="Asia/Shanghai")
        async with read_session() as session:
            lines = await statement_lines(session, organization_id=ORGANIZATION, period=period)
        assert [(line.model_name, line.project_id, line.total.charge_nanos, line.error_count) for line in lines] == [
            ("mock", "prj_1", 5, 1),
            ("zeta", "", 2, 0),
        ]


class TestCounters:
    def test_every_counter_of_a_record_is_rolled_up(self) -> None:
        ends = ("_tokens", "_ms", "_count")
        of_the_call = {"latency_ms", "first_byte_ms", "attempt_count"}
        counters = {name for name in UsageRecord.model_fields if name.endswith(ends)} - of_the_call
        assert counters == set(COUNTERS)
        assert counters <= set(UsageRollup.model_fields)
