"""The relay's face to a server: raw ASGI, a table of paths, no framework in between.

``RelayApp`` stands in front of Reflex's routes under ``onetoken up``, and alone under ``onetoken relay``; only then
does it answer the server's lifespan and start its own runtime.
"""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from onetoken_app.errors import OneTokenError
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.relay.admission import callable_offers
from onetoken_app.relay.dialects.openai_errors import error_body, error_headers
from onetoken_app.relay.dialects.openai_models import model_body, models_body
from onetoken_app.relay.errors import MethodNotAllowed, ModelNotFound, UnknownUrl
from onetoken_app.relay.pipeline import CHAT_PATH, identify, note_refusal, serve_chat
from onetoken_app.relay.reply import Reply, Send
from onetoken_app.relay.request_body import Receive
from onetoken_app.relay.request_head import read_head
from onetoken_app.relay.runtime import RelayRuntime, not_started
from onetoken_app.settings import get_settings
from onetoken_app.telemetry import get_logger

Scope = dict[str, Any]
Endpoint = Callable[[RelayRuntime, Scope, Receive, Send], Awaitable[None]]

_JSON = [(b"content-type", b"application/json")]
_PROBES = frozenset({"/livez", "/readyz"})
_MODELS_PATH = "/v1/models"
_MODEL_TEMPLATE = "/v1/models/{id}"


class RelayApp:
    """The relay as an ASGI app."""

    def __init__(self, runtime: RelayRuntime) -> None:
        """Answer with a runtime that is started elsewhere, or by this app's lifespan."""
        self._runtime = runtime

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path is the relay's and not the console's."""
        return path in _PROBES or path == "/v1" or path.startswith("/v1/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of any kind."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the endpoint of a path and method."""
        path, method = scope["path"], scope["method"]
        if path in _PROBES:
            await self._probe(path, send)
            return
        endpoints = _endpoints_of(path)
        try:
            if not self._runtime.is_started:
                raise not_started()
            if not endpoints:
                raise UnknownUrl("There is nothing at this address. docs/relay-api.md lists what there is.")
            endpoint = endpoints.get(method)
            if endpoint is None:
                raise MethodNotAllowed("This address is there for another method.")
        except OneTokenError as error:
            await _refuse(error, send, path=_template_of(path), allowed=", ".join(endpoints))
        else:
            await endpoint(self._runtime, scope, receive, send)

    async def _probe(self, path: str, send: Send) -> None:
        """Say whether the process lives, or may be sent calls."""
        is_good = path == "/livez" or self._runtime.is_ready
        reply = Reply(send, request_id=new_id(Kind.REQUEST))
        body = b'{"status":"ok"}' if is_good else b'{"status":"unavailable"}'
        await reply.send_whole(200 if is_good else 503, _JSON, body)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start with the server and stop with it."""
        await receive()
        try:
            await self._runtime.start(get_settings())
        except Exception:  # noqa: BLE001 # the edge: the server has to be told, whatever it was
            get_logger().error("relay_start_failed", exc_info=True)
            await send({"type": "lifespan.startup.failed"})
            return
        drain_at_stop_signals(self._runtime)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._runtime.stop()
        await send({"type": "lifespan.shutdown.complete"})


def drain_at_stop_signals(runtime: RelayRuntime) -> None:
    """Begin to drain when a signal asks to stop, then let the server's own handler act as before.

    A server tells its app only after its connections have ended, which is too late to stop admitting calls.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        theirs = signal.getsignal(number)
        if not callable(theirs):
            continue

        def ours(
            received: int, frame: FrameType | None, theirs: Callable[[int, FrameType | None], Any] = theirs
        ) -> None:
            loop.call_soon_threadsafe(runtime.begin_drain)
            theirs(received, frame)

        signal.signal(number, ours)


async def _list_models(runtime: RelayRuntime, scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer ``GET /v1/models`` with what this key may call now."""
    request_id = new_id(Kind.REQUEST)
    reply = Reply(send, request_id=request_id)
    try:
        caller = await identify(runtime, read_head(scope["headers"]))
        body = models_body(offer.model for offer in callable_offers(caller, runtime.policy.snapshot()))
    except OneTokenError as error:
        note_refusal(error, request_id=request_id, path=_MODELS_PATH)
        await reply.fail(error)
    else:
        await reply.send_whole(200, _JSON, body)


async def _show_model(runtime: RelayRuntime, scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer ``GET /v1/models/{id}``; names may contain slashes."""
    request_id = new_id(Kind.REQUEST)
    reply = Reply(send, request_id=request_id)
    name = scope["path"].removeprefix(f"{_MODELS_PATH}/")
    try:
        caller = await identify(runtime, read_head(scope["headers"]))
        offers = {offer.model.name: offer.model for offer in callable_offers(caller, runtime.policy.snapshot())}
        if name not in offers:
            raise ModelNotFound("This model does not exist or is not open to this key. GET /v1/models lists what is.")
        body = model_body(offers[name])
    except OneTokenError as error:
        note_refusal(error, request_id=request_id, path=_MODEL_TEMPLATE)
        await reply.fail(error)
    else:
        await reply.send_whole(200, _JSON, body)


_PATHS: dict[str, dict[str, Endpoint]] = {
    CHAT_PATH: {"POST": serve_chat},
    _MODELS_PATH: {"GET": _list_models},
}


def _endpoints_of(path: str) -> dict[str, Endpoint]:
    """Return the endpoints of a path, by method."""
    found = _PATHS.get(path)
    if found is None and path.startswith(f"{_MODELS_PATH}/") and len(path) > len(_MODELS_PATH) + 1:
        return {"GET": _show_model}
    return found or {}


def _template_of(path: str) -> str:
    """Return a path as it may be logged: known ones only, because a path can hold anything."""
    return path if path in _PATHS else "unknown"


async def _refuse(error: OneTokenError, send: Send, *, path: str, allowed: str) -> None:
    """Answer with an error before any endpoint was found."""
    request_id = new_id(Kind.REQUEST)
    note_refusal(error, request_id=request_id, path=path)
    headers = error_headers(error, is_charged=False)
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", allowed.encode()))
    await Reply(send, request_id=request_id).send_whole(error.http_status, headers, error_body(error))
