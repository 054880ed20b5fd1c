"""Anthropic's error envelope. Its types follow the status; our own stable code stands in the details."""

import msgspec

from onetoken_app.errors import BadRequest, OneTokenError
from onetoken_app.relay.dialects.voice import Voice

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_encoder = msgspec.json.Encoder()


def error_body(error: OneTokenError, request_id: str) -> bytes:
    """Write the envelope as a body or as the data of an event."""
    kind = _TYPES.get(error.http_status) or ("api_error" if error.http_status >= 500 else "invalid_request_error")
    details: dict[str, object] = {"code": error.code}
    if isinstance(error, BadRequest) and error.parameter:
        details["param"] = error.parameter
    if error.metadata:
        details["metadata"] = error.metadata
    return _encoder.encode(
        {
            "type": "error",
            "error": {"type": kind, "message": error.public_message, "details": details},
            "request_id": request_id,
        }
    )


def _error_event(error: OneTokenError, request_id: str, _event_count: int) -> bytes:
    """Write the envelope as an event, which official clients raise."""
    return b"event: error\ndata: " + error_body(error, request_id) + b"\n\n"


ANTHROPIC_VOICE = Voice(
    error_body=error_body, error_event=_error_event, keep_alive=b'event: ping\ndata: {"type":"ping"}\n\n'
)
