"""Moments and periods as texts, in the zone that the page names. Numbers only: they read the same in each language."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from onetoken_app.organizations.time_zones import zone_of
from onetoken_app.usage.periods import today


class PeriodName(StrEnum):
    """Periods that a reader chooses from."""

    TODAY = "today"
    """Since midnight."""
    DAYS_7 = "days_7"
    """Today and the six days before."""
    DAYS_30 = "days_30"
    """Today and the 29 days before."""
    THIS_MONTH = "this_month"
    """Since the first of the month."""
    LAST_MONTH = "last_month"
    """The calendar month before this one."""


@dataclass(frozen=True, slots=True)
class Days:
    """From the first day to the last, both included."""

    first: date
    last: date


def shown_moment(moment: datetime | None, time_zone: str) -> str:
    """Write a moment to the second; nothing for none."""
    return moment.astimezone(zone_of(time_zone)).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def shown_minute(moment: datetime | None, time_zone: str) -> str:
    """Write a moment to the minute; nothing for none."""
    return moment.astimezone(zone_of(time_zone)).strftime("%Y-%m-%d %H:%M") if moment else ""


def days_of(name: str, now: datetime, *, time_zone: str) -> Days:
    """Return the days of a period; the name comes from a browser, and an unknown one is this month."""
    last = today(now, time_zone=time_zone)
    first_of_month = last.replace(day=1)
    if name == PeriodName.TODAY:
        return Days(last, last)
    if name == PeriodName.DAYS_7:
        return Days(last - timedelta(days=6), last)
    if name == PeriodName.DAYS_30:
        return Days(last - timedelta(days=29), last)
    if name == PeriodName.LAST_MONTH:
        end = first_of_month - timedelta(days=1)
        return Days(end.replace(day=1), end)
    return Days(first_of_month, last)


def shown_milliseconds(milliseconds: int) -> str:
    """Write a duration."""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds // 1000}.{milliseconds % 1000 // 10:02d} s"
