"""What one relay process counts of its calls: no content, no customer, no address; bounded, whatever callers send."""

from onetoken_app.clock import monotonic_seconds
from onetoken_app.errors import OneTokenError
from onetoken_app.money import Nanos
from onetoken_app.relay.measures import Counter, Family, Histogram
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.telemetry import get_logger

_MS = 1000


class CallMetrics:
    """The counters of one process."""

    def __init__(self, *, writes_access_lines: bool) -> None:
        """Begin at nothing."""
        self._writes_access_lines = writes_access_lines
        by_way = ("model", "channel")
        self._requests = Counter(
            "onetoken_requests_total", "Calls that ended, by status and error code.", (*by_way, "status", "code")
        )
        self._charges = Counter(
            "onetoken_charge_nanos_total", "What calls were charged, in billionths.", ("model", "currency")
        )
        self._seconds = Histogram("onetoken_request_seconds", "From a request's arrival to its close.", by_way)
        self._first_bytes = Histogram(
            "onetoken_first_byte_seconds", "From a request's arrival to the head of its answer.", by_way
        )
        self._attempts = Counter(
            "onetoken_attempts_total", "Requests that went upstream, by how they ended.", ("channel", "outcome")
        )
        self._refusals = Counter(
            "onetoken_refusals_total", "Requests that were refused before money was held.", ("interface", "code")
        )

    @property
    def families(self) -> list[Family]:
        """Everything that is counted."""
        return [
            self._requests, self._charges, self._seconds, self._first_bytes, self._attempts, self._refusals,
        ]  # fmt: skip

    def note_refusal(self, error: OneTokenError, *, interface: str) -> None:
        """Count a request that has no hold, by its interface's template."""
        self._refusals.add(interface, error.code)

    def note_call(self, call: OpenCall, error: OneTokenError | None, *, charge_nanos: Nanos) -> None:
        """Count a call that is closed, and write its line; ``error``: how it ended, if not well."""
        admission, now = call.admission, monotonic_seconds()
        model = admission.offer.model.name
        channel = call.target.channel_id if call.target else ""
        status = error.http_status if error and call.first_byte_at_seconds is None else 200
        code = error.code if error else ""
        latency_seconds = now - call.arrived_at_seconds
        self._requests.add(model, channel, str(status), code)
        self._charges.add(model, admission.sheet.currency.value, count=charge_nanos)
        self._seconds.observe(model, channel, seconds=latency_seconds)
        first_byte_ms = None
        if call.first_byte_at_seconds is not None:
            first_byte_seconds = call.first_byte_at_seconds - call.arrived_at_seconds
            self._first_bytes.observe(model, channel, seconds=first_byte_seconds)
            first_byte_ms = int(first_byte_seconds * _MS)
        for attempt in call.attempts:
            self._attempts.add(attempt.target.channel_id, attempt.outcome.value if attempt.outcome else "unknown")
        if self._writes_access_lines:
            get_logger().info(
                "call_closed",
                request_id=call.request_id, organization_id=admission.caller.organization_id,
                api_key_id=admission.caller.api_key_id, interface_path=call.interface_path,
                model_id=admission.offer.model.id, channel_id=channel, http_status=status, error_code=code,
                usage_source=call.usage_source.value, amount_nanos=charge_nanos, count=call.attempt_count,
                latency_ms=int(latency_seconds * _MS), first_byte_ms=first_byte_ms,
            )  # fmt: skip
