"""Months of statements: cut in the organization's time zone, one after another without a gap. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from onetoken_app.organizations.time_zones import zone_of
from onetoken_app.usage.periods import month_of, period_of_days


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month as one statement covers it."""

    first: date
    """Its first day, by which it is called."""
    since: datetime
    """Where the month before ended, even when clocks or the time zone changed since."""
    until: datetime
    """Excluded."""
    time_zone: str
    """In which its end was cut."""

    @property
    def label(self) -> str:
        """What it is called, such as ``2026-11``."""
        return label_of(self.first)


def label_of(first: date) -> str:
    """Write a month's name."""
    return f"{first.year:04}-{first.month:02}"


def month_around(moment: datetime, *, time_zone: str) -> Month:
    """Return the calendar month in which a moment lies: the first that an organization gets a statement for."""
    period = month_of(moment, time_zone=time_zone)
    first = period.since.astimezone(zone_of(time_zone)).date().replace(day=1)
    return Month(first=first, since=period.since, until=period.until, time_zone=time_zone)


def month_after(first: date, *, ended_at: datetime, time_zone: str) -> Month:
    """Return the calendar month after one that is stated.

    Args:
        first: The first day of that one.
        ended_at: Where it ended; the new one begins there, whatever the time zone is now.
        time_zone: Of the organization now; the new one ends where its clocks show the first of the next month.
    """
    following = next_first(first)
    until = period_of_days(following, next_first(following) - timedelta(days=1), time_zone=time_zone).until
    return Month(first=following, since=ended_at, until=until, time_zone=time_zone)


def next_first(first: date) -> date:
    """Return the first day of the month after one."""
    return (first.replace(day=1) + timedelta(days=32)).replace(day=1)


def day_at(moment: datetime, *, time_zone: str) -> date:
    """Return the date that a clock on the wall shows at a moment."""
    return moment.astimezone(zone_of(time_zone)).date()
