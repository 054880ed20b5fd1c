"""WeChat Pay with generated keys: what it seals and signs, and every member and header of it tampered."""

import base64
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from onetoken_app.console.payment_notifications import PaymentNotifications
from onetoken_app.database import Database, read_session
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.payments.models import NewsKind, NewsOutcome, OrderState, PaymentProvider
from onetoken_app.payments.providers.protocol import (
    Addresses,
    Invoice,
    PaymentClient,
    ProviderRefused,
    ProviderSilent,
    RefundOrder,
    RefundState,
)
from onetoken_app.payments.providers.registry import make_client
from onetoken_app.settings import BadSettings, Settings
from tests.console.asgi_calls import Answered, post
from tests.payments.chinese_providers import (
    API_V3_KEY,
    MERCHANT_ID,
    Json,
    as_asgi,
    key_of,
    wechat_notification,
    wechat_signed,
    wechat_transaction,
    with_wechat_pay,
)
from tests.payments.orders import AMOUNT, Cast, a_cast, place, the_order
from tests.payments.scripted_provider import Answer, Asked, ScriptedProvider, scripted_provider
from tests.payments.test_approve_transfer import top_up_count
from tests.payments.test_notifications import outcomes

ADDRESS = "/payments/notifications/wechat_pay"
INVOICE = Invoice(
    "ord_1", "OT-7K4M2QXB", 1_234 * NANOS_PER_UNIT + 560_000_000, Currency.CNY, datetime(2026, 11, 27, 12, tzinfo=UTC)
)
ADDRESSES = Addresses("https://unused.example", "https://console.test.example/payments/notifications/wechat_pay")
REFUND = RefundOrder("rfd_1", "ord_1", "4200000000", Currency.CNY, INVOICE.amount_nanos, 5 * NANOS_PER_UNIT)
CODE = "weixin://wxpay/bizpayurl?pr=NwY5Mz9"


@pytest.fixture
def settings_on(database: Database, database_settings: Settings) -> Settings:
    """An installation that takes payments by WeChat Pay, on each database."""
    assert database.is_sqlite is database_settings.is_sqlite
    return with_wechat_pay(database_settings)


@pytest.fixture
def desk(settings_on: Settings) -> PaymentNotifications:
    """The addresses that providers post to."""
    return PaymentNotifications(settings_on)


@pytest.fixture
def server() -> Iterator[ScriptedProvider]:
    """WeChat Pay's API; a test says how it answers."""
    with scripted_provider(lambda _asked: answers({"code_url": CODE})) as running:
        yield running


@pytest.fixture
def client(settings: Settings, server: ScriptedProvider) -> PaymentClient:
    """A merchant at it."""
    return make_client(with_wechat_pay(settings, base_url=server.url), PaymentProvider.WECHAT_PAY)


def answers(told: Json, status: int = 200, key: str = "wechat") -> Answer:
    """Answer with a signed object."""
    body = json.dumps(told).encode()
    return Answer(body, status, wechat_signed(body, moment=int(time.time()), key=key_of(key)))


async def an_order() -> tuple[Cast, str]:
    """Make an order to be paid by WeChat Pay."""
    cast = await a_cast(currency=Currency.CNY)
    return cast, await place(cast, provider=PaymentProvider.WECHAT_PAY)


async def tell(desk: PaymentNotifications, body: bytes, headers: dict[str, str] | None = None) -> Answered:
    """Post a notification, signed unless a test brings headers of its own."""
    signed = wechat_signed(body, moment=int(time.time())) if headers is None else headers
    return await post(desk, ADDRESS, body, origin="", headers=as_asgi(signed))


async def the_yuan(cast: Cast) -> Nanos:
    """Return the balance."""
    async with read_session() as session:
        return (await balance_of(session, owner_id=cast.organization_id, currency=Currency.CNY)).posted_nanos


class TestStart:
    async def test_has_a_code_made_for_exactly_the_order(self, client: PaymentClient, server: ScriptedProvider) -> None:
        checkout = await client.start(INVOICE, ADDRESSES)
        assert (checkout.qr_text, checkout.page_url) == (CODE, "")
        (asked,) = server.asked
        told = json.loads(asked.body)
        assert (asked.method, asked.path) == ("POST", "/v3/pay/transactions/native")
        assert told["amount"] == {"total": 123_456, "currency": "CNY"}
        assert (told["out_trade_no"], told["mchid"]) == ("ord_1", MERCHANT_ID)
        assert told["time_expire"] == "2026-11-27T20:00:00+08:00"
        assert told["notify_url"] == ADDRESSES.notify_url
        assert_signed_by_us(asked)

    async def test_an_answer_that_its_key_did_not_sign_is_not_believed(
        self, client: PaymentClient, server: ScriptedProvider
    ) -> None:
        for answer in (answers({"code_url": CODE}, key="somebody"), Answer(json.dumps({"code_url": CODE}).encode())):
            server.script = lambda _asked, answer=answer: answer  # type: ignore[misc] # bound to this turn
            with pytest.raises(ProviderSilent):
                await client.start(INVOICE, ADDRESSES)

    @pytest.mark.parametrize(
        ("status", "error"),
        [(400, ProviderRefused), (403, ProviderRefused), (429, ProviderSilent), (500, ProviderSilent)],
    )
    async def test_a_no_is_told_from_a_not_now(
        self, client: PaymentClient, server: ScriptedProvider, status: int, error: type[Exception]
    ) -> None:
        server.script = lambda _asked: answers({"code": "X", "message": "their own words"}, status)
        with pytest.raises(error) as caught:
            await client.start(INVOICE, ADDRESSES)
        assert "their own words" not in str(caught.value)

    @pytest.mark.parametrize("code", [None, 1, "", "https://elsewhere.example"])
    async def test_what_is_no_code_is_not_shown(
        self, client: PaymentClient, server: ScriptedProvider, code: object
    ) -> None:
        server.script = lambda _asked: answers({"code_url": code})
        with pytest.raises(ProviderSilent):
            await client.start(INVOICE, ADDRESSES)


@pytest.mark.row("A16")
class TestNotification:
    async def test_credits_the_order_and_says_so(self, desk: PaymentNotifications) -> None:
        cast, order_id = await an_order()
        answer = await tell(desk, wechat_notification(wechat_transaction(await the_order(order_id))))
        assert (answer.status, answer.json["code"]) == (200, "SUCCESS")
        assert (await the_order(order_id)).state is OrderState.CREDITED
        assert await the_yuan(cast) == AMOUNT

    async def test_a16_a_hundred_replays_credit_once(self, desk: PaymentNotifications) -> None:
        cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id)))
        headers = wechat_signed(body, moment=int(time.time()))
        assert {(await tell(desk, body, headers)).status for _ in range(100)} == {200}
        assert await the_yuan(cast) == AMOUNT
        assert await top_up_count() == 1

    async def test_a16_any_header_tampered_is_refused(self, desk: PaymentNotifications) -> None:
        _cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id)))
        genuine = wechat_signed(body, moment=int(time.time()))
        for name, value in genuine.items():
            for changed in (f"{value}0", "", "x"):
                answer = await tell(desk, body, genuine | {name: changed})
                assert (answer.status, answer.json["code"]) == (400, "FAIL"), name
        assert await outcomes() == []
        assert await top_up_count() == 0

    async def test_a16_any_member_tampered_is_refused(self, desk: PaymentNotifications) -> None:
        _cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id)))
        headers = wechat_signed(body, moment=int(time.time()))
        told = json.loads(body)
        for name in told:
            assert (await tell(desk, json.dumps({**told, name: "x"}).encode(), headers)).status == 400, name
        for name in told["resource"]:
            changed = {**told, "resource": {**told["resource"], name: "x"}}
            assert (await tell(desk, json.dumps(changed).encode(), headers)).status == 400, name
        assert (await tell(desk, body + b" ", headers)).status == 400
        assert await outcomes() == []

    async def test_a16_sealed_with_another_key_is_refused_though_it_is_signed(self, desk: PaymentNotifications) -> None:
        _cast, order_id = await an_order()
        opened = wechat_transaction(await the_order(order_id))
        spoilt = json.loads(wechat_notification(opened))
        for name, value in (("algorithm", "none"), ("nonce", "x"), ("ciphertext", "!"), ("associated_data", 1)):
            changed = {**spoilt, "resource": {**spoilt["resource"], name: value}}
            assert (await tell(desk, json.dumps(changed).encode())).status == 400
        assert (await tell(desk, wechat_notification(opened, key="x" * 32))).status == 400
        assert await top_up_count() == 0

    @pytest.mark.parametrize("seconds", [-301, 400])
    async def test_an_old_moment_is_refused(self, desk: PaymentNotifications, seconds: int) -> None:
        _cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id)))
        headers = wechat_signed(body, moment=int(time.time()) + seconds)
        assert (await tell(desk, body, headers)).status == 400
        assert await top_up_count() == 0

    @pytest.mark.parametrize("key", ["us", "somebody"])
    async def test_a16_a_forged_signature_is_refused(self, desk: PaymentNotifications, key: str) -> None:
        _cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id)))
        assert (await tell(desk, body, wechat_signed(body, moment=int(time.time()), key=key_of(key)))).status == 400

    @pytest.mark.parametrize(
        ("changes", "outcome"),
        [
            ({"amount": {"total": 100_001, "currency": "CNY"}}, NewsOutcome.WRONG_AMOUNT),
            ({"amount": {"total": 1, "currency": "CNY"}}, NewsOutcome.WRONG_AMOUNT),
            ({"amount": {"total": 100_000, "currency": "USD"}}, NewsOutcome.WRONG_CURRENCY),
            ({"out_trade_no": "ord_of_nobody"}, NewsOutcome.UNKNOWN_ORDER),
        ],
    )
    async def test_a16_what_the_order_is_not_bound_to_credits_nothing(
        self, desk: PaymentNotifications, changes: Json, outcome: NewsOutcome
    ) -> None:
        _cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id), **changes))
        assert (await tell(desk, body)).status == 200
        assert await outcomes() == [(NewsKind.PAID, outcome)]
        assert await top_up_count() == 0

    @pytest.mark.parametrize(
        "changes", [{"mchid": "1900000002"}, {"appid": "wx2"}, {"amount": {}}, {"amount": None}, {"transaction_id": ""}]
    )
    async def test_what_is_not_for_us_or_cannot_be_read_is_refused(
        self, desk: PaymentNotifications, changes: Json
    ) -> None:
        _cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id), **changes))
        assert (await tell(desk, body)).status == 400
        assert await outcomes() == []

    @pytest.mark.parametrize(("status", "kind"), [("SUCCESS", NewsKind.REFUNDED), ("ABNORMAL", NewsKind.REFUND_FAILED)])
    async def test_how_a_refund_ended_is_noted(self, desk: PaymentNotifications, status: str, kind: NewsKind) -> None:
        _cast, order_id = await an_order()
        refund = {
            "mchid": MERCHANT_ID, "out_trade_no": order_id, "transaction_id": "42", "out_refund_no": "rfd_1",
            "refund_status": status, "amount": {"total": 100_000, "refund": 500},
        }  # fmt: skip
        body = wechat_notification(refund, event_type=f"REFUND.{status}")
        assert (await tell(desk, body)).status == 200
        assert await outcomes() == [(kind, NewsOutcome.NOTED)]

    @pytest.mark.parametrize("name", ["wechat_pay_api_v3_key", "wechat_pay_public_key", "wechat_pay_private_key"])
    async def test_a16_without_one_of_its_secrets_it_is_off(self, settings_on: Settings, name: str) -> None:
        _cast, order_id = await an_order()
        body = wechat_notification(wechat_transaction(await the_order(order_id)))
        for missing in (None, SecretStr(""), SecretStr(" ")):
            off = PaymentNotifications(settings_on.model_copy(update={name: missing}))
            assert (await tell(off, body)).status == 503
        assert await top_up_count() == 0


class TestAsk:
    @pytest.mark.parametrize(
        ("state", "kind"),
        [("SUCCESS", NewsKind.PAID), ("REFUND", NewsKind.PAID), ("CLOSED", NewsKind.CLOSED), ("NOTPAY", None)],
    )
    async def test_says_what_became_of_the_order(
        self, client: PaymentClient, server: ScriptedProvider, state: str, kind: NewsKind | None
    ) -> None:
        amount = {"total": 123_456, "currency": "CNY"}
        told = {"out_trade_no": "ord_1", "trade_state": state, "transaction_id": "42", "amount": amount}
        server.script = lambda _asked: answers(told)
        news = await client.ask(INVOICE)
        assert (news.kind if news else None) is kind
        (asked,) = server.asked
        assert asked.path == f"/v3/pay/transactions/out-trade-no/ord_1?mchid={MERCHANT_ID}"
        assert_signed_by_us(asked)

    async def test_an_order_that_nobody_began_may_still_be_paid(
        self, client: PaymentClient, server: ScriptedProvider
    ) -> None:
        server.script = lambda _asked: answers({"code": "ORDER_NOT_EXIST"}, 404)
        assert await client.ask(INVOICE) is None


class TestClose:
    @pytest.mark.parametrize(
        ("status", "refused"),
        [
            pytest.param(204, None, id="closed now"),
            pytest.param(404, None, id="nobody began to pay"),
            pytest.param(400, ProviderRefused, id="paid or closed"),
            pytest.param(500, ProviderSilent, id="not now"),
        ],
    )
    async def test_names_the_order(
        self, client: PaymentClient, server: ScriptedProvider, status: int, refused: type[Exception] | None
    ) -> None:
        server.script = lambda _asked: Answer(b"", status, wechat_signed(b"", moment=int(time.time())))
        if refused is None:
            await client.close(INVOICE)
        else:
            with pytest.raises(refused):
                await client.close(INVOICE)
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/v3/pay/transactions/out-trade-no/ord_1/close")
        assert json.loads(asked.body) == {"mchid": MERCHANT_ID}
        assert_signed_by_us(asked)


class TestRefund:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("SUCCESS", RefundState.CONFIRMED),
            ("PROCESSING", RefundState.PENDING),
            ("CLOSED", RefundState.FAILED),
            ("ABNORMAL", RefundState.FAILED),
        ],
    )
    async def test_is_asked_for_under_our_own_id(
        self, client: PaymentClient, server: ScriptedProvider, status: str, state: RefundState
    ) -> None:
        server.script = lambda _asked: answers({"status": status})
        assert await client.refund(REFUND) is state
        assert await client.ask_refund(REFUND) is state
        sent, looked_up = server.asked
        told = json.loads(sent.body)
        assert told["amount"] == {"refund": 500, "total": 123_456, "currency": "CNY"}
        assert (told["out_refund_no"], told["transaction_id"]) == ("rfd_1", "4200000000")
        assert looked_up.path == "/v3/refund/domestic/refunds/rfd_1"

    async def test_one_that_it_does_not_know_is_unknown(self, client: PaymentClient, server: ScriptedProvider) -> None:
        server.script = lambda _asked: answers({"code": "RESOURCE_NOT_EXISTS"}, 404)
        assert await client.ask_refund(REFUND) is RefundState.UNKNOWN


class TestKeys:
    async def test_a_platform_certificate_stands_for_its_key(
        self, settings: Settings, server: ScriptedProvider
    ) -> None:
        certified = with_wechat_pay(settings, base_url=server.url).model_copy(
            update={"wechat_pay_public_key": SecretStr(a_certificate())}
        )
        client = make_client(certified, PaymentProvider.WECHAT_PAY)
        assert (await client.start(INVOICE, ADDRESSES)).qr_text == CODE
        assert API_V3_KEY not in repr(client)

    @pytest.mark.parametrize("key", ["short", "k" * 33])
    def test_a_v3_key_of_another_length_is_named_and_not_shown(self, settings: Settings, key: str) -> None:
        wrong = with_wechat_pay(settings).model_copy(update={"wechat_pay_api_v3_key": SecretStr(key)})
        with pytest.raises(BadSettings, match="ONETOKEN_WECHAT_PAY_API_V3_KEY") as caught:
            make_client(wrong, PaymentProvider.WECHAT_PAY)
        assert key not in str(caught.value)


def assert_signed_by_us(asked: Asked) -> None:
    """Check a request's signature as WeChat Pay does."""
    parts = dict(re.findall(r'(\w+)="([^"]*)"', asked.headers["authorization"]))
    content = f"{asked.method}\n{asked.path}\n{parts['timestamp']}\n{parts['nonce_str']}\n{asked.body.decode()}\n"
    key_of("us").private.public_key().verify(
        base64.b64decode(parts["signature"]), content.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    assert parts["mchid"] == MERCHANT_ID


def a_certificate() -> str:
    """Make a platform certificate of WeChat Pay's key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key_of("wechat").private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key_of("wechat").private, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )
