"""Alipay, by its official SDK: its own payment page, signed notifications, queries and refunds.

The SDK writes requests and signs them. We send them ourselves: its transport knows no port, quotes answers in its
errors, and takes the machine's local time for Beijing's. Signatures are checked with SHA-256 and nothing else, where
the SDK's check would also take what is signed with SHA-1. Imported only where Alipay is switched on.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
from alipay.aop.api.domain.AlipayTradeFastpayRefundQueryModel import AlipayTradeFastpayRefundQueryModel
from alipay.aop.api.domain.AlipayTradePagePayModel import AlipayTradePagePayModel
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest
from alipay.aop.api.request.AlipayTradePagePayRequest import AlipayTradePagePayRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay.aop.api.util.SignatureUtils import get_sign_content, sign_with_rsa2
from alipay.aop.api.util.WebUtils import url_encode
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from onetoken_app import clock
from onetoken_app.money import Currency, format_amount
from onetoken_app.payments.models import NewsKind
from onetoken_app.payments.providers.exchange import exchange
from onetoken_app.payments.providers.facts import decimal_in, id_in, optional_id_in
from onetoken_app.payments.providers.protocol import (
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
_CHARSET = "utf-8"
_PAID = frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"})
_DONE, _FAILED = "10000", "40004"
_UNKNOWN_TRADE = "ACQ.TRADE_NOT_EXIST"
_TEMPORARY = frozenset({"ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR"})
_FIELDS_MAX = 100
_UNREADABLE = "Alipay's answer cannot be believed; nothing was done. Try again in a few minutes."


@dataclass(frozen=True, slots=True)
class AlipayPage:
    """An application at Alipay."""

    app_id: str
    private_key_pem: str = field(repr=False)
    """PKCS#1, which is what the SDK reads."""
    public_key: RSAPublicKey = field(repr=False)
    """Alipay's."""
    gateway_url: str

    async def start(self, invoice: Invoice, addresses: Addresses) -> Checkout:
        """Sign an address of Alipay's page; nothing is sent. See ``PaymentClient``."""
        request = AlipayTradePagePayRequest(
            _filled(
                AlipayTradePagePayModel(),
                out_trade_no=invoice.order_id,
                total_amount=format_amount(invoice.amount_nanos),
                subject=f"OneToken {invoice.reference_code}",
                product_code="FAST_INSTANT_TRADE_PAY",
                time_expire=_moment(invoice.expires_at),
            )
        )
        request.return_url, request.notify_url = addresses.return_url, addresses.notify_url
        return Checkout(page_url=f"{self.gateway_url}?{self._signed(request)}")

    def read_notification(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> PaymentNews | None:
        """Verify a posted form; its scheme has no moment, repeats are told by their id. See ``PaymentClient``."""
        del headers, now
        told = _form(body)
        signature = told.pop("sign", "")
        if told.pop("sign_type", "") != "RSA2":
            raise NotificationRefused("signature_wrong")
        if not self._is_signed(get_sign_content(told).encode(), signature):
            raise NotificationRefused("signature_wrong")
        if told.get("app_id") != self.app_id:
            raise NotificationRefused("not_for_us")
        return _news(told, notification_id=id_in(told, "notify_id"))

    async def ask(self, invoice: Invoice) -> PaymentNews | None:
        """Look the trade up; one that nobody began is unknown to Alipay. See ``PaymentClient``."""
        model = _filled(AlipayTradeQueryModel(), out_trade_no=invoice.order_id)
        answer = await self._call(AlipayTradeQueryRequest(model))
        if answer.get("sub_code") == _UNKNOWN_TRADE:
            return None
        _expect_done(answer)
        try:
            return _news(answer, notification_id=f"asked:{optional_id_in(answer, 'trade_no')}")
        except NotificationRefused:
            raise ProviderSilent(_UNREADABLE) from None

    async def close(self, invoice: Invoice) -> None:
        """Close the trade, if somebody began one; see ``PaymentClient``."""
        model = _filled(AlipayTradeCloseModel(), out_trade_no=invoice.order_id)
        answer = await self._call(AlipayTradeCloseRequest(model))
        if answer.get("sub_code") != _UNKNOWN_TRADE:
            _expect_done(answer)

    async def refund(self, order: RefundOrder) -> RefundState:
        """Refund a part of a trade, or all of it; see ``PaymentClient``."""
        model = _filled(
            AlipayTradeRefundModel(),
            out_trade_no=order.order_id,
            trade_no=order.external_payment_id,
            refund_amount=format_amount(order.refund_nanos),
            out_request_no=order.refund_id,
        )
        answer = await self._call(AlipayTradeRefundRequest(model))
        _expect_done(answer)
        # Asked a second time, it says that nothing has changed.
        return RefundState.CONFIRMED if answer.get("fund_change") == "Y" else await self.ask_refund(order)

    async def ask_refund(self, order: RefundOrder) -> RefundState:
        """Look the refund up; see ``PaymentClient``."""
        model = _filled(
            AlipayTradeFastpayRefundQueryModel(), out_trade_no=order.order_id, out_request_no=order.refund_id
        )
        answer = await self._call(AlipayTradeFastpayRefundQueryRequest(model))
        if answer.get("sub_code") == _UNKNOWN_TRADE:
            return RefundState.UNKNOWN
        _expect_done(answer)
        return RefundState.CONFIRMED if answer.get("refund_status") == "REFUND_SUCCESS" else RefundState.UNKNOWN

    def acknowledgement(self, *, is_accepted: bool) -> Acknowledgement:
        """Say the one word that ends the repeats."""
        status = HTTPStatus.OK if is_accepted else HTTPStatus.BAD_REQUEST
        return Acknowledgement(status, "text/plain; charset=utf-8", "success" if is_accepted else "fail")

    def _signed(self, request: Any) -> str:
        """Write a request of the SDK as a signed query."""
        members: dict[str, str] = {
            **request.get_params(),
            "app_id": self.app_id,
            "charset": _CHARSET,
            "format": "json",
            "sign_type": "RSA2",
            "timestamp": _moment(clock.utc_now()),
        }
        members["sign"] = sign_with_rsa2(self.private_key_pem, get_sign_content(members), _CHARSET)
        return str(url_encode(members, _CHARSET))

    async def _call(self, request: Any) -> dict[str, object]:
        """Send a request and return what is signed of its answer.

        Raises:
            ProviderSilent: No answer that can be believed.
        """
        answer = await exchange(
            "POST",
            f"{self.gateway_url}?charset={_CHARSET}",
            headers={"content-type": f"application/x-www-form-urlencoded;charset={_CHARSET}"},
            body=self._signed(request).encode(),
        )
        name = f'"{str(request.get_params()["method"]).replace(".", "_")}_response":'
        try:
            text = answer.body.decode(_CHARSET)
            begin = text.index(name) + len(name)
            told, end = json.JSONDecoder().raw_decode(text, begin)
            signature = json.loads(text)["sign"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ProviderSilent(_UNREADABLE) from None
        if not isinstance(told, dict) or not self._is_signed(text[begin:end].encode(), signature):
            raise ProviderSilent(_UNREADABLE)
        return told

    def _is_signed(self, content: bytes, signature: object) -> bool:
        """Whether Alipay's key signed this, with SHA-256."""
        try:
            raw = base64.b64decode(str(signature), validate=True)
            self.public_key.verify(raw, content, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def _filled(model: Any, **members: str) -> Any:
    """Fill in a model of the SDK."""
    for name, value in members.items():
        setattr(model, name, value)
    return model


def _moment(moment: datetime) -> str:
    """Write a moment as Alipay does, in Beijing's time."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _form(body: bytes) -> dict[str, str]:
    """Read a form in which no name stands twice.

    Raises:
        NotificationRefused: It is none.
    """
    try:
        pairs = parse_qsl(
            body.decode(_CHARSET),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise NotificationRefused("not_readable") from None
    if len(dict(pairs)) != len(pairs):
        raise NotificationRefused("not_readable")
    return dict(pairs)


def _news(told: Mapping[str, object], *, notification_id: str) -> PaymentNews | None:
    """Read what became of a trade; ``None``: it may still be paid. Trades on this page are in yuan."""
    status = told.get("trade_status")
    order_id, trade_id = id_in(told, "out_trade_no"), id_in(told, "trade_no")
    refunded = str(told.get("refund_fee") or "")
    if refunded:
        kind, amount_nanos = NewsKind.REFUNDED, decimal_in(told, "refund_fee")
    elif status in _PAID:
        kind, amount_nanos = NewsKind.PAID, decimal_in(told, "total_amount")
    elif status == "TRADE_CLOSED":
        kind, amount_nanos = NewsKind.CLOSED, 0
    else:
        return None
    return PaymentNews(
        kind=kind,
        notification_id=notification_id,
        order_id=order_id,
        external_payment_id=trade_id,
        currency=str(told.get("trans_currency") or Currency.CNY.value)[:8],
        amount_nanos=amount_nanos,
        refund_id=optional_id_in(told, "out_biz_no") if refunded else "",
    )


def _expect_done(answer: Mapping[str, object]) -> None:
    """Refuse an answer that says no.

    Raises:
        ProviderRefused: Alipay will not do it.
        ProviderSilent: It cannot now.
    """
    code = answer.get("code")
    if code == _DONE:
        return
    if code == _FAILED and answer.get("sub_code") not in _TEMPORARY:
        raise ProviderRefused("Alipay will not do this; nothing was done. Please tell us.")
    raise ProviderSilent("Alipay cannot do this now; nothing was done. Try again in a few minutes.")
