"""``GET /metrics`` as Prometheus reads it, for whoever says ``ONETOKEN_METRICS_TOKEN``; unset: no such address."""

import hmac
from typing import Any

from onetoken_app.relay.errors import InvalidApiKey, UnknownUrl
from onetoken_app.relay.measures import Gauge, Labels, exposition
from onetoken_app.relay.reply import Reply
from onetoken_app.relay.request_body import Receive
from onetoken_app.relay.request_head import read_head
from onetoken_app.relay.runtime import RelayRuntime

METRICS_PATH = "/metrics"
_TEXT = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8"), (b"cache-control", b"no-store")]


async def show_metrics(runtime: RelayRuntime, scope: dict[str, Any], _receive: Receive, reply: Reply) -> None:
    """Answer a scraper.

    Raises:
        UnknownUrl: The setting is unset: whoever asks learns nothing.
        InvalidApiKey: Not the one of the setting.
    """
    token = runtime.settings.metrics_token
    if token is None:
        raise UnknownUrl("There is nothing at this address. docs/relay-api.md lists what there is.")
    presented = read_head(scope["headers"]).presented_keys
    expected = token.get_secret_value().encode()
    if len(presented) != 1 or not hmac.compare_digest(presented.pop(), expected):
        raise InvalidApiKey("This address is for the operator's monitoring: send its token as a bearer.")
    await reply.send_whole(200, _TEXT, exposition([*runtime.metrics.families, *gauges_of(runtime)]))


def gauges_of(runtime: RelayRuntime) -> list[Gauge]:
    """Take what is so at this moment."""
    supervisor, ledger = runtime.supervisor, runtime.ledger
    out: list[tuple[Labels, float]] = [
        ((channel_id, model, state.value), 1.0) for channel_id, model, state in runtime.upstreams.health.ways_out()
    ]
    numbers = (
        ("onetoken_open_calls", "Calls that are not closed, each with a hold.", supervisor.open_count),
        ("onetoken_arrived_requests", "Requests being read or carried.", supervisor.arrived_count),
        ("onetoken_ready", "Whether new calls are admitted.", int(runtime.is_ready)),
        (
            "onetoken_ledger_queue_depth",
            "Operations without an answer of the ledger's writer.",
            ledger.unanswered_count,
        ),
        ("onetoken_ledger_batches", "Answers of the writer since the start, each for one commit.", ledger.batch_count),
        ("onetoken_ledger_operations", "Operations in these commits.", ledger.answer_count),
        ("onetoken_policy_look_ups", "Keys that were asked of the database.", runtime.policy.look_up_count),
    )
    return [
        *(Gauge(name, help_text, (), [((), float(value))]) for name, help_text, value in numbers),
        Gauge("onetoken_way_out", "Ways that are left alone now, and why.", ("channel", "model", "state"), out),
    ]
