"""Drafts of call records for tests that say only what matters, and the way they reach the table."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from onetoken_app.database import current_database, unit_of_work
from onetoken_app.money import Currency
from onetoken_app.usage.recording import UsageDraft, insert_statement

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ORGANIZATION = "org_1"
_numbers = count(1)


def a_draft(**values: Any) -> UsageDraft:
    """Make a draft of a plain call at noon."""
    plain = UsageDraft(
        request_id=f"req_{next(_numbers):06d}",
        requested_at=NOON,
        organization_id=ORGANIZATION,
        api_key_id="key_1",
        interface_path="/v1/chat/completions",
        is_streaming=False,
        model_id="mdl_1",
        model_name="mock",
        price_version_id=1,
        currency=Currency.USD,
    )
    return replace(plain, **values)


async def insert(*drafts: UsageDraft) -> None:
    """Insert drafts the way the ledger's writer does: in the driver's own SQL."""
    is_sqlite = current_database().is_sqlite
    async with unit_of_work() as session:
        connection = await session.connection()
        for draft in drafts:
            statement = insert_statement(draft, is_sqlite=is_sqlite)
            await connection.exec_driver_sql(statement.sql, tuple(statement.parameters))
