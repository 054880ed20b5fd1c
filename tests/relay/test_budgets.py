"""Budgets through the relay: a call counts in its organization's own day and month, and none ever exceeds a limit."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import openai
import pytest

from onetoken_app.credit.budgets import remove_budget, set_budget
from onetoken_app.credit.queries import SpendingView, spending_of
from onetoken_app.credit.subjects import BudgetSubject, SubjectKind, Window
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.keys.projects import create_project
from onetoken_app.keys.service import move_key
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.queries import lots_of
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Currency, Nanos, format_amount
from onetoken_app.organizations.models import Organization
from onetoken_app.relay.admission import OVERHEAD_TOKENS
from onetoken_app.settings import Settings
from tests.relay.conftest import MESSAGES, RunningRelay, running_relay, until
from tests.relay.test_pay_for_delivered import talks_on
from tests.support.builders import a_key
from tests.support.scripted_upstream import USUAL_CHARGE_NANOS, Exchange, answers_usually

BODY = json.dumps({"model": "mock", "messages": MESSAGES, "max_tokens": 1_000}).encode()
HOLD_NANOS = (len(BODY) + OVERHEAD_TOKENS) * 1_000 + 1_000 * 2_000
WHO = "per_test"


def of_organization(relay: RunningRelay, window: Window = Window.DAY) -> BudgetSubject:
    return BudgetSubject(SubjectKind.ORGANIZATION, relay.organization_id, window)


async def limit(relay: RunningRelay, subject: BudgetSubject, limit_nanos: Nanos) -> str:
    """Set a budget, and have the relay read what there is."""
    async with unit_of_work() as session:
        budget_id = await set_budget(
            session, organization_id=relay.organization_id, subject=subject, limit_nanos=limit_nanos, set_by=WHO
        )
    await relay.runtime.policy._refresh()
    return budget_id


async def move_to(relay: RunningRelay, time_zone: str) -> None:
    async with unit_of_work() as session:
        organization = await session.get(Organization, relay.organization_id)
        assert organization is not None
        organization.time_zone = time_zone
        session.add(organization)
    await relay.runtime.policy._refresh()


async def the_key(relay: RunningRelay) -> str:
    record = await relay.only_record()
    return record.api_key_id


async def spending(relay: RunningRelay, at: datetime, *, is_idle: bool = True) -> dict[Window, SpendingView]:
    """Return what the organization's own budgets have seen at a moment, once every call is closed."""
    if is_idle:
        await relay.until_idle()
    async with read_session() as session:
        views = await spending_of(session, relay.organization_id, now=at)
    return {view.subject.window: view for view in views if view.subject.kind is SubjectKind.ORGANIZATION}


async def refusal(relay: RunningRelay, **headers: str) -> dict[str, Any]:
    """Make a call that a budget does not allow; return its error."""
    sent_count = len(relay.upstream.exchanges)
    answer = await relay.post(BODY, **headers)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (402, "false")
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == "budget_reached"
    assert len(relay.upstream.exchanges) == sent_count
    return error


def at(monkeypatch: pytest.MonkeyPatch, moment: str) -> datetime:
    """Let calls arrive at a moment of UTC, such as ``2027-03-28 21:59:59``."""
    arrived_at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    monkeypatch.setattr("onetoken_app.relay.pipeline.utc_now", lambda: arrived_at)
    return arrived_at


class TestRefusal:
    async def test_it_names_the_budget_and_when_it_begins_anew_and_what_to_do(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at(monkeypatch, "2027-02-03 16:30:00")
        budget_id = await limit(relay, of_organization(relay), HOLD_NANOS - 1)
        error = await refusal(relay)
        assert error["metadata"] == {
            "budget": budget_id,
            "budget_of": "organization",
            "budget_of_id": relay.organization_id,
            "window": "day",
            "renews_at": "2027-02-05T00:00:00+08:00",
            "required": format_amount(HOLD_NANOS),
            "left": format_amount(HOLD_NANOS - 1),
            "limit": format_amount(HOLD_NANOS - 1),
            "currency": "USD",
            "affordable_output_tokens": 999,
        }
        for said in ("The daily budget of the organization", "2027-02-05 00:00 (Asia/Shanghai)", "max_tokens"):
            assert said in error["message"]
        assert (await relay.balance()).held_nanos == 0
        assert await relay.records() == []

    async def test_each_kind_is_told_apart(self, relay: RunningRelay) -> None:
        assert (await relay.post(BODY)).status_code == 200
        record = await relay.only_record()
        kinds = {
            SubjectKind.ORGANIZATION: (relay.organization_id, "the organization"),
            SubjectKind.PROJECT: (record.project_id, "the project of this key"),
            SubjectKind.API_KEY: (record.api_key_id, "the key"),
        }
        for kind, (subject_id, name) in kinds.items():
            for window, how_often in ((Window.DAY, "daily"), (Window.MONTH, "monthly")):
                budget_id = await limit(relay, BudgetSubject(kind, subject_id, window), 1)
                error = await refusal(relay)
                assert error["message"].startswith(f"The {how_often} budget of {name} does not allow")
                assert error["metadata"]["budget"] == budget_id
                async with unit_of_work() as session:
                    await remove_budget(
                        session, organization_id=relay.organization_id, budget_id=budget_id, removed_by=WHO
                    )
        await relay.runtime.policy._refresh()
        assert (await relay.post(BODY)).status_code == 200

    async def test_a_stream_that_grows_too_long_ends_with_it(self, relay: RunningRelay) -> None:
        await limit(relay, of_organization(relay), 8_000_000)
        relay.upstream.behave = talks_on
        async with relay.client() as client:
            stream = await client.chat.completions.create(model="mock", messages=MESSAGES, stream=True, max_tokens=1)
            with pytest.raises(openai.APIError) as caught:
                _ = [part async for part in stream]
        assert caught.value.code == "budget_reached"
        assert "The daily budget of the organization is used up. You are charged" in str(caught.value.message)
        record = await relay.only_record()
        assert record.error_code == "budget_reached"
        assert 0 < record.charge_nanos <= 8_000_000


class TestSubjects:
    async def test_another_key_and_another_project_are_not_limited(self, relay: RunningRelay) -> None:
        async with unit_of_work() as session:
            other = await a_key(session, relay.settings, organization_id=relay.organization_id, name="other")
            project_id = await create_project(session, organization_id=relay.organization_id, name="Research")
        assert (await relay.post(BODY)).status_code == 200
        key_id = await the_key(relay)
        await limit(relay, BudgetSubject(SubjectKind.API_KEY, key_id, Window.DAY), 1)
        await limit(relay, BudgetSubject(SubjectKind.PROJECT, project_id, Window.DAY), 2)
        assert (await refusal(relay))["metadata"]["budget_of_id"] == key_id
        assert (await relay.post(BODY, authorization=f"Bearer {other.secret}")).status_code == 200
        async with unit_of_work() as session:
            await move_key(
                session, organization_id=relay.organization_id, api_key_id=other.id, project_id=project_id
            )  # fmt: skip
        await relay.runtime.policy._refresh()
        assert (await refusal(relay, authorization=f"Bearer {other.secret}"))["metadata"]["budget_of_id"] == project_id


class TestLimits:
    async def test_a_changed_limit_counts_for_the_very_next_call(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await limit(relay, of_organization(relay), HOLD_NANOS - 1)
        await refusal(relay)

        async def reads_nothing() -> None:
            """Leave the relay with the policy that it has."""

        monkeypatch.setattr(relay.runtime.policy, "_refresh", reads_nothing)
        await limit(relay, of_organization(relay), HOLD_NANOS)
        assert (await relay.post(BODY)).status_code == 200
        await limit(relay, of_organization(relay), HOLD_NANOS - 1)
        await refusal(relay)

    async def test_a_budget_for_37_calls_admits_exactly_37_of_200(self, relay_settings_on_each: Settings) -> None:
        all_decided = asyncio.Event()

        async def answers_late(exchange: Exchange) -> None:
            await all_decided.wait()
            await answers_usually(exchange)

        async with running_relay(relay_settings_on_each) as relay:
            await limit(relay, of_organization(relay, Window.MONTH), 37 * HOLD_NANOS + HOLD_NANOS // 2)
            relay.upstream.behave = answers_late
            calls = [asyncio.ensure_future(relay.post(BODY)) for _ in range(200)]
            await until(lambda: sum(call.done() for call in calls) == 163, seconds=60)
            all_decided.set()
            answers = [await call for call in calls]
            refused = [answer.json()["error"]["code"] for answer in answers if answer.status_code != 200]
            assert refused == ["budget_reached"] * 163
            records = await relay.records()
            seen = (await spending(relay, max(record.requested_at for record in records)))[Window.MONTH]
            assert (seen.spent_nanos, seen.held_nanos) == (37 * USUAL_CHARGE_NANOS, 0)
            async with read_session() as session:
                assert (await verify(session)).is_ok


class TestPeriods:
    async def test_a_day_of_23_hours_is_a_day(self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch) -> None:
        await move_to(relay, "Europe/Berlin")
        await limit(relay, of_organization(relay), HOLD_NANOS)
        moments = [
            "2027-03-27 22:59:59",  # 23:59:59 of the day before
            "2027-03-27 23:00:00",  # midnight; clocks jump at 02:00
            "2027-03-28 22:00:00",  # midnight again, 23 hours later
        ]
        for moment in moments:
            at(monkeypatch, moment)
            assert (await relay.post(BODY)).status_code == 200
            await relay.until_idle()
            assert (await refusal(relay))["metadata"]["left"] == format_amount(HOLD_NANOS - USUAL_CHARGE_NANOS)
        at(monkeypatch, "2027-03-28 21:59:59")
        assert (await refusal(relay))["metadata"]["renews_at"] == "2027-03-29T00:00:00+02:00"

    async def test_a_month_begins_at_midnight_of_the_organization(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await limit(relay, of_organization(relay, Window.MONTH), HOLD_NANOS)
        before = at(monkeypatch, "2027-01-31 15:59:59")
        assert (await relay.post(BODY)).status_code == 200
        await relay.until_idle()
        error = await refusal(relay)
        assert error["metadata"]["renews_at"] == "2027-02-01T00:00:00+08:00"
        after = at(monkeypatch, "2027-01-31 16:00:00")
        assert (await relay.post(BODY)).status_code == 200
        for moment in (before, after):
            assert (await spending(relay, moment))[Window.MONTH].spent_nanos == USUAL_CHARGE_NANOS

    async def test_a_call_counts_where_it_arrived_however_late_it_ends(
        self, relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await limit(relay, of_organization(relay), HOLD_NANOS)
        goes_on = asyncio.Event()

        async def answers_late(exchange: Exchange) -> None:
            await goes_on.wait()
            await answers_usually(exchange)

        relay.upstream.behave = answers_late
        before = at(monkeypatch, "2027-02-03 15:59:59")
        first = asyncio.ensure_future(relay.post(BODY))
        await relay.upstream.arrived.wait()
        after = at(monkeypatch, "2027-02-03 16:00:00")
        assert (await spending(relay, after, is_idle=False))[Window.DAY].left_nanos == HOLD_NANOS
        assert (await spending(relay, before, is_idle=False))[Window.DAY].left_nanos == 0
        goes_on.set()
        assert (await first).status_code == 200
        assert (await spending(relay, before))[Window.DAY].spent_nanos == USUAL_CHARGE_NANOS
        assert (await spending(relay, after))[Window.DAY].spent_nanos == 0


class TestScopes:
    @pytest.mark.parametrize(
        ("is_for_this_model", "left_nanos"),
        [
            pytest.param(True, 10_000_000 - USUAL_CHARGE_NANOS, id="a package for the model pays first"),
            pytest.param(False, 10_000_000, id="a package for another model pays nothing"),
        ],
    )
    async def test_packages(self, relay: RunningRelay, *, is_for_this_model: bool, left_nanos: Nanos) -> None:
        async with unit_of_work() as session:
            await ledger.sell_package(
                session,
                owner_id=relay.organization_id,
                currency=Currency.USD,
                amount_nanos=10_000_000,
                expires_at=None,
                reference="package:1",
                scopes=[relay.model.id if is_for_this_model else new_id(Kind.MODEL)],
            )
        assert (await relay.post(BODY)).status_code == 200
        record = await relay.only_record()
        async with read_session() as session:
            (lot,) = await lots_of(
                session, owner_id=relay.organization_id, currency=Currency.USD, now=record.requested_at
            )
        assert lot.posted_nanos == left_nanos
