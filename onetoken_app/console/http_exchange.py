"""Plain HTTP for the few routes that stand outside Reflex: small JSON bodies, cookies, where a request comes from."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from onetoken_app.caller_address import caller_address

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES_MAX = 4096
BODY_SECONDS_MAX = 10.0
"""How long a small body may take to arrive."""


@dataclass(frozen=True, slots=True)
class Download:
    """A text that the browser keeps as a file."""

    file_name: str
    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page to print or keep: HTML of its own that loads nothing and runs nothing."""

    file_name: str
    html: str
    style: str
    """The one style that stands in it, exactly."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the browser keeps and never opens in the console's own origin."""

    file_name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers."""

    status: HTTPStatus
    body: dict[str, Any] = field(default_factory=dict)
    set_cookie: str | None = None
    download: Download | None = None
    """Sent instead of the body."""
    sheet: Sheet | None = None
    """Sent instead of the body."""
    attachment: Attachment | None = None
    """Sent instead of the body."""


Route = Callable[[Scope, Receive], Awaitable[Answer]]


class RefusedExchange(Exception):
    """The request is answered with a status and a stable code, and nothing else happens."""

    def __init__(
        self, status: HTTPStatus, code: str, *, seconds: int | None = None, parameter: str | None = None
    ) -> None:
        """Keep the answer.

        Args:
            status: HTTP status.
            code: What the page's script looks up its words by.
            seconds: How long to wait before trying again.
            parameter: The member of the form that is wrong.
        """
        super().__init__(code)
        self.status = status
        self.code = code
        self.seconds = seconds
        self.parameter = parameter


def header(scope: Scope, name: bytes) -> str:
    """Return the first header of a name, or an empty text."""
    found: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return found.decode("latin-1")


def caller_ip(scope: Scope, *, trusted_proxy_count: int) -> str:
    """Return the address that a request comes from; see ``caller_address``."""
    forwarded_for = [value for key, value in scope["headers"] if key == b"x-forwarded-for"]
    return caller_address(scope.get("client"), forwarded_for, trusted_proxy_count=trusted_proxy_count)


def cookie_of(cookie_header: str, name: str) -> str | None:
    """Find one cookie; browsers write them plainly, so nothing needs decoding."""
    for part in cookie_header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name and value:
            return value
    return None


async def read_json_object(scope: Scope, receive: Receive, *, bytes_max: int = BODY_BYTES_MAX) -> dict[str, Any]:
    """Read a small JSON object.

    Raises:
        RefusedExchange: Not JSON, not an object, over ``bytes_max``, or slower than ``BODY_SECONDS_MAX``.
    """
    if header(scope, b"content-type").partition(";")[0].strip() != "application/json":
        raise RefusedExchange(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_json")
    body = await read_small_body(receive, bytes_max)
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise RefusedExchange(HTTPStatus.BAD_REQUEST, "not_json")
    return parsed


async def read_small_body(receive: Receive, bytes_max: int) -> bytes:
    """Read a small body as it is.

    Raises:
        RefusedExchange: Over ``bytes_max``, or slower than ``BODY_SECONDS_MAX``.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            return await _small_body(receive, bytes_max)
    except TimeoutError:
        raise RefusedExchange(HTTPStatus.REQUEST_TIMEOUT, "too_slow") from None


async def send_plain(send: Send, status: HTTPStatus, content_type: str, text: str) -> None:
    """Answer a program in exactly the words that it reads."""
    content = text.encode()
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def send_json(
    send: Send, status: HTTPStatus, body: dict[str, Any], *, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Answer with JSON that no cache keeps."""
    content = json.dumps(body, separators=(",", ":")).encode()
    start_headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": start_headers})
    await send({"type": "http.response.body", "body": content})


async def send_answer(send: Send, answer: Answer) -> None:
    """Send what a route answers."""
    cookies = [(b"set-cookie", answer.set_cookie.encode())] if answer.set_cookie else []
    if answer.sheet is not None:
        await _send_sheet(send, answer.status, answer.sheet)
        return
    if answer.attachment is not None:
        await _send_attachment(send, answer.status, answer.attachment)
        return
    if answer.download is None:
        await send_json(send, answer.status, answer.body, headers=cookies)
        return
    content = answer.download.text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-disposition", f'attachment; filename="{answer.download.file_name}"'.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *cookies,
    ]
    await send({"type": "http.response.start", "status": int(answer.status), "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _send_attachment(send: Send, status: HTTPStatus, attachment: Attachment) -> None:
    """Send a file to keep."""
    headers = [
        (b"content-type", attachment.media_type.encode()),
        (b"content-disposition", f'attachment; filename="{attachment.file_name}"'.encode()),
        (b"content-length", str(len(attachment.content)).encode()),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": attachment.content})


async def _send_sheet(send: Send, status: HTTPStatus, sheet: Sheet) -> None:
    """Send a page that stands in the console's own origin and can do nothing there."""
    content = sheet.html.encode()
    style_hash = base64.b64encode(hashlib.sha256(sheet.style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style_hash}'; frame-ancestors 'none'; base-uri 'none'; sandbox"
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-disposition", f'inline; filename="{sheet.file_name}"'.encode()),
        (b"content-length", str(len(content)).encode()),
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def send_refusal(send: Send, refusal: RefusedExchange) -> None:
    """Answer with a code, and with the seconds to wait when there are any."""
    body: dict[str, Any] = {"code": refusal.code}
    headers: list[tuple[bytes, bytes]] = []
    if refusal.parameter is not None:
        body["parameter"] = refusal.parameter
    if refusal.seconds is not None:
        body["seconds"] = refusal.seconds
        headers.append((b"retry-after", str(refusal.seconds).encode()))
    await send_json(send, refusal.status, body, headers=headers)


async def _small_body(receive: Receive, bytes_max: int) -> bytes:
    """Read a body to its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedExchange(HTTPStatus.BAD_REQUEST, "hung_up")
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise RefusedExchange(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        if not message.get("more_body", False):
            return bytes(body)
