"""Reads statements: lists of closed months, and one with all its figures."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.billing.figures import Figures, read_figures
from onetoken_app.billing.models import MonthlyStatement
from onetoken_app.money import Currency, Nanos


@dataclass(frozen=True, slots=True)
class StatementView:
    """A closed month, without its lines."""

    id: str
    organization_id: str
    currency: Currency
    month: date
    """Its first day."""
    opening_nanos: Nanos
    charged_nanos: Nanos
    closing_nanos: Nanos
    due_nanos: Nanos
    due_on: date | None
    closed_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class WholeStatementView:
    """A closed month with everything that it says."""

    view: StatementView
    figures: Figures


async def statements_of(session: AsyncSession, organization_id: str) -> list[StatementView]:
    """Return an organization's closed months, newest first."""
    query = (
        select(MonthlyStatement)
        .where(MonthlyStatement.organization_id == organization_id)
        .order_by(col(MonthlyStatement.month).desc(), MonthlyStatement.currency)
    )
    return [_view(row) for row in await session.exec(query)]


async def whole_statement(session: AsyncSession, statement_id: str) -> WholeStatementView | None:
    """Return any closed month; whoever asks decides by its organization who may see it.

    Raises:
        StatementDamaged: It is not what was closed.
    """
    row = await session.get(MonthlyStatement, statement_id)
    if row is None:
        return None
    return WholeStatementView(_view(row), read_figures(row.figures_json, sha256=row.sha256))


def _view(row: MonthlyStatement) -> StatementView:
    """Copy a statement's head."""
    return StatementView(**{name: getattr(row, name) for name in StatementView.__slots__})
