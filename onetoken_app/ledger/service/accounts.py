"""Opens accounts and says what their owners may do: credit limits, freezes."""

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import journal, saving, store, transfers
from onetoken_app.ledger.errors import CreditLimitTooLow, NoSuchAccount
from onetoken_app.ledger.kinds import TransactionKind
from onetoken_app.ledger.models import Account, AccountKind
from onetoken_app.ledger.service.posts import alone, check_reference, reference_is_taken
from onetoken_app.ledger.sql import Connection
from onetoken_app.money import NANOS_MAX, Currency, Nanos

_SET_FLOOR = "UPDATE ledger_account SET floor_nanos = ? WHERE id = ?"
_SET_FROZEN = "UPDATE ledger_account SET is_frozen = ? WHERE owner_id = ? AND kind = 'prepaid'"


async def open_account(session: AsyncSession, *, owner_id: str, currency: Currency, floor_nanos: Nanos = 0) -> str:
    """Open an owner's prepaid account; return its id. One that is open already stays as it is.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Opaque; not empty. If it is frozen, it is so in every currency.
        currency: One account per owner and currency.
        floor_nanos: Lowest available balance: 0, or negative for a credit limit.
    """
    query = select(Account.id).where(
        Account.owner_id == owner_id, Account.kind == AccountKind.PREPAID, Account.currency == currency
    )
    known_id = (await session.exec(query)).first()
    if known_id is not None:
        return known_id
    opened = Account(
        id=new_id(Kind.LEDGER_ACCOUNT),
        owner_id=owner_id,
        kind=AccountKind.PREPAID,
        currency=currency,
        floor_nanos=floor_nanos,
        created_at=clock.utc_now(),
    )
    session.add(opened)
    await session.flush()
    return opened.id


async def set_credit_limit(
    session: AsyncSession, *, owner_id: str, currency: Currency, limit_nanos: Nanos, reference: str
) -> None:
    """Let an owner's prepaid balance fall to −limit, from the commit on; once per reference.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose prepaid account it is.
        currency: Of the account.
        limit_nanos: At least 0; 0 takes a credit limit away.
        reference: Unique over the whole ledger; at most 128 characters.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
        CreditLimitTooLow: More is in use, open holds included; the metadata says how much.
        LedgerConflict: The reference stands for something else.
    """
    check_reference(reference)
    if not 0 <= limit_nanos <= NANOS_MAX:
        message = "a credit limit is at least 0"
        raise ValueError(message)
    await alone(session, lambda connection: _set_floor(connection, owner_id, currency, limit_nanos, reference))


async def follow_credit_limit(
    session: AsyncSession, *, owner_id: str, currency: Currency, limit_nanos: Nanos, reference: str
) -> bool:
    """Bring a credit limit to what it should be, or as near as what is in use allows; return whether it changed.

    For a job: what is in use, open holds included, stays owed and is no reason to fail. Repeating it changes nothing
    until some of that is paid; then the limit falls further.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose prepaid account it is.
        currency: Of the account.
        limit_nanos: At least 0.
        reference: What its entries' references begin with; at most 100 characters.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
    """
    check_reference(reference)
    has_changed: bool = await alone(
        session, lambda connection: _follow_floor(connection, owner_id, currency, limit_nanos, reference)
    )
    return has_changed


async def freeze_owner(session: AsyncSession, *, owner_id: str, reference: str) -> None:
    """Let an owner place no new hold, in any currency, from the commit on; open ones are extended and closed as ever.

    An owner that is frozen stays so. The caller keeps the reason.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Has an account.
        reference: Unique over the whole ledger; at most 128 characters.

    Raises:
        NoSuchAccount: The owner has no account.
        LedgerConflict: The reference stands for something else.
    """
    check_reference(reference)
    await alone(session, lambda connection: _set_frozen(connection, TransactionKind.FREEZE, owner_id, reference))


async def unfreeze_owner(session: AsyncSession, *, owner_id: str, reference: str) -> None:
    """Let an owner place holds again; arguments and errors as in ``freeze_owner``."""
    check_reference(reference)
    await alone(session, lambda connection: _set_frozen(connection, TransactionKind.UNFREEZE, owner_id, reference))


def _set_floor(
    connection: Connection, owner_id: str, currency: Currency, limit_nanos: Nanos, reference: str
) -> None:  # fmt: skip
    """Change a floor under the locks."""
    books = store.load_for_transfer(connection, [owner_id], moment=clock.utc_now())
    account = books.account_of(owner_id, AccountKind.PREPAID, currency)
    if account is None:
        raise _no_account()
    terms = journal.TermsRow(owner_id, account.id, -limit_nanos)
    if _is_said(connection, TransactionKind.CREDIT_LIMIT, reference, terms):
        return
    in_use_nanos = account.held_nanos - account.posted_nanos
    if in_use_nanos > limit_nanos:
        message = (
            "More credit is in use than this limit allows, open holds included; the limit was not changed. Choose a "
            "higher one, or wait until enough is paid."
        )
        raise CreditLimitTooLow(message, metadata={"in_use_nanos": in_use_nanos, "limit_nanos": limit_nanos})
    connection.write(_SET_FLOOR, [(-limit_nanos, account.id)])
    transfers.post_terms(books, TransactionKind.CREDIT_LIMIT, reference, terms)
    saving.save(connection, books)


def _follow_floor(
    connection: Connection, owner_id: str, currency: Currency, limit_nanos: Nanos, reference: str
) -> bool:  # fmt: skip
    """Change a floor under the locks, as far as it can be."""
    books = store.load_for_transfer(connection, [owner_id], moment=clock.utc_now())
    account = books.account_of(owner_id, AccountKind.PREPAID, currency)
    if account is None:
        raise _no_account()
    floor_nanos = -max(limit_nanos, account.held_nanos - account.posted_nanos)
    if account.floor_nanos == floor_nanos:
        return False
    connection.write(_SET_FLOOR, [(floor_nanos, account.id)])
    terms = journal.TermsRow(owner_id, account.id, floor_nanos)
    transfers.post_terms(books, TransactionKind.CREDIT_LIMIT, f"{reference}:{books.head_number + 1}", terms)
    saving.save(connection, books)
    return True


def _set_frozen(connection: Connection, kind: TransactionKind, owner_id: str, reference: str) -> None:
    """Freeze or unfreeze under the locks."""
    books = store.load_for_transfer(connection, [owner_id], moment=clock.utc_now())
    if not any(account.owner_id == owner_id for account in books.accounts.values()):
        raise _no_account()
    terms = journal.TermsRow(owner_id, None, None)
    if _is_said(connection, kind, reference, terms):
        return
    connection.write(_SET_FROZEN, [(kind is TransactionKind.FREEZE, owner_id)])
    transfers.post_terms(books, kind, reference, terms)
    saving.save(connection, books)


def _is_said(connection: Connection, kind: TransactionKind, reference: str, terms: journal.TermsRow) -> bool:
    """Whether these very terms were set before.

    Raises:
        LedgerConflict: Something else was posted under their reference.
    """
    rows = connection.read(
        "SELECT entry.kind, terms.owner_id, terms.account_id, terms.floor_nanos FROM ledger_transaction AS entry "
        "LEFT JOIN ledger_terms AS terms ON terms.transaction_number = entry.sequence_number WHERE entry.reference = ?",
        (reference,),
    )
    if not rows:
        return False
    if tuple(rows[0]) != (kind, terms.owner_id, terms.account_id, terms.floor_nanos):
        raise reference_is_taken()
    return True


def _no_account() -> NoSuchAccount:
    """Say that there is nothing to set anything on."""
    return NoSuchAccount("The organization has no account in this currency; nothing was changed. Open one first.")
