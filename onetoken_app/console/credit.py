"""Units of work around an organization's credit: what its page shows, buying a package, the threshold of its mails."""

from dataclasses import dataclass

from onetoken_app import clock
from onetoken_app.console.callers import Caller
from onetoken_app.credit.alerts import set_alert
from onetoken_app.credit.customers import amount_from_text
from onetoken_app.credit.desk import AlertView, FreezeView, PackageView, alert_of, freeze_in_force, packages
from onetoken_app.credit.lots import NamedLotView, named_lots_of
from onetoken_app.credit.packages import buy_package
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.ledger.queries import BalanceView, StandingView, balance_of, standing_of
from onetoken_app.organizations.queries import OrganizationView, organization


@dataclass(frozen=True, slots=True)
class CreditView:
    """All that an organization can spend, and how far."""

    customer: OrganizationView
    balance: BalanceView
    standing: StandingView
    lots: list[NamedLotView]
    for_sale: list[PackageView]
    freeze: FreezeView | None
    alert: AlertView | None


async def credit_of(organization_id: str) -> CreditView | None:
    """Return what an organization can spend; ``None``: there is no such organization."""
    async with read_session() as session:
        customer = await organization(session, organization_id)
        if customer is None:
            return None
        owner_id, currency = customer.id, customer.currency
        return CreditView(
            customer=customer,
            balance=await balance_of(session, owner_id=owner_id, currency=currency),
            standing=await standing_of(session, owner_id=owner_id, currency=currency),
            lots=await named_lots_of(session, organization_id=owner_id, currency=currency, now=clock.utc_now()),
            for_sale=await packages(session, currency=currency),
            freeze=await freeze_in_force(session, owner_id),
            alert=await alert_of(session, owner_id),
        )


async def buy(caller: Caller, *, package_id: str, submission_id: str) -> str:
    """Buy a package from the prepaid balance; return the sale's id.

    Raises:
        OneTokenError: As ``credit.packages.buy_package``.
    """
    async with unit_of_work() as session:
        return await buy_package(
            session,
            organization_id=caller.organization_id,
            package_id=package_id,
            submission_id=submission_id,
            bought_by=caller.person.person_id,
        )


async def tell_below(caller: Caller, *, threshold: str) -> None:
    """Set below what the organization is told by mail; nothing typed: never.

    Raises:
        OneTokenError: As ``credit.alerts.set_alert``.
    """
    typed = threshold.strip()
    async with unit_of_work() as session:
        await set_alert(
            session,
            organization_id=caller.organization_id,
            threshold_nanos=amount_from_text(typed, parameter="threshold") if typed else None,
            set_by=caller.person.person_id,
        )
