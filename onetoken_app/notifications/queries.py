"""Reads the outbox: how many mails wait, since when, and why."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.notifications.models import DeliveryFailure, OutboxLetter
from onetoken_app.notifications.service import WaitingLetter, opened


@dataclass(frozen=True, slots=True)
class OutboxView:
    """How the outbox is."""

    waiting_count: int
    oldest_waiting_at: datetime | None
    last_failure: DeliveryFailure | None
    """Of the oldest one that waits."""


async def has_due_letters(session: AsyncSession, *, now: datetime) -> bool:
    """Whether a letter waits to be tried now."""
    return (
        await session.exec(select(OutboxLetter.id).where(col(OutboxLetter.due_at) <= now).limit(1))
    ).first() is not None


async def waiting_letters(session: AsyncSession, *, key_encryption_key: bytes) -> list[WaitingLetter]:
    """Return what waits to be sent, oldest first; what does not open with this key is left out."""
    query = select(OutboxLetter).where(col(OutboxLetter.due_at).is_not(None)).order_by(OutboxLetter.id)
    letters = [opened(row, key_encryption_key) for row in await session.exec(query)]
    return [letter for letter in letters if letter is not None]


async def outbox(session: AsyncSession) -> OutboxView:
    """Say how the outbox is."""
    waits = col(OutboxLetter.due_at).is_not(None)
    count = await session.scalar(sa.select(sa.func.count()).select_from(OutboxLetter).where(waits))
    oldest = (await session.exec(select(OutboxLetter).where(waits).order_by(col(OutboxLetter.id)).limit(1))).first()
    return OutboxView(
        waiting_count=count or 0,
        oldest_waiting_at=oldest.created_at if oldest else None,
        last_failure=oldest.last_failure if oldest else None,
    )
