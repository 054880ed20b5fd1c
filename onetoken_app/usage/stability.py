"""How well models answered, over all organizations: shares and durations, nothing of anybody's calls.

What a caller caused (refusals, hang-ups: status 4xx) says nothing about a model and is not counted.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.usage.models import UsageRecord

CALLS_MIN = 10
"""Fewer calls are no measurement, and would tell about single ones."""
_PERCENTILES = (50, 95)


@dataclass(frozen=True, slots=True)
class StabilityView:
    """One model in one period."""

    model_id: str
    answered_permille: int
    """Whole answers in a thousand calls, rounded down; 0–1000."""
    first_byte_ms_median: int | None
    first_byte_ms_p95: int | None
    """95 of 100 answers began within this time."""


async def stability_of_models(session: AsyncSession, *, since: datetime, until: datetime) -> list[StabilityView]:
    """Return the models with at least ``CALLS_MIN`` calls that count, by id.

    Reads every call of the period; callers keep the result for a while.

    Args:
        session: Any session.
        since: Calls from this moment on.
        until: Calls before this moment.
    """
    period = (col(UsageRecord.requested_at) >= since, col(UsageRecord.requested_at) < until)
    is_answered = sa.and_(col(UsageRecord.response_status) < 400, col(UsageRecord.error_code) == "")
    counts = (
        sa.select(
            col(UsageRecord.model_id),
            sa.func.count().label("call_count"),
            sa.func.sum(sa.case((is_answered, 1), else_=0)).label("answered_count"),
        )
        .where(*period, sa.not_(col(UsageRecord.response_status).between(400, 499)))
        .group_by(col(UsageRecord.model_id))
        .having(sa.func.count() >= CALLS_MIN)
        .order_by(col(UsageRecord.model_id))
    )
    rows = (await session.exec(counts)).all()  # type: ignore[call-overload] # SQLModel types only its own select
    first_bytes = await _first_bytes(session, [*period, is_answered])
    return [
        StabilityView(
            model_id=row.model_id,
            answered_permille=int(row.answered_count) * 1000 // row.call_count,
            first_byte_ms_median=first_bytes.get((row.model_id, 50)),
            first_byte_ms_p95=first_bytes.get((row.model_id, 95)),
        )
        for row in rows
    ]


async def _first_bytes(session: AsyncSession, conditions: list[sa.ColumnElement[bool]]) -> dict[tuple[str, int], int]:
    """Return the percentiles of the time to the first byte; the two databases share ranks, not percentiles."""
    by_model = col(UsageRecord.model_id)
    ranked = (
        sa.select(
            by_model,
            col(UsageRecord.first_byte_ms),
            sa.func.row_number().over(partition_by=by_model, order_by=col(UsageRecord.first_byte_ms)).label("place"),
            sa.func.count().over(partition_by=by_model).label("answer_count"),
        )
        .where(*conditions, col(UsageRecord.first_byte_ms).is_not(None))
        .subquery()
    )
    found: dict[tuple[str, int], int] = {}
    for percentile in _PERCENTILES:
        place = (ranked.c.answer_count * percentile + 99) // 100
        query = sa.select(ranked.c.model_id, ranked.c.first_byte_ms).where(ranked.c.place == place)
        for row in (await session.exec(query)).all():  # type: ignore[call-overload] # as above
            found[row.model_id, percentile] = row.first_byte_ms
    return found
