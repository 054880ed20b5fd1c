"""Which providers there are, by the name that a channel carries. A new one is one line here and one module."""

from onetoken_app.providers.anthropic import AnthropicProvider
from onetoken_app.providers.openai import OpenAiProvider
from onetoken_app.providers.protocol import Provider

PROVIDERS: dict[str, Provider] = {
    "openai": OpenAiProvider(),
    "anthropic": AnthropicProvider(),
}
"""``openai`` and ``anthropic`` are every API that speaks their dialect, whoever runs it."""


def is_known_provider(name: str) -> bool:
    """Whether channels may name this provider."""
    return name in PROVIDERS
