"""Statements and invoices of the staged business: closed months of one that pays afterwards, invoices in each state."""

from dataclasses import replace
from datetime import timedelta

import pytest

from onetoken_app.billing.contracts import ContractTerms, agree_contract
from onetoken_app.billing.details import BuyerDetails
from onetoken_app.billing.models import BillingCycle
from onetoken_app.clock import utc_now
from onetoken_app.database import unit_of_work
from onetoken_app.ledger import service as ledger
from onetoken_app.money import NANOS_PER_UNIT, Currency
from onetoken_app.payments.adjustments import AdjustmentForm, make_adjustment, propose_adjustment
from onetoken_app.payments.models import AdjustmentReason
from onetoken_app.settings import Settings
from tests.billing import invoices
from tests.billing.months import Books, at
from tests.ledger.desks import a_desk
from tests.payments import orders

_MOMENT = "%Y-%m-%dT%H:%M"
_DETAILS = BuyerDetails(
    "深圳市南山区科技园科苑路 15 号 11 楼", "0755-8600 0000", "示例银行深圳分行", "6222 0000 0000 0001"
)


async def months_of_a_debtor(settings: Settings, *, agreed_by: str) -> str:
    """Add an organization that pays afterwards, with three closed months, of which one is overdue; return its id.

    It comes before every other movement of money: the journal's moments grow with its numbers.

    Args:
        settings: Of the installation, whose database is in use.
        agreed_by: Who of finance enters the contract.
    """
    now = utc_now()
    this = now.replace(day=1, hour=0, minute=0)
    last = (this - timedelta(days=1)).replace(day=1)
    before = (last - timedelta(days=1)).replace(day=1)
    desk = a_desk(settings)
    with pytest.MonkeyPatch.context() as patched:
        books = Books(desk=desk, settings=settings, monkeypatch=patched)
        await books.open(moment=f"{before - timedelta(days=12):{_MOMENT}}")
        await books.top_up(f"{before - timedelta(days=11):{_MOMENT}}", 2_000 * NANOS_PER_UNIT)
        terms = ContractTerms(
            number="OT-2026-0117",
            credit_limit_nanos=50_000 * NANOS_PER_UNIT,
            cycle=BillingCycle.MONTHLY,
            payment_days=(now - last).days - 2,
            starts_on=before.date(),
        )
        async with unit_of_work() as session:
            await agree_contract(
                session,
                organization_id=books.organization_id,
                terms=terms,
                agreed_by=agreed_by,
                expected_revision=None,
                limit_max_nanos=100_000 * NANOS_PER_UNIT,
            )
        await books.move(
            f"{before + timedelta(days=2):{_MOMENT}}", ledger.grant_promotional_credit, 300 * NANOS_PER_UNIT,
            expires_at=at(f"{last + timedelta(days=9):{_MOMENT}}"),
        )  # fmt: skip
        for days, nanos, model, key in (
            (4, 1_912_340_000_000, "qwen3-235b-a22b-instruct-2507", "production"),
            (9, 1_270_000_125_000, "glm-4.6-flash", "production"),
            (33, 880_450_000_490, "qwen3-235b-a22b-instruct-2507", "production"),
            (40, 12_000, "glm-4.6-flash", "customer-support-assistant-staging"),
        ):
            books.call(f"{before + timedelta(days=days):{_MOMENT}}", nanos, model=model, key=key)
        await books.close_months(f"{this + timedelta(hours=7):{_MOMENT}}")
        books.call(f"{this + timedelta(hours=8):{_MOMENT}}", 41_300_000_000, model="glm-4.6-flash", key="production")
    desk.backend.close()
    return books.organization_id


async def invoices_in_each_state(cast: orders.Cast, settings: Settings) -> None:
    """Ask for invoices of an organization that paid, one for each state; the newest waits for finance."""
    customer = invoices.Customer(cast, Currency.USD)
    states = ("refused", "withdrawn", "reversed", "partly", "issued", "in-work", "requested")
    asked = {
        state: await invoices.ask(
            customer,
            units=(number + 1) * 111,
            submission_id=f"form-{state}",
            details=_DETAILS if number % 2 else replace(_DETAILS, bank_name="", bank_account=""),
            delivery_email="books@lantern.example",
        )
        for number, state in enumerate(states)
    }
    await invoices.refuse(customer, asked["refused"], words="Please ask for one invoice for the whole quarter.")
    await invoices.withdraw(customer, asked["withdrawn"])
    for number, state in enumerate(("reversed", "partly", "issued")):
        await invoices.issue(customer, asked[state], number=f"2644200000001234567{number}")
    await invoices.reverse(customer, asked["reversed"], units=333, number="26442000000012345690")
    await invoices.reverse(customer, asked["partly"], units=44, number="26442000000012345691")
    await invoices.take(customer, asked["in-work"])
    letter = (await invoices.the_invoice(asked["partly"])).red_letters[0]
    for paper_id, name in ((asked["partly"], "发票 26442000000012345671.xml"), (letter.id, "红字发票.xml")):
        await invoices.put_file(customer, asked["partly"], paper_id=paper_id, name=name, settings=settings)


async def adjustments_of_all_kinds(cast: orders.Cast) -> None:
    """Adjust a balance by hand: one that needs a colleague, one of a colleague that takes, and one that is made."""
    kinds = (
        (150_000_000_000_000, AdjustmentReason.PAYMENT_UNMATCHED, "A transfer without an order.", cast.finance_id),
        (
            -12_340_000_000,
            AdjustmentReason.CHARGED_WRONGLY,
            "Calls of 3 May cost more.",
            cast.colleague_id,
        ),
        (
            75 * NANOS_PER_UNIT,
            AdjustmentReason.SERVICE_FAILED,
            "Credit for the outage of 12 November.",
            cast.finance_id,
        ),
    )
    made = []
    for number, (amount_nanos, reason, words, by) in enumerate(kinds):
        form = AdjustmentForm(
            organization_id=cast.organization_id, currency=Currency.USD, amount_nanos=amount_nanos, reason=reason,
            words=words, evidence=f"Letter 2026-{number + 1} on file", submission_id=f"staged-{number}",
        )  # fmt: skip
        async with unit_of_work() as session:
            made.append(await propose_adjustment(session, form=form, proposed_by=by, mail_room=orders.MAIL_ROOM))
    async with unit_of_work() as session:
        await make_adjustment(
            session, adjustment_id=made[-1], made_by=cast.colleague_id, expected_revision=1,
            second_person_above_nanos=100 * NANOS_PER_UNIT, mail_room=orders.MAIL_ROOM,
        )  # fmt: skip
