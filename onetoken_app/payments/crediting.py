"""Gives an order's balance what arrived, once, and tells those in charge of its money."""

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.ledger import service as ledger
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members
from onetoken_app.payments.models import OrderState, TopUpOrder

CONSOLE_PATH = "/top-up"
"""Where the console shows an organization its orders."""


async def credit(session: AsyncSession, order: TopUpOrder) -> None:
    """Give the balance the order's amount, out of its provider's clearing account.

    The ledger knows it by the order's id, so that it is given once.

    Args:
        session: Open unit of work that has the order's row to itself; the audit log was written before. The caller
            commits.
        order: Of any state; it is credited afterwards.
    """
    await ledger.open_account(session, owner_id=order.organization_id, currency=order.currency)
    await ledger.top_up(
        session,
        owner_id=order.organization_id,
        currency=order.currency,
        amount_nanos=order.amount_nanos,
        reference=f"top_up:{order.id}",
        provider="" if order.provider.is_by_hand else order.provider.value,
    )
    order.state, order.credited_at = OrderState.CREDITED, clock.utc_now()
    order.refusal, order.words, order.ask_at = None, "", None
    await session.flush()


async def tell(session: AsyncSession, order: TopUpOrder, mail_room: MailRoom) -> None:
    """Post a mail to those in charge of money; it says that there is news, and the console says what."""

    def letter(locale: str, organization_name: str) -> Letter:
        address = f"{mail_room.console_url}{CONSOLE_PATH}"
        return letters.payment_news(locale, organization_name=organization_name, address=address)

    await write_to_members(
        session, mail_room=mail_room, organization_id=order.organization_id, roles=IN_CHARGE_OF_MONEY, letter=letter
    )
