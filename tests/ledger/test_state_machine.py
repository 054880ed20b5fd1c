"""The writer's batches on a real database against a model in plain dicts, in any order that Hypothesis thinks of."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from onetoken_app.database import Database, unit_of_work, use_database
from onetoken_app.ledger.batches import answer
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import (
    Answer,
    BalanceTooLow,
    ExtendHold,
    HoldClosed,
    HoldConflict,
    HoldPlaced,
    Operation,
    ProgressRecorded,
    RecordProgress,
)
from onetoken_app.ledger.verification import VerificationReport
from onetoken_app.settings import Settings
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner, rows, the_report
from tests.support.databases import sqlite_settings_in

BALANCE_NANOS = 100
FLOOR_NANOS = -20
AMOUNTS = st.integers(min_value=0, max_value=160)
OUTCOMES = st.sampled_from(list(Outcome))
REQUESTS = st.sampled_from([f"req_{number}" for number in range(6)])


@dataclass
class Model:
    """What the ledger should do, in the plainest words."""

    owner_id: str
    posted: int = BALANCE_NANOS
    asked: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    closed: dict[str, HoldClosed] = field(default_factory=dict)
    corrected: set[str] = field(default_factory=set)

    @property
    def available(self) -> int:
        return self.posted - sum(self.held.values()) - FLOOR_NANOS

    def place(self, request_id: str, amount: int) -> Answer:
        if request_id in self.closed or self.asked.get(request_id, amount) != amount:
            return HoldConflict()
        if request_id not in self.asked:
            if amount > self.available:
                return BalanceTooLow(self.available)
            self.asked[request_id] = self.held[request_id] = amount
        return HoldPlaced(amount)

    def extend(self, request_id: str, amount: int) -> Answer:
        if request_id not in self.held:
            return HoldConflict()
        if amount - self.held[request_id] > self.available:
            return BalanceTooLow(self.available)
        self.held[request_id] = max(amount, self.held[request_id])
        return HoldPlaced(self.held[request_id])

    def progress(self, request_id: str) -> Answer:
        return ProgressRecorded() if request_id in self.asked else HoldConflict()

    def close(self, request_id: str, outcome: Outcome, amount: int) -> Answer:
        if request_id not in self.asked:
            return HoldConflict()
        if request_id in self.closed:
            first = self.closed[request_id]
            if first.outcome is Outcome.RECOVERED and outcome is not Outcome.RECOVERED:
                self._correct(request_id, outcome, 0 if outcome is Outcome.VOIDED else amount)
                first = self.closed[request_id]
            return HoldClosed(first.outcome, first.amount_nanos, first.absorbed_nanos, is_first=False)
        del self.held[request_id]
        metered = 0 if outcome is Outcome.VOIDED else amount
        paid = min(metered, self.available)
        self.posted -= paid
        self.closed[request_id] = HoldClosed(outcome, paid, metered - paid, is_first=True)
        return self.closed[request_id]

    def _correct(self, request_id: str, outcome: Outcome, metered: int) -> None:
        first = self.closed[request_id]
        is_void_of_nothing = outcome is Outcome.VOIDED and first.amount_nanos + first.absorbed_nanos == 0
        if request_id in self.corrected or is_void_of_nothing:
            return
        self.corrected.add(request_id)
        more = max(0, metered - first.amount_nanos - first.absorbed_nanos)
        paid = min(metered, first.amount_nanos) + min(more, self.available)
        self.posted -= paid - first.amount_nanos
        self.closed[request_id] = HoldClosed(first.outcome, paid, metered - paid, is_first=True)


class LedgerMachine(RuleBasedStateMachine):
    """Collects operations into batches, and compares every answer and every balance."""

    new_settings: Callable[[], Settings]

    @initialize()
    def open(self) -> None:
        self.settings = type(self).new_settings()
        self.database = Database(self.settings)
        use_database(self.database)
        self.model = Model(owner_id=asyncio.run(self._an_owner()))
        self.desk = a_desk(self.settings)
        self.batch: list[Operation] = []
        self.expected: list[Answer] = []

    async def _an_owner(self) -> str:
        async with unit_of_work() as session:
            owner_id = await an_owner(session, balance_nanos=BALANCE_NANOS, floor_nanos=FLOOR_NANOS)
        await self.database.dispose()
        return owner_id

    @rule(request_id=REQUESTS, amount=AMOUNTS)
    def place(self, request_id: str, amount: int) -> None:
        self.batch.append(a_hold(self.model.owner_id, amount, request_id=request_id))
        self.expected.append(self.model.place(request_id, amount))

    @rule(request_id=REQUESTS, amount=AMOUNTS)
    def extend(self, request_id: str, amount: int) -> None:
        self.batch.append(ExtendHold(request_id, amount))
        self.expected.append(self.model.extend(request_id, amount))

    @rule(request_id=REQUESTS, amount=AMOUNTS)
    def progress(self, request_id: str, amount: int) -> None:
        self.batch.append(RecordProgress(request_id, amount, b"progress"))
        self.expected.append(self.model.progress(request_id))

    @rule(request_id=REQUESTS, outcome=OUTCOMES, amount=AMOUNTS)
    def close(self, request_id: str, outcome: Outcome, amount: int) -> None:
        self.batch.append(a_close(request_id, amount, outcome=outcome))
        self.expected.append(self.model.close(request_id, outcome, amount))

    @precondition(lambda self: self.batch)
    @rule()
    def commit(self) -> None:
        assert answer(self.desk, self.batch) == self.expected
        self.batch, self.expected = [], []
        [balance] = rows(self.desk, "SELECT posted_nanos, held_nanos FROM ledger_account WHERE kind = 'prepaid'")
        assert balance == (self.model.posted, sum(self.model.held.values()))

    @invariant()
    def the_model_itself_stays_above_the_floor(self) -> None:
        assert not hasattr(self, "model") or self.model.available >= 0

    def teardown(self) -> None:
        if self.batch:
            self.commit()
        self.desk.backend.close()
        report = asyncio.run(self._report())
        use_database(None)
        assert (report.first_wrong_row, report.open_hold_count) == (None, len(self.model.held))

    async def _report(self) -> VerificationReport:
        try:
            return await the_report()
        finally:
            await self.database.dispose()


@pytest.mark.row("A13")
class TestStateMachine:
    def test_the_ledger_does_what_the_model_says(self, sqlite_settings: Settings, tmp_path: Path) -> None:
        numbers = count()

        def new_settings() -> Settings:
            made = sqlite_settings_in(tmp_path / str(next(numbers)))
            made.data_dir.mkdir(parents=True)
            shutil.copyfile(sqlite_settings.database_file, made.database_file)
            return made

        machine = type("FreshLedgerMachine", (LedgerMachine,), {"new_settings": staticmethod(new_settings)})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=25,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
