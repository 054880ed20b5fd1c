"""Has documents drawn by a process of their own, few at once: see ``paper.py`` for why."""

import asyncio
import sys

import msgspec

from onetoken_app.billing.paper import Paper
from onetoken_app.errors import Unavailable

DRAWING_SECONDS_MAX = 120.0
_AT_ONCE_MAX = 2
_encode = msgspec.msgpack.Encoder().encode
_desks: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}
"""One a loop; tests have many loops."""


async def drawn(paper: Paper) -> bytes:
    """Return a document as a PDF.

    Raises:
        Unavailable: It could not be drawn, or not in time.
    """
    desk = _desks.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE_MAX))
    async with desk:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "onetoken_app.billing.paper",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(DRAWING_SECONDS_MAX):
                pdf, _ = await process.communicate(_encode(paper))
        except TimeoutError:
            pdf = b""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode != 0 or not pdf:
        message = "The document could not be drawn; nothing was changed. Try again, or take the CSV."
        raise Unavailable(message)
    return pdf
