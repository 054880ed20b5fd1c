"""Google's error envelope: the status as a number and a word, our own stable code among the details."""

from onetoken_app.errors import BadRequest, OneTokenError
from onetoken_app.providers.documents import encoded
from onetoken_app.providers.event_stream import event_of
from onetoken_app.relay.dialects.voice import Voice

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def error_body(error: OneTokenError, request_id: str) -> bytes:
    """Write the envelope."""
    facts = {"request_id": request_id, **{name: str(value) for name, value in error.metadata.items()}}
    if isinstance(error, BadRequest) and error.parameter:
        facts["param"] = error.parameter
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.code,
        "domain": "onetoken",
        "metadata": facts,
    }
    status = _STATUSES.get(error.http_status) or ("INTERNAL" if error.http_status >= 500 else "FAILED_PRECONDITION")
    return encoded(
        {
            "error": {
                "code": error.http_status,
                "message": error.public_message,
                "status": status,
                "details": [detail],
            }
        }
    )


def _error_event(error: OneTokenError, request_id: str, _event_count: int) -> bytes:
    """Write the envelope as an event, which official clients raise."""
    return event_of(error_body(error, request_id))


def _error_element(error: OneTokenError, request_id: str, _event_count: int) -> bytes:
    """Write the envelope as the last element of an array."""
    return b",\n" + error_body(error, request_id) + b"]"


GEMINI_VOICE = Voice(error_body=error_body, error_event=_error_event, keep_alive=b"")
"""No sign of life: official clients take any other line than data for broken JSON."""
GEMINI_ARRAY_VOICE = Voice(
    error_body=error_body, error_event=_error_element, keep_alive=b"", content_type=b"application/json"
)
