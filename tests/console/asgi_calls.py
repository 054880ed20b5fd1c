"""Calls an ASGI app as a server does, and collects what it answers."""

import json
from dataclasses import dataclass
from typing import Any

from onetoken_app.console.http_exchange import AsgiApp, Message

ORIGIN = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    def header(self, name: str) -> str:
        """The first header of a name, or an empty text."""
        return next((value.decode() for key, value in self.headers if key == name.encode()), "")

    @property
    def cookie(self) -> str:
        """What the browser would send back."""
        return self.header("set-cookie").partition(";")[0]


async def post(
    app: AsgiApp,
    path: str,
    body: object,
    *,
    origin: str = ORIGIN,
    cookie: str = "",
    method: str = "POST",
    content_type: str = "application/json",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    peer: str = "198.51.100.7",
    query: str = "",
) -> Answered:
    """Send one request, its body in two pieces."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "client": (peer, 50_000),
        "headers": [
            (b"origin", origin.encode()),
            (b"cookie", cookie.encode()),
            (b"content-type", content_type.encode()),
            (b"user-agent", b"test"),
            *headers,
        ],
    }
    pieces = [
        {"type": "http.request", "body": content[:10], "more_body": True},
        {"type": "http.request", "body": content[10:], "more_body": False},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return pieces.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return Answered(status=sent[0]["status"], headers=list(sent[0]["headers"]), body=sent[-1]["body"])
