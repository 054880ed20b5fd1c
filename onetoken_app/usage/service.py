"""Removes the records of calls and their attempts whose retention is over; the audit log says so in the same commit.

A record that is missing would otherwise look like one that somebody took away: ``onetoken ledger verify`` asks for the
record of every close, except of calls before the moment that the log names.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit import service as audit
from onetoken_app.clock import iso_instant
from onetoken_app.ledger.models import Correction, HoldClose
from onetoken_app.usage.models import UsageAttempt, UsageRecord, UsageRollupCursor
from onetoken_app.usage.purges import PURGED, REQUESTED_BEFORE, purged_before


async def purge_records(session: AsyncSession, *, requested_before: datetime, count_max: int) -> int:
    """Remove the oldest records of calls before a moment, and the rows of their attempts.

    Args:
        session: Open unit of work; the caller commits.
        requested_before: Records of this moment and later stay. One line of the audit log is written for each new
            moment, so take whole days.
        count_max: How many at most: on SQLite the ledger's writer waits meanwhile.

    Returns:
        How many were removed; fewer than ``count_max``: none is left that may go now. What is not rolled up stays.
    """
    rolled_up_until = sa.func.coalesce(sa.select(col(UsageRollupCursor.transaction_number)).scalar_subquery(), 0)
    query = (
        select(UsageRecord.request_id)
        .outerjoin(HoldClose, col(HoldClose.request_id) == col(UsageRecord.request_id))
        .outerjoin(Correction, col(Correction.request_id) == col(UsageRecord.request_id))
        .where(
            UsageRecord.requested_at < requested_before,
            sa.func.coalesce(col(HoldClose.transaction_number), 0) <= rolled_up_until,
            sa.func.coalesce(col(Correction.transaction_number), 0) <= rolled_up_until,
        )
        .order_by(col(UsageRecord.requested_at))
        .limit(count_max)
    )
    oldest = (await session.exec(query)).all()
    if not oldest:
        return 0
    announced = await purged_before(session)
    if announced is None or announced < requested_before:
        await audit.record(
            session,
            actor=audit.SYSTEM,
            action=PURGED,
            subject_id=UsageRecord.__tablename__,
            facts={REQUESTED_BEFORE: iso_instant(requested_before)},
        )
    await session.exec(delete(UsageAttempt).where(col(UsageAttempt.request_id).in_(oldest)))
    await session.exec(delete(UsageRecord).where(col(UsageRecord.request_id).in_(oldest)))
    return len(oldest)
