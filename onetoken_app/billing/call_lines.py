"""What an organization's calls of a period came to by model, key and project, from the roll-ups."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.billing.figures import ChargeLine
from onetoken_app.ledger.models import Transaction
from onetoken_app.money import Currency
from onetoken_app.usage.charges import StatementLineView, statement_lines
from onetoken_app.usage.periods import Period

CLOCKS_DIFFER_MAX = timedelta(hours=1)
"""How far a row's moment may lie behind that of a row before it."""


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
    """Return what calls were charged whose close, or correction, was recorded in a period.

    They come from the roll-ups, and from the journal where those have not come to it yet: the same lines whether a
    call is rolled up or not, at a cost that does not grow with the calls.

    Args:
        session: Any session; a statement reads in the snapshot in which it reads the ledger.
        organization_id: Whose calls.
        currency: Of the charges.
        period: Of the closes and corrections, of whole quarters of an hour; a correction counts as no call.
    """
    lines = await statement_lines(session, organization_id=organization_id, period=period)
    return [_line(line) for line in lines if line.currency is currency]


def _line(line: StatementLineView) -> ChargeLine:
    """Copy a line; a close without a record, which only a void can have, is of nobody."""
    return ChargeLine(
        model_id=line.model_id,
        model_name=line.model_name,
        api_key_id=line.api_key_id,
        api_key_name=line.api_key_name,
        project_id=line.project_id,
        project_name=line.project_name,
        call_count=line.total.call_count,
        amount_nanos=line.total.charge_nanos,
    )


async def _rows(session: AsyncSession, query: sa.Executable) -> Sequence[Any]:
    """Run a query of several columns; ``session.exec`` knows the types of SQLModel's own select only."""
    found: Sequence[Any] = (await (await session.connection()).execute(query)).all()
    return found
