"""Gemini's list of models."""

from collections.abc import Iterable
from typing import Protocol

from onetoken_app.providers.documents import encoded
from onetoken_app.relay.dialects.gemini import COUNT, GENERATE, STREAM


class ListedModel(Protocol):
    """What the list shows of a model."""

    @property
    def name(self) -> str:
        """What callers name."""
        ...

    @property
    def context_window_tokens(self) -> int:
        """The most that goes in."""
        ...

    @property
    def output_tokens_max(self) -> int:
        """The most that comes out."""
        ...


def model_body(model: ListedModel) -> bytes:
    """Write one model."""
    return encoded(_object_of(model))


def models_body(models: Iterable[ListedModel]) -> bytes:
    """Write the list, which is one page."""
    return encoded({"models": [_object_of(model) for model in models]})


def _object_of(model: ListedModel) -> dict[str, object]:
    """Describe one model."""
    return {
        "name": f"models/{model.name}",
        "displayName": model.name,
        "inputTokenLimit": model.context_window_tokens,
        "outputTokenLimit": model.output_tokens_max,
        "supportedGenerationMethods": [GENERATE, STREAM, COUNT],
    }
