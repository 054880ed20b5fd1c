"""Errors, named for the outcome. A room subclasses the nearest branch.

OneTokenError
├── BadRequest            400
├── Unauthenticated       401
├── PaymentRequired       402
├── Forbidden             403
├── NotFound              404
├── Conflict              409
├── Gone                  410
├── PayloadTooLarge       413
├── UnsupportedMediaType  415
├── UpstreamFailed        502
├── Unavailable           503
└── DeadlineExceeded      504

``public_message`` is written by us and shown to customers: it says what happened, what was not done, and what to do
next. It never quotes a prompt, a reply, a credential or an upstream's words.
"""

from typing import ClassVar


class OneTokenError(Exception):
    """Something a caller can be told about."""

    http_status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    """Stable; customers' programs compare it. docs/relay-api.md lists those that the relay sends."""
    is_retryable: ClassVar[bool] = False
    """Whether the same request may succeed a little later without anybody doing anything."""

    def __init__(self, public_message: str, *, metadata: dict[str, int | str] | None = None) -> None:
        """Keep what may be said.

        Args:
            public_message: A sentence or two in our own words.
            metadata: Facts a program may act on, such as ``affordable_output_tokens``; never content.
        """
        super().__init__(public_message)
        self.public_message = public_message
        self.metadata = metadata or {}


class BadRequest(OneTokenError):
    """The request cannot be understood or breaks a stated rule."""

    http_status = 400
    code = "invalid_request"

    def __init__(self, public_message: str, *, parameter: str | None = None) -> None:
        """Name the request's member that is wrong, when one is."""
        super().__init__(public_message)
        self.parameter = parameter


class Unauthenticated(OneTokenError):
    """Nobody we know."""

    http_status = 401
    code = "unauthenticated"


class PaymentRequired(OneTokenError):
    """Money is missing."""

    http_status = 402
    code = "payment_required"


class Forbidden(OneTokenError):
    """We know who it is, and the answer is no."""

    http_status = 403
    code = "forbidden"


class NotFound(OneTokenError):
    """It does not exist, or not for this caller."""

    http_status = 404
    code = "not_found"


class Conflict(OneTokenError):
    """The state of the thing does not allow it; somebody else may have been faster."""

    http_status = 409
    code = "conflict"


class Gone(OneTokenError):
    """It did exist, and its time is over."""

    http_status = 410
    code = "gone"


class PayloadTooLarge(OneTokenError):
    """The body is over a stated limit."""

    http_status = 413
    code = "payload_too_large"


class UnsupportedMediaType(OneTokenError):
    """The body is of a kind or coding that is not read here."""

    http_status = 415
    code = "unsupported_media_type"


class UpstreamFailed(OneTokenError):
    """The provider did not give an answer that can be delivered."""

    http_status = 502
    code = "upstream_failed"
    is_retryable = True


class Unavailable(OneTokenError):
    """We cannot serve this now, and say so rather than guess."""

    http_status = 503
    code = "unavailable"
    is_retryable = True


class DeadlineExceeded(OneTokenError):
    """The provider did not answer in time."""

    http_status = 504
    code = "upstream_timeout"
    is_retryable = True
