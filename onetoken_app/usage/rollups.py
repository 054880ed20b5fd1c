"""Roll-ups: sums of calls by the quarter of an hour in which they closed, made by following the journal.

The journal's numbers have no gaps and are committed in order, so the last number that was rolled up says exactly what
is in the sums; both move in one commit. A correction counts at the moment it was recorded, as a reversal of what its
call had been taken for and a count of what it was. Nothing here is asked by the ledger's writer.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.database import UtcDateTime
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.models import Correction, Hold, HoldClose, HoldProgress, Transaction
from onetoken_app.money import Nanos
from onetoken_app.usage import rollup_sql
from onetoken_app.usage.counted import read_rows
from onetoken_app.usage.models import UsageRecord, UsageRollup, UsageRollupCursor
from onetoken_app.usage.purges import purged_before
from onetoken_app.usage.recording import UsageDraft, decode_draft

QUARTER = timedelta(minutes=15)
NOTHING_KEPT_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)
"""What ``kept_before`` counts as when it is unset: before every call."""
_ARRIVAL_TO_CLOSE_MAX = timedelta(hours=1)
"""Calls that arrived before a purge's moment had closed by this much later, but for those of an outage."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the journal."""

    after: int
    until: int
    """The last transaction of it."""
    kept_before: datetime


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a call was taken for, or turned out to be."""

    model_id: str = ""
    model_name: str = ""
    api_key_id: str = ""
    project_id: str = ""
    channel_id: str = ""
    has_error: bool = False
    cost_currency: str = ""
    """Empty: what it costs is not known."""
    cost_nanos: Nanos = 0
    counts: tuple[int, ...] = (0,) * len(rollup_sql.COUNTERS)


async def roll_up(session: AsyncSession, *, transactions_max: int) -> int:
    """Add what the journal says next; return how many of its transactions that were.

    Args:
        session: Open unit of work; the caller commits. Another one that rolls up waits for that.
        transactions_max: How many at most: on SQLite the ledger's writer waits meanwhile.

    Returns:
        Fewer than ``transactions_max``: the roll-ups are up to date.
    """
    cursor = await _locked_cursor(session)
    after = cursor.transaction_number
    head = (await session.exec(select(sa.func.max(Transaction.sequence_number)))).one() or 0
    until = min(head, after + transactions_max)
    if until <= after:
        return 0
    part = _Part(after, until, cursor.kept_before or NOTHING_KEPT_BEFORE)
    await _execute(session, rollup_sql.add_closes(is_sqlite=_is_sqlite(session)), asdict(part))
    contributions = [*await _recovered(session, part), *await _corrected(session, part)]
    if contributions:
        await _execute(session, rollup_sql.add_one(), contributions)
    cursor.transaction_number = until
    return until - after


async def begin_rebuild(session: AsyncSession) -> datetime | None:
    """Forget the roll-ups that can be made anew; ``roll_up`` makes them again from the journal's beginning.

    Rows of quarters whose records were purged stay as they are, because nothing else knows their counts any more.
    Meanwhile every reader still gets whole sums, from records, only slower.

    Returns:
        The moment before which they stay; ``None``: none had to.
    """
    cursor = await _locked_cursor(session)
    horizon = await purged_before(session)
    cursor.kept_before = None if horizon is None else _quarter(horizon + _ARRIVAL_TO_CLOSE_MAX)
    cursor.transaction_number = 0
    forgotten = delete(UsageRollup)
    if cursor.kept_before is not None:
        forgotten = forgotten.where(col(UsageRollup.quarter_at) >= cursor.kept_before)
    await session.exec(forgotten)
    return cursor.kept_before


async def first_difference(session: AsyncSession) -> str | None:
    """Compare the roll-ups with the journal, by organization and quarter; name the first place where they differ.

    Args:
        session: A session that sees one snapshot, such as the one that ``ledger.verification.verify`` has begun.
    """
    cursor = (await session.exec(select(UsageRollupCursor))).first() or UsageRollupCursor()
    statement = rollup_sql.first_difference(is_sqlite=_is_sqlite(session))
    values = {"after": cursor.transaction_number, "kept_before": cursor.kept_before or NOTHING_KEPT_BEFORE}
    for row in (await _execute(session, statement, values)).mappings():
        return f"usage_rollup of {row['owner_id']} at {row['quarter_at']}"
    return None


async def _locked_cursor(session: AsyncSession) -> UsageRollupCursor:
    """Read how far the roll-ups are, and keep others from moving it."""
    cursor = (await session.exec(select(UsageRollupCursor).with_for_update())).first()
    if cursor is None:
        cursor = UsageRollupCursor()
        session.add(cursor)
    return cursor


async def _recovered(session: AsyncSession, part: _Part) -> list[dict[str, Any]]:
    """Say what recovered closes add: what the ledger knew when it recovered them, whatever came to light since."""
    number = col(HoldClose.transaction_number)
    query = (
        sa.select(HoldClose, Hold, HoldProgress)
        .join(Hold, col(Hold.request_id) == col(HoldClose.request_id))
        .outerjoin(HoldProgress, col(HoldProgress.request_id) == col(HoldClose.request_id))
        .where(
            number > part.after,
            number <= part.until,
            col(HoldClose.closed_at) >= part.kept_before,
            col(HoldClose.outcome) == Outcome.RECOVERED,
        )
    )
    return [
        _contribution(
            hold, close.closed_at, _taken_for(hold, close, progress),
            charge_nanos=close.amount_nanos, absorbed_nanos=close.absorbed_nanos,
        )
        for close, hold, progress in await read_rows(session, query)
    ]  # fmt: skip


async def _corrected(session: AsyncSession, part: _Part) -> list[dict[str, Any]]:
    """Say what corrections add: what the call was, less what it had been taken for."""
    number = col(Correction.transaction_number)
    query = (
        sa.select(Correction, HoldClose, Hold, HoldProgress, UsageRecord)
        .join(HoldClose, col(HoldClose.request_id) == col(Correction.request_id))
        .join(Hold, col(Hold.request_id) == col(Correction.request_id))
        .outerjoin(HoldProgress, col(HoldProgress.request_id) == col(Correction.request_id))
        .outerjoin(UsageRecord, col(UsageRecord.request_id) == col(Correction.request_id))
        .where(number > part.after, number <= part.until, col(Correction.corrected_at) >= part.kept_before)
    )
    contributions = []
    for correction, close, hold, progress, record in await read_rows(session, query):
        before = _taken_for(hold, close, progress)
        truth = before if record is None else _seen(record, has_error=bool(record.error_code))
        moment = correction.corrected_at
        contributions.append(
            _contribution(
                hold, moment, before,
                sign=-1, charge_nanos=-close.amount_nanos, absorbed_nanos=-close.absorbed_nanos,
            )
        )  # fmt: skip
        contributions.append(
            _contribution(
                hold, moment, truth,
                charge_nanos=close.amount_nanos + correction.amount_nanos,
                absorbed_nanos=close.absorbed_nanos + correction.absorbed_nanos,
            )
        )  # fmt: skip
    return contributions


def _taken_for(hold: Hold, close: HoldClose, progress: HoldProgress | None) -> _Seen:
    """Say what recovery took a call for: its last durable progress, as ``relay.recovery`` wrote it down."""
    try:
        draft = decode_draft(progress.context if progress else hold.context)
    except (ValueError, msgspec.MsgspecError):  # recovery could not read it either, and closed the hold at nothing
        return _Seen(has_error=True)
    is_at_nothing = progress is not None and progress.amount_nanos > 0 == close.amount_nanos + close.absorbed_nanos
    return _Seen(has_error=True) if is_at_nothing else _seen(draft, has_error=True)


def _seen(told: UsageDraft | UsageRecord, *, has_error: bool) -> _Seen:
    """Take over what a record, or the draft of one, tells."""
    return _Seen(
        model_id=told.model_id,
        model_name=told.model_name,
        api_key_id=told.api_key_id,
        project_id=told.project_id,
        channel_id=told.channel_id,
        has_error=has_error,
        cost_currency=told.cost_currency.value if told.cost_currency else "",
        cost_nanos=told.cost_nanos or 0,
        counts=tuple(getattr(told, counter) for counter in rollup_sql.COUNTERS),
    )


def _contribution(
    hold: Hold, moment: datetime, seen: _Seen, *, charge_nanos: Nanos, absorbed_nanos: Nanos, sign: int = 1
) -> dict[str, Any]:
    """Make the parameters of ``rollup_sql.add_one``; ``sign`` is −1 for what is taken out."""
    counts = {name: sign * count for name, count in zip(rollup_sql.COUNTERS, seen.counts, strict=True)}
    return {
        "organization_id": hold.owner_id,
        "quarter_at": _quarter(moment),
        "model_id": seen.model_id,
        "api_key_id": seen.api_key_id,
        "project_id": seen.project_id,
        "channel_id": seen.channel_id,
        "currency": hold.currency.value,
        "cost_currency": seen.cost_currency,
        "model_name": seen.model_name,
        "call_count": sign,
        "error_count": sign * seen.has_error,
        **counts,
        "charge_nanos": charge_nanos,
        "absorbed_nanos": absorbed_nanos,
        "cost_nanos": sign * seen.cost_nanos,
    }


def _quarter(moment: datetime) -> datetime:
    """Return when a moment's quarter of an hour began."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _is_sqlite(session: AsyncSession) -> bool:
    """Whether the session speaks with the embedded database."""
    return session.get_bind().dialect.name == "sqlite"


async def _execute(
    session: AsyncSession, statement: str, values: dict[str, Any] | list[dict[str, Any]]
) -> sa.CursorResult[Any]:
    """Run a statement of ``rollup_sql``."""
    moments = [
        sa.bindparam(name, type_=UtcDateTime()) for name in ("kept_before", "quarter_at") if f":{name}" in statement
    ]
    return await (await session.connection()).execute(sa.text(statement).bindparams(*moments), values)
