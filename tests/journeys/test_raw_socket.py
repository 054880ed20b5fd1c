"""A browser is not needed to call an event: whoever opens the socket names it. Nobody gets anything that way."""

import asyncio
import json
from typing import Any

import httpx
import pytest
import socketio  # type: ignore[import-untyped] # it has no types
from reflex_base.constants import Reflex
from reflex_base.registry import RegistrationContext

from onetoken_app.console import pages
from onetoken_app.console.callers import Role
from onetoken_app.console.session import required_role
from tests.journeys.conftest import RunningConsole

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
_QUIET_SECONDS = 1.0


def named_events() -> dict[str, list[str]]:
    """Return every event that is not for everybody, with the names of its arguments."""
    assert pages.PAGES
    registered = RegistrationContext.ensure_context().event_handlers
    return {
        name: [argument for argument in event.handler.get_parameters() if argument != "self"][1:]
        for name, event in registered.items()
        if required_role(event.handler) not in {None, Role.NOBODY}
    }


async def updates_of(console: RunningConsole, events: list[dict[str, Any]], *, cookie: str) -> str:
    """Send events over a raw socket and return everything that came back."""
    client = socketio.AsyncClient(reconnection=False)
    received: list[str] = []
    client.on("event", lambda update: received.append(json.dumps(update)), namespace="/_event")
    headers = {"Cookie": cookie, "Sec-WebSocket-Protocol": Reflex.VERSION}
    await client.connect(
        f"{console.url}?token=raw-socket-test",
        headers=headers,
        socketio_path="/_event",
        namespaces=["/_event"],
        transports=["websocket"],
    )
    for event in events:
        await client.emit("event", event, namespace="/_event")
    await asyncio.sleep(_QUIET_SECONDS + 0.05 * len(events))
    await client.disconnect()
    return "\n".join(received)


def event(name: str, **arguments: Any) -> dict[str, Any]:
    """Write an event as a browser does."""
    return {"name": name, "payload": arguments, "router_data": {"pathname": "/keys", "query": {}, "asPath": "/keys"}}


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
