"""Tables of case files. A case is worked on; its events are evidence and only ever added.

A document's bytes stand in a table of their own, sealed with a key of their own, so that lists never read them. They
are in the database and not in a folder, because several servers share it, a backup has it whole, and a document and the
row that describes it are there together or not at all.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.identifiers import Kind, new_id

JOURNAL_TABLES = ("verification_event",)
"""Tables whose rows are only ever inserted."""


class CaseState(StrEnum):
    """How far a case is."""

    DRAFT = "draft"
    """The organization writes it."""
    SUBMITTED = "submitted"
    """It waits for somebody of the staff."""
    IN_REVIEW = "in_review"
    """Somebody of the staff looks at it."""
    MORE_WANTED = "more_wanted"
    """The staff asked; the organization adds and submits again."""
    APPROVED = "approved"
    """The organization is what it says."""
    REFUSED = "refused"
    """It is not, or may not be a customer; it may try again."""


class DocumentKind(StrEnum):
    """What a document proves."""

    BUSINESS_LICENCE = "business_licence"
    """That the organization exists."""
    AUTHORIZATION_LETTER = "authorization_letter"
    """That the person may act for it."""
    FILING = "filing"
    """A licence or filing that its use of models needs."""
    OTHER = "other"
    """What the staff asked for besides."""


class DocumentFormat(StrEnum):
    """What a file is, by its bytes; the value is its media type."""

    PDF = "application/pdf"
    """A document."""
    JPEG = "image/jpeg"
    """A photograph."""
    PNG = "image/png"
    """A picture."""


class MissingPart(StrEnum):
    """What a case needs before it can be submitted."""

    LEGAL_NAME = "legal_name"
    """Its name, as on the licence."""
    REGISTRATION_CODE = "registration_code"
    """Its code in the register."""
    LEGAL_REPRESENTATIVE = "legal_representative"
    """Who represents it by law."""
    REGISTERED_ADDRESS = "registered_address"
    """Where it is registered."""
    CONTACT_NAME = "contact_name"
    """Whom to ask."""
    CONTACT_PHONE = "contact_phone"
    """And where."""
    BUSINESS_LICENCE = "business_licence"
    """The document that proves that it exists."""
    AUTHORIZATION_LETTER = "authorization_letter"
    """The document that proves the person's authority."""


class ReviewReason(StrEnum):
    """Why more is wanted, or a case is refused."""

    DOCUMENT_MISSING = "document_missing"
    """A document that is needed is not there."""
    DOCUMENT_UNREADABLE = "document_unreadable"
    """It cannot be read."""
    DOCUMENT_EXPIRED = "document_expired"
    """It is no longer valid."""
    PARTICULARS_DIFFER = "particulars_differ"
    """The documents say something else than the particulars."""
    CODE_NOT_FOUND = "code_not_found"
    """The register does not know the code."""
    AUTHORITY_UNCLEAR = "authority_unclear"
    """It is in doubt whether the person may act for the organization."""
    USE_NOT_PERMITTED = "use_not_permitted"
    """The declared use is not permitted, or needs consent that is not on file."""
    NATURAL_PERSON = "natural_person"
    """It is no organization."""
    DUPLICATE_ORGANIZATION = "duplicate_organization"
    """It is a customer already under another account."""
    OTHER = "other"
    """What the words say."""


class Case(SQLModel, table=True):
    """An organization's case file: one each, opened again for every change."""

    __tablename__ = "verification_case"

    id: str = Field(default_factory=lambda: new_id(Kind.VERIFICATION_CASE), primary_key=True, max_length=32)
    organization_id: str = Field(foreign_key="organizations_organization.id", unique=True, max_length=32)
    state: CaseState = Field(default=CaseState.DRAFT, sa_type=enum_type(CaseState), index=True)
    revision: int = Field(default=1)
    """Counts up with every change; who acts names the one they saw."""
    round_number: int = Field(default=1)
    """From 1; a decided case that is opened again is in its next round."""
    legal_name: str = Field(default="", max_length=200)
    registration_code: str = Field(default="", max_length=64)
    legal_representative: str = Field(default="", max_length=120)
    registered_address: str = Field(default="", max_length=300)
    contact_name: str = Field(default="", max_length=120)
    contact_phone: str = Field(default="", max_length=40)
    created_at: datetime = Field(sa_type=UtcDateTime)
    submitted_by: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    submitted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reviewer_id: str | None = Field(default=None, foreign_key="identity_person.id", max_length=32)
    """Who of the staff took it."""
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Of the last approval, refusal or question."""
    reason: ReviewReason | None = Field(default=None, sa_type=enum_type(ReviewReason))
    words: str = Field(default="", max_length=1000)
    """The reviewer's own words to the organization."""


class CaseEvent(SQLModel, table=True):
    """One step of a case. Rows are evidence: they are added, never changed."""

    __tablename__ = "verification_event"

    case_id: str = Field(foreign_key="verification_case.id", primary_key=True, max_length=32)
    number: int = Field(primary_key=True)
    """From 1 within its case."""
    state: CaseState = Field(sa_type=enum_type(CaseState))
    """What the case is since."""
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    actor_id: str = Field(max_length=32)
    reason: ReviewReason | None = Field(default=None, sa_type=enum_type(ReviewReason))
    words: str = Field(default="", max_length=1000)
    particulars_json: str = Field(default="", max_length=4000)
    """What was submitted or approved, and the SHA-256 of each document; empty for other steps."""


class StoredDocument(SQLModel, table=True):
    """What is known of a document without opening it."""

    __tablename__ = "verification_document"

    id: str = Field(primary_key=True, max_length=32)
    case_id: str = Field(foreign_key="verification_case.id", index=True, max_length=32)
    kind: DocumentKind = Field(sa_type=enum_type(DocumentKind))
    name: str = Field(max_length=120)
    """What the person's file was called; printable, without a path."""
    format: DocumentFormat = Field(sa_type=enum_type(DocumentFormat))
    byte_count: int
    sha256: str = Field(max_length=64)
    uploaded_by: str = Field(foreign_key="identity_person.id", max_length=32)
    uploaded_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Set: its bytes are gone; that it was there stays known."""


class SealedDocument(SQLModel, table=True):
    """A document's bytes under a key of their own, and that key under the key-encryption key."""

    __tablename__ = "verification_sealed_document"

    document_id: str = Field(foreign_key="verification_document.id", primary_key=True, max_length=32)
    key_sealed: bytes = Field(sa_type=sa.LargeBinary)
    bytes_sealed: bytes = Field(sa_type=sa.LargeBinary)
