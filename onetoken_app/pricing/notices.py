"""Tells organizations by mail that their prices change, and from when on; the console says which."""

from datetime import UTC

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.notifications.letters import Letter
from onetoken_app.notifications.price_letters import prices_change
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members
from onetoken_app.pricing.models import PriceNotice

CONSOLE_PATH = "/models"


async def notices_waiting(session: AsyncSession, *, count_max: int) -> list[int]:
    """Return the numbers of notices that nobody was told of yet, the oldest first."""
    query = select(PriceNotice.id).order_by(col(PriceNotice.id)).limit(count_max)
    return [number for number in await session.exec(query) if number is not None]


async def tell_of_prices(session: AsyncSession, notice_id: int, *, mail_room: MailRoom) -> None:
    """Write to those in charge of an organization's money, and take the notice away; once, whoever is faster.

    Args:
        session: Open unit of work; the caller commits.
        notice_id: Which notice.
        mail_room: Writes the mails.
    """
    notice = await session.get(PriceNotice, notice_id, with_for_update=True)
    if notice is None:
        return
    moment, is_dearer = f"{notice.effective_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", notice.is_dearer

    def letter(locale: str, organization_name: str) -> Letter:
        return prices_change(
            locale,
            organization_name=organization_name,
            moment=moment,
            is_dearer=is_dearer,
            address=f"{mail_room.console_url}{CONSOLE_PATH}",
        )

    await write_to_members(
        session,
        mail_room=mail_room,
        organization_id=notice.organization_id,
        roles=IN_CHARGE_OF_MONEY,
        letter=letter,
    )
    await session.delete(notice)
    await session.flush()
