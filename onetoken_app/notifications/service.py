"""Puts mails into the outbox, hands them out to whoever delivers, and records what became of them."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.notifications.letters import Letter
from onetoken_app.notifications.models import DeliveryFailure, OutboxLetter
from onetoken_app.vault import CannotUnseal, seal, unseal

LEASE = timedelta(minutes=5)
"""Whoever took a letter has this long; after that somebody else may try, because the first one died."""
KEPT_FOR = timedelta(days=3)
"""A letter that could not be sent in this time is given up."""
_FIRST_DELAY_SECONDS = 15
_DELAY_SECONDS_MAX = 3600


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A mail in the hands of whoever delivers it."""

    id: str
    recipient: str
    created_at: datetime
    subject: str
    words: str = field(repr=False)


async def post_letter(session: AsyncSession, *, key_encryption_key: bytes, recipient: str, letter: Letter) -> str:
    """Put a mail into the outbox in the same transaction as what it tells of; return its id.

    Args:
        session: Open unit of work; the caller commits.
        key_encryption_key: Seals what it says.
        recipient: The address.
        letter: What it says.
    """
    letter_id = new_id(Kind.LETTER)
    now = clock.utc_now()
    plain = json.dumps({"subject": letter.subject, "words": letter.words}, ensure_ascii=False)
    session.add(
        OutboxLetter(
            id=letter_id,
            kind=letter.kind,
            recipient=recipient,
            sealed=seal(key_encryption_key, plain, bound_to=_place(letter_id)),
            created_at=now,
            due_at=now,
        )
    )
    await session.flush()
    return letter_id


async def take_due_letters(
    session: AsyncSession, *, key_encryption_key: bytes, now: datetime, count_max: int
) -> list[WaitingLetter]:
    """Take the letters that are due, oldest first, so that nobody else tries them for a while.

    One that does not open with this key is given up.
    """
    query = (
        select(OutboxLetter)
        .where(col(OutboxLetter.due_at) <= now)
        .order_by(col(OutboxLetter.due_at), col(OutboxLetter.id))
        .limit(count_max)
        .with_for_update(skip_locked=True)
    )
    taken = []
    for row in await session.exec(query):
        row.attempt_count += 1
        row.due_at = now + LEASE
        waiting = opened(row, key_encryption_key)
        if waiting is None:
            _give_up(row, DeliveryFailure.SEALED, now)
        else:
            taken.append(waiting)
    await session.flush()
    return taken


async def note_sent(session: AsyncSession, *, letter_id: str, now: datetime) -> None:
    """Record that the mail server took a letter, and forget what it said."""
    row = await session.get_one(OutboxLetter, letter_id)
    row.sent_at, row.due_at, row.sealed = now, None, None
    await session.flush()


async def note_failure(session: AsyncSession, *, letter_id: str, failure: DeliveryFailure, now: datetime) -> None:
    """Record why a letter was not taken, and try again after a growing delay, or give it up."""
    row = await session.get_one(OutboxLetter, letter_id)
    if failure is DeliveryFailure.REJECTED or now - row.created_at >= KEPT_FOR:
        _give_up(row, failure, now)
    else:
        row.last_failure = failure
        row.due_at = now + timedelta(seconds=retry_delay_seconds(row.attempt_count))
    await session.flush()


async def purge_letters(session: AsyncSession, *, ended_before: datetime, count_max: int) -> int:
    """Remove letters that were sent or given up before a moment, at most ``count_max``; return how many."""
    ended = (
        select(OutboxLetter.id)
        .where(sa.or_(col(OutboxLetter.sent_at) < ended_before, col(OutboxLetter.given_up_at) < ended_before))
        .limit(count_max)
    )
    result = await session.exec(delete(OutboxLetter).where(col(OutboxLetter.id).in_(ended)))
    return result.rowcount


def retry_delay_seconds(attempt_count: int) -> int:
    """Return how long to wait after so many attempts: 15 seconds at first, doubled each time, an hour at most."""
    return min(_FIRST_DELAY_SECONDS << min(max(attempt_count - 1, 0), 10), _DELAY_SECONDS_MAX)


def opened(row: OutboxLetter, key_encryption_key: bytes) -> WaitingLetter | None:
    """Unseal what a letter says; ``None``: it does not open with this key, or says nothing any more."""
    if row.sealed is None:
        return None
    try:
        plain = json.loads(unseal(key_encryption_key, row.sealed, bound_to=_place(row.id)))
    except CannotUnseal:
        return None
    return WaitingLetter(
        id=row.id,
        recipient=row.recipient,
        created_at=row.created_at,
        subject=plain["subject"],
        words=plain["words"],
    )


def _give_up(row: OutboxLetter, failure: DeliveryFailure, now: datetime) -> None:
    """Try a letter no more, and forget what it said."""
    row.last_failure, row.given_up_at, row.due_at, row.sealed = failure, now, None, None


def _place(letter_id: str) -> str:
    """Name the place that a sealed letter is bound to."""
    return f"notifications_letter:{letter_id}:sealed"
