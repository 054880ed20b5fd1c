"""The relay's face to a server: raw ASGI, a table of paths, no framework in between.

``RelayApp`` stands in front of Reflex's routes under ``onetoken up``, and alone under ``onetoken relay``; only then
does it answer the server's lifespan and start its own runtime.
"""

import asyncio
import functools
import signal
import threading
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from onetoken_app.catalog.queries import ModelView
from onetoken_app.errors import OneTokenError
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.relay.admission import callable_offers
from onetoken_app.relay.dialects import anthropic_models, gemini_models, openai_models
from onetoken_app.relay.dialects.anthropic_errors import ANTHROPIC_VOICE
from onetoken_app.relay.dialects.gemini import COUNT, MODELS_PATH, Address, address_of
from onetoken_app.relay.dialects.gemini_errors import GEMINI_ARRAY_VOICE, GEMINI_VOICE
from onetoken_app.relay.dialects.openai_errors import OPENAI_VOICE
from onetoken_app.relay.dialects.openai_responses_errors import RESPONSES_VOICE
from onetoken_app.relay.dialects.spoken import CHAT, MESSAGES, RESPONSES, gemini_at, template_of
from onetoken_app.relay.dialects.voice import Voice
from onetoken_app.relay.errors import MethodNotAllowed, ModelNotFound, UnknownUrl, internal_error
from onetoken_app.relay.metrics import METRICS_PATH, show_metrics
from onetoken_app.relay.pipeline import identify, note_refusal, serve_call
from onetoken_app.relay.policy_snapshot import Caller
from onetoken_app.relay.receipts import RECEIPT_TEMPLATE, RECEIPTS_PATH, show_receipt
from onetoken_app.relay.reply import Reply, Send
from onetoken_app.relay.request_body import Receive
from onetoken_app.relay.request_head import read_head
from onetoken_app.relay.runtime import RelayRuntime, not_started
from onetoken_app.relay.token_counting import COUNT_PATH, count_gemini_tokens, count_tokens
from onetoken_app.settings import get_settings
from onetoken_app.telemetry import get_logger

Scope = dict[str, Any]
Endpoint = Callable[[RelayRuntime, Scope, Receive, Reply], Awaitable[None]]

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
        return path in _PROBES or path in {METRICS_PATH, "/v1", "/v1beta"} or path.startswith(("/v1/", "/v1beta/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection of any kind."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong, its caller gets an error of ours."""
        path = scope["path"]
        reply = Reply(send, request_id=new_id(Kind.REQUEST), peer=scope.get("client"), voice=_voice_of(scope))
        try:
            if path in _PROBES:
                await self._probe(path, reply)
            else:
                await self._endpoint_of(scope)(self._runtime, scope, receive, reply)
        except OneTokenError as error:
            note_refusal(error, request_id=reply.request_id, path=_template_of(path))
            if self._runtime.is_started:
                self._runtime.metrics.note_refusal(error, interface=_template_of(path))
            await reply.fail(error)
        except Exception:  # noqa: BLE001 # the edge: a server would answer without an envelope
            get_logger().error(
                "request_failed", request_id=reply.request_id, interface_path=_template_of(path), exc_info=True
            )
            await reply.fail(internal_error())

    def _endpoint_of(self, scope: Scope) -> Endpoint:
        """Find what answers a path and method.

        Raises:
            OneTokenError: Nothing does, or not yet.
        """
        if not self._runtime.is_started:
            raise not_started()
        endpoints, method = _endpoints_of(scope["path"], scope.get("query_string", b"")), scope["method"]
        if not endpoints and scope["path"].startswith(f"{RESPONSES.path}/"):
            raise UnknownUrl(
                "No answer is kept here, so none can be fetched, cancelled or deleted later. Send the whole "
                "conversation to POST /v1/responses."
            )
        if not endpoints:
            raise UnknownUrl("There is nothing at this address. docs/relay-api.md lists what there is.")
        if method not in endpoints:
            allowed = ", ".join(endpoints)
            raise MethodNotAllowed(f"This address takes no other method than {allowed}.", allowed=allowed)
        return endpoints[method]

    async def _probe(self, path: str, reply: Reply) -> None:
        """Say whether the process lives, or may be sent calls."""
        is_good = path == "/livez" or self._runtime.is_ready
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


async def _list_models(runtime: RelayRuntime, scope: Scope, _receive: Receive, reply: Reply) -> None:
    """Answer ``GET /v1/models`` with what this key may call now."""
    caller = await identify(runtime, read_head(scope["headers"]))
    offers = callable_offers(caller, runtime.policy.snapshot())
    models = [offer.model for offer in offers]
    if _speaks_anthropic(scope):
        body = anthropic_models.models_body(models, scope.get("query_string", b""))
    elif _speaks_google(scope):
        body = gemini_models.models_body(models)
    else:
        body = openai_models.models_body(models)
    await reply.send_whole(200, _JSON, body)


async def _show_model(runtime: RelayRuntime, scope: Scope, _receive: Receive, reply: Reply) -> None:
    """Answer ``GET /v1/models/{id}``; names may contain slashes."""
    name = scope["path"].removeprefix(f"{_MODELS_PATH}/")
    caller = await identify(runtime, read_head(scope["headers"]))
    model = _offered(runtime, caller, name)
    if _speaks_anthropic(scope):
        body = anthropic_models.model_body(model)
    elif _speaks_google(scope):
        body = gemini_models.model_body(model)
    else:
        body = openai_models.model_body(model)
    await reply.send_whole(200, _JSON, body)


async def _list_gemini_models(runtime: RelayRuntime, scope: Scope, _receive: Receive, reply: Reply) -> None:
    """Answer ``GET /v1beta/models``."""
    caller = await identify(runtime, read_head(scope["headers"]))
    offers = callable_offers(caller, runtime.policy.snapshot())
    await reply.send_whole(200, _JSON, gemini_models.models_body([offer.model for offer in offers]))


async def _show_gemini_model(
    runtime: RelayRuntime, scope: Scope, _receive: Receive, reply: Reply, *, name: str
) -> None:
    """Answer ``GET /v1beta/models/{model}``."""
    caller = await identify(runtime, read_head(scope["headers"]))
    await reply.send_whole(200, _JSON, gemini_models.model_body(_offered(runtime, caller, name)))


def _offered(runtime: RelayRuntime, caller: Caller, name: str) -> ModelView:
    """Return a model that a caller may call, by any of its names.

    Raises:
        ModelNotFound: There is none.
    """
    policy = runtime.policy.snapshot()
    offers = {offer.model.name: offer.model for offer in callable_offers(caller, policy)}
    name = policy.aliases.get(name, name)
    if name not in offers:
        raise ModelNotFound("This model does not exist or is not open to this key. GET /v1/models lists what is.")
    return offers[name]


_PATHS: dict[str, dict[str, Endpoint]] = {
    CHAT.path: {"POST": functools.partial(serve_call, spoken=CHAT)},
    RESPONSES.path: {"POST": functools.partial(serve_call, spoken=RESPONSES)},
    MESSAGES.path: {"POST": functools.partial(serve_call, spoken=MESSAGES)},
    COUNT_PATH: {"POST": count_tokens},
    _MODELS_PATH: {"GET": _list_models},
    MODELS_PATH: {"GET": _list_gemini_models},
    METRICS_PATH: {"GET": show_metrics},
}


def _voice_of(scope: Scope) -> Voice:
    """Choose the dialect of errors: the route's, and where two dialects share one, the caller's."""
    if scope["path"] == RESPONSES.path:
        return RESPONSES_VOICE
    address = address_of(scope["path"], scope.get("query_string", b""))
    if address is not None and address.is_array:
        return GEMINI_ARRAY_VOICE
    if address is not None or scope["path"].startswith("/v1beta") or _speaks_google(scope):
        return GEMINI_VOICE
    return ANTHROPIC_VOICE if _speaks_anthropic(scope) else OPENAI_VOICE


def _speaks_anthropic(scope: Scope) -> bool:
    """Whether a request is of Anthropic's API: both APIs have ``/v1/models``, and only one of them has this header."""
    path: str = scope["path"]
    if path == _MODELS_PATH or _names_a_model(path):
        return any(name == b"anthropic-version" for name, _ in scope["headers"])
    return path == MESSAGES.path or path.startswith(f"{MESSAGES.path}/")


def _speaks_google(scope: Scope) -> bool:
    """Whether a list of models that dialects share is asked for by one of Google's clients."""
    path: str = scope["path"]
    is_shared = path == _MODELS_PATH or _names_a_model(path)
    return is_shared and any(name == b"x-goog-api-key" for name, _ in scope["headers"])


def _endpoints_of(path: str, query: bytes) -> dict[str, Endpoint]:
    """Return the endpoints of a path, by method."""
    if _names_a_receipt(path):
        return {"GET": show_receipt}
    if (address := address_of(path, query)) is not None:
        return _endpoints_at(address)
    return {"GET": _show_model} if _names_a_model(path) else _PATHS.get(path, {})


def _endpoints_at(address: Address) -> dict[str, Endpoint]:
    """Return the endpoints of a model's address in Gemini's dialect."""
    if not address.method:
        return {"GET": functools.partial(_show_gemini_model, name=address.model_name)}
    spoken = gemini_at(address)
    if address.method == COUNT:
        return {"POST": functools.partial(count_gemini_tokens, spoken=spoken)}
    return {"POST": functools.partial(serve_call, spoken=spoken)}


def _names_a_model(path: str) -> bool:
    """Whether a path is that of one model."""
    return path.startswith(f"{_MODELS_PATH}/") and len(path) > len(_MODELS_PATH) + 1


def _names_a_receipt(path: str) -> bool:
    """Whether a path is that of one receipt."""
    return path.startswith(RECEIPTS_PATH) and len(path) > len(RECEIPTS_PATH)


def _template_of(path: str) -> str:
    """Return a path as it may be logged: known ones only, because a path can hold anything."""
    if (address := address_of(path, b"")) is not None:
        return template_of(address)
    if _names_a_model(path):
        return _MODEL_TEMPLATE
    if _names_a_receipt(path):
        return RECEIPT_TEMPLATE
    return path if path in _PATHS else "unknown"
