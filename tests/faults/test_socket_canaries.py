"""What a stranger sends to the console's socket never reaches the log, whichever library stumbles over it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio  # type: ignore[import-untyped] # it has no types

from tests.faults.canaries import Canaries
from tests.support.installation import Installation, RunningProcess, wait_for_line

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]
_SPACE = "/_event"


async def come_from_a_foreign_page(running: RunningProcess, origin: str) -> None:
    """Ask for a socket the way the page of another site would."""
    headers = {
        "Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{running.url}{_SPACE}/?EIO=4&transport=websocket", headers=headers)
    assert answer.status_code >= 400


async def connected(running: RunningProcess, *, client_name: str) -> Any:
    """Open a socket as a program does, without a browser."""
    client = socketio.AsyncClient(reconnection=False)
    await client.connect(
        f"{running.url}?token={client_name}",
        headers={"Origin": running.url, "User-Agent": client_name},
        socketio_path=_SPACE,
        namespaces=[_SPACE],
        transports=["websocket"],
    )
    return client


def events(new: Callable[[str], str]) -> list[tuple[str, Any]]:
    """Write events that cannot be right, with a canary in each member."""

    def full(name: str, **payload: Any) -> tuple[str, Any]:
        page = {"pathname": f"/{new('path')}", "asPath": f"/{new('address')}?x={new('query')}", "query": {}}
        return "event", {"name": name, "payload": payload, "router_data": page}

    return [
        ("event", new("a text for an event")),
        ("event", {"name": new("name"), "payload": {new("member"): new("value")}}),
        ("event", {"name": 5, "payload": new("payload")}),
        full(new("name of an event")),
        full("reflex___state____state.hydrate", **{new("argument"): new("its value")}),
        full(
            "reflex___state____update_vars_internal_state.update_vars_internal", vars={new("variable"): new("setting")}
        ),
        full(
            "reflex___state____frontend_event_exception_state.handle_frontend_exception",
            info=new("error of a page"), component_stack=new("its place"),
        ),
        (new("kind of message"), new("message")),
        ("client_error", {"message": new("complaint")}),
        ("event", new("binary").encode()),
    ]  # fmt: skip


async def send_everything(running: RunningProcess, canaries: Canaries) -> None:
    """Come from a foreign page, then send each event over a socket of its own.

    What the console's log says of both shows that they were met: that Engine.IO stumbled, and over which class.
    """
    await come_from_a_foreign_page(running, f"http://{canaries.new('origin').removesuffix('-é')}.example")
    await asyncio.to_thread(wait_for_line, running, '"logger": "engineio.server"')
    clients = []
    for name, content in events(canaries.new):
        clients.append(await connected(running, client_name=canaries.new("client").encode().hex()))
        await clients[-1].emit(name, content, namespace=_SPACE)
    await asyncio.to_thread(wait_for_line, running, '"error_class": "EventDeserializationError"')
    for client in clients:
        await client.disconnect()


class TestSocketCanaries:
    def test_nothing_of_an_event_or_an_origin_is_written(self, tmp_path: Path) -> None:
        installation = Installation(tmp_path, variables={"ONETOKEN_LOG_LEVEL": "debug"})
        canaries = Canaries()
        with installation.console() as running:
            asyncio.run(send_everything(running, canaries))
            running.stop()
        assert len(canaries.by_field) > 20
        assert canaries.found_in(tmp_path) == []
