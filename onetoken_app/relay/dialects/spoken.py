"""Which dialects callers may speak, by the path that they speak them on."""

from collections.abc import Callable
from dataclasses import dataclass

from onetoken_app.relay.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.request_head import RequestHead


@dataclass(frozen=True, slots=True)
class SpokenDialect:
    """One of them."""

    path: str
    """As it may be logged."""
    read_request: Callable[[bytes, RequestHead], CallRequest]
    """Reads and checks a body; raises ``BadRequest``."""
    asked: str = ""
    """What an address says beside its path: two calls are the same only if this is."""


CHAT = SpokenDialect("/v1/chat/completions", lambda body, _head: openai_chat.read_request(body))
RESPONSES = SpokenDialect("/v1/responses", lambda body, _head: openai_responses.read_request(body))
MESSAGES = SpokenDialect("/v1/messages", anthropic_messages.read_request)


def gemini_at(address: gemini.Address) -> SpokenDialect:
    """Return what is spoken at an address, which names the model."""
    return SpokenDialect(
        path=template_of(address),
        read_request=lambda body, _head: gemini.read_request(body, address),
        asked=f"{address.model_name}:{address.method}:{address.is_array}",
    )


def template_of(address: gemini.Address) -> str:
    """Return an address without what its caller put into it."""
    method = f":{address.method}" if address.method else ""
    return f"{address.models_path}/{{model}}{method}"
