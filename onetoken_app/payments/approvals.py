"""What finance does with a reported transfer: approves it, which credits it once, or refuses it.

Who ordered or reported, and members of the organization, do neither. Above a limit, see ``alone.py``, a second person
has to approve the very same. The ledger credits by the order's id: whatever runs twice, the balance grows once. An
order keeps the bank's entry in one spelling, so that it pays for one order however it is typed; approvals keep what
was typed.
"""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.errors import NotFound
from onetoken_app.money import Nanos, format_amount
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.queries import members_of
from onetoken_app.payments.alone import PEOPLE_MAX, Decision, decide_alone
from onetoken_app.payments.alone_models import AloneKind
from onetoken_app.payments.bank_entries import checked_bank_entry, one_spelling
from onetoken_app.payments.crediting import credit, tell
from onetoken_app.payments.errors import AmountDiffers, ApproverInvolved, BankEntryDiffers, BankEntryUsed, OrderChanged
from onetoken_app.payments.models import OrderState, TopUpOrder, TransferApproval, TransferRefusal
from onetoken_app.payments.orders import audit_order
from onetoken_app.payments.words import checked_words


async def approve_transfer(
    session: AsyncSession,
    *,
    order_id: str,
    approved_by: str,
    expected_revision: int,
    received_nanos: Nanos,
    bank_entry: str,
    second_person_above_nanos: Nanos,
    mail_room: MailRoom,
) -> bool:
    """Confirm that a transfer arrived; the last approval that is needed credits it.

    Args:
        session: Open unit of work; the caller commits.
        order_id: Which order.
        approved_by: Who of finance; has the role, as the edge checked.
        expected_revision: Of the order that was on the screen.
        received_nanos: What arrived; has to be what was ordered.
        bank_entry: The entry of the bank statement; 1 to 64 characters. No entry pays for two orders, whatever letters,
            spaces and dashes it is typed with.
        second_person_above_nanos: Above it, with all that they decided alone within a day, two approvals are needed.
        mail_room: Writes to the organization once it is credited.

    Returns:
        True: it is credited. False: a second person has to approve it too.

    Raises:
        AmountDiffers: Another amount arrived; refuse the transfer, and a new order takes its place.
        ApproverInvolved: They ordered, reported, belong to the organization, or approved it before.
        BadRequest: The entry cannot be used.
        BankEntryDiffers: A colleague approved it with another entry.
        BankEntryUsed: The entry paid for another order.
        NotFound: There is no such order.
        OrderChanged: The order was changed since, or nothing is reported.
    """
    bank_entry = checked_bank_entry(bank_entry)
    order = await _reported_order(session, order_id, approved_by, expected_revision)
    if received_nanos != order.amount_nanos:
        raise AmountDiffers("What arrived is not what was ordered; nothing was credited. Refuse the transfer.")
    approvals_count = await _approve_once(session, order, approved_by, bank_entry)
    decision = Decision(approved_by, AloneKind.TRANSFER, order.id, order.currency, order.amount_nanos)
    is_last = approvals_count >= PEOPLE_MAX or await decide_alone(
        session, decision, above_nanos=second_person_above_nanos
    )
    # The audit log is locked before the ledger, as everywhere, so that nobody waits in a circle.
    await audit_order(
        session, order, action="transfer_approved", actor_id=approved_by,
        facts={"amount": format_amount(order.amount_nanos), "currency": order.currency.value, "is_last": is_last},
    )  # fmt: skip
    if is_last:
        await credit(session, order)
        await tell(session, order, mail_room)
    return is_last


async def refuse_transfer(
    session: AsyncSession,
    *,
    order_id: str,
    refused_by: str,
    expected_revision: int,
    reason: TransferRefusal,
    words: str,
    mail_room: MailRoom,
) -> None:
    """Say that a reported transfer cannot be credited; the customer may report it again.

    Raises:
        ApproverInvolved: They ordered, reported, or belong to the organization.
        BadRequest: The words cannot be used, or the reason needs some.
        NotFound: There is no such order.
        OrderChanged: The order was changed since, or nothing is reported.
    """
    words = checked_words(words, are_required=reason is TransferRefusal.OTHER)
    order = await _reported_order(session, order_id, refused_by, expected_revision)
    order.state, order.refusal, order.words, order.bank_entry = OrderState.REFUSED, reason, words, None
    order.revision += 1
    await session.flush()
    await audit_order(
        session, order, action="transfer_refused", actor_id=refused_by, facts={"reason": reason.value}
    )  # fmt: skip
    await tell(session, order, mail_room)


async def _reported_order(session: AsyncSession, order_id: str, person_id: str, expected_revision: int) -> TopUpOrder:
    """Lock a reported order for somebody who has no part in it."""
    order = await session.get(TopUpOrder, order_id, with_for_update=True, populate_existing=True)
    if order is None:
        raise NotFound("There is no such order.")
    if order.revision != expected_revision:
        raise OrderChanged("Somebody changed this order since you opened it; nothing was done. Look at it again.")
    if order.state is not OrderState.REPORTED:
        raise OrderChanged("No transfer waits for approval here; nothing was done.")
    members = {member.person_id for member in await members_of(session, order.organization_id)}
    if person_id in members | {order.ordered_by, order.reported_by}:
        raise ApproverInvolved("You ordered, reported, or belong to this organization; a colleague has to decide.")
    return order


async def _approve_once(session: AsyncSession, order: TopUpOrder, approved_by: str, bank_entry: str) -> int:
    """Add one person's approval of the report that is on the table; return how many it has now."""
    query = select(TransferApproval.person_id).where(
        TransferApproval.order_id == order.id, TransferApproval.report_number == order.report_number
    )
    earlier = list(await session.exec(query))
    if approved_by in earlier:
        raise ApproverInvolved("You approved this transfer already; a colleague has to approve it too.")
    await _take_bank_entry(session, order, bank_entry)
    order.revision += 1
    session.add(
        TransferApproval(
            order_id=order.id,
            report_number=order.report_number,
            person_id=approved_by,
            received_nanos=order.amount_nanos,
            bank_entry=bank_entry,
            approved_at=clock.utc_now(),
        )
    )
    await session.flush()
    return len(earlier) + 1


async def _take_bank_entry(session: AsyncSession, order: TopUpOrder, typed: str) -> None:
    """Tie an entry of the bank statement to an order.

    Refuses one that stands for another order; of two at the same moment the column's uniqueness lets one in.
    """
    bank_entry = one_spelling(typed)
    if order.bank_entry not in {None, bank_entry}:
        raise BankEntryDiffers("Your colleague named another entry of the bank statement; nothing was done.")
    query = select(TopUpOrder.id).where(TopUpOrder.bank_entry == bank_entry, col(TopUpOrder.id) != order.id)
    if (await session.exec(query)).first() is not None:
        raise BankEntryUsed("This entry of the bank statement stands for another order; nothing was credited.")
    order.bank_entry = bank_entry
