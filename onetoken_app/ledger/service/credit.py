"""Moves credit between an owner's prepaid account and the platform's."""

import re

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.ledger.kinds import AccountKind, TransactionKind
from onetoken_app.ledger.service.posts import post_once
from onetoken_app.ledger.transfers import Place, Transfer, platform, prepaid
from onetoken_app.money import Currency, Nanos

_PROVIDER = re.compile(r"[a-z0-9_]{0,15}", re.ASCII)


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
    source, target = platform(AccountKind.GRANTS), prepaid(owner_id)
    await post_once(session, Transfer(TransactionKind.GRANT, reference, currency, amount_nanos, source, target))


async def top_up(
    session: AsyncSession,
    *,
    owner_id: str,
    currency: Currency,
    amount_nanos: Nanos,
    reference: str,
    provider: str = "",
) -> None:
    """Credit an owner with money that arrived, once per reference; a repeat with the same amount changes nothing.

    Args:
        session: Open unit of work; the caller commits. Other credits, holds and closes wait from here to the commit.
        owner_id: Whose prepaid account is credited.
        currency: Of the account.
        amount_nanos: More than 0.
        reference: Unique over the whole ledger; at most 128 characters.
        provider: Where the money arrived: each payment provider has a clearing account; empty for the bank. At most 15
            small letters, digits and underscores.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
        LedgerConflict: The reference stands for another movement of money.
    """
    source, target = _clearing(provider), prepaid(owner_id)
    await post_once(session, Transfer(TransactionKind.TOP_UP, reference, currency, amount_nanos, source, target))


async def refund(
    session: AsyncSession,
    *,
    owner_id: str,
    currency: Currency,
    amount_nanos: Nanos,
    reference: str,
    provider: str = "",
) -> None:
    """Take unused money from an owner, to be paid back through a provider, once per reference.

    Post it before the provider is told to pay, so that the money cannot be spent meanwhile; ``return_refund`` undoes
    it when the payout fails.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose prepaid account pays.
        currency: Of the account.
        amount_nanos: More than 0; at most what is available without the credit limit.
        reference: Unique over the whole ledger; at most 128 characters.
        provider: As in ``top_up``.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
        InsufficientFunds: So much is not there unused; the metadata says what is.
        LedgerConflict: The reference stands for another movement of money.
    """
    source, target = prepaid(owner_id), _clearing(provider)
    await post_once(session, Transfer(TransactionKind.REFUND, reference, currency, amount_nanos, source, target))


async def adjust(
    session: AsyncSession, *, owner_id: str, currency: Currency, amount_nanos: Nanos, reference: str
) -> None:
    """Put an owner's prepaid balance right by hand, once per reference. The caller keeps the reason.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose prepaid account changes.
        currency: Of the account.
        amount_nanos: More than 0 gives, less than 0 takes.
        reference: Unique over the whole ledger; at most 128 characters.

    Raises:
        NoSuchAccount: The owner has no account in this currency.
        InsufficientFunds: The balance would fall below its floor; the metadata says what can be taken.
        LedgerConflict: The reference stands for another movement of money.
    """
    source, target = platform(AccountKind.ADJUSTMENTS), prepaid(owner_id)
    if amount_nanos < 0:
        source, target = target, source
    amount = abs(amount_nanos)
    await post_once(session, Transfer(TransactionKind.ADJUSTMENT, reference, currency, amount, source, target))


def _clearing(provider: str) -> Place:
    """Say a provider's clearing account.

    Raises:
        ValueError: The provider's name cannot be part of an account's id.
    """
    if not _PROVIDER.fullmatch(provider):
        message = "a payment provider's name has at most 15 small letters, digits and underscores"
        raise ValueError(message)
    return platform(AccountKind.CLEARING, provider)
