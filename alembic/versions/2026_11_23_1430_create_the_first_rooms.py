"""Create the first rooms: every table, the triggers that keep journals journals, and the auditor's view.

Revision: 20261123a; follows: nothing.
"""

import sqlalchemy as sa
from alembic import op

from onetoken_app.ledger.schema import append_only_triggers, create_statements, drop_statements

revision = "20261123a"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    wait_briefly_for_locks()
    op.create_table(
        "audit_entry",
        sa.Column("sequence_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("actor_kind", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=True),
        sa.Column("facts", sa.String(length=2000), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sequence_number", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_organization_id"), "audit_entry", ["organization_id"], unique=False)

    op.create_table(
        "catalog_channel",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("base_url", sa.String(length=512), nullable=False),
        sa.Column("credential_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("bills_after_hang_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_channel")),
        sa.UniqueConstraint("name", name=op.f("uq_catalog_channel_name")),
    )
    op.create_table(
        "catalog_model",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("owned_by", sa.String(length=64), nullable=False),
        sa.Column("context_window_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens_max", sa.Integer(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_model")),
        sa.UniqueConstraint("name", name=op.f("uq_catalog_model_name")),
    )
    op.create_table(
        "identity_person",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_person")),
        sa.UniqueConstraint("email", name=op.f("uq_identity_person_email")),
    )
    op.create_table(
        "identity_sign_in_throttle",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("failure_count", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_identity_sign_in_throttle")),
    )
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("floor_nanos", sa.BigInteger(), nullable=True),
        sa.Column("posted_nanos", sa.BigInteger(), nullable=False),
        sa.Column("held_nanos", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "floor_nanos IS NULL OR posted_nanos - held_nanos >= floor_nanos",
            name=op.f("ck_ledger_account_balance_is_above_floor"),
        ),
        sa.CheckConstraint("held_nanos >= 0", name=op.f("ck_ledger_account_held_is_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint("owner_id", "kind", "currency", name=op.f("uq_ledger_account_owner_id_kind_currency")),
    )
    op.create_table(
        "ledger_epoch",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_epoch")),
        sa.UniqueConstraint("number", name=op.f("uq_ledger_epoch_number")),
    )
    op.create_table(
        "ledger_transaction",
        sa.Column("sequence_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sequence_number", name=op.f("pk_ledger_transaction")),
        sa.UniqueConstraint("reference", name=op.f("uq_ledger_transaction_reference")),
    )
    op.create_table(
        "organizations_organization",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("registration_code", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("suspended_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations_organization")),
        sa.UniqueConstraint("registration_code", name=op.f("uq_organizations_organization_registration_code")),
    )
    op.create_table(
        "policy_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_revision")),
    )
    op.create_table(
        "pricing_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_version")),
    )
    op.create_index(op.f("ix_pricing_version_effective_at"), "pricing_version", ["effective_at"], unique=False)

    op.create_table(
        "usage_record",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("api_key_id", sa.String(length=32), nullable=False),
        sa.Column("interface_path", sa.String(length=64), nullable=False),
        sa.Column("is_streaming", sa.Boolean(), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("model_name", sa.String(length=128), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("region", sa.String(length=16), nullable=False),
        sa.Column("price_version_id", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("usage_source", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("charge_nanos", sa.BigInteger(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=False),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("first_byte_ms", sa.Integer(), nullable=True),
        sa.Column("caller_ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.Column("upstream_request_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_usage_record")),
    )
    op.create_index("ix_usage_record_key_time", "usage_record", ["api_key_id", "requested_at"], unique=False)
    op.create_index(
        "ix_usage_record_organization_time", "usage_record", ["organization_id", "requested_at"], unique=False
    )
    op.create_index(op.f("ix_usage_record_requested_at"), "usage_record", ["requested_at"], unique=False)

    op.create_table(
        "agreements_acceptance",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("signatory_name", sa.String(length=120), nullable=False),
        sa.Column("signatory_title", sa.String(length=120), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("caller_ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_agreements_acceptance_organization_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["identity_person.id"], name=op.f("fk_agreements_acceptance_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements_acceptance")),
    )
    op.create_index(
        op.f("ix_agreements_acceptance_organization_id"), "agreements_acceptance", ["organization_id"], unique=False
    )

    op.create_table(
        "agreements_confirmation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_agreements_confirmation_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements_confirmation")),
    )
    op.create_index(
        op.f("ix_agreements_confirmation_organization_id"), "agreements_confirmation", ["organization_id"], unique=False
    )

    op.create_table(
        "catalog_route",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("upstream_model", sa.String(length=128), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["catalog_channel.id"], name=op.f("fk_catalog_route_channel_id")),
        sa.ForeignKeyConstraint(["model_id"], ["catalog_model.id"], name=op.f("fk_catalog_route_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_route")),
        sa.UniqueConstraint("model_id", "channel_id", name=op.f("uq_catalog_route_model_id_channel_id")),
    )
    op.create_index(op.f("ix_catalog_route_channel_id"), "catalog_route", ["channel_id"], unique=False)

    op.create_table(
        "identity_sign_in_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("caller_ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_identity_sign_in_session_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_sign_in_session")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_identity_sign_in_session_secret_digest")),
    )
    op.create_index(
        op.f("ix_identity_sign_in_session_expires_at"), "identity_sign_in_session", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_identity_sign_in_session_person_id"), "identity_sign_in_session", ["person_id"], unique=False
    )

    op.create_table(
        "identity_staff_membership",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_identity_staff_membership_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_identity_staff_membership")),
    )
    op.create_table(
        "keys_api_key",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=True),
        sa.Column("is_restricted_to_models", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["identity_person.id"], name=op.f("fk_keys_api_key_created_by")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations_organization.id"], name=op.f("fk_keys_api_key_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys_api_key")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_keys_api_key_secret_digest")),
    )
    op.create_index(op.f("ix_keys_api_key_organization_id"), "keys_api_key", ["organization_id"], unique=False)
    op.create_index(
        "uq_keys_api_key_name_in_use",
        "keys_api_key",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )

    op.create_table(
        "ledger_hold",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=32), nullable=False),
        sa.Column("epoch_id", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("context", sa.LargeBinary(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.CheckConstraint("amount_nanos >= 0", name=op.f("ck_ledger_hold_hold_is_not_negative")),
        sa.ForeignKeyConstraint(["epoch_id"], ["ledger_epoch.id"], name=op.f("fk_ledger_hold_epoch_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_ledger_hold")),
    )
    op.create_table(
        "ledger_posting",
        sa.Column("transaction_number", sa.BigInteger(), nullable=False),
        sa.Column("posting_number", sa.Integer(), nullable=False),
        sa.Column("from_account_id", sa.String(length=32), nullable=False),
        sa.Column("to_account_id", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_ledger_posting_amount_is_positive")),
        sa.CheckConstraint("from_account_id <> to_account_id", name=op.f("ck_ledger_posting_accounts_differ")),
        sa.ForeignKeyConstraint(
            ["from_account_id"], ["ledger_account.id"], name=op.f("fk_ledger_posting_from_account_id")
        ),
        sa.ForeignKeyConstraint(["to_account_id"], ["ledger_account.id"], name=op.f("fk_ledger_posting_to_account_id")),
        sa.ForeignKeyConstraint(
            ["transaction_number"],
            ["ledger_transaction.sequence_number"],
            name=op.f("fk_ledger_posting_transaction_number"),
        ),
        sa.PrimaryKeyConstraint("transaction_number", "posting_number", name=op.f("pk_ledger_posting")),
    )
    op.create_table(
        "organizations_membership",
        sa.Column("organization_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations_organization.id"],
            name=op.f("fk_organizations_membership_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["identity_person.id"], name=op.f("fk_organizations_membership_person_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "person_id", name=op.f("pk_organizations_membership")),
    )
    op.create_index(
        op.f("ix_organizations_membership_person_id"), "organizations_membership", ["person_id"], unique=False
    )

    op.create_table(
        "pricing_rate",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("micros_per_million", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["catalog_model.id"], name=op.f("fk_pricing_rate_model_id")),
        sa.ForeignKeyConstraint(["version_id"], ["pricing_version.id"], name=op.f("fk_pricing_rate_version_id")),
        sa.PrimaryKeyConstraint("version_id", "model_id", "kind", name=op.f("pk_pricing_rate")),
    )
    op.create_index(op.f("ix_pricing_rate_model_id"), "pricing_rate", ["model_id"], unique=False)

    op.create_table(
        "keys_model_permission",
        sa.Column("api_key_id", sa.String(length=32), nullable=False),
        sa.Column("model_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["api_key_id"], ["keys_api_key.id"], name=op.f("fk_keys_model_permission_api_key_id")),
        sa.ForeignKeyConstraint(["model_id"], ["catalog_model.id"], name=op.f("fk_keys_model_permission_model_id")),
        sa.PrimaryKeyConstraint("api_key_id", "model_id", name=op.f("pk_keys_model_permission")),
    )
    op.create_table(
        "ledger_hold_close",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("absorbed_nanos", sa.BigInteger(), nullable=False),
        sa.Column("usage_source", sa.String(length=32), nullable=False),
        sa.Column("transaction_number", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.CheckConstraint("amount_nanos >= 0", name=op.f("ck_ledger_hold_close_charge_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ledger_hold.request_id"], name=op.f("fk_ledger_hold_close_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_number"],
            ["ledger_transaction.sequence_number"],
            name=op.f("fk_ledger_hold_close_transaction_number"),
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_ledger_hold_close")),
        sa.UniqueConstraint("transaction_number", name=op.f("uq_ledger_hold_close_transaction_number")),
    )
    op.create_table(
        "ledger_hold_part",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("part_number", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_nanos >= 0", name=op.f("ck_ledger_hold_part_part_is_not_negative")),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"], name=op.f("fk_ledger_hold_part_account_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ledger_hold.request_id"], name=op.f("fk_ledger_hold_part_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "part_number", name=op.f("pk_ledger_hold_part")),
    )
    op.create_table(
        "ledger_hold_progress",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("context", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ledger_hold.request_id"], name=op.f("fk_ledger_hold_progress_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_ledger_hold_progress")),
    )
    op.create_table(
        "ledger_open_hold",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("epoch_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["epoch_id"], ["ledger_epoch.id"], name=op.f("fk_ledger_open_hold_epoch_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["ledger_hold.request_id"], name=op.f("fk_ledger_open_hold_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_ledger_open_hold")),
    )
    op.execute("INSERT INTO policy_revision (id, number) VALUES (1, 0)")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    statements = [*create_statements(is_sqlite=is_sqlite), *append_only_triggers("audit_entry", is_sqlite=is_sqlite)]
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go back."""
    wait_briefly_for_locks()
    op.drop_table("audit_entry")
    for statement in drop_statements(is_sqlite=op.get_bind().dialect.name == "sqlite"):
        op.get_bind().exec_driver_sql(statement)
    op.drop_table("ledger_open_hold")
    op.drop_table("ledger_hold_progress")
    op.drop_table("ledger_hold_part")
    op.drop_table("ledger_hold_close")
    op.drop_table("keys_model_permission")

    op.drop_table("pricing_rate")

    op.drop_table("organizations_membership")
    op.drop_table("ledger_posting")
    op.drop_table("ledger_hold")

    op.drop_table("keys_api_key")
    op.drop_table("identity_staff_membership")

    op.drop_table("identity_sign_in_session")

    op.drop_table("catalog_route")

    op.drop_table("agreements_confirmation")

    op.drop_table("agreements_acceptance")

    op.drop_table("usage_record")

    op.drop_table("pricing_version")
    op.drop_table("policy_revision")
    op.drop_table("organizations_organization")
    op.drop_table("ledger_transaction")
    op.drop_table("ledger_epoch")
    op.drop_table("ledger_account")
    op.drop_table("identity_sign_in_throttle")
    op.drop_table("identity_person")
    op.drop_table("catalog_model")
    op.drop_table("catalog_channel")


def wait_briefly_for_locks() -> None:
    """Give up after five seconds rather than stand in the way of every call that wants the same table."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
