"""Alipay with generated keys: addresses that it would accept, notifications that it signs, every member tampered."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pydantic import SecretStr

from onetoken_app.console.payment_notifications import PaymentNotifications
from onetoken_app.database import Database, read_session
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.payments.errors import AmountRefused, NotOffered
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
    APP_ID,
    Json,
    KeyPair,
    alipay_answer,
    alipay_form,
    alipay_signed,
    key_of,
    with_alipay,
)
from tests.payments.orders import AMOUNT, Cast, a_cast, place, the_order
from tests.payments.scripted_provider import Answer, ScriptedProvider, scripted_provider
from tests.payments.test_approve_transfer import top_up_count
from tests.payments.test_notifications import outcomes

ADDRESS = "/payments/notifications/alipay"
FORM = "application/x-www-form-urlencoded"
INVOICE = Invoice(
    "ord_1", "OT-7K4M2QXB", 1_234 * NANOS_PER_UNIT + 560_000_000, Currency.CNY, datetime(2026, 11, 27, 12, tzinfo=UTC)
)
ADDRESSES = Addresses("https://console.test.example/top-up?order=ord_1", "https://console.test.example/payments/a")
REFUND = RefundOrder("rfd_1", "ord_1", "2026112722001", Currency.CNY, INVOICE.amount_nanos, 5 * NANOS_PER_UNIT)


@pytest.fixture
def settings_on(database: Database, database_settings: Settings) -> Settings:
    """An installation that takes payments by Alipay, on each database."""
    assert database.is_sqlite is database_settings.is_sqlite
    return with_alipay(database_settings)


@pytest.fixture
def desk(settings_on: Settings) -> PaymentNotifications:
    """The addresses that providers post to."""
    return PaymentNotifications(settings_on)


@pytest.fixture
def gateway() -> Iterator[ScriptedProvider]:
    """Alipay's gateway; a test says how it answers."""
    with scripted_provider(lambda _asked: Answer(b"{}")) as running:
        yield running


@pytest.fixture
def client(settings: Settings, gateway: ScriptedProvider) -> PaymentClient:
    """An application at it."""
    return make_client(with_alipay(settings, gateway_url=f"{gateway.url}/gateway.do"), PaymentProvider.ALIPAY)


async def an_order() -> tuple[Cast, str]:
    """Make an order to be paid by Alipay."""
    cast = await a_cast(currency=Currency.CNY)
    return cast, await place(cast, provider=PaymentProvider.ALIPAY)


async def tell(desk: PaymentNotifications, body: bytes) -> Answered:
    """Post a notification."""
    return await post(desk, ADDRESS, body, origin="", content_type=FORM)


async def the_yuan(cast: Cast) -> Nanos:
    """Return the balance."""
    async with read_session() as session:
        return (await balance_of(session, owner_id=cast.organization_id, currency=Currency.CNY)).posted_nanos


class TestStart:
    async def test_signs_an_address_with_exactly_the_orders_amount(
        self, client: PaymentClient, gateway: ScriptedProvider
    ) -> None:
        checkout = await client.start(INVOICE, ADDRESSES)
        told = dict(parse_qsl(urlsplit(checkout.page_url).query))
        signature = base64.b64decode(told.pop("sign"))
        content = "&".join(f"{name}={value}" for name, value in sorted(told.items()))
        key_of("us").private.public_key().verify(signature, content.encode(), padding.PKCS1v15(), hashes.SHA256())
        trade = json.loads(told["biz_content"])
        assert checkout.page_url.startswith(f"{gateway.url}/gateway.do?")
        assert (told["method"], told["app_id"], told["sign_type"]) == ("alipay.trade.page.pay", APP_ID, "RSA2")
        assert (told["notify_url"], told["return_url"]) == (ADDRESSES.notify_url, ADDRESSES.return_url)
        assert (trade["out_trade_no"], trade["total_amount"]) == ("ord_1", "1234.56")
        assert trade["time_expire"] == "2026-11-27 20:00:00"  # in Beijing
        assert gateway.asked == []

    async def test_an_organization_that_is_billed_in_dollars_is_not_offered_it(self, settings_on: Settings) -> None:
        assert settings_on.alipay_app_id == APP_ID
        with pytest.raises(NotOffered):
            await place(await a_cast(), provider=PaymentProvider.ALIPAY)

    async def test_what_is_finer_than_a_fen_is_not_ordered(self, settings_on: Settings) -> None:
        assert settings_on.alipay_app_id == APP_ID
        cast = await a_cast(currency=Currency.CNY)
        with pytest.raises(AmountRefused):
            await place(cast, provider=PaymentProvider.ALIPAY, amount_nanos=AMOUNT + 1)


@pytest.mark.row("A16")
class TestNotification:
    async def test_credits_the_order_and_says_the_word(self, desk: PaymentNotifications) -> None:
        cast, order_id = await an_order()
        answer = await tell(desk, alipay_signed(alipay_form(await the_order(order_id))))
        assert (answer.status, answer.body) == (200, b"success")
        assert (await the_order(order_id)).state is OrderState.CREDITED
        assert await the_yuan(cast) == AMOUNT

    async def test_a16_a_hundred_replays_credit_once(self, desk: PaymentNotifications) -> None:
        cast, order_id = await an_order()
        body = alipay_signed(alipay_form(await the_order(order_id)))
        assert {(await tell(desk, body)).body for _ in range(100)} == {b"success"}
        assert await the_yuan(cast) == AMOUNT
        assert await top_up_count() == 1

    async def test_a16_any_member_tampered_is_refused(self, desk: PaymentNotifications) -> None:
        _cast, order_id = await an_order()
        form = alipay_form(await the_order(order_id))
        genuine = dict(parse_qsl(alipay_signed(form).decode()))
        for name, right in genuine.items():
            for changed in (f"{right}0", "", "1"):
                answer = await tell(desk, urlencode(genuine | {name: changed}).encode())
                assert (answer.status, answer.body) == (400, b"fail"), name
            without = {key: value for key, value in genuine.items() if key != name}
            assert (await tell(desk, urlencode(without).encode())).status == 400, name
        added = alipay_signed(form) + b"&refund_fee=1.00"
        twice = alipay_signed(form) + f"&out_trade_no={order_id}".encode()
        for body in (added, twice):
            assert (await tell(desk, body)).status == 400
        assert await outcomes() == []
        assert await top_up_count() == 0

    @pytest.mark.parametrize(
        ("key", "sign_type"),
        [
            pytest.param("somebody", "RSA2", id="another key"),
            pytest.param("us", "RSA2", id="our own key"),
            pytest.param("alipay", "RSA", id="its key over SHA-1"),
        ],
    )
    async def test_a16_a_forged_signature_is_refused(
        self, desk: PaymentNotifications, key: str, sign_type: str
    ) -> None:
        _cast, order_id = await an_order()
        form = alipay_form(await the_order(order_id))
        assert (await tell(desk, alipay_signed(form, key=key_of(key), sign_type=sign_type))).status == 400
        assert await top_up_count() == 0

    async def test_sha_1_that_calls_itself_sha_256_is_refused(self, desk: PaymentNotifications) -> None:
        _cast, order_id = await an_order()
        body = alipay_signed(alipay_form(await the_order(order_id)), sign_type="RSA").replace(b"=RSA", b"=RSA2")
        assert (await tell(desk, body)).status == 400

    @pytest.mark.parametrize(
        ("changes", "outcome"),
        [
            pytest.param({"total_amount": "1000.01"}, NewsOutcome.WRONG_AMOUNT, id="a fen too much"),
            pytest.param({"total_amount": "0.01"}, NewsOutcome.WRONG_AMOUNT, id="a fen"),
            pytest.param({"trans_currency": "USD"}, NewsOutcome.WRONG_CURRENCY, id="another currency"),
            pytest.param({"out_trade_no": "ord_of_nobody"}, NewsOutcome.UNKNOWN_ORDER, id="an order of nobody"),
        ],
    )
    async def test_a16_what_the_order_is_not_bound_to_credits_nothing(
        self, desk: PaymentNotifications, changes: dict[str, str], outcome: NewsOutcome
    ) -> None:
        _cast, order_id = await an_order()
        assert (await tell(desk, alipay_signed(alipay_form(await the_order(order_id), **changes)))).body == b"success"
        assert await outcomes() == [(NewsKind.PAID, outcome)]
        assert await top_up_count() == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"total_amount": "1e3"}, {"total_amount": "-1000.00"}, {"total_amount": "1000.005"}, {"total_amount": ""},
            {"trade_no": "no id at all"}, {"notify_id": ""}, {"app_id": "2021000000000002"},
        ],
    )  # fmt: skip
    async def test_what_cannot_be_read_is_refused(self, desk: PaymentNotifications, changes: dict[str, str]) -> None:
        _cast, order_id = await an_order()
        assert (await tell(desk, alipay_signed(alipay_form(await the_order(order_id), **changes)))).status == 400
        assert await outcomes() == []

    async def test_one_that_is_not_paid_yet_or_goes_back_changes_no_balance(self, desk: PaymentNotifications) -> None:
        cast, order_id = await an_order()
        order = await the_order(order_id)
        for changes in (
            {"trade_status": "WAIT_BUYER_PAY"},
            {"trade_status": "TRADE_SUCCESS", "refund_fee": "1.00", "out_biz_no": "rfd_1"},
            {"trade_status": "TRADE_CLOSED"},
        ):
            assert (await tell(desk, alipay_signed(alipay_form(order, **changes)))).body == b"success"
        assert await the_yuan(cast) == 0
        assert sorted(await outcomes()) == sorted(
            [(NewsKind.REFUNDED, NewsOutcome.NOTED), (NewsKind.CLOSED, NewsOutcome.NOTED)]
        )

    @pytest.mark.parametrize("name", ["alipay_app_id", "alipay_private_key", "alipay_public_key"])
    async def test_a16_without_one_of_its_settings_it_is_off(self, settings_on: Settings, name: str) -> None:
        _cast, order_id = await an_order()
        body = alipay_signed(alipay_form(await the_order(order_id)))
        empty = "" if name == "alipay_app_id" else SecretStr("")
        for missing in (None, empty):
            off = PaymentNotifications(settings_on.model_copy(update={name: missing}))
            assert (await tell(off, body)).status == 503
        assert await top_up_count() == 0


class TestAsk:
    @pytest.mark.parametrize(
        ("told", "kind"),
        [
            ({"code": "10000", "trade_status": "TRADE_SUCCESS"}, NewsKind.PAID),
            ({"code": "10000", "trade_status": "TRADE_FINISHED"}, NewsKind.PAID),
            ({"code": "10000", "trade_status": "TRADE_CLOSED"}, NewsKind.CLOSED),
            ({"code": "10000", "trade_status": "WAIT_BUYER_PAY"}, None),
            ({"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}, None),
        ],
    )
    async def test_says_what_became_of_the_trade(
        self, client: PaymentClient, gateway: ScriptedProvider, told: Json, kind: NewsKind | None
    ) -> None:
        trade = {"out_trade_no": "ord_1", "trade_no": "2026112722001", "total_amount": "1234.56", **told}
        gateway.script = lambda _asked: Answer(alipay_answer("alipay.trade.query", trade))
        news = await client.ask(INVOICE)
        assert (news.kind if news else None) is kind
        if news and kind is NewsKind.PAID:
            assert (news.amount_nanos, news.external_payment_id) == (INVOICE.amount_nanos, "2026112722001")
        (asked,) = gateway.asked
        assert json.loads(dict(parse_qsl(asked.body.decode()))["biz_content"]) == {"out_trade_no": "ord_1"}

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda text: text.replace(b"1234.56", b"1234.57"), id="tampered"),
            pytest.param(lambda text: text.replace(b'"sign"', b'"sing"'), id="not signed"),
            pytest.param(lambda _text: b"<html>", id="no object"),
            pytest.param(lambda _text: b"", id="nothing"),
        ],
    )
    async def test_an_answer_that_is_not_signed_is_not_believed(
        self, client: PaymentClient, gateway: ScriptedProvider, spoil: object
    ) -> None:
        trade = {"code": "10000", "out_trade_no": "ord_1", "trade_status": "TRADE_SUCCESS", "total_amount": "1234.56"}
        text = spoil(alipay_answer("alipay.trade.query", trade))  # type: ignore[operator] # a function of bytes
        gateway.script = lambda _asked: Answer(text)
        with pytest.raises(ProviderSilent):
            await client.ask(INVOICE)

    async def test_another_key_is_not_believed(self, client: PaymentClient, gateway: ScriptedProvider) -> None:
        other: KeyPair = key_of("somebody")
        gateway.script = lambda _asked: Answer(alipay_answer("alipay.trade.query", {"code": "10000"}, key=other))
        with pytest.raises(ProviderSilent):
            await client.ask(INVOICE)


class TestClose:
    @pytest.mark.parametrize(
        ("told", "refused"),
        [
            pytest.param({"code": "10000"}, None, id="closed now"),
            pytest.param({"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}, None, id="nobody began to pay"),
            pytest.param({"code": "40004", "sub_code": "ACQ.TRADE_STATUS_ERROR"}, ProviderRefused, id="paid or closed"),
            pytest.param({"code": "20000"}, ProviderSilent, id="not now"),
        ],
    )
    async def test_names_the_order_and_believes_signed_answers(
        self, client: PaymentClient, gateway: ScriptedProvider, told: Json, refused: type[Exception] | None
    ) -> None:
        gateway.script = lambda _asked: Answer(alipay_answer("alipay.trade.close", told))
        if refused is None:
            await client.close(INVOICE)
        else:
            with pytest.raises(refused):
                await client.close(INVOICE)
        (asked,) = gateway.asked
        form = dict(parse_qsl(asked.body.decode()))
        assert (form["method"], json.loads(form["biz_content"])) == ("alipay.trade.close", {"out_trade_no": "ord_1"})


class TestRefund:
    async def test_is_asked_for_under_our_own_id(self, client: PaymentClient, gateway: ScriptedProvider) -> None:
        gateway.script = lambda _asked: Answer(
            alipay_answer("alipay.trade.refund", {"code": "10000", "fund_change": "Y"})
        )
        assert await client.refund(REFUND) is RefundState.CONFIRMED
        trade = json.loads(dict(parse_qsl(gateway.asked[0].body.decode()))["biz_content"])
        assert (trade["out_request_no"], trade["refund_amount"], trade["out_trade_no"]) == ("rfd_1", "5.00", "ord_1")

    async def test_asked_for_again_is_looked_up(self, client: PaymentClient, gateway: ScriptedProvider) -> None:
        answers = {
            "alipay.trade.refund": {"code": "10000", "fund_change": "N"},
            "alipay.trade.fastpay.refund.query": {"code": "10000", "refund_status": "REFUND_SUCCESS"},
        }

        def script(asked: object) -> Answer:
            method = dict(parse_qsl(asked.body.decode()))["method"]  # type: ignore[attr-defined] # an Asked
            return Answer(alipay_answer(method, answers[method]))

        gateway.script = script
        assert await client.refund(REFUND) is RefundState.CONFIRMED

    @pytest.mark.parametrize(
        ("sub_code", "error"),
        [("ACQ.SELLER_BALANCE_NOT_ENOUGH", ProviderRefused), ("ACQ.SYSTEM_ERROR", ProviderSilent)],
    )
    async def test_a_no_is_told_from_a_not_now(
        self, client: PaymentClient, gateway: ScriptedProvider, sub_code: str, error: type[Exception]
    ) -> None:
        told = {"code": "40004", "sub_code": sub_code}
        gateway.script = lambda _asked: Answer(alipay_answer("alipay.trade.refund", told))
        with pytest.raises(error):
            await client.refund(REFUND)


class TestKeys:
    def test_may_stand_in_a_file(self, settings: Settings, tmp_path: Path) -> None:
        file = tmp_path / "alipay.pem"
        file.write_text(key_of("us").private_pem)
        from_file = with_alipay(settings).model_copy(update={"alipay_private_key": SecretStr(str(file))})
        client = make_client(from_file, PaymentProvider.ALIPAY)
        assert "PRIVATE" not in repr(client)

    @pytest.mark.parametrize("name", ["alipay_private_key", "alipay_public_key"])
    @pytest.mark.parametrize("value", ["/not/there.pem", "-----BEGIN PUBLIC KEY-----\nxyz\n", "hunter2\0"])
    def test_that_cannot_be_read_are_named_and_not_shown(self, settings: Settings, name: str, value: str) -> None:
        with pytest.raises(BadSettings, match=f"ONETOKEN_{name.upper()}") as caught:
            make_client(with_alipay(settings).model_copy(update={name: SecretStr(value)}), PaymentProvider.ALIPAY)
        assert value not in str(caught.value)
