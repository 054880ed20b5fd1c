"""What a budget limits and per what: written into the one text that the ledger keeps of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from onetoken_app.errors import BadRequest


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


def subject_from_form(subject: str, window: str, *, organization_id: str) -> BudgetSubject:
    """Read what somebody chose: ``organization``, ``project:ID`` or ``api_key:ID``, and a window.

    Args:
        subject: Of a form; whose the project or key is, is checked where the budget is set.
        window: Of a form.
        organization_id: Of whoever filled it in.

    Raises:
        BadRequest: It is none of what can be chosen.
    """
    chosen = f"{subject}:{organization_id}" if subject == SubjectKind.ORGANIZATION else subject
    found = subject_of(f"{chosen}:{window}")
    if found is None:
        raise BadRequest("Choose what the budget is for, and a day or a month.", parameter="subject")
    return found
