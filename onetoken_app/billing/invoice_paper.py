"""The data sheet of an invoice: what was asked for and what became of it, in the reader's language. Pure.

It is what finance makes the invoice from, and what the organization keeps beside it; it is no invoice.
"""

from collections.abc import Iterator, Mapping

from onetoken_app.billing.models import InvoiceKind, InvoiceState
from onetoken_app.billing.paper import Column, Paper, Table
from onetoken_app.billing.queries import InvoiceView
from onetoken_app.billing.statement_words import CHINESE, language_of
from onetoken_app.clock import iso_instant
from onetoken_app.money import format_amount

KINDS: Mapping[str, Mapping[InvoiceKind, str]] = {
    "en": {
        InvoiceKind.GENERAL_FAPIAO: "General VAT fapiao",
        InvoiceKind.SPECIAL_FAPIAO: "Special VAT fapiao",
        InvoiceKind.COMMERCIAL: "Commercial invoice",
    },
    CHINESE: {
        InvoiceKind.GENERAL_FAPIAO: "增值税普通发票",
        InvoiceKind.SPECIAL_FAPIAO: "增值税专用发票",
        InvoiceKind.COMMERCIAL: "商业发票",
    },
}
STATES: Mapping[str, Mapping[InvoiceState, str]] = {
    "en": {
        InvoiceState.REQUESTED: "Requested",
        InvoiceState.IN_WORK: "In work",
        InvoiceState.ISSUED: "Issued",
        InvoiceState.REFUSED: "Refused",
        InvoiceState.WITHDRAWN: "Withdrawn",
        InvoiceState.RED_LETTERED: "Reversed",
    },
    CHINESE: {
        InvoiceState.REQUESTED: "已申请",
        InvoiceState.IN_WORK: "处理中",
        InvoiceState.ISSUED: "已开具",
        InvoiceState.REFUSED: "已拒绝",
        InvoiceState.WITHDRAWN: "已撤回",
        InvoiceState.RED_LETTERED: "已红冲",
    },
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Invoice data sheet",
        "id": "Request",
        "state": "State",
        "kind": "Kind",
        "amount": "Amount",
        "name": "Name of the buyer",
        "tax_id": "Tax number or registration code",
        "registered_address": "Address",
        "phone": "Telephone",
        "bank_name": "Bank",
        "bank_account": "Account number",
        "delivery_email": "Sent to",
        "requested_at": "Requested (UTC)",
        "number": "Invoice number",
        "issued_on": "Date of the invoice",
        "reason": "Reason",
        "orders": "Top-ups",
        "red_letters": "Red letters",
        "none": "None.",
        "date": "Date",
        "page": "Page {page} of {pages}",
        "notice": "This sheet says what was requested and what was issued. It is no invoice.",
    },
    CHINESE: {
        "title": "发票信息单",
        "id": "申请编号",
        "state": "状态",
        "kind": "种类",
        "amount": "金额",
        "name": "购买方名称",
        "tax_id": "纳税人识别号或登记代码",
        "registered_address": "地址",
        "phone": "电话",
        "bank_name": "开户银行",
        "bank_account": "账号",
        "delivery_email": "接收邮箱",
        "requested_at": "申请时间（UTC）",
        "number": "发票号码",
        "issued_on": "开票日期",
        "reason": "原因",
        "orders": "充值订单",
        "red_letters": "红字发票",
        "none": "无。",
        "date": "日期",
        "page": "第 {page} 页，共 {pages} 页",
        "notice": "本信息单说明所申请和所开具的内容，不是发票。",
    },
}


def invoice_paper(invoice: InvoiceView, *, issuer: tuple[str, ...], locale: str) -> Paper:
    """Lay the data sheet of an invoice out."""
    reads = language_of(locale)
    words = _WORDS[reads]
    letters = Table(
        title=words["red_letters"],
        columns=(
            Column(words["number"], 30), Column(words["date"], 16), Column(words["reason"], 34),
            Column(words["amount"], 20, is_figure=True),
        ),
        rows=tuple(
            (one.number, one.issued_on.isoformat(), one.words, format_amount(one.amount_nanos))
            for one in invoice.red_letters
        ),
        words_when_empty=words["none"],
    )  # fmt: skip
    return Paper(
        language=reads,
        title=words["title"],
        subtitle=invoice.number or invoice.id,
        made_at=invoice.handled_at or invoice.requested_at,
        issuer=issuer,
        facts=tuple(_facts(invoice, reads)),
        tables=(letters,),
        notices=(words["notice"],),
        page_words=words["page"],
    )


def _facts(invoice: InvoiceView, reads: str) -> Iterator[tuple[str, str]]:
    """Name each fact with its value, from top to bottom."""
    words = _WORDS[reads]
    yield words["id"], invoice.id
    yield words["state"], STATES[reads][invoice.state]
    yield words["kind"], KINDS[reads][invoice.kind]
    yield words["amount"], f"{invoice.currency.value} {format_amount(invoice.amount_nanos)}"
    yield words["name"], invoice.title
    for name in ("tax_id", "registered_address", "phone", "bank_name", "bank_account", "delivery_email"):
        yield words[name], str(getattr(invoice, name))
    yield words["requested_at"], iso_instant(invoice.requested_at)[:19].replace("T", " ")
    yield words["number"], invoice.number or ""
    yield words["issued_on"], invoice.issued_on.isoformat() if invoice.issued_on else ""
    if invoice.order_ids:
        yield words["orders"], ", ".join(invoice.order_ids)
    if invoice.words:
        yield words["reason"], invoice.words
