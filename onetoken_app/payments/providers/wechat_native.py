"""WeChat Pay, API v3, by its SDK: a code to scan, sealed and signed notifications, queries and refunds.

The SDK writes requests, signs them, checks signatures and opens what is sealed. We send the requests ourselves: its
transport follows the environment's proxies and raises bare exceptions. Imported only where WeChat Pay is switched on.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType
from wechatpayv3.utils import aes_decrypt, build_authorization, rsa_verify

from onetoken_app.payments.amounts import cents_of
from onetoken_app.payments.models import NewsKind
from onetoken_app.payments.providers.exchange import exchange
from onetoken_app.payments.providers.facts import cents_in, currency_in, id_in, object_in, optional_id_in
from onetoken_app.payments.providers.protocol import (
    REPLAY_SECONDS,
    Acknowledgement,
    Addresses,
    Checkout,
    Invoice,
    NotificationRefused,
    PaymentNews,
    ProviderRefused,
    ProviderSilent,
    RefundOrder,
    RefundState,
)

BEIJING = timezone(timedelta(hours=8))
_SIGNED_WITH = "WECHATPAY2-SHA256-RSA2048"
_SEALED_WITH = "AEAD_AES_256_GCM"
_BASE64 = re.compile(r"[A-Za-z0-9+/]{64,2048}={0,2}", re.ASCII)
_CLOSED = frozenset({"CLOSED", "REVOKED", "PAYERROR"})
_REFUND_STATES = {
    "SUCCESS": RefundState.CONFIRMED,
    "PROCESSING": RefundState.PENDING,
    "CLOSED": RefundState.FAILED,
    "ABNORMAL": RefundState.FAILED,
}
_UNREADABLE = "WeChat Pay's answer cannot be believed; nothing was done. Try again in a few minutes."


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who is paid, and the keys on both sides."""

    merchant_id: str
    app_id: str
    certificate_serial: str
    private_key_pem: str = field(repr=False)
    """PKCS#8, which is what the SDK reads."""
    api_v3_key: str = field(repr=False)
    public_key: RSAPublicKey = field(repr=False)
    """WeChat Pay's."""
    public_key_id: str

    @property
    def public_key_pem(self) -> str:
        """WeChat Pay's key as the SDK reads it."""
        return self.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class _Core(Core):  # type: ignore[misc] # the SDK has no types
    """The SDK's core with our transport, and with signatures checked by one key that the operator gave."""

    def __init__(self, merchant: Merchant, base_url: str) -> None:
        super().__init__(
            mchid=merchant.merchant_id,
            cert_serial_no=merchant.certificate_serial,
            private_key=merchant.private_key_pem,
            apiv3_key=merchant.api_v3_key,
            public_key=merchant.public_key_pem,
            public_key_id=merchant.public_key_id,
        )
        self._merchant = merchant
        self._base_url = base_url

    async def request(self, path: str, method: Any = RequestType.GET, data: Any = None, **_ignored: Any) -> Any:
        """Send one signed request; return the status and the members of an answer that is believed.

        The SDK's verbs return what this returns, which is to be awaited.

        Raises:
            ProviderSilent: No answer, or one that its key did not sign.
        """
        body = json.dumps(data) if data else ""
        authorization = build_authorization(
            path, method.value, self._mchid, self._cert_serial_no, self._private_key, data=body
        )
        answer = await exchange(
            method.value,
            f"{self._base_url}{path}",
            headers={
                "accept": "application/json",
                "authorization": authorization,
                "content-type": "application/json",
                "user-agent": "onetoken",
                "wechatpay-serial": self._merchant.public_key_id,
            },
            body=body.encode(),
        )
        is_good = answer.status in range(200, 300)
        if is_good and not is_genuine(self._merchant, answer.headers, answer.body):
            raise ProviderSilent(_UNREADABLE)
        return answer.status, _object(answer.body)


@dataclass(frozen=True, slots=True)
class WechatNative:
    """A merchant at WeChat Pay."""

    merchant: Merchant
    base_url: str

    async def start(self, invoice: Invoice, addresses: Addresses) -> Checkout:
        """Have a code made for the order; see ``PaymentClient``."""
        status, told = await self._sdk().pay(
            description=f"OneToken {invoice.reference_code}",
            out_trade_no=invoice.order_id,
            amount={"total": cents_of(invoice.amount_nanos), "currency": invoice.currency.value},
            time_expire=invoice.expires_at.astimezone(BEIJING).isoformat(timespec="seconds"),
            notify_url=addresses.notify_url,
        )
        _expect_good(status)
        code = told.get("code_url")
        if not isinstance(code, str) or not code.startswith("weixin://"):
            raise ProviderSilent(_UNREADABLE)
        return Checkout(qr_text=code)

    def read_notification(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> PaymentNews | None:
        """Verify a signed notification and open what is sealed in it; see ``PaymentClient``."""
        if not is_genuine(self.merchant, headers, body):
            raise NotificationRefused("signature_wrong")
        # The signature is over the moment too, so that an old one cannot be sent again.
        if abs(int(headers["wechatpay-timestamp"]) - int(now.timestamp())) > REPLAY_SECONDS:
            raise NotificationRefused("too_old")
        told = _object(body)
        opened = self._opened(object_in(told, "resource"))
        if optional_id_in(opened, "mchid") != self.merchant.merchant_id:
            raise NotificationRefused("not_for_us")
        kind = str(told.get("event_type"))
        if kind.startswith("TRANSACTION."):
            if optional_id_in(opened, "appid") != self.merchant.app_id:
                raise NotificationRefused("not_for_us")
            return _news(opened, notification_id=id_in(told, "id"))
        return _refund_news(opened, notification_id=id_in(told, "id")) if kind.startswith("REFUND.") else None

    async def ask(self, invoice: Invoice) -> PaymentNews | None:
        """Look the order up; see ``PaymentClient``."""
        status, told = await self._sdk().query(out_trade_no=quote(invoice.order_id, safe=""))
        if status == HTTPStatus.NOT_FOUND:
            return None
        _expect_good(status)
        payment_id = optional_id_in(told, "transaction_id") or invoice.order_id
        try:
            return _news(told, notification_id=f"asked:{payment_id}")
        except NotificationRefused:
            raise ProviderSilent(_UNREADABLE) from None

    async def close(self, invoice: Invoice) -> None:
        """Close the order, whose code is worth nothing then; see ``PaymentClient``."""
        status, _ = await self._sdk().close(quote(invoice.order_id, safe=""))
        if status != HTTPStatus.NOT_FOUND:
            _expect_good(status)

    async def refund(self, order: RefundOrder) -> RefundState:
        """Refund a part of a payment, or all of it; see ``PaymentClient``."""
        status, told = await self._sdk().refund(
            out_refund_no=order.refund_id,
            transaction_id=order.external_payment_id,
            amount={
                "refund": cents_of(order.refund_nanos),
                "total": cents_of(order.paid_nanos),
                "currency": order.currency.value,
            },
        )
        _expect_good(status)
        return _REFUND_STATES.get(str(told.get("status")), RefundState.PENDING)

    async def ask_refund(self, order: RefundOrder) -> RefundState:
        """Look the refund up; see ``PaymentClient``."""
        status, told = await self._sdk().query_refund(quote(order.refund_id, safe=""))
        if status == HTTPStatus.NOT_FOUND:
            return RefundState.UNKNOWN
        _expect_good(status)
        return _REFUND_STATES.get(str(told.get("status")), RefundState.PENDING)

    def acknowledgement(self, *, is_accepted: bool) -> Acknowledgement:
        """Say yes or no as WeChat Pay reads it."""
        if is_accepted:
            return Acknowledgement(HTTPStatus.OK, "application/json", '{"code":"SUCCESS","message":""}')
        return Acknowledgement(HTTPStatus.BAD_REQUEST, "application/json", '{"code":"FAIL","message":"not accepted"}')

    def _sdk(self) -> Any:
        """Make the SDK's client with our transport."""
        merchant = self.merchant
        sdk = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=merchant.merchant_id,
            private_key=merchant.private_key_pem,
            cert_serial_no=merchant.certificate_serial,
            appid=merchant.app_id,
            apiv3_key=merchant.api_v3_key,
            # Without the key its core would fetch certificates on the spot.
            public_key=merchant.public_key_pem,
            public_key_id=merchant.public_key_id,
        )
        sdk._core = _Core(merchant, self.base_url)  # noqa: SLF001 # the SDK has no other way to bring a transport
        return sdk

    def _opened(self, resource: Mapping[str, object]) -> Mapping[str, object]:
        """Open what is sealed for this merchant.

        Raises:
            NotificationRefused: It is sealed with another key, or not as agreed.
        """
        sealed = {name: resource.get(name) or "" for name in ("nonce", "ciphertext", "associated_data")}
        if resource.get("algorithm") != _SEALED_WITH or not all(isinstance(one, str) for one in sealed.values()):
            raise NotificationRefused("seal_wrong")
        try:
            opened = aes_decrypt(**sealed, apiv3_key=self.merchant.api_v3_key)
        except ValueError:
            opened = None
        if opened is None:
            raise NotificationRefused("seal_wrong")
        return _object(opened.encode())


def is_genuine(merchant: Merchant, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether WeChat Pay's key signed this body, its moment and its nonce."""
    moment, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
    if headers.get("wechatpay-serial") != merchant.public_key_id or not (moment.isascii() and moment.isdigit()):
        return False
    if headers.get("wechatpay-signature-type", _SIGNED_WITH) != _SIGNED_WITH or len(moment) > 12:
        return False
    signature = headers.get("wechatpay-signature", "")
    if _BASE64.fullmatch(signature) is None:  # the SDK would overlook what stands behind the padding
        return False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return bool(rsa_verify(moment, nonce, text, signature, merchant.public_key))


def _object(body: bytes) -> Mapping[str, object]:
    """Read an object; an empty one when there is none."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _expect_good(status: int) -> None:
    """Refuse an answer that says no.

    Raises:
        ProviderRefused: WeChat Pay will not do it.
        ProviderSilent: It cannot now.
    """
    if status in range(200, 300):
        return
    if status in range(400, 500) and status != HTTPStatus.TOO_MANY_REQUESTS:
        raise ProviderRefused("WeChat Pay will not do this; nothing was done. Please tell us.")
    raise ProviderSilent("WeChat Pay cannot do this now; nothing was done. Try again in a few minutes.")


def _news(told: Mapping[str, object], *, notification_id: str) -> PaymentNews | None:
    """Read what became of an order; ``None``: it may still be paid."""
    state, order_id = told.get("trade_state"), id_in(told, "out_trade_no")
    if state in _CLOSED:
        return PaymentNews(NewsKind.CLOSED, notification_id, order_id, "", "", 0)
    if state not in {"SUCCESS", "REFUND"}:  # the latter: it was paid, and some of it went back since
        return None
    amount = object_in(told, "amount")
    return PaymentNews(
        kind=NewsKind.PAID,
        notification_id=notification_id,
        order_id=order_id,
        external_payment_id=id_in(told, "transaction_id"),
        currency=currency_in(amount, "currency"),
        amount_nanos=cents_in(amount, "total"),
    )


def _refund_news(told: Mapping[str, object], *, notification_id: str) -> PaymentNews:
    """Read how a refund ended."""
    is_done = told.get("refund_status") == "SUCCESS"
    return PaymentNews(
        kind=NewsKind.REFUNDED if is_done else NewsKind.REFUND_FAILED,
        notification_id=notification_id,
        order_id=id_in(told, "out_trade_no"),
        external_payment_id=optional_id_in(told, "transaction_id"),
        currency="CNY",
        amount_nanos=cents_in(object_in(told, "amount"), "refund"),
        refund_id=optional_id_in(told, "out_refund_no"),
    )
