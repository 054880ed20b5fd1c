"""Reads calls and their charges. Every figure is an integer; pages format them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

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
from onetoken_app.usage.periods import Period, days_between, month_of, period_of_days

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


@dataclass(frozen=True, slots=True)
class ChargeTotal:
    """What some calls came to."""

    charge_nanos: Nanos
    call_count: int
    input_tokens: int
    """All input, cached or not."""
    output_tokens: int


@dataclass(frozen=True, slots=True)
class DayChargeView:
    """A day's calls; days without calls are there too."""

    day: date
    total: ChargeTotal


@dataclass(frozen=True, slots=True)
class NamedChargeView:
    """The calls of one model or one key."""

    id: str
    name: str
    total: ChargeTotal


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


async def charges_by_day(
    session: AsyncSession, *, organization_id: str, since: date, until: date, time_zone: str
) -> list[DayChargeView]:
    """Return one row for each day from ``since`` to ``until``, both included, as cut in ``time_zone``.

    Raises:
        BadRequest: More than 92 days, none at all, or an unknown time zone.
    """
    days = days_between(since, until)
    # One range over the index per day, in one statement: the databases share no function that knows time zones.
    parts = [
        sa.select(sa.literal(number).label("day_number"), *_sums()).where(
            *_within(organization_id, period_of_days(day, day, time_zone=time_zone))
        )
        for number, day in enumerate(days)
    ]
    rows = {row.day_number: row for row in await _all(session, sa.union_all(*parts))}
    return [DayChargeView(day=day, total=_total(rows[number])) for number, day in enumerate(days)]


async def charges_by_model(
    session: AsyncSession, *, organization_id: str, since: date, until: date, time_zone: str
) -> list[NamedChargeView]:
    """Return the models called from ``since`` to ``until``, both included, dearest first."""
    period = period_of_days(since, until, time_zone=time_zone)
    query = (
        sa.select(col(UsageRecord.model_id).label("id"), sa.func.max(UsageRecord.model_name).label("name"), *_sums())
        .where(*_within(organization_id, period))
        .group_by(col(UsageRecord.model_id))
    )
    return _dearest_first(await _all(session, query))


async def charges_by_key(
    session: AsyncSession, *, organization_id: str, since: date, until: date, time_zone: str
) -> list[NamedChargeView]:
    """Return the keys that called from ``since`` to ``until``, both included, dearest first."""
    period = period_of_days(since, until, time_zone=time_zone)
    query = (
        sa.select(col(UsageRecord.api_key_id).label("id"), sa.func.max(ApiKey.name).label("name"), *_sums())
        .join(ApiKey, col(ApiKey.id) == col(UsageRecord.api_key_id), isouter=True)
        .where(*_within(organization_id, period))
        .group_by(col(UsageRecord.api_key_id))
    )
    return _dearest_first(await _all(session, query))


async def charge_of_month(session: AsyncSession, *, organization_id: str, time_zone: str, now: datetime) -> ChargeTotal:
    """Return what the calendar month of ``now`` has come to so far."""
    period = month_of(now, time_zone=time_zone)
    query = sa.select(*_sums()).where(*_within(organization_id, period))
    return _total((await _all(session, query))[0])


def _sums() -> list[sa.Label[Any]]:
    """Return the columns that ``_total`` reads."""
    inputs = (
        col(UsageRecord.input_tokens)
        + col(UsageRecord.cache_read_tokens)
        + col(UsageRecord.cache_write_5m_tokens)
        + col(UsageRecord.cache_write_1h_tokens)
        + col(UsageRecord.audio_in_tokens)
        + col(UsageRecord.image_in_tokens)
    )
    outputs = col(UsageRecord.output_tokens) + col(UsageRecord.audio_out_tokens) + col(UsageRecord.image_out_tokens)
    return [
        sa.func.coalesce(sa.func.sum(col(UsageRecord.charge_nanos)), 0).label("charge_nanos"),
        sa.func.count(col(UsageRecord.request_id)).label("call_count"),
        sa.func.coalesce(sa.func.sum(inputs), 0).label("input_tokens"),
        sa.func.coalesce(sa.func.sum(outputs), 0).label("output_tokens"),
    ]


def _within(organization_id: str, period: Period) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of one organization and period."""
    return [
        col(UsageRecord.organization_id) == organization_id,
        col(UsageRecord.requested_at) >= period.since,
        col(UsageRecord.requested_at) < period.until,
    ]


async def _all(session: AsyncSession, query: sa.Executable) -> list[Any]:
    """Run a statement of several columns; ``session.exec`` knows the types of SQLModel's own select only."""
    return list((await session.exec(query)).all())  # type: ignore[call-overload] # SQLModel types only its own select


def _total(row: Any) -> ChargeTotal:
    """Read the sums; PostgreSQL gives those of BIGINT as exact decimals."""
    return ChargeTotal(
        charge_nanos=int(row.charge_nanos),
        call_count=int(row.call_count),
        input_tokens=int(row.input_tokens),
        output_tokens=int(row.output_tokens),
    )


def _dearest_first(rows: list[Any]) -> list[NamedChargeView]:
    """Order by charge, then by calls, then by name."""
    views = [NamedChargeView(id=row.id, name=row.name or "", total=_total(row)) for row in rows]
    return sorted(views, key=lambda view: (-view.total.charge_nanos, -view.total.call_count, view.name, view.id))


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
