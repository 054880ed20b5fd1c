"""Reads calls. Every figure is an integer; pages format them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.clock import iso_instant, parse_instant
from onetoken_app.database import UtcDateTime
from onetoken_app.errors import BadRequest
from onetoken_app.keys.models import ApiKey
from onetoken_app.money import Currency, Nanos
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord

PAGE_LIMIT_MAX = 200

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of a longer list."""

    items: list[Item]
    next_cursor: str | None
    """Hand it in to get what follows; ``None``: this is the end."""


@dataclass(frozen=True, slots=True)
class CallView:
    """One finished call, as its organization sees it."""

    request_id: str
    requested_at: datetime
    api_key_id: str
    api_key_name: str
    """Empty when the key is unknown."""
    interface_path: str
    is_streaming: bool
    model_id: str
    model_name: str
    region: str
    price_version_id: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usage_source: UsageSource
    currency: Currency
    charge_nanos: Nanos
    response_status: int
    error_code: str
    attempt_count: int
    latency_ms: int
    first_byte_ms: int | None
    caller_ip: str
    user_agent: str
    audio_in_tokens: int
    image_in_tokens: int
    audio_out_tokens: int
    image_out_tokens: int
    request_count: int
    image_count: int
    audio_ms: int
    web_search_count: int
    file_search_count: int
    tool_call_count: int
    plan_ratio_ppm: int
    exchange_rate_version: int

    @property
    def input_tokens_total(self) -> int:
        """All input, cached or not."""
        cached = self.cache_read_tokens + self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens + cached + self.audio_in_tokens + self.image_in_tokens

    @property
    def output_tokens_total(self) -> int:
        """All that was generated."""
        return self.output_tokens + self.audio_out_tokens + self.image_out_tokens


async def recent_calls(
    session: AsyncSession,
    *,
    organization_id: str,
    limit: int = 50,
    before: str | None = None,
    key_id: str | None = None,
    model_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[CallView]:
    """Return calls, newest first; a page costs the same however far back it is.

    Args:
        session: Any session.
        organization_id: Whose calls.
        limit: 1–200.
        before: ``next_cursor`` of the page before, or ``None`` for the newest.
        key_id: Only calls of this key.
        model_id: Only calls of this model.
        since: Only calls from this moment on.
        until: Only calls before this moment.

    Raises:
        BadRequest: The cursor is not one of ours.
    """
    limit = max(1, min(limit, PAGE_LIMIT_MAX))
    query = (
        select(UsageRecord, ApiKey.name)
        .join(ApiKey, col(ApiKey.id) == col(UsageRecord.api_key_id), isouter=True)
        .where(UsageRecord.organization_id == organization_id)
        .order_by(col(UsageRecord.requested_at).desc(), col(UsageRecord.request_id).desc())
        .limit(limit + 1)
    )
    if before is not None:
        moment, request_id = _read_cursor(before)
        query = query.where(
            sa.tuple_(col(UsageRecord.requested_at), col(UsageRecord.request_id))
            < sa.tuple_(sa.literal(moment, UtcDateTime()), sa.literal(request_id))
        )
    if key_id is not None:
        query = query.where(UsageRecord.api_key_id == key_id)
    if model_id is not None:
        query = query.where(UsageRecord.model_id == model_id)
    if since is not None:
        query = query.where(UsageRecord.requested_at >= since)
    if until is not None:
        query = query.where(UsageRecord.requested_at < until)
    rows = (await session.exec(query)).all()
    items = [_call(record, key_name or "") for record, key_name in rows[:limit]]
    return Page(items=items, next_cursor=_cursor(items[-1]) if len(rows) > limit else None)


def _call(record: UsageRecord, api_key_name: str) -> CallView:
    """Copy what a customer may see; the channel is the operator's affair."""
    values = {name: getattr(record, name) for name in CallView.__slots__ if name != "api_key_name"}
    return CallView(api_key_name=api_key_name, **values)


def _cursor(last: CallView) -> str:
    """Name a place in the list."""
    return f"{iso_instant(last.requested_at)}~{last.request_id}"


def _read_cursor(text: str) -> tuple[datetime, str]:
    """Read what ``_cursor`` wrote; it comes back from a browser."""
    moment, _, request_id = text.partition("~")
    try:
        return parse_instant(moment), request_id
    except ValueError as error:
        raise BadRequest("This page of the list does not exist.", parameter="before") from error
