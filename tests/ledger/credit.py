"""Short forms of the verbs that move credit, in dollars, each in a unit of work of its own."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import queries, service
from onetoken_app.ledger.operations import BudgetPeriod, PlaceHold
from onetoken_app.ledger.queries import LotView
from onetoken_app.money import Currency, Nanos

NOW = datetime(2027, 1, 1, tzinfo=UTC)
"""When tests about expiry happen, as long as they do not move the clock."""
SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=30)
USD = Currency.USD
MONTH = "2027-01"


async def give_promotion(
    owner_id: str, amount_nanos: Nanos, *, expires_at: datetime = SOON, reference: str = "promotion:1"
) -> None:
    async with unit_of_work() as session:
        await service.grant_promotional_credit(
            session,
            owner_id=owner_id,
            currency=USD,
            amount_nanos=amount_nanos,
            expires_at=expires_at,
            reference=reference,
        )


async def sell(
    owner_id: str,
    amount_nanos: Nanos,
    *,
    expires_at: datetime | None = LATER,
    scopes: Sequence[str] = (),
    reference: str = "package:1",
    token_count: int = 0,
) -> None:
    async with unit_of_work() as session:
        await service.sell_package(
            session,
            owner_id=owner_id,
            currency=USD,
            amount_nanos=amount_nanos,
            expires_at=expires_at,
            scopes=scopes,
            reference=reference,
            token_count=token_count,
        )


async def expire(*, lots_max: int = 100) -> int:
    async with unit_of_work() as session:
        return await service.expire_lots(session, lots_max=lots_max)


async def the_lots(owner_id: str) -> dict[str, tuple[int, int]]:
    """Return what is posted and held on each lot with something left."""
    return {lot.lot_id: (lot.posted_nanos, lot.held_nanos) for lot in await the_lot_views(owner_id)}


async def the_lot_views(owner_id: str, *, now: datetime = NOW) -> list[LotView]:
    async with read_session() as session:
        return await queries.lots_of(session, owner_id=owner_id, currency=USD, now=now)


async def the_prepaid(owner_id: str) -> tuple[int, int]:
    """Return what is posted and held on the prepaid account."""
    async with read_session() as session:
        balance = await queries.balance_of(session, owner_id=owner_id, currency=USD)
    return balance.posted_nanos, balance.held_nanos


async def a_budget(owner_id: str, limit_nanos: Nanos, *, subject: str = "key_1") -> str:
    async with unit_of_work() as session:
        return await service.create_budget(
            session, owner_id=owner_id, subject=subject, currency=USD, limit_nanos=limit_nanos
        )


async def change_budget(
    owner_id: str, budget_id: str, *, limit_nanos: Nanos | None = None, is_enabled: bool | None = None
) -> None:
    async with unit_of_work() as session:
        await service.change_budget(
            session, owner_id=owner_id, budget_id=budget_id, limit_nanos=limit_nanos, is_enabled=is_enabled
        )


def a_counted_hold(owner_id: str, amount_nanos: Nanos, *budget_ids: str, request_id: str = "") -> PlaceHold:
    """Ask for a hold that counts against budgets, this month."""
    counted = [BudgetPeriod(budget_id, MONTH) for budget_id in budget_ids]
    return PlaceHold(
        request_id or new_id(Kind.REQUEST), owner_id, USD, amount_nanos, b"context", budgets=counted
    )  # fmt: skip


async def the_use(owner_id: str, *, period: str = MONTH) -> dict[str, tuple[int, int]]:
    """Return what is spent and held of each budget."""
    async with read_session() as session:
        views = await queries.budgets_of(session, owner_id=owner_id, period=period)
    return {view.id: (view.spent_nanos, view.held_nanos) for view in views}
