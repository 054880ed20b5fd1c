"""Keeps the sockets of people who are not signed in few: each costs what a page costs, beside the relay.

Who opens them too fast is refused, and Reflex's client tries again; over the numbers the oldest is closed, never the
new one. So nobody who comes to sign in is kept out by those who are there already. Sockets of sessions pass.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from onetoken_app import clock
from onetoken_app.console.callers import find_caller
from onetoken_app.console.http_exchange import AsgiApp, Message, Receive, Scope, Send, caller_ip, header
from onetoken_app.errors import Unavailable
from onetoken_app.settings import Settings

OPEN_MAX = 200
"""Sockets of strangers at once."""
OPEN_PER_ADDRESS_MAX = 40
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


class StrangerSockets:
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
        self._open: dict[asyncio.Event, str] = {}
        """What closes a socket, and its address; the oldest first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests and sockets of sessions on; count the others."""
        if scope["type"] != "websocket" or await _has_session(scope):
            await self._app(scope, receive, send)
            return
        address = caller_ip(scope, trusted_proxy_count=self._settings.trusted_proxy_count)
        if not (self._allowance(address).takes_one() and self._everybody.takes_one()):
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER})
            return
        is_over = asyncio.Event()
        self._open[is_over] = address
        self._close_oldest([one for one, its in self._open.items() if its == address], keep=OPEN_PER_ADDRESS_MAX)
        self._close_oldest(list(self._open), keep=OPEN_MAX)
        try:
            await self._app(scope, _until(is_over, receive), send)
        finally:
            self._open.pop(is_over, None)

    def _allowance(self, address: str) -> Allowance:
        """Return what an address has left; those that were not seen for longest are forgotten."""
        found = self._addresses.pop(address, None) or Allowance(ADDRESS_BURST, ADDRESS_PER_SECOND)
        self._addresses[address] = found
        if len(self._addresses) > _ADDRESSES_MAX:
            self._addresses.popitem(last=False)
        return found

    def _close_oldest(self, sockets: list[asyncio.Event], *, keep: int) -> None:
        """Close what is over a number."""
        for one in sockets[: max(len(sockets) - keep, 0)]:
            del self._open[one]
            one.set()


async def _has_session(scope: Scope) -> bool:
    """Whether a browser that opens a socket is signed in; nobody is while the database is away."""
    try:
        return await find_caller(header(scope, b"cookie")) is not None
    except Unavailable:
        return False


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
