"""The ledger's closed words. Apart from the tables, so that the writer process starts without an ORM."""

from enum import StrEnum


class AccountKind(StrEnum):
    """What an account is for."""

    PREPAID = "prepaid"
    """A customer's money."""
    PROMOTIONAL = "promotional"
    """A lot of credit that was given and expires; never invoiced."""
    PACKAGE = "package"
    """A lot of credit that was paid for and has a validity, for some models alone if it names scopes."""
    REVENUE = "revenue"
    """What customers were charged."""
    ABSORBED = "absorbed"
    """Charges that no balance covered; we bear them."""
    GRANTS = "grants"
    """Where credit given by the operator comes from; goes negative."""
    CLEARING = "clearing"
    """Where money that customers paid comes from, one account per payment provider (the bank's has no name); its
    negative is what was received there and not paid back."""
    FORFEITED = "forfeited"
    """Credit that was not used before it expired."""
    ADJUSTMENTS = "adjustments"
    """The other side of what the operator put right by hand."""


class TransactionKind(StrEnum):
    """Why money moved."""

    GRANT = "grant"
    """The operator gave credit."""
    TOP_UP = "top_up"
    """A customer paid."""
    PROMOTION = "promotion"
    """The operator gave credit that expires; opens a lot."""
    PACKAGE_SALE = "package_sale"
    """A customer turned prepaid money into a package; opens a lot."""
    EXPIRY = "expiry"
    """What was left of a lot was forfeited."""
    ADJUSTMENT = "adjustment"
    """The operator put a balance right, up or down."""
    REFUND = "refund"
    """Unused money went back to the customer."""
    REFUND_RETURN = "refund_return"
    """A refund could not be paid out; undoes it."""
    REVERSAL = "reversal"
    """Undoes another transaction, once."""
    CREDIT_LIMIT = "credit_limit"
    """The floor of an account was changed; no money moved."""
    FREEZE = "freeze"
    """An owner may place no new hold; no money moved."""
    UNFREEZE = "unfreeze"
    """An owner may place holds again; no money moved."""
    CLOSE = "close"
    """A hold was closed; without postings when nothing is charged."""
    CORRECTION = "correction"
    """The true end of a call arrived after its hold was recovered; brings the charge to the true amount."""


CORRECTION_PREFIX = "correction:"
"""What a correction's reference begins with; the request's id follows."""
LOT_KINDS = (AccountKind.PROMOTIONAL, AccountKind.PACKAGE)
"""Accounts of which an owner may have several in one currency."""
SPENDABLE_KINDS = (*LOT_KINDS, AccountKind.PREPAID)
"""Whose money a hold takes, in this order; within a kind what expires first."""
ROUTES = {
    TransactionKind.GRANT: {(AccountKind.GRANTS, AccountKind.PREPAID)},
    TransactionKind.TOP_UP: {(AccountKind.CLEARING, AccountKind.PREPAID)},
    TransactionKind.PROMOTION: {(AccountKind.GRANTS, AccountKind.PROMOTIONAL)},
    TransactionKind.PACKAGE_SALE: {(AccountKind.PREPAID, AccountKind.PACKAGE)},
    TransactionKind.EXPIRY: {(kind, AccountKind.FORFEITED) for kind in LOT_KINDS},
    TransactionKind.ADJUSTMENT: {
        (AccountKind.ADJUSTMENTS, AccountKind.PREPAID),
        (AccountKind.PREPAID, AccountKind.ADJUSTMENTS),
    },
    TransactionKind.REFUND: {(AccountKind.PREPAID, AccountKind.CLEARING)},
}
"""Kinds that are one posting, and the accounts it may go from and to."""
OPENING_KINDS = frozenset({TransactionKind.PROMOTION, TransactionKind.PACKAGE_SALE})
"""Kinds whose posting is the first to a lot, and whose hash covers what the lot is."""
UNDOING_KINDS = frozenset({TransactionKind.REVERSAL, TransactionKind.REFUND_RETURN})
"""Kinds that post the opposite of another transaction."""
TERMS_KINDS = frozenset({TransactionKind.CREDIT_LIMIT, TransactionKind.FREEZE, TransactionKind.UNFREEZE})
"""Kinds that move nothing and say what an owner may do from then on."""


class Outcome(StrEnum):
    """How a hold ended."""

    SETTLED = "settled"
    """Charged for what was delivered."""
    VOIDED = "voided"
    """Nothing was delivered; nothing is charged."""
    RECOVERED = "recovered"
    """Its process died; charged for the last durable progress, or nothing."""
