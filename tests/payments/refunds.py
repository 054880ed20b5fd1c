"""Refunds at every stage, by the verbs that lead there, and a provider that counts what it paid out."""

import json
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qsl

import sqlalchemy as sa
from sqlmodel import select

from onetoken_app.billing.invoiceable import not_invoiced
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.models import Transaction, TransactionKind
from onetoken_app.ledger.verification import verify
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos
from onetoken_app.payments import refunds
from onetoken_app.payments.models import NewsKind, NewsOutcome, PaymentProvider, RefundRefusal, RefundStage
from onetoken_app.payments.providers.protocol import PaymentNews
from onetoken_app.payments.refund_queries import RefundView, refund_for_staff
from onetoken_app.payments.settling import settle
from tests.payments.orders import AMOUNT, MAIL_ROOM, Cast, a_cast, place, report, the_balance
from tests.payments.orders import approve as approve_transfer
from tests.payments.scripted_provider import Answer, Asked
from tests.payments.stripe_events import Json, checked

LIMIT: Nanos = 500 * NANOS_PER_UNIT
_forms = count(1)


@dataclass(slots=True)
class RefundingStripe:
    """A provider that pays a refund out once per idempotency key, and remembers which."""

    status: str = "succeeded"
    """Of what it is told from now on."""
    paid_out: dict[str, Json] = field(default_factory=dict)
    """By idempotency key."""

    def script(self, asked: Asked) -> Answer:
        """Pay out, or list what was."""
        if asked.method == "GET":
            found = list(self.paid_out.values())
            return Answer(
                json.dumps({"object": "list", "data": found, "has_more": False, "url": "/v1/refunds"}).encode()
            )
        form, key = dict(parse_qsl(asked.body.decode())), asked.headers["idempotency-key"]
        made = {
            "id": f"re_{len(self.paid_out) + 1}",
            "object": "refund",
            "status": self.status,
            "amount": int(form["amount"]),
            "metadata": {"onetoken_refund": form["metadata[onetoken_refund]"]},
        }
        return Answer(json.dumps(self.paid_out.setdefault(key, checked(made))).encode())

    def refuses(self, asked: Asked) -> Answer:
        """Refuse to pay out, and have no refund."""
        if asked.method == "GET":
            return self.script(asked)
        return Answer(b'{"error": {"type": "invalid_request_error", "message": "no"}}', 400)


async def a_paid_order(
    *, provider: PaymentProvider = PaymentProvider.STRIPE, amount_nanos: Nanos = AMOUNT, cast: Cast | None = None
) -> tuple[Cast, str]:
    """Make an order that is credited."""
    cast = cast or await a_cast()
    number = next(_forms)
    order_id = await place(cast, provider=provider, amount_nanos=amount_nanos, submission_id=f"form-{number:04}")
    if provider.is_by_hand:
        await report(cast, order_id)
        # Not by whoever approves the refund: what one person decides alone counts together.
        assert await approve_transfer(cast, order_id, bank_entry=f"IN-{number}", approved_by=cast.colleague_id)
    else:
        news = PaymentNews(
            NewsKind.PAID, f"evt_paid_{order_id}", order_id, f"pi_{order_id}", Currency.USD.value, amount_nanos
        )
        async with unit_of_work() as session:
            assert await settle(session, provider=provider, news=news, mail_room=MAIL_ROOM) is NewsOutcome.CREDITED
    return cast, order_id


async def ask(
    cast: Cast,
    order_id: str,
    *,
    amount_nanos: Nanos = LIMIT,
    asked_by: str = "",
    organization_id: str | None = "",
    submission_id: str = "",
) -> str:
    """Ask for a part of an order back."""
    async with unit_of_work() as session:
        left = await not_invoiced(session, organization_id=cast.organization_id, currency=Currency.USD)
        return await refunds.ask_for_refund(
            session,
            order_id=order_id,
            organization_id=cast.organization_id if organization_id == "" else organization_id,
            amount_nanos=amount_nanos,
            submission_id=submission_id or f"refund-form-{next(_forms):04}",
            words="We ordered too much.",
            asked_by=asked_by or cast.payer_id,
            not_invoiced_nanos=left,
            mail_room=MAIL_ROOM,
        )


async def the_refund(refund_id: str) -> RefundView:
    """Return a refund."""
    async with read_session() as session:
        found = await refund_for_staff(session, refund_id)
    assert found is not None
    return found


async def approve(cast: Cast, refund_id: str, *, approved_by: str = "", expected_revision: int | None = None) -> bool:
    """Approve it, as it is or as it was at a revision."""
    seen = await the_refund(refund_id)
    async with unit_of_work() as session:
        left = await not_invoiced(session, organization_id=cast.organization_id, currency=Currency.USD)
        return await refunds.approve_refund(
            session,
            refund_id=refund_id,
            approved_by=approved_by or cast.finance_id,
            expected_revision=expected_revision or seen.revision,
            not_invoiced_nanos=left,
            second_person_above_nanos=LIMIT,
            mail_room=MAIL_ROOM,
        )


async def refuse(cast: Cast, refund_id: str, *, refused_by: str = "") -> None:
    """Refuse it."""
    async with unit_of_work() as session:
        await refunds.refuse_refund(
            session,
            refund_id=refund_id,
            refused_by=refused_by or cast.finance_id,
            expected_revision=(await the_refund(refund_id)).revision,
            reason=RefundRefusal.OTHER,
            words="As agreed by phone.",
            mail_room=MAIL_ROOM,
        )


async def withdraw(cast: Cast, refund_id: str, *, organization_id: str = "") -> None:
    """Take a refund back as its organization does."""
    async with unit_of_work() as session:
        await refunds.withdraw_refund(
            session,
            organization_id=organization_id or cast.organization_id,
            refund_id=refund_id,
            withdrawn_by=cast.payer_id,
        )


async def confirm(cast: Cast, refund_id: str, *, bank_entry: str = "OUT-1") -> None:
    """Say that it was transferred."""
    seen = await the_refund(refund_id)
    async with unit_of_work() as session:
        await refunds.confirm_transfer_back(
            session,
            refund_id=refund_id,
            confirmed_by=cast.finance_id,
            expected_revision=seen.revision,
            bank_entry=bank_entry,
            mail_room=MAIL_ROOM,
        )


async def give_up(cast: Cast, refund_id: str) -> None:
    """Say that it could not be transferred."""
    seen = await the_refund(refund_id)
    async with unit_of_work() as session:
        await refunds.give_up_transfer_back(
            session,
            refund_id=refund_id,
            given_up_by=cast.finance_id,
            expected_revision=seen.revision,
            words="The account is closed.",
            mail_room=MAIL_ROOM,
        )


async def spend(cast: Cast, amount_nanos: Nanos) -> None:
    """Take credit from the balance, as a call would."""
    async with unit_of_work() as session:
        await ledger.adjust(
            session,
            owner_id=cast.organization_id,
            currency=Currency.USD,
            amount_nanos=-amount_nanos,
            reference=f"test:spent:{next(_forms)}",
        )


async def moved(cast: Cast) -> tuple[int, int, Nanos]:
    """Count the refunds and the returned refunds in the ledger, see that it adds up, and return the balance."""
    async with read_session() as session:
        query = select(Transaction.kind, sa.func.count()).group_by(Transaction.kind)
        counts = dict((await session.exec(query)).all())
    async with read_session() as session:
        assert (await verify(session)).is_ok
    return (
        counts.get(TransactionKind.REFUND, 0),
        counts.get(TransactionKind.REFUND_RETURN, 0),
        (await the_balance(cast)).posted_nanos,
    )


async def stage_of(refund_id: str) -> RefundStage:
    """Return how far a refund is."""
    return (await the_refund(refund_id)).stage
