"""An organization's months: credit, calls and late rows at chosen moments, and statements that are closed of them."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import pytest
import sqlalchemy as sa

from onetoken_app import clock
from onetoken_app.billing.figures import Figures
from onetoken_app.billing.statement_queries import WholeStatementView, statements_of, whole_statement
from onetoken_app.billing.statements import running_month
from onetoken_app.database import current_database, read_session, unit_of_work
from onetoken_app.jobs.close_statements import close_some, reckoned_months
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, Statement
from onetoken_app.money import Currency, Nanos
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.recording import insert_statement
from tests.ledger.desks import a_close, a_hold
from tests.support.builders import an_organization
from tests.usage.drafts import a_draft

_numbers = count(1)
OPENED = "2026-06-03T08:00"


def at(text: str) -> datetime:
    """Read a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(slots=True)
class Books:
    """One organization's books, with a clock that the test sets."""

    desk: Desk
    settings: Settings
    monkeypatch: pytest.MonkeyPatch
    organization_id: str = ""

    @contextmanager
    def clock_at(self, moment: str) -> Iterator[None]:
        """Let it be a moment while the block runs."""
        with self.monkeypatch.context() as patched:
            patched.setattr(clock, "utc_now", lambda: at(moment))
            yield

    async def open(self, *, time_zone: str = "Asia/Shanghai", moment: str = OPENED) -> None:
        """Register the organization."""
        with self.clock_at(moment):
            async with unit_of_work() as session:
                self.organization_id = await an_organization(session)
                await (await session.connection()).execute(
                    sa.text("UPDATE organizations_organization SET time_zone = :zone WHERE id = :id"),
                    {"zone": time_zone, "id": self.organization_id},
                )

    async def move_to(self, time_zone: str) -> None:
        """Change the organization's time zone."""
        async with unit_of_work() as session:
            await (await session.connection()).execute(
                sa.text("UPDATE organizations_organization SET time_zone = :zone WHERE id = :id"),
                {"zone": time_zone, "id": self.organization_id},
            )

    async def top_up(self, moment: str, amount_nanos: Nanos) -> None:
        """Credit money that arrived."""
        with self.clock_at(moment):
            async with unit_of_work() as session:
                await ledger.top_up(
                    session, owner_id=self.organization_id, currency=Currency.USD, amount_nanos=amount_nanos,
                    reference=f"top_up:{next(_numbers)}",
                )  # fmt: skip

    async def grant(self, moment: str, amount_nanos: Nanos) -> None:
        """Give credit."""
        with self.clock_at(moment):
            async with unit_of_work() as session:
                await ledger.grant_credit(
                    session, owner_id=self.organization_id, currency=Currency.USD, amount_nanos=amount_nanos,
                    reference=f"grant:{next(_numbers)}",
                )  # fmt: skip

    async def move(
        self, moment: str, verb: Callable[..., Awaitable[None]], amount_nanos: Nanos, **values: object
    ) -> str:
        """Move credit by a verb of the ledger; return the reference."""
        reference = f"move:{next(_numbers)}"
        with self.clock_at(moment):
            async with unit_of_work() as session:
                await verb(
                    session, owner_id=self.organization_id, currency=Currency.USD, amount_nanos=amount_nanos,
                    reference=reference, **values,
                )  # fmt: skip
        return reference

    async def undo(self, moment: str, verb: Callable[..., Awaitable[None]], **values: object) -> None:
        """Undo a movement by a verb of the ledger."""
        with self.clock_at(moment):
            async with unit_of_work() as session:
                await verb(session, reference=f"undo:{next(_numbers)}", **values)

    async def expire(self, moment: str) -> None:
        """Forfeit what has expired."""
        with self.clock_at(moment):
            async with unit_of_work() as session:
                await ledger.expire_lots(session)

    def hold(self, moment: str, amount_nanos: Nanos) -> str:
        """Begin a call; return its request's id."""
        request_id = f"req_{next(_numbers):06}"
        with self.clock_at(moment):
            answer(self.desk, [a_hold(self.organization_id, amount_nanos, request_id=request_id)])
        return request_id

    def close(self, moment: str, request_id: str, amount_nanos: Nanos, *, model: str = "m", key: str = "k") -> None:
        """End a call."""
        extra = [self._record(moment, request_id, model=model, key=key)]
        with self.clock_at(moment):
            answer(self.desk, [a_close(request_id, amount_nanos, extra=extra)])

    def recover(self, moment: str, request_id: str, amount_nanos: Nanos) -> None:
        """End a call at its checkpoint, as another process does."""
        extra = [self._record(moment, request_id)]
        with self.clock_at(moment):
            answer(self.desk, [CloseHold(request_id, Outcome.RECOVERED, amount_nanos, UsageSource.CHECKPOINT, extra)])

    def call(self, moment: str, amount_nanos: Nanos, *, model: str = "m", key: str = "k") -> None:
        """Make a whole call at one moment."""
        self.close(moment, self.hold(moment, amount_nanos), amount_nanos, model=model, key=key)

    async def close_months(self, moment: str) -> list[Figures]:
        """Close what can be closed at a moment; return it."""
        closed: list[Figures] = []
        with self.clock_at(moment):
            while found := await reckoned_months():
                async with unit_of_work() as session:
                    await close_some(session, self.settings, figures=found)
                closed += found
        return closed

    async def statements(self) -> list[WholeStatementView]:
        """Return the closed months, oldest first."""
        async with read_session() as session:
            views = await statements_of(session, self.organization_id)
            found = [await whole_statement(session, view.id) for view in reversed(views)]
        return [one for one in found if one is not None]

    async def running(self, moment: str) -> Figures:
        """Return the month that runs."""
        async with read_session() as session:
            (figures,) = await running_month(session, organization_id=self.organization_id, now=at(moment))
        return figures

    async def journal_total(self) -> Nanos:
        """Add up every posting of the organization's accounts, as an auditor would."""
        query = sa.text(
            "SELECT COALESCE(SUM(CASE WHEN target.owner_id = :owner THEN amount_nanos ELSE 0 END), 0) - "
            "COALESCE(SUM(CASE WHEN source.owner_id = :owner THEN amount_nanos ELSE 0 END), 0) FROM ledger_posting "
            "JOIN ledger_account AS source ON source.id = from_account_id "
            "JOIN ledger_account AS target ON target.id = to_account_id"
        )
        async with read_session() as session:
            found = await (await session.connection()).execute(query, {"owner": self.organization_id})
            return int(found.scalar_one())

    def _record(self, moment: str, request_id: str, *, model: str = "m", key: str = "k") -> Statement:
        """Record a call as the relay does."""
        draft = a_draft(
            request_id=request_id, requested_at=at(moment), organization_id=self.organization_id, api_key_id=key,
            model_id=model, model_name=f"model {model}", project_id="prj_1",
        )  # fmt: skip
        return insert_statement(draft, is_sqlite=current_database().is_sqlite)
