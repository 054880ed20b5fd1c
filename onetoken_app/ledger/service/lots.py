"""Opens lots of credit that expires, and forfeits what is left of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.ledger import saving, store, transfers
from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.ledger.service.posts import alone, post_once
from onetoken_app.ledger.sql import Connection
from onetoken_app.ledger.transfers import LotTerms, Place, Transfer, platform, prepaid
from onetoken_app.money import Currency, Nanos

LOTS_AT_ONCE = 100
"""How many lots one step of the job forfeits; holds and closes wait for so long."""
_SCOPE_CHARACTERS_MAX = 64


async def grant_promotional_credit(
    session: AsyncSession,
    *,
    owner_id: str,
    currency: Currency,
    amount_nanos: Nanos,
    expires_at: datetime,
    reference: str,
    scopes: Sequence[str] = (),
) -> None:
    """Give an owner credit that is spent first and expires, once per reference, as a lot of its own.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Has a prepaid account in this currency.
        currency: Of the lot.
        amount_nanos: More than 0.
        expires_at: From then on it takes no new hold; open ones are still settled from it.
        reference: Unique over the whole ledger; at most 128 characters. The lot's id.
        scopes: What it may be spent on, as in ``sell_package``.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
        LedgerConflict: The reference stands for another movement of money, or another lot.
    """
    _check_scopes(scopes)
    transfer = Transfer(
        kind=TransactionKind.PROMOTION,
        reference=reference,
        currency=currency,
        amount_nanos=amount_nanos,
        source=platform(AccountKind.GRANTS),
        target=Place(owner_id, AccountKind.PROMOTIONAL, reference),
        opens=LotTerms(clock.iso_instant(expires_at), tuple(sorted(set(scopes)))),
    )
    await post_once(session, transfer)


async def sell_package(
    session: AsyncSession,
    *,
    owner_id: str,
    currency: Currency,
    amount_nanos: Nanos,
    expires_at: datetime | None,
    reference: str,
    scopes: Sequence[str] = (),
    token_count: int = 0,
) -> None:
    """Turn an owner's prepaid money into a package with a validity, once per reference.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose prepaid account pays; a credit limit may be used.
        currency: Of both accounts.
        amount_nanos: More than 0.
        expires_at: From then on it takes no new hold; unset: never.
        reference: Unique over the whole ledger; at most 128 characters. The lot's id.
        scopes: What it may be spent on, each at most 64 characters: a hold names one, such as the model's id. None:
            everything.
        token_count: How many tokens of any kind it is for, which divides the amount; 0: it is money like other credit.

    Raises:
        ValueError: The amount is no whole number of nanos for each token.
        NoSuchAccount: The owner has no account in this currency.
        InsufficientFunds: The prepaid balance would fall below its floor; the metadata says what is available.
        LedgerConflict: The reference stands for another movement of money, or another lot.
    """
    _check_scopes(scopes)
    if token_count < 0 or (token_count and amount_nanos % token_count):
        message = "a lot of tokens has a whole number of nanos for each token"
        raise ValueError(message)
    expiry = clock.iso_instant(expires_at) if expires_at else None
    unit_nanos = amount_nanos // token_count if token_count else 0
    transfer = Transfer(
        kind=TransactionKind.PACKAGE_SALE,
        reference=reference,
        currency=currency,
        amount_nanos=amount_nanos,
        source=prepaid(owner_id),
        target=Place(owner_id, AccountKind.PACKAGE, reference),
        opens=LotTerms(expiry, tuple(sorted(set(scopes))), unit_nanos),
    )
    await post_once(session, transfer)


async def expire_lots(session: AsyncSession, *, lots_max: int = LOTS_AT_ONCE) -> int:
    """Forfeit what is left of some lots that have expired; return of how many. For a job, until it returns 0.

    What open holds have of a lot stays with them; what they give back is forfeited by a later run.

    Args:
        session: Open unit of work; the caller commits. Holds and closes wait from here to the commit.
        lots_max: At least 1.
    """
    count: int = await alone(session, lambda connection: _expire(connection, lots_max))
    return count


def _expire(connection: Connection, lots_max: int) -> int:
    """Forfeit under the locks."""
    books = store.load_expired(connection, lots_max=lots_max, moment=clock.utc_now())
    count = transfers.expire(books)
    saving.save(connection, books)
    return count


def _check_scopes(scopes: Sequence[str]) -> None:
    """Refuse what no scope can be.

    Raises:
        ValueError: One is empty or too long.
    """
    if any(not 0 < len(scope) <= _SCOPE_CHARACTERS_MAX for scope in scopes):
        message = f"a scope has 1 to {_SCOPE_CHARACTERS_MAX} characters"
        raise ValueError(message)
