"""Reads of credit for pages: budgets with what their period has seen."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, Window, subject_of
from onetoken_app.credit.windows import period_key, renews_at
from onetoken_app.keys.queries import keys_of, projects_of
from onetoken_app.ledger.queries import budgets_of
from onetoken_app.money import Currency, Nanos
from onetoken_app.organizations.queries import organization


@dataclass(frozen=True, slots=True)
class SpendingView:
    """A budget, and what the period that runs now has seen of it."""

    id: str
    subject: BudgetSubject
    name: str
    """Of the project or key; empty for the organization itself."""
    is_in_use: bool
    """False: the key is revoked, or the project archived."""
    currency: Currency
    limit_nanos: Nanos
    spent_nanos: Nanos
    held_nanos: Nanos
    """Set aside for calls that are under way."""
    renews_at: datetime

    @property
    def left_nanos(self) -> Nanos:
        """What further calls may cost; at least 0."""
        return max(0, self.limit_nanos - self.spent_nanos - self.held_nanos)


_ORDER = list(SubjectKind)


async def spending_of(session: AsyncSession, organization_id: str, *, now: datetime) -> list[SpendingView]:
    """Return an organization's budgets: its own first, then projects and keys by name, days before months."""
    found = await organization(session, organization_id)
    if found is None:
        return []
    names: dict[str, tuple[str, bool]] = {organization_id: ("", True)}
    for project in await projects_of(session, organization_id):
        names[project.id] = (project.name, project.archived_at is None)
    for key in await keys_of(session, organization_id):
        names[key.id] = (key.name, key.revoked_at is None)
    views = []
    for window in Window:
        period = period_key(window, now, time_zone=found.time_zone)
        renewal = renews_at(window, now, time_zone=found.time_zone)
        for budget in await budgets_of(session, owner_id=organization_id, period=period):
            subject = subject_of(budget.subject)
            if subject is None or subject.window is not window:
                continue
            name, is_in_use = names.get(subject.id, ("", False))
            views.append(
                SpendingView(
                    id=budget.id,
                    subject=subject,
                    name=name,
                    is_in_use=is_in_use,
                    currency=budget.currency,
                    limit_nanos=budget.limit_nanos,
                    spent_nanos=budget.spent_nanos,
                    held_nanos=budget.held_nanos,
                    renews_at=renewal,
                )
            )
    return sorted(views, key=lambda view: (_ORDER.index(view.subject.kind), view.name, view.subject.id))
