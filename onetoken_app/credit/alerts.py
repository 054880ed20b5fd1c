"""Mails about a balance that is low: one for each time that it falls below what the organization set.

What counts is what can be spent on any model: the balance with its credit limit, and lots for everything that have not
expired. What calls under way hold still counts, so that a large call by itself sets nothing off.
"""

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.credit.customers import checked_amount, locked_customer, note
from onetoken_app.credit.models import BalanceAlert
from onetoken_app.ledger.queries import spendable_of
from onetoken_app.money import Currency, Nanos, format_amount
from onetoken_app.notifications.credit_letters import balance_low
from onetoken_app.organizations.circulars import IN_CHARGE_OF_MONEY, MailRoom, write_to_members
from onetoken_app.organizations.models import Organization

_OWNERS_AT_ONCE = 500


async def set_alert(
    session: AsyncSession, *, organization_id: str, threshold_nanos: Nanos | None, set_by: str
) -> None:  # fmt: skip
    """Set below what the organization is told by mail; ``None``: never.

    A balance that is below it now was seen by whoever sets it; the next fall is told.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose balance.
        threshold_nanos: Whole cents from 0.01 to 10 000 000.
        set_by: A member who may; the edge checked the role.

    Raises:
        AmountRefused: It cannot be.
        NotFound: There is no such organization.
    """
    if threshold_nanos is not None:
        checked_amount(threshold_nanos, parameter="threshold")
    customer = await locked_customer(session, organization_id)
    alert = await session.get(BalanceAlert, organization_id, populate_existing=True)
    if (alert.threshold_nanos if alert else None) == threshold_nanos:
        return
    said = format_amount(threshold_nanos) if threshold_nanos is not None else None
    await note(
        session, "alert_set", actor_id=set_by, subject_id=organization_id, organization_id=organization_id,
        facts={"threshold": said, "currency": customer.currency.value},
    )  # fmt: skip
    if threshold_nanos is None:
        await session.delete(alert)
        return
    spendable = await _spendable(session, [(organization_id, customer.currency)])
    is_below = spendable[organization_id] < threshold_nanos
    now = clock.utc_now()
    if alert is None:
        alert = BalanceAlert(
            organization_id=organization_id,
            threshold_nanos=threshold_nanos,
            is_below=is_below,
            set_by=set_by,
            set_at=now,
        )
        session.add(alert)
    alert.threshold_nanos, alert.is_below, alert.set_by, alert.set_at = threshold_nanos, is_below, set_by, now
    await session.flush()


async def crossings(session: AsyncSession, *, count_max: int) -> list[str]:
    """Return some organizations whose balance is on the other side of its threshold than it was."""
    query = select(
        BalanceAlert.organization_id, BalanceAlert.threshold_nanos, BalanceAlert.is_below, Organization.currency
    ).join(Organization)
    rows = (await session.exec(query.order_by(BalanceAlert.organization_id))).all()
    found: list[str] = []
    for begin in range(0, len(rows), _OWNERS_AT_ONCE):
        some = rows[begin : begin + _OWNERS_AT_ONCE]
        spendable = await _spendable(session, [(one, Currency(currency)) for one, _, _, currency in some])
        found += [one for one, threshold, is_below, _ in some if (spendable[one] < threshold) is not is_below]
        if len(found) >= count_max:
            break
    return found[:count_max]


async def tell_crossing(session: AsyncSession, organization_id: str, *, mail_room: MailRoom) -> bool:
    """Look once more, and write if the balance fell below its threshold; return whether a mail was written.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose balance.
        mail_room: Writes to those in charge of its money.
    """
    alert = await session.get(BalanceAlert, organization_id, with_for_update=True, populate_existing=True)
    customer = await session.get(Organization, organization_id)
    if alert is None or customer is None:
        return False
    spendable = await _spendable(session, [(organization_id, customer.currency)])
    is_below = spendable[organization_id] < alert.threshold_nanos
    falls = is_below and not alert.is_below
    alert.is_below = is_below
    if falls:
        alert.told_at = clock.utc_now()
        await write_to_members(
            session,
            mail_room=mail_room,
            organization_id=organization_id,
            roles=IN_CHARGE_OF_MONEY,
            letter=lambda locale, name: balance_low(
                locale, organization_name=name, address=f"{mail_room.console_url}/credit"
            ),
        )
    await session.flush()
    return falls


async def _spendable(session: AsyncSession, customers: list[tuple[str, Currency]]) -> dict[str, Nanos]:
    """Return what each can spend on any model, in its currency."""
    totals = await spendable_of(session, owner_ids=[one for one, _ in customers], now=clock.utc_now())
    return {one: totals.get((one, currency), 0) for one, currency in customers}
