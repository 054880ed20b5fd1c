"""Where refunds are taken to payment providers: told once, asked about until they have ended.

An edge, shared by console and jobs: a refund is taken in one unit of work, its provider is talked to outside of any,
and the answer is kept in another. Dying in between loses nothing: the refund is due again, its provider is asked, and
told again only when it does not know the refund, under the same id.
"""

from onetoken_app.database import unit_of_work
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.payments.payouts import Errand, note_answer, note_refused, take_due
from onetoken_app.payments.providers.protocol import PaymentClient, ProviderRefused, RefundState
from onetoken_app.payments.providers.registry import client_for
from onetoken_app.settings import Settings


async def send_next_refund(settings: Settings, *, refund_id: str | None = None) -> bool:
    """Take the refund that has been due for longest to its provider; return whether there was one.

    Args:
        settings: With the provider's secrets.
        refund_id: Only this one, if it is due.

    Raises:
        ProviderOff, ProviderSilent, ProviderRefused: Nothing was learned; the refund is due again later.
        BadSettings: The provider's keys cannot be read; it is due again later.
    """
    async with unit_of_work() as session:
        errand = await take_due(session, refund_id=refund_id)
    if errand is None:
        return False
    state = await _run(await client_for(settings, errand.provider), errand)
    async with unit_of_work() as session:
        if state is None:
            await note_refused(session, errand.order.refund_id, mail_room=mail_room(settings))
        else:
            await note_answer(session, errand.order.refund_id, state, mail_room=mail_room(settings))
    return True


async def _run(client: PaymentClient, errand: Errand) -> RefundState | None:
    """Tell the provider of a refund unless it knows; ``None``: it will not do it, and does not have it."""
    if errand.was_sent and (known := await client.ask_refund(errand.order)) is not RefundState.UNKNOWN:
        return known
    try:
        return await client.refund(errand.order)
    except ProviderRefused:
        # It may be refused because an earlier word of ours was heard after all; that is no failure.
        known = await client.ask_refund(errand.order)
        return None if known is RefundState.UNKNOWN else known
