"""Which dialects callers may speak, by the path that they speak them on."""

from collections.abc import Callable
from dataclasses import dataclass

from onetoken_app.relay.dialects import anthropic_messages, openai_chat
from onetoken_app.relay.dialects.call_request import CallRequest
from onetoken_app.relay.request_head import RequestHead


@dataclass(frozen=True, slots=True)
class SpokenDialect:
    """One of them."""

    path: str
    read_request: Callable[[bytes, RequestHead], CallRequest]
    """Reads and checks a body; raises ``BadRequest``."""


CHAT = SpokenDialect("/v1/chat/completions", lambda body, _head: openai_chat.read_request(body))
MESSAGES = SpokenDialect("/v1/messages", anthropic_messages.read_request)
