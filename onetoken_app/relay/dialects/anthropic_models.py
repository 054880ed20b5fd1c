"""Anthropic's list of models, a page at a time."""

from collections.abc import Sequence
from urllib.parse import parse_qs

import msgspec

from onetoken_app.errors import BadRequest
from onetoken_app.relay.dialects.openai_models import ListedModel

LIMIT_USUAL = 20
LIMIT_MAX = 1000
_encoder = msgspec.json.Encoder()


def model_body(model: ListedModel) -> bytes:
    """Write one model."""
    return _encoder.encode(_object_of(model))


def models_body(models: Sequence[ListedModel], query: bytes) -> bytes:
    """Write the page that a query string asks for.

    Raises:
        BadRequest: ``limit`` is no number from 1 to ``LIMIT_MAX``.
    """
    asked = {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}
    limit = _limit_of(asked.get("limit"))
    names = [model.name for model in models]
    after, before = asked.get("after_id"), asked.get("before_id")
    first = names.index(after) + 1 if after in names else 0
    last = names.index(before) if before in names else len(names)
    if before in names and after not in names:
        first = max(first, last - limit)
    page = models[first : min(last, first + limit)]
    return _encoder.encode(
        {
            "data": [_object_of(model) for model in page],
            "has_more": first > 0 if before in names and after not in names else first + len(page) < last,
            "first_id": page[0].name if page else None,
            "last_id": page[-1].name if page else None,
        }
    )


def _limit_of(asked: str | None) -> int:
    """Read how many models a page may have."""
    if asked is None:
        return LIMIT_USUAL
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 4 and 1 <= int(asked) <= LIMIT_MAX):
        raise BadRequest(f"limit has to be a whole number from 1 to {LIMIT_MAX}.", parameter="limit")
    return int(asked)


def _object_of(model: ListedModel) -> dict[str, object]:
    """Describe one model."""
    created_at = model.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": model.name, "display_name": model.name, "created_at": created_at}
