"""Recomputes the books: the ledger's own invariants, the calls behind its charges, their sums, and the audit chain."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit.verification import verify_audit
from onetoken_app.database import read_session
from onetoken_app.ledger import verification
from onetoken_app.ledger.models import Correction, Hold, HoldClose
from onetoken_app.usage import rollups
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.purges import purged_before

_ARRIVAL_TO_HOLD_MAX = timedelta(hours=1)
"""A record tells when a call arrived, a hold when it was placed: more than enough for a slow body and another clock."""


@dataclass(frozen=True, slots=True)
class BooksReport:
    """What ``onetoken ledger verify`` says."""

    ok: bool
    settled: int
    voided: int
    recovered: int
    open_holds: int
    first_wrong_row: str | None
    """Table and row, such as ``ledger_transaction 17``; unset when all is right."""

    def in_words(self) -> str:
        """Say it to a person."""
        verdict = "the books are right" if self.ok else f"WRONG at {self.first_wrong_row}"
        counts = f"{self.settled} settled, {self.voided} voided, {self.recovered} recovered, {self.open_holds} open"
        return f"{verdict}: {counts}"


async def verify_books() -> BooksReport:
    """Verify everything from the one snapshot that the ledger begins, so that a relay may go on meanwhile."""
    async with read_session() as session:
        ledger = await verification.verify(session)
        wrong = ledger.first_wrong_row
        if wrong is None:
            wrong = await _first_call_that_differs(session)
        if wrong is None:
            wrong = await rollups.first_difference(session)
        if wrong is None:
            audit = await verify_audit(session)
            wrong = None if audit.is_ok else f"audit_entry {audit.first_wrong_row}"
    return BooksReport(
        ok=ledger.is_ok and wrong is None,
        settled=ledger.settled_count,
        voided=ledger.voided_count,
        recovered=ledger.recovered_count,
        open_holds=ledger.open_hold_count,
        first_wrong_row=wrong,
    )


async def _first_call_that_differs(session: AsyncSession) -> str | None:
    """Find a close without its record of the call, a record without a close, or two charges that differ.

    A corrected close counts with its correction. A record may be missing when the audit log says that records of its
    time were purged.
    """
    is_missing: sa.ColumnElement[bool] = col(UsageRecord.request_id).is_(None)
    horizon = await purged_before(session)
    if horizon is not None:
        is_missing = sa.and_(is_missing, col(Hold.placed_at) >= horizon + _ARRIVAL_TO_HOLD_MAX)
    charged = col(HoldClose.amount_nanos) + sa.func.coalesce(col(Correction.amount_nanos), 0)
    source = sa.func.coalesce(col(Correction.usage_source), col(HoldClose.usage_source))
    differing = (
        select(HoldClose.request_id)
        .join(Hold, col(Hold.request_id) == col(HoldClose.request_id))
        .outerjoin(Correction, col(Correction.request_id) == col(HoldClose.request_id))
        .outerjoin(UsageRecord, col(UsageRecord.request_id) == col(HoldClose.request_id))
        .where(sa.or_(is_missing, col(UsageRecord.charge_nanos) != charged, col(UsageRecord.usage_source) != source))
        .order_by(col(HoldClose.transaction_number))
        .limit(1)
    )
    request_id = (await session.exec(differing)).first()
    if request_id is None:
        orphan = (
            select(UsageRecord.request_id)
            .outerjoin(HoldClose, col(HoldClose.request_id) == col(UsageRecord.request_id))
            .where(col(HoldClose.request_id).is_(None))
            .order_by(col(UsageRecord.requested_at))
            .limit(1)
        )
        request_id = (await session.exec(orphan)).first()
    return f"usage_record {request_id}" if request_id else None
