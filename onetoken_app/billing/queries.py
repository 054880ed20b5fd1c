"""Reads invoices: an organization's own, and what finance has to do."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.billing.invoiceable import orders_on_invoices, standings
from onetoken_app.billing.models import Invoice, InvoicedOrder, InvoiceKind, InvoiceState, RedLetter
from onetoken_app.money import Currency, Nanos
from onetoken_app.payments.models import OrderState
from onetoken_app.payments.queries import OrderView, orders_of


@dataclass(frozen=True, slots=True)
class RedLetterView:
    """A reversal of an invoice, or of a part of it."""

    id: str
    amount_nanos: Nanos
    number: str
    issued_on: date
    issued_by: str
    issued_at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice that was asked for, with what became of it."""

    id: str
    organization_id: str
    kind: InvoiceKind
    currency: Currency
    amount_nanos: Nanos
    title: str
    tax_id: str
    registered_address: str
    phone: str
    bank_name: str
    bank_account: str
    delivery_email: str
    requested_by: str
    requested_at: datetime
    state: InvoiceState
    revision: int
    handled_by: str | None
    handled_at: datetime | None
    number: str | None
    issued_on: date | None
    words: str
    order_ids: tuple[str, ...]
    """Top-ups that it was asked for by name; empty: for an amount."""
    red_letters: tuple[RedLetterView, ...]
    """First to last."""

    @property
    def left_nanos(self) -> Nanos:
        """What of its amount is not reversed."""
        return self.amount_nanos - sum(one.amount_nanos for one in self.red_letters)


@dataclass(frozen=True, slots=True)
class OwedRedLettersView:
    """An organization that has more invoiced than it paid, because money was taken back since."""

    organization_id: str
    currency: Currency
    amount_nanos: Nanos
    """To be reversed."""


async def invoices_of(session: AsyncSession, organization_id: str) -> list[InvoiceView]:
    """Return an organization's invoices and requests for some, newest first."""
    query = (
        select(Invoice)
        .where(Invoice.organization_id == organization_id)
        .order_by(col(Invoice.requested_at).desc(), col(Invoice.id).desc())
    )
    return await _views(session, list(await session.exec(query)))


async def invoices_revision(session: AsyncSession, organization_id: str) -> int:
    """Return a number that grows with every request of an organization and every change of one."""
    query = select(func.coalesce(func.sum(col(Invoice.revision) + 1), 0)).where(
        Invoice.organization_id == organization_id
    )
    return int((await session.exec(query)).one())


async def invoice_for_staff(session: AsyncSession, invoice_id: str) -> InvoiceView | None:
    """Return any invoice."""
    row = await session.get(Invoice, invoice_id)
    return (await _views(session, [row]))[0] if row else None


async def waiting_invoices(session: AsyncSession) -> list[InvoiceView]:
    """Return what finance has to make, longest waiting first."""
    query = (
        select(Invoice)
        .where(col(Invoice.state).in_([InvoiceState.REQUESTED, InvoiceState.IN_WORK]))
        .order_by(col(Invoice.requested_at), Invoice.id)
    )
    return await _views(session, list(await session.exec(query)))


async def decided_invoices(
    session: AsyncSession, *, limit: int, before: str | None = None, words: str = ""
) -> list[InvoiceView]:
    """Return the invoices that finance issued, refused or reversed, the last handled first.

    Args:
        session: Open session.
        limit: At most so many.
        before: The id of an invoice; what was handled before it. One that is unknown or not handled ends the list.
        words: Those with such a number, or red letter, or such words in the title alone; empty: all.
    """
    at, number = col(Invoice.handled_at), col(Invoice.id)
    decided = [InvoiceState.ISSUED, InvoiceState.REFUSED, InvoiceState.RED_LETTERED]
    query = select(Invoice).where(col(Invoice.state).in_(decided))
    if words := words.strip():
        number_sought = "".join(words.upper().split())
        reversed_by = select(RedLetter.invoice_id).where(RedLetter.number == number_sought)
        query = query.where(
            (col(Invoice.number) == number_sought)
            | col(Invoice.id).in_(reversed_by)
            | col(Invoice.title).icontains(words, autoescape=True)
        )
    if before is not None:
        last = await session.get(Invoice, before)
        if last is None or last.handled_at is None:
            return []
        query = query.where((at < last.handled_at) | ((at == last.handled_at) & (number < last.id)))
    return await _views(session, list(await session.exec(query.order_by(at.desc(), number.desc()).limit(limit))))


async def invoiceable_orders(session: AsyncSession, organization_id: str) -> list[OrderView]:
    """Return the credited top-ups that stand on no invoice, newest first; those that an invoice may be asked for."""
    taken = await orders_on_invoices(session, organization_id)
    found = await orders_of(session, organization_id)
    return [order for order in found if order.state is OrderState.CREDITED and order.id not in taken]


async def owed_red_letters(session: AsyncSession) -> list[OwedRedLettersView]:
    """Return the organizations of which finance has to reverse invoices, by id."""
    return [
        OwedRedLettersView(organization_id, currency, standing.owed_red_letters_nanos)
        for (organization_id, currency), standing in sorted((await standings(session)).items())
        if standing.owed_red_letters_nanos
    ]


async def _views(session: AsyncSession, rows: list[Invoice]) -> list[InvoiceView]:
    """Copy invoices, with their orders and red letters."""
    ids = [row.id for row in rows]
    orders: dict[str, list[str]] = {}
    named = select(InvoicedOrder).where(col(InvoicedOrder.invoice_id).in_(ids)).order_by(InvoicedOrder.order_id)
    for one in await session.exec(named):
        orders.setdefault(one.invoice_id, []).append(one.order_id)
    letters: dict[str, list[RedLetterView]] = {}
    reversals = (
        select(RedLetter).where(col(RedLetter.invoice_id).in_(ids)).order_by(col(RedLetter.issued_at), RedLetter.id)
    )
    for letter in await session.exec(reversals):
        values = {name: getattr(letter, name) for name in RedLetterView.__slots__}
        letters.setdefault(letter.invoice_id, []).append(RedLetterView(**values))
    return [_view(row, orders.get(row.id, []), letters.get(row.id, [])) for row in rows]


def _view(row: Invoice, orders: list[str], letters: list[RedLetterView]) -> InvoiceView:
    """Copy an invoice."""
    copied = set(InvoiceView.__slots__) - {"order_ids", "red_letters"}
    values = {name: getattr(row, name) for name in copied}
    return InvoiceView(order_ids=tuple(orders), red_letters=tuple(letters), **values)
