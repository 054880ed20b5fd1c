"""Compares what upstreams billed with our attempts, by day, channel and the provider's model."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.catalog.models import Channel, Route
from onetoken_app.identifiers import Kind, first_id_at
from onetoken_app.money import Currency, Nanos
from onetoken_app.reconciliation.models import UpstreamBill, UpstreamBillLine
from onetoken_app.usage.models import AttemptOutcome, UsageAttempt
from onetoken_app.usage.periods import days_between, period_of_days
from onetoken_app.usage.purges import purged_before

UNBILLED_TIME_ZONE = "UTC"
"""In which a day is cut that no bill of its channel names."""
_ATTEMPT_AFTER_ID_MAX = timedelta(hours=2)
"""An attempt begins within this time after its call got its id: more than a call may take."""
_CLOCKS_DIFFER_MAX = timedelta(minutes=10)
_SERVED = (AttemptOutcome.ANSWERED, AttemptOutcome.CUT)


class BillStanding(StrEnum):
    """How both sides of a line stand to each other."""

    SAME = "same"
    """Every figure that both have is the same."""
    DIFFERS = "differs"
    """A figure is another one."""
    ONLY_HERE = "only_here"
    """The day is billed, and the bill does not name the model."""
    ONLY_BILLED = "only_billed"
    """The bill names what we never asked for."""
    NO_BILL = "no_bill"
    """No bill of the channel names the day."""
    NO_LONGER_KEPT = "no_longer_kept"
    """Rows of attempts of the day were removed when their retention was over, so that our side cannot be told."""


@dataclass(frozen=True, slots=True)
class SideView:
    """What one side says."""

    request_count: int
    """Attempts that answered, wholly or not."""
    input_tokens: int
    output_tokens: int
    cost_nanos: Nanos


@dataclass(frozen=True, slots=True)
class ComparedView:
    """One day, channel and model."""

    day: date
    channel_id: str
    channel_name: str
    upstream_model: str
    currency: Currency | None
    """Unset: nothing of it has a known cost."""
    ours: SideView | None
    billed: SideView | None
    unknown_cost_count: int
    """Attempts among ours whose cost is not known; the cost of our side is without them."""
    failed_count: int
    """Attempts that never answered; they are in no other figure."""

    @property
    def cost_difference_nanos(self) -> Nanos | None:
        """What is billed above our own figures; unset: one of the sides is missing, or a cost is not known."""
        if self.ours is None or self.billed is None or self.unknown_cost_count:
            return None
        return self.billed.cost_nanos - self.ours.cost_nanos

    standing: BillStanding


@dataclass(frozen=True, slots=True)
class BillView:
    """An imported file."""

    id: int
    channel_name: str
    time_zone: str
    first_on: date
    last_on: date
    line_count: int
    imported_at: datetime


_Key = tuple[date, str, str]


@dataclass(slots=True)
class _Ours:
    """Sums of attempts; the cost by its currency, ``None`` for those whose cost is not known."""

    request_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    failed_count: int = 0
    unknown_cost_count: int = 0
    costs: dict[Currency, Nanos] = field(default_factory=dict)


async def compare(
    session: AsyncSession, *, since: date, until: date, channel_id: str | None = None
) -> list[ComparedView]:
    """Compare both sides, from ``since`` to ``until``, both included; newest day first.

    Args:
        session: Any session.
        since: The first day, as the bill of a channel cuts it, in UTC where none does.
        until: The last day; at most 92 days.
        channel_id: Only of this channel.

    Raises:
        BadRequest: More than 92 days, or none at all.
    """
    days = days_between(since, until)
    channels = {row.id: row.name for row in await session.exec(select(Channel))}
    if channel_id is not None:
        channels = {channel_id: channels[channel_id]} if channel_id in channels else {}
    bills = await _bills_of_days(session, since, until)
    billed = await _billed(session, bills)
    ours = await _ours(session, days, list(channels), bills)
    removed_before = await purged_before(session)
    lines = []
    for key in {*billed, *ours}:
        if key[1] in channels:
            bill = bills.get((key[1], key[0]))
            found = _compared(key, channels[key[1]], ours.get(key), billed.get(key, {}), has_bill=bill is not None)
            is_kept = _is_kept(key[0], bill, removed_before)
            lines += found if is_kept else [_without_ours(line) for line in found]
    return sorted(
        lines, key=lambda line: (-line.day.toordinal(), line.channel_name, line.upstream_model, str(line.currency))
    )


async def bills(session: AsyncSession, *, limit: int = 50) -> list[BillView]:
    """Return imported files, the last first."""
    query = (
        select(UpstreamBill, Channel.name)
        .join(Channel, col(Channel.id) == col(UpstreamBill.channel_id))
        .order_by(col(UpstreamBill.id).desc())
        .limit(limit)
    )
    return [
        BillView(bill.id or 0, name, bill.time_zone, bill.first_on, bill.last_on, bill.line_count, bill.imported_at)
        for bill, name in (await session.exec(query)).all()
    ]


async def _bills_of_days(session: AsyncSession, since: date, until: date) -> dict[tuple[str, date], UpstreamBill]:
    """Return the bill that counts for each channel and day: the last one that names it."""
    query = (
        sa.select(UpstreamBill, col(UpstreamBillLine.day))
        .join(UpstreamBillLine, col(UpstreamBillLine.bill_id) == col(UpstreamBill.id))
        .where(col(UpstreamBillLine.day) >= since, col(UpstreamBillLine.day) <= until)
        .distinct()
    )
    rows: Sequence[Any] = (await session.exec(query)).all()  # type: ignore[call-overload] # as below
    return {(bill.channel_id, day): bill for bill, day in sorted(rows, key=lambda row: row[0].id or 0)}


async def _billed(
    session: AsyncSession, bills: dict[tuple[str, date], UpstreamBill]
) -> dict[_Key, dict[Currency, SideView]]:
    """Read what counts of the bills."""
    found: defaultdict[_Key, dict[Currency, SideView]] = defaultdict(dict)
    channels = {(bill.id, day): channel_id for (channel_id, day), bill in bills.items()}
    ids = {bill.id for bill in bills.values()}
    for line in await session.exec(select(UpstreamBillLine).where(col(UpstreamBillLine.bill_id).in_(ids))):
        channel = channels.get((line.bill_id, line.day))
        if channel is not None:
            side = SideView(line.request_count, line.input_tokens, line.output_tokens, line.cost_nanos)
            found[line.day, channel, line.upstream_model][line.currency] = side
    return found


async def _ours(
    session: AsyncSession,
    days: list[date],
    channel_ids: list[str],
    bills: dict[tuple[str, date], UpstreamBill],
) -> dict[_Key, _Ours]:
    """Add our attempts up, each day as the bill of its channel cuts it."""
    routes = {(row.model_id, row.channel_id): row.upstream_model for row in await session.exec(select(Route))}
    found: defaultdict[_Key, _Ours] = defaultdict(_Ours)
    for day in days:
        by_zone: defaultdict[str, list[str]] = defaultdict(list)
        for channel_id in channel_ids:
            bill = bills.get((channel_id, day))
            by_zone[bill.time_zone if bill else UNBILLED_TIME_ZONE].append(channel_id)
        for zone, channels in by_zone.items():
            for row in await _sums(session, day, zone, channels):
                name = row.upstream_model or routes.get((row.model_id, row.channel_id), "")
                _add(found[day, row.channel_id, name], row)
    return found


async def _sums(session: AsyncSession, day: date, time_zone: str, channel_ids: list[str]) -> Sequence[Any]:
    """Add the attempts of a day up where they are: a stretch of the primary key, whose ids sort by time."""
    period = period_of_days(day, day, time_zone=time_zone)
    is_served = col(UsageAttempt.outcome).in_(_SERVED)
    is_unknown = sa.and_(is_served, col(UsageAttempt.cost_nanos).is_(None))
    places = (
        col(UsageAttempt.channel_id),
        col(UsageAttempt.upstream_model),
        col(UsageAttempt.model_id),
        col(UsageAttempt.cost_currency),
    )
    query = (
        sa.select(
            *places,
            sa.func.sum(sa.case((is_served, 1), else_=0)).label("request_count"),
            sa.func.sum(sa.case((is_served, 0), else_=1)).label("failed_count"),
            sa.func.sum(sa.case((is_unknown, 1), else_=0)).label("unknown_cost_count"),
            sa.func.sum(col(UsageAttempt.input_tokens)).label("input_tokens"),
            sa.func.sum(col(UsageAttempt.output_tokens)).label("output_tokens"),
            sa.func.sum(sa.func.coalesce(col(UsageAttempt.cost_nanos), 0)).label("cost_nanos"),
        )
        .where(
            col(UsageAttempt.request_id) >= first_id_at(Kind.REQUEST, period.since - _ATTEMPT_AFTER_ID_MAX),
            col(UsageAttempt.request_id) < first_id_at(Kind.REQUEST, period.until + _CLOCKS_DIFFER_MAX),
            col(UsageAttempt.began_at) >= period.since,
            col(UsageAttempt.began_at) < period.until,
            col(UsageAttempt.channel_id).in_(channel_ids),
        )
        .group_by(*places)
    )
    rows: Sequence[Any] = (await session.exec(query)).all()  # type: ignore[call-overload] # SQLModel types only its own select
    return rows


def _add(sums: _Ours, row: Any) -> None:
    """Add a row of sums; PostgreSQL gives sums of BIGINT as exact decimals."""
    sums.request_count += int(row.request_count)
    sums.failed_count += int(row.failed_count)
    sums.unknown_cost_count += int(row.unknown_cost_count)
    sums.input_tokens += int(row.input_tokens)
    sums.output_tokens += int(row.output_tokens)
    if row.cost_currency is not None:
        currency = Currency(row.cost_currency)
        sums.costs[currency] = sums.costs.get(currency, 0) + int(row.cost_nanos)


def _compared(
    key: _Key, channel_name: str, ours: _Ours | None, billed: dict[Currency, SideView], *, has_bill: bool
) -> list[ComparedView]:
    """Set both sides beside each other; counts that belong to two currencies stand with the first of them."""
    day, channel_id, upstream_model = key
    in_currencies: list[Currency | None] = sorted({*(ours.costs if ours else ()), *billed}) or [None]
    lines = []
    for number, currency in enumerate(in_currencies):
        counts = ours if number == 0 else None
        cost = ours.costs.get(currency, 0) if ours and currency else 0
        has_ours = counts is not None or cost
        here = None
        if ours is not None and has_ours:
            here = SideView(
                counts.request_count if counts else 0,
                counts.input_tokens if counts else 0,
                counts.output_tokens if counts else 0,
                cost,
            )
        there = billed.get(currency) if currency else None
        unknown = counts.unknown_cost_count if counts else 0
        lines.append(
            ComparedView(
                day=day,
                channel_id=channel_id,
                channel_name=channel_name,
                upstream_model=upstream_model,
                currency=currency,
                ours=here,
                billed=there,
                unknown_cost_count=unknown,
                failed_count=counts.failed_count if counts else 0,
                standing=_standing_of(here, there, is_cost_known=not unknown, has_bill=has_bill),
            )
        )
    return lines


def _is_kept(day: date, bill: UpstreamBill | None, removed_before: datetime | None) -> bool:
    """Whether every attempt of a day still has its row: rows go by the moment of their call, not of the attempt."""
    if removed_before is None:
        return True
    period = period_of_days(day, day, time_zone=bill.time_zone if bill else UNBILLED_TIME_ZONE)
    return period.since - _ATTEMPT_AFTER_ID_MAX >= removed_before


def _without_ours(line: ComparedView) -> ComparedView:
    """Take our side from a line of a day that is no longer whole, unless what is left says the same as the bill."""
    if line.standing not in {BillStanding.DIFFERS, BillStanding.ONLY_BILLED}:
        return line
    return replace(line, ours=None, unknown_cost_count=0, failed_count=0, standing=BillStanding.NO_LONGER_KEPT)


def _standing_of(
    ours: SideView | None, billed: SideView | None, *, is_cost_known: bool, has_bill: bool
) -> BillStanding:
    """Say how both sides stand to each other."""
    if billed is None:
        return BillStanding.ONLY_HERE if has_bill else BillStanding.NO_BILL
    if ours is None:
        return BillStanding.ONLY_BILLED
    counts = ("request_count", "input_tokens", "output_tokens")
    is_same = all(getattr(ours, name) == getattr(billed, name) for name in counts)
    return (
        BillStanding.SAME
        if is_same and is_cost_known and ours.cost_nanos == billed.cost_nanos
        else BillStanding.DIFFERS
    )
