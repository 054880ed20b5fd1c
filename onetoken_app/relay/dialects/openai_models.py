"""OpenAI's list of models."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import msgspec

_encoder = msgspec.json.Encoder()


class ListedModel(Protocol):
    """What the list shows of a model."""

    @property
    def name(self) -> str:
        """What callers name."""
        ...

    @property
    def owned_by(self) -> str:
        """The supplier."""
        ...

    @property
    def created_at(self) -> datetime:
        """When it came into the catalog."""
        ...


def model_body(model: ListedModel) -> bytes:
    """Write one model."""
    return _encoder.encode(_object_of(model))


def models_body(models: Iterable[ListedModel]) -> bytes:
    """Write the list."""
    return _encoder.encode({"object": "list", "data": [_object_of(model) for model in models]})


def _object_of(model: ListedModel) -> dict[str, object]:
    """Describe one model."""
    return {
        "id": model.name, "object": "model", "created": int(model.created_at.timestamp()), "owned_by": model.owned_by
    }  # fmt: skip
