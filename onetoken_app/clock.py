"""The one clock. Tests replace ``utc_now`` to freeze time; nothing else calls the system's clock for a date."""

import time
from datetime import UTC, datetime

INSTANT_CHARACTERS = 27
"""Length of a moment as text."""


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
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_instant(text: str) -> datetime:
    """Read what ``iso_instant`` wrote.

    Raises:
        ValueError: It is written in any other way.
    """
    if len(text) != INSTANT_CHARACTERS or text[-1] != "Z" or text[10] != "T":
        message = "not a moment in our form"
        raise ValueError(message)
    return datetime.fromisoformat(text)
