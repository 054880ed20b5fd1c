"""Which members of a chat request do not go on: those that no price sheet prices, and look-alikes of those that count.

Unknown members pass, so that parameters of tomorrow work. What is listed here makes a call dearer than its price, or
sends it elsewhere than to the model and channel that it was admitted for.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from onetoken_app.relay.errors import UnsupportedParameter

_CHANGES_THE_PRICE = frozenset(
    {
        "audio", "best_of", "enable_search", "inference_geo", "plugins", "search_parameters", "speed",
        "web_search_options",
    }
)  # fmt: skip
"""Priced by the call, by another sheet, or by output that nobody sees."""
CHANGES_THE_WAY = frozenset(
    {
        "api_base", "api_key", "base_url", "custom_llm_provider", "extra_body", "extra_headers", "extra_query",
        "fallbacks", "models", "preset", "provider", "route", "user_config",
    }
)  # fmt: skip
"""Read by gateways that stand upstream: another model, another provider, another account."""
_CHANGES_THE_LIMIT = frozenset(
    {"max_new_tokens", "max_output_tokens", "max_tokens_to_sample", "n_predict", "num_predict"}
)
"""Other back-ends' names for the limit of the output, which the hold does not follow."""
REFUSED_MEMBERS = _CHANGES_THE_PRICE | CHANGES_THE_WAY | _CHANGES_THE_LIMIT
SERVICE_TIERS = frozenset({"auto", "default", "standard"})
TOOL_TYPES = frozenset({"custom", "function"})
"""Tools that the caller runs; others are run, and billed, by the provider."""

_TEXT_PARTS = ("input_text", "output_text", "reasoning", "refusal", "text", "thinking")
_COUNTING = frozenset(
    {
        "functions", "max_completion_tokens", "max_tokens", "messages", "modalities", "model", "n", "service_tier",
        "store", "stream", "stream_options", "tools",
    }
)  # fmt: skip
_GUARDED = _COUNTING | REFUSED_MEMBERS


def check_members(members: Mapping[str, Any]) -> None:
    """Refuse a decoded request by its members.

    Raises:
        UnsupportedParameter: One of them is not served; null and false are as good as absent.
    """
    check_spelling(members, _GUARDED)
    for name in REFUSED_MEMBERS.intersection(members):
        if members[name] is not None and members[name] is not False:
            raise UnsupportedParameter(f"{name} is not served here: no price covers it.", parameter=name)
    tier, modalities = members.get("service_tier"), members.get("modalities")
    if tier is not None and not (isinstance(tier, str) and tier in SERVICE_TIERS):
        raise UnsupportedParameter("service_tier can only be auto or default here.", parameter="service_tier")
    if modalities not in (None, ["text"]):
        raise UnsupportedParameter("modalities can only be text here.", parameter="modalities")
    tools = members.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and tool.get("type", "function") not in tuple(TOOL_TYPES):
            raise UnsupportedParameter("Only tools of the types function and custom are served.", parameter="tools")


def holds_media(messages: list[Any]) -> bool:
    """Whether messages hold anything but text: a picture, a sound, a file, or a kind that is not known here."""
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and part.get("type") not in _TEXT_PARTS:
                return True
        if isinstance(message, dict) and message.get("audio"):
            return True
    return False


def check_spelling(names: Iterable[str], guarded: frozenset[str]) -> None:
    """Refuse names that differ from a guarded one in their letters' case only: some back-ends take them for the same.

    Raises:
        UnsupportedParameter: There is one.
    """
    for name in names:
        if name not in guarded and (meant := name.casefold()) in guarded:
            raise UnsupportedParameter(f"{meant} has to be spelt in lower case.", parameter=meant)
