"""Spans of calls, as a collector of OpenTelemetry receives them: what a call was, and nothing of its content."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import SecretStr

from onetoken_app.settings import Settings
from tests.relay.conftest import running_relay, served_by_uvicorn
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, answers

CANARY = "canary-91bd"
TOKEN = "a-token-of-a-collector"


@dataclass(slots=True)
class Collector:
    """What takes spans."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    status: int = 200

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one request."""
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        self.authorizations |= {value.decode() for name, value in scope["headers"] if name == b"authorization"}
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Return what was received: name, ids and attributes of each span."""
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for span in (span for scope in resource.scope_spans for span in scope.spans):
                    values = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}
                    found.append(
                        {
                            "name": span.name, "id": span.span_id, "parent": span.parent_span_id,
                            "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                            "is_error": span.status.code == 2, **values,
                        }
                    )  # fmt: skip
        return found


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Run a collector while the block runs."""
    collector = Collector()
    async with served_by_uvicorn(collector) as port:
        collector.url = f"http://127.0.0.1:{port}/v1/traces"
        yield collector


def traced(settings: Settings, collector: Collector, **more: Any) -> Settings:
    """Return settings of a relay that names a collector."""
    return settings.model_copy(update={"traces_url": collector.url, "traces_token": SecretStr(TOKEN), **more})


class TestSpans:
    async def test_a_call_and_its_attempts_are_told_without_content(self, relay_settings: Settings) -> None:
        async with collecting() as collector:
            async with running_relay(traced(relay_settings, collector)) as relay:
                await relay.post(
                    {"messages": [{"role": "user", "content": CANARY}]}, traceparent=f"00-{'a' * 32}-{'b' * 16}-01"
                )
                relay.upstream.behave = answers(401, {"error": CANARY})
                await relay.post({"stream": True})
                await relay.until_idle()
                secret, organization_id, channel_id = relay.secret, relay.organization_id, relay.model.channel_id
            spans = collector.spans
        calls = [span for span in spans if not span["parent"]]
        good, bad = sorted(calls, key=lambda span: span["is_error"])
        assert (good["name"], good["gen_ai.request.model"]) == ("POST /v1/chat/completions", "mock")
        assert (good["onetoken.organization_id"], good["onetoken.charge_nanos"]) == (
            organization_id,
            USUAL_CHARGE_NANOS,
        )
        assert (bad["error.type"], bad["onetoken.charge_nanos"]) == ("upstream_credentials", 0)
        attempts = {span["parent"]: span for span in spans if span["parent"]}
        assert attempts[good["id"]]["onetoken.outcome"] == "answered"
        assert attempts[bad["id"]]["onetoken.outcome"] == "refused"
        assert attempts[good["id"]]["onetoken.channel_id"] == channel_id
        assert all(0 <= span["seconds"] < 60 for span in spans)
        sent = b"".join(collector.bodies)
        assert CANARY.encode() not in sent
        assert secret.encode() not in sent
        assert b"\xaa" * 16 not in sent
        assert collector.authorizations == {f"Bearer {TOKEN}"}

    async def test_none_of_a_hundred_is_none(self, relay_settings: Settings) -> None:
        async with collecting() as collector:
            async with running_relay(traced(relay_settings, collector, traces_percent=0)) as relay:
                assert (await relay.post()).status_code == 200
                await relay.until_idle()
            assert collector.spans == []


class TestCollectorInTrouble:
    async def test_calls_go_on_when_it_refuses(self, relay_settings: Settings) -> None:
        async with collecting() as collector:
            collector.status = 400
            async with running_relay(traced(relay_settings, collector)) as relay:
                assert (await relay.post()).status_code == 200
                await relay.until_idle()
        assert collector.bodies

    async def test_calls_and_the_stop_do_not_wait_for_one_that_is_gone(self, relay_settings: Settings) -> None:
        async with collecting() as collector:
            pass
        async with asyncio.timeout(30), running_relay(traced(relay_settings, collector)) as relay:
            assert (await relay.post()).status_code == 200
            await relay.until_idle()
