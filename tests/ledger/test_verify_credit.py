"""Verification finds a change of any row that lots, terms and reversals add."""

import pytest

from onetoken_app.database import Database, unit_of_work, use_database
from onetoken_app.ledger import service
from onetoken_app.settings import Settings
from tests.ledger.credit import LATER, SOON, USD, a_budget, a_counted_hold, give_promotion, sell
from tests.ledger.desks import a_close, a_desk, an_owner, do
from tests.ledger.test_verify import tamper, the_report_of

PROMOTION, PACKAGE, STRIPE = "lot_id = 'promotion:1'", "lot_id = 'package:1'", "lot_id = 'stripe'"
PREPAID, TOKENS = "kind = 'prepaid'", "lot_id = 'package:2'"
TAMPERS = [
    ("ledger_account", "expires_at = '2099-01-01T00:00:00.000000Z'", PROMOTION),
    ("ledger_account", "expires_at = NULL", PACKAGE),
    ("ledger_account", "expires_at = '2099-01-01T00:00:00.000000Z'", PREPAID),
    ("ledger_account", "lot_id = 'promotion:2'", PROMOTION),
    ("ledger_account", "lot_id = 'alipay'", STRIPE),
    ("ledger_account", "lot_id = 'lot'", PREPAID),
    ("ledger_account", "kind = 'package'", PROMOTION),
    ("ledger_account", "owner_id = 'org_other'", PROMOTION),
    ("ledger_account", "is_frozen = 0", PREPAID),
    ("ledger_account", "is_frozen = 1", PROMOTION),
    ("ledger_account", "floor_nanos = -51", PREPAID),
    ("ledger_account", "unit_nanos = 5", PACKAGE),
    ("ledger_account", "unit_nanos = 0", TOKENS),
    ("ledger_account", "unit_nanos = 6", TOKENS),
    ("ledger_account", "unit_nanos = 5", PREPAID),
    ("ledger_account", "posted_nanos = posted_nanos + 1", PROMOTION),
    ("ledger_account", "held_nanos = 0", PROMOTION),
    ("ledger_lot_scope", "scope = 'mdl_2'", "scope = 'mdl_1'"),
    ("ledger_lot_scope", "account_id = (SELECT id FROM ledger_account WHERE kind = 'prepaid')", "scope = 'mdl_1'"),
    ("ledger_terms", "owner_id = 'org_other'", "account_id IS NULL"),
    ("ledger_terms", "floor_nanos = -51", "account_id IS NOT NULL"),
    ("ledger_terms", "account_id = 'act_grants_usd'", "account_id IS NOT NULL"),
    ("ledger_terms", "account_id = NULL", "account_id IS NOT NULL"),
    ("ledger_terms", "transaction_number = 1", "account_id IS NOT NULL"),
    ("ledger_terms", "transaction_number = 99", "account_id IS NULL"),
    ("ledger_reversal", "reversed_number = 1", "reversed_number > 0"),
    ("ledger_reversal", "transaction_number = 1", "reversed_number > 0"),
    ("ledger_budget_period", "spent_nanos = 1", "period = '2027-01'"),
    ("ledger_budget_period", "held_nanos = 0", "period = '2027-01'"),
    ("ledger_budget_period", "period = '2027-02'", "period = '2027-01'"),
    ("ledger_budget", "owner_id = 'org_other'", "subject = 'key_1'"),
    ("ledger_budget", "currency = 'CNY'", "subject = 'key_1'"),
    ("ledger_hold_budget", "period = '2027-02'", "request_id = 'req_open'"),
    ("ledger_hold_budget", "period = '2027-02'", "request_id = 'req_closed'"),
    ("ledger_hold_budget", "budget_id = 'bud_other'", "request_id = 'req_closed'"),
    ("ledger_hold_budget", "request_id = 'req_other'", "request_id = 'req_closed'"),
    ("ledger_hold", "budget_count = 0", "request_id = 'req_open'"),
    ("ledger_hold", "budget_count = 0", "request_id = 'req_closed'"),
    ("ledger_transaction", "kind = 'unfreeze'", "kind = 'freeze'"),
    ("ledger_transaction", "kind = 'grant'", "kind = 'promotion'"),
    ("ledger_transaction", "kind = 'refund_return'", "kind = 'reversal'"),
]
DELETED = [
    ("ledger_account", PROMOTION),
    ("ledger_account", STRIPE),
    ("ledger_lot_scope", "scope = 'mdl_1'"),
    ("ledger_terms", "account_id IS NULL"),
    ("ledger_terms", "account_id IS NOT NULL"),
    ("ledger_reversal", "reversed_number > 0"),
    ("ledger_transaction", "kind = 'freeze'"),
    ("ledger_budget_period", "period = '2027-01'"),
    ("ledger_hold_budget", "request_id = 'req_open'"),
    ("ledger_hold_budget", "request_id = 'req_closed'"),
    ("ledger_budget", "subject = 'key_1'"),
]
INSERTED = [
    "INSERT INTO ledger_lot_scope SELECT id, 'mdl_2' FROM ledger_account WHERE lot_id = 'package:1'",
    "INSERT INTO ledger_lot_scope SELECT id, 'mdl_2' FROM ledger_account WHERE kind = 'prepaid'",
    "INSERT INTO ledger_terms VALUES (1, 'org_1', NULL, NULL)",
    "INSERT INTO ledger_terms VALUES (99, 'org_1', NULL, NULL)",
    "INSERT INTO ledger_reversal VALUES (2, 1)",
    "INSERT INTO ledger_reversal VALUES (99, 1)",
    (
        "INSERT INTO ledger_account (id, owner_id, kind, currency, lot_id, floor_nanos, posted_nanos, held_nanos, "
        "created_at) VALUES ('act_x', 'org_1', 'package', 'USD', 'x', 0, 0, 0, '2026-01-01T00:00:00.000000Z')"
    ),
]


async def a_ledger_of_credit(settings: Settings) -> None:
    """Write an entry of every kind that moves credit or sets terms, and leave a hold on a lot open."""
    async with unit_of_work() as session:
        owner_id = await an_owner(session, balance_nanos=1_000)
        for reference in ("top_up:1", "top_up:2"):
            await service.top_up(
                session, owner_id=owner_id, currency=USD, amount_nanos=9, reference=reference, provider="stripe"
            )
    await give_promotion(owner_id, 10, expires_at=SOON)
    await sell(owner_id, 10, expires_at=LATER, scopes=["mdl_1"])
    await sell(owner_id, 30, expires_at=LATER, scopes=["mdl_3"], reference="package:2", token_count=10)
    async with unit_of_work() as session:
        await service.reverse(session, reversed_reference="top_up:2", reference="reversal:1")
        await service.refund(
            session, owner_id=owner_id, currency=USD, amount_nanos=5, reference="refund:1", provider="stripe"
        )
        await service.adjust(session, owner_id=owner_id, currency=USD, amount_nanos=-5, reference="adjustment:1")
        await service.set_credit_limit(session, owner_id=owner_id, currency=USD, limit_nanos=50, reference="limit:1")
    desk = a_desk(settings, epoch_id="epo_1")
    budget_id = await a_budget(owner_id, 100)
    do(desk, a_counted_hold(owner_id, 15, budget_id, request_id="req_open"))
    do(desk, a_counted_hold(owner_id, 15, budget_id, request_id="req_closed"))
    do(desk, a_close("req_closed", 9))
    desk.backend.close()
    async with unit_of_work() as session:
        await service.freeze_owner(session, owner_id=owner_id, reference="freeze:1")


@pytest.fixture
async def tampered_settings(sqlite_settings: Settings) -> Settings:
    """Settings of a ledger that nobody has open."""
    database = Database(sqlite_settings)
    use_database(database)
    await a_ledger_of_credit(sqlite_settings)
    use_database(None)
    await database.dispose()
    return sqlite_settings


class TestVerify:
    async def test_passes_when_nothing_was_changed(self, tampered_settings: Settings) -> None:
        report = await the_report_of(tampered_settings)
        assert (report.first_wrong_row, report.open_hold_count) == (None, 1)

    @pytest.mark.parametrize(("table", "change", "row"), TAMPERS)
    async def test_finds_a_changed_row(self, tampered_settings: Settings, table: str, change: str, row: str) -> None:
        tamper(tampered_settings, f"UPDATE {table} SET {change} WHERE {row}")
        assert (await the_report_of(tampered_settings)).first_wrong_row

    @pytest.mark.parametrize(("table", "row"), DELETED)
    async def test_finds_a_deleted_row(self, tampered_settings: Settings, table: str, row: str) -> None:
        tamper(tampered_settings, f"DELETE FROM {table} WHERE {row}")
        assert (await the_report_of(tampered_settings)).first_wrong_row

    @pytest.mark.parametrize("statement", INSERTED)
    async def test_finds_a_row_too_many(self, tampered_settings: Settings, statement: str) -> None:
        tamper(tampered_settings, statement)
        assert (await the_report_of(tampered_settings)).first_wrong_row
