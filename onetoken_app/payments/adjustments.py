"""Puts a balance right by hand: somebody of finance proposes it, and it is made, by a colleague above a limit.

What one person decides alone counts together, see ``alone.py``.
Members of the organization do none of it. The ledger knows an adjustment by its id, so that it is made once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.identity.models import StaffRole
from onetoken_app.ledger import service as ledger
from onetoken_app.money import Currency, Nanos, format_amount
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members, write_to_staff
from onetoken_app.organizations.queries import members_of, organization
from onetoken_app.payments.adjustment_queries import ledger_reference
from onetoken_app.payments.alone import Decision, decide_alone
from onetoken_app.payments.alone_models import AloneKind
from onetoken_app.payments.amounts import AMOUNT_NANOS_MAX
from onetoken_app.payments.errors import AdjustmentChanged, AmountRefused, ApproverInvolved, FormReused
from onetoken_app.payments.models import Adjustment, AdjustmentReason, AdjustmentState
from onetoken_app.payments.words import checked_words

CONSOLE_PATH = "/statements"
"""Where mails send the organization's people."""
STAFF_CONSOLE_PATH = "/staff/adjustments"
"""Where mails send finance."""
_SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AdjustmentForm:
    """What somebody wants to put right."""

    organization_id: str
    currency: Currency
    amount_nanos: Nanos
    """More than 0 gives, less than 0 takes."""
    reason: AdjustmentReason
    words: str
    """Why, as the organization reads it on its statement; one line of at most 200 characters."""
    evidence: str
    """What shows it, such as the number of a ticket or of a bank's letter; for finance and auditors."""
    submission_id: str
    """Made once per form; 8 to 64 letters, digits, ``-`` or ``_``."""


async def propose_adjustment(
    session: AsyncSession, *, form: AdjustmentForm, proposed_by: str, mail_room: MailRoom
) -> str:
    """Propose to put a balance right, which moves nothing yet; return its id. The same form again returns the first.

    Args:
        session: Open unit of work; the caller commits.
        form: What is wanted.
        proposed_by: Who of finance; has the role, as the edge checked.
        mail_room: Writes to finance.

    Raises:
        AmountRefused, BadRequest, FormReused: The form cannot be used.
        ApproverInvolved: They belong to the organization.
        NotFound: There is no such organization.
    """
    words, evidence = _checked_line(form.words), checked_words(form.evidence, are_required=True)
    if type(form.amount_nanos) is not int or not 0 < abs(form.amount_nanos) <= AMOUNT_NANOS_MAX:
        raise AmountRefused("An adjustment is of more than 0 and at most 10 000 000 units.", parameter="amount")
    if _SUBMISSION_ID.fullmatch(form.submission_id) is None:
        raise BadRequest("The form is incomplete; nothing was proposed. Load it again.", parameter="submission_id")
    customer = await organization(session, form.organization_id)
    if customer is None:
        raise NotFound("There is no such organization.")
    await _refuse_members(session, customer.id, proposed_by)
    query = select(Adjustment).where(
        Adjustment.proposed_by == proposed_by, Adjustment.submission_id == form.submission_id
    )
    if first := (await session.exec(query)).first():
        said = (customer.id, form.currency, form.amount_nanos, form.reason, words, evidence)
        if said != (
            first.organization_id, first.currency, first.amount_nanos, first.reason, first.words, first.evidence,
        ):  # fmt: skip
            raise FormReused("This form was sent before for something else; nothing new was proposed.")
        return first.id
    adjustment = Adjustment(
        id=new_id(Kind.ADJUSTMENT),
        organization_id=customer.id,
        submission_id=form.submission_id,
        currency=form.currency,
        amount_nanos=form.amount_nanos,
        reason=form.reason,
        words=words,
        evidence=evidence,
        proposed_by=proposed_by,
        proposed_at=clock.utc_now(),
    )
    session.add(adjustment)
    await session.flush()
    await _audit(session, adjustment, action="adjustment_proposed", actor_id=proposed_by)

    def letter(locale: str) -> Letter:
        address = f"{mail_room.console_url}{STAFF_CONSOLE_PATH}"
        return letters.adjustment_waits(locale, organization_name=customer.name, address=address)

    await write_to_staff(session, mail_room=mail_room, role=StaffRole.FINANCE, letter=letter)
    return adjustment.id


async def make_adjustment(
    session: AsyncSession,
    *,
    adjustment_id: str,
    made_by: str,
    expected_revision: int,
    second_person_above_nanos: Nanos,
    mail_room: MailRoom,
) -> None:
    """Put the balance right as it was proposed; sending it twice makes it once.

    Args:
        session: Open unit of work; the caller commits. Credits, holds and closes wait from here to the commit.
        adjustment_id: Which one.
        made_by: Who of finance; has the role, as the edge checked.
        expected_revision: Of the adjustment that was on the screen.
        second_person_above_nanos: Above it, with all that they decided alone within a day, a colleague has to.
        mail_room: Writes to the organization.

    Raises:
        AdjustmentChanged: It was changed since, or is decided.
        ApproverInvolved: They belong to the organization, or proposed it and it needs a colleague.
        InsufficientFunds: The balance would fall below its floor; nothing was changed.
        NotFound: There is no such adjustment.
    """
    row = await _locked(session, adjustment_id)
    if _is_repeat(row, AdjustmentState.MADE, made_by, expected_revision):
        return
    await _refuse_unfit(session, row, made_by, expected_revision)
    is_alone = made_by == row.proposed_by
    decision = Decision(made_by, AloneKind.ADJUSTMENT, row.id, row.currency, abs(row.amount_nanos))
    if is_alone and not await decide_alone(session, decision, above_nanos=second_person_above_nanos):
        raise ApproverInvolved("You proposed this adjustment, and it needs two people; a colleague has to make it.")
    # The audit log is locked before the ledger, as everywhere.
    facts: dict[str, Fact] = {"is_alone": is_alone}
    await _audit(session, row, action="adjustment_made", actor_id=made_by, facts=facts)
    await ledger.open_account(session, owner_id=row.organization_id, currency=row.currency)
    await ledger.adjust(
        session,
        owner_id=row.organization_id,
        currency=row.currency,
        amount_nanos=row.amount_nanos,
        reference=ledger_reference(row.id),
    )
    await _decide(session, row, AdjustmentState.MADE, made_by)

    def letter(locale: str, organization_name: str) -> Letter:
        address = f"{mail_room.console_url}{CONSOLE_PATH}"
        return letters.adjustment_news(locale, organization_name=organization_name, address=address)

    await write_to_members(
        session, mail_room=mail_room, organization_id=row.organization_id, roles=IN_CHARGE_OF_MONEY, letter=letter
    )


async def drop_adjustment(
    session: AsyncSession, *, adjustment_id: str, dropped_by: str, expected_revision: int
) -> None:
    """Make nothing of a proposal; whoever proposed it may do it too. Sending it twice is once.

    Raises:
        AdjustmentChanged: It was changed since, or is decided.
        ApproverInvolved: They belong to the organization.
        NotFound: There is no such adjustment.
    """
    row = await _locked(session, adjustment_id)
    if _is_repeat(row, AdjustmentState.DROPPED, dropped_by, expected_revision):
        return
    await _refuse_unfit(session, row, dropped_by, expected_revision)
    await _decide(session, row, AdjustmentState.DROPPED, dropped_by)
    await _audit(session, row, action="adjustment_dropped", actor_id=dropped_by)


async def _locked(session: AsyncSession, adjustment_id: str) -> Adjustment:
    """Lock an adjustment."""
    row = await session.get(Adjustment, adjustment_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such adjustment.")
    return row


def _is_repeat(row: Adjustment, state: AdjustmentState, person_id: str, expected_revision: int) -> bool:
    """Whether somebody decided this very step already: they pressed twice."""
    return (row.state, row.decided_by, row.revision) == (state, person_id, expected_revision + 1)


async def _refuse_unfit(session: AsyncSession, row: Adjustment, person_id: str, expected_revision: int) -> None:
    """Refuse what is decided, was seen otherwise, or concerns the person's own organization."""
    if row.revision != expected_revision or row.state is not AdjustmentState.PROPOSED:
        raise AdjustmentChanged("Somebody decided on this adjustment since you opened it; nothing was done.")
    await _refuse_members(session, row.organization_id, person_id)


async def _refuse_members(session: AsyncSession, organization_id: str, person_id: str) -> None:
    """Refuse whoever would give to themselves."""
    if person_id in {member.person_id for member in await members_of(session, organization_id)}:
        raise ApproverInvolved("You belong to this organization; a colleague has to do it.")


async def _decide(session: AsyncSession, row: Adjustment, state: AdjustmentState, person_id: str) -> None:
    """Write down who decided."""
    row.state, row.decided_by, row.decided_at = state, person_id, clock.utc_now()
    row.revision += 1
    await session.flush()


def _checked_line(words: str) -> str:
    """Return the words for the statement, on one line."""
    line = " ".join(words.split())
    if not 0 < len(line) <= 200 or not line.isprintable():
        raise BadRequest("Say why in 1 to 200 characters; the organization reads it.", parameter="words")
    return line


async def _audit(
    session: AsyncSession, row: Adjustment, *, action: str, actor_id: str, facts: Mapping[str, Fact] | None = None
) -> None:
    """Add a line about an adjustment."""
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, actor_id),
        action=action,
        subject_id=row.id,
        organization_id=row.organization_id,
        facts={
            "amount": format_amount(row.amount_nanos),
            "currency": row.currency.value,
            "reason": row.reason.value,
            **(facts or {}),
        },
    )
