"""Channels of vendors that differ from OpenAI, through a whole relay: what they are sent and what is charged."""

import pytest

from onetoken_app.settings import Settings
from tests.relay.conftest import running_relay
from tests.support.scripted_upstream import USUAL_USAGE, Exchange, answers, chunk, completion


class TestVendors:
    async def test_reasoning_beside_the_completion_is_charged_once(self, relay_settings: Settings) -> None:
        usage = {**USUAL_USAGE, "total_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 5}}
        async with running_relay(relay_settings, provider="xai") as relay:
            relay.upstream.behave = answers(200, completion(usage=usage))
            assert (await relay.post()).status_code == 200
            record = await relay.only_record()
        assert record.output_tokens == USUAL_USAGE["completion_tokens"] + 5

    async def test_a_failure_with_status_200_is_one_and_costs_nothing(self, relay_settings: Settings) -> None:
        failed = {"id": "x", "choices": None, "base_resp": {"status_code": 1008, "status_msg": "words of theirs"}}
        async with running_relay(relay_settings, provider="minimax") as relay:
            relay.upstream.behave = answers(200, failed)
            answer = await relay.post()
            record = await relay.only_record()
        assert (answer.status_code, record.charge_nanos) == (502, 0)
        assert "words of theirs" not in answer.text

    async def test_usage_within_a_choice_is_charged(self, relay_settings: Settings) -> None:
        async def streams(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_event(chunk("hello", usage=None))
            last = chunk(finish_reason="stop")
            last["choices"][0]["usage"] = USUAL_USAGE
            await exchange.send_event(last)
            await exchange.send_event("[DONE]")
            await exchange.end_stream()

        async with running_relay(relay_settings, provider="moonshot") as relay:
            relay.upstream.behave = streams
            assert "[DONE]" in (await relay.post({"stream": True})).text
            record = await relay.only_record()
        assert record.usage_source == "upstream"
        assert record.output_tokens == USUAL_USAGE["completion_tokens"]

    @pytest.mark.parametrize("provider", ["deepseek", "mistral", "ollama"])
    async def test_a_caller_of_messages_gets_its_limit_heeded(self, relay_settings: Settings, provider: str) -> None:
        async with running_relay(relay_settings, provider=provider) as relay:
            body = {"model": "mock", "max_tokens": 7, "messages": [{"role": "user", "content": "Say hello."}]}
            answer = await relay.post(body, path="/v1/messages")
            (exchange,) = relay.upstream.exchanges
        assert answer.status_code == 200
        assert exchange.body["max_tokens"] == 7
        assert "max_completion_tokens" not in exchange.body
