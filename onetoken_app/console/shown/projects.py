"""Projects as rows of a table."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.keys.queries import ApiKeyView, ProjectView


class ProjectStanding(StrEnum):
    """Whether a project takes keys."""

    ACTIVE = "active"
    """Keys are minted into it."""
    ARCHIVED = "archived"
    """Only its history is left."""


@dataclass(frozen=True, slots=True)
class ShownProject:
    """One row."""

    id: str = ""
    name: str = ""
    is_default: bool = False
    key_count: int = 0
    """Its keys that are not revoked."""
    standing: str = ""
    created: str = ""


def shown_projects(
    projects: Iterable[ProjectView], keys: Iterable[ApiKeyView], *, time_zone: str
) -> list[ShownProject]:
    """Turn projects into rows, with how many of the keys are in use in each."""
    counts = Counter(key.project_id for key in keys if key.revoked_at is None)
    return [
        ShownProject(
            id=project.id,
            name=project.name,
            is_default=project.is_default,
            key_count=counts[project.id],
            standing=(ProjectStanding.ARCHIVED if project.archived_at else ProjectStanding.ACTIVE).value,
            created=shown_minute(project.created_at, time_zone),
        )
        for project in projects
    ]
