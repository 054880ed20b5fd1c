"""The record of a call whose hold was voided because the ledger's answer was lost."""

from datetime import UTC, datetime

from sqlmodel import select

from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.ledger.operations import PlaceHold
from onetoken_app.money import Currency
from onetoken_app.relay.recovery import record_of_void
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.recording import UsageDraft, encode_draft


class TestRecordOfVoid:
    async def test_says_that_nothing_was_sent_on_or_charged(self, database: Database) -> None:
        draft = UsageDraft(
            request_id="req_1",
            requested_at=datetime(2026, 11, 23, tzinfo=UTC),
            organization_id="org_1",
            api_key_id="key_1",
            interface_path="/v1/chat/completions",
            is_streaming=True,
            model_id="mdl_1",
            model_name="mock",
            price_version_id=1,
            currency=Currency.USD,
        )
        hold = PlaceHold("req_1", "org_1", Currency.USD, 5, encode_draft(draft))
        (statement,) = record_of_void(hold, is_sqlite=database.is_sqlite)
        async with unit_of_work() as session:
            connection = await session.connection()
            await connection.exec_driver_sql(statement.sql, tuple(statement.parameters))
        async with read_session() as session:
            record = (await session.exec(select(UsageRecord))).one()
        assert (record.charge_nanos, record.usage_source) == (0, UsageSource.NONE)
        assert (record.response_status, record.error_code) == (503, "ledger_unavailable")
