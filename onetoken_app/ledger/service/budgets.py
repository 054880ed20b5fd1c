"""Makes, changes and removes budgets. They move no money, so they need no reference; the writer enforces them."""

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger.errors import NoSuchBudget
from onetoken_app.ledger.models import Budget
from onetoken_app.money import NANOS_MAX, Currency, Nanos


async def create_budget(
    session: AsyncSession, *, owner_id: str, subject: str, currency: Currency, limit_nanos: Nanos
) -> str:
    """Make a budget, enabled; return its id. It caps the holds that name it.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose holds it counts.
        subject: Opaque to the ledger: what it limits; at most 128 characters.
        currency: Holds in others cannot name it.
        limit_nanos: Per period; at least 0.
    """
    _check_limit(limit_nanos)
    budget = Budget(
        id=new_id(Kind.BUDGET),
        owner_id=owner_id,
        subject=subject,
        currency=currency,
        limit_nanos=limit_nanos,
        created_at=clock.utc_now(),
    )
    session.add(budget)
    await session.flush()
    return budget.id


async def change_budget(
    session: AsyncSession,
    *,
    owner_id: str,
    budget_id: str,
    limit_nanos: Nanos | None = None,
    is_enabled: bool | None = None,
) -> None:
    """Change a budget, from the commit on. A limit below what was spent stops new holds and undoes nothing.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose budget it must be.
        budget_id: The budget.
        limit_nanos: At least 0; unset: as it was.
        is_enabled: False: it goes on counting, and refuses nothing; unset: as it was.

    Raises:
        NoSuchBudget: The owner has none with this id.
    """
    budget = await _budget(session, owner_id, budget_id)
    if limit_nanos is not None:
        _check_limit(limit_nanos)
        budget.limit_nanos = limit_nanos
    if is_enabled is not None:
        budget.is_enabled = is_enabled
    session.add(budget)
    await session.flush()


async def remove_budget(session: AsyncSession, *, owner_id: str, budget_id: str) -> None:
    """Remove a budget: new holds that name it are not counted; open ones are counted to their end.

    Args:
        session: Open unit of work; the caller commits.
        owner_id: Whose budget it must be.
        budget_id: The budget.

    Raises:
        NoSuchBudget: The owner has none with this id.
    """
    budget = await _budget(session, owner_id, budget_id)
    budget.removed_at = clock.utc_now()
    session.add(budget)
    await session.flush()


async def _budget(session: AsyncSession, owner_id: str, budget_id: str) -> Budget:
    """Find a budget of this owner.

    Raises:
        NoSuchBudget: There is none.
    """
    budget = await session.get(Budget, budget_id, with_for_update=True)
    if budget is None or budget.owner_id != owner_id or budget.removed_at is not None:
        message = "The organization has no such budget; nothing was changed."
        raise NoSuchBudget(message)
    return budget


def _check_limit(limit_nanos: Nanos) -> None:
    """Refuse what no limit can be.

    Raises:
        ValueError: It is negative or does not fit.
    """
    if not 0 <= limit_nanos <= NANOS_MAX:
        message = "a budget's limit is at least 0"
        raise ValueError(message)
