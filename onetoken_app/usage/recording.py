"""The record of one call on its way into the ledger's transaction: drafted by the relay, inserted by the writer.

What a caller or an upstream chose (User-Agent, the upstream's request id) passes a filter here first, because an
echoing upstream could put a prompt there.
"""

import re
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from onetoken_app.clock import iso_instant
from onetoken_app.ledger.operations import Statement
from onetoken_app.money import RATIO_ONE_PPM, Currency, Nanos
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord

CONTEXT_BYTES_MAX = 1024
"""What a hold's context may hold."""
USER_AGENT_CHARACTERS_MAX = 256

_UPSTREAM_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class UsageDraft:
    """Every column of ``UsageRecord``; see there for what each means.

    Holds outlive releases, and a draft is packed by position: a new column stands at the end and has a default, and
    none ever goes or moves.
    """

    request_id: str
    requested_at: datetime
    organization_id: str
    api_key_id: str
    interface_path: str
    is_streaming: bool
    model_id: str
    model_name: str
    price_version_id: int
    currency: Currency
    channel_id: str = ""
    region: str = ""
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    usage_source: UsageSource = UsageSource.NONE
    charge_nanos: Nanos = 0
    response_status: int = 0
    error_code: str = ""
    attempt_count: int = 0
    latency_ms: int = 0
    first_byte_ms: int | None = None
    caller_ip: str = ""
    user_agent: str = ""
    upstream_request_id: str = ""
    project_id: str = ""
    audio_in_tokens: int = 0
    image_in_tokens: int = 0
    audio_out_tokens: int = 0
    image_out_tokens: int = 0
    request_count: int = 0
    image_count: int = 0
    audio_ms: int = 0
    web_search_count: int = 0
    file_search_count: int = 0
    tool_call_count: int = 0
    plan_ratio_ppm: int = RATIO_ONE_PPM
    exchange_rate_version: int = 0
    cost_nanos: Nanos | None = None
    cost_currency: Currency | None = None

    @property
    def token_total(self) -> int:
        """All tokens: what a package of tokens counts."""
        text = self.input_tokens + self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens
        media = self.audio_in_tokens + self.image_in_tokens + self.audio_out_tokens + self.image_out_tokens
        return text + media + self.output_tokens


_COLUMNS = tuple(field.name for field in fields(UsageDraft))
_values = attrgetter(*_COLUMNS)
_MOMENT_POSITION = _COLUMNS.index("requested_at")
_CHARGE_POSITION = _COLUMNS.index("charge_nanos")
_TABLE = UsageRecord.__tablename__


def insert_statement(draft: UsageDraft, *, is_sqlite: bool) -> Statement:
    """Return the statement that the ledger's writer runs in the transaction of the call's close.

    The writer replaces the charge by what the organization was really charged. A record that recovery wrote, because
    the call's process seemed dead, is replaced by the true one; the ledger lets that happen once.
    """
    parameters: list[Any] = list(_values(draft))
    parameters[_MOMENT_POSITION] = iso_instant(draft.requested_at)
    return Statement(sql=_insert_sql(is_sqlite=is_sqlite), parameters=parameters, charge_position=_CHARGE_POSITION)


def encode_draft(draft: UsageDraft) -> bytes:
    """Pack a draft for a hold's context: at most 1 KiB, for which an overlong User-Agent is cut.

    Raises:
        ValueError: It does not fit even without the User-Agent.
    """
    packed = _encoder.encode(_values(draft))
    excess = len(packed) - CONTEXT_BYTES_MAX
    if excess <= 0:
        return packed
    if not draft.user_agent:
        message = "a usage draft does not fit into a hold's context"
        raise ValueError(message)
    text = draft.user_agent.encode()
    kept = text[: max(0, len(text) - excess)].decode(errors="ignore")
    return encode_draft(replace(draft, user_agent=kept))


def decode_draft(packed: bytes) -> UsageDraft:
    """Unpack what ``encode_draft`` packed, in this release, an older one or a newer one.

    Columns that an older release did not have get their defaults; those that only a newer one has are left out.

    Raises:
        ValueError: It is something else.
    """
    values: list[Any] = msgspec.msgpack.decode(packed, type=list)
    return msgspec.convert(dict(zip(_COLUMNS, values, strict=False)), type=UsageDraft)


def clean_user_agent(text: str) -> str:
    """Keep at most 256 printable characters of a caller's User-Agent; spaces stay, controls and line ends go."""
    head = text[: USER_AGENT_CHARACTERS_MAX * 2]
    if not head.isprintable():
        head = "".join(character for character in head if character.isprintable())
    return head[:USER_AGENT_CHARACTERS_MAX].strip()


def clean_upstream_request_id(text: str) -> str:
    """Return an upstream's request id when it has the form of one, else nothing."""
    return text if _UPSTREAM_REQUEST_ID.fullmatch(text) else ""


_encoder = msgspec.msgpack.Encoder()


@lru_cache(maxsize=2)
def _insert_sql(*, is_sqlite: bool) -> str:
    """Write the statement once per driver."""
    places = ["?" if is_sqlite else "%s"] * len(_COLUMNS)
    if not is_sqlite:
        places[_COLUMNS.index("requested_at")] = "%s::timestamptz"
    replaced = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS if column != "request_id")
    return (
        f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) VALUES ({', '.join(places)}) "  # noqa: S608 # our own constants
        f"ON CONFLICT (request_id) DO UPDATE SET {replaced}"
    )
