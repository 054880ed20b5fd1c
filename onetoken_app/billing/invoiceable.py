"""What can be invoiced: the money that arrived − what went back − what is invoiced or asked for + red letters.

Money is what the journal moved between the world outside and an organization's accounts; grants and promotional
credit are none. Whoever changes one of the figures holds the lock from before he reads them to his commit.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.billing.models import Invoice, InvoicedOrder, InvoiceState, RedLetter
from onetoken_app.ledger.models import IS_NO_CALL, Account, AccountKind, Posting, Transaction
from onetoken_app.money import Currency, Nanos

MONEY_KINDS = (AccountKind.CLEARING,)
"""Platform accounts whose other side is a bank or a payment provider."""
CLAIMING = (InvoiceState.REQUESTED, InvoiceState.IN_WORK, InvoiceState.ISSUED, InvoiceState.RED_LETTERED)
"""States in which an invoice counts; what its red letters reversed does not."""
_LOCK = 730_541_704
"""First half of PostgreSQL's advisory locks of invoicing; the second is made from the organization's id."""


@dataclass(frozen=True, slots=True)
class InvoiceableView:
    """Where an organization stands in one currency."""

    arrived_nanos: Nanos
    """Top-ups."""
    returned_nanos: Nanos
    """Refunds and payments that were taken back."""
    invoiced_nanos: Nanos
    """Invoices and requests for some − red letters."""

    @property
    def paid_nanos(self) -> Nanos:
        """What was paid and stayed."""
        return self.arrived_nanos - self.returned_nanos

    @property
    def available_nanos(self) -> Nanos:
        """What a request may ask for, and a refund may take without a red letter; at least 0."""
        return max(0, self.paid_nanos - self.invoiced_nanos)

    @property
    def owed_red_letters_nanos(self) -> Nanos:
        """What is invoiced and was taken back since, such as by a card's holder: it has to be reversed."""
        return max(0, self.invoiced_nanos - self.paid_nanos)


async def lock_invoicing(session: AsyncSession, organization_id: str) -> None:
    """Let nobody else change what an organization can invoice until the transaction ends.

    Taken before the locks of the audit log and the ledger, by requests, red letters and refunds alike. On SQLite a
    unit of work is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        second = sa.func.hashtext(organization_id)
        await (await session.connection()).execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, second)))


async def not_invoiced(session: AsyncSession, *, organization_id: str, currency: Currency) -> Nanos:
    """Lock an organization's invoicing, and return what a refund may take before a red letter is needed.

    For the edge that refunds: it hands the figure to the payments room, which knows no invoices, in the same unit of
    work.
    """
    await lock_invoicing(session, organization_id)
    return (await invoiceable(session, organization_id=organization_id, currency=currency)).available_nanos


async def invoiceable(session: AsyncSession, *, organization_id: str, currency: Currency) -> InvoiceableView:
    """Return where an organization stands; without the lock it may be older than the answer."""
    claimed = await _sum(
        session,
        sa.select(sa.func.sum(Invoice.amount_nanos)).where(
            col(Invoice.organization_id) == organization_id,
            col(Invoice.currency) == currency,
            col(Invoice.state).in_(CLAIMING),
        ),
    )
    reversed_nanos = await _sum(
        session,
        sa.select(sa.func.sum(RedLetter.amount_nanos))
        .join(Invoice, col(Invoice.id) == col(RedLetter.invoice_id))
        .where(col(Invoice.organization_id) == organization_id, col(Invoice.currency) == currency),
    )
    arrived, returned = await _moved(session, organization_id, currency, after_number=0)
    return InvoiceableView(arrived_nanos=arrived, returned_nanos=returned, invoiced_nanos=claimed - reversed_nanos)


async def standings(session: AsyncSession) -> dict[tuple[str, Currency], InvoiceableView]:
    """Return where every organization with invoices stands, by id and currency: one reading of each table."""
    connection = await session.connection()
    whose = (col(Invoice.organization_id), col(Invoice.currency))
    claimed = (
        sa.select(*whose, sa.func.sum(Invoice.amount_nanos)).where(col(Invoice.state).in_(CLAIMING)).group_by(*whose)
    )
    reversals = (
        sa.select(*whose, sa.func.sum(RedLetter.amount_nanos))
        .join(RedLetter, col(RedLetter.invoice_id) == col(Invoice.id))
        .group_by(*whose)
    )
    invoiced = {(one, Currency(currency)): int(nanos) for one, currency, nanos in await connection.execute(claimed)}
    for one, currency, nanos in await connection.execute(reversals):
        invoiced[one, Currency(currency)] -= int(nanos)
    source, target, amount = aliased(Account), aliased(Account), col(Posting.amount_nanos)
    is_in = col(source.kind).in_(MONEY_KINDS)
    owner = sa.case((is_in, col(target.owner_id)), else_=col(source.owner_id))
    moved = (
        sa.select(
            owner,
            col(source.currency),
            sa.func.sum(sa.case((is_in, amount), else_=0)),
            sa.func.sum(sa.case((is_in, 0), else_=amount)),
        )
        .select_from(Transaction)
        .join(Posting, col(Posting.transaction_number) == col(Transaction.sequence_number))
        .join(source, col(source.id) == col(Posting.from_account_id))
        .join(target, col(target.id) == col(Posting.to_account_id))
        .where(IS_NO_CALL, is_in | col(target.kind).in_(MONEY_KINDS))
        .group_by(owner, col(source.currency))
    )
    paid = {(one, Currency(currency)): (int(i), int(o)) for one, currency, i, o in await connection.execute(moved)}
    nothing = (0, 0)
    return {whose: InvoiceableView(*paid.get(whose, nothing), nanos) for whose, nanos in invoiced.items()}


async def paid_total(
    session: AsyncSession, *, organization_id: str, currency: Currency, after_number: int = 0
) -> Nanos:
    """Return the money that arrived − what went back, as the journal has it.

    Args:
        session: Any session.
        organization_id: Whose.
        currency: Of the accounts.
        after_number: Only transactions with a greater number.
    """
    arrived, returned = await _moved(session, organization_id, currency, after_number=after_number)
    return arrived - returned


async def orders_on_invoices(session: AsyncSession, organization_id: str) -> set[str]:
    """Return the orders that stand on an invoice or a request for one; a wholly reversed one frees its orders."""
    query = (
        select(InvoicedOrder.order_id)
        .join(Invoice, col(Invoice.id) == col(InvoicedOrder.invoice_id))
        .where(
            Invoice.organization_id == organization_id,
            col(Invoice.state).in_([InvoiceState.REQUESTED, InvoiceState.IN_WORK, InvoiceState.ISSUED]),
        )
    )
    return set(await session.exec(query))


async def _moved(
    session: AsyncSession, organization_id: str, currency: Currency, *, after_number: int
) -> tuple[Nanos, Nanos]:
    """Return the money that arrived and the money that went back, by transactions with a greater number."""
    source, target = aliased(Account), aliased(Account)
    is_in = (col(target.owner_id) == organization_id) & col(source.kind).in_(MONEY_KINDS)
    is_out = (col(source.owner_id) == organization_id) & col(target.kind).in_(MONEY_KINDS)
    amount = col(Posting.amount_nanos)
    query = (
        sa.select(sa.func.sum(sa.case((is_in, amount), else_=0)), sa.func.sum(sa.case((is_in, 0), else_=amount)))
        .select_from(Transaction)
        .join(Posting, col(Posting.transaction_number) == col(Transaction.sequence_number))
        .join(source, col(source.id) == col(Posting.from_account_id))
        .join(target, col(target.id) == col(Posting.to_account_id))
        .where(
            IS_NO_CALL,
            col(Transaction.sequence_number) > after_number,
            col(source.currency) == currency,
            is_in | is_out,
        )
    )
    arrived, returned = (await (await session.connection()).execute(query)).one()
    return int(arrived or 0), int(returned or 0)


async def _sum(session: AsyncSession, query: sa.Select[Any]) -> Nanos:
    """Run a sum; PostgreSQL gives those of BIGINT as exact decimals."""
    total: Any = (await (await session.connection()).execute(query)).scalar_one()
    return int(total or 0)
