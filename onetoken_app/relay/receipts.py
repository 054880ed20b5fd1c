"""Receipts as callers see them: in the headers of an answer, and at an address of their own."""

from typing import Any

import msgspec

from onetoken_app.clock import iso_instant, utc_now
from onetoken_app.database import read_session
from onetoken_app.money import MICROS_PER_UNIT, Nanos, format_amount
from onetoken_app.pricing.written import written_price
from onetoken_app.relay.authentication import authenticate
from onetoken_app.relay.errors import ReceiptNotFound
from onetoken_app.relay.open_call import OpenCall
from onetoken_app.relay.reply import Reply
from onetoken_app.relay.request_body import Receive
from onetoken_app.relay.request_head import read_head
from onetoken_app.relay.runtime import RelayRuntime
from onetoken_app.usage.receipts import ReceiptLine, ReceiptView, receipt_of

RECEIPTS_PATH = "/v1/receipts/"
RECEIPT_TEMPLATE = "/v1/receipts/{id}"
_REQUEST_ID_CHARACTERS_MAX = 32
_JSON = [(b"content-type", b"application/json")]
_encode = msgspec.json.Encoder().encode


async def show_receipt(runtime: RelayRuntime, scope: dict[str, Any], _receive: Receive, reply: Reply) -> None:
    """Answer ``GET /v1/receipts/{id}`` with any key of the organization that was charged.

    A suspended organization gets its receipts too: they say what it was charged.

    Raises:
        ReceiptNotFound: The organization has no such call, it is still open, or its record is purged.
    """
    caller = await authenticate(
        read_head(scope["headers"]), runtime.policy, key_pepper=runtime.secrets.key_pepper, now=utc_now()
    )
    request_id = scope["path"].removeprefix(RECEIPTS_PATH)
    receipt = None
    if len(request_id) <= _REQUEST_ID_CHARACTERS_MAX and request_id.isprintable():
        with runtime.supervisor.place():
            async with read_session() as session:
                receipt = await receipt_of(session, organization_id=caller.organization_id, request_id=request_id)
    if receipt is None:
        raise ReceiptNotFound("There is no receipt of such a request: it is not yours, still open, or too long ago.")
    await reply.send_whole(200, _JSON, _encode(receipt_object(receipt)))


def headers_ahead(call: OpenCall) -> list[tuple[bytes, bytes]]:
    """Return what is known of a receipt before the answer is: the model, the prices, and where it will be."""
    return [
        (b"x-onetoken-model", call.admission.offer.model.name.encode()),
        (b"x-onetoken-price-version", str(call.admission.sheet.price_version_id).encode()),
        (b"x-onetoken-receipt", f"{RECEIPTS_PATH}{call.request_id}".encode()),
    ]


def headers_of_charge(call: OpenCall, charge_nanos: Nanos) -> list[tuple[bytes, bytes]]:
    """Return what a closed call came to; its answer has not begun."""
    return [
        (b"x-onetoken-charge", format_amount(charge_nanos).encode()),
        (b"x-onetoken-currency", call.admission.sheet.currency.value.encode()),
        (b"x-onetoken-usage-source", call.usage_source.value.encode()),
    ]


def receipt_object(receipt: ReceiptView) -> dict[str, object]:
    """Return a receipt as it is sent; amounts, prices and ratios are text, exact to the last digit."""
    exchange = None
    if receipt.exchange_rate_nanos is not None:
        rate = format_amount(receipt.exchange_rate_nanos)
        exchange = {"version": receipt.exchange_rate_version, "from": receipt.price_currency.value, "rate": rate}
    return {
        "object": "receipt",
        "request_id": receipt.request_id,
        "requested_at": iso_instant(receipt.requested_at),
        "closed_at": iso_instant(receipt.closed_at),
        "outcome": receipt.outcome.value,
        "interface": receipt.interface_path,
        "stream": receipt.is_streaming,
        "model": receipt.model_name,
        "region": receipt.region,
        "status": receipt.response_status,
        "error_code": receipt.error_code or None,
        "attempts": receipt.attempt_count,
        "usage_source": receipt.usage_source,
        "usage": receipt.usage_counts,
        "price_version": receipt.price_version_id,
        "price_currency": receipt.price_currency.value,
        "tier_from_input_tokens": receipt.tier_from_input_tokens,
        "lines": [_line(line) for line in receipt.lines],
        "plan_ratio": _ratio(receipt.plan_ratio_ppm),
        "exchange_rate": exchange,
        "packages": [
            {"tokens": package.token_count, "price": format_amount(package.unit_nanos)} for package in receipt.packages
        ],
        "charge": format_amount(receipt.charge_nanos),
        "absorbed": format_amount(receipt.absorbed_nanos),
        "currency": receipt.currency.value,
    }


def _line(line: ReceiptLine) -> dict[str, object]:
    """Write a line: its share is ``count × price ÷ per``."""
    price = written_price(line.kind, line.price)
    return {"kind": line.kind.value, "count": line.count, "price": price, "per": line.per}


def _ratio(parts_per_million: int) -> str:
    """Write a ratio with all its digits."""
    whole, fraction = divmod(parts_per_million, MICROS_PER_UNIT)
    return f"{whole}.{fraction:06d}".rstrip("0").rstrip(".")
