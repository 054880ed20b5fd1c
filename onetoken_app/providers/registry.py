"""Which providers there are, by the name that a channel carries. A new one is one line here and one module."""

from onetoken_app.providers.openai import OpenAiProvider
from onetoken_app.providers.protocol import ChatProvider

PROVIDERS: dict[str, ChatProvider] = {
    "openai": OpenAiProvider(),
}
"""``openai`` is every API that speaks OpenAI's Chat Completions, whoever runs it."""


def is_known_provider(name: str) -> bool:
    """Whether channels may name this provider."""
    return name in PROVIDERS
