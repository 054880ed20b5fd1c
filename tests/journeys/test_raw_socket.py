"""A browser is not needed to call an event: whoever opens the socket names it. Nobody gets anything that way."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import socketio  # type: ignore[import-untyped] # it has no types
from reflex_base.constants import Reflex
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegistrationContext

from onetoken_app.console import pages
from onetoken_app.console.callers import Role
from onetoken_app.console.session import required_role
from tests.journeys.conftest import RunningConsole

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
_QUIET_SECONDS = 1.0
BOOT = "reflex___state____state.hydrate_and_load"


class RawTab:
    """One end of a socket, that knows what its screen would show."""

    def __init__(self, client: Any, *, path: str) -> None:
        self._client = client
        self._path = path
        self._news = asyncio.Event()
        self.received: list[dict[str, Any]] = []
        self.is_renamed = False
        """The server gave the tab another name, because one of that name is open."""
        self.shown: dict[str, Any] = {}
        """The frame's vars."""

    def take(self, update: dict[str, Any]) -> None:
        """Show what the server sent."""
        self.received.append(update)
        for state, changes in update.get("delta", {}).items():
            if state.endswith("session_state"):
                self.shown |= {name.removesuffix(FIELD_MARKER): value for name, value in changes.items()}
        self._news.set()

    def rename(self, _name: str) -> None:
        """Note that the State is another than the one asked for."""
        self.is_renamed = True

    @property
    def words(self) -> str:
        """Everything that came back, to be searched."""
        return "\n".join(json.dumps(update) for update in self.received)

    async def begin(self, *, shown_for: str = "") -> None:
        """Ask for what a page begins with, as Reflex's client does with each new socket."""
        await self.send(event(BOOT), shown_for=shown_for)
        await self.until(lambda: bool(self.shown))

    async def send(self, sent: dict[str, Any], *, shown_for: str | None = None) -> None:
        """Send an event, and say for which organization the screen is shown."""
        organization_id = self.shown.get("organization_id", "") if shown_for is None else shown_for
        route: dict[str, Any] = {
            "pathname": self._path,
            "query": {},
            "asPath": self._path,
            "organization_id": organization_id,
        }
        routed = {**sent, "router_data": route}
        await self._client.emit("event", routed, namespace="/_event")

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that an update brings."""
        async with asyncio.timeout(20):
            while not is_so():
                self._news.clear()
                await self._news.wait()


def named_events() -> dict[str, list[str]]:
    """Return every event that is not for everybody, with the names of its arguments."""
    assert pages.PAGES
    registered = RegistrationContext.ensure_context().event_handlers
    return {
        name: [argument for argument in event.handler.get_parameters() if argument not in {"self", "state"}]
        for name, event in registered.items()
        if required_role(event.handler) not in {None, Role.NOBODY}
    }


@asynccontextmanager
async def a_tab(url: str, *, cookie: str, name: str = "raw-socket-test", path: str = "/keys") -> AsyncIterator[RawTab]:
    """Open a socket as a browser's tab does, under a name that anybody may choose."""
    client = socketio.AsyncClient(reconnection=False)
    tab = RawTab(client, path=path)
    client.on("event", tab.take, namespace="/_event")
    client.on("new_token", tab.rename, namespace="/_event")
    headers = {"Cookie": cookie, "Sec-WebSocket-Protocol": Reflex.VERSION}
    await client.connect(
        f"{url}?token={name}",
        headers=headers,
        socketio_path="/_event",
        namespaces=["/_event"],
        transports=["websocket"],
    )
    yield tab
    await client.disconnect()


async def updates_of(console: RunningConsole, events: list[dict[str, Any]], *, cookie: str) -> str:
    """Begin a page and send events over a raw socket; return everything that came back."""
    async with a_tab(console.url, cookie=cookie) as tab:
        await tab.begin()
        for event in events:
            await tab.send(event)
        await asyncio.sleep(_QUIET_SECONDS + 0.05 * len(events))
    return tab.words


def event(name: str, **arguments: Any) -> dict[str, Any]:
    """Write an event as a browser does."""
    return {"name": name, "payload": arguments, "router_data": {"pathname": "/keys", "query": {}, "asPath": "/keys"}}


def event_of(state: str, method: str, **arguments: Any) -> dict[str, Any]:
    """Write an event of one of our States."""
    (found,) = [name for name in named_events() if name.endswith(f"{state}.{method}")]
    return event(found, **arguments)


async def owner_cookie(console: RunningConsole) -> str:
    """Sign in without a browser."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{console.url}/account/sign-in",
            json={"email": console.email, "password": console.password},
            headers={"Origin": console.url},
        )
    assert answer.status_code == 200
    return answer.headers["set-cookie"].partition(";")[0]


class TestRawSocket:
    async def test_nobody_gets_anything_from_any_event(self, console: RunningConsole) -> None:
        ((key_id,),) = console.installation.rows("SELECT id FROM keys_api_key WHERE name = 'test'")
        events = [event(name, **dict.fromkeys(arguments, key_id)) for name, arguments in named_events().items()]
        assert len(events) >= 10
        before = console.installation.rows("SELECT count(*) FROM audit_entry")
        received = await updates_of(console, events, cookie="onetoken=made-up")
        assert "/sign-in" in received
        assert "Test Ltd" not in received
        assert key_id not in received
        assert "otk_live" not in received
        assert console.installation.rows("SELECT count(*) FROM audit_entry") == before
        assert console.installation.rows(f"SELECT revoked_at FROM keys_api_key WHERE id = '{key_id}'") == [(None,)]

    async def test_the_owner_gets_the_keys_the_same_way(self, console: RunningConsole) -> None:
        load = next(name for name in named_events() if "keys_state" in name and name.endswith(".load"))
        received = await updates_of(console, [event(load)], cookie=await owner_cookie(console))
        assert "Test Ltd" in received
        assert "otk_live" in received

    async def test_setters_and_foreign_ids_do_nothing_for_the_owner(self, console: RunningConsole) -> None:
        load = next(name for name in named_events() if "keys_state" in name and name.endswith(".load"))
        state = load.removesuffix(".load")
        session_state = next(
            name for name in RegistrationContext.ensure_context().base_states if "session_state" in name
        )
        events = [
            event(f"{state}.setvar", var_name="may_change", value="true"),
            event(f"{session_state}.setvar", var_name="organization_id", value="org_other"),
            event(f"{state}.select", api_key_id="key_of_somebody_else"),
            event(f"{state}.revoke"),
        ]
        before = console.installation.rows("SELECT count(*) FROM audit_entry WHERE action LIKE 'api_key%'")
        await updates_of(console, events, cookie=await owner_cookie(console))
        assert console.installation.rows("SELECT count(*) FROM audit_entry WHERE action LIKE 'api_key%'") == before
