"""The ledger on a real database against a model in plain dicts, in any order that Hypothesis thinks of.

Calls go through the writer's batches, credit and terms through the verbs, and time goes by in days.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.database import Database, unit_of_work, use_database
from onetoken_app.errors import OneTokenError
from onetoken_app.ledger import service
from onetoken_app.ledger.batches import answer
from onetoken_app.ledger.errors import CreditLimitTooLow, InsufficientFunds
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    Answer,
    BudgetPeriod,
    CloseHold,
    ExtendHold,
    Operation,
    PlaceHold,
    RecordProgress,
)
from onetoken_app.ledger.verification import VerificationReport
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.ledger.desks import a_desk, an_owner, rows, the_report
from tests.ledger.ledger_model import BALANCE_NANOS, LIMIT_NANOS, Model
from tests.support.databases import postgresql_settings_in, sqlite_settings_in
from tests.support.postgresql import PostgresqlServer

START = datetime(2027, 1, 1, tzinfo=UTC)
USD = Currency.USD
AMOUNTS = st.integers(min_value=0, max_value=160)
CREDITS = st.integers(min_value=1, max_value=60)
DAYS = st.integers(min_value=1, max_value=4)
OUTCOMES = st.sampled_from(list(Outcome))
REQUESTS = st.sampled_from([f"req_{number}" for number in range(6)])
SCOPES = st.sampled_from(["", "mdl_1", "mdl_2"])


class LedgerMachine(RuleBasedStateMachine):
    """Collects operations into batches, and compares every answer and every balance."""

    new_settings: Callable[[], Settings]

    @initialize()
    def open(self) -> None:
        self.settings = type(self).new_settings()
        self.database = Database(self.settings)
        use_database(self.database)
        self.model = Model()
        clock.utc_now = lambda: START + timedelta(days=self.model.day)
        self.owner_id = self.done(
            lambda session: an_owner(session, balance_nanos=BALANCE_NANOS, floor_nanos=-LIMIT_NANOS)
        )
        self.budget_id = self.model.budget_id = self.done(
            lambda session: service.create_budget(
                session, owner_id=self.owner_id, subject="key_1", currency=USD, limit_nanos=self.model.budget_limit
            )
        )
        self.desk = a_desk(self.settings)
        self.numbers = count(1)
        self.batch: list[Operation] = []
        self.expected: list[Answer] = []

    def done(self, verb: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
        """Run a verb in a unit of work and a loop of its own."""

        async def run() -> Any:
            try:
                async with unit_of_work() as session:
                    return await verb(session)
            finally:
                await self.database.dispose()

        return asyncio.run(run())

    def verb(self, verb: Callable[[AsyncSession], Awaitable[Any]], expected: type[OneTokenError] | None) -> None:
        """Run a verb after what was asked for before, twice: it does as the model said, and once."""
        for _ in range(2):
            if expected is None:
                self.done(verb)
            else:
                with pytest.raises(expected):
                    self.done(verb)
        self.compare()

    def compare(self) -> None:
        """Look whether every lot has what the model says."""
        found = rows(
            self.desk, "SELECT lot_id, posted_nanos, held_nanos FROM ledger_account WHERE owner_id = ?", self.owner_id
        )
        expected = {(lot, posted, self.model.held(lot)) for lot, posted in self.model.posted.items()}
        assert {tuple(row) for row in found} == expected
        seen = rows(self.desk, "SELECT spent_nanos, held_nanos FROM ledger_budget_period")
        counted = (self.model.budget_spent, self.model.budget_held())
        assert [tuple(row) for row in seen] in ([counted], [] if counted == (0, 0) else [counted])

    def reference(self) -> str:
        self.commit()
        return f"reference:{next(self.numbers):03}"

    @rule(request_id=REQUESTS, amount=AMOUNTS, scope=SCOPES, is_counted=st.booleans())
    def place(self, request_id: str, amount: int, scope: str, *, is_counted: bool) -> None:
        counted = [BudgetPeriod(self.budget_id, "2027")] if is_counted else []
        self.batch.append(PlaceHold(request_id, self.owner_id, USD, amount, b"context", scope=scope, budgets=counted))
        self.expected.append(self.model.place(request_id, amount, scope, is_counted=is_counted))

    @rule(request_id=REQUESTS, amount=AMOUNTS, scope=SCOPES)
    def extend(self, request_id: str, amount: int, scope: str) -> None:
        self.batch.append(ExtendHold(request_id, amount, scope))
        self.expected.append(self.model.extend(request_id, amount, scope))

    @rule(request_id=REQUESTS, amount=AMOUNTS)
    def progress(self, request_id: str, amount: int) -> None:
        self.batch.append(RecordProgress(request_id, amount, b"progress"))
        self.expected.append(self.model.progress(request_id))

    @rule(request_id=REQUESTS, outcome=OUTCOMES, amount=AMOUNTS, scope=SCOPES)
    def close(self, request_id: str, outcome: Outcome, amount: int, scope: str) -> None:
        self.batch.append(CloseHold(request_id, outcome, amount, UsageSource.UPSTREAM, [], scope))
        self.expected.append(self.model.close(request_id, outcome, amount, scope))

    @rule()
    def commit(self) -> None:
        if self.batch:
            assert answer(self.desk, self.batch) == self.expected
            self.batch, self.expected = [], []
            self.compare()

    @rule(amount=CREDITS, days=DAYS)
    def promote(self, amount: int, days: int) -> None:
        reference, day = self.reference(), self.model.day + days
        self.model.expires[reference], self.model.scopes[reference] = day, set()
        self.model.promotions.add(reference)
        self.verb(
            lambda session: service.grant_promotional_credit(
                session, owner_id=self.owner_id, currency=USD, amount_nanos=amount,
                expires_at=START + timedelta(days=day), reference=reference,
            ),
            self.model.move("*", reference, amount, reference),
        )  # fmt: skip

    @rule(amount=CREDITS, days=DAYS, scopes=st.sampled_from([(), ("mdl_1",)]))
    def sell(self, amount: int, days: int, scopes: tuple[str, ...]) -> None:
        reference, day = self.reference(), self.model.day + days
        refusal = self.model.move("", reference, amount, reference)
        if refusal is None:
            self.model.expires[reference], self.model.scopes[reference] = day, set(scopes)
        self.verb(
            lambda session: service.sell_package(
                session, owner_id=self.owner_id, currency=USD, amount_nanos=amount, scopes=scopes,
                expires_at=START + timedelta(days=day), reference=reference,
            ),
            refusal,
        )  # fmt: skip

    @rule(amount=st.integers(min_value=-60, max_value=60).filter(bool))
    def adjust(self, amount: int) -> None:
        reference = self.reference()
        source, target = ("*", "") if amount > 0 else ("", "*")
        self.verb(
            lambda session: service.adjust(
                session, owner_id=self.owner_id, currency=USD, amount_nanos=amount, reference=reference
            ),
            self.model.move(source, target, abs(amount), reference),
        )

    @rule(amount=CREDITS)
    def refund(self, amount: int) -> None:
        reference = self.reference()
        is_there = amount <= self.model.posted[""] - self.model.held("")
        self.verb(
            lambda session: service.refund(
                session, owner_id=self.owner_id, currency=USD, amount_nanos=amount, reference=reference, provider="p"
            ),
            self.model.move("", "*", amount, reference) if is_there else InsufficientFunds,
        )

    @rule(choice=st.integers(min_value=0))
    def reverse(self, choice: int) -> None:
        reference, known = self.reference(), sorted(self.model.moved)
        if known:
            undone = known[choice % len(known)]
            self.verb(
                lambda session: service.reverse(session, reversed_reference=undone, reference=reference),
                self.model.reverse(undone),
            )

    @rule(limit=st.integers(min_value=0, max_value=80))
    def set_limit(self, limit: int) -> None:
        reference = self.reference()
        refusal = CreditLimitTooLow if self.model.held("") - self.model.posted[""] > limit else None
        if refusal is None:
            self.model.limit = limit
        self.verb(
            lambda session: service.set_credit_limit(
                session, owner_id=self.owner_id, currency=USD, limit_nanos=limit, reference=reference
            ),
            refusal,
        )

    @rule(is_frozen=st.booleans())
    def freeze(self, *, is_frozen: bool) -> None:
        reference, verb = self.reference(), service.freeze_owner if is_frozen else service.unfreeze_owner
        self.model.is_frozen = is_frozen
        self.verb(lambda session: verb(session, owner_id=self.owner_id, reference=reference), None)

    @rule(limit=AMOUNTS)
    def change_budget(self, limit: int) -> None:
        self.commit()
        self.model.budget_limit = limit
        self.done(
            lambda session: service.change_budget(
                session, owner_id=self.owner_id, budget_id=self.budget_id, limit_nanos=limit
            )
        )

    @rule(days=DAYS)
    def let_days_go_by(self, days: int) -> None:
        self.commit()
        self.model.day += days

    @rule()
    def expire(self) -> None:
        self.commit()
        assert self.done(service.expire_lots) == self.model.expire()
        self.compare()

    @invariant()
    def the_model_itself_stays_above_the_floor(self) -> None:
        assert not hasattr(self, "model") or all(self.model.available(lot) >= 0 for lot in self.model.posted)

    def teardown(self) -> None:
        self.commit()
        self.desk.backend.close()
        report = asyncio.run(self._report())
        use_database(None)
        assert (report.first_wrong_row, report.open_hold_count) == (None, len(self.model.parts))

    async def _report(self) -> VerificationReport:
        try:
            return await the_report()
        finally:
            await self.database.dispose()


def run_machine(new_settings: Callable[[], Settings], *, examples_max: int) -> None:
    """Let Hypothesis think of runs, each on a fresh database."""
    machine = type("FreshLedgerMachine", (LedgerMachine,), {"new_settings": staticmethod(new_settings)})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "utc_now", clock.utc_now)  # each run sets it; this gives it back
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples_max,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.row("A13")
class TestStateMachine:
    def test_the_ledger_does_what_the_model_says(self, sqlite_settings: Settings, tmp_path: Path) -> None:
        numbers = count()

        def new_settings() -> Settings:
            made = sqlite_settings_in(tmp_path / str(next(numbers)))
            made.data_dir.mkdir(parents=True)
            shutil.copyfile(sqlite_settings.database_file, made.database_file)
            return made

        run_machine(new_settings, examples_max=25)

    @pytest.mark.long
    def test_so_it_does_on_postgresql(
        self, request: pytest.FixtureRequest, postgresql_server: PostgresqlServer, tmp_path: Path
    ) -> None:
        template, names = request.getfixturevalue("_postgresql_template"), list[str]()

        def new_settings() -> Settings:
            names.append(postgresql_server.create_database(template=template))
            return postgresql_settings_in(tmp_path, url=postgresql_server.url(names[-1]))

        try:
            run_machine(new_settings, examples_max=5)
        finally:
            for name in names:
                postgresql_server.drop_database(name)
