"""Opens accounts and gives credit. Holds and closes are the writer's; both work on the same books."""

from datetime import datetime

from sqlalchemy.orm import Session
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import posting, store
from onetoken_app.ledger.books import Credit
from onetoken_app.ledger.errors import LedgerConflict, NoSuchAccount
from onetoken_app.ledger.models import Account, AccountKind, Claim, Posting, Transaction, TransactionKind
from onetoken_app.ledger.sql import SessionConnection
from onetoken_app.money import Currency, Nanos


async def open_account(session: AsyncSession, *, owner_id: str, currency: Currency, floor_nanos: Nanos = 0) -> str:
    """Open an owner's prepaid account; return its id. One that is open already stays as it is.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Opaque; not empty.
        currency: One account per owner and currency.
        floor_nanos: Lowest available balance: 0, or negative for a credit limit.
    """
    known_id = await _prepaid_account_id(session, owner_id, currency)
    if known_id is not None:
        return known_id
    account = Account(
        id=new_id(Kind.LEDGER_ACCOUNT),
        owner_id=owner_id,
        kind=AccountKind.PREPAID,
        currency=currency,
        floor_nanos=floor_nanos,
        created_at=clock.utc_now(),
    )
    session.add(account)
    await session.flush()
    return account.id


async def grant_credit(
    session: AsyncSession, *, owner_id: str, currency: Currency, amount_nanos: Nanos, reference: str
) -> None:
    """Give an owner credit, once per reference; a repeat with the same amount changes nothing.

    Args:
        session: Open unit of work; the caller commits. Other credits, holds and closes wait from here to the commit.
        owner_id: Whose prepaid account is credited.
        currency: Of the account.
        amount_nanos: More than 0.
        reference: Unique over the whole ledger; at most 128 characters.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
        LedgerConflict: The reference stands for another grant.
    """
    await _give(session, Credit(TransactionKind.GRANT, owner_id, currency, amount_nanos, reference))


async def top_up(
    session: AsyncSession, *, owner_id: str, currency: Currency, amount_nanos: Nanos, reference: str
) -> None:
    """Credit an owner with money that arrived, once per reference; a repeat with the same amount changes nothing.

    Args:
        session: Open unit of work; the caller commits. Other credits, holds and closes wait from here to the commit.
        owner_id: Whose prepaid account is credited.
        currency: Of the account.
        amount_nanos: More than 0.
        reference: Unique over the whole ledger; at most 128 characters.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
        LedgerConflict: The reference stands for another movement of money.
    """
    await _give(session, Credit(TransactionKind.TOP_UP, owner_id, currency, amount_nanos, reference))


async def purge_claims(session: AsyncSession, *, claimed_before: datetime, count_max: int) -> int:
    """Delete claims that count no more; return how many that were. The caller commits."""
    oldest = select(Claim.digest).where(Claim.claimed_at < claimed_before).order_by(col(Claim.claimed_at))
    digests = (await session.exec(oldest.limit(count_max))).all()
    # By age once more: meanwhile another request may have taken one over.
    await session.exec(delete(Claim).where(col(Claim.digest).in_(digests), col(Claim.claimed_at) < claimed_before))
    return len(digests)


async def _give(session: AsyncSession, credit: Credit) -> None:
    """Post credit once."""
    if credit.amount_nanos <= 0:
        message = f"a {credit.kind} is more than 0"
        raise ValueError(message)
    if await _prepaid_account_id(session, credit.owner_id, credit.currency) is None:
        message = "The organization has no account in this currency; no credit was given."
        raise NoSuchAccount(message)
    if await _is_given(session, credit):
        return
    await session.flush()
    await session.run_sync(_post, credit)


def _post(session: Session, credit: Credit) -> None:
    """Post credit through the same books, the same locks and the same chain as the writer."""
    transaction = session.connection()
    connection = SessionConnection(transaction.exec_driver_sql, is_sqlite=transaction.dialect.name == "sqlite")
    books = store.load_for_credit(connection, credit, moment=clock.utc_now())
    posting.give_credit(books, credit)
    store.save(connection, books)


async def _prepaid_account_id(session: AsyncSession, owner_id: str, currency: Currency) -> str | None:
    """Find an owner's prepaid account."""
    query = select(Account.id).where(
        Account.owner_id == owner_id, Account.kind == AccountKind.PREPAID, Account.currency == currency
    )
    return (await session.exec(query)).first()


async def _is_given(session: AsyncSession, credit: Credit) -> bool:
    """Whether this very credit was posted before.

    Raises:
        LedgerConflict: Something else was posted under its reference.
    """
    number = (
        await session.exec(select(Transaction.sequence_number).where(Transaction.reference == credit.reference))
    ).first()
    if number is None:
        return False
    query = (
        select(Transaction.kind, Account.owner_id, Account.currency, Posting.amount_nanos)
        .join(Posting, col(Posting.transaction_number) == col(Transaction.sequence_number))
        .join(Account, col(Account.id) == col(Posting.to_account_id))
        .where(Transaction.sequence_number == number)
    )
    if (await session.exec(query)).all() != [(credit.kind, credit.owner_id, credit.currency, credit.amount_nanos)]:
        message = "This reference stands for another movement of money; no credit was given."
        raise LedgerConflict(message)
    return True
