"""Callers that go on until the relay dies, and remember exactly which replies were complete."""

import asyncio
import json
from dataclasses import dataclass, field

import httpx

_BODY = {"model": "mock", "messages": [{"role": "user", "content": "Say hello."}]}


@dataclass(slots=True)
class Load:
    """What the callers saw."""

    url: str
    secret: str
    complete_request_ids: set[str] = field(default_factory=set)
    """Calls whose reply came to its end: these, and only these, are certain to be charged in full."""
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    enough_count: int = 100

    async def call_until_it_dies(self, *, is_streaming: bool) -> None:
        """Call again and again on one connection, until there is nobody to call."""
        headers = {"authorization": f"Bearer {self.secret}"}
        async with httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, headers=headers) as client:
            while True:
                try:
                    await self._call(client, is_streaming=is_streaming)
                except httpx.HTTPError:
                    return

    async def _call(self, client: httpx.AsyncClient, *, is_streaming: bool) -> None:
        """Make one call and read it to its end."""
        async with client.stream("POST", "/v1/chat/completions", json=_BODY | {"stream": is_streaming}) as reply:
            assert reply.status_code == 200, await reply.aread()
            received = b""
            async for piece in reply.aiter_bytes():
                received += piece
                if is_streaming and received.endswith(b"data: [DONE]\n\n"):
                    break
            if not is_streaming:
                json.loads(received)
            self.complete_request_ids.add(reply.headers["x-request-id"])
        if len(self.complete_request_ids) >= self.enough_count:
            self.enough.set()
