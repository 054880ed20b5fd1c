"""What a job is: a step that is done until nothing is left, each in a unit of work of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.settings import Settings

ROWS_AT_ONCE = 500
"""How many rows a step touches at most: on SQLite the ledger's writer waits until it is committed."""
Step = Callable[[AsyncSession, Settings], Awaitable[bool]]
"""Does a part of the work in an open unit of work; returns whether more may be left. May be repeated at will."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done again and again."""

    name: str
    every: timedelta
    step: Step


@dataclass(frozen=True, slots=True)
class ReadingJob:
    """A job that has to read much before it writes little: while it reads, nobody waits."""

    name: str
    every: timedelta
    look: Callable[[Settings], Awaitable[Step | None]]
    """Reads outside of any unit of work; returns the step that there is to do, or ``None``."""
