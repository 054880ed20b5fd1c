"""Calls that a package of tokens pays: whatever is charged can be computed again from the call's metadata."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
from msgspec.structs import replace

from onetoken_app import clock
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.client import LedgerClient
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.operations import HoldPlaced, PlaceHold, RecordProgress
from onetoken_app.ledger.queries import LotView, lots_of
from onetoken_app.ledger.verification import verify
from onetoken_app.money import Currency, format_amount
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.settings import Settings
from onetoken_app.token_usage import TokenKind
from onetoken_app.usage.explanation import ExplanationView, explain_call
from onetoken_app.usage.recording import encode_draft
from tests.ledger.desks import a_desk, do
from tests.relay.conftest import RunningRelay, running_relay
from tests.relay.test_priced_calls import ALL_KINDS, USAGE, publish
from tests.relay.test_recover import ENDED_AT, recovered_by, the_closes
from tests.support.builders import an_organization
from tests.support.scripted_upstream import answers, completion, usage_of
from tests.usage.drafts import a_draft

UNIT_NANOS = 700


async def buy_tokens(organization_id: str, count: int, *, scope: str) -> None:
    """Buy tokens of a model, with money of their own."""
    nanos = count * UNIT_NANOS
    async with unit_of_work() as session:
        await ledger.grant_credit(
            session, owner_id=organization_id, currency=Currency.USD, amount_nanos=nanos, reference="grant:tokens"
        )
        await ledger.sell_package(
            session,
            owner_id=organization_id,
            currency=Currency.USD,
            amount_nanos=nanos,
            expires_at=clock.utc_now() + timedelta(days=1),
            reference="package:tokens",
            scopes=[scope],
            token_count=count,
        )


async def the_lots(organization_id: str) -> list[LotView]:
    async with read_session() as session:
        report = await verify(session)
        assert report.first_wrong_row is None
        return await lots_of(session, owner_id=organization_id, currency=Currency.USD, now=clock.utc_now())


async def the_explanation(relay: RunningRelay) -> ExplanationView:
    record = await relay.only_record()
    async with read_session() as session:
        return await explain_call(session, record.request_id)


def recomputed(receipt: dict[str, Any], usual_nanos: int, units_nanos: int) -> int:
    """Compute a charge from a receipt as docs/relay-api.md says."""
    paid = sum(one["tokens"] * UNIT_NANOS for one in receipt["packages"])
    usage = receipt["usage"]
    total = sum(
        count for name, count in usage.items() if name.endswith("_tokens") and name != "reasoning_tokens"
    )  # fmt: skip
    left = total - sum(one["tokens"] for one in receipt["packages"])
    return int(paid + units_nanos + (2 * (usual_nanos - units_nanos) * left + total) // (2 * total))


class TestCalls:
    async def test_tokens_pay_whatever_the_price_has_become(self, relay: RunningRelay) -> None:
        await buy_tokens(relay.organization_id, 100_000, scope=relay.model.id)
        before = (await relay.balance()).posted_nanos
        await publish(relay, ModelRates({TokenKind.INPUT: 10**9, TokenKind.OUTPUT: 10**9}))
        relay.upstream.behave = answers(200, completion(usage=usage_of(30, 11)))
        answer = await relay.post()
        assert (answer.status_code, answer.headers["x-onetoken-charge"]) == (200, format_amount(41 * UNIT_NANOS))
        (lot,) = await the_lots(relay.organization_id)
        assert (lot.posted_nanos, lot.held_nanos) == ((100_000 - 41) * UNIT_NANOS, 0)
        assert (await relay.balance()).posted_nanos == before
        assert (await the_explanation(relay)).differences == ()

    async def test_the_end_of_a_package_splits_a_call_and_the_receipt_says_how(self, relay: RunningRelay) -> None:
        await buy_tokens(relay.organization_id, 60, scope=relay.model.id)
        version = await publish(relay, ALL_KINDS)
        relay.upstream.behave = answers(200, completion(usage=USAGE))
        answer = await relay.post()
        assert answer.status_code == 200
        explained = await the_explanation(relay)
        assert explained.differences == ()
        assert await the_lots(relay.organization_id) == []
        receipt = (await relay.get(answer.headers["x-onetoken-receipt"])).json()
        assert receipt["packages"] == [{"tokens": 60, "price": format_amount(UNIT_NANOS)}]
        assert receipt["price_version"] == version
        tokens_picos = 70 * 3_000_001 + 30 * 9_000_011 + 40 * 2_000_003 + 10 * 5_000_007
        usual, of_tokens = (tokens_picos + 123_456_789 + 500) // 1_000, (tokens_picos + 500) // 1_000
        assert explained.usual_nanos == usual
        assert receipt["charge"] == format_amount(recomputed(receipt, usual, usual - of_tokens))

    async def test_without_money_tokens_alone_admit_a_call(self, relay_settings: Settings) -> None:
        async with running_relay(
            relay_settings, balance_nanos=0, context_window_tokens=1_000, output_tokens_max=10
        ) as relay:
            assert (await relay.post()).status_code == 402
            await buy_tokens(relay.organization_id, 1_010, scope=relay.model.id)
            relay.upstream.behave = answers(200, completion(usage=usage_of(20, 10)))
            statuses = [(await relay.post()).status_code for _ in range(40)]
            assert statuses == sorted(statuses)
            assert set(statuses) == {200, 402}
            left = sum(lot.posted_nanos for lot in await the_lots(relay.organization_id))
            assert left == (1_010 - statuses.count(200) * 30) * UNIT_NANOS > 0

    async def test_calls_at_once_never_take_more_than_there_is(self, relay: RunningRelay) -> None:
        await buy_tokens(relay.organization_id, 1_234, scope=relay.model.id)
        relay.upstream.behave = answers(200, completion(usage=usage_of(50, 14)))
        replies: list[httpx.Response] = await asyncio.gather(*(relay.post() for _ in range(30)))
        assert {reply.status_code for reply in replies} == {200}
        assert sum(lot.posted_nanos for lot in await the_lots(relay.organization_id)) % UNIT_NANOS == 0
        assert (await relay.balance()).held_nanos == 0


class TestRecovery:
    async def test_a_call_whose_process_died_takes_the_tokens_of_its_checkpoint(
        self, database: Database, database_settings: Settings
    ) -> None:
        assert database is not None
        async with unit_of_work() as session:
            organization_id = await an_organization(session, balance_nanos=10**6)
        await buy_tokens(organization_id, 20, scope="mdl_1")
        counts = {"input_tokens": 20, "cache_read_tokens": 10, "output_tokens": 10, "charge_nanos": 80_000}
        draft = a_draft(request_id="req_1", organization_id=organization_id, model_id="mdl_1", **counts)
        desk = a_desk(database_settings)
        hold = PlaceHold("req_1", organization_id, Currency.USD, 200_000, encode_draft(draft), scope="mdl_1")
        assert do(desk, replace(hold, token_count=100)) == HoldPlaced(20 * UNIT_NANOS + 160_000)
        do(desk, RecordProgress("req_1", 80_000, encode_draft(draft)))
        with desk.backend.transaction() as connection:
            connection.write("UPDATE ledger_epoch SET ended_at = ? WHERE id = ?", [(ENDED_AT, desk.epoch_id)])
        desk.backend.close()
        assert await recovered_by(LedgerClient(), database_settings) == 1
        assert await the_lots(organization_id) == []
        assert await the_closes() == {"req_1": (Outcome.RECOVERED, 20 * UNIT_NANOS + 40_000)}
