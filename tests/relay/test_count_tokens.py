"""Counting a message's input through the official client: it costs nothing and leaves nothing."""

import anthropic
import pytest

from onetoken_app.settings import Settings
from tests.relay.conftest import RunningRelay, running_relay
from tests.relay.test_serve_messages import ASKED, client_of
from tests.support.scripted_upstream import Exchange, answers

QUESTION = {"model": "mock", "messages": ASKED["messages"]}
PATH = "/v1/messages/count_tokens"


async def is_free(relay: RunningRelay) -> bool:
    """Whether nothing was recorded or held."""
    await relay.until_idle()
    return not await relay.records() and not (await relay.balance()).held_nanos


class TestCountTokens:
    async def test_a_channel_that_speaks_messages_is_asked(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, provider="anthropic", upstream_model="theirs") as relay:
            relay.upstream.behave = answers(200, {"input_tokens": 31})
            async with client_of(relay) as client:
                counted = await client.messages.count_tokens(**QUESTION)
            assert counted.input_tokens == 31
            (exchange,) = relay.upstream.exchanges
            assert exchange.body == {**QUESTION, "model": "theirs"}
            assert exchange.headers["x-api-key"] == "sk-upstream"
            assert await is_free(relay)

    async def test_elsewhere_it_is_an_estimate_that_says_so(self, relay: RunningRelay) -> None:
        answer = await relay.post(QUESTION, path=PATH)
        assert (answer.json(), answer.headers["x-onetoken-usage-source"]) == ({"input_tokens": 7}, "estimated")
        assert not relay.upstream.exchanges
        assert await is_free(relay)

    async def test_a_header_that_narrows_is_kept_to(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, provider="anthropic") as relay:
            relay.upstream.behave = answers(200, {"input_tokens": 31})
            assert (await relay.post(QUESTION, path=PATH, x_onetoken_region="mainland")).status_code == 200
            assert (await relay.post(QUESTION, path=PATH, x_onetoken_region="overseas")).status_code == 400
            assert len(relay.upstream.exchanges) == 1

    async def test_refusals_are_the_clients_own(self, relay: RunningRelay) -> None:
        async with client_of(relay) as client:
            with pytest.raises(anthropic.NotFoundError):
                await client.messages.count_tokens(**{**QUESTION, "model": "nothing"})
        async with client_of(relay, api_key="otk_live_wrong") as client:
            with pytest.raises(anthropic.AuthenticationError):
                await client.messages.count_tokens(**QUESTION)

    @pytest.mark.parametrize(
        ("status", "body", "shown"),
        [
            pytest.param(401, {}, 502, id="our credential"),
            pytest.param(429, {}, 503, id="our limit"),
            pytest.param(200, {"input_tokens": -1}, 502, id="no count"),
            pytest.param(200, b"x", 502, id="no JSON"),
            pytest.param(200, b"x" * 70_000, 502, id="too much"),
        ],
    )
    async def test_a_provider_that_does_not_say(
        self, relay_settings: Settings, status: int, body: bytes, shown: int
    ) -> None:
        async with running_relay(relay_settings, provider="anthropic") as relay:
            relay.upstream.behave = answers(status, body)
            answer = await relay.post(QUESTION, path=PATH)
            assert (answer.status_code, answer.json()["type"]) == (shown, "error")
            assert await is_free(relay)

    async def test_a_provider_that_breaks_off(self, relay_settings: Settings) -> None:
        async def breaks(exchange: Exchange) -> None:
            exchange.reset()

        async with running_relay(relay_settings, provider="anthropic") as relay:
            relay.upstream.behave = breaks
            answer = await relay.post(QUESTION, path=PATH)
            assert answer.json()["error"]["details"]["code"] == "upstream_unreachable"
