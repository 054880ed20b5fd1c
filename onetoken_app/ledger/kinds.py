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


class TransactionKind(StrEnum):
    """Why money moved."""

    GRANT = "grant"
    """The operator gave credit."""
    CLOSE = "close"
    """A hold was closed; without postings when nothing is charged."""


class Outcome(StrEnum):
    """How a hold ended."""

    SETTLED = "settled"
    """Charged for what was delivered."""
    VOIDED = "voided"
    """Nothing was delivered; nothing is charged."""
    RECOVERED = "recovered"
    """Its process died; charged for the last durable progress, or nothing."""
