"""What the relay has to know of budgets: which ones a call counts against. Their limits are the writer's business."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, subject_of
from onetoken_app.ledger.queries import subjects_of_budgets
from onetoken_app.telemetry import get_logger


@dataclass(frozen=True, slots=True)
class Cap:
    """A budget that some calls count against."""

    budget_id: str
    subject: BudgetSubject

    def counts(self, *, project_id: str, api_key_id: str) -> bool:
        """Whether calls of the organization with this key, in this project, count."""
        counted = {SubjectKind.PROJECT: project_id, SubjectKind.API_KEY: api_key_id}
        return counted.get(self.subject.kind, self.subject.id) == self.subject.id


async def caps_of(session: AsyncSession, organization_ids: Collection[str]) -> dict[str, tuple[Cap, ...]]:
    """Return the budgets of organizations that have any, in one query."""
    caps: dict[str, list[Cap]] = {}
    for budget in await subjects_of_budgets(session, owner_ids=organization_ids):
        subject = subject_of(budget.subject)
        if subject is None:
            get_logger().error("budget_left_out", budget_id=budget.id, organization_id=budget.owner_id)
            continue
        caps.setdefault(budget.owner_id, []).append(Cap(budget.id, subject))
    return {organization_id: tuple(found) for organization_id, found in caps.items()}
