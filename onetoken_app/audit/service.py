"""Writes the audit log. There is no way to change or remove a line, here or elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit.chain import FIRST_PREVIOUS_HASH, Fact, canonical_json, hash_of
from onetoken_app.audit.models import ActorKind, AuditEntry

_CHAIN_LOCK = 7_305_417_001
"""Advisory lock on PostgreSQL: whoever holds it adds the next row. On SQLite writers exclude each other anyway."""
_FACTS_CHARACTERS_MAX = 2000
_ACTION = re.compile(r"[a-z][a-z_]{2,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts."""

    kind: ActorKind
    id: str = ""
    """The person's id; empty for the operator and the system."""


OPERATOR = Actor(ActorKind.OPERATOR)
SYSTEM = Actor(ActorKind.SYSTEM)


async def record(
    session: AsyncSession,
    *,
    actor: Actor,
    action: str,
    subject_id: str,
    organization_id: str | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> None:
    """Add a line in the same transaction as the act itself.

    Args:
        session: Open unit of work; the caller commits.
        actor: Who acts.
        action: A constant such as ``api_key_minted``.
        subject_id: The thing acted upon; at most 64 characters.
        organization_id: Whose affair it is, if anybody's.
        facts: Ids, numbers and closed words; never a secret, never content. At most 2 000 characters as JSON.

    Raises:
        ValueError: The action is no constant, or a text is too long.
    """
    written = canonical_json(facts or {})
    if _ACTION.fullmatch(action) is None or len(subject_id) > 64 or len(written) > _FACTS_CHARACTERS_MAX:
        message = "an audit line has a constant for its action and short ids and facts"
        raise ValueError(message)
    number, previous_hash = await _head(session)
    recorded_at = clock.utc_now()
    session.add(
        AuditEntry(
            sequence_number=number + 1,
            recorded_at=recorded_at,
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            subject_id=subject_id,
            organization_id=organization_id,
            facts=written,
            previous_hash=previous_hash,
            hash=hash_of(
                sequence_number=number + 1,
                recorded_at=recorded_at,
                actor_kind=actor.kind,
                actor_id=actor.id,
                action=action,
                subject_id=subject_id,
                organization_id=organization_id,
                facts=written,
                previous_hash=previous_hash,
            ),
        )
    )
    await session.flush()


async def _head(session: AsyncSession) -> tuple[int, bytes]:
    """Lock the chain until the transaction ends, and return its last number and hash."""
    if session.get_bind().dialect.name == "postgresql":
        # Locking the last row would not do: whoever waited for it would go on with a row that is no longer the last.
        await (await session.connection()).execute(sa.select(sa.func.pg_advisory_xact_lock(_CHAIN_LOCK)))
    query = (
        select(AuditEntry.sequence_number, AuditEntry.hash).order_by(col(AuditEntry.sequence_number).desc()).limit(1)
    )
    return (await session.exec(query)).first() or (0, FIRST_PREVIOUS_HASH)
