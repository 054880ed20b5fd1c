"""Keeps sockets few, of one person and of all strangers together: each costs what a page costs, beside the relay.

Over a number the oldest is closed, never the new one, so that those who are there keep nobody out. Strangers who open
them too fast are refused, one address before all, and Reflex's client tries again; many addresses at once can make
other strangers wait, but nobody who is signed in.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from onetoken_app import clock
from onetoken_app.console.callers import find_caller
from onetoken_app.console.http_exchange import AsgiApp, Message, Receive, Scope, Send, caller_ip, header
from onetoken_app.errors import Unavailable
from onetoken_app.settings import Settings

OPEN_MAX = 200
"""Sockets of strangers at once."""
OPEN_PER_ADDRESS_MAX = 40
OPEN_PER_PERSON_MAX = 40
"""Sockets of one person who is signed in, in all their browsers."""
EVERYBODY_BURST = 80
EVERYBODY_PER_SECOND = 8.0
"""Sockets of strangers that are let in; a page takes some hundredths of a second of the process."""
ADDRESS_BURST = 60
ADDRESS_PER_SECOND = 4.0
_ADDRESSES_MAX = 5000
_TRY_AGAIN_LATER = 1013


@dataclass(slots=True)
class Allowance:
    """So many at once, and so many a second afterwards."""

    burst: float
    per_second: float
    left: float = field(init=False)
    read_at_seconds: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin with all of it."""
        self.left, self.read_at_seconds = self.burst, clock.monotonic_seconds()

    def takes_one(self) -> bool:
        """Take one, if there is one."""
        now_seconds = clock.monotonic_seconds()
        self.left = min(self.burst, self.left + (now_seconds - self.read_at_seconds) * self.per_second)
        self.read_at_seconds = now_seconds
        if self.left < 1:
            return False
        self.left -= 1
        return True


class OpenSockets:
    """Wraps the app that serves sockets."""

    def __init__(self, app: AsgiApp, *, settings: Settings) -> None:
        """Begin with none.

        Args:
            app: What serves pages and sockets.
            settings: Whose word about addresses counts.
        """
        self._app = app
        self._settings = settings
        self._everybody = Allowance(EVERYBODY_BURST, EVERYBODY_PER_SECOND)
        self._addresses: OrderedDict[str, Allowance] = OrderedDict()
        self._strangers: dict[asyncio.Event, str] = {}
        """What closes a socket of a stranger, and its address; the oldest first."""
        self._people: dict[asyncio.Event, str] = {}
        """What closes a socket of a person, and their id; the oldest first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests on, and sockets within their numbers."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        person_id = await _person_of(scope)
        if person_id is not None:
            with _place(self._people, person_id, most=OPEN_PER_PERSON_MAX) as is_over:
                await self._app(scope, _until(is_over, receive), send)
            return
        address = caller_ip(scope, trusted_proxy_count=self._settings.trusted_proxy_count)
        if not (self._allowance(address).takes_one() and self._everybody.takes_one()):
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
            return
        with _place(self._strangers, address, most=OPEN_PER_ADDRESS_MAX) as is_over:
            _close_oldest(self._strangers, list(self._strangers), keep=OPEN_MAX)
            await self._app(scope, _until(is_over, receive), send)

    def _allowance(self, address: str) -> Allowance:
        """Return what an address has left; those that were not seen for longest are forgotten."""
        found = self._addresses.pop(address, None) or Allowance(ADDRESS_BURST, ADDRESS_PER_SECOND)
        self._addresses[address] = found
        if len(self._addresses) > _ADDRESSES_MAX:
            self._addresses.popitem(last=False)
        return found


@contextmanager
def _place(sockets: dict[asyncio.Event, str], whose: str, *, most: int) -> Iterator[asyncio.Event]:
    """Give a socket a place until it ends; what is yielded says that too many others of the same came after it."""
    is_over = asyncio.Event()
    sockets[is_over] = whose
    _close_oldest(sockets, [one for one, its in sockets.items() if its == whose], keep=most)
    try:
        yield is_over
    finally:
        sockets.pop(is_over, None)


def _close_oldest(sockets: dict[asyncio.Event, str], among: list[asyncio.Event], *, keep: int) -> None:
    """Close what is over a number."""
    for one in among[: max(len(among) - keep, 0)]:
        del sockets[one]
        one.set()


async def _person_of(scope: Scope) -> str | None:
    """Return who opens a socket, if they are signed in; nobody is while the database is away."""
    try:
        caller = await find_caller(header(scope, b"cookie"))
    except Unavailable:
        return None
    return caller.person.person_id if caller is not None else None


def _until(is_over: asyncio.Event, receive: Receive) -> Receive:
    """Receive until a socket is over: then the app learns that its other end is gone, and closes."""

    async def receive_or_end() -> Message:
        next_message = asyncio.ensure_future(receive())
        ending = asyncio.ensure_future(is_over.wait())
        try:
            await asyncio.wait((next_message, ending), return_when=asyncio.FIRST_COMPLETED)
            if next_message.done():
                return next_message.result()
            return {"type": "websocket.disconnect", "code": _TRY_AGAIN_LATER}
        finally:
            next_message.cancel()
            ending.cancel()

    return receive_or_end
