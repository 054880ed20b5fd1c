"""A close that comes after its hold was recovered elsewhere brings the charge to the true amount, once."""

import pytest
from sqlmodel import select

from onetoken_app.command.ledger_verify import verify_books
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.ledger import queries
from onetoken_app.ledger.batches import Desk, answer
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import CloseHold, HoldClosed, Statement
from onetoken_app.money import Currency, Nanos
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.recording import insert_statement
from tests.ledger.desks import a_close, a_desk, a_hold, an_owner, do, rows
from tests.usage.drafts import a_draft

REQUEST = "req_1"


def record(owner_id: str, source: UsageSource, *, is_sqlite: bool) -> Statement:
    """Record the call of the test's one request."""
    draft = a_draft(request_id=REQUEST, organization_id=owner_id, usage_source=source)
    return insert_statement(draft, is_sqlite=is_sqlite)


def a_recovery(desk: Desk, owner_id: str, amount_nanos: Nanos) -> CloseHold:
    """Close at a checkpoint, as another process does."""
    extra = [record(owner_id, UsageSource.CHECKPOINT, is_sqlite=desk.backend.connection.is_sqlite)]
    return CloseHold(REQUEST, Outcome.RECOVERED, amount_nanos, UsageSource.CHECKPOINT, extra)


def a_late_close(desk: Desk, owner_id: str, amount_nanos: Nanos, outcome: Outcome = Outcome.SETTLED) -> CloseHold:
    """Close at the true amount."""
    extra = [record(owner_id, UsageSource.UPSTREAM, is_sqlite=desk.backend.connection.is_sqlite)]
    return a_close(REQUEST, amount_nanos, outcome=outcome, extra=extra)


async def the_balance(owner_id: str) -> tuple[Nanos, Nanos]:
    async with read_session() as session:
        balance = await queries.balance_of(session, owner_id=owner_id, currency=Currency.USD)
    return balance.posted_nanos, balance.held_nanos


async def the_record() -> UsageRecord:
    async with read_session() as session:
        return (await session.exec(select(UsageRecord))).one()


class TestCorrection:
    @pytest.mark.parametrize(
        ("recovered", "true", "charged", "absorbed", "corrections"),
        [
            pytest.param(0, 400, 400, 0, 1, id="nothing was proved: all is taken now"),
            pytest.param(100, 400, 400, 0, 1, id="a checkpoint was proved: the rest is taken now"),
            pytest.param(400, 100, 100, 0, 1, id="less was used: the rest is given back"),
            pytest.param(100, 100, 100, 0, 1, id="the checkpoint was right: the record is the true one"),
            pytest.param(100, 1_500, 1_000, 500, 1, id="what no balance covers is absorbed"),
            pytest.param(1_500, 1_200, 1_000, 200, 1, id="what was absorbed is given back first"),
            pytest.param(1_500, 300, 300, 0, 1, id="then what was paid"),
        ],
    )
    async def test_charges_the_true_amount_in_all(
        self, *, desk: Desk, owner_id: str, recovered: int, true: int, charged: int, absorbed: int, corrections: int
    ) -> None:
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_recovery(desk, owner_id, recovered)])
        closed = do(desk, a_late_close(desk, owner_id, true))
        assert closed == HoldClosed(Outcome.RECOVERED, charged, absorbed, is_first=False)
        assert await the_balance(owner_id) == (1_000 - charged, 0)
        kept = await the_record()
        assert (kept.charge_nanos, kept.usage_source) == (charged, UsageSource.UPSTREAM)
        assert rows(desk, "SELECT amount_nanos FROM ledger_audit") == [(charged,)]
        assert rows(desk, "SELECT count(*) FROM ledger_correction") == [(corrections,)]
        assert (await verify_books()).first_wrong_row is None

    async def test_happens_once(self, desk: Desk, owner_id: str) -> None:
        late = a_late_close(desk, owner_id, 400)
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_recovery(desk, owner_id, 100), late, late])
        again = do(desk, a_late_close(desk, owner_id, 450))
        assert again == do(desk, a_recovery(desk, owner_id, 0)) == HoldClosed(Outcome.RECOVERED, 400, 0, is_first=False)
        assert await the_balance(owner_id) == (600, 0)
        assert (await the_record()).charge_nanos == 400
        assert (await verify_books()).first_wrong_row is None

    async def test_leaves_the_close_as_it_was(self, desk: Desk, owner_id: str) -> None:
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_recovery(desk, owner_id, 100)])
        before = rows(desk, "SELECT * FROM ledger_hold_close")
        do(desk, a_late_close(desk, owner_id, 400))
        assert rows(desk, "SELECT * FROM ledger_hold_close") == before
        report = await verify_books()
        assert (report.settled, report.recovered) == (0, 1)

    async def test_takes_nothing_that_others_hold(self, desk: Desk, owner_id: str) -> None:
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_recovery(desk, owner_id, 0), a_hold(owner_id, 900)])
        assert do(desk, a_late_close(desk, owner_id, 400)) == HoldClosed(Outcome.RECOVERED, 100, 300, is_first=False)
        assert await the_balance(owner_id) == (900, 900)
        assert (await verify_books()).first_wrong_row is None

    async def test_a_late_void_gives_everything_back(self, desk: Desk, owner_id: str) -> None:
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_recovery(desk, owner_id, 100)])
        closed = do(desk, a_late_close(desk, owner_id, 0, Outcome.VOIDED))
        assert closed == HoldClosed(Outcome.RECOVERED, 0, 0, is_first=False)
        assert await the_balance(owner_id) == (1_000, 0)
        assert (await verify_books()).first_wrong_row is None

    async def test_a_late_void_of_nothing_changes_nothing(self, desk: Desk, owner_id: str) -> None:
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_recovery(desk, owner_id, 0)])
        do(desk, a_close(REQUEST, 0, outcome=Outcome.VOIDED))
        assert rows(desk, "SELECT count(*) FROM ledger_correction") == [(0,)]
        assert (await verify_books()).first_wrong_row is None

    async def test_a_settled_close_is_never_corrected(self, desk: Desk, owner_id: str) -> None:
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_late_close(desk, owner_id, 100)])
        assert do(desk, a_late_close(desk, owner_id, 400)) == HoldClosed(Outcome.SETTLED, 100, 0, is_first=False)
        assert (await the_record()).charge_nanos == 100

    async def test_a_charge_that_cannot_be_is_refused(self, desk: Desk, owner_id: str) -> None:
        answer(desk, [a_hold(owner_id, 500, request_id=REQUEST), a_recovery(desk, owner_id, 100)])
        do(desk, a_close(REQUEST, -1))
        assert await the_balance(owner_id) == (900, 0)


class TestTwoDesks:
    async def test_whoever_was_taken_for_dead_corrects_under_a_new_epoch(
        self, postgresql_settings: Settings, postgresql_database: Database
    ) -> None:
        assert not postgresql_database.is_sqlite
        async with unit_of_work() as session:
            owner_id = await an_owner(session, balance_nanos=1_000)
        first, heir = a_desk(postgresql_settings), a_desk(postgresql_settings)
        do(first, a_hold(owner_id, 500, request_id=REQUEST))
        do(heir, a_recovery(heir, owner_id, 100))
        first.backend.close()
        back = a_desk(postgresql_settings)
        assert do(back, a_late_close(back, owner_id, 400)) == HoldClosed(Outcome.RECOVERED, 400, 0, is_first=False)
        assert do(heir, a_late_close(heir, owner_id, 400)) == HoldClosed(Outcome.RECOVERED, 400, 0, is_first=False)
        back.backend.close()
        heir.backend.close()
        assert (await verify_books()).first_wrong_row is None
