"""What can be done about a refund by people: it is asked for, approved, refused; a bank transfer is confirmed.

Whoever asked, ordered, or belongs to the organization decides nothing. Above a limit, see ``alone.py``, a second
person has to approve it too. The last approval takes the money from the balance in its own transaction, so that it
cannot be spent while it is on its way; a payout that fails gives it back, once.
"""

import re

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.errors import InsufficientFunds
from onetoken_app.money import Nanos
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.queries import members_of
from onetoken_app.payments.alone import PEOPLE_MAX, Decision, decide_alone
from onetoken_app.payments.alone_models import AloneKind
from onetoken_app.payments.amounts import cents_of
from onetoken_app.payments.bank_entries import checked_bank_entry, one_spelling
from onetoken_app.payments.errors import (
    AmountRefused,
    ApproverInvolved,
    BankEntryUsed,
    FormReused,
    RefundChanged,
    RefundTooMuch,
)
from onetoken_app.payments.models import (
    OrderState,
    Refund,
    RefundApproval,
    RefundFailure,
    RefundRefusal,
    RefundStage,
    TopUpOrder,
)
from onetoken_app.payments.payouts import (
    audit_refund,
    clearing_of,
    end_confirmed,
    end_failed,
    ledger_reference,
    locked_refund,
    tell_finance,
    tell_organization,
)
from onetoken_app.payments.refundable import refundable_of, refuse_while_blocked
from onetoken_app.payments.words import checked_words

_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


async def ask_for_refund(
    session: AsyncSession,
    *,
    order_id: str,
    organization_id: str | None,
    amount_nanos: Nanos,
    submission_id: str,
    words: str,
    asked_by: str,
    not_invoiced_nanos: Nanos,
    mail_room: MailRoom,
) -> str:
    """Ask for a part of a credited order back, and return the refund's id; the same form again returns the first.

    Args:
        session: Open unit of work; the caller commits.
        order_id: Which order; the money goes back to whoever paid it, the way that it came.
        organization_id: Whose order it has to be; ``None``: finance asks, for any.
        amount_nanos: Whole cents, more than 0.
        submission_id: Made once per form; 8 to 64 letters, digits, ``-`` or ``_``.
        words: Why; at most 1000 characters.
        asked_by: Who asks; approves nothing of it.
        not_invoiced_nanos: From ``billing.invoiceable.not_invoiced``, in this unit of work.
        mail_room: Writes to finance.

    Raises:
        AmountRefused, BadRequest, FormReused: The form cannot be used.
        NotFound: There is no such order.
        RefundBlocked: Nothing is refunded to this organization now.
        RefundChanged: The order is not credited.
        RefundTooMuch: So much cannot be refunded of it.
    """
    words = checked_words(words)
    order = await session.get(TopUpOrder, order_id, with_for_update=True, populate_existing=True)
    if order is None or organization_id not in {None, order.organization_id}:
        raise NotFound("There is no such order.")
    if first_id := await _refund_of_form(session, order, submission_id, amount_nanos):
        return first_id
    if order.state is not OrderState.CREDITED:
        raise RefundChanged("This order is not credited; there is nothing to refund.")
    await refuse_while_blocked(session, order.organization_id)
    await _refuse_too_much(session, order, amount_nanos, not_invoiced_nanos=not_invoiced_nanos)
    refund = Refund(
        id=new_id(Kind.REFUND),
        order_id=order.id,
        organization_id=order.organization_id,
        submission_id=submission_id,
        provider=order.provider,
        currency=order.currency,
        amount_nanos=amount_nanos,
        asked_by=asked_by,
        asked_at=clock.utc_now(),
        asked_words=words,
    )
    session.add(refund)
    await session.flush()
    await audit_refund(session, refund, action="refund_asked", actor_id=asked_by)
    await tell_finance(session, order, mail_room)
    return refund.id


async def approve_refund(
    session: AsyncSession,
    *,
    refund_id: str,
    approved_by: str,
    expected_revision: int,
    not_invoiced_nanos: Nanos,
    second_person_above_nanos: Nanos,
    mail_room: MailRoom,
) -> bool:
    """Approve a refund; the last approval that is needed takes the money from the balance and has it paid out.

    Args:
        session: Open unit of work; the caller commits. A refusal leaves the refund and its approvals as they were.
        refund_id: Which refund.
        approved_by: Who of finance; has the role, as the edge checked.
        expected_revision: Of the refund that was on the screen.
        not_invoiced_nanos: From ``billing.invoiceable.not_invoiced``, in this unit of work.
        second_person_above_nanos: Above it, with all that they decided alone within a day, two approvals are needed.
        mail_room: Writes to the organization once it is on its way.

    Returns:
        True: the money is held for the payout. False: a second person has to approve it too.

    Raises:
        ApproverInvolved: They asked, ordered, belong to the organization, or approved it before.
        NotFound: There is no such refund.
        RefundBlocked: Nothing is refunded to this organization now.
        RefundChanged: The refund was changed since, or does not wait for approval.
        RefundTooMuch: The balance was spent, or the payment invoiced, meanwhile.
    """
    order, refund = await _to_decide(session, refund_id, approved_by, expected_revision, RefundStage.REQUESTED)
    await refuse_while_blocked(session, order.organization_id)
    await _refuse_too_much(
        session, order, refund.amount_nanos, not_invoiced_nanos=not_invoiced_nanos, beside=refund.id
    )  # fmt: skip
    approvals_count = await _approve_once(session, refund, approved_by)
    decision = Decision(approved_by, AloneKind.REFUND, refund.id, refund.currency, refund.amount_nanos)
    is_last = approvals_count >= PEOPLE_MAX or await decide_alone(
        session, decision, above_nanos=second_person_above_nanos
    )
    if is_last:
        refund.stage, refund.held_at = RefundStage.HELD, clock.utc_now()
        refund.due_at = None if refund.provider.is_by_hand else refund.held_at
    await session.flush()
    # The audit log is locked before the ledger, as everywhere, so that nobody waits in a circle.
    await audit_refund(
        session, refund, action="refund_approved", actor_id=approved_by, facts={"is_last": is_last}
    )  # fmt: skip
    if is_last:
        await _hold(session, refund)
        await tell_organization(session, refund, mail_room)
    return is_last


async def refuse_refund(
    session: AsyncSession,
    *,
    refund_id: str,
    refused_by: str,
    expected_revision: int,
    reason: RefundRefusal,
    words: str,
    mail_room: MailRoom,
) -> None:
    """Say that nothing is refunded; the balance was never touched.

    Raises:
        ApproverInvolved: They asked, ordered, or belong to the organization.
        BadRequest: The words cannot be used, or the reason needs some.
        NotFound: There is no such refund.
        RefundChanged: The refund was changed since, or does not wait for approval.
    """
    words = checked_words(words, are_required=reason is RefundRefusal.OTHER)
    _order, refund = await _to_decide(session, refund_id, refused_by, expected_revision, RefundStage.REQUESTED)
    refund.stage, refund.refusal, refund.words = RefundStage.REFUSED, reason, words
    refund.ended_at = clock.utc_now()
    refund.revision += 1
    await session.flush()
    await audit_refund(
        session, refund, action="refund_refused", actor_id=refused_by, facts={"reason": reason.value}
    )  # fmt: skip
    await tell_organization(session, refund, mail_room)


async def withdraw_refund(session: AsyncSession, *, organization_id: str, refund_id: str, withdrawn_by: str) -> None:
    """Take a refund back that nobody has decided on; doing it again changes nothing.

    Raises:
        NotFound: The organization has no such refund.
        RefundChanged: Somebody of finance approved or refused it.
    """
    _order, refund = await locked_refund(session, refund_id)
    if refund.organization_id != organization_id:
        raise NotFound("There is no such refund.")
    if refund.stage is RefundStage.WITHDRAWN:
        return
    approved = select(RefundApproval.person_id).where(RefundApproval.refund_id == refund.id)
    if refund.stage is not RefundStage.REQUESTED or (await session.exec(approved)).first() is not None:
        raise RefundChanged("Finance has decided on this refund already; nothing was changed.")
    refund.stage, refund.ended_at = RefundStage.WITHDRAWN, clock.utc_now()
    refund.revision += 1
    await session.flush()
    await audit_refund(session, refund, action="refund_withdrawn", actor_id=withdrawn_by)


async def confirm_transfer_back(
    session: AsyncSession,
    *,
    refund_id: str,
    confirmed_by: str,
    expected_revision: int,
    bank_entry: str,
    mail_room: MailRoom,
) -> None:
    """Say that finance transferred an approved refund by hand.

    Args:
        session: Open unit of work; the caller commits.
        refund_id: Which refund, of an order that was paid by bank transfer.
        confirmed_by: Who of finance.
        expected_revision: Of the refund that was on the screen.
        bank_entry: The entry of the bank statement; no entry pays two refunds, however it is typed.
        mail_room: Writes to the organization.

    Raises:
        ApproverInvolved: They asked, ordered, or belong to the organization.
        BadRequest: The entry cannot be used.
        BankEntryUsed: It stands for another refund.
        NotFound: There is no such refund.
        RefundChanged: The refund was changed since, or is not waiting to be transferred by hand.
    """
    spelled = one_spelling(checked_bank_entry(bank_entry))
    refund = await _by_hand(session, refund_id, confirmed_by, expected_revision)
    query = select(Refund.id).where(Refund.bank_entry == spelled)
    if (await session.exec(query)).first() is not None:
        raise BankEntryUsed("This entry of the bank statement stands for another refund; nothing was done.")
    refund.bank_entry = spelled
    await end_confirmed(session, refund, actor_id=confirmed_by, mail_room=mail_room)


async def give_up_transfer_back(
    session: AsyncSession,
    *,
    refund_id: str,
    given_up_by: str,
    expected_revision: int,
    words: str,
    mail_room: MailRoom,
) -> None:
    """Say that an approved refund could not be transferred by hand; the balance gets it back, once.

    Raises:
        ApproverInvolved: They asked, ordered, or belong to the organization.
        BadRequest: There are no words, or they cannot be used.
        NotFound: There is no such refund.
        RefundChanged: The refund was changed since, or is not waiting to be transferred by hand.
    """
    words = checked_words(words, are_required=True)
    refund = await _by_hand(session, refund_id, given_up_by, expected_revision)
    refund.words = words
    await end_failed(session, refund, RefundFailure.BANK_RETURNED, actor_id=given_up_by, mail_room=mail_room)


async def _refund_of_form(
    session: AsyncSession, order: TopUpOrder, submission_id: str, amount_nanos: Nanos
) -> str | None:
    """Find the refund that a form asked for before, of the same amount; refuse a form that cannot be used."""
    if _SUBMISSION_ID.fullmatch(submission_id) is None:
        raise BadRequest("The form is incomplete; nothing was requested. Load the page again.", parameter="submission")
    if type(amount_nanos) is not int or amount_nanos <= 0:  # a bool or a float that slipped through is no amount
        raise AmountRefused("A refund is of more than nothing.", parameter="amount")
    cents_of(amount_nanos)
    query = select(Refund).where(Refund.order_id == order.id, Refund.submission_id == submission_id)
    first = (await session.exec(query)).first()
    if first is not None and first.amount_nanos != amount_nanos:
        raise FormReused("This form was sent before with another amount; nothing new was requested.")
    return first.id if first else None


async def _to_decide(
    session: AsyncSession, refund_id: str, person_id: str, expected_revision: int, stage: RefundStage
) -> tuple[TopUpOrder, Refund]:
    """Lock a refund at a stage, and its order, for somebody who has no part in it."""
    order, refund = await locked_refund(session, refund_id)
    if refund.revision != expected_revision:
        raise RefundChanged("Somebody changed this refund since you opened it; nothing was done. Look at it again.")
    if refund.stage is not stage:
        raise RefundChanged("This refund does not wait for that any more; nothing was done. Look at it again.")
    members = {member.person_id for member in await members_of(session, refund.organization_id)}
    if person_id in members | {refund.asked_by, order.ordered_by}:
        raise ApproverInvolved("You asked, ordered, or belong to this organization; a colleague has to decide.")
    return order, refund


async def _by_hand(session: AsyncSession, refund_id: str, person_id: str, expected_revision: int) -> Refund:
    """Lock a refund that finance transfers."""
    _order, refund = await _to_decide(session, refund_id, person_id, expected_revision, RefundStage.HELD)
    if not refund.provider.is_by_hand:
        raise RefundChanged("The payment provider pays this refund out and says how it went; nothing was done.")
    return refund


async def _approve_once(session: AsyncSession, refund: Refund, approved_by: str) -> int:
    """Add one person's approval; return how many there are now."""
    query = select(RefundApproval.person_id).where(RefundApproval.refund_id == refund.id)
    earlier = list(await session.exec(query))
    if approved_by in earlier:
        raise ApproverInvolved("You approved this refund already; a colleague has to approve it too.")
    refund.revision += 1
    session.add(
        RefundApproval(
            refund_id=refund.id,
            person_id=approved_by,
            amount_nanos=refund.amount_nanos,
            approved_at=clock.utc_now(),
        )
    )
    await session.flush()
    return len(earlier) + 1


async def _refuse_too_much(
    session: AsyncSession, order: TopUpOrder, amount_nanos: Nanos, *, not_invoiced_nanos: Nanos, beside: str = ""
) -> None:
    """Refuse what is used, invoiced, or refunded already."""
    left = await refundable_of(session, order, not_invoiced_nanos=not_invoiced_nanos, beside=beside)
    if amount_nanos > left.amount_nanos:
        raise _too_much(left.amount_nanos)


async def _hold(session: AsyncSession, refund: Refund) -> None:
    """Take the money from the balance; the ledger has the last word on whether it is there."""
    try:
        await ledger.refund(
            session,
            owner_id=refund.organization_id,
            currency=refund.currency,
            amount_nanos=refund.amount_nanos,
            reference=ledger_reference(refund),
            provider=clearing_of(refund),
        )
    except InsufficientFunds as error:
        raise _too_much(0) from error


def _too_much(refundable_nanos: Nanos) -> RefundTooMuch:
    """Say how much it may be."""
    return RefundTooMuch(
        "So much of this order cannot be refunded: what was used, invoiced, or refunded before stays. Nothing was "
        "done; ask for less, or have the invoice reversed first.",
        metadata={"refundable_nanos": refundable_nanos},
    )
