"""No table can hold what was asked or answered, and no column for text appears unnoticed."""

import sqlalchemy as sa

from onetoken_app import tables

NAMES_OF_CONTENT = {
    "prompt", "prompts", "message", "messages", "content", "contents", "body", "bodies", "answer", "answers", "reply",
    "replies", "question", "questions", "instruction", "instructions", "completion", "completions", "payload",
    "transcript", "conversation", "snippet", "excerpt", "preview", "query", "request_json", "response_json",
}  # fmt: skip
"""Words that no column's name may have between its underscores."""
NAMES_OF_CONTENT_ALONE = {"text", "input", "output", "system", "history", "request", "response", "chunk"}
"""Words that may qualify a number or a digest (``input_tokens``), but may not be the whole name."""

TABLES_THE_RELAY_WRITES = ("usage_", "ledger_")
FREE_FORM_COLUMNS = {
    "ledger_account": {"id", "owner_id", "lot_id"},
    "ledger_budget": {"id", "owner_id", "subject"},
    "ledger_budget_period": {"budget_id", "period"},
    "ledger_hold_budget": {"request_id", "budget_id", "period"},
    "ledger_claim": {"digest", "request_id", "fingerprint"},
    "ledger_correction": {"request_id"},
    "ledger_epoch": {"id"},
    "ledger_hold": {"request_id", "owner_id", "epoch_id", "context"},
    "ledger_hold_close": {"request_id"},
    "ledger_hold_part": {"request_id", "account_id"},
    "ledger_hold_progress": {"request_id", "context"},
    "ledger_lot_scope": {"account_id", "scope"},
    "ledger_open_hold": {"request_id", "epoch_id"},
    "ledger_posting": {"from_account_id", "to_account_id"},
    "ledger_terms": {"owner_id", "account_id"},
    "ledger_transaction": {"reference", "previous_hash", "hash"},
    "usage_attempt": {"request_id", "model_id", "channel_id", "upstream_model"},
    "usage_record": {
        "request_id", "organization_id", "api_key_id", "interface_path", "model_id", "model_name", "channel_id",
        "region", "error_code", "caller_ip", "user_agent", "upstream_request_id", "project_id",
    },
    "usage_rollup": {
        "organization_id", "model_id", "api_key_id", "project_id", "channel_id", "cost_currency", "model_name",
    },
}  # fmt: skip
"""Every column of text or bytes in a table that a call reaches, each looked at: an id, a name of the catalog, a closed
word, a digest, counts packed by ``usage.recording``, or bounded and cleaned (User-Agent, upstream request id)."""

USAGE_RECORD_COLUMNS = {
    "request_id", "requested_at", "organization_id", "api_key_id", "interface_path", "is_streaming", "model_id",
    "model_name", "channel_id", "region", "price_version_id", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "usage_source", "currency",
    "charge_nanos", "response_status", "error_code", "attempt_count", "latency_ms", "first_byte_ms", "caller_ip",
    "user_agent", "upstream_request_id", "project_id",
    "audio_in_tokens", "image_in_tokens", "audio_out_tokens", "image_out_tokens",
    "request_count", "image_count", "audio_ms", "web_search_count", "file_search_count", "tool_call_count",
    "plan_ratio_ppm", "exchange_rate_version", "cost_nanos", "cost_currency",
}  # fmt: skip
"""What is kept of a call; ``docs/security.md`` promises exactly this."""


def named_for_content(metadata: sa.MetaData) -> list[str]:
    """Name the columns that sound as if they held content."""
    return [
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name in NAMES_OF_CONTENT_ALONE | NAMES_OF_CONTENT or NAMES_OF_CONTENT & set(column.name.split("_"))
    ]


def free_form_columns(metadata: sa.MetaData) -> dict[str, set[str]]:
    """Name every column of a table that a call reaches and that could hold any text or bytes."""
    return {
        table.name: free_form
        for table in metadata.tables.values()
        if table.name.startswith(TABLES_THE_RELAY_WRITES)
        and (free_form := {column.name for column in table.columns if is_free_form(column.type)})
    }


def is_free_form(kind: sa.types.TypeEngine[object]) -> bool:
    """Whether a type could hold a text of anybody's choice."""
    if isinstance(kind, sa.types.TypeDecorator):
        return is_free_form(kind.impl_instance)
    if isinstance(kind, sa.Enum):
        return False
    return isinstance(kind, sa.String | sa.LargeBinary | sa.JSON | sa.ARRAY | sa.types.NullType)


class TestContentColumns:
    def test_no_column_is_named_for_content(self) -> None:
        assert named_for_content(tables.metadata) == []

    def test_a_planted_one_is_found(self) -> None:
        metadata = sa.MetaData()
        sa.Table(
            "planted",
            metadata,
            sa.Column("prompt_text", sa.Text),
            sa.Column("text", sa.Text),
            sa.Column("prompt_tokens_x"),
        )
        assert named_for_content(metadata) == ["planted.prompt_text", "planted.text", "planted.prompt_tokens_x"]


class TestFreeFormColumns:
    def test_each_one_that_a_call_reaches_is_registered(self) -> None:
        assert free_form_columns(tables.metadata) == FREE_FORM_COLUMNS

    def test_a_new_text_column_is_found(self) -> None:
        metadata = sa.MetaData()
        sa.Table("usage_planted", metadata, sa.Column("remark", sa.Text), sa.Column("count", sa.Integer))
        assert free_form_columns(metadata) == {"usage_planted": {"remark"}}


class TestUsageRecord:
    def test_it_has_exactly_the_registered_columns(self) -> None:
        assert set(tables.metadata.tables["usage_record"].columns.keys()) == USAGE_RECORD_COLUMNS
