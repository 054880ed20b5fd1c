"""The table of what people decided alone; ``alone.py`` writes and counts it."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.money import Currency

JOURNAL_TABLES = ("payments_decided_alone",)
"""Tables whose rows are only ever inserted."""


class AloneKind(StrEnum):
    """What somebody of finance decided without a colleague."""

    TRANSFER = "transfer"
    """That a transfer arrived."""
    REFUND = "refund"
    """That money goes back."""
    GRANT = "grant"
    """Credit that is given."""
    ADJUSTMENT = "adjustment"
    """A balance that was put right."""
    CONTRACT = "contract"
    """A credit limit."""


class DecidedAlone(SQLModel, table=True):
    """A decision that one person made alone. Rows are evidence: they are added, never changed."""

    __tablename__ = "payments_decided_alone"
    __table_args__ = (
        sa.CheckConstraint("amount_nanos >= 0", name="amount_is_not_negative"),
        sa.Index("ix_payments_decided_alone_person_id_decided_at", "person_id", "decided_at"),
    )

    kind: AloneKind = Field(primary_key=True, sa_type=enum_type(AloneKind))
    subject_id: str = Field(primary_key=True, max_length=64)
    """Which grant, order, refund, adjustment or contract."""
    person_id: str = Field(foreign_key="identity_person.id", max_length=32)
    currency: Currency = Field(sa_type=enum_type(Currency))
    amount_nanos: int = Field(sa_type=sa.BigInteger)
    """What is given and what is taken count alike."""
    decided_at: datetime = Field(sa_type=UtcDateTime)
