"""Turns an upstream's host into addresses that may be connected to, at every connection or nearly: names move.

The connection is made to the address that was checked, so that a name cannot answer differently a moment later.
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from onetoken_app.catalog.upstream_addresses import is_public_address

ANSWER_SECONDS = 10.0
"""How long an answer is used again: a burst of connections asks once."""
ANSWERS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the system said of a name."""

    addresses: tuple[str, ...]
    until_seconds: float


class Resolver:
    """Looks names up for one process."""

    def __init__(self, *, allows_private: bool) -> None:
        """Know no name yet."""
        self._allows_private = allows_private
        self._answers: dict[str, _Answer] = {}
        self._under_way: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host, at least one; one private address among them makes a name unusable.

        Raises:
            OSError: It has none, or they are not on the public internet.
        """
        if is_address(host):
            self._check((host,))
            return (host,)
        loop = asyncio.get_running_loop()
        known = self._answers.get(host)
        if known is not None and known.until_seconds > loop.time():
            return known.addresses
        task = self._under_way.get(host)
        if task is None:
            task = self._under_way[host] = asyncio.create_task(self._look_up(host))
            task.add_done_callback(lambda done: self._forget(host, done))
        return await asyncio.shield(task)

    async def _look_up(self, host: str) -> tuple[str, ...]:
        """Ask the system."""
        loop = asyncio.get_running_loop()
        answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))
        if not addresses:
            raise OSError
        self._check(addresses)
        if len(self._answers) >= ANSWERS_MAX:
            self._answers.clear()
        self._answers[host] = _Answer(addresses, loop.time() + ANSWER_SECONDS)
        return addresses

    def _check(self, addresses: tuple[str, ...]) -> None:
        """Keep to public addresses, unless the operator admits others."""
        if not self._allows_private and not all(map(is_public_address, addresses)):
            raise OSError

    def _forget(self, host: str, done: asyncio.Task[tuple[str, ...]]) -> None:
        """Let the next one ask anew; what went wrong is told to those who waited, if anybody still does."""
        self._under_way.pop(host, None)
        if not done.cancelled():
            done.exception()


def is_address(host: str) -> bool:
    """Whether a host is an IP address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
