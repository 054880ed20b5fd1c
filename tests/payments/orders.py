"""Orders in every state, by the verbs that lead there."""

from dataclasses import dataclass
from datetime import date

from onetoken_app import clock
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.identity.models import StaffRole
from onetoken_app.ledger.queries import BalanceView, balance_of
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.organizations.circulars import MailRoom
from onetoken_app.organizations.models import OrganizationRole
from onetoken_app.payments import approvals, orders
from onetoken_app.payments.models import OrderState, PaymentProvider, TransferRefusal
from onetoken_app.payments.queries import OrderView, order_for_staff
from onetoken_app.payments.statement import Statement, current_statement
from tests.support.builders import a_person, an_organization

MAIL_ROOM = MailRoom(bytes(32), "https://console.test.example")
AMOUNT: Nanos = 1_000 * NANOS_PER_UNIT
LIMIT: Nanos = 10_000 * NANOS_PER_UNIT


@dataclass(frozen=True, slots=True)
class Cast:
    """An organization with somebody who pays, and two of finance."""

    organization_id: str
    payer_id: str
    finance_id: str
    colleague_id: str


async def a_cast(*, is_verified: bool = True, currency: Currency = Currency.USD) -> Cast:
    """Add a verified organization, somebody in charge of its money, and two of finance."""
    async with unit_of_work() as session:
        organization_id = await an_organization(session, is_verified=is_verified, currency=currency)
        return Cast(
            organization_id=organization_id,
            payer_id=await a_person(session, organization_id=organization_id, role=OrganizationRole.BILLING),
            finance_id=await a_person(session, staff_role=StaffRole.FINANCE),
            colleague_id=await a_person(session, staff_role=StaffRole.FINANCE),
        )


async def place(
    cast: Cast,
    *,
    amount_nanos: Nanos = AMOUNT,
    submission_id: str = "form-0001",
    statement: Statement | None = None,
    valid_days: int = 30,
    provider: PaymentProvider = PaymentProvider.BANK_TRANSFER,
) -> str:
    """Make an order."""
    async with unit_of_work() as session:
        return await orders.place_order(
            session,
            organization_id=cast.organization_id,
            amount_nanos=amount_nanos,
            submission_id=submission_id,
            statement=statement or current_statement("en"),
            consented_by=cast.payer_id,
            caller_ip="198.51.100.7",
            user_agent="test",
            valid_days=valid_days,
            provider=provider,
        )


async def report(
    cast: Cast,
    order_id: str,
    *,
    bank_reference: str = "BANK-1",
    paid_on: date | None = None,
    payer_name: str = "Test Ltd",
    organization_id: str = "",
) -> None:
    """Report its transfer."""
    async with unit_of_work() as session:
        await orders.report_transfer(
            session,
            organization_id=organization_id or cast.organization_id,
            order_id=order_id,
            reported_by=cast.payer_id,
            payer_name=payer_name,
            bank_reference=bank_reference,
            paid_on=paid_on or clock.utc_now().date(),
            mail_room=MAIL_ROOM,
        )


async def the_order(order_id: str) -> OrderView:
    """Return an order."""
    async with read_session() as session:
        found = await order_for_staff(session, order_id)
    assert found is not None
    return found


async def approve(
    cast: Cast,
    order_id: str,
    *,
    approved_by: str = "",
    received_nanos: Nanos | None = None,
    bank_entry: str = "ENTRY-1",
    expected_revision: int | None = None,
) -> bool:
    """Approve its transfer, as it is or as it was at a revision."""
    seen = await the_order(order_id)
    async with unit_of_work() as session:
        return await approvals.approve_transfer(
            session,
            order_id=order_id,
            approved_by=approved_by or cast.finance_id,
            expected_revision=expected_revision or seen.revision,
            received_nanos=seen.amount_nanos if received_nanos is None else received_nanos,
            bank_entry=bank_entry,
            second_person_above_nanos=LIMIT,
            mail_room=MAIL_ROOM,
        )


async def refuse(
    cast: Cast, order_id: str, *, reason: TransferRefusal = TransferRefusal.NOT_RECEIVED, words: str = ""
) -> None:
    """Refuse its transfer."""
    seen = await the_order(order_id)
    async with unit_of_work() as session:
        await approvals.refuse_transfer(
            session,
            order_id=order_id,
            refused_by=cast.finance_id,
            expected_revision=seen.revision,
            reason=reason,
            words=words,
            mail_room=MAIL_ROOM,
        )


async def cancel(cast: Cast, order_id: str) -> None:
    """Call an order off."""
    async with unit_of_work() as session:
        await orders.cancel_order(
            session, organization_id=cast.organization_id, order_id=order_id, cancelled_by=cast.payer_id
        )


async def an_order_in(state: OrderState, *, amount_nanos: Nanos = AMOUNT) -> tuple[Cast, str]:
    """Lead a new order into a state."""
    cast = await a_cast()
    order_id = await place(cast, amount_nanos=amount_nanos)
    if state is OrderState.CANCELLED:
        await cancel(cast, order_id)
    elif state is not OrderState.OPEN:
        await report(cast, order_id)
    if state is OrderState.CREDITED:
        assert await approve(cast, order_id)
    elif state is OrderState.REFUSED:
        await refuse(cast, order_id)
    return cast, order_id


async def the_balance(cast: Cast) -> BalanceView:
    """Return the organization's balance."""
    async with read_session() as session:
        return await balance_of(session, owner_id=cast.organization_id, currency=Currency.USD)
