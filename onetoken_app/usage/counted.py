"""What calls of a period came to, as rows to be added up: roll-ups, and what the journal says behind them.

One statement reads both, so that it sees one moment: a call is counted once, whether it is rolled up yet or not. The
charge is the journal's and exact at every moment. The counts of a corrected call follow when the correction is rolled
up, seconds later.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.ledger.models import Correction, Hold, HoldClose
from onetoken_app.usage.models import UsageRecord, UsageRollup, UsageRollupCursor
from onetoken_app.usage.periods import Period
from onetoken_app.usage.rollup_sql import AMOUNTS, COUNTERS

_NAMES = ("model_id", "model_name", "api_key_id", "project_id", "channel_id")


def counted(*, organization_id: str | None, period: Period) -> sa.Subquery:
    """Return a table of ``moment``, names, ``currency``, ``cost_currency`` and ``AMOUNTS``, to be grouped and added up.

    Args:
        organization_id: Whose calls; ``None``: everybody's, for the staff.
        period: Of the closes; it begins and ends with a quarter of an hour, as days and months do everywhere.
    """
    rolled_up = sa.select(
        col(UsageRollup.organization_id).label("organization_id"),
        col(UsageRollup.quarter_at).label("moment"),
        *(getattr(UsageRollup, name).label(name) for name in (*_NAMES, "currency", "cost_currency", *AMOUNTS)),
    ).where(col(UsageRollup.quarter_at) >= period.since, col(UsageRollup.quarter_at) < period.until)
    parts = [rolled_up, _closes(period), _corrections(period)]
    if organization_id is not None:
        parts = [part.where(part.selected_columns.organization_id == organization_id) for part in parts]
    return sa.union_all(*parts).subquery("counted")


async def read_rows(session: AsyncSession, query: sa.Executable) -> Sequence[Any]:
    """Run a statement of several columns; ``session.exec`` knows the types of SQLModel's own select only."""
    return list((await session.exec(query)).all())  # type: ignore[call-overload] # as the docstring says


def _closes(period: Period) -> sa.Select[Any]:
    """Select the closes that are not rolled up yet."""
    has_error = sa.case((sa.func.coalesce(col(UsageRecord.error_code), "") != "", 1), else_=0)
    amounts: dict[str, Any] = {
        "call_count": sa.literal(1),
        "error_count": has_error,
        **{counter: sa.func.coalesce(getattr(UsageRecord, counter), 0) for counter in COUNTERS},
        "charge_nanos": col(HoldClose.amount_nanos),
        "absorbed_nanos": col(HoldClose.absorbed_nanos),
        "cost_nanos": sa.func.coalesce(col(UsageRecord.cost_nanos), 0),
    }
    return _tail(HoldClose, col(HoldClose.closed_at), amounts, period)


def _corrections(period: Period) -> sa.Select[Any]:
    """Select the corrections that are not rolled up yet: their money, and no call."""
    amounts: dict[str, Any] = {
        **dict.fromkeys(AMOUNTS, sa.literal(0)),
        "charge_nanos": col(Correction.amount_nanos),
        "absorbed_nanos": col(Correction.absorbed_nanos),
    }
    return _tail(Correction, col(Correction.corrected_at), amounts, period)


def _tail(
    entry: type[HoldClose | Correction],
    moment: Any,
    amounts: dict[str, Any],
    period: Period,
) -> sa.Select[Any]:
    """Select what the journal says behind the roll-ups."""
    cursor = sa.select(col(UsageRollupCursor.transaction_number)).scalar_subquery()
    kept_before = sa.select(col(UsageRollupCursor.kept_before)).scalar_subquery()
    return (
        sa.select(
            col(Hold.owner_id).label("organization_id"),
            moment.label("moment"),
            *(sa.func.coalesce(getattr(UsageRecord, name), "").label(name) for name in _NAMES),
            col(Hold.currency).label("currency"),
            sa.func.coalesce(sa.cast(col(UsageRecord.cost_currency), sa.String), "").label("cost_currency"),
            *(amounts[name].label(name) for name in AMOUNTS),
        )
        .select_from(entry)
        .join(Hold, col(Hold.request_id) == col(entry.request_id))
        .outerjoin(UsageRecord, col(UsageRecord.request_id) == col(entry.request_id))
        .where(
            col(entry.transaction_number) > sa.func.coalesce(cursor, 0),
            moment >= period.since,
            moment < period.until,
            sa.or_(kept_before.is_(None), moment >= kept_before),
        )
    )
