"""What the relay tells callers. Every sentence is ours; docs/relay-api.md lists the codes."""

from typing import ClassVar

from onetoken_app.errors import (
    BadRequest,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    OneTokenError,
    PaymentRequired,
    Unauthenticated,
    Unavailable,
    UpstreamFailed,
)


class InvalidApiKey(Unauthenticated):
    """No key, a mistyped, unknown, expired or revoked one: the caller is not told which of the last three."""

    code = "invalid_api_key"


class ConflictingApiKeys(BadRequest):
    """Two different keys in one request; choosing one could bill the wrong organization."""

    code = "conflicting_api_keys"


class UnsupportedParameter(BadRequest):
    """A member that would make the call dearer than its price, or send it elsewhere than it was admitted for."""

    code = "unsupported_parameter"


class OrganizationNotVerified(Forbidden):
    """The organization has not been verified yet."""

    code = "organization_not_verified"


class OrganizationSuspended(Forbidden):
    """The organization was suspended."""

    code = "organization_suspended"


class OrganizationFrozen(Forbidden):
    """The ledger places no new hold for the organization; what is under way goes on."""

    code = "organization_frozen"


class AgreementsOutstanding(Forbidden):
    """An agreement in force has not been accepted."""

    code = "agreements_outstanding"


class RegionNotConfirmed(Forbidden):
    """The model is served from overseas only, and no written confirmation is on file."""

    code = "region_not_confirmed"


class RoutingNotPossible(BadRequest):
    """No channel of the model fits what the request's own headers ask for."""

    code = "routing_not_possible"


class ModelNotFound(NotFound):
    """No such model, or not for this key: both look alike, so that a key cannot be used to explore the catalog."""

    code = "model_not_found"


class ReceiptNotFound(NotFound):
    """No closed call of the key's organization has this id; another organization's looks the same."""

    code = "receipt_not_found"


class UnknownUrl(NotFound):
    """No interface has this address."""

    code = "unknown_url"


class MethodNotAllowed(OneTokenError):
    """The address exists for other methods."""

    http_status = 405
    code = "method_not_allowed"

    def __init__(self, public_message: str, *, allowed: str) -> None:
        """Name the methods that the address is there for, as the header ``allow`` lists them."""
        super().__init__(public_message)
        self.allowed = allowed


class DuplicateRequest(Conflict):
    """A request with the same idempotency key was made before; the metadata is its receipt."""

    code = "duplicate_request"


class IdempotencyKeyReused(OneTokenError):
    """The idempotency key stands for another request."""

    http_status = 422
    code = "idempotency_key_reused"


class BudgetReached(PaymentRequired):
    """A budget of the organization does not allow the most that the call could cost."""

    code = "budget_reached"


class InsufficientBalance(PaymentRequired):
    """The balance does not cover the most that the call could cost."""

    code = "insufficient_funds"


class RequestTooSlow(OneTokenError):
    """The body did not arrive in time."""

    http_status = 408
    code = "request_too_slow"


class PolicyUnavailable(Unavailable):
    """Keys and prices could not be read for longer than is safe."""

    code = "policy_unavailable"


class Overloaded(Unavailable):
    """As many calls, or bytes of bodies, as the process may carry are open."""

    code = "overloaded"


class ShuttingDown(Unavailable):
    """This process is being stopped."""

    code = "shutting_down"


class NoChannelAvailable(Unavailable):
    """No channel serves the model at this moment."""

    code = "no_channel_available"


class UpstreamRejectedRequest(BadRequest):
    """The provider refused the request itself; its words are not repeated, because they may quote the prompt."""

    code = "upstream_rejected_request"


class UpstreamCredentials(UpstreamFailed):
    """The provider refused our credential: nothing the caller can mend."""

    code = "upstream_credentials"
    is_retryable = False


class UpstreamForbade(UpstreamCredentials):
    """The provider answered 402 or 403: our account may lack a right or money, or this one request asked too much."""


class UpstreamBusy(Unavailable):
    """The provider limits our account."""

    code = "upstream_busy"


class UpstreamUnusable(UpstreamFailed):
    """The provider's answer is not what its API promises, or ended early."""

    code = "upstream_unusable_reply"


class UpstreamUnreachable(UpstreamFailed):
    """No connection, or it broke before an answer."""

    code = "upstream_unreachable"


class UpstreamTooSlow(DeadlineExceeded):
    """No first byte, no next byte, or no end within the stated time."""


class CallerLeft(OneTokenError):
    """The caller hung up; nobody reads this, but the record carries its code. The status is that of common proxies."""

    http_status: ClassVar[int] = 499
    code = "caller_left"


class CallerStalled(CallerLeft):
    """The caller kept the connection and stopped reading."""

    code = "caller_stalled"


class InternalError(OneTokenError):
    """A mistake of ours; the log has its place."""

    code = "internal_error"


def internal_error(charge: str = "Nothing was charged.") -> InternalError:
    """Say that a mistake was made here, and what is charged."""
    return InternalError(
        f"A mistake was made here and has been noted. {charge} Tell the operator the request's id, which stands in the "
        f"header x-request-id."
    )
