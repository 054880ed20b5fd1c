"""The audit table. Each row carries the hash of the one before it, so that an edit or a deletion shows."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type


class ActorKind(StrEnum):
    """Who acted."""

    PERSON = "person"
    """A signed-in person; the actor id is theirs."""
    OPERATOR = "operator"
    """Whoever runs commands on the server."""
    SYSTEM = "system"
    """A job or the relay itself."""


class AuditEntry(SQLModel, table=True):
    """One act."""

    __tablename__ = "audit_entry"

    sequence_number: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    """From 1 without gaps."""
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    actor_kind: ActorKind = Field(sa_type=enum_type(ActorKind))
    actor_id: str = Field(default="", max_length=32)
    action: str = Field(max_length=64)
    """A constant such as ``api_key_minted``."""
    subject_id: str = Field(default="", max_length=64)
    """The thing acted upon."""
    organization_id: str | None = Field(default=None, index=True, max_length=32)
    facts: str = Field(default="{}", max_length=2000)
    """A JSON object of ids, numbers and closed words; never a secret, never content."""
    previous_hash: bytes = Field(sa_type=sa.LargeBinary(32))
    hash: bytes = Field(sa_type=sa.LargeBinary(32))
