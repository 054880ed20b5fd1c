"""What an organization's calls of a period came to by model, key and project, from the journal's closes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.billing.figures import ChargeLine
from onetoken_app.keys.models import ApiKey, Project
from onetoken_app.ledger.models import Correction, Hold, HoldClose, Transaction
from onetoken_app.money import Currency
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.periods import Period

CLOCKS_DIFFER_MAX = timedelta(hours=1)
"""How far a row's moment may lie behind that of a row before it."""
_PLACE = (col(UsageRecord.model_id), col(UsageRecord.api_key_id), col(UsageRecord.project_id))


async def first_number_at(session: AsyncSession, moment: datetime) -> int:
    """Return a number of the journal before which every row is older than a moment; behind the last one if all are.

    By halving: moments grow with numbers, but for clocks that differ a little.
    """
    moment -= CLOCKS_DIFFER_MAX
    head = (await _rows(session, sa.select(sa.func.max(col(Transaction.sequence_number)))))[0][0] or 0
    low, high = 1, int(head) + 1
    while low < high:
        middle = (low + high) // 2
        query = sa.select(col(Transaction.recorded_at)).where(col(Transaction.sequence_number) == middle)
        found = await _rows(session, query)
        low, high = (low, middle) if found[0][0] >= moment else (middle + 1, high)
    return low


async def call_lines(
    session: AsyncSession, *, organization_id: str, currency: Currency, period: Period
) -> list[ChargeLine]:
    """Add up what calls were charged whose close, or correction, was recorded in a period.

    Args:
        session: Any session; a statement reads in the snapshot in which it reads the ledger.
        organization_id: Whose calls.
        currency: Of the charges.
        period: Of the closes and corrections; a correction counts as no call.
    """
    first = await first_number_at(session, period.since)
    sums: dict[tuple[str, str, str], ChargeLine] = {}
    for entry, moment, calls in (
        (HoldClose, col(HoldClose.closed_at), sa.func.count()),
        (Correction, col(Correction.corrected_at), sa.literal(0)),
    ):
        totals = (
            sa.select(
                *_PLACE,
                sa.func.max(col(UsageRecord.model_name)).label("model_name"),
                calls.label("calls"),
                sa.func.sum(col(entry.amount_nanos)).label("amount"),
            )
            .select_from(entry)
            .join(Hold, col(Hold.request_id) == col(entry.request_id))
            .outerjoin(UsageRecord, col(UsageRecord.request_id) == col(entry.request_id))
            .where(
                col(entry.transaction_number) >= first,
                moment >= period.since,
                moment < period.until,
                col(Hold.owner_id) == organization_id,
                col(Hold.currency) == currency,
            )
            .group_by(*_PLACE)
            .subquery("totals")
        )
        query = (
            sa.select(totals, col(ApiKey.name).label("api_key_name"), col(Project.name).label("project_name"))
            .join_from(totals, ApiKey, col(ApiKey.id) == totals.c.api_key_id, isouter=True)
            .join(Project, col(Project.id) == totals.c.project_id, isouter=True)
        )
        for row in await _rows(session, query):
            line = _line(row)
            place = (line.model_id, line.api_key_id, line.project_id)
            known = sums.get(place)
            sums[place] = line if known is None else _sum(known, line)
    return list(sums.values())


def _line(row: Any) -> ChargeLine:
    """Read a line; a close without a record, which only a void can have, is of nobody."""
    return ChargeLine(
        model_id=row.model_id or "",
        model_name=row.model_name or "",
        api_key_id=row.api_key_id or "",
        api_key_name=row.api_key_name or "",
        project_id=row.project_id or "",
        project_name=row.project_name or "",
        call_count=int(row.calls),
        amount_nanos=int(row.amount),
    )


def _sum(first: ChargeLine, second: ChargeLine) -> ChargeLine:
    """Add two lines of the same place up."""
    return ChargeLine(
        model_id=first.model_id,
        model_name=first.model_name,
        api_key_id=first.api_key_id,
        api_key_name=first.api_key_name,
        project_id=first.project_id,
        project_name=first.project_name,
        call_count=first.call_count + second.call_count,
        amount_nanos=first.amount_nanos + second.amount_nanos,
    )


async def _rows(session: AsyncSession, query: sa.Executable) -> Sequence[Any]:
    """Run a query of several columns; ``session.exec`` knows the types of SQLModel's own select only."""
    found: Sequence[Any] = (await (await session.connection()).execute(query)).all()
    return found
