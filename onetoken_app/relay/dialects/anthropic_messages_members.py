"""Which members and betas of a Messages request do not go on: those that no price covers, or that keep something.

Unknown members pass, so that parameters of tomorrow work; unknown betas do not, because a beta can turn on that a
provider keeps files or states, and its name does not say so.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from onetoken_app.errors import BadRequest
from onetoken_app.providers.anthropic import USUAL_VERSION, VERSION_HEADER
from onetoken_app.relay.dialects.openai_chat_members import CHANGES_THE_WAY, check_spelling
from onetoken_app.relay.errors import UnsupportedParameter
from onetoken_app.relay.request_head import RequestHead

_CHANGES_THE_PRICE = frozenset({"container", "diagnostics", "inference_geo", "mcp_servers", "n", "speed"})
"""Priced by the call or by another sheet, run by the provider, or kept there."""
_CHANGES_THE_LIMIT = frozenset({"max_completion_tokens", "max_new_tokens", "max_output_tokens", "n_predict"})
REFUSED_MEMBERS = _CHANGES_THE_PRICE | CHANGES_THE_WAY | _CHANGES_THE_LIMIT
_COUNTING = frozenset({"max_tokens", "messages", "model", "service_tier", "stream", "system", "tools"})
_GUARDED = _COUNTING | REFUSED_MEMBERS
_SERVICE_TIERS = (None, "auto", "standard_only")
_CALLERS_TOOLS = ("bash_", "computer_", "memory_", "text_editor_")
"""Tools that the provider describes and the caller runs; others are run, and billed, by the provider."""
_TEXT_BLOCKS = frozenset({"redacted_thinking", "text", "thinking", "tool_result", "tool_use"})

BETA_HEADER = "anthropic-beta"
VERSIONS = (USUAL_VERSION, "2026-10-21")
BETAS = frozenset(
    {
        "claude-code-20250219", "computer-use-2025-01-24", "computer-use-2025-11-24",
        "context-management-2025-06-27", "effort-2025-11-24", "extended-cache-ttl-2025-04-11",
        "fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14", "output-128k-2025-02-19",
        "pdfs-2024-09-25", "prompt-caching-2024-07-31", "structured-outputs-2025-11-13",
        "token-counting-2024-11-01", "token-efficient-tools-2025-02-19",
    }
)  # fmt: skip
"""Those known to keep nothing at the provider and to leave the price as it is."""


def check_members(members: Mapping[str, Any]) -> None:
    """Refuse a decoded request by its members.

    Raises:
        UnsupportedParameter: One of them is not served; null and false are as good as absent.
    """
    check_spelling(members, _GUARDED)
    for name in REFUSED_MEMBERS.intersection(members):
        if members[name] is not None and members[name] is not False:
            raise UnsupportedParameter(f"{name} is not served here: no price covers it.", parameter=name)
    if members.get("service_tier") not in _SERVICE_TIERS:
        raise UnsupportedParameter("service_tier can only be auto or standard_only here.", parameter="service_tier")
    tools = members.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in (None, "custom") and not (isinstance(kind, str) and kind.startswith(_CALLERS_TOOLS)):
            raise UnsupportedParameter("Only tools that the caller runs are served.", parameter="tools")
    for block in _blocks_of(members.get("messages")):
        source = block.get("source")
        if block.get("type") == "container_upload" or (isinstance(source, dict) and source.get("type") == "file"):
            raise UnsupportedParameter("Files kept at a provider are not served: send the file.", parameter="messages")


def holds_media(messages: list[Any]) -> bool:
    """Whether messages hold anything but text: a picture, a document, or a kind that is not known here."""
    return any(block.get("type") not in _TEXT_BLOCKS for block in _blocks_of(messages))


def upstream_headers(head: RequestHead) -> dict[str, str]:
    """Read what was asked for in headers.

    Raises:
        BadRequest: It is of a version of the API that is not known here.
        UnsupportedParameter: A beta is not known to be harmless.
    """
    version = head.anthropic_version.decode("latin-1")
    if version and version not in VERSIONS:
        served = " or ".join(VERSIONS)
        raise BadRequest(f"anthropic-version has to be {served}.", parameter=VERSION_HEADER)
    asked = [beta.strip() for line in head.anthropic_betas for beta in line.decode("latin-1").split(",")]
    betas = [beta for beta in asked if beta]
    if not BETAS.issuperset(betas):
        served = ", ".join(sorted(BETAS))
        raise UnsupportedParameter(f"Of the betas, these are served: {served}.", parameter=BETA_HEADER)
    headers = {VERSION_HEADER: version, BETA_HEADER: ",".join(betas)}
    return {name: value for name, value in headers.items() if value}


def _blocks_of(messages: Any) -> Iterable[dict[str, Any]]:
    """Yield the blocks of messages, and those within results of tools; what is no list has none."""
    listed = messages if isinstance(messages, list) else ()
    waiting = [message.get("content") for message in listed if isinstance(message, dict)]
    while waiting:
        blocks = waiting.pop()
        for block in blocks if isinstance(blocks, list) else ():
            if isinstance(block, dict):
                yield block
                if block.get("type") == "tool_result":
                    waiting.append(block.get("content"))
