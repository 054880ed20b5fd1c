"""How channels did, read from the rows of attempts: counts by class, and the last failures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.identifiers import Kind, first_id_at
from onetoken_app.usage.models import AttemptOutcome, UsageAttempt

FAILURES = (
    AttemptOutcome.UNREACHABLE,
    AttemptOutcome.TOO_SLOW,
    AttemptOutcome.BUSY,
    AttemptOutcome.REFUSED,
    AttemptOutcome.FAILED,
)
"""Classes that say something of a channel; callers who leave and servers that stop do not."""
_CALL_SECONDS_MAX = 3_600
"""An attempt begins at most so long after its request came, and ids are those of requests."""


@dataclass(frozen=True, slots=True)
class FailureView:
    """One attempt that failed."""

    request_id: str
    attempt_number: int
    channel_id: str
    upstream_model: str
    began_at: datetime
    duration_ms: int
    outcome: AttemptOutcome


async def attempts_by_channel(session: AsyncSession, *, since: datetime) -> Mapping[str, Mapping[AttemptOutcome, int]]:
    """Count the attempts that began from ``since`` on, by channel and by how they ended."""
    query = (
        sa.select(col(UsageAttempt.channel_id), col(UsageAttempt.outcome), sa.func.count())
        .where(*_began_since(since))
        .group_by(col(UsageAttempt.channel_id), col(UsageAttempt.outcome))
    )
    counts: dict[str, dict[AttemptOutcome, int]] = {}
    for channel_id, outcome, count in (await session.exec(query)).all():  # type: ignore[call-overload] # SQLModel types only its own select
        counts.setdefault(channel_id, {})[outcome] = int(count)
    return counts


async def last_failures(session: AsyncSession, *, since: datetime, count_max: int) -> list[FailureView]:
    """Return the latest attempts that failed from ``since`` on, newest first."""
    query = (
        sa.select(UsageAttempt)
        .where(*_began_since(since), col(UsageAttempt.outcome).in_(FAILURES))
        .order_by(col(UsageAttempt.began_at).desc(), col(UsageAttempt.request_id).desc())
        .limit(count_max)
    )
    rows = (await session.exec(query)).scalars().all()  # type: ignore[call-overload] # as above
    return [
        FailureView(
            request_id=row.request_id,
            attempt_number=row.attempt_number,
            channel_id=row.channel_id,
            upstream_model=row.upstream_model,
            began_at=row.began_at,
            duration_ms=row.duration_ms,
            outcome=row.outcome,
        )
        for row in rows
    ]


def _began_since(since: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Keep to one stretch of the primary key."""
    earliest = first_id_at(Kind.REQUEST, since - timedelta(seconds=_CALL_SECONDS_MAX))
    return col(UsageAttempt.request_id) >= earliest, col(UsageAttempt.began_at) >= since
