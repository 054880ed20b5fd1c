"""Days and months as an organization cuts them: in its own time zone, whatever the database thinks of time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from onetoken_app.errors import BadRequest
from onetoken_app.organizations.time_zones import zone_of

DAYS_MAX = 92
"""The longest period that is cut into days."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since``, included, to ``until``, excluded."""

    since: datetime
    until: datetime


def period_of_days(first: date, last: date, *, time_zone: str) -> Period:
    """Return the period from the beginning of ``first`` to the end of ``last``.

    Raises:
        BadRequest: The last day is before the first, or the time zone is unknown.
    """
    if last < first:
        raise BadRequest("The last day is before the first.", parameter="until")
    zone = zone_of(time_zone)
    return Period(since=_midnight(first, zone), until=_midnight(last + timedelta(days=1), zone))


def days_between(first: date, last: date) -> list[date]:
    """Return every day from ``first`` to ``last``, both included.

    Raises:
        BadRequest: More than 92 days, or the last day is before the first.
    """
    if last < first:
        raise BadRequest("The last day is before the first.", parameter="until")
    if (last - first).days >= DAYS_MAX:
        raise BadRequest(f"Choose at most {DAYS_MAX} days.", parameter="since")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def month_of(now: datetime, *, time_zone: str) -> Period:
    """Return the calendar month in which ``now`` lies."""
    zone = zone_of(time_zone)
    first = now.astimezone(zone).date().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(since=_midnight(first, zone), until=_midnight(following, zone))


def today(now: datetime, *, time_zone: str) -> date:
    """Return the date that a clock on the wall shows at ``now``."""
    return now.astimezone(zone_of(time_zone)).date()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins; where clocks jump over midnight, the first moment after the jump."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
