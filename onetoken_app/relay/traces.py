"""Traces of calls for OpenTelemetry, where a setting names a collector: a span a call, and one a request upstream.

Spans are made when a call is closed, from what its record says: ids, names of the catalog, durations, the charge. No
content, no address of a caller, no words of a provider; and nothing of a caller's own trace is taken or passed on. They
wait in memory, bounded; a collector that is slow or gone loses spans and holds no call up.
"""

from datetime import datetime

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context

from onetoken_app.clock import utc_now
from onetoken_app.errors import OneTokenError
from onetoken_app.money import Nanos
from onetoken_app.relay.open_call import OpenAttempt, OpenCall
from onetoken_app.settings import Settings

SPANS_WAITING_MAX = 8192
SPANS_SENT_AT_ONCE = 512
_SEND_EVERY_MS = 1000.0
_SEND_SECONDS_MAX = 5.0
_NANOS_PER_MICROSECOND = 1000
_MICROSECONDS_PER_MS = 1000


class CallTraces:
    """What makes the spans of one process."""

    def __init__(self, provider: TracerProvider) -> None:
        """Take what collects spans."""
        self._provider = provider
        self._tracer = provider.get_tracer("onetoken")

    def note_call(self, call: OpenCall, error: OneTokenError | None, *, charge_nanos: Nanos) -> None:
        """Make the spans of a call that is closed; ``error``: how it ended, if not well."""
        admission, ended_at = call.admission, utc_now()
        span = self._tracer.start_span(
            f"POST {call.interface_path}",
            kind=SpanKind.SERVER,
            start_time=_nanoseconds(call.requested_at),
            attributes={
                "onetoken.request_id": call.request_id,
                "onetoken.organization_id": admission.caller.organization_id,
                "onetoken.api_key_id": admission.caller.api_key_id,
                "http.route": call.interface_path,
                "gen_ai.request.model": admission.offer.model.name,
                "onetoken.is_streaming": call.request.is_streaming,
                "onetoken.attempt_count": call.attempt_count,
                "onetoken.charge_nanos": charge_nanos,
                "onetoken.currency": admission.sheet.currency.value,
                "onetoken.usage_source": call.usage_source.value,
            },
        )
        if error is not None:
            span.set_attribute("error.type", error.code)
            span.set_status(StatusCode.ERROR)
        context = set_span_in_context(span)
        for attempt in call.attempts:
            child = self._tracer.start_span(
                "upstream", context, kind=SpanKind.CLIENT, start_time=_nanoseconds(attempt.began_at)
            )
            _end_attempt(child, attempt)
        span.end(_nanoseconds(ended_at))

    def stop(self) -> None:
        """Send what waits, for a few seconds at most; blocks."""
        self._provider.shutdown()


def traces_for(settings: Settings, *, collector_url: str) -> CallTraces:
    """Return what makes spans and sends them to a collector."""
    token = settings.traces_token
    headers = {} if token is None else {"authorization": f"Bearer {token.get_secret_value()}"}
    exporter = OTLPSpanExporter(collector_url, headers=headers, timeout=_SEND_SECONDS_MAX)
    provider = TracerProvider(
        sampler=TraceIdRatioBased(settings.traces_percent / 100),
        resource=Resource.create({"service.name": "onetoken-relay"}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=SPANS_WAITING_MAX,
            schedule_delay_millis=_SEND_EVERY_MS,
            max_export_batch_size=SPANS_SENT_AT_ONCE,
        )
    )
    return CallTraces(provider)


def _end_attempt(span: Span, attempt: OpenAttempt) -> None:
    """Say where a request went and how it ended."""
    span.set_attribute("onetoken.channel_id", attempt.target.channel_id)
    span.set_attribute("gen_ai.provider.name", attempt.target.provider)
    span.set_attribute("gen_ai.response.model", attempt.target.upstream_model)
    outcome = attempt.outcome.value if attempt.outcome else "unknown"
    span.set_attribute("onetoken.outcome", outcome)
    if outcome != "answered":
        span.set_status(StatusCode.ERROR)
    duration_nanoseconds = attempt.duration_ms * _MICROSECONDS_PER_MS * _NANOS_PER_MICROSECOND
    span.end(_nanoseconds(attempt.began_at) + duration_nanoseconds)


def _nanoseconds(moment: datetime) -> int:
    """Return nanoseconds since 1970, without a float in between."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return (whole * 1_000_000 + moment.microsecond) * _NANOS_PER_MICROSECOND
