"""A16: whatever is replayed, reordered or forged, and whatever is wrong about it, an order is credited exactly once.

Through the address that providers post to, on both databases. What each provider signs stands in its own file.
"""

import asyncio
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlmodel import select

from onetoken_app import clock
from onetoken_app.audit.models import AuditEntry
from onetoken_app.console.payment_notifications import BODY_BYTES_MAX, PaymentNotifications
from onetoken_app.database import Database, read_session, unit_of_work
from onetoken_app.errors import Conflict
from onetoken_app.ledger.models import Account, AccountKind
from onetoken_app.notifications.models import LetterKind, OutboxLetter
from onetoken_app.payments.models import (
    ExternalPayment,
    NewsKind,
    NewsOutcome,
    OrderState,
    PaymentNotification,
    PaymentProvider,
)
from onetoken_app.settings import Settings
from tests.console.asgi_calls import Answered, post
from tests.payments.orders import AMOUNT, Cast, a_cast, cancel, place, the_balance, the_order
from tests.payments.stripe_events import (
    WEBHOOK_SECRET,
    checked,
    event_of,
    intent_of,
    session_of,
    signed,
    with_stripe,
)
from tests.payments.test_approve_transfer import top_up_count

Headers = tuple[tuple[bytes, bytes], ...]
STRIPE = "/payments/notifications/stripe"


@pytest.fixture
def settings_on(database: Database, database_settings: Settings) -> Settings:
    """Settings of an installation that takes payments by Stripe, its database in use."""
    assert database.is_sqlite is database_settings.is_sqlite
    return with_stripe(database_settings)


@pytest.fixture
def desk(settings_on: Settings) -> PaymentNotifications:
    """The addresses that providers post to."""
    return PaymentNotifications(settings_on)


@pytest.fixture
def sqlite_on(sqlite_database: Database, sqlite_settings: Settings) -> Settings:
    """The same on the embedded database."""
    assert sqlite_database.is_sqlite
    return with_stripe(sqlite_settings)


@pytest.fixture
def sqlite_desk(sqlite_on: Settings) -> PaymentNotifications:
    """Its addresses."""
    return PaymentNotifications(sqlite_on)


async def a_stripe_order(cast: Cast | None = None, **what: object) -> tuple[Cast, str]:
    """Make an order to be paid by Stripe."""
    cast = cast or await a_cast()
    return cast, await place(cast, provider=PaymentProvider.STRIPE, **what)  # type: ignore[arg-type] # as place takes it


async def tell(
    desk: PaymentNotifications,
    body: bytes,
    *,
    headers: tuple[tuple[bytes, bytes], ...] | None = None,
    path: str = STRIPE,
) -> Answered:
    """Post a notification as the provider does."""
    return await post(desk, path, body, origin="", headers=signed(body) if headers is None else headers)


async def outcomes() -> list[tuple[NewsKind, NewsOutcome]]:
    """Return what was kept of notifications, first to last."""
    async with read_session() as session:
        rows = await session.exec(select(PaymentNotification).order_by(sa.text("received_at, notification_id")))
        return [(row.kind, row.outcome) for row in rows]


@pytest.mark.row("A16")
class TestGenuine:
    async def test_credits_the_order_and_says_so(self, desk: PaymentNotifications) -> None:
        cast, order_id = await a_stripe_order()
        body = event_of("checkout.session.completed", session_of(await the_order(order_id)))
        assert (await tell(desk, body)).status == 200
        assert (await the_order(order_id)).state is OrderState.CREDITED
        assert (await the_balance(cast)).available_nanos == AMOUNT
        async with read_session() as session:
            kinds = list(await session.exec(select(OutboxLetter.kind)))
            (payment,) = list(await session.exec(select(ExternalPayment)))
            actions = list(await session.exec(select(AuditEntry.action)))
            query = select(Account.posted_nanos).where(
                Account.kind == AccountKind.CLEARING, Account.lot_id == PaymentProvider.STRIPE.value
            )
            assert list(await session.exec(query)) == [-AMOUNT]
        assert kinds == [LetterKind.PAYMENT_NEWS]
        assert (payment.external_payment_id, payment.order_id) == (f"pi_{order_id}", order_id)
        assert actions.count("payment_credited") == 1

    async def test_a16_a_hundred_replays_credit_once(self, desk: PaymentNotifications) -> None:
        cast, order_id = await a_stripe_order()
        body = event_of("checkout.session.completed", session_of(await the_order(order_id)))
        answers = [await tell(desk, body) for _ in range(100)]
        assert {answer.status for answer in answers} == {200}
        assert await top_up_count() == 1
        assert (await the_balance(cast)).posted_nanos == AMOUNT
        assert await outcomes() == [(NewsKind.PAID, NewsOutcome.CREDITED)]

    async def test_a16_twenty_at_once_credit_once(self, desk: PaymentNotifications) -> None:
        cast, order_id = await a_stripe_order()
        order = await the_order(order_id)
        # The same event ten times, and ten different events about the same payment.
        same = event_of("checkout.session.completed", session_of(order))
        bodies = [*[same] * 10, *[event_of("payment_intent.succeeded", intent_of(order)) for _ in range(10)]]
        answers = await asyncio.gather(*[tell(desk, body) for body in bodies])
        assert {answer.status for answer in answers} == {200}
        assert await top_up_count() == 1
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_a16_in_any_order_credits_once(self, desk: PaymentNotifications) -> None:
        cast, order_id = await a_stripe_order()
        order = await the_order(order_id)
        expired = session_of(order, status="expired", payment_status="unpaid", payment_intent=None)
        for body in (
            event_of("payment_intent.succeeded", intent_of(order)),
            event_of("checkout.session.expired", expired),
            event_of("checkout.session.completed", session_of(order)),
            event_of("checkout.session.async_payment_succeeded", session_of(order)),
        ):
            assert (await tell(desk, body)).status == 200
        assert await top_up_count() == 1
        assert (await the_order(order_id)).state is OrderState.CREDITED
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_unpaid_as_yet_credits_nothing(self, desk: PaymentNotifications) -> None:
        _cast, order_id = await a_stripe_order()
        session = session_of(await the_order(order_id), payment_status="unpaid")
        assert (await tell(desk, event_of("checkout.session.completed", session))).status == 200
        assert await top_up_count() == 0

    async def test_after_the_orders_end_it_is_money_all_the_same(
        self, desk: PaymentNotifications, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cast, order_id = await a_stripe_order()
        order = await the_order(order_id)
        monkeypatch.setattr(clock, "utc_now", lambda: order.expires_at + timedelta(days=3))
        assert (await tell(desk, event_of("payment_intent.succeeded", intent_of(order)))).status == 200
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_for_an_order_that_was_called_off_it_is_money_all_the_same(self, desk: PaymentNotifications) -> None:
        cast, order_id = await a_stripe_order()
        await cancel(cast, order_id)
        body = event_of("payment_intent.succeeded", intent_of(await the_order(order_id)))
        assert (await tell(desk, body)).status == 200
        assert (await the_order(order_id)).state is OrderState.CREDITED
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_a_second_payment_of_one_order_is_kept_for_finance(self, desk: PaymentNotifications) -> None:
        cast, order_id = await a_stripe_order()
        order = await the_order(order_id)
        await tell(desk, event_of("payment_intent.succeeded", intent_of(order)))
        await tell(desk, event_of("payment_intent.succeeded", intent_of(order, id="pi_another")))
        assert [outcome for _, outcome in await outcomes()] == [NewsOutcome.CREDITED, NewsOutcome.SURPLUS]
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_one_payment_does_not_pay_for_two_orders(self, desk: PaymentNotifications) -> None:
        cast, first = await a_stripe_order()
        _, second = await a_stripe_order(cast, submission_id="form-0002")
        await tell(desk, event_of("payment_intent.succeeded", intent_of(await the_order(first))))
        reused = intent_of(await the_order(second), id=f"pi_{first}")
        await tell(desk, event_of("payment_intent.succeeded", reused))
        assert [outcome for _, outcome in await outcomes()] == [NewsOutcome.CREDITED, NewsOutcome.PAYMENT_USED]
        assert await top_up_count() == 1

    async def test_money_that_goes_back_is_noted_and_changes_nothing(self, desk: PaymentNotifications) -> None:
        cast, order_id = await a_stripe_order()
        order = await the_order(order_id)
        await tell(desk, event_of("payment_intent.succeeded", intent_of(order)))
        about = {"payment_intent": f"pi_{order_id}", "amount": 500, "currency": "usd", "metadata": {}}
        refund = checked({"id": "re_1", "object": "refund", "status": "succeeded"} | about)
        dispute = checked({"id": "dp_1", "object": "dispute", "status": "needs_response"} | about)
        await tell(desk, event_of("refund.created", refund))
        await tell(desk, event_of("charge.dispute.created", dispute))
        assert await outcomes() == [
            (NewsKind.PAID, NewsOutcome.CREDITED),
            (NewsKind.REFUNDED, NewsOutcome.NOTED),
            (NewsKind.DISPUTED, NewsOutcome.NOTED),
        ]
        assert (await the_balance(cast)).posted_nanos == AMOUNT


@pytest.mark.row("A16")
class TestWrong:
    """A16: each is verified, and credits nothing; a right one afterwards still does."""

    @pytest.mark.parametrize(
        ("changes", "outcome"),
        [
            pytest.param({"amount_received": 1}, NewsOutcome.WRONG_AMOUNT, id="too little"),
            pytest.param({"amount_received": 100_001}, NewsOutcome.WRONG_AMOUNT, id="a cent too much"),
            pytest.param({"currency": "cny"}, NewsOutcome.WRONG_CURRENCY, id="another currency"),
            pytest.param({"currency": "jpy"}, NewsOutcome.WRONG_CURRENCY, id="a currency that nobody is billed in"),
            pytest.param(
                {"metadata": {"onetoken_order": "ord_of_nobody"}}, NewsOutcome.UNKNOWN_ORDER, id="an order of nobody"
            ),
        ],
    )
    async def test_a16_credits_nothing_and_is_kept(
        self, desk: PaymentNotifications, changes: dict[str, object], outcome: NewsOutcome
    ) -> None:
        cast, order_id = await a_stripe_order()
        order = await the_order(order_id)
        assert (await tell(desk, event_of("payment_intent.succeeded", intent_of(order, **changes)))).status == 200
        assert await outcomes() == [(NewsKind.PAID, outcome)]
        assert await top_up_count() == 0
        right = intent_of(order, id="pi_the_right_one")
        await tell(desk, event_of("payment_intent.succeeded", right))
        assert (await the_balance(cast)).posted_nanos == AMOUNT

    async def test_a16_another_provider_credits_nothing(self, desk: PaymentNotifications) -> None:
        cast = await a_cast()
        order_id = await place(cast)  # by bank transfer
        body = event_of("payment_intent.succeeded", intent_of(await the_order(order_id)))
        assert (await tell(desk, body)).status == 200
        assert await outcomes() == [(NewsKind.PAID, NewsOutcome.WRONG_PROVIDER)]
        assert await top_up_count() == 0
        assert (await the_order(order_id)).state is OrderState.OPEN

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"amount_received": -100}, id="a negative amount"),
            pytest.param({"amount_received": 100.0}, id="a fraction"),
            pytest.param({"amount_received": True}, id="no number"),
            pytest.param({"amount_received": 10**30}, id="an absurd number"),
            pytest.param({"currency": None}, id="no currency"),
            pytest.param({"id": "pi_\u0000"}, id="an id that is none"),
        ],
    )
    async def test_what_cannot_be_read_is_refused(self, desk: PaymentNotifications, changes: dict[str, object]) -> None:
        _cast, order_id = await a_stripe_order()
        answer = await tell(desk, event_of("payment_intent.succeeded", intent_of(await the_order(order_id), **changes)))
        assert answer.status == 400
        assert await outcomes() == []

    async def test_what_is_none_of_ours_is_passed_over(self, desk: PaymentNotifications) -> None:
        _cast, order_id = await a_stripe_order()
        order = await the_order(order_id)
        for kind, about in (
            ("payment_intent.succeeded", intent_of(order, metadata={})),
            ("checkout.session.completed", session_of(order, client_reference_id=None)),
            ("customer.created", {"id": "cus_1", "object": "payment_intent"}),
        ):
            assert (await tell(desk, event_of(kind, about))).status == 200
        assert await outcomes() == []


@pytest.mark.row("A16")
class TestForged:
    """What is refused before any database is asked runs on one of them."""

    @pytest.mark.parametrize(
        "forge",
        [
            pytest.param(lambda _body: (), id="no signature"),
            pytest.param(lambda body: signed(body, secret="whsec_of_somebody_else"), id="another secret"),
            pytest.param(lambda body: signed(body, secret=""), id="the empty secret"),
            pytest.param(lambda body: signed(body + b" "), id="of another body"),
            pytest.param(lambda body: signed(body, moment=int(time.time()) - 301), id="of five minutes ago"),
            pytest.param(lambda _body: ((b"stripe-signature", b"t=x,v1="),), id="garbage"),
            pytest.param(lambda _body: ((b"stripe-signature", b"\xff\xfe"),), id="no text"),
            pytest.param(
                lambda body: ((b"stripe-signature", signed(body)[0][1].replace(b"v1", b"v0")),), id="a scheme"
            ),
        ],
    )
    async def test_a16_is_refused_and_leaves_nothing(self, sqlite_desk: PaymentNotifications, forge: object) -> None:
        _cast, order_id = await a_stripe_order()
        body = event_of("payment_intent.succeeded", intent_of(await the_order(order_id)))
        answer = await tell(sqlite_desk, body, headers=forge(body))  # type: ignore[operator] # a function of the body
        assert answer.status == 400
        assert await outcomes() == []
        assert await top_up_count() == 0

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"object": "event"}', b"[" * 20_000])
    async def test_garbage_that_is_signed_is_refused(self, sqlite_desk: PaymentNotifications, body: bytes) -> None:
        headers = signed(body) if body != b"\xff\xfe" else ((b"stripe-signature", b"t=1,v1=00"),)
        assert (await tell(sqlite_desk, body, headers=headers)).status == 400
        assert await outcomes() == []

    @pytest.mark.parametrize("secret", ["", " ", "\n"])
    async def test_a16_an_empty_secret_switches_the_address_off(self, sqlite_on: Settings, secret: str) -> None:
        _cast, order_id = await a_stripe_order()
        body = event_of("payment_intent.succeeded", intent_of(await the_order(order_id)))
        off = sqlite_on.model_copy(update={"stripe_webhook_secret": SecretStr(secret)})
        for signed_with in (secret, WEBHOOK_SECRET):
            answer = await tell(PaymentNotifications(off), body, headers=signed(body, secret=signed_with))
            assert (answer.status, answer.json["code"]) == (503, "payment_provider_off")
        assert await top_up_count() == 0

    async def test_a16_a_missing_secret_switches_the_address_off(self, sqlite_on: Settings) -> None:
        off = sqlite_on.model_copy(update={"stripe_webhook_secret": None})
        assert (await tell(PaymentNotifications(off), b"{}")).status == 503

    async def test_a_large_body_is_refused_before_it_is_read(self, sqlite_desk: PaymentNotifications) -> None:
        assert (await tell(sqlite_desk, b" " * (BODY_BYTES_MAX + 1))).status == 413

    @pytest.mark.parametrize("name", ["bank_transfer", "paypal", "", "stripe/", "../../etc"])
    async def test_nobody_elses_address_exists(self, sqlite_desk: PaymentNotifications, name: str) -> None:
        assert (await tell(sqlite_desk, b"{}", path=f"/payments/notifications/{name}")).status == 404

    async def test_only_posts_are_taken(self, sqlite_desk: PaymentNotifications) -> None:
        assert (await post(sqlite_desk, STRIPE, b"", method="GET", origin="")).status == 405


class TestRows:
    """A16: what was credited or said is evidence."""

    @pytest.mark.parametrize("table", ["payments_external_payment", "payments_notification"])
    async def test_are_never_changed(self, desk: PaymentNotifications, table: str) -> None:
        _cast, order_id = await a_stripe_order()
        await tell(desk, event_of("payment_intent.succeeded", intent_of(await the_order(order_id))))
        for statement in (f"UPDATE {table} SET amount_nanos = 1", f"DELETE FROM {table}"):
            with pytest.raises((sa.exc.DBAPIError, Conflict)):
                async with unit_of_work() as session:
                    await (await session.connection()).execute(sa.text(statement))
        assert (await the_order(order_id)).state is OrderState.CREDITED
