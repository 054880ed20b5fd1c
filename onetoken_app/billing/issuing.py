"""What finance does about invoices: takes a request, issues it, refuses it, and reverses what was issued.

The operator's invoicing system is outside: it makes the invoice and sends it, and its number and date are entered here.
Who asked for an invoice, or belongs to the organization, does none of it. A step that is sent twice is done once.
"""

from collections.abc import Collection
from datetime import date, timedelta

import sqlalchemy as sa
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit.chain import Fact
from onetoken_app.billing.details import checked_invoice_amount, checked_number, checked_reason
from onetoken_app.billing.errors import InvoiceChanged, InvoiceNumberUsed, InvoiceTooLarge, IssuerInvolved
from onetoken_app.billing.invoiceable import invoiceable, lock_invoicing
from onetoken_app.billing.invoicing import CONSOLE_PATH, audit_invoice
from onetoken_app.billing.models import Invoice, InvoiceState, RedLetter
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.money import Nanos, format_amount
from onetoken_app.notifications import letters
from onetoken_app.notifications.letters import Letter
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members
from onetoken_app.organizations.queries import members_of

_UNDECIDED = (InvoiceState.REQUESTED, InvoiceState.IN_WORK)
_ISSUED_BEFORE = timedelta(days=366)


async def take_request(session: AsyncSession, *, invoice_id: str, taken_by: str, expected_revision: int) -> None:
    """Say that somebody makes the invoice; from then on the organization cannot take the request back.

    Raises:
        InvoiceChanged: It was changed since, or is decided.
        IssuerInvolved: They asked for it or belong to the organization.
        NotFound: There is no such invoice.
    """
    invoice = await _locked(session, invoice_id)
    if _is_repeat(invoice, InvoiceState.IN_WORK, taken_by, expected_revision):
        return
    await _refuse_unfit(session, invoice, taken_by, expected_revision, _UNDECIDED)
    await _move(session, invoice, InvoiceState.IN_WORK, actor_id=taken_by)
    await audit_invoice(session, invoice, action="invoice_taken", actor_id=taken_by)


async def issue_invoice(
    session: AsyncSession,
    *,
    invoice_id: str,
    issued_by: str,
    expected_revision: int,
    number: str,
    issued_on: date,
    mail_room: MailRoom,
) -> None:
    """Enter what the invoicing system made.

    Args:
        session: Open unit of work; the caller commits.
        invoice_id: Which request.
        issued_by: Who of finance; has the role, as the edge checked.
        expected_revision: Of the request that was on the screen.
        number: Of the invoice; 1 to 40 characters; stands on no other invoice or red letter.
        issued_on: The date on it: within the last year, at most a day ahead of UTC.
        mail_room: Writes to the organization.

    Raises:
        BadRequest: Number or date cannot be used.
        InvoiceChanged: It was changed since, or is decided.
        InvoiceNumberUsed: The number stands on another.
        InvoiceTooLarge: Money was taken back since it was asked for, and less than this is left to be invoiced.
        IssuerInvolved: They asked for it or belong to the organization.
        NotFound: There is no such invoice.
    """
    number, issued_on = checked_number(number), _checked_date(issued_on)
    invoice = await _locked(session, invoice_id)
    entered = (number, issued_on)
    if _is_repeat(invoice, InvoiceState.ISSUED, issued_by, expected_revision, entered):
        return
    await _refuse_unfit(session, invoice, issued_by, expected_revision, _UNDECIDED)
    standing = await invoiceable(session, organization_id=invoice.organization_id, currency=invoice.currency)
    if standing.owed_red_letters_nanos:
        raise InvoiceTooLarge("Money was taken back since; refuse this request, and let it be requested anew.")
    await _refuse_used_number(session, number)
    invoice.number, invoice.issued_on = number, issued_on
    await _move(session, invoice, InvoiceState.ISSUED, actor_id=issued_by)
    facts = {"number": number, "issued_on": issued_on.isoformat(), "amount": format_amount(invoice.amount_nanos)}
    await audit_invoice(session, invoice, action="invoice_issued", actor_id=issued_by, facts=facts)
    await _tell(session, invoice, mail_room)


async def refuse_request(
    session: AsyncSession, *, invoice_id: str, refused_by: str, expected_revision: int, words: str, mail_room: MailRoom
) -> None:
    """Say why there will be no such invoice; its amount can be invoiced again.

    Raises:
        BadRequest: The words cannot be used.
        InvoiceChanged: It was changed since, or is decided.
        IssuerInvolved: They asked for it or belong to the organization.
        NotFound: There is no such invoice.
    """
    words = checked_reason(words)
    invoice = await _locked(session, invoice_id)
    if _is_repeat(invoice, InvoiceState.REFUSED, refused_by, expected_revision) and invoice.words == words:
        return
    await _refuse_unfit(session, invoice, refused_by, expected_revision, _UNDECIDED)
    invoice.words = words
    await _move(session, invoice, InvoiceState.REFUSED, actor_id=refused_by)
    await audit_invoice(session, invoice, action="invoice_refused", actor_id=refused_by)
    await _tell(session, invoice, mail_room)


async def red_letter(
    session: AsyncSession,
    *,
    invoice_id: str,
    issued_by: str,
    expected_revision: int,
    amount_nanos: Nanos,
    number: str,
    issued_on: date,
    words: str,
    mail_room: MailRoom,
) -> str:
    """Enter the reversal of an issued invoice or of a part of it; return the red letter's id.

    Args:
        session: Open unit of work; the caller commits. Others who invoice or refund for the organization wait.
        invoice_id: Which invoice.
        issued_by: Who of finance; has the role, as the edge checked.
        expected_revision: Of the invoice that was on the screen.
        amount_nanos: Whole cents, above 0; with earlier red letters at most the invoice's amount.
        number: Of the red letter itself; stands on no other.
        issued_on: The date on it; not before the invoice's.
        words: Why; 1 to 1 000 characters.
        mail_room: Writes to the organization.

    Raises:
        AmountRefused, BadRequest: Amount, number, date or words cannot be used.
        InvoiceChanged: It was changed since, or is not issued, or reversed wholly.
        InvoiceNumberUsed: The number stands on another.
        InvoiceTooLarge: More than is left of the invoice.
        IssuerInvolved: They asked for it or belong to the organization.
        NotFound: There is no such invoice.
    """
    checked_invoice_amount(amount_nanos)
    number, issued_on, words = checked_number(number), _checked_date(issued_on), checked_reason(words)
    invoice = await _locked(session, invoice_id)
    first = await _letter_of(session, invoice_id, number)
    if first is not None and (first.amount_nanos, first.issued_by, first.words) == (amount_nanos, issued_by, words):
        return first.id
    await _refuse_unfit(session, invoice, issued_by, expected_revision, (InvoiceState.ISSUED,))
    left_nanos = await _left_of(session, invoice, amount_nanos, issued_on)
    await _refuse_used_number(session, number)
    letter = RedLetter(
        id=new_id(Kind.RED_LETTER),
        invoice_id=invoice.id,
        amount_nanos=amount_nanos,
        number=number,
        issued_on=issued_on,
        issued_by=issued_by,
        issued_at=clock.utc_now(),
        words=words,
    )
    session.add(letter)
    is_whole = amount_nanos == left_nanos
    await _move(session, invoice, InvoiceState.RED_LETTERED if is_whole else InvoiceState.ISSUED, actor_id=issued_by)
    facts: dict[str, Fact] = {"number": number, "amount": format_amount(amount_nanos), "is_whole": is_whole}
    await audit_invoice(session, invoice, action="invoice_reversed", actor_id=issued_by, facts=facts)
    await _tell(session, invoice, mail_room)
    return letter.id


async def reversed_total(session: AsyncSession, invoice_id: str) -> Nanos:
    """Return what red letters took from an invoice."""
    query = select(RedLetter.amount_nanos).where(RedLetter.invoice_id == invoice_id)
    return sum(await session.exec(query))


async def _locked(session: AsyncSession, invoice_id: str) -> Invoice:
    """Lock an organization's invoicing and one of its invoices."""
    found = await session.get(Invoice, invoice_id)
    if found is None:
        raise NotFound("There is no such invoice.")
    await lock_invoicing(session, found.organization_id)
    return await session.get_one(Invoice, invoice_id, with_for_update=True, populate_existing=True)


def _is_repeat(
    invoice: Invoice,
    state: InvoiceState,
    person_id: str,
    expected_revision: int,
    entered: tuple[str, date] | None = None,
) -> bool:
    """Whether somebody led an invoice from where they saw it to a state by this very step: they pressed twice."""
    is_last = (invoice.state, invoice.handled_by, invoice.revision) == (state, person_id, expected_revision + 1)
    return is_last and (entered is None or entered == (invoice.number, invoice.issued_on))


async def _refuse_unfit(
    session: AsyncSession, invoice: Invoice, person_id: str, expected_revision: int, states: Collection[InvoiceState]
) -> None:
    """Refuse what was changed since, is in no state for it, or concerns the person themselves."""
    if invoice.revision != expected_revision:
        raise InvoiceChanged("Somebody changed this invoice since you opened it; nothing was done. Look at it again.")
    if invoice.state not in states:
        raise InvoiceChanged("The invoice is not in a state that allows this; nothing was done.")
    members = {member.person_id for member in await members_of(session, invoice.organization_id)}
    if person_id in members | {invoice.requested_by}:
        raise IssuerInvolved("You requested this invoice or belong to the organization; a colleague has to do it.")


async def _move(session: AsyncSession, invoice: Invoice, state: InvoiceState, *, actor_id: str) -> None:
    """Write down who led an invoice into a state."""
    invoice.state, invoice.handled_by, invoice.handled_at = state, actor_id, clock.utc_now()
    invoice.revision += 1
    await session.flush()


async def _left_of(session: AsyncSession, invoice: Invoice, amount_nanos: Nanos, issued_on: date) -> Nanos:
    """Return what is left of an invoice; refuse to reverse more, or before its day."""
    if invoice.issued_on is not None and issued_on < invoice.issued_on:
        raise BadRequest("A red letter is not older than its invoice.", parameter="issued_on")
    left_nanos = invoice.amount_nanos - await reversed_total(session, invoice.id)
    if amount_nanos > left_nanos:
        raise InvoiceTooLarge(f"{format_amount(left_nanos)} are left of this invoice; nothing was reversed.")
    return left_nanos


async def _letter_of(session: AsyncSession, invoice_id: str, number: str) -> RedLetter | None:
    """Find the red letter of an invoice that has a number."""
    query = select(RedLetter).where(RedLetter.invoice_id == invoice_id, RedLetter.number == number)
    return (await session.exec(query)).first()


async def _refuse_used_number(session: AsyncSession, number: str) -> None:
    """Refuse a number that stands elsewhere; of two at the same moment the columns' uniqueness lets one in."""
    invoices = select(Invoice.id).where(Invoice.number == number)
    red_letters = select(RedLetter.id).where(RedLetter.number == number)
    query = sa.union_all(invoices, red_letters)
    if (await (await session.connection()).execute(query)).first() is not None:
        raise InvoiceNumberUsed("This number stands on another invoice or red letter; nothing was entered.")


def _checked_date(issued_on: date) -> date:
    """Return a date that can stand on an invoice of today."""
    today = clock.utc_now().date()
    # A day ahead of UTC is still today somewhere.
    if not today - _ISSUED_BEFORE <= issued_on <= today + timedelta(days=1):
        raise BadRequest("The date on the invoice is within the last year.", parameter="issued_on")
    return issued_on


async def _tell(session: AsyncSession, invoice: Invoice, mail_room: MailRoom) -> None:
    """Post a mail to those in charge of money; it says that there is news, and the console says what."""

    def letter(locale: str, organization_name: str) -> Letter:
        address = f"{mail_room.console_url}{CONSOLE_PATH}"
        return letters.invoice_news(locale, organization_name=organization_name, address=address)

    await write_to_members(
        session, mail_room=mail_room, organization_id=invoice.organization_id, roles=IN_CHARGE_OF_MONEY, letter=letter
    )
