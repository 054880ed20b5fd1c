"""What a scripted upstream answers when it speaks Anthropic's Messages."""

import json
from collections.abc import Iterable
from typing import Any

from tests.support.scripted_upstream import Behaviour, Exchange, Json

MESSAGE_USAGE: Json = {
    "input_tokens": 6, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 1, "output_tokens": 5
}  # fmt: skip
"""17.3 micro-dollars at the builders' prices: (6 + 1) × 1 + 3 × 0.1 + 5 × 2."""
MESSAGE_CHARGE_NANOS = 17_300
TEXT_BLOCKS: list[Json] = [{"type": "text", "text": "hello there"}]
THINKING: Json = {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}
TOOL_USE: Json = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}}
TOOL_USE_WITHOUT_ARGUMENTS: Json = {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}}


def message(
    blocks: list[Json] | None = None, *, usage: Json | None = None, stop_reason: str = "end_turn", **more: Any
) -> Json:
    """Write a plain message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "mock",
        "content": TEXT_BLOCKS if blocks is None else blocks,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": MESSAGE_USAGE if usage is None else usage,
        **more,
    }


def message_events(
    blocks: list[Json] | None = None, *, usage: Json | None = None, stop_reason: str = "end_turn"
) -> list[Json]:
    """Write the events of a stream, a few characters at a time."""
    whole = message(blocks, usage=usage, stop_reason=stop_reason)
    figures = whole["usage"]
    opening = {**whole, "content": [], "stop_reason": None, "usage": {**figures, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": opening}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        events.append({"type": "content_block_start", "index": index, "content_block": _empty(block)})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in _deltas_of(block)]
        events.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": stop_reason, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": figures["output_tokens"]}})
    return [*events, {"type": "message_stop"}]


def streamed_events(*events: Json, ends: bool = True, breaks: bool = False) -> Behaviour:
    """Stream these events, then end the body, break the connection, or stay silent until the relay closes."""

    async def behave(exchange: Exchange) -> None:
        await exchange.begin_stream()
        for event in events:
            await exchange.send_piece(named(event))
        if breaks:
            exchange.hang_up()
        elif ends:
            await exchange.end_stream()
        else:
            await exchange.until_peer_closes()

    return behave


def speaks_messages(blocks: list[Json] | None = None, **more: Any) -> Behaviour:
    """Answer everything with one message, plain or streaming."""

    async def behave(exchange: Exchange) -> None:
        if exchange.body.get("stream"):
            await streamed_events(*message_events(blocks, **more))(exchange)
        else:
            await exchange.answer(200, message(blocks, **more), request_id="up-1")

    return behave


def named(event: Json) -> bytes:
    """Write one event with its name."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def _empty(block: Json) -> Json:
    """Return a block as it starts."""
    empty = {"text": "", "thinking": "", "signature": ""}
    return {name: {} if name == "input" else empty.get(name, value) for name, value in block.items()}


def _deltas_of(block: Json) -> Iterable[Json]:
    """Return the pieces of a block."""
    if block["type"] == "text":
        return [{"type": "text_delta", "text": piece} for piece in _pieces_of(block["text"])]
    if block["type"] == "thinking":
        thinking = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces_of(block["thinking"])]
        return [*thinking, {"type": "signature_delta", "signature": block["signature"]}]
    if block["type"] == "tool_use":
        arguments = json.dumps(block["input"]) if block["input"] else ""
        return [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *_pieces_of(arguments))]
    return []


def _pieces_of(text: str) -> list[str]:
    """Cut a text into pieces of four characters."""
    return [text[at : at + 4] for at in range(0, len(text), 4)]
