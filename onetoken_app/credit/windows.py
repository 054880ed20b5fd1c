"""Which period of a budget a moment lies in, on the organization's clocks, and when the next one begins. Pure."""

from datetime import datetime

from onetoken_app.credit.subjects import Window
from onetoken_app.usage.periods import month_of, period_of_days, today


def period_key(window: Window, moment: datetime, *, time_zone: str) -> str:
    """Name the day or month that a moment lies in, as a hold names it: ``2026-11-27`` or ``2026-11``.

    Raises:
        BadRequest: The time zone is unknown.
    """
    day = today(moment, time_zone=time_zone).isoformat()
    return day if window is Window.DAY else day[: len("2026-11")]


def renews_at(window: Window, moment: datetime, *, time_zone: str) -> datetime:
    """Return when a budget begins anew: days of 23 and 25 hours included.

    Raises:
        BadRequest: The time zone is unknown.
    """
    if window is Window.MONTH:
        return month_of(moment, time_zone=time_zone).until
    day = today(moment, time_zone=time_zone)
    return period_of_days(day, day, time_zone=time_zone).until
