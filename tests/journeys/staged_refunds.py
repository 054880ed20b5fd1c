"""Refunds of the staged business, by bank, one in each stage that people bring about."""

from onetoken_app.money import NANOS_PER_UNIT, Nanos
from onetoken_app.payments.models import PaymentProvider, RefundStage
from tests.payments import refunds
from tests.payments.orders import Cast

REFUND_NANOS: dict[RefundStage, Nanos] = {
    RefundStage.REQUESTED: 110_500_000_000,
    RefundStage.HELD: 220 * NANOS_PER_UNIT,
    RefundStage.REFUSED: 330 * NANOS_PER_UNIT,
    RefundStage.CONFIRMED: 440 * NANOS_PER_UNIT,
    RefundStage.FAILED: 55 * NANOS_PER_UNIT,
}
"""By the amount it is found on a page."""


async def refunds_in_each_stage(cast: Cast) -> None:
    """Pay two orders, and have a part of them asked back, approved, refused, confirmed and given up."""
    _, first = await refunds.a_paid_order(provider=PaymentProvider.BANK_TRANSFER, cast=cast)
    _, second = await refunds.a_paid_order(provider=PaymentProvider.BANK_TRANSFER, cast=cast)
    for stage, amount_nanos in REFUND_NANOS.items():
        order_id = second if stage is RefundStage.CONFIRMED else first
        refund_id = await refunds.ask(cast, order_id, amount_nanos=amount_nanos)
        if stage is RefundStage.REFUSED:
            await refunds.refuse(cast, refund_id)
        elif stage is not RefundStage.REQUESTED and not await refunds.approve(cast, refund_id):
            await refunds.approve(cast, refund_id, approved_by=cast.colleague_id)
        if stage is RefundStage.CONFIRMED:
            await refunds.confirm(cast, refund_id, bank_entry="2026-11-26/4")
        elif stage is RefundStage.FAILED:
            await refunds.give_up(cast, refund_id)
