"""Sockets of people who are not signed in: few, not too fast, and the newest gets in."""

import asyncio

import pytest

from onetoken_app import clock
from onetoken_app.console import open_sockets
from onetoken_app.console.account_routes import AccountRoutes
from onetoken_app.console.http_exchange import Message, Receive, Scope, Send
from onetoken_app.console.open_sockets import Allowance, OpenSockets
from onetoken_app.settings import Settings
from tests.console.conftest import a_signed_in


class Door:
    """The gate in front of an app that holds each socket until its other end is gone."""

    def __init__(self, settings: Settings) -> None:
        self.gate = OpenSockets(self._serve, settings=settings)
        self.held: list[str] = []
        self.changed = asyncio.Event()

    async def _serve(self, scope: Scope, receive: Receive, _send: Send) -> None:
        name = scope["path"]
        self.held.append(name)
        self.changed.set()
        assert (await receive())["type"] == "websocket.disconnect"
        self.held.remove(name)
        self.changed.set()

    async def open(self, name: str, *, address: str = "198.51.100.7", cookie: str = "") -> asyncio.Task[list[Message]]:
        """Open a socket; its task ends with what it was sent, when it is closed."""
        headers = [(b"cookie", cookie.encode())]
        scope = {"type": "websocket", "path": name, "client": (address, 50_000), "headers": headers}
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def stay() -> list[Message]:
            await self.gate(scope, _nothing_comes, send)
            return sent

        task = asyncio.create_task(stay())
        while name not in self.held and not task.done():
            self.changed.clear()
            await asyncio.wait([task, asyncio.ensure_future(self.changed.wait())], return_when=asyncio.FIRST_COMPLETED)
        return task


async def _nothing_comes() -> Message:
    """Wait for a browser that says nothing."""
    await asyncio.Event().wait()
    return {}


@pytest.fixture
def door(routes: AccountRoutes, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A gate with small numbers, and time that stands still."""
    assert routes.owns("/account/sign-in")
    now_seconds = clock.monotonic_seconds()
    monkeypatch.setattr(clock, "monotonic_seconds", lambda: now_seconds)
    monkeypatch.setattr(open_sockets, "OPEN_MAX", 3)
    monkeypatch.setattr(open_sockets, "OPEN_PER_ADDRESS_MAX", 2)
    return Door(sqlite_settings)


class TestOpenSockets:
    async def test_over_the_number_the_oldest_is_closed(self, door: Door) -> None:
        tasks = [await door.open(f"s{number}", address=f"198.51.100.{number}") for number in range(5)]
        await asyncio.wait(tasks[:2])
        assert door.held == ["s2", "s3", "s4"]
        await _end(tasks)

    async def test_one_address_takes_only_its_own(self, door: Door) -> None:
        tasks = [await door.open("other", address="198.51.100.8")]
        tasks += [await door.open(f"s{number}") for number in range(4)]
        await asyncio.wait(tasks[1:3])
        assert door.held == ["other", "s2", "s3"]
        await _end(tasks)

    async def test_whoever_is_too_fast_is_refused_and_no_other_address(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(open_sockets, "ADDRESS_BURST", 1)
        first, second = await door.open("s0"), await door.open("s1")
        assert await second == [{"type": "websocket.close", "code": 1013}]
        other = await door.open("s2", address="198.51.100.8")
        assert door.held == ["s0", "s2"]
        await _end([first, other])

    async def test_one_person_takes_only_their_own(
        self, door: Door, routes: AccountRoutes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(open_sockets, "OPEN_PER_PERSON_MAX", 4)
        person = await a_signed_in(routes)
        tasks = [await door.open("stranger")]
        tasks += [await door.open(f"m{number}", cookie=person.cookie) for number in range(6)]
        await asyncio.wait(tasks[1:3])
        assert door.held == ["stranger", "m2", "m3", "m4", "m5"]
        await _end(tasks)


class TestAllowance:
    def test_comes_back_with_time_and_never_over_the_burst(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [0.0]
        monkeypatch.setattr(clock, "monotonic_seconds", lambda: now[0])
        allowance = Allowance(2, 0.5)
        assert [allowance.takes_one() for _ in range(3)] == [True, True, False]
        now[0] = 2.0
        assert [allowance.takes_one() for _ in range(2)] == [True, False]
        now[0] = 1000.0
        assert [allowance.takes_one() for _ in range(3)] == [True, True, False]


async def _end(tasks: list[asyncio.Task[list[Message]]]) -> None:
    """Close what is open."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
