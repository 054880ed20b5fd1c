"""``/metrics``: closed to strangers, bounded, without content; and one line of the log for each call."""

import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from onetoken_app.ledger.client import LedgerClient
from onetoken_app.relay.measures import OTHER, SECONDS_BOUNDS, SERIES_MAX, Counter, Gauge, Histogram, exposition
from onetoken_app.settings import Settings
from onetoken_app.telemetry import ALLOWED_FACTS
from tests.relay.conftest import RunningRelay, running_relay
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, answers

TOKEN = "a-token-of-a-scraper"
CANARY = "canary-7f3a"


def series_of(text: str) -> dict[str, float]:
    """Read a scrape, as a scraper does."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def scraped(relay: RunningRelay) -> dict[str, float]:
    """Scrape a relay whose calls are closed."""
    await relay.until_idle()
    answer = await relay.get("/metrics", authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return series_of(answer.text)


@pytest.fixture
def settings(relay_settings: Settings) -> Settings:
    """Settings of a relay that is scraped."""
    return relay_settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})


class TestScrape:
    async def test_counts_answers_failures_and_refusals(self, settings: Settings) -> None:
        async with running_relay(settings) as relay:
            channel, way = relay.model.channel_id, f'model="mock",channel="{relay.model.channel_id}"'
            await relay.post()
            await relay.post({"stream": True})
            relay.upstream.behave = answers(401, {"error": {}})
            await relay.post()
            await relay.post({"model": CANARY})
            await relay.get(f"/v1/{CANARY}")
            seen = await scraped(relay)
        assert seen[f'onetoken_requests_total{{{way},status="200",code=""}}'] == 2
        assert seen[f'onetoken_requests_total{{{way},status="502",code="upstream_credentials"}}'] == 1
        assert seen['onetoken_charge_nanos_total{model="mock",currency="USD"}'] == 2 * USUAL_CHARGE_NANOS
        assert seen[f'onetoken_attempts_total{{channel="{channel}",outcome="answered"}}'] == 2
        assert seen[f'onetoken_attempts_total{{channel="{channel}",outcome="refused"}}'] == 1
        assert seen['onetoken_refusals_total{interface="/v1/chat/completions",code="model_not_found"}'] == 1
        assert seen['onetoken_refusals_total{interface="unknown",code="unknown_url"}'] == 1
        assert seen[f"onetoken_request_seconds_count{{{way}}}"] == 3
        assert seen[f"onetoken_first_byte_seconds_count{{{way}}}"] == 2
        assert seen[f'onetoken_way_out{{channel="{channel}",model="",state="refused"}}'] == 1
        assert (seen["onetoken_ready"], seen["onetoken_open_calls"], seen["onetoken_ledger_queue_depth"]) == (1, 0, 0)
        assert seen["onetoken_ledger_operations"] >= seen["onetoken_ledger_batches"] >= 1
        assert not any(CANARY in name or relay.organization_id in name for name in seen)

    @pytest.mark.parametrize("authorization", ["", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}"])
    async def test_is_refused_without_the_token(self, settings: Settings, authorization: str) -> None:
        async with running_relay(settings) as relay:
            answer = await relay.get("/metrics", authorization=authorization)
        assert answer.status_code == 401
        assert "onetoken_" not in answer.text

    async def test_a_customers_key_opens_nothing(self, settings: Settings) -> None:
        async with running_relay(settings) as relay:
            assert (await relay.get("/metrics")).status_code == 401

    async def test_does_not_exist_unless_it_is_switched_on(self, relay: RunningRelay) -> None:
        answer = await relay.get("/metrics", authorization="Bearer None")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")

    def test_a_short_token_is_no_setting(self) -> None:
        with pytest.raises(ValidationError, match="metrics_token"):
            Settings(_env_file=None, metrics_token=SecretStr("short"))


class TestAccessLine:
    async def test_is_one_a_call_of_allowed_facts_alone(self, relay: RunningRelay) -> None:
        with capture_logs() as lines:
            await relay.post({"messages": [{"role": "user", "content": CANARY}]})
            await relay.until_idle()
        (line,) = [line for line in lines if line["event"] == "call_closed"]
        assert set(line) - {"log_level"} <= ALLOWED_FACTS
        assert (line["http_status"], line["amount_nanos"], line["count"]) == (200, USUAL_CHARGE_NANOS, 1)
        assert line["organization_id"] == relay.organization_id
        assert CANARY not in str(lines)

    async def test_is_left_out_when_the_operator_says_so(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings.model_copy(update={"access_log": False})) as relay:
            with capture_logs() as lines:
                await relay.post()
                await relay.until_idle()
        assert not [line for line in lines if line["event"] == "call_closed"]


class TestMeasures:
    def test_buckets_add_up_and_a_bound_is_in_its_own(self) -> None:
        histogram = Histogram("h", "Help.", ("model",))
        for seconds in (SECONDS_BOUNDS[0], SECONDS_BOUNDS[0] + 0.001, 1e6):
            histogram.observe("m", seconds=seconds)
        seen = series_of(exposition([histogram]).decode())
        assert seen['h_bucket{model="m",le="0.025"}'] == 1
        assert seen['h_bucket{model="m",le="0.05"}'] == 2
        assert seen['h_bucket{model="m",le="900.0"}'] == 2
        assert seen['h_bucket{model="m",le="+Inf"}'] == seen['h_count{model="m"}'] == 3

    def test_a_family_keeps_so_many_series(self) -> None:
        counter, histogram = Counter("c", "Help.", ("a", "b")), Histogram("h", "Help.", ("a",))
        for number in range(SERIES_MAX + 50):
            counter.add(str(number), "x")
            histogram.observe(str(number), seconds=1)
        assert len(list(counter.lines())) == SERIES_MAX + 1
        assert f'c{{a="{OTHER}",b="{OTHER}"}} 50' in list(counter.lines())
        assert f'h_count{{a="{OTHER}"}} 50' in list(histogram.lines())

    def test_quotes_and_backslashes_end_no_label(self) -> None:
        gauge = Gauge("g", "Help.", ("a",), [(('x"\\',), 1.5)])
        assert list(gauge.lines()) == ['g{a="x\\"\\\\"} 1.5']


def test_a_ledger_that_was_never_started_has_answered_nothing() -> None:
    client = LedgerClient()
    assert (client.batch_count, client.answer_count, client.unanswered_count) == (0, 0, 0)
