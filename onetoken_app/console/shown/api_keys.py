"""API keys as rows of a table; nothing of a secret but what may be seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.keys.queries import ApiKeyView


class KeyStanding(StrEnum):
    """Whether a key may call."""

    ACTIVE = "active"
    """Calls are admitted."""
    EXPIRED = "expired"
    """Its day has passed."""
    REVOKED = "revoked"
    """Somebody stopped it, for ever."""


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One row."""

    id: str = ""
    name: str = ""
    project_id: str = ""
    project: str = ""
    """The name of the project it belongs to."""
    masked: str = ""
    standing: str = ""
    created: str = ""
    expires: str = ""
    """Empty: never."""
    is_restricted: bool = False
    model_ids: list[str] = field(default_factory=list)
    models: str = ""
    """The names of the models that a restricted key may call."""


def shown_key(
    key: ApiKeyView,
    *,
    model_names: Mapping[str, str],
    project_names: Mapping[str, str],
    now: datetime,
    time_zone: str,
) -> ShownKey:
    """Turn a key into its row."""
    permitted = sorted(key.permitted_model_ids or (), key=lambda model_id: model_names.get(model_id, ""))
    return ShownKey(
        id=key.id,
        name=key.name,
        project_id=key.project_id,
        project=project_names.get(key.project_id, ""),
        masked=f"{key.key_prefix}…{key.last_four}",
        standing=_standing(key, now).value,
        created=shown_minute(key.created_at, time_zone),
        expires=shown_minute(key.expires_at, time_zone),
        is_restricted=key.permitted_model_ids is not None,
        model_ids=permitted,
        models=", ".join(model_names.get(model_id, "?") for model_id in permitted),
    )


def _standing(key: ApiKeyView, now: datetime) -> KeyStanding:
    """Judge whether a key may call."""
    if key.revoked_at is not None:
        return KeyStanding.REVOKED
    return KeyStanding.ACTIVE if key.is_usable(now) else KeyStanding.EXPIRED
