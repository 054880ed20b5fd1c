"""Reads adjustments: what finance proposed and decided, and the words that statements say about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.money import Currency, Nanos
from onetoken_app.payments.models import Adjustment, AdjustmentReason, AdjustmentState

_REFERENCE = "adjustment:"
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AdjustmentView:
    """A balance that is or was to be put right."""

    id: str
    organization_id: str
    currency: Currency
    amount_nanos: Nanos
    """More than 0 gives, less than 0 takes."""
    reason: AdjustmentReason
    words: str
    evidence: str
    state: AdjustmentState
    revision: int
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


def ledger_reference(adjustment_id: str) -> str:
    """Return what the ledger knows an adjustment by."""
    return f"{_REFERENCE}{adjustment_id}"


async def adjustment_for_staff(session: AsyncSession, adjustment_id: str) -> AdjustmentView | None:
    """Return any adjustment."""
    row = await session.get(Adjustment, adjustment_id)
    return _view(row) if row else None


async def proposed_adjustments(session: AsyncSession) -> list[AdjustmentView]:
    """Return what waits to be decided, longest waiting first."""
    query = select(Adjustment).where(Adjustment.state == AdjustmentState.PROPOSED)
    return [_view(row) for row in await session.exec(query.order_by(col(Adjustment.proposed_at), Adjustment.id))]


async def decided_adjustments(session: AsyncSession, *, limit: int, before: str | None = None) -> list[AdjustmentView]:
    """Return what was made or dropped, the last first.

    Args:
        session: Open session.
        limit: At most so many.
        before: The id of an adjustment; what was decided before it. One that is unknown or open ends the list.
    """
    at, number = col(Adjustment.decided_at), col(Adjustment.id)
    query = select(Adjustment).where(Adjustment.state != AdjustmentState.PROPOSED)
    if before is not None:
        last = await session.get(Adjustment, before)
        if last is None or last.decided_at is None:
            return []
        query = query.where((at < last.decided_at) | ((at == last.decided_at) & (number < last.id)))
    return [_view(row) for row in await session.exec(query.order_by(at.desc(), number.desc()).limit(limit))]


async def words_of_adjustments(session: AsyncSession, references: Collection[str]) -> dict[str, str]:
    """Return what an organization reads about its adjustments, by the ledger's reference; others are left out."""
    ids = [one.removeprefix(_REFERENCE) for one in references if one.startswith(_REFERENCE)]
    words: dict[str, str] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = select(Adjustment).where(col(Adjustment.id).in_(ids[start : start + _IDS_AT_ONCE]))
        words |= {ledger_reference(row.id): row.words for row in await session.exec(query)}
    return words


def _view(row: Adjustment) -> AdjustmentView:
    """Copy an adjustment."""
    return AdjustmentView(**{name: getattr(row, name) for name in AdjustmentView.__slots__})
