"""Sets and removes an organization's budgets; the ledger's writer keeps them, in the commit that places a hold."""

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.audit.chain import Fact
from onetoken_app.credit.customers import locked_customer, note
from onetoken_app.credit.errors import LimitRefused, NothingToLimit, TooManyBudgets
from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, subject_of
from onetoken_app.errors import NotFound
from onetoken_app.keys.models import ApiKey, Project
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.models import Budget
from onetoken_app.ledger.queries import BudgetSubjectView, subjects_of_budgets
from onetoken_app.money import NANOS_PER_UNIT, Nanos, format_amount, parse_amount

BUDGETS_MAX = 1_000
"""An organization's budgets: the relay keeps them in memory, and a page shows them all."""
LIMIT_NANOS_MAX = 1_000_000_000 * NANOS_PER_UNIT


async def set_budget(
    session: AsyncSession, *, organization_id: str, subject: BudgetSubject, limit_nanos: Nanos, set_by: str
) -> str:
    """Cap what a subject may spend in each day or month, from the commit on; return the budget's id.

    Where there is a budget for the subject already, its limit is changed, and what it has counted stays counted. A new
    one counts from nothing. Setting the same again changes nothing.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose budget.
        subject: What it limits; the project or key is the organization's.
        limit_nanos: In the organization's currency; 0 stops every call that costs anything.
        set_by: A member who may; the edge checked the role.

    Raises:
        LimitRefused: The limit is negative, or more than anybody can spend.
        NotFound: There is no such organization, project or key.
        NothingToLimit: The key is revoked, or the project archived.
        TooManyBudgets: There are as many as may be.
    """
    # A bool or a float that slipped through is no amount.
    if type(limit_nanos) is not int or not 0 <= limit_nanos <= LIMIT_NANOS_MAX:
        raise LimitRefused("A budget is an amount from 0 to 1 000 000 000; nothing was changed.", parameter="limit")
    organization = await locked_customer(session, organization_id)
    known = await subjects_of_budgets(session, owner_ids=[organization_id])
    found = next((budget for budget in known if budget.subject == subject.text), None)
    if found is not None:
        return await _change(session, found, subject, limit_nanos, set_by=set_by)
    await _refuse_useless(session, organization_id, subject)
    if len(known) >= BUDGETS_MAX:
        raise TooManyBudgets(
            f"An organization has at most {BUDGETS_MAX} budgets; nothing was changed. Remove one first."
        )
    budget_id = await ledger.create_budget(
        session,
        owner_id=organization_id,
        subject=subject.text,
        currency=organization.currency,
        limit_nanos=limit_nanos,
    )
    await _audit(session, "budget_set", organization_id, budget_id, subject, actor_id=set_by, limit_nanos=limit_nanos)
    return budget_id


async def remove_budget(session: AsyncSession, *, organization_id: str, budget_id: str, removed_by: str) -> None:
    """Take a budget out of use, from the commit on; calls under way are counted to their end.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose budget it has to be.
        budget_id: The budget.
        removed_by: A member who may; the edge checked the role.

    Raises:
        NoSuchBudget: The organization has none with this id, or it was removed.
    """
    await locked_customer(session, organization_id)
    known = await subjects_of_budgets(session, owner_ids=[organization_id])
    found = next((budget for budget in known if budget.id == budget_id), None)
    await ledger.remove_budget(session, owner_id=organization_id, budget_id=budget_id)
    subject = subject_of(found.subject) if found else None
    await _audit(session, "budget_removed", organization_id, budget_id, subject, actor_id=removed_by)


def limit_from_text(text: str) -> Nanos:
    """Read what somebody typed, such as ``1000`` or ``0.50``.

    Raises:
        LimitRefused: It is no plain decimal number.
    """
    try:
        return parse_amount(text.strip())
    except ValueError as error:
        raise LimitRefused("Write the limit as a plain number, such as 1000.00.", parameter="limit") from error


async def _change(
    session: AsyncSession, found: BudgetSubjectView, subject: BudgetSubject, limit_nanos: Nanos, *, set_by: str
) -> str:
    """Change the limit of a budget that is there."""
    budget = await session.get(Budget, found.id, populate_existing=True)
    before = budget.limit_nanos if budget else None
    if before != limit_nanos:
        await ledger.change_budget(session, owner_id=found.owner_id, budget_id=found.id, limit_nanos=limit_nanos)
        facts: dict[str, Fact] = {"limit_before": format_amount(before)} if before is not None else {}
        await _audit(
            session, "budget_set", found.owner_id, found.id, subject,
            actor_id=set_by, limit_nanos=limit_nanos, facts=facts,
        )  # fmt: skip
    return found.id


async def _refuse_useless(session: AsyncSession, organization_id: str, subject: BudgetSubject) -> None:
    """Refuse a subject that is somebody else's, or makes no calls any more."""
    if subject.kind is SubjectKind.ORGANIZATION:
        if subject.id != organization_id:
            raise NotFound("There is no such organization.")
    elif subject.kind is SubjectKind.PROJECT:
        project = (await session.exec(select(Project).where(Project.id == subject.id))).first()
        if project is None or project.organization_id != organization_id:
            raise NotFound("There is no such project.")
        if project.archived_at is not None:
            raise NothingToLimit("This project is archived and makes no calls; nothing was changed.")
    else:
        key = (await session.exec(select(ApiKey).where(ApiKey.id == subject.id))).first()
        if key is None or key.organization_id != organization_id:
            raise NotFound("There is no such key.")
        if key.revoked_at is not None:
            raise NothingToLimit("This key is revoked and makes no calls; nothing was changed.")


async def _audit(
    session: AsyncSession,
    action: str,
    organization_id: str,
    budget_id: str,
    subject: BudgetSubject | None,
    *,
    actor_id: str,
    limit_nanos: Nanos | None = None,
    facts: dict[str, Fact] | None = None,
) -> None:
    """Add a line about a budget."""
    said: dict[str, Fact] = {} if limit_nanos is None else {"limit": format_amount(limit_nanos)}
    if subject is not None:
        said |= {"of": subject.kind.value, "of_id": subject.id, "window": subject.window.value}
    await note(
        session,
        action,
        actor_id=actor_id,
        subject_id=budget_id,
        organization_id=organization_id,
        facts={**said, **(facts or {})},
    )
