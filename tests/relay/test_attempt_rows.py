"""Each request that goes upstream for a call leaves a row beside the call's record, in the commit of its close."""

from datetime import timedelta

from sqlmodel import col, select

from onetoken_app import clock
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.money import Currency
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import For
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind, UsageSource
from onetoken_app.usage.models import AttemptOutcome, UsageAttempt
from onetoken_app.usage.recording import encode_draft
from onetoken_app.usage.service import purge_records
from tests.relay.conftest import RunningRelay
from tests.relay.test_priced_calls import publish
from tests.relay.test_recover import dies, recovered_by
from tests.support.builders import PLENTY_NANOS, an_organization
from tests.support.scripted_upstream import Exchange, answers, answers_usually, chunk, completion, streams, usage_of
from tests.usage.books import roll_up_all
from tests.usage.drafts import a_draft

COSTS = ModelRates({TokenKind.INPUT: 500_000, TokenKind.OUTPUT: 700_000})


async def the_attempts() -> list[UsageAttempt]:
    """Return all rows."""
    async with read_session() as session:
        query = select(UsageAttempt).order_by(col(UsageAttempt.request_id), col(UsageAttempt.attempt_number))
        return list(await session.exec(query))


class TestRowsOfAttempts:
    async def test_an_answer_has_its_use_and_its_cost(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(200, completion(usage=usage_of(10, 20, cached=4)))
        version = await publish(relay, COSTS, For(Scope.COST, channel_id=relay.model.channel_id), currency=Currency.CNY)
        before = clock.utc_now()
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        (attempt,) = await the_attempts()
        assert (attempt.request_id, attempt.attempt_number) == (record.request_id, 1)
        assert (attempt.channel_id, attempt.model_id) == (relay.model.channel_id, relay.model.id)
        assert attempt.upstream_model == "mock"
        assert before <= attempt.began_at <= clock.utc_now()
        assert 0 <= attempt.duration_ms <= record.latency_ms
        assert (attempt.outcome, attempt.usage_source) == (AttemptOutcome.ANSWERED, UsageSource.UPSTREAM)
        assert (attempt.input_tokens, attempt.cache_read_tokens, attempt.output_tokens) == (10, 4, 20)
        assert (attempt.cost_nanos, attempt.cost_currency) == (10 * 500 + 20 * 700, Currency.CNY)
        assert (attempt.cost_version_id, attempt.cost_nanos) == (version, record.cost_nanos)

    async def test_failed_ones_stand_before_the_one_that_answered(self, relay: RunningRelay) -> None:
        statuses = [503, 429]

        async def behave(exchange: Exchange) -> None:
            if statuses:
                await exchange.answer(statuses.pop(), {"error": {}})
            else:
                await answers_usually(exchange)

        relay.upstream.behave = behave
        assert (await relay.post()).status_code == 200
        record = await relay.only_record()
        attempts = await the_attempts()
        assert [(one.attempt_number, one.outcome) for one in attempts] == [
            (1, AttemptOutcome.BUSY),
            (2, AttemptOutcome.FAILED),
            (3, AttemptOutcome.ANSWERED),
        ]
        assert record.attempt_count == len(attempts)
        assert [one.output_tokens > 0 for one in attempts] == [False, False, True]
        assert [one.usage_source for one in attempts[:2]] == [UsageSource.NONE] * 2
        assert [one.cost_nanos for one in attempts] == [None] * 3

    async def test_a_call_that_came_to_nothing_has_its_attempt_too(self, relay: RunningRelay) -> None:
        relay.upstream.behave = answers(401, {"error": {}})
        assert (await relay.post()).status_code == 502
        await relay.only_record()
        (attempt,) = await the_attempts()
        assert (attempt.outcome, attempt.usage_source) == (AttemptOutcome.REFUSED, UsageSource.NONE)

    async def test_an_answer_that_breaks_off_was_cut(self, relay: RunningRelay) -> None:
        await publish(relay, COSTS, For(Scope.COST, channel_id=relay.model.channel_id))
        relay.upstream.behave = streams(chunk("hello there"), ends=False, breaks=True)
        await relay.post({"stream": True})
        record = await relay.only_record()
        (attempt,) = await the_attempts()
        assert (attempt.outcome, attempt.usage_source) == (AttemptOutcome.CUT, UsageSource.ESTIMATED)
        assert attempt.cost_nanos == record.cost_nanos is not None

    async def test_a_refused_request_has_none(self, relay: RunningRelay) -> None:
        assert (await relay.post({"model": "unknown"})).status_code == 404
        assert await the_attempts() == []


class TestRowOfRecovered:
    async def test_what_its_progress_knew_is_a_cut_attempt(
        self,
        database_settings: Settings,
        database: Database,  # noqa: ARG002 # opens the database for this process
    ) -> None:
        async with unit_of_work() as session:
            owner_id = await an_organization(session, balance_nanos=PLENTY_NANOS)
        draft = a_draft(
            request_id="req_1", organization_id=owner_id, channel_id="chn_1", attempt_count=2, input_tokens=3,
            cache_read_tokens=4, output_tokens=5, cost_nanos=6, cost_currency=Currency.CNY,
        )  # fmt: skip
        dies(database_settings, owner_id, {"req_1": encode_draft(draft)})
        assert await recovered_by(LedgerClient(), database_settings) == 1
        (attempt,) = await the_attempts()
        assert (attempt.attempt_number, attempt.channel_id, attempt.outcome) == (2, "chn_1", AttemptOutcome.CUT)
        assert (attempt.input_tokens, attempt.cache_read_tokens, attempt.output_tokens) == (7, 4, 5)
        assert (attempt.cost_nanos, attempt.cost_currency) == (6, Currency.CNY)
        assert attempt.usage_source is UsageSource.CHECKPOINT


class TestPurge:
    async def test_attempts_go_with_the_record(self, relay: RunningRelay) -> None:
        assert (await relay.post()).status_code == 200
        await relay.only_record()
        await roll_up_all()
        async with unit_of_work() as session:
            tomorrow = clock.utc_now() + timedelta(days=1)
            assert await purge_records(session, requested_before=tomorrow, count_max=10) == 1
        assert await the_attempts() == []
