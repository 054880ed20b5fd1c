"""The record of a call: exactly the metadata that docs/security.md promises, and the sums of many.

No column here could hold content.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from onetoken_app.database import UtcDateTime, enum_type
from onetoken_app.money import RATIO_ONE_PPM, Currency
from onetoken_app.token_usage import UsageSource


class UsageRecord(SQLModel, table=True):
    """One finished call. Written in the transaction that closes its hold; replaced once by a correction of that."""

    __tablename__ = "usage_record"
    __table_args__ = (
        sa.Index("ix_usage_record_organization_time", "organization_id", "requested_at"),
        sa.Index("ix_usage_record_key_time", "api_key_id", "requested_at"),
    )

    request_id: str = Field(primary_key=True, max_length=32)
    requested_at: datetime = Field(sa_type=UtcDateTime, index=True)
    organization_id: str = Field(max_length=32)
    api_key_id: str = Field(max_length=32)
    interface_path: str = Field(max_length=64)
    """The path's template, such as ``/v1/chat/completions``."""
    is_streaming: bool = Field(default=False)
    model_id: str = Field(max_length=32)
    model_name: str = Field(max_length=128)
    """The catalog's name, so that history reads well after a rename; never an unknown name."""
    channel_id: str = Field(default="", max_length=32)
    """The channel whose bytes were delivered; empty when none were."""
    region: str = Field(default="", max_length=16)
    price_version_id: int
    input_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    """Uncached text input; all counts are disjoint, see ``token_usage``."""
    cache_read_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    cache_write_5m_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    cache_write_1h_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    output_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    reasoning_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    """A part of ``output_tokens``."""
    usage_source: UsageSource = Field(sa_type=enum_type(UsageSource))
    currency: Currency = Field(sa_type=enum_type(Currency))
    charge_nanos: int = Field(sa_type=sa.BigInteger)
    """What the organization paid; equals the postings of the hold's close and of its correction."""
    response_status: int
    """HTTP status that the caller got."""
    error_code: str = Field(default="", max_length=64)
    """A code of docs/relay-api.md, or empty."""
    attempt_count: int = Field(default=0)
    """Upstream attempts."""
    latency_ms: int = Field(default=0)
    first_byte_ms: int | None = Field(default=None)
    """From the request's arrival to the upstream's first byte."""
    caller_ip: str = Field(default="", max_length=45)
    user_agent: str = Field(default="", max_length=256)
    """Printable characters only."""
    upstream_request_id: str = Field(default="", max_length=128)
    """Only what matches ``[A-Za-z0-9._:-]{1,128}``."""
    project_id: str = Field(default="", max_length=32)
    """The key's project when the call arrived; empty when the key is unknown."""
    audio_in_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    image_in_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    audio_out_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    image_out_tokens: int = Field(default=0, sa_type=sa.BigInteger)
    request_count: int = Field(default=0, sa_type=sa.BigInteger)
    """1 where a price for the call itself applies to it."""
    image_count: int = Field(default=0, sa_type=sa.BigInteger)
    audio_ms: int = Field(default=0, sa_type=sa.BigInteger)
    web_search_count: int = Field(default=0, sa_type=sa.BigInteger)
    file_search_count: int = Field(default=0, sa_type=sa.BigInteger)
    tool_call_count: int = Field(default=0, sa_type=sa.BigInteger)
    plan_ratio_ppm: int = Field(default=RATIO_ONE_PPM, sa_type=sa.BigInteger)
    """The ratio that the charge was multiplied by, in parts per million."""
    exchange_rate_version: int = Field(default=0)
    """The exchange rate that the charge was converted at; 0: the price is in the charge's currency."""
    cost_nanos: int | None = Field(default=None, sa_type=sa.BigInteger)
    """What the delivered attempt costs the operator; unset: not known, which is not nothing."""
    cost_currency: Currency | None = Field(default=None, sa_type=enum_type(Currency))
    """What ``cost_nanos`` is in; set with it."""


class AttemptOutcome(StrEnum):
    """How an upstream attempt ended, in classes."""

    ANSWERED = "answered"
    """The whole answer came."""
    CUT = "cut"
    """It began to answer, and the answer did not come to its end: by whomever."""
    ABANDONED = "abandoned"
    """It was stopped before it answered: the caller left, or the server was stopped."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke before an answer."""
    TOO_SLOW = "too_slow"
    """It did not answer in time, or said that it could not."""
    BUSY = "busy"
    """It limits us: 429."""
    REFUSED = "refused"
    """It refused the request or our credential: another 4xx."""
    FAILED = "failed"
    """It failed: a 5xx, or an answer that nobody can use."""


class UsageAttempt(SQLModel, table=True):
    """One request that went upstream for a call. Written with the call's record in one transaction, purged with it.

    Ids of requests sort by time, so that a period of attempts is one stretch of the primary key.
    """

    __tablename__ = "usage_attempt"
    __table_args__ = {"sqlite_with_rowid": False}

    request_id: str = Field(primary_key=True, max_length=32)
    attempt_number: int = Field(primary_key=True)
    """From 1."""
    model_id: str = Field(max_length=32)
    channel_id: str = Field(max_length=32)
    upstream_model: str = Field(max_length=128)
    """What the provider calls the model; empty where recovery wrote the row, which does not know it."""
    began_at: datetime = Field(sa_type=UtcDateTime)
    """When it was sent; where recovery wrote the row, when the call arrived."""
    duration_ms: int
    outcome: AttemptOutcome = Field(sa_type=enum_type(AttemptOutcome))
    usage_source: UsageSource = Field(sa_type=enum_type(UsageSource))
    """Where the counts come from; ``none``: nothing was delivered of it."""
    input_tokens: int = Field(sa_type=sa.BigInteger)
    """All input, cached or not."""
    cache_read_tokens: int = Field(sa_type=sa.BigInteger)
    """The part of it that was found in the provider's cache."""
    output_tokens: int = Field(sa_type=sa.BigInteger)
    """All output, reasoning included."""
    cost_nanos: int | None = Field(default=None, sa_type=sa.BigInteger)
    """What it costs the operator; unset: not known, which is not nothing."""
    cost_currency: Currency | None = Field(default=None, sa_type=enum_type(Currency))
    """What ``cost_nanos`` is in; set with it."""
    cost_version_id: int | None = None
    """The version of the price book that it was computed with; set with it."""


class UsageRollup(SQLModel, table=True):
    """What the calls that closed in one quarter of an hour came to, for one combination of whom and what.

    Sums of the journal's closes and corrections, made by ``rollups.py``. A correction counts when it was recorded: it
    takes out what its call had been taken for and puts in what that was, so a row of it alone can be negative. All
    time zones are whole quarters of an hour from UTC, so that any of their days is made of whole rows.
    """

    __tablename__ = "usage_rollup"
    __table_args__ = {"sqlite_with_rowid": False}

    organization_id: str = Field(primary_key=True, max_length=32)
    quarter_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    """When the quarter of an hour began in which the calls closed."""
    model_id: str = Field(primary_key=True, max_length=32)
    api_key_id: str = Field(primary_key=True, max_length=32)
    project_id: str = Field(primary_key=True, max_length=32)
    channel_id: str = Field(primary_key=True, max_length=32)
    currency: Currency = Field(primary_key=True, sa_type=enum_type(Currency))
    """Of the charge."""
    cost_currency: str = Field(primary_key=True, max_length=3)
    """Of the cost; empty: what these calls cost the operator is not known, which is not nothing."""
    model_name: str = Field(max_length=128)
    """The catalog's name; the last one after a rename."""
    call_count: int = Field(sa_type=sa.BigInteger)
    error_count: int = Field(sa_type=sa.BigInteger)
    """Those of them that ended with an error code."""
    input_tokens: int = Field(sa_type=sa.BigInteger)
    cache_read_tokens: int = Field(sa_type=sa.BigInteger)
    cache_write_5m_tokens: int = Field(sa_type=sa.BigInteger)
    cache_write_1h_tokens: int = Field(sa_type=sa.BigInteger)
    output_tokens: int = Field(sa_type=sa.BigInteger)
    reasoning_tokens: int = Field(sa_type=sa.BigInteger)
    audio_in_tokens: int = Field(sa_type=sa.BigInteger)
    image_in_tokens: int = Field(sa_type=sa.BigInteger)
    audio_out_tokens: int = Field(sa_type=sa.BigInteger)
    image_out_tokens: int = Field(sa_type=sa.BigInteger)
    request_count: int = Field(sa_type=sa.BigInteger)
    image_count: int = Field(sa_type=sa.BigInteger)
    audio_ms: int = Field(sa_type=sa.BigInteger)
    web_search_count: int = Field(sa_type=sa.BigInteger)
    file_search_count: int = Field(sa_type=sa.BigInteger)
    tool_call_count: int = Field(sa_type=sa.BigInteger)
    charge_nanos: int = Field(sa_type=sa.BigInteger)
    """What the organization was charged."""
    absorbed_nanos: int = Field(sa_type=sa.BigInteger)
    """What was metered beyond that and no balance covered."""
    cost_nanos: int = Field(sa_type=sa.BigInteger)
    """What the calls cost the operator, in ``cost_currency``."""


class UsageRollupCursor(SQLModel, table=True):
    """One row: how far the roll-ups follow the journal; moved in the commits that add to them."""

    __tablename__ = "usage_rollup_cursor"

    id: int = Field(default=1, primary_key=True)
    transaction_number: int = Field(default=0, sa_type=sa.BigInteger)
    """The last transaction of the journal that is rolled up."""
    kept_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Set by a rebuild: quarters before this keep their rows, because records of their calls are purged."""
