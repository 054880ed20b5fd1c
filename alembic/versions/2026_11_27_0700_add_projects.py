"""Add projects: each organization that has keys gets a default one, which its keys and their calls belong to.

Revision: 20261127p; follows: 20261124d.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127p"
down_revision = "20261124d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "keys_project",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_keys_project_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_project")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_keys_project_organization_id_name")),
    )
    op.create_index(
        "uq_keys_project_default",
        "keys_project",
        ["organization_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    with op.batch_alter_table("keys_api_key") as batch:
        batch.add_column(sa.Column("project_id", sa.String(length=32), nullable=True))
    op.add_column(
        "usage_record", sa.Column("project_id", sa.String(length=32), nullable=False, server_default="")
    )
    _put_default_projects()
    with op.batch_alter_table("keys_api_key") as batch:
        batch.alter_column("project_id", existing_type=sa.String(length=32), nullable=False)
        batch.create_foreign_key(op.f("fk_keys_api_key_project_id"), "keys_project", ["project_id"], ["id"])
        batch.create_index(op.f("ix_keys_api_key_project_id"), ["project_id"])


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    with op.batch_alter_table("usage_record") as batch:
        batch.drop_column("project_id")
    with op.batch_alter_table("keys_api_key") as batch:
        batch.drop_index(op.f("ix_keys_api_key_project_id"))
        batch.drop_constraint(op.f("fk_keys_api_key_project_id"), type_="foreignkey")
        batch.drop_column("project_id")
    op.drop_table("keys_project")


def _put_default_projects() -> None:
    """Give each organization with keys its default project, and put its keys and calls there."""
    op.execute(
        "INSERT INTO keys_project (id, organization_id, name, is_default, created_at) "
        "SELECT 'prj_' || substr(organization_id, 5), organization_id, 'Default', TRUE, min(created_at) "
        "FROM keys_api_key GROUP BY organization_id"
    )
    op.execute("UPDATE keys_api_key SET project_id = 'prj_' || substr(organization_id, 5)")
    op.execute(
        "UPDATE usage_record SET project_id = COALESCE("
        "(SELECT project_id FROM keys_api_key WHERE keys_api_key.id = usage_record.api_key_id), '')"
    )


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
