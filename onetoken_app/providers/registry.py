"""Which providers there are, by the name that a channel carries.

A new API is a module and a line here; a vendor that speaks one that is there already is a preset.
"""

from onetoken_app.providers.anthropic import AnthropicProvider
from onetoken_app.providers.gemini import USUAL_BASE_URL, GeminiProvider
from onetoken_app.providers.openai import OpenAiProvider
from onetoken_app.providers.openai_presets import PRESETS
from onetoken_app.providers.protocol import Provider

PROVIDERS: dict[str, Provider] = {
    **{name: OpenAiProvider(preset) for name, preset in PRESETS.items()},
    "anthropic": AnthropicProvider(),
    "gemini": GeminiProvider(),
}
"""``openai`` and ``anthropic`` are also every API that speaks their dialect, whoever runs it."""


def is_known_provider(name: str) -> bool:
    """Whether channels may name this provider."""
    return name in PROVIDERS


def usual_base_url(name: str) -> str:
    """Return where a provider's API is; empty: only the operator knows."""
    if name == "gemini":
        return USUAL_BASE_URL
    preset = PRESETS.get(name)
    return "" if preset is None else preset.base_url
