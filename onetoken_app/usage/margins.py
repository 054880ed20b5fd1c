"""What models bring and cost: charges less costs, over all organizations, exactly, from the roll-ups."""

from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.money import Currency, Nanos
from onetoken_app.usage.counted import counted, read_rows
from onetoken_app.usage.periods import period_of_days


@dataclass(frozen=True, slots=True)
class MarginView:
    """The calls of one model that were charged in one currency and cost in one."""

    model_id: str
    """Empty for calls that left no record, which were charged nothing."""
    model_name: str
    currency: Currency
    cost_currency: Currency | None
    """Unset: what these calls cost is not known, which is not nothing."""
    call_count: int
    charge_nanos: Nanos
    """What organizations were charged; what no balance covered is not in it."""
    cost_nanos: Nanos
    """In ``cost_currency``; 0 where that is unset."""

    @property
    def margin_nanos(self) -> Nanos | None:
        """Charge less cost; unset where the cost is not known or in another currency, because none is converted."""
        return self.charge_nanos - self.cost_nanos if self.cost_currency is self.currency else None

    @property
    def margin_permille(self) -> int | None:
        """The margin in thousandths of the charge, rounded down; unset without a margin or a charge."""
        margin = self.margin_nanos
        return None if margin is None or not self.charge_nanos else margin * 1000 // self.charge_nanos


async def margins_by_model(session: AsyncSession, *, since: date, until: date, time_zone: str) -> list[MarginView]:
    """Return what the calls that closed from ``since`` to ``until``, both included, brought and cost, dearest first.

    Calls that were charged nothing and whose cost nobody knows, such as failed ones, are counted with their model's
    others.
    """
    moves = counted(organization_id=None, period=period_of_days(since, until, time_zone=time_zone))
    places = (moves.c.model_id, moves.c.currency, moves.c.cost_currency)
    query = sa.select(
        *places,
        sa.func.max(moves.c.model_name).label("model_name"),
        sa.func.sum(moves.c.call_count).label("call_count"),
        sa.func.sum(moves.c.charge_nanos).label("charge_nanos"),
        sa.func.sum(moves.c.cost_nanos).label("cost_nanos"),
    ).group_by(*places)
    views = [
        MarginView(
            model_id=row.model_id,
            model_name=row.model_name,
            currency=Currency(row.currency),
            cost_currency=Currency(row.cost_currency) if row.cost_currency else None,
            call_count=int(row.call_count),
            charge_nanos=int(row.charge_nanos),
            cost_nanos=int(row.cost_nanos),
        )
        for row in await read_rows(session, query)
    ]
    return sorted(_gathered(views), key=lambda view: (-view.charge_nanos, view.model_name, str(view.cost_currency)))


def _gathered(views: list[MarginView]) -> list[MarginView]:
    """Count calls that came to nothing with a row of their model that has a known cost, where there is one."""
    known = {(view.model_id, view.currency): view for view in views if view.cost_currency}
    gathered = [view for view in views if view.cost_currency or view.charge_nanos]
    for view in views:
        if view.cost_currency or view.charge_nanos:
            continue
        host = known.get((view.model_id, view.currency))
        if host is None:
            gathered.append(view)
        else:
            place = gathered.index(host)
            gathered[place] = replace(host, call_count=host.call_count + view.call_count)
            known[view.model_id, view.currency] = gathered[place]
    return [view for view in gathered if view.model_id or view.charge_nanos or view.cost_nanos]
