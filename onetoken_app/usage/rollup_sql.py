"""The roll-ups' own SQL, in the words of both databases: sums are made where the rows are."""

from onetoken_app.usage.models import UsageRollup

COUNTERS = (
    "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
    "reasoning_tokens", "audio_in_tokens", "image_in_tokens", "audio_out_tokens", "image_out_tokens", "request_count",
    "image_count", "audio_ms", "web_search_count", "file_search_count", "tool_call_count",
)  # fmt: skip
"""What a record counts, and a roll-up adds up."""
PLACE = (
    "organization_id", "quarter_at", "model_id", "api_key_id", "project_id", "channel_id", "currency", "cost_currency",
)  # fmt: skip
"""What a roll-up is of."""
AMOUNTS = ("call_count", "error_count", *COUNTERS, "charge_nanos", "absorbed_nanos", "cost_nanos")
"""What a roll-up adds up."""

_TABLE = UsageRollup.__tablename__
_COLUMNS = (*PLACE, "model_name", *AMOUNTS)
_ADD = f"ON CONFLICT ({', '.join(PLACE)}) DO UPDATE SET model_name = excluded.model_name, " + ", ".join(
    f"{amount} = {_TABLE}.{amount} + excluded.{amount}" for amount in AMOUNTS
)


def quarter_of(column: str, *, is_sqlite: bool) -> str:
    """Return the expression for the beginning of a moment's quarter of an hour, in UTC."""
    if not is_sqlite:
        return f"date_bin('15 minutes', {column}, TIMESTAMPTZ '2000-01-01 00:00:00+00')"
    minute = f"substr('00153045', CAST(substr({column}, 15, 2) AS INTEGER) / 15 * 2 + 1, 2)"
    return f"substr({column}, 1, 14) || {minute} || '\\:00.000000Z'"


def add_closes(*, is_sqlite: bool) -> str:
    """Return the statement that adds the closes of a range of the journal, but for recovered ones.

    Those may be corrected, and what they were taken for is told by their holds, not by their records. The charge is the
    journal's; a close without a record, which only a void can have, counts as a call of nobody.
    """
    known = "record.request_id IS NOT NULL"
    sums = [
        "COUNT(*)",
        "SUM(CASE WHEN record.error_code <> '' THEN 1 ELSE 0 END)",
        *(f"SUM(COALESCE(record.{counter}, 0))" for counter in COUNTERS),
        "SUM(closing.amount_nanos)",
        "SUM(closing.absorbed_nanos)",
        "SUM(COALESCE(record.cost_nanos, 0))",
    ]
    place = [
        "hold.owner_id",
        quarter_of("closing.closed_at", is_sqlite=is_sqlite),
        *(f"CASE WHEN {known} THEN record.{name} ELSE '' END" for name in PLACE[2:6]),
        "hold.currency",
        "COALESCE(record.cost_currency, '')",
    ]
    return (
        f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) "  # noqa: S608 # our own constants
        f"SELECT {', '.join(place)}, COALESCE(MAX(record.model_name), ''), {', '.join(sums)} "
        "FROM ledger_hold_close AS closing "
        "JOIN ledger_hold AS hold ON hold.request_id = closing.request_id "
        "LEFT JOIN usage_record AS record ON record.request_id = closing.request_id "
        "WHERE closing.transaction_number > :after AND closing.transaction_number <= :until "
        "AND closing.outcome <> 'recovered' AND closing.closed_at >= :kept_before "
        "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 "
        f"{_ADD}"
    )


def add_one() -> str:
    """Return the statement that adds one contribution, each column by its name."""
    places = ", ".join(f":{column}" for column in _COLUMNS)
    return f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) VALUES ({places}) {_ADD}"  # noqa: S608 # our own constants


def first_difference(*, is_sqlite: bool) -> str:
    """Return the statement that finds a quarter of an organization where roll-ups and journal disagree."""
    amounts = "SUM(calls) AS calls, SUM(charge) AS charge, SUM(absorbed) AS absorbed"
    is_counted = "entry.sequence_number <= :after OR entry.recorded_at < :kept_before"
    journal = " UNION ALL ".join(
        f"SELECT hold.owner_id AS owner_id, hold.currency AS currency, "  # noqa: S608 # our own constants
        f"{quarter_of('entry.recorded_at', is_sqlite=is_sqlite)} AS quarter_at, {calls} AS calls, "
        f"moved.amount_nanos AS charge, moved.absorbed_nanos AS absorbed FROM {table} AS moved "
        "JOIN ledger_transaction AS entry ON entry.sequence_number = moved.transaction_number "
        f"JOIN ledger_hold AS hold ON hold.request_id = moved.request_id WHERE {is_counted}"
        for table, calls in (("ledger_hold_close", "1"), ("ledger_correction", "0"))
    )
    rolled_up = (
        f"SELECT organization_id, currency, quarter_at, -call_count, -charge_nanos, -absorbed_nanos FROM {_TABLE}"  # noqa: S608 # our own constants
    )
    return (
        f"SELECT owner_id, quarter_at FROM (SELECT owner_id, currency, quarter_at, {amounts} "  # noqa: S608 # our own constants
        f"FROM ({journal} UNION ALL {rolled_up}) AS moves GROUP BY owner_id, currency, quarter_at) AS sums "
        "WHERE calls <> 0 OR charge <> 0 OR absorbed <> 0 ORDER BY owner_id, quarter_at LIMIT 1"
    )
