"""Small bodies are read whole, and nobody keeps one open."""

import asyncio
from http import HTTPStatus

import pytest

from onetoken_app.console import http_exchange
from onetoken_app.console.http_exchange import Message, RefusedExchange, Scope, read_json_object


class TestReadJsonObject:
    async def test_a_body_that_does_not_arrive_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http_exchange, "BODY_SECONDS_MAX", 0.05)
        pieces: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive() -> Message:
            if not pieces:
                await asyncio.Event().wait()
            return pieces.pop()

        scope: Scope = {"headers": [(b"content-type", b"application/json")]}
        with pytest.raises(RefusedExchange) as caught:
            await read_json_object(scope, receive)
        assert (caught.value.status, caught.value.code) == (HTTPStatus.REQUEST_TIMEOUT, "too_slow")
