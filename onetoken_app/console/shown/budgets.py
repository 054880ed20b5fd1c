"""Budgets as rows of a table, and what a new one can be for."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from onetoken_app.console.shown.amounts import ShownAmount, shown_amount
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.credit.queries import SpendingView
from onetoken_app.credit.subjects import SubjectKind
from onetoken_app.keys.queries import ApiKeyView, ProjectView
from onetoken_app.money import format_amount


@dataclass(frozen=True, slots=True)
class ShownBudget:
    """One row."""

    id: str = ""
    kind: str = ""
    subject: str = ""
    """What it is for, as the form says it."""
    name: str = ""
    """Of the project or key; empty: the organization itself."""
    window: str = ""
    is_in_use: bool = True
    limit: ShownAmount = field(default_factory=ShownAmount)
    typed_limit: str = ""
    """As it would be typed."""
    spent: ShownAmount = field(default_factory=ShownAmount)
    held: ShownAmount = field(default_factory=ShownAmount)
    has_held: bool = False
    left: ShownAmount = field(default_factory=ShownAmount)
    is_used_up: bool = False
    renews: str = ""


@dataclass(frozen=True, slots=True)
class ShownSubject:
    """A project or key that a budget can be for."""

    value: str
    name: str
    kind: str


def shown_budget(view: SpendingView, *, time_zone: str) -> ShownBudget:
    """Turn a budget into its row."""
    return ShownBudget(
        id=view.id,
        kind=view.subject.kind.value,
        subject=f"{view.subject.kind}:{view.subject.id}",
        name=view.name,
        window=view.subject.window.value,
        is_in_use=view.is_in_use,
        limit=shown_amount(view.limit_nanos, view.currency),
        typed_limit=format_amount(view.limit_nanos),
        spent=shown_amount(view.spent_nanos, view.currency),
        held=shown_amount(view.held_nanos, view.currency),
        has_held=view.held_nanos > 0,
        left=shown_amount(view.left_nanos, view.currency),
        is_used_up=view.left_nanos == 0,
        renews=shown_minute(view.renews_at, time_zone),
    )


def shown_subjects(
    projects: Iterable[ProjectView], keys: Iterable[ApiKeyView], *, now: datetime
) -> list[ShownSubject]:  # fmt: skip
    """Return what a budget can be for beside the organization: what still makes calls."""
    open_projects = [one for one in projects if one.archived_at is None]
    usable = [one for one in keys if one.is_usable(now)]
    return [
        *[ShownSubject(f"{SubjectKind.PROJECT}:{one.id}", one.name, SubjectKind.PROJECT) for one in open_projects],
        *[ShownSubject(f"{SubjectKind.API_KEY}:{one.id}", one.name, SubjectKind.API_KEY) for one in usable],
    ]
