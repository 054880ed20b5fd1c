"""Deletes claims that count no more."""

from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.ledger.models import Claim


async def purge_claims(session: AsyncSession, *, claimed_before: datetime, count_max: int) -> int:
    """Delete claims that count no more; return how many that were. The caller commits."""
    oldest = select(Claim.digest).where(Claim.claimed_at < claimed_before).order_by(col(Claim.claimed_at))
    digests = (await session.exec(oldest.limit(count_max))).all()
    # By age once more: meanwhile another request may have taken one over.
    await session.exec(delete(Claim).where(col(Claim.digest).in_(digests), col(Claim.claimed_at) < claimed_before))
    return len(digests)
