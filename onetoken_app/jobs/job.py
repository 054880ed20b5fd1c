"""What a job is: a step that is done until nothing is left, each in a unit of work of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.settings import Settings

ROWS_AT_ONCE = 500
"""How many rows a step touches at most: on SQLite the ledger's writer waits until it is committed."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something that is done again and again."""

    name: str
    every: timedelta
    step: Callable[[AsyncSession, Settings], Awaitable[bool]]
    """Does a part of the work in an open unit of work; returns whether more may be left. May be repeated at will."""
