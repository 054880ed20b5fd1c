"""Verification passes over a ledger with everything in it, and finds a change of any row."""

import sqlite3
from contextlib import closing

import pytest

from onetoken_app.database import Database, unit_of_work, use_database
from onetoken_app.ledger.batches import answer
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import ExtendHold, RecordProgress
from onetoken_app.ledger.verification import VerificationReport
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner, the_report

TAMPERS = [
    ("ledger_transaction", "kind = 'grant'", "sequence_number = 3"),
    ("ledger_transaction", "reference = 'req_other'", "sequence_number = 3"),
    ("ledger_transaction", "recorded_at = '2020-01-01T00:00:00.000000Z'", "sequence_number = 3"),
    ("ledger_transaction", "previous_hash = zeroblob(32)", "sequence_number = 3"),
    ("ledger_transaction", "hash = zeroblob(32)", "sequence_number = 3"),
    ("ledger_transaction", "hash = zeroblob(32)", "sequence_number = 5"),
    ("ledger_posting", "amount_nanos = amount_nanos + 1", "transaction_number = 1"),
    ("ledger_posting", "amount_nanos = amount_nanos - 1", "transaction_number = 3"),
    ("ledger_posting", "from_account_id = 'act_absorbed_usd'", "transaction_number = 3"),
    ("ledger_posting", "to_account_id = 'act_grants_usd'", "transaction_number = 3"),
    ("ledger_posting", "transaction_number = 99", "transaction_number = 3"),
    ("ledger_hold", "owner_id = 'org_other'", "request_id = 'req_1'"),
    ("ledger_hold", "currency = 'CNY'", "request_id = 'req_1'"),
    ("ledger_hold", "amount_nanos = amount_nanos + 1", "request_id = 'req_1'"),
    ("ledger_hold", "context = x'00'", "request_id = 'req_1'"),
    ("ledger_hold", "placed_at = '2020-01-01T00:00:00.000000Z'", "request_id = 'req_1'"),
    ("ledger_hold", "epoch_id = 'epo_other'", "request_id = 'req_1'"),
    ("ledger_hold", "owner_id = 'org_other'", "request_id = 'req_open'"),
    ("ledger_hold", "amount_nanos = amount_nanos + 1", "request_id = 'req_open'"),
    ("ledger_hold", "epoch_id = 'epo_other'", "request_id = 'req_open'"),
    ("ledger_hold_part", "amount_nanos = amount_nanos + 1", "request_id = 'req_1' AND part_number = 2"),
    ("ledger_hold_part", "amount_nanos = amount_nanos - 1", "request_id = 'req_open' AND part_number = 2"),
    ("ledger_hold_part", "request_id = 'req_other'", "request_id = 'req_1' AND part_number = 2"),
    ("ledger_hold_close", "outcome = 'recovered'", "request_id = 'req_1'"),
    ("ledger_hold_close", "amount_nanos = amount_nanos + 1", "request_id = 'req_1'"),
    ("ledger_hold_close", "absorbed_nanos = 1", "request_id = 'req_1'"),
    ("ledger_hold_close", "usage_source = 'estimated'", "request_id = 'req_1'"),
    ("ledger_hold_close", "closed_at = '2020-01-01T00:00:00.000000Z'", "request_id = 'req_1'"),
    ("ledger_hold_close", "transaction_number = 99", "request_id = 'req_1'"),
    ("ledger_account", "posted_nanos = posted_nanos + 1", "kind = 'prepaid'"),
    ("ledger_account", "posted_nanos = posted_nanos - 1", "kind = 'revenue'"),
    ("ledger_account", "held_nanos = held_nanos + 1", "kind = 'prepaid'"),
    ("ledger_account", "owner_id = 'org_other'", "kind = 'prepaid'"),
    ("ledger_account", "currency = 'CNY'", "kind = 'prepaid'"),
    ("ledger_account", "kind = 'prepaid'", "kind = 'revenue'"),
    ("ledger_open_hold", "epoch_id = 'epo_other'", "request_id = 'req_open'"),
    ("ledger_open_hold", "request_id = 'req_1'", "request_id = 'req_open'"),
    ("ledger_correction", "amount_nanos = amount_nanos + 1", "request_id = 'req_2'"),
    ("ledger_correction", "absorbed_nanos = absorbed_nanos + 1", "request_id = 'req_2'"),
    ("ledger_correction", "usage_source = 'estimated'", "request_id = 'req_2'"),
    ("ledger_correction", "corrected_at = '2020-01-01T00:00:00.000000Z'", "request_id = 'req_2'"),
    ("ledger_correction", "request_id = 'req_1'", "request_id = 'req_2'"),
    ("ledger_correction", "transaction_number = 99", "request_id = 'req_2'"),
    ("ledger_posting", "amount_nanos = amount_nanos - 1", "transaction_number = 6"),
    ("ledger_transaction", "reference = 'correction:req_1'", "sequence_number = 6"),
    ("ledger_transaction", "kind = 'close'", "sequence_number = 6"),
]
DELETED = [
    ("ledger_correction", "request_id = 'req_2'"),
    ("ledger_transaction", "sequence_number = 6"),
    ("ledger_posting", "transaction_number = 6"),
    ("ledger_transaction", "sequence_number = 1"),
    ("ledger_transaction", "sequence_number = 3"),
    ("ledger_transaction", "sequence_number = 5"),
    ("ledger_posting", "transaction_number = 1"),
    ("ledger_posting", "transaction_number = 3"),
    ("ledger_hold", "request_id = 'req_1'"),
    ("ledger_hold", "request_id = 'req_open'"),
    ("ledger_hold_part", "request_id = 'req_1' AND part_number = 2"),
    ("ledger_hold_part", "request_id = 'req_open' AND part_number = 2"),
    ("ledger_hold_close", "request_id = 'req_1'"),
    ("ledger_account", "kind = 'revenue'"),
    ("ledger_account", "kind = 'prepaid'"),
    ("ledger_open_hold", "request_id = 'req_open'"),
    ("ledger_epoch", "id = 'epo_1'"),
]


async def a_full_ledger(settings: Settings) -> None:
    """Write a grant, closes of every kind and a correction, as transactions 1 to 6, and leave one hold open."""
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=1_000)
    desk = a_desk(settings, epoch_id="epo_1")
    try:
        for number in range(4):
            answer(desk, [a_hold(owner_id, 100, request_id=f"req_{number}")])
        answer(
            desk,
            [
                a_hold(owner_id, 50, request_id="req_open"),
                ExtendHold("req_open", 60),
                RecordProgress("req_open", 5, b"progress"),
                ExtendHold("req_1", 120),
                a_close("req_0", 30, outcome=Outcome.VOIDED),
                a_close("req_1", 110),
                a_close("req_2", 5, outcome=Outcome.RECOVERED),
                a_close("req_3", 5_000),
                a_close("req_2", 2),
            ],
        )
    finally:
        desk.backend.close()


async def the_report_of(settings: Settings) -> VerificationReport:
    """Verify a database that this process opens for it alone."""
    database = Database(settings)
    use_database(database)
    try:
        return await the_report()
    finally:
        use_database(None)
        await database.dispose()


def tamper(settings: Settings, statement: str) -> None:
    """Change a row behind the back of triggers, keys and checks, as an intruder with the file would."""
    with closing(sqlite3.connect(settings.database_file)) as connection, connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(statement).rowcount == 1


@pytest.fixture
async def tampered_settings(sqlite_settings: Settings) -> Settings:
    """Settings of a full ledger that nobody has open."""
    database = Database(sqlite_settings)
    use_database(database)
    await a_full_ledger(sqlite_settings)
    use_database(None)
    await database.dispose()
    return sqlite_settings


@pytest.mark.row("A15")
class TestVerify:
    async def test_an_empty_ledger_is_right(self, database: Database) -> None:
        assert database is not None
        assert await the_report() == VerificationReport(
            is_ok=True,
            settled_count=0,
            voided_count=0,
            recovered_count=0,
            open_hold_count=0,
            first_wrong_row=None,
        )

    async def test_counts_what_there_is(self, database: Database, database_settings: Settings) -> None:
        assert database is not None
        await a_full_ledger(database_settings)
        assert await the_report() == VerificationReport(
            is_ok=True,
            settled_count=2,
            voided_count=1,
            recovered_count=1,
            open_hold_count=1,
            first_wrong_row=None,
        )

    async def test_reads_in_pieces(
        self, database: Database, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert database is not None
        await a_full_ledger(database_settings)
        monkeypatch.setattr("onetoken_app.ledger.verification._ENTRIES_AT_ONCE", 2)
        report = await the_report()
        assert (report.first_wrong_row, report.settled_count) == (None, 2)

    @pytest.mark.parametrize(("table", "change", "row"), TAMPERS)
    async def test_finds_a_changed_row(self, tampered_settings: Settings, table: str, change: str, row: str) -> None:
        tamper(tampered_settings, f"UPDATE {table} SET {change} WHERE {row}")
        report = await the_report_of(tampered_settings)
        assert not report.is_ok
        assert report.first_wrong_row

    @pytest.mark.parametrize(("table", "row"), DELETED)
    async def test_finds_a_deleted_row(self, tampered_settings: Settings, table: str, row: str) -> None:
        tamper(tampered_settings, f"DELETE FROM {table} WHERE {row}")
        assert not (await the_report_of(tampered_settings)).is_ok

    async def test_names_the_first_wrong_row(self, tampered_settings: Settings) -> None:
        tamper(tampered_settings, "UPDATE ledger_hold_close SET amount_nanos = 1 WHERE request_id = 'req_1'")
        report = await the_report_of(tampered_settings)
        assert report.first_wrong_row is not None
        assert report.first_wrong_row.startswith("ledger_transaction 3 (req_1): ")

    async def test_an_open_hold_of_an_epoch_that_ended_long_ago_is_wrong(self, tampered_settings: Settings) -> None:
        tamper(tampered_settings, "UPDATE ledger_epoch SET ended_at = '2026-01-01T00:00:00.000000Z'")
        report = await the_report_of(tampered_settings)
        assert report.first_wrong_row is not None
        assert report.first_wrong_row.startswith("ledger_hold req_open: ")
