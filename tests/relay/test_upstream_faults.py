"""Upstreams in trouble: a clear error each time, never its words, never a fake end."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest

from onetoken_app.relay import supervision
from onetoken_app.settings import Settings
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay
from tests.support.scripted_upstream import (
    USUAL_CHARGE_NANOS,
    USUAL_USAGE,
    Exchange,
    answers,
    chunk,
    completion,
    streams,
    usage_chunk,
)

ECHO = {"error": {"message": "Invalid prompt: Say hello. key sk-upstream", "code": "invalid_prompt"}}


async def resets(exchange: Exchange) -> None:
    """Break the connection instead of answering."""
    exchange.reset()


async def sends_garbage(exchange: Exchange) -> None:
    """Answer something that is no HTTP."""
    await exchange.send(b"\x00\x01\x02 no http at all\r\n\r\n")
    exchange.hang_up()


async def stays_silent(exchange: Exchange) -> None:
    """Accept and say nothing."""
    await exchange.until_peer_closes()


async def drips(exchange: Exchange) -> None:
    """Begin to answer, and stop in the middle."""
    await exchange.begin_stream()
    await exchange.send_event(chunk("hello"))
    await exchange.until_peer_closes()


async def breaks_off(exchange: Exchange) -> None:
    """Promise more bytes than come."""
    await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{")
    exchange.hang_up()


def says_what_is_charged_and_what_to_do(error: dict[str, Any]) -> bool:
    """Whether a sentence about money and one that helps are there."""
    message = error["message"].lower()
    next_steps = ("try again", "tell the operator", "check the parameters", "top up")
    return "charged" in message and any(step in message for step in next_steps)


class TestBeforeTheFirstByte:
    async def test_each_fault_has_its_code_and_nothing_is_charged(self, relay: RunningRelay) -> None:
        redirect = answers(302, b"", location="http://127.0.0.1:1/elsewhere")
        cases: list[tuple[Any, int, str, int]] = [
            (answers(400, ECHO), 400, "upstream_rejected_request", 1),
            (answers(404, ECHO), 400, "upstream_rejected_request", 1),
            (answers(422, ECHO), 400, "upstream_rejected_request", 1),
            (answers(401, ECHO), 502, "upstream_credentials", 1),
            (answers(402, ECHO), 502, "upstream_credentials", 1),
            (answers(403, ECHO), 502, "upstream_credentials", 1),
            (answers(429, ECHO, retry_after="7"), 503, "upstream_busy", 1),
            (answers(500, ECHO), 502, "upstream_failed", 3),
            (answers(503, b"<html>"), 502, "upstream_failed", 3),
            (answers(504, b""), 504, "upstream_timeout", 1),
            (redirect, 502, "upstream_unusable_reply", 1),
            (answers(200, b"garbage"), 502, "upstream_unusable_reply", 1),
            (answers(200, b'"text"'), 502, "upstream_unusable_reply", 1),
            (answers(200, ECHO), 502, "upstream_failed", 1),
            (answers(200, completion(), content_encoding="gzip"), 502, "upstream_unusable_reply", 1),
            (breaks_off, 502, "upstream_unusable_reply", 1),
            (resets, 502, "upstream_unreachable", 3),
            (sends_garbage, 502, "upstream_unreachable", 3),
        ]
        for behave, status, code, attempt_count in cases:
            relay.upstream.behave = behave
            relay.upstream.exchanges.clear()
            relay.forget_health()
            answer = await relay.post()
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
            assert "Say hello" not in answer.text
            assert "sk-upstream" not in answer.text
            assert says_what_is_charged_and_what_to_do(answer.json()["error"])
            assert str(relay.upstream.port) not in answer.text
            assert len(relay.upstream.exchanges) == attempt_count, code
            if code == "upstream_busy":
                assert answer.headers["retry-after"] == "7"
        await relay.until_idle()
        records = await relay.records()
        assert [record.charge_nanos for record in records] == [0] * len(cases)

    async def test_a_stream_that_is_none_is_an_error_with_its_status(self, relay: RunningRelay) -> None:
        for behave in (answers(200, completion()), streams("garbage"), streams(ECHO), streams(ends=True)):
            relay.upstream.behave = behave
            answer = await relay.post({"stream": True})
            assert answer.status_code == 502
            assert answer.headers["content-type"] == "application/json"

    async def test_an_upstream_that_is_down(self, relay: RunningRelay) -> None:
        await relay.upstream.go_down()
        answer = await relay.post()
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")
        assert answer.headers["x-should-retry"] == "true"


@pytest.mark.row("D2")
class TestTimeOuts:
    @pytest.mark.parametrize(
        ("setting", "is_streaming", "behave", "status"),
        [
            pytest.param("upstream_first_byte_seconds", True, stays_silent, 504, id="no first byte of a stream"),
            pytest.param("upstream_plain_answer_seconds", False, stays_silent, 504, id="no plain answer"),
            pytest.param("upstream_idle_seconds", True, drips, 200, id="a pause in the middle"),
            pytest.param("upstream_total_seconds", True, drips, 200, id="too long over all"),
        ],
    )
    async def test_an_upstream_that_hangs_is_given_up(
        self, relay_settings: Settings, *, setting: str, is_streaming: bool, behave: Any, status: int
    ) -> None:
        settings = relay_settings.model_copy(update={setting: 0.5})
        async with running_relay(settings) as relay:
            relay.upstream.behave = behave
            async with asyncio.timeout(5):
                answer = await relay.post({"stream": is_streaming})
            assert answer.status_code == status
            error = json.loads(answer.text.strip().rpartition("\n")[2].removeprefix("data: "))["error"]
            assert error["code"] == "upstream_timeout"
            assert says_what_is_charged_and_what_to_do(error)
            assert "[DONE]" not in answer.text
            record = await relay.only_record()
            assert record.error_code == "upstream_timeout"
            assert bool(record.charge_nanos) is (status == 200)


class TestStreams:
    async def test_nasty_characters_survive_any_cut(self, relay: RunningRelay) -> None:
        text = "a\u2028b\u2029c\u0085d 你好 \U0001f600"

        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            event = f"data: {json.dumps(chunk(text), ensure_ascii=False)}\r\n\r\n".encode()
            for position in range(0, len(event), 3):
                await exchange.send_piece(event[position : position + 3])
            for last in (chunk(finish_reason="stop"), usage_chunk(USUAL_USAGE), "[DONE]"):
                await exchange.send_event(last)
            await exchange.end_stream()

        relay.upstream.behave = behave
        assert await texts_of(relay) == [text]
        assert (await relay.only_record()).charge_nanos == USUAL_CHARGE_NANOS

    async def test_finish_reasons_without_done_are_a_good_end(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hi"), chunk(finish_reason="stop", usage=USUAL_USAGE))
        answer = await relay.post({"stream": True})
        assert answer.text.endswith("data: [DONE]\n\n")
        assert (await relay.only_record()).error_code == ""

    async def test_what_clients_take_for_done_is_done(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hi"), usage_chunk(USUAL_USAGE), "[DONE] ")
        answer = await relay.post({"stream": True})
        assert answer.text.endswith("data: [DONE]\n\n")
        assert (await relay.only_record()).error_code == ""

    async def test_a_cut_stream_ends_with_an_error_and_without_done(self, relay: RunningRelay) -> None:
        relay.upstream.behave = streams(chunk("hi"), breaks=True)
        answer = await relay.post({"stream": True})
        *_, last, empty = answer.text.split("\n\n")
        assert empty == ""
        error = json.loads(last.removeprefix("data: "))["error"]
        assert error["code"] == "upstream_unusable_reply"
        assert error["message"].endswith("You are charged for what was delivered. Try again.")
        assert "[DONE]" not in answer.text
        assert "stop" not in answer.text

    async def test_comments_and_ids_of_the_upstream_do_not_reach_official_clients(self, relay: RunningRelay) -> None:
        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await exchange.send_piece(b": working\n\nid: 1\nretry: 5\n\n")
            await exchange.send_piece(f"event: x\nid: 2\ndata: {json.dumps(chunk('hi'))}\n\n".encode())
            await exchange.send_event(chunk(finish_reason="stop", usage=USUAL_USAGE))
            await exchange.send_event("[DONE]")
            await exchange.end_stream()

        relay.upstream.behave = behave
        assert await texts_of(relay) == ["hi"]

    async def test_another_name_upstream_is_hidden(self, relay_settings: Settings) -> None:
        async with running_relay(relay_settings, upstream_model="their-name") as relay:
            relay.upstream.behave = streams(
                chunk("hi", model="their-name"), chunk(finish_reason="stop", model="their-name", usage=USUAL_USAGE)
            )
            answer = await relay.post({"stream": True})
            assert "their-name" not in answer.text
            assert relay.upstream.exchanges[0].body["model"] == "their-name"
            relay.upstream.behave = answers(200, completion(model="their-name", usage=USUAL_USAGE))
            assert (await relay.post()).json()["model"] == "mock"

    async def test_signs_of_life_are_harmless_to_the_official_client(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(supervision, "KEEP_ALIVE_AFTER_SECONDS", 0.1)
        goes_on = asyncio.Event()

        async def behave(exchange: Exchange) -> None:
            await exchange.begin_stream()
            await goes_on.wait()
            for event in (chunk("hello"), chunk(finish_reason="stop", usage=USUAL_USAGE), "[DONE]"):
                await exchange.send_event(event)
            await exchange.end_stream()

        relay.upstream.behave = behave
        reading = asyncio.ensure_future(texts_of(relay))
        call = {"model": "mock", "messages": MESSAGES, "stream": True}
        bearer = {"authorization": f"Bearer {relay.secret}"}
        async with (
            httpx.AsyncClient(timeout=10, trust_env=False) as raw,
            raw.stream("POST", f"{relay.base_url}/chat/completions", headers=bearer, json=call) as answer,
        ):
            pieces = answer.aiter_text()
            assert [await anext(pieces), await anext(pieces)] == [": ka\n", ": ka\n"]
            goes_on.set()
            assert await reading == ["hello"]
            assert (await rest_of(pieces)).endswith("data: [DONE]\n\n")


async def rest_of(pieces: AsyncIterator[str]) -> str:
    """Read the rest."""
    return "".join([piece async for piece in pieces])


async def texts_of(relay: RunningRelay) -> list[str]:
    """Stream with the official client; return the texts."""
    async with relay.client() as client:
        stream: openai.AsyncStream[Any] = await client.chat.completions.create(
            model="mock", messages=MESSAGES, stream=True
        )
        return [text async for part in stream for choice in part.choices if (text := choice.delta.content)]
