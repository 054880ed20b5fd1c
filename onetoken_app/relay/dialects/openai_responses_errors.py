"""Errors on the paths of Responses: OpenAI's envelope, and an event of their own that counts like the others."""

from onetoken_app.errors import OneTokenError
from onetoken_app.providers.documents import encoded
from onetoken_app.providers.event_stream import KEEP_ALIVE
from onetoken_app.relay.dialects.openai_errors import error_body, error_object
from onetoken_app.relay.dialects.voice import Voice


def _error_event(error: OneTokenError, _request_id: str, event_count: int) -> bytes:
    """Write an error as the last event; official clients raise it for its ``error``, others read what stands beside."""
    envelope = error_object(error)
    told = envelope["error"]
    beside = {name: told[name] for name in ("code", "message", "param")} if isinstance(told, dict) else {}
    return (
        b"event: error\ndata: "
        + encoded({"type": "error", "sequence_number": event_count, **beside, **envelope})
        + b"\n\n"
    )


RESPONSES_VOICE = Voice(error_body=error_body, error_event=_error_event, keep_alive=KEEP_ALIVE)
