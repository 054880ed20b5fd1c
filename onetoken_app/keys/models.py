"""Tables of API keys and the projects they belong to, and of the keys under requests' fingerprints.

The secret of an API key is shown once and never stored.
"""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.clock import utc_now
from onetoken_app.database import READ_BY_THE_RELAY, UtcDateTime
from onetoken_app.identifiers import Kind, new_id


class Project(SQLModel, table=True):
    """What an organization tells its calls apart by; each key, and so each call, belongs to one. Never removed."""

    __tablename__ = "keys_project"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "name"),
        sa.Index("uq_keys_project_submission", "organization_id", "submission_id", unique=True),
        sa.Index(
            "uq_keys_project_default",
            "organization_id",
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        ),
    )

    id: str = Field(default_factory=lambda: new_id(Kind.PROJECT), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", max_length=32)
    name: str = Field(max_length=64)
    """Unique in its organization, archived ones included, so that history reads well."""
    is_default: bool = Field(default=False)
    """Where keys go of which nobody says it; one an organization, made with its first key."""
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    archived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Set: no key is minted into it any more."""
    submission_id: str | None = Field(default=None, max_length=64)
    """Made once per form: the same form sent twice is one project. Unset: no form made it."""


class ApiKey(SQLModel, table=True):
    """One key of an organization."""

    __tablename__ = "keys_api_key"
    __table_args__ = (
        sa.Index(
            "uq_keys_api_key_name_in_use",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
        {"info": READ_BY_THE_RELAY},
    )

    id: str = Field(default_factory=lambda: new_id(Kind.API_KEY), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", index=True, max_length=32)
    project_id: str = Field(foreign_key="keys_project.id", index=True, max_length=32)
    """Whose calls are counted there from now on; earlier ones stay where they were counted."""
    name: str = Field(max_length=64)
    secret_digest: bytes = Field(unique=True, sa_type=sa.LargeBinary(32))
    """HMAC-SHA-256 of the whole key with the installation's pepper."""
    last_four: str = Field(max_length=4)
    created_at: datetime = Field(default_factory=utc_now, sa_type=UtcDateTime)
    created_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    """Unset: the operator."""
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_restricted_to_models: bool = Field(default=False)
    """Whether only the models listed for it may be called; a list that became empty allows none."""


class KeyModelPermission(SQLModel, table=True):
    """A model that a restricted key may call."""

    __tablename__ = "keys_model_permission"
    __table_args__ = {"info": READ_BY_THE_RELAY}

    api_key_id: str = Field(foreign_key="keys_api_key.id", primary_key=True, max_length=32)
    model_id: str = Field(foreign_key="catalog_model.id", primary_key=True, max_length=32)


class FingerprintKey(SQLModel, table=True):
    """What the fingerprints of one day's requests are made with; when it is gone, nothing can be told from them."""

    __tablename__ = "keys_fingerprint_key"

    day: date = Field(primary_key=True)
    """Of UTC."""
    sealed_key: bytes = Field(sa_type=sa.LargeBinary)
    """Overwritten and deleted when the next day is over."""
