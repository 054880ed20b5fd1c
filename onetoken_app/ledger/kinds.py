"""The ledger's closed words. Apart from the tables, so that the writer process starts without an ORM."""

from enum import StrEnum


class AccountKind(StrEnum):
    """What an account is for."""

    PREPAID = "prepaid"
    """A customer's money."""
    REVENUE = "revenue"
    """What customers were charged."""
    ABSORBED = "absorbed"
    """Charges that no balance covered; we bear them."""
    GRANTS = "grants"
    """Where credit given by the operator comes from; goes negative."""
    CLEARING = "clearing"
    """Where money that customers paid comes from; its negative is what bank accounts received."""


class TransactionKind(StrEnum):
    """Why money moved."""

    GRANT = "grant"
    """The operator gave credit."""
    TOP_UP = "top_up"
    """A customer paid."""
    CLOSE = "close"
    """A hold was closed; without postings when nothing is charged."""
    CORRECTION = "correction"
    """The true end of a call arrived after its hold was recovered; brings the charge to the true amount."""


CORRECTION_PREFIX = "correction:"
"""What a correction's reference begins with; the request's id follows."""
CREDIT_SOURCES = {TransactionKind.GRANT: AccountKind.GRANTS, TransactionKind.TOP_UP: AccountKind.CLEARING}
"""Kinds of credit, and the platform's account that each comes from."""


class Outcome(StrEnum):
    """How a hold ended."""

    SETTLED = "settled"
    """Charged for what was delivered."""
    VOIDED = "voided"
    """Nothing was delivered; nothing is charged."""
    RECOVERED = "recovered"
    """Its process died; charged for the last durable progress, or nothing."""
