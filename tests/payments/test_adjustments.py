"""Balances put right by hand: once, for a reason, and above a limit by two people."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.billing.figures import digest_of, read_figures, write_figures
from onetoken_app.billing.invoiceable import invoiceable
from onetoken_app.billing.statement_paper import notices, statement_csv
from onetoken_app.billing.statements import running_month
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.ledger.errors import InsufficientFunds
from onetoken_app.ledger.kinds import TransactionKind
from onetoken_app.ledger.verification import verify
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.payments.adjustment_queries import (
    AdjustmentView,
    adjustment_for_staff,
    decided_adjustments,
    ledger_reference,
    proposed_adjustments,
    words_of_adjustments,
)
from onetoken_app.payments.adjustments import AdjustmentForm, drop_adjustment, make_adjustment, propose_adjustment
from onetoken_app.payments.errors import AdjustmentChanged, AmountRefused, ApproverInvolved, FormReused
from onetoken_app.payments.models import AdjustmentReason, AdjustmentState
from tests.payments.orders import MAIL_ROOM, Cast, a_cast, the_balance

pytestmark = pytest.mark.usefixtures("database")
UNIT = NANOS_PER_UNIT
LIMIT = 100 * UNIT


def a_form(cast: Cast, units: int, *, submission_id: str = "form-0001") -> AdjustmentForm:
    """Fill a form in."""
    return AdjustmentForm(
        organization_id=cast.organization_id,
        currency=Currency.USD,
        amount_nanos=units * UNIT,
        reason=AdjustmentReason.CHARGED_WRONGLY,
        words="Calls of 3 May were\ncharged twice.",
        evidence="Ticket 4711",
        submission_id=submission_id,
    )


async def propose(cast: Cast, form: AdjustmentForm, *, by: str = "") -> str:
    """Propose an adjustment; return its id."""
    async with unit_of_work() as session:
        return await propose_adjustment(session, form=form, proposed_by=by or cast.finance_id, mail_room=MAIL_ROOM)


async def make(cast: Cast, adjustment_id: str, *, by: str = "", expected_revision: int = 1) -> None:
    """Make an adjustment."""
    async with unit_of_work() as session:
        await make_adjustment(
            session,
            adjustment_id=adjustment_id,
            made_by=by or cast.finance_id,
            expected_revision=expected_revision,
            second_person_above_nanos=LIMIT,
            mail_room=MAIL_ROOM,
        )


async def drop(cast: Cast, adjustment_id: str, *, by: str = "") -> None:
    """Drop a proposal."""
    async with unit_of_work() as session:
        await drop_adjustment(
            session, adjustment_id=adjustment_id, dropped_by=by or cast.finance_id, expected_revision=1
        )


async def made(cast: Cast, units: int, *, submission_id: str = "form-0001", by: str = "") -> str:
    """Propose an adjustment and make it."""
    adjustment_id = await propose(cast, a_form(cast, units, submission_id=submission_id))
    await make(cast, adjustment_id, by=by)
    return adjustment_id


async def the_adjustment(adjustment_id: str) -> AdjustmentView:
    """Return an adjustment."""
    async with read_session() as session:
        found = await adjustment_for_staff(session, adjustment_id)
    assert found is not None
    return found


async def posted(cast: Cast) -> Nanos:
    """Return the organization's balance."""
    return (await the_balance(cast)).posted_nanos


class TestPropose:
    async def test_moves_nothing_and_tells_finance(self) -> None:
        cast = await a_cast()
        adjustment_id = await propose(cast, a_form(cast, 60))
        view = await the_adjustment(adjustment_id)
        assert (view.state, view.words, view.revision) == (
            AdjustmentState.PROPOSED, "Calls of 3 May were charged twice.", 1,
        )  # fmt: skip
        assert await posted(cast) == 0
        async with read_session() as session:
            assert [one.id for one in await proposed_adjustments(session)] == [adjustment_id]
            kinds = list(await session.exec(select(OutboxLetter.kind)))
        assert kinds == [LetterKind.ADJUSTMENT_WAITS, LetterKind.ADJUSTMENT_WAITS]

    async def test_once_a_form(self) -> None:
        cast = await a_cast()
        form = a_form(cast, 60)
        assert await propose(cast, form) == await propose(cast, form)
        with pytest.raises(FormReused):
            await propose(cast, replace(form, amount_nanos=61 * UNIT))
        with pytest.raises(FormReused):
            await propose(cast, replace(form, reason=AdjustmentReason.PAYMENT_REVERSED))
        with pytest.raises(FormReused):
            await propose(cast, replace(form, words="Calls of 4 May."))
        with pytest.raises(FormReused):
            await propose(cast, replace(form, evidence="Ticket 4712"))

    @pytest.mark.parametrize(
        ("changes", "refused"),
        [
            pytest.param({"amount_nanos": 0}, AmountRefused, id="nothing"),
            pytest.param({"amount_nanos": 10_000_001 * UNIT}, AmountRefused, id="too much"),
            pytest.param({"words": " "}, BadRequest, id="no words for the organization"),
            pytest.param({"evidence": ""}, BadRequest, id="nothing that shows it"),
            pytest.param({"submission_id": "x"}, BadRequest, id="a form that is incomplete"),
        ],
    )
    async def test_what_cannot_be_used_is_refused(
        self, changes: dict[str, int | str], refused: type[Exception]
    ) -> None:
        cast = await a_cast()
        with pytest.raises(refused):
            await propose(cast, replace(a_form(cast, 60), **changes))  # type: ignore[arg-type] # one of several fields

    async def test_nobody_proposes_for_their_own_organization(self) -> None:
        cast = await a_cast()
        with pytest.raises(ApproverInvolved):
            await propose(cast, a_form(cast, 60), by=cast.payer_id)


class TestMake:
    async def test_changes_the_balance_once_and_tells_why(self) -> None:
        cast = await a_cast()
        adjustment_id = await propose(cast, a_form(cast, 60))
        for _ in range(2):
            await make(cast, adjustment_id)
        assert await posted(cast) == 60 * UNIT
        reference = ledger_reference(adjustment_id)
        async with read_session() as session:
            words = await words_of_adjustments(session, [reference, "top_up:x"])
            actions = list(await session.exec(select(AuditEntry.action).where(AuditEntry.subject_id == adjustment_id)))
            kinds = list(await session.exec(select(OutboxLetter.kind)))
            standing = await invoiceable(session, organization_id=cast.organization_id, currency=Currency.USD)
            assert [one.id for one in await decided_adjustments(session, limit=5)] == [adjustment_id]
            assert await decided_adjustments(session, limit=5, before=adjustment_id) == []
        async with read_session() as session:
            assert (await verify(session)).is_ok
        assert words == {reference: "Calls of 3 May were charged twice."}
        assert actions == ["adjustment_proposed", "adjustment_made"]
        assert kinds.count(LetterKind.ADJUSTMENT_NEWS) == 1
        assert standing.available_nanos == 0

    async def test_takes_no_more_than_there_is(self) -> None:
        cast = await a_cast()
        await made(cast, 60)
        await made(cast, -20, submission_id="form-0002")
        with pytest.raises(InsufficientFunds):
            await made(cast, -41, submission_id="form-0003", by=cast.colleague_id)
        assert await posted(cast) == 40 * UNIT

    async def test_above_the_limit_a_colleague_makes_it(self) -> None:
        cast = await a_cast()
        adjustment_id = await propose(cast, a_form(cast, 101))
        with pytest.raises(ApproverInvolved):
            await make(cast, adjustment_id)
        assert await posted(cast) == 0
        await make(cast, adjustment_id, by=cast.colleague_id)
        assert await posted(cast) == 101 * UNIT

    async def test_small_steps_of_one_person_count_together_for_a_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cast = await a_cast()
        await made(cast, 60)
        second = await propose(cast, a_form(cast, -41, submission_id="form-0002"))
        with pytest.raises(ApproverInvolved):
            await make(cast, second)
        later = clock.utc_now() + timedelta(days=1, seconds=1)
        monkeypatch.setattr(clock, "utc_now", lambda: later)
        await make(cast, second)
        assert await posted(cast) == 19 * UNIT

    async def test_two_at_once_of_one_person_do_not_pass_the_limit(self) -> None:
        cast = await a_cast()
        both = [await propose(cast, a_form(cast, 60, submission_id=f"form-000{number}")) for number in (1, 2)]
        results = await asyncio.gather(*(make(cast, one) for one in both), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["ApproverInvolved", "NoneType"]
        assert await posted(cast) == 60 * UNIT

    async def test_of_two_people_one_decides(self) -> None:
        cast = await a_cast()
        adjustment_id = await propose(cast, a_form(cast, 60))
        results = await asyncio.gather(
            make(cast, adjustment_id), drop(cast, adjustment_id, by=cast.colleague_id), return_exceptions=True
        )
        assert sorted(type(result).__name__ for result in results) == ["AdjustmentChanged", "NoneType"]
        state = (await the_adjustment(adjustment_id)).state
        assert await posted(cast) == (60 * UNIT if state is AdjustmentState.MADE else 0)

    async def test_nobody_makes_one_for_their_own_organization(self) -> None:
        cast = await a_cast()
        adjustment_id = await propose(cast, a_form(cast, 60))
        with pytest.raises(ApproverInvolved):
            await make(cast, adjustment_id, by=cast.payer_id)


class TestStatement:
    async def test_says_of_an_adjustment_why_it_was_made(self) -> None:
        cast = await a_cast()
        await made(cast, 60)
        async with read_session() as session:
            now = clock.utc_now()
            (figures,) = await running_month(session, organization_id=cast.organization_id, now=now)
        assert [(one.kind, one.words) for one in figures.movements] == [
            (TransactionKind.ADJUSTMENT, "Calls of 3 May were charged twice.")
        ]
        assert any("60.000000000: Calls of 3 May" in notice for notice in notices(figures, "en", is_closed=False))
        assert "Adjustment: Calls of 3 May were charged twice." in statement_csv(figures, locale="en").decode()
        assert read_figures(write_figures(figures), sha256=digest_of(write_figures(figures))) == figures


class TestDrop:
    async def test_moves_nothing_and_is_the_end(self) -> None:
        cast = await a_cast()
        adjustment_id = await propose(cast, a_form(cast, 60))
        for _ in range(2):
            await drop(cast, adjustment_id)
        with pytest.raises(AdjustmentChanged):
            await make(cast, adjustment_id, expected_revision=2)
        assert await posted(cast) == 0
