"""The one clock. Tests replace ``utc_now`` to freeze time; nothing else calls the system's clock for a date."""

import time
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def monotonic_seconds() -> float:
    """Return seconds that only grow, for measuring latencies and deadlines."""
    return time.monotonic()


def iso_instant(moment: datetime) -> str:
    """Write a moment the way every table and export does: fixed width, microseconds, ``Z``.

    The text sorts like the time. SQLite stores it as it is; PostgreSQL reads it into a ``timestamptz``.

    Raises:
        ValueError: ``moment`` is not aware.
    """
    if moment.tzinfo is None:
        message = "a moment needs its time zone"
        raise ValueError(message)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str) -> datetime:
    """Read what ``iso_instant`` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
