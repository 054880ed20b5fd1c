"""What a scripted upstream answers when it speaks Gemini's API."""

import json
from typing import Any

from tests.support.scripted_upstream import Behaviour, Exchange, Json

GEMINI_USAGE: Json = {
    "promptTokenCount": 10, "cachedContentTokenCount": 3, "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
    "totalTokenCount": 15,
}  # fmt: skip
"""17.3 micro-dollars at the builders' prices: 7 × 1 + 3 × 0.1 + 5 × 2."""
GEMINI_CHARGE_NANOS = 17_300
CALL: Json = {"functionCall": {"id": "fc_1", "name": "weather", "args": {"city": "Bern"}}, "thoughtSignature": "c2ln"}
BARE_CALL: Json = {"functionCall": {"name": "now", "args": {}}}
THOUGHT: Json = {"text": "hm", "thought": True}


def generated(
    parts: list[Json] | None = None, *, finish: str | None = "STOP", usage: Json | None = None, **more: Any
) -> Json:
    """Write one answer."""
    candidate: Json = {"content": {"role": "model", "parts": parts if parts is not None else [{"text": "hello there"}]}}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [{**candidate, "index": 0}],
        "usageMetadata": GEMINI_USAGE if usage is None else usage,
        "modelVersion": "theirs-001",
        "responseId": "up-answer",
        **more,
    }


def speaks_gemini(parts: list[Json] | None = None, *, finish: str = "STOP", usage: Json | None = None) -> Behaviour:
    """Answer as Gemini does, plain or streaming, a part at a time with figures that grow."""

    async def behave(exchange: Exchange) -> None:
        whole = generated(parts, finish=finish, usage=usage)
        if ":streamGenerateContent?alt=sse " not in exchange.request_line:
            await exchange.answer(200, whole, x_request_id="up-1")
            return
        await exchange.begin_stream()
        running = {"promptTokenCount": 10, "totalTokenCount": 10}
        *first, last = whole["candidates"][0]["content"]["parts"]
        for part in first:
            await exchange.send_event(generated([part], finish=None, usage=running))
        await exchange.send_piece(
            b"data: " + json.dumps(generated([last], finish=finish, usage=usage)).encode() + b"\r\n\r\n"
        )
        await exchange.end_stream()

    return behave
