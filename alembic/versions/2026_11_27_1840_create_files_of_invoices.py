"""Create files of invoices: what they are, and their sealed bytes apart.

Revision: 20261127fi; follows: 20261127tp.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127fi"
down_revision = "20261127tp"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "billing_invoice_file",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("invoice_id", sa.String(length=32), nullable=False),
        sa.Column("paper_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=32), nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["billing_invoice.id"], name=op.f("fk_billing_invoice_file_invoice_id")),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["identity_person.id"], name=op.f("fk_billing_invoice_file_uploaded_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_invoice_file")),
        sa.UniqueConstraint("paper_id", "format", name=op.f("uq_billing_invoice_file_paper_id_format")),
    )
    op.create_index(op.f("ix_billing_invoice_file_invoice_id"), "billing_invoice_file", ["invoice_id"])
    op.create_table(
        "billing_sealed_invoice_file",
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("bytes_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["billing_invoice_file.id"], name=op.f("fk_billing_sealed_invoice_file_file_id")
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_billing_sealed_invoice_file")),
    )


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("billing_sealed_invoice_file")
    op.drop_table("billing_invoice_file")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
