"""Create the rooms that people come in by: mailed links, invitations, declared uses and statements, the outbox.

Acceptances and declarations are evidence: from here on the database itself refuses to change them.

Revision: 20261124a; follows: 20261123a.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers

revision = "20261124a"
down_revision = "20261123a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "identity_mailed_link",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_mailed_link")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_identity_mailed_link_secret_digest")),
    )
    op.create_index(op.f("ix_identity_mailed_link_email"), "identity_mailed_link", ["email"], unique=False)
    op.create_index(op.f("ix_identity_mailed_link_expires_at"), "identity_mailed_link", ["expires_at"], unique=False)
    op.create_table(
        "notifications_letter",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.String(length=32), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications_letter")),
    )
    op.create_index(op.f("ix_notifications_letter_due_at"), "notifications_letter", ["due_at"], unique=False)
    op.create_table(
        "agreements_declaration",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("signatory_name", sa.String(length=120), nullable=False),
        sa.Column("signatory_title", sa.String(length=120), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("caller_ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_agreements_declaration_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_agreements_declaration_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements_declaration")),
    )
    op.create_index(
        op.f("ix_agreements_declaration_organization_id"), "agreements_declaration", ["organization_id"], unique=False
    )
    op.create_table(
        "organizations_declared_scenario",
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("scenario", sa.String(length=32), nullable=False),
        sa.Column("declared_by", sa.String(length=32), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["declared_by"], ["identity_person.id"], name=op.f("fk_organizations_declared_scenario_declared_by")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_organizations_declared_scenario_organization_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "scenario", name=op.f("pk_organizations_declared_scenario")),
    )
    op.create_table(
        "organizations_invitation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("invited_by", sa.String(length=32), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("accepted_by", sa.String(length=32), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["accepted_by"], ["identity_person.id"], name=op.f("fk_organizations_invitation_accepted_by")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["identity_person.id"], name=op.f("fk_organizations_invitation_invited_by")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_organizations_invitation_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations_invitation")),
    )
    op.create_index(
        op.f("ix_organizations_invitation_organization_id"),
        "organizations_invitation",
        ["organization_id"],
        unique=False,
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in ("agreements_acceptance", "agreements_declaration"):
        for statement in append_only_triggers(table, is_sqlite=is_sqlite):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    for name in ("refuses_update", "refuses_delete") if op.get_bind().dialect.name == "sqlite" else ():
        op.execute(f"DROP TRIGGER agreements_acceptance_{name}")
    for name in ("is_append_only", "is_not_truncated") if op.get_bind().dialect.name == "postgresql" else ():
        op.execute(f"DROP TRIGGER agreements_acceptance_{name} ON agreements_acceptance")
    op.drop_index(op.f("ix_organizations_invitation_organization_id"), table_name="organizations_invitation")
    op.drop_table("organizations_invitation")
    op.drop_table("organizations_declared_scenario")
    op.drop_index(op.f("ix_agreements_declaration_organization_id"), table_name="agreements_declaration")
    op.drop_table("agreements_declaration")
    op.drop_index(op.f("ix_notifications_letter_due_at"), table_name="notifications_letter")
    op.drop_table("notifications_letter")
    op.drop_index(op.f("ix_identity_mailed_link_expires_at"), table_name="identity_mailed_link")
    op.drop_index(op.f("ix_identity_mailed_link_email"), table_name="identity_mailed_link")
    op.drop_table("identity_mailed_link")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
