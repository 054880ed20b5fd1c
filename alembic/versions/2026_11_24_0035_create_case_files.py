"""Create case files: what organizations say and prove about themselves, and every step of deciding on it.

Revision: 20261124b; follows: 20261124a.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers

revision = "20261124b"
down_revision = "20261124a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "verification_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("round_number", sa.Integer(), nullable=False),
        sa.Column("legal_name", sa.String(length=200), nullable=False),
        sa.Column("registration_code", sa.String(length=64), nullable=False),
        sa.Column("legal_representative", sa.String(length=120), nullable=False),
        sa.Column("registered_address", sa.String(length=300), nullable=False),
        sa.Column("contact_name", sa.String(length=120), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("submitted_by", sa.String(length=32), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("reviewer_id", sa.String(length=32), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_verification_case_organization_id")
        ),
        sa.ForeignKeyConstraint(["reviewer_id"], ["identity_person.id"], name=op.f("fk_verification_case_reviewer_id")),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["identity_person.id"], name=op.f("fk_verification_case_submitted_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_case")),
        sa.UniqueConstraint("organization_id", name=op.f("uq_verification_case_organization_id")),
    )
    op.create_index(op.f("ix_verification_case_state"), "verification_case", ["state"], unique=False)
    op.create_table(
        "verification_document",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=32), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_verification_document_case_id")),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["identity_person.id"], name=op.f("fk_verification_document_uploaded_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_document")),
    )
    op.create_index(op.f("ix_verification_document_case_id"), "verification_document", ["case_id"], unique=False)
    op.create_table(
        "verification_event",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("actor_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("particulars_json", sa.String(length=4000), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["verification_case.id"], name=op.f("fk_verification_event_case_id")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_verification_event")),
    )
    op.create_table(
        "verification_sealed_document",
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("bytes_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["verification_document.id"], name=op.f("fk_verification_sealed_document_document_id")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_verification_sealed_document")),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in append_only_triggers("verification_event", is_sqlite=is_sqlite):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("verification_sealed_document")
    op.drop_table("verification_event")
    op.drop_table("verification_document")
    op.drop_table("verification_case")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
