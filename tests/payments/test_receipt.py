"""A receipt says exactly what was paid, in both languages, and nothing in it becomes markup."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.payments.models import PaymentProvider
from onetoken_app.payments.queries import ReceiptView
from onetoken_app.payments.receipt import receipt_page

RECEIPT = ReceiptView(
    number="top_1",
    reference_code="OT-7K4M2QXB",
    organization_name="Test Ltd",
    registration_code="91350100M000100Y43",
    currency=Currency.CNY,
    amount_nanos=12_345 * NANOS_PER_UNIT + NANOS_PER_UNIT // 2,
    provider=PaymentProvider.BANK_TRANSFER,
    external_payment_id="",
    payer_name="Test Ltd",
    bank_reference="BANK-1",
    paid_on=date(2026, 11, 23),
    ordered_at=datetime(2026, 11, 22, 8, tzinfo=UTC),
    credited_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
    statement_version="2026-05-18",
    statement_sha256="ab" * 32,
)
FACTS = (
    "CNY 12,345.50",
    "OT-7K4M2QXB",
    "Test Ltd",
    "91350100M000100Y43",
    "BANK-1",
    "2026-11-23",
    "2026-11-22 08:00:00",
    "2026-11-24 09:30:00",
    "ab" * 32,
    "top_1",
)


class TestReceiptPage:
    @pytest.mark.parametrize(
        ("locale", "title"), [("en", "Receipt"), ("zh-CN", "收据"), ("fr", "Receipt")], ids=["en", "zh-CN", "another"]
    )
    def test_says_everything_in_the_readers_language(self, locale: str, title: str) -> None:
        page = receipt_page(RECEIPT, issuer="https://console.test.example", locale=locale)
        assert [
            fact for fact in (*FACTS, f"<h1>{title}</h1>", "https://console.test.example") if fact not in page
        ] == []

    def test_what_somebody_typed_stays_text(self) -> None:
        typed = replace(RECEIPT, payer_name='<script>alert("x")</script>', organization_name="<b>&amp;")
        page = receipt_page(typed, issuer="http://localhost", locale="en")
        assert "<script" not in page
        assert "<b>" not in page
        assert "&lt;script&gt;" in page

    def test_what_was_left_out_is_a_dash(self) -> None:
        page = receipt_page(replace(RECEIPT, bank_reference="", paid_on=None), issuer="http://localhost", locale="en")
        assert page.count("<dd>–</dd>") == 2

    @pytest.mark.parametrize(
        ("provider", "english", "chinese"),
        [
            (PaymentProvider.STRIPE, "paid by Stripe", "以 Stripe 支付"),
            (PaymentProvider.ALIPAY, "paid by Alipay", "以支付宝支付"),
            (PaymentProvider.WECHAT_PAY, "paid by WeChat Pay", "以微信支付"),
        ],
    )
    def test_names_the_payment_provider_and_its_number(
        self, provider: PaymentProvider, english: str, chinese: str
    ) -> None:
        paid = replace(RECEIPT, provider=provider, external_payment_id="pi_1", payer_name="", bank_reference="")
        for locale, words in (("en", english), ("zh-CN", chinese)):
            page = receipt_page(paid, issuer="http://localhost", locale=locale)
            assert words in page
            assert "<dd>pi_1</dd>" in page
            assert "<dd>–</dd>" not in page
