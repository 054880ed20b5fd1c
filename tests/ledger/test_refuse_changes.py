"""The journal's triggers, on both databases."""

import sqlite3

import psycopg
import pytest

from onetoken_app.database import unit_of_work
from onetoken_app.ledger import service
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold
from onetoken_app.ledger.schema import JOURNAL_TABLES
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.ledger.credit import a_budget, a_counted_hold, sell
from tests.ledger.desks import a_close, a_desk, a_hold, rows

_A_COLUMN = {
    "ledger_transaction": "reference",
    "ledger_posting": "amount_nanos",
    "ledger_hold": "owner_id",
    "ledger_hold_part": "amount_nanos",
    "ledger_hold_close": "amount_nanos",
    "ledger_correction": "amount_nanos",
    "ledger_lot_scope": "scope",
    "ledger_terms": "owner_id",
    "ledger_reversal": "reversed_number",
    "ledger_hold_budget": "period",
}
REFUSALS = (sqlite3.IntegrityError, psycopg.errors.RaiseException)


@pytest.mark.row("A14")
class TestTriggers:
    @pytest.mark.parametrize("table", JOURNAL_TABLES)
    async def test_refuse_update_and_delete(self, desk: Desk, owner_id: str, table: str) -> None:
        await sell(owner_id, 1, scopes=["mdl_1"])
        async with unit_of_work() as session:
            await service.reverse(session, reversed_reference="package:1", reference="reversal")
            await service.freeze_owner(session, owner_id=owner_id, reference="freeze")
            await service.unfreeze_owner(session, owner_id=owner_id, reference="unfreeze")
        hold = a_counted_hold(owner_id, 10, await a_budget(owner_id, 100))
        recovery = a_close(hold.request_id, 0, outcome=Outcome.RECOVERED)
        answer(desk, [hold, recovery, a_close(hold.request_id, 5)])
        before = rows(desk, f"SELECT * FROM {table}")
        column = _A_COLUMN[table]
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(REFUSALS, match="append-only"), desk.backend.transaction() as connection:
                connection.write_foreign(statement, [()])
        assert before
        assert rows(desk, f"SELECT * FROM {table}") == before

    async def test_an_epoch_ends_once_and_changes_no_more(self, desk: Desk) -> None:
        end = "UPDATE ledger_epoch SET ended_at = '2026-05-18T00:00:00.000000Z'"
        with pytest.raises(REFUSALS), desk.backend.transaction() as connection:
            connection.write_foreign("UPDATE ledger_epoch SET number = number + 1", [()])
        with desk.backend.transaction() as connection:
            connection.write_foreign(end, [()])
        for statement in (end, "UPDATE ledger_epoch SET ended_at = NULL", "DELETE FROM ledger_epoch"):
            with pytest.raises(REFUSALS), desk.backend.transaction() as connection:
                connection.write_foreign(statement, [()])

    async def test_truncate_is_refused_on_postgresql(self, postgresql_settings: Settings) -> None:
        desk = a_desk(postgresql_settings)
        with pytest.raises(REFUSALS), desk.backend.transaction() as connection:
            connection.write_foreign("TRUNCATE ledger_transaction CASCADE", [()])
        desk.backend.close()


class TestLedgerAudit:
    async def test_an_auditor_adds_up_without_our_code(self, desk: Desk, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        answer(desk, [hold, a_close(hold.request_id, 5)])
        view = rows(desk, "SELECT request_id, organization_id, outcome, amount_nanos, usage_source FROM ledger_audit")
        assert view == [(hold.request_id, owner_id, "settled", 5, "upstream")]

    async def test_a_correction_is_counted(self, desk: Desk, owner_id: str) -> None:
        hold = a_hold(owner_id, 10)
        recovery = CloseHold(hold.request_id, Outcome.RECOVERED, 2, UsageSource.CHECKPOINT, [])
        answer(desk, [hold, recovery, a_close(hold.request_id, 5)])
        view = rows(desk, "SELECT request_id, organization_id, outcome, amount_nanos, usage_source FROM ledger_audit")
        assert view == [(hold.request_id, owner_id, "recovered", 5, "upstream")]
