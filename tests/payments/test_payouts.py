"""A refund is paid out once and ends in one state, wherever this service dies on the way. On both databases."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from onetoken_app import clock
from onetoken_app.database import Database, unit_of_work
from onetoken_app.jobs.send_refunds import refunds_sent, send_refunds
from onetoken_app.payments import refund_desk, refunds
from onetoken_app.payments.models import NewsKind, NewsOutcome, PaymentProvider, RefundFailure, RefundStage
from onetoken_app.payments.payouts import ASK_AFTER
from onetoken_app.payments.providers.protocol import PaymentNews, ProviderOff, ProviderSilent
from onetoken_app.payments.refund_desk import send_next_refund
from onetoken_app.payments.settling import settle
from onetoken_app.settings import Settings
from tests.payments.orders import AMOUNT, MAIL_ROOM, Cast
from tests.payments.refunds import LIMIT, RefundingStripe, a_paid_order, approve, ask, moved, stage_of, the_refund
from tests.payments.scripted_provider import Answer, ScriptedProvider, scripted_provider
from tests.payments.stripe_events import with_stripe


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def stripe() -> RefundingStripe:
    """The provider's side."""
    return RefundingStripe()


@pytest.fixture
def provider(stripe: RefundingStripe) -> Iterator[ScriptedProvider]:
    """Where it is."""
    with scripted_provider(stripe.script) as running:
        yield running


@pytest.fixture
def settings_on(database: Database, database_settings: Settings, provider: ScriptedProvider) -> Settings:
    """An installation that takes payments by it, on each database."""
    assert database.is_sqlite is database_settings.is_sqlite
    return with_stripe(database_settings, base_url=provider.url)


async def a_held_refund() -> tuple[Cast, str]:
    """Approve a refund."""
    cast, order_id = await a_paid_order()
    refund_id = await ask(cast, order_id)
    assert await approve(cast, refund_id)
    return cast, refund_id


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta = ASK_AFTER) -> None:
    """Let time pass, so that what was taken is due again."""
    moment = clock.utc_now() + by + timedelta(seconds=1)
    monkeypatch.setattr(clock, "utc_now", lambda: moment)


async def said(refund_id: str, kind: NewsKind, *, number: int = 1, amount_nanos: int = LIMIT) -> NewsOutcome:
    """Let the provider say something about a refund by itself."""
    order_id = (await the_refund(refund_id)).order_id
    news = PaymentNews(
        kind, f"evt_{kind}_{number}", order_id, f"pi_{order_id}", "USD", amount_nanos, refund_id=refund_id
    )
    async with unit_of_work() as session:
        return await settle(session, provider=PaymentProvider.STRIPE, news=news, mail_room=MAIL_ROOM)


class TestSend:
    async def test_pays_out_once_however_often_it_runs(self, settings_on: Settings, stripe: RefundingStripe) -> None:
        cast, refund_id = await a_held_refund()
        await asyncio.gather(*[send_next_refund(settings_on) for _ in range(4)])
        assert not await send_next_refund(settings_on)
        assert await stage_of(refund_id) is RefundStage.CONFIRMED
        assert list(stripe.paid_out) == [f"refund:{refund_id}"]
        assert await moved(cast) == (1, 0, AMOUNT - LIMIT)

    @pytest.mark.parametrize("where", ["client_for", "note_answer"])
    @pytest.mark.parametrize("status", ["succeeded", "failed"])
    async def test_a_kill_before_telling_or_before_recording_pays_out_once(
        self, settings_on: Settings, stripe: RefundingStripe, monkeypatch: pytest.MonkeyPatch, where: str, status: str
    ) -> None:
        stripe.status = status
        cast, refund_id = await a_held_refund()

        async def dies(*_args: object, **_kwargs: object) -> None:
            raise Killed

        with monkeypatch.context() as here:
            here.setattr(refund_desk, where, dies)
            with pytest.raises(Killed):
                await send_next_refund(settings_on)
        assert await stage_of(refund_id) is RefundStage.SENT
        assert len(stripe.paid_out) == (where == "note_answer")
        assert not await send_next_refund(settings_on)  # whoever has it may still be alive
        later(monkeypatch)
        assert await send_next_refund(settings_on)
        assert len(stripe.paid_out) == 1
        ended = {"succeeded": (1, 0, AMOUNT - LIMIT), "failed": (1, 1, AMOUNT)}
        assert await moved(cast) == ended[status]
        assert (await stage_of(refund_id) is RefundStage.CONFIRMED) is (status == "succeeded")

    async def test_a_kill_within_the_approval_leaves_it_as_it_was(
        self, settings_on: Settings, stripe: RefundingStripe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_paid_order()
        refund_id = await ask(cast, order_id)

        async def dies(*_args: object, **_kwargs: object) -> None:
            raise Killed

        with monkeypatch.context() as here:
            here.setattr(refunds, "tell_organization", dies)  # after the ledger took the money
            with pytest.raises(Killed):
                await approve(cast, refund_id)
        assert (await the_refund(refund_id)).approved_by == ()
        assert await moved(cast) == (0, 0, AMOUNT)
        assert not await send_next_refund(settings_on)
        assert await approve(cast, refund_id)
        assert await send_next_refund(settings_on)
        assert (len(stripe.paid_out), await moved(cast)) == (1, (1, 0, AMOUNT - LIMIT))

    async def test_an_answer_that_was_lost_is_asked_for(
        self,
        settings_on: Settings,
        stripe: RefundingStripe,
        provider: ScriptedProvider,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        cast, refund_id = await a_held_refund()

        def loses(asked: object) -> Answer:
            stripe.script(asked)  # type: ignore[arg-type] # it is one
            return Answer(b"", 500)

        provider.script = loses
        with pytest.raises(ProviderSilent):
            await send_next_refund(settings_on)
        provider.script = stripe.script
        later(monkeypatch)
        told = sum(asked.method == "POST" for asked in provider.asked)
        assert await send_next_refund(settings_on)
        assert sum(asked.method == "POST" for asked in provider.asked) == told == len(stripe.paid_out) == 1
        assert await stage_of(refund_id) is RefundStage.CONFIRMED
        assert await moved(cast) == (1, 0, AMOUNT - LIMIT)

    async def test_what_the_provider_will_not_do_comes_back_once(
        self, settings_on: Settings, stripe: RefundingStripe, provider: ScriptedProvider
    ) -> None:
        cast, refund_id = await a_held_refund()
        provider.script = stripe.refuses
        assert await send_next_refund(settings_on)
        assert (await the_refund(refund_id)).failure is RefundFailure.PROVIDER_REFUSED
        assert not await send_next_refund(settings_on)
        assert await moved(cast) == (1, 1, AMOUNT)

    async def test_a_refusal_of_what_was_done_after_all_is_no_failure(
        self, settings_on: Settings, stripe: RefundingStripe, provider: ScriptedProvider
    ) -> None:
        cast, refund_id = await a_held_refund()

        def does_and_refuses(asked: object) -> Answer:
            answer = stripe.script(asked)  # type: ignore[arg-type] # it is one
            is_telling = getattr(asked, "method", "") == "POST"
            return Answer(b'{"error": {"type": "invalid_request_error"}}', 400) if is_telling else answer

        provider.script = does_and_refuses
        assert await send_next_refund(settings_on)
        assert await stage_of(refund_id) is RefundStage.CONFIRMED
        assert await moved(cast) == (1, 0, AMOUNT - LIMIT)

    async def test_a_provider_that_is_switched_off_keeps_it_until_it_is_on(
        self, settings_on: Settings, stripe: RefundingStripe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _cast, refund_id = await a_held_refund()
        with pytest.raises(ProviderOff):
            await send_next_refund(settings_on.model_copy(update={"stripe_secret_key": None}))
        later(monkeypatch)
        assert await send_next_refund(settings_on)
        assert (await stage_of(refund_id), len(stripe.paid_out)) == (RefundStage.CONFIRMED, 1)


class TestNews:
    async def test_a_pending_refund_ends_with_what_the_provider_says_once(
        self, settings_on: Settings, stripe: RefundingStripe
    ) -> None:
        stripe.status = "pending"
        cast, refund_id = await a_held_refund()
        await send_next_refund(settings_on)
        assert await stage_of(refund_id) is RefundStage.SENT
        for _ in range(3):
            assert await said(refund_id, NewsKind.REFUND_FAILED) is NewsOutcome.REFUND_NOTED
        assert await said(refund_id, NewsKind.REFUND_FAILED, number=2) is NewsOutcome.REFUND_NOTED
        assert await stage_of(refund_id) is RefundStage.FAILED
        assert await moved(cast) == (1, 1, AMOUNT)
        # Money that is said to have gone out after all needs a person: the balance has it again.
        assert await said(refund_id, NewsKind.REFUNDED) is NewsOutcome.NOTED
        assert await moved(cast) == (1, 1, AMOUNT)

    async def test_one_that_came_back_after_it_was_confirmed_is_returned(
        self, settings_on: Settings, stripe: RefundingStripe
    ) -> None:
        cast, refund_id = await a_held_refund()
        await send_next_refund(settings_on)
        assert await said(refund_id, NewsKind.REFUNDED) is NewsOutcome.REFUND_NOTED
        assert await moved(cast) == (1, 0, AMOUNT - LIMIT)
        assert await said(refund_id, NewsKind.REFUND_FAILED) is NewsOutcome.REFUND_NOTED
        assert await stage_of(refund_id) is RefundStage.FAILED
        assert await moved(cast) == (1, 1, AMOUNT)
        assert len(stripe.paid_out) == 1

    async def test_another_amount_has_the_provider_asked(self, settings_on: Settings, stripe: RefundingStripe) -> None:
        stripe.status = "pending"
        _cast, refund_id = await a_held_refund()
        await send_next_refund(settings_on)
        assert await said(refund_id, NewsKind.REFUNDED, amount_nanos=AMOUNT) is NewsOutcome.REFUND_NOTED
        assert await stage_of(refund_id) is RefundStage.SENT
        stripe.paid_out[f"refund:{refund_id}"]["status"] = "succeeded"
        assert await send_next_refund(settings_on)
        assert await stage_of(refund_id) is RefundStage.CONFIRMED

    async def test_about_nobodys_refund_is_kept_for_a_person(self, settings_on: Settings) -> None:
        del settings_on
        cast, order_id = await a_paid_order()
        news = PaymentNews(NewsKind.REFUNDED, "evt_x", order_id, f"pi_{order_id}", "USD", AMOUNT, refund_id="rfd_none")
        async with unit_of_work() as session:
            outcome = await settle(session, provider=PaymentProvider.STRIPE, news=news, mail_room=MAIL_ROOM)
        assert outcome is NewsOutcome.NOTED
        assert await moved(cast) == (0, 0, AMOUNT)


class TestJob:
    async def test_takes_what_is_due_to_its_provider(self, settings_on: Settings, stripe: RefundingStripe) -> None:
        held = [(await a_held_refund())[1] for _ in range(2)]
        async with refunds_sent(settings_on, poll_seconds=0.01), asyncio.timeout(20):
            while [await stage_of(one) for one in held] != [RefundStage.CONFIRMED] * 2:  # noqa: ASYNC110 # rows are watched
                await asyncio.sleep(0.01)
        assert len(stripe.paid_out) == 2

    async def test_one_that_cannot_be_taken_does_not_keep_the_others(
        self, settings_on: Settings, provider: ScriptedProvider
    ) -> None:
        for _ in range(3):
            await a_held_refund()
        provider.script = lambda _asked: Answer(b"", 500)
        await send_refunds(settings_on, asyncio.Event())
        assert len(provider.asked) == 3
        await send_refunds(settings_on, asyncio.Event())
        assert len(provider.asked) == 3  # each is due again later
