"""The receipt of a credited order: one page that prints on a sheet of paper, in the reader's language. Pure.

It needs nothing from anywhere: no script, no picture, no font. Every value is escaped.
"""

from datetime import UTC, datetime
from html import escape

from onetoken_app.money import format_amount
from onetoken_app.payments.queries import ReceiptView

STYLE = """
@page { margin: 22mm; }
body { max-width: 44rem; margin: 2.5rem auto; padding: 0 1.25rem; color: #15262b; background: #fff;
  font: 14px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
h1 { margin: 0; font-size: 22px; font-weight: 600; }
.issuer { margin: 0 0 1.5rem; color: #566a70; }
.amount { margin: 0 0 1.5rem; padding: 1rem 0; border-top: 2px solid #12313a; border-bottom: 1px solid #c3cdcf;
  font-size: 28px; font-weight: 600; font-variant-numeric: tabular-nums; }
.amount small { display: block; color: #566a70; font-size: 13px; font-weight: 400; }
dl { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; margin: 0; }
dt, dd { margin: 0; padding: .45rem 0; border-bottom: 1px solid #dde3e4; overflow-wrap: anywhere; }
dt { padding-right: 1rem; color: #566a70; }
.notice { margin: 1.5rem 0 0; color: #566a70; font-size: 13px; }
""".strip()
"""Its SHA-256 is all that the page's content policy admits."""
_CHINESE = "zh-CN"
_WORDS = {
    "en": {
        "title": "Receipt",
        "amount": "Amount received and credited",
        "what": "For",
        "bank_transfer": "Top-up of prepaid credit by bank transfer",
        "stripe": "Top-up of prepaid credit, paid by Stripe",
        "alipay": "Top-up of prepaid credit, paid by Alipay",
        "wechat_pay": "Top-up of prepaid credit, paid by WeChat Pay",
        "organization": "Organization",
        "code": "Registration code",
        "reference": "Reference code",
        "external_payment": "Number of the payment",
        "payer": "Payer",
        "bank_reference": "Payer's bank's number",
        "paid_on": "Day of the transfer",
        "ordered_at": "Ordered (UTC)",
        "credited_at": "Credited (UTC)",
        "statement": "Consented statement",
        "number": "Number of this receipt",
        "version": "version",
        "notice": "This receipt says that the amount arrived and was credited. It is no tax invoice.",
    },
    _CHINESE: {
        "title": "收据",
        "amount": "已收到并入账的金额",
        "what": "事项",
        "bank_transfer": "以银行转账方式充值预付额度",
        "stripe": "以 Stripe 支付充值预付额度",
        "alipay": "以支付宝支付充值预付额度",
        "wechat_pay": "以微信支付充值预付额度",
        "organization": "组织",
        "code": "登记代码",
        "reference": "付款附言码",
        "external_payment": "支付流水号",
        "payer": "付款人",
        "bank_reference": "付款银行流水号",
        "paid_on": "转账日期",
        "ordered_at": "下单时间（UTC）",
        "credited_at": "入账时间（UTC）",
        "statement": "已同意的说明",
        "number": "收据编号",
        "version": "版本",
        "notice": "本收据证明款项已收到并入账，不能替代税务发票。",
    },
}


def receipt_page(receipt: ReceiptView, *, issuer: str, locale: str) -> str:
    """Write the receipt of a credited order.

    Args:
        receipt: What was paid and credited.
        issuer: The installation's address, as a browser sees it.
        locale: The reader's; English for a language that it is not written in.
    """
    reads = _CHINESE if locale == _CHINESE else "en"
    words = _WORDS[reads]
    facts = "".join(
        f"<dt>{words[name]}</dt><dd>{escape(value) or '–'}</dd>\n" for name, value in _facts(receipt, words)
    )
    amount = f"{receipt.currency.value} {_grouped(format_amount(receipt.amount_nanos))}"
    return f"""<!doctype html>
<html lang="{reads}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{words["title"]} {escape(receipt.reference_code)} · OneToken</title>
<style>{STYLE}</style></head>
<body>
<h1>{words["title"]}</h1>
<p class="issuer">OneToken · {escape(issuer)}</p>
<p class="amount"><small>{words["amount"]}</small>{amount}</p>
<dl>
{facts}</dl>
<p class="notice">{words["notice"]}</p>
</body>
</html>
"""


def _facts(receipt: ReceiptView, words: dict[str, str]) -> list[tuple[str, str]]:
    """Name each fact with its value, from top to bottom."""
    transfer = [
        ("payer", receipt.payer_name),
        ("bank_reference", receipt.bank_reference),
        ("paid_on", receipt.paid_on.isoformat() if receipt.paid_on else ""),
    ]
    return [
        ("what", words[receipt.provider.value]),
        ("organization", receipt.organization_name),
        ("code", receipt.registration_code),
        ("reference", receipt.reference_code),
        *(transfer if receipt.provider.is_by_hand else [("external_payment", receipt.external_payment_id)]),
        ("ordered_at", _moment(receipt.ordered_at)),
        ("credited_at", _moment(receipt.credited_at)),
        ("statement", f"{words['version']} {receipt.statement_version} · SHA-256 {receipt.statement_sha256}"),
        ("number", receipt.number),
    ]


def _moment(moment: datetime) -> str:
    """Write a moment to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _grouped(amount: str) -> str:
    """Group the whole part of an amount by thousands."""
    whole, _, decimals = amount.partition(".")
    return f"{int(whole):,}.{decimals}"
