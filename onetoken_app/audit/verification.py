"""Recomputes the audit chain and names the first row that is wrong."""

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit.chain import FIRST_PREVIOUS_HASH, hash_of
from onetoken_app.audit.models import AuditEntry

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the chain at some moment; kept elsewhere, it shows that the end was cut off since."""

    sequence_number: int
    hash_hex: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a verification found."""

    is_ok: bool
    entry_count: int
    head: AuditHead
    """The last row that is right; number 0 when there is none."""
    first_wrong_row: int | None
    """The number of the first row that was changed, moved or is missing."""


async def verify_audit(session: AsyncSession, *, known_head: AuditHead | None = None) -> AuditReport:
    """Walk the whole chain.

    Args:
        session: Any session.
        known_head: A head noted earlier; without it, rows cut off at the end cannot be missed.
    """
    number, previous_hash = 0, FIRST_PREVIOUS_HASH
    wrong: int | None = None
    while wrong is None:
        rows = await _rows_after(session, number, limit=_ROWS_AT_ONCE)
        if rows is None:
            wrong = number + 1
            break
        for row in rows:
            if row.sequence_number != number + 1 or not _is_right(row, previous_hash):
                wrong = number + 1
                break
            number, previous_hash = row.sequence_number, row.hash
            if known_head and number == known_head.sequence_number and previous_hash.hex() != known_head.hash_hex:
                wrong = number
                break
        if not rows:
            break
    if wrong is None and known_head is not None and number < known_head.sequence_number:
        wrong = number + 1
    head = AuditHead(sequence_number=number, hash_hex=previous_hash.hex())
    return AuditReport(is_ok=wrong is None, entry_count=number, head=head, first_wrong_row=wrong)


async def _rows_after(session: AsyncSession, number: int, *, limit: int) -> list[AuditEntry] | None:
    """Read the next rows; ``None`` when the very next one holds what no row of ours can, such as an unknown actor."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.sequence_number > number)
        .order_by(col(AuditEntry.sequence_number))
        .limit(limit)
    )
    session.expunge_all()
    try:
        return list((await session.exec(query)).all())
    except (ValueError, LookupError):
        return None if limit == 1 else await _rows_after(session, number, limit=1)


def _is_right(row: AuditEntry, previous_hash: bytes) -> bool:
    """Whether a row carries the hash of the one before it, and its own."""
    return row.previous_hash == previous_hash and row.hash == hash_of(
        sequence_number=row.sequence_number,
        recorded_at=row.recorded_at,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        action=row.action,
        subject_id=row.subject_id,
        organization_id=row.organization_id,
        facts=row.facts,
        previous_hash=row.previous_hash,
    )
