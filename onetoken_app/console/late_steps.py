"""Steps that come too late, because somebody else changed what is on the screen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from onetoken_app.errors import Conflict


@asynccontextmanager
async def shown_anew(read: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Take a step; who is too late for it sees everything as it is now, and is told so.

    Args:
        read: Reads what is on the screen anew.

    Raises:
        Conflict: The step's, after that.
    """
    try:
        yield
    except Conflict:
        await read()
        raise
