"""What an organization's calls came to, by day, month, model, key and project, counted by when they closed.

Every figure is an integer; pages format them.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.keys.models import ApiKey, Project
from onetoken_app.money import Currency, Nanos
from onetoken_app.usage.counted import counted, read_rows
from onetoken_app.usage.periods import Period, days_between, month_of, period_of_days


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
    """The calls of one model, key or project."""

    id: str
    name: str
    total: ChargeTotal


@dataclass(frozen=True, slots=True)
class StatementLineView:
    """The calls of one model, key and project in one currency."""

    model_id: str
    model_name: str
    api_key_id: str
    api_key_name: str
    """Empty when the key is unknown."""
    project_id: str
    project_name: str
    """Empty when the project is unknown."""
    currency: Currency
    error_count: int
    total: ChargeTotal


async def charges_by_day(
    session: AsyncSession, *, organization_id: str, since: date, until: date, time_zone: str
) -> list[DayChargeView]:
    """Return one row for each day from ``since`` to ``until``, both included, as cut in ``time_zone``.

    Raises:
        BadRequest: More than 92 days, none at all, or an unknown time zone.
    """
    days = days_between(since, until)
    moves = counted(organization_id=organization_id, period=period_of_days(since, until, time_zone=time_zone))
    query = sa.select(moves.c.moment, *_sums(moves)).group_by(moves.c.moment)
    # The databases share no function that knows time zones.
    beginnings = [period_of_days(day, day, time_zone=time_zone).since for day in days]
    totals = [_Total() for _ in days]
    for row in await read_rows(session, query):
        totals[bisect_right(beginnings, row.moment) - 1].add(row)
    return [DayChargeView(day=day, total=total.view()) for day, total in zip(days, totals, strict=True)]


async def charges_by_model(
    session: AsyncSession, *, organization_id: str, since: date, until: date, time_zone: str
) -> list[NamedChargeView]:
    """Return the models called from ``since`` to ``until``, both included, dearest first."""
    moves = counted(organization_id=organization_id, period=period_of_days(since, until, time_zone=time_zone))
    query = sa.select(
        moves.c.model_id.label("id"), sa.func.max(moves.c.model_name).label("name"), *_sums(moves)
    ).group_by(moves.c.model_id)
    return _dearest_first(await read_rows(session, query))


async def charges_by_key(
    session: AsyncSession, *, organization_id: str, since: date, until: date, time_zone: str
) -> list[NamedChargeView]:
    """Return the keys that called from ``since`` to ``until``, both included, dearest first."""
    moves = counted(organization_id=organization_id, period=period_of_days(since, until, time_zone=time_zone))
    query = (
        sa.select(moves.c.api_key_id.label("id"), sa.func.max(ApiKey.name).label("name"), *_sums(moves))
        .join_from(moves, ApiKey, col(ApiKey.id) == moves.c.api_key_id, isouter=True)
        .group_by(moves.c.api_key_id)
    )
    return _dearest_first(await read_rows(session, query))


async def charges_by_project(
    session: AsyncSession, *, organization_id: str, since: date, until: date, time_zone: str
) -> list[NamedChargeView]:
    """Return the projects that were called for from ``since`` to ``until``, both included, dearest first."""
    moves = counted(organization_id=organization_id, period=period_of_days(since, until, time_zone=time_zone))
    query = (
        sa.select(moves.c.project_id.label("id"), sa.func.max(Project.name).label("name"), *_sums(moves))
        .join_from(moves, Project, col(Project.id) == moves.c.project_id, isouter=True)
        .group_by(moves.c.project_id)
    )
    return _dearest_first(await read_rows(session, query))


async def charge_of_month(session: AsyncSession, *, organization_id: str, time_zone: str, now: datetime) -> ChargeTotal:
    """Return what the calendar month of ``now`` has come to so far."""
    moves = counted(organization_id=organization_id, period=month_of(now, time_zone=time_zone))
    total = _Total()
    for row in await read_rows(session, sa.select(*_sums(moves))):
        total.add(row)
    return total.view()


async def statement_lines(session: AsyncSession, *, organization_id: str, period: Period) -> list[StatementLineView]:
    """Return what a period's calls came to by model, key and project: the body of a statement, in a fixed order.

    Args:
        session: Any session; a statement of a closed period reads it in the snapshot in which it reads the ledger.
        organization_id: Whose calls.
        period: As ``periods`` makes them.
    """
    moves = counted(organization_id=organization_id, period=period)
    places = (moves.c.model_id, moves.c.api_key_id, moves.c.project_id, moves.c.currency)
    sums = (
        sa.select(
            *places,
            sa.func.max(moves.c.model_name).label("model_name"),
            sa.func.sum(moves.c.error_count).label("error_count"),
            *_sums(moves),
        )
        .group_by(*places)
        .subquery("sums")
    )
    query = (
        sa.select(*sums.c, col(ApiKey.name).label("api_key_name"), col(Project.name).label("project_name"))
        .join_from(sums, ApiKey, col(ApiKey.id) == sums.c.api_key_id, isouter=True)
        .join(Project, col(Project.id) == sums.c.project_id, isouter=True)
        .order_by(sums.c.currency, sums.c.model_name, sums.c.model_id, sums.c.project_id, sums.c.api_key_id)
    )
    return [_line(row) for row in await read_rows(session, query)]


def _line(row: Any) -> StatementLineView:
    """Read a line."""
    return StatementLineView(
        model_id=row.model_id,
        model_name=row.model_name,
        api_key_id=row.api_key_id,
        api_key_name=row.api_key_name or "",
        project_id=row.project_id,
        project_name=row.project_name or "",
        currency=Currency(row.currency),
        error_count=int(row.error_count),
        total=_total(row),
    )


@dataclass(slots=True)
class _Total:
    """Sums that grow."""

    charge_nanos: Nanos = 0
    call_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, row: Any) -> None:
        """Add a row of ``_sums``; PostgreSQL gives sums of BIGINT as exact decimals."""
        self.charge_nanos += int(row.charge_nanos)
        self.call_count += int(row.call_count)
        self.input_tokens += int(row.input_tokens)
        self.output_tokens += int(row.output_tokens)

    def view(self) -> ChargeTotal:
        """Return what they are now."""
        return ChargeTotal(self.charge_nanos, self.call_count, self.input_tokens, self.output_tokens)


def _total(row: Any) -> ChargeTotal:
    """Read one row of sums."""
    total = _Total()
    total.add(row)
    return total.view()


def _sums(moves: sa.Subquery) -> list[sa.Label[Any]]:
    """Return the columns that ``_Total`` reads."""
    columns = moves.c
    inputs = (
        columns.input_tokens
        + columns.cache_read_tokens
        + columns.cache_write_5m_tokens
        + columns.cache_write_1h_tokens
        + columns.audio_in_tokens
        + columns.image_in_tokens
    )
    outputs = columns.output_tokens + columns.audio_out_tokens + columns.image_out_tokens
    return [
        sa.func.coalesce(sa.func.sum(columns.charge_nanos), 0).label("charge_nanos"),
        sa.func.coalesce(sa.func.sum(columns.call_count), 0).label("call_count"),
        sa.func.coalesce(sa.func.sum(inputs), 0).label("input_tokens"),
        sa.func.coalesce(sa.func.sum(outputs), 0).label("output_tokens"),
    ]


def _dearest_first(rows: Any) -> list[NamedChargeView]:
    """Order by charge, then by calls, then by name."""
    views = [NamedChargeView(id=row.id, name=row.name or "", total=_total(row)) for row in rows]
    return sorted(views, key=lambda view: (-view.total.charge_nanos, -view.total.call_count, view.name, view.id))
