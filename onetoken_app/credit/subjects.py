"""What a budget limits and per what: written into the one text that the ledger keeps of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class SubjectKind(StrEnum):
    """Whose calls a budget counts."""

    ORGANIZATION = "organization"
    """All of the organization."""
    PROJECT = "project"
    """Those with a key that belongs to a project when they are made."""
    API_KEY = "api_key"
    """Those with one key."""


class Window(StrEnum):
    """When a budget begins anew, on the organization's clocks."""

    DAY = "day"
    """At midnight."""
    MONTH = "month"
    """At midnight of the first."""


@dataclass(frozen=True, slots=True)
class BudgetSubject:
    """What a budget limits, and per what. An organization has at most one budget for each."""

    kind: SubjectKind
    id: str
    """Of the organization, the project or the key."""
    window: Window

    @property
    def text(self) -> str:
        """As the ledger keeps it, which does not read it."""
        return f"{self.kind}:{self.id}:{self.window}"


def subject_of(text: str) -> BudgetSubject | None:
    """Read what the ledger keeps; ``None``: it was not written here."""
    try:
        kind, subject_id, window = text.split(":")
        return BudgetSubject(SubjectKind(kind), subject_id, Window(window))
    except ValueError:
        return None
