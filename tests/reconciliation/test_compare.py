"""Bills are imported once and set beside our attempts, day by day as the bill cuts it. On both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from onetoken_app.audit import service as audit
from onetoken_app.audit.models import AuditEntry
from onetoken_app.command.reconcile import is_difference
from onetoken_app.database import current_database, read_session, unit_of_work
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, first_id_at
from onetoken_app.money import Currency
from onetoken_app.reconciliation.errors import BadBill
from onetoken_app.reconciliation.models import UpstreamBill, UpstreamBillLine
from onetoken_app.reconciliation.queries import BillStanding, ComparedView, SideView, bills, compare
from onetoken_app.reconciliation.service import ImportedBill, import_bill
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.attempts import AttemptDraft, insert_attempt
from onetoken_app.usage.models import AttemptOutcome
from onetoken_app.usage.purges import PURGED, REQUESTED_BEFORE
from tests.reconciliation.test_read_bill import HEAD
from tests.support.builders import BuiltModel, a_channel, a_model

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
async def model(database_settings: Settings, database: object) -> BuiltModel:  # noqa: ARG001 # opens it for this process
    """A model with a channel."""
    async with unit_of_work() as session:
        channel_id = await a_channel(session, database_settings, name="test")
        return await a_model(session, database_settings, name="large", channel_id=channel_id)


async def attempted(model: BuiltModel, moment: datetime = NOON, **values: Any) -> None:
    """Insert an attempt the way the ledger's writer does; by default one of 10 and 5 tokens at 300 nanos."""
    usual: dict[str, Any] = {
        "request_id": first_id_at(Kind.REQUEST, moment - timedelta(seconds=1)), "attempt_number": 1,
        "model_id": model.id, "channel_id": model.channel_id, "upstream_model": "vendor-large", "began_at": moment,
        "duration_ms": 7, "outcome": AttemptOutcome.ANSWERED, "usage_source": UsageSource.UPSTREAM, "input_tokens": 10,
        "output_tokens": 5, "cost_nanos": 300, "cost_currency": Currency.USD, "cost_version_id": 1,
    }  # fmt: skip
    is_sqlite = current_database().is_sqlite
    statement = insert_attempt(AttemptDraft(**usual | values), is_sqlite=is_sqlite)
    async with unit_of_work() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(statement.sql, tuple(statement.parameters))


async def billed(*lines: str, time_zone: str = "UTC", channel: str = "test") -> ImportedBill:
    """Import a file of these lines."""
    content = "\n".join((HEAD, *lines)).encode()
    async with unit_of_work() as session:
        return await import_bill(session, content, channel_name=channel, time_zone=time_zone, actor=audit.OPERATOR)


async def compared(since: date = DAY, until: date = DAY) -> list[ComparedView]:
    """Compare."""
    async with read_session() as session:
        return await compare(session, since=since, until=until)


class TestImportBill:
    async def test_the_same_file_is_imported_once(self, model: BuiltModel) -> None:
        line = f"{DAY},{model.id},1,10,5,0.0000003,USD"
        first, again = await billed(line), await billed(line)
        assert (first.is_new, again.is_new, again.bill_id) == (True, False, first.bill_id)
        async with read_session() as session:
            assert len((await session.exec(select(UpstreamBillLine))).all()) == 1
            entries = await session.exec(select(AuditEntry.action).where(AuditEntry.action == "upstream_bill_imported"))
            assert len(entries.all()) == 1
            (view,) = await bills(session)
        assert (view.channel_name, view.line_count, view.first_on, view.last_on) == ("test", 1, DAY, DAY)

    @pytest.mark.usefixtures("model")
    async def test_nothing_of_a_bad_file_is_kept(self) -> None:
        with pytest.raises(BadBill, match="line 3: day is no date"):
            await billed(f"{DAY},m,1,1,1,1,USD", "yesterday,m,1,1,1,1,USD")
        with pytest.raises(BadBill, match="more than an amount can hold"):
            await billed(*[f"{DAY},m,1,1,1,9000000000,USD"] * 2)
        with pytest.raises(NotFound, match="no channel 'nowhere'"):
            await billed(f"{DAY},m,1,1,1,1,USD", channel="nowhere")
        with pytest.raises(BadRequest, match="time zone"):
            await billed(f"{DAY},m,1,1,1,1,USD", time_zone="Middle/Earth")
        async with read_session() as session:
            assert (await session.exec(select(UpstreamBill))).all() == []


class TestCompare:
    async def test_equal_figures_are_the_same(self, model: BuiltModel) -> None:
        await attempted(model)
        await attempted(model, NOON + timedelta(hours=1), outcome=AttemptOutcome.CUT)
        await billed(f"{DAY},vendor-large,2,20,10,0.0000006,USD")
        (line,) = await compared()
        assert line.standing is BillStanding.SAME
        assert line.ours == line.billed == SideView(2, 20, 10, 600)
        assert (line.day, line.channel_name, line.upstream_model) == (DAY, "test", "vendor-large")
        assert (line.currency, line.cost_difference_nanos) == (Currency.USD, 0)

    async def test_a_difference_of_a_nano_is_one(self, model: BuiltModel) -> None:
        await attempted(model)
        await billed(f"{DAY},vendor-large,1,10,5,0.000000301,USD")
        (line,) = await compared()
        assert (line.standing, line.cost_difference_nanos) == (BillStanding.DIFFERS, 1)

    async def test_what_one_side_alone_has_is_named(self, model: BuiltModel) -> None:
        await attempted(model, upstream_model="ours")
        await billed(f"{DAY},theirs,1,10,5,1,USD")
        assert {line.upstream_model: line.standing for line in await compared()} == {
            "ours": BillStanding.ONLY_HERE,
            "theirs": BillStanding.ONLY_BILLED,
        }

    async def test_a_day_without_a_bill_is_no_difference_yet(self, model: BuiltModel) -> None:
        await attempted(model)
        (line,) = await compared()
        assert (line.standing, line.billed) == (BillStanding.NO_BILL, None)

    async def test_a_day_whose_attempts_were_removed_is_no_longer_kept(self, model: BuiltModel) -> None:
        await attempted(model, NOON + timedelta(days=1), upstream_model="late")
        lines = [f"{day},{name},9,9,9,9,USD" for day in (DAY, date(2026, 11, 22)) for name in ("gone", "late")]
        await billed(*lines, f"{DAY + timedelta(days=1)},late,2,20,10,1,USD")
        facts = {REQUESTED_BEFORE: "2026-11-21T13:00:00.000000Z"}
        async with unit_of_work() as session:
            await audit.record(session, actor=audit.SYSTEM, action=PURGED, subject_id="usage_record", facts=facts)
        found = await compared(until=date(2026, 11, 22))
        assert [(line.day.day, line.standing) for line in found] == [
            (22, BillStanding.ONLY_BILLED),
            (22, BillStanding.ONLY_BILLED),
            (21, BillStanding.NO_LONGER_KEPT),
            (20, BillStanding.NO_LONGER_KEPT),
            (20, BillStanding.NO_LONGER_KEPT),
        ]
        assert {line.ours for line in found} == {None}
        assert not any(is_difference(line) for line in found if line.day.day < 22)

    async def test_failed_attempts_and_unknown_costs_are_counted_apart(self, model: BuiltModel) -> None:
        failed: dict[str, Any] = {
            "outcome": AttemptOutcome.FAILED, "usage_source": UsageSource.NONE, "input_tokens": 0, "output_tokens": 0,
        }  # fmt: skip
        unknown: dict[str, Any] = {"cost_nanos": None, "cost_currency": None, "cost_version_id": None}
        await attempted(model, **failed, **unknown)
        await attempted(model, NOON + timedelta(minutes=1), **unknown)
        await billed(f"{DAY},vendor-large,1,10,5,0.0000003,USD")
        (line,) = await compared()
        assert (line.failed_count, line.unknown_cost_count) == (1, 1)
        assert line.ours == SideView(1, 10, 5, 0)
        assert (line.standing, line.cost_difference_nanos) == (BillStanding.DIFFERS, None)

    async def test_a_later_bill_of_a_day_counts_instead(self, model: BuiltModel) -> None:
        await attempted(model)
        await billed(f"{DAY},vendor-large,9,9,9,9,USD", f"{DAY},gone,1,1,1,1,USD", "2026-11-21,other,1,1,1,1,USD")
        await billed(f"{DAY},vendor-large,1,10,5,0.0000003,USD")
        lines = await compared(until=date(2026, 11, 21))
        assert [(line.upstream_model, line.standing) for line in lines] == [
            ("other", BillStanding.ONLY_BILLED),
            ("vendor-large", BillStanding.SAME),
        ]

    async def test_days_are_cut_as_the_bill_cuts_them(self, model: BuiltModel) -> None:
        await attempted(model, datetime(2026, 11, 19, 16, 0, tzinfo=UTC))
        await attempted(model, datetime(2026, 11, 19, 15, 59, 59, tzinfo=UTC))
        await attempted(model, datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC))
        await attempted(model, datetime(2026, 11, 20, 16, 0, tzinfo=UTC))
        await billed(f"{DAY},vendor-large,2,20,10,0.0000006,USD", time_zone="Asia/Shanghai")
        (line,) = await compared()
        assert line.standing is BillStanding.SAME

    async def test_a_call_that_took_its_time_counts_where_its_attempt_began(self, model: BuiltModel) -> None:
        midnight = datetime(2026, 11, 20, tzinfo=UTC)
        await attempted(model, midnight, request_id=first_id_at(Kind.REQUEST, midnight - timedelta(minutes=90)))
        (line,) = await compared()
        assert line.ours == SideView(1, 10, 5, 300)

    async def test_costs_in_two_currencies_stand_apart(self, model: BuiltModel) -> None:
        await attempted(model)
        await attempted(model, NOON + timedelta(minutes=1), cost_currency=Currency.CNY, cost_nanos=70)
        await billed(f"{DAY},vendor-large,2,20,10,0.00000007,CNY")
        lines = {line.currency: line for line in await compared()}
        assert lines[Currency.CNY].standing is BillStanding.SAME
        assert (lines[Currency.USD].standing, lines[Currency.USD].ours) == (
            BillStanding.ONLY_HERE,
            SideView(0, 0, 0, 300),
        )

    async def test_a_recovered_attempt_stands_under_the_routes_name(self, model: BuiltModel) -> None:
        await attempted(model, upstream_model="", outcome=AttemptOutcome.CUT, usage_source=UsageSource.CHECKPOINT)
        (line,) = await compared()
        assert line.upstream_model == "large"
