"""OpenAI's error envelope."""

import msgspec

from onetoken_app.errors import BadRequest, OneTokenError
from onetoken_app.providers.event_stream import KEEP_ALIVE, event_of
from onetoken_app.relay.dialects.voice import Voice

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


def error_body(error: OneTokenError, _request_id: str) -> bytes:
    """Write the envelope as a body or as the data of an event; the request's id stands in the headers."""
    return _encoder.encode(error_object(error))


def _error_event(error: OneTokenError, request_id: str, _event_count: int) -> bytes:
    """Write the envelope as an event, which official clients raise."""
    return event_of(error_body(error, request_id))


OPENAI_VOICE = Voice(error_body=error_body, error_event=_error_event, keep_alive=KEEP_ALIVE)
