"""OpenAI's Responses as callers speak them: the request in, checked for money and for what a provider would keep.

Nothing is kept here, so what rests on kept answers, files or prompts is refused with what to send instead.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from onetoken_app.errors import BadRequest
from onetoken_app.providers.protocol import Dialect
from onetoken_app.relay.dialects.call_request import OUTPUT_TOKENS_MAX, CallRequest
from onetoken_app.relay.dialects.members import count_in, flag_in, model_named_in, take_apart
from onetoken_app.relay.dialects.openai_chat_members import CHANGES_THE_WAY, SERVICE_TIERS, check_spelling
from onetoken_app.relay.errors import UnsupportedParameter

RESTS_ON_WHAT_IS_KEPT = {
    "background": "Wait for the answer, or stream it.",
    "conversation": "Send the whole conversation as input.",
    "previous_response_id": "Send the whole conversation as input, with the output items of earlier answers.",
    "prompt": "Send the text of the prompt as instructions and input.",
    "store": "Leave it out, or send false.",
}
"""Members that need something that was stored, and what to do without it."""
_CHANGES_THE_PRICE = frozenset({"inference_geo", "max_tool_calls", "n", "plugins", "speed", "web_search_options"})
_CHANGES_THE_LIMIT = frozenset({"max_completion_tokens", "max_new_tokens", "max_tokens", "n_predict"})
REFUSED_MEMBERS = _CHANGES_THE_PRICE | CHANGES_THE_WAY | _CHANGES_THE_LIMIT
_COUNTING = frozenset({"input", "instructions", "max_output_tokens", "model", "service_tier", "stream", "tools"})
_GUARDED = _COUNTING | REFUSED_MEMBERS | RESTS_ON_WHAT_IS_KEPT.keys()
_TEXT_PARTS = ("input_text", "output_text", "reasoning_text", "refusal", "summary_text")


def read_request(body: bytes) -> CallRequest:
    """Read and check one request.

    Raises:
        BadRequest: Not a JSON object, beyond ``json_bounds``, or a member that money depends on is missing or out of
            bounds.
        UnsupportedParameter: A member that no price covers, or that rests on something stored.
    """
    members, decoded = take_apart(body)
    _check_members(decoded)
    if not isinstance(decoded.get("input"), str | list):
        raise BadRequest("input has to be a text or a list.", parameter="input")
    return CallRequest(
        dialect=Dialect.RESPONSES,
        members=members,
        body_bytes=len(body),
        model_name=model_named_in(members),
        is_streaming=flag_in(members, "stream"),
        wants_usage=True,
        output_tokens_max=count_in(members, "max_output_tokens", most=OUTPUT_TOKENS_MAX),
        choice_count=1,
        has_tools="tools" in members,
        has_media=any(part.get("type") not in _TEXT_PARTS for part in _parts_in(decoded["input"])),
    )


def _check_members(members: Mapping[str, Any]) -> None:
    """Refuse a decoded request by its members; null and false are as good as absent.

    Raises:
        UnsupportedParameter: One of them is not served.
    """
    check_spelling(members, _GUARDED)
    for name, instead in RESTS_ON_WHAT_IS_KEPT.items():
        if members.get(name) is not None and members[name] is not False:
            raise UnsupportedParameter(f"{name} is not served: no answer is kept here. {instead}", parameter=name)
    for name in sorted(REFUSED_MEMBERS.intersection(members)):
        if members[name] is not None and members[name] is not False:
            instead = " Say max_output_tokens." if name in _CHANGES_THE_LIMIT else " Leave it out."
            raise UnsupportedParameter(f"{name} is not served here.{instead}", parameter=name)
    tier = members.get("service_tier")
    if tier is not None and not (isinstance(tier, str) and tier in SERVICE_TIERS):
        raise UnsupportedParameter("service_tier can only be auto or default here.", parameter="service_tier")
    tools = members.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise UnsupportedParameter("Only tools of the type function are served.", parameter="tools")
    listed = members.get("input")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and item.get("type") == "item_reference":
            raise UnsupportedParameter("No answer is kept here: send the item, not its id.", parameter="input")
    if any(part.get("file_id") for part in _parts_in(listed)):
        raise UnsupportedParameter("Files kept at a provider are not served: send the file.", parameter="input")


def _parts_in(listed: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of messages and of what tools answered; a text has none."""
    for item in listed if isinstance(listed, list) else ():
        for name in ("content", "output"):
            parts = item.get(name) if isinstance(item, dict) else None
            yield from (part for part in (parts if isinstance(parts, list) else ()) if isinstance(part, dict))
