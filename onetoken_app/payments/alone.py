"""What one person of finance decides alone: everything counts together, so that no limit is walked around in steps.

Whatever moves money or lends it, and asks for a second person above a limit, asks here, and nowhere else. What counts
is all that somebody decided alone in a currency within the last 24 hours: docs/decisions/0031.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.money import Currency, Nanos
from onetoken_app.payments.alone_models import AloneKind, DecidedAlone

COUNTED_TOGETHER = timedelta(hours=24)
"""Looking back from the moment of the decision; no zone's midnight begins anew."""
PEOPLE_MAX = 2
"""So many decide together what nobody may alone."""
_LOCK = 730_541_709
"""First half of PostgreSQL's advisory locks of what people decide alone; the second is made from the person's id."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that somebody wants to decide without a colleague."""

    person_id: str
    kind: AloneKind
    subject_id: str
    """Which grant, order, refund or adjustment; counted once."""
    currency: Currency
    amount_nanos: Nanos
    """At least 0: what is given and what is taken count alike."""


async def decide_alone(session: AsyncSession, decision: Decision, *, above_nanos: Nanos) -> bool:
    """Count a decision if its person may make it alone; return whether they may. Nothing is counted otherwise.

    Two decisions of one person wait for each other from here to the commit, so that the second counts the first. Taken
    before the locks of the audit log and the ledger.

    Args:
        session: Open unit of work; the caller commits.
        decision: What and whose.
        above_nanos: The limit of its kind; the decision and all that counts with it stay within it.
    """
    await _wait_turn(session, decision.person_id)
    before_nanos = await decided_alone(session, person_id=decision.person_id, currency=decision.currency)
    if before_nanos + decision.amount_nanos > above_nanos:
        return False
    session.add(
        DecidedAlone(
            kind=decision.kind,
            subject_id=decision.subject_id,
            person_id=decision.person_id,
            currency=decision.currency,
            amount_nanos=decision.amount_nanos,
            decided_at=clock.utc_now(),
        )
    )
    await session.flush()
    return True


async def decided_alone(session: AsyncSession, *, person_id: str, currency: Currency) -> Nanos:
    """Return all that somebody decided alone in a currency within the last 24 hours."""
    query = select(func.sum(DecidedAlone.amount_nanos)).where(
        DecidedAlone.person_id == person_id,
        DecidedAlone.currency == currency,
        col(DecidedAlone.decided_at) > clock.utc_now() - COUNTED_TOGETHER,
    )
    return int((await session.exec(query)).one() or 0)


async def left_alone(session: AsyncSession, *, person_id: str, above_nanos: Nanos) -> dict[Currency, Nanos]:
    """Return up to which amount somebody may decide alone now, in each currency; below 0: nothing at all."""
    return {
        currency: above_nanos - await decided_alone(session, person_id=person_id, currency=currency)
        for currency in Currency
    }


async def _wait_turn(session: AsyncSession, person_id: str) -> None:
    """Have what a person decides to this transaction until it ends; on SQLite a unit of work is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        second = sa.func.hashtext(person_id)
        await (await session.connection()).execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, second)))
