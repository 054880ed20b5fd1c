"""How the models answer, as the status page shows it, read at most once a minute for everybody."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from onetoken_app import clock
from onetoken_app.catalog.queries import models_for_sale
from onetoken_app.console.shown.moments import shown_milliseconds
from onetoken_app.database import read_session
from onetoken_app.usage.stability import StabilityView, stability_of_models

KEPT_SECONDS = 60.0
"""Anybody may open the page, and reading a week of calls is work."""
_OPERATIONAL_PERMILLE = 990
_DEGRADED_PERMILLE = 900


class Operation(StrEnum):
    """How a model does."""

    OPERATIONAL = "operational"
    """At least 99 of 100 calls were answered."""
    DEGRADED = "degraded"
    """At least 90 of 100 calls were answered."""
    FAILING = "failing"
    """Fewer were."""
    UNMEASURED = "unmeasured"
    """There were too few calls to say."""


class Span(StrEnum):
    """Periods that a reader chooses from."""

    DAY = "day"
    """The last 24 hours."""
    WEEK = "week"
    """The last 7 days."""


@dataclass(frozen=True, slots=True)
class ShownReading:
    """One model."""

    model: str = ""
    operation: str = Operation.UNMEASURED.value
    answered: str = ""
    """Share of whole answers; empty when unmeasured."""
    first_byte_median: str = ""
    first_byte_p95: str = ""


@dataclass(frozen=True, slots=True)
class ShownReadings:
    """Every model for sale, in one period."""

    rows: tuple[ShownReading, ...]
    read_at: datetime
    overall: str
    """The worst of the models that were measured."""


@dataclass(slots=True)
class _Kept:
    """What was read last for one period."""

    readings: ShownReadings
    read_at_seconds: float


_kept: dict[Span, _Kept] = {}
_reading = asyncio.Lock()


async def readings(span: Span) -> ShownReadings:
    """Return what was measured in a period, as of at most a minute ago."""
    async with _reading:
        known = _kept.get(span)
        now_seconds = clock.monotonic_seconds()
        if known is not None and now_seconds - known.read_at_seconds < KEPT_SECONDS:
            return known.readings
        found = await _read(span, clock.utc_now())
        _kept[span] = _Kept(found, now_seconds)
        return found


def forget_readings() -> None:
    """Measure anew at the next look."""
    _kept.clear()


async def _read(span: Span, now: datetime) -> ShownReadings:
    """Measure."""
    since = now - timedelta(days=1 if span is Span.DAY else 7)
    async with read_session() as session:
        measured = {view.model_id: view for view in await stability_of_models(session, since=since, until=now)}
        models = await models_for_sale(session)
    rows = tuple(_shown(model.name, measured.get(model.id)) for model in models)
    return ShownReadings(rows=rows, read_at=now, overall=_overall(rows).value)


def _shown(model: str, view: StabilityView | None) -> ShownReading:
    """Write one model's figures."""
    if view is None:
        return ShownReading(model=model)
    return ShownReading(
        model=model,
        operation=_judged(view.answered_permille).value,
        answered=f"{view.answered_permille // 10}.{view.answered_permille % 10} %",
        first_byte_median=_duration(view.first_byte_ms_median),
        first_byte_p95=_duration(view.first_byte_ms_p95),
    )


def _judged(permille: int) -> Operation:
    """Name a share."""
    if permille >= _OPERATIONAL_PERMILLE:
        return Operation.OPERATIONAL
    return Operation.DEGRADED if permille >= _DEGRADED_PERMILLE else Operation.FAILING


def _overall(rows: tuple[ShownReading, ...]) -> Operation:
    """Name the worst; what was not measured says nothing."""
    by_weight = (Operation.FAILING, Operation.DEGRADED, Operation.OPERATIONAL)
    operations = {row.operation for row in rows}
    return next((one for one in by_weight if one.value in operations), Operation.UNMEASURED)


def _duration(milliseconds: int | None) -> str:
    """Write a duration; nothing for none."""
    return "" if milliseconds is None else shown_milliseconds(milliseconds)
