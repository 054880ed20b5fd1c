"""OpenAI's error envelope, and the headers that steer its clients' retries."""

import msgspec

from onetoken_app.errors import BadRequest, OneTokenError
from onetoken_app.relay.errors import MethodNotAllowed

Headers = list[tuple[bytes, bytes]]

RETRY_AFTER_SECONDS = 1
_TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
}
_encoder = msgspec.json.Encoder()


def error_object(error: OneTokenError) -> dict[str, object]:
    """Return the envelope; ``param`` and ``code`` are always present, as clients expect."""
    kind = _TYPES.get(error.http_status) or ("server_error" if error.http_status >= 500 else "invalid_request_error")
    parameter = error.parameter if isinstance(error, BadRequest) else None
    body: dict[str, object] = {
        "message": error.public_message, "type": kind, "param": parameter, "code": error.code
    }  # fmt: skip
    if error.metadata:
        body["metadata"] = error.metadata
    return {"error": body}


def error_body(error: OneTokenError) -> bytes:
    """Write the envelope as a body or as the data of an event."""
    return _encoder.encode(error_object(error))


def error_headers(error: OneTokenError, *, is_charged: bool) -> Headers:
    """Return the headers of an error: official clients decide by ``x-should-retry`` before they look at the status.

    Args:
        error: What is said.
        is_charged: Something was charged, so that trying again would cost twice.
    """
    may_retry = error.is_retryable and not is_charged
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"x-should-retry", b"true" if may_retry else b"false"),
    ]
    if may_retry:
        seconds = error.metadata.get("retry_after_seconds", RETRY_AFTER_SECONDS)
        headers.append((b"retry-after", str(seconds).encode()))
    if error.http_status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", error.allowed.encode()))
    return headers
