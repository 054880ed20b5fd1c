"""Units of work of finance's desk of adjustments: what a form says is read here, and handed to the payments room."""

from collections.abc import Mapping
from typing import Any

from onetoken_app.console.callers import Caller
from onetoken_app.console.named_customers import customer_named
from onetoken_app.console.shown.adjustments import AdjustmentNames, ShownAdjustment, shown_adjustment
from onetoken_app.console.small_numbers import whole_number
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.identity.queries import names_of
from onetoken_app.ledger.queries import balance_of
from onetoken_app.money import NANOS_PER_UNIT, Nanos, parse_amount
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.organizations.queries import organizations_by_id
from onetoken_app.payments import adjustments
from onetoken_app.payments.adjustment_queries import AdjustmentView
from onetoken_app.payments.adjustments import AdjustmentForm
from onetoken_app.payments.alone import left_alone
from onetoken_app.payments.errors import AdjustmentChanged, AmountRefused
from onetoken_app.payments.models import AdjustmentReason
from onetoken_app.settings import Settings

GIVES, TAKES = "give", "take"
"""What the choice of direction posts."""


async def propose_adjustment(caller: Caller, *, settings: Settings, form: Mapping[str, Any]) -> str:
    """Propose to put the balance right of the organization that a form names; return the adjustment's id.

    Raises:
        OneTokenError: As ``payments.adjustments.propose_adjustment``.
    """
    customer = await customer_named(str(form.get("organization", "")))
    reason = str(form.get("reason", ""))
    if reason not in set(AdjustmentReason):
        raise BadRequest("Choose a reason.", parameter="reason")
    asked = AdjustmentForm(
        organization_id=customer.id,
        currency=customer.currency,
        amount_nanos=amount_of(form),
        reason=AdjustmentReason(reason),
        words=str(form.get("words", "")),
        evidence=str(form.get("evidence", "")),
        submission_id=str(form.get("submission_id", "")),
    )
    async with unit_of_work() as session:
        return await adjustments.propose_adjustment(
            session, form=asked, proposed_by=caller.person.person_id, mail_room=mail_room(settings)
        )


def amount_of(form: Mapping[str, Any]) -> Nanos:
    """Read what a form gives, or below 0 takes.

    Raises:
        AmountRefused: It is no plain amount, or has a sign.
        BadRequest: The form does not say which of both.
    """
    direction = form.get("direction")
    if direction not in (GIVES, TAKES):
        raise BadRequest("Choose whether it gives or takes.", parameter="direction")
    try:
        amount_nanos = parse_amount(str(form.get("amount", "")).strip())
    except ValueError as error:
        raise AmountRefused("Write the amount as a plain number, such as 1000.00.", parameter="amount") from error
    if amount_nanos < 0:
        raise AmountRefused(
            "Write the amount without a sign, and choose whether it gives or takes.", parameter="amount"
        )
    return -amount_nanos if direction == TAKES else amount_nanos


async def make_adjustment(caller: Caller, *, settings: Settings, form: Mapping[str, Any]) -> None:
    """Put a balance right as it was proposed.

    Raises:
        OneTokenError: As ``payments.adjustments.make_adjustment``.
    """
    adjustment_id, revision = _which(form)
    async with unit_of_work() as session:
        await adjustments.make_adjustment(
            session,
            adjustment_id=adjustment_id,
            made_by=caller.person.person_id,
            expected_revision=revision,
            second_person_above_nanos=settings.adjustment_second_person_above_units * NANOS_PER_UNIT,
            mail_room=mail_room(settings),
        )


async def drop_adjustment(caller: Caller, *, form: Mapping[str, Any]) -> None:
    """Make nothing of a proposal.

    Raises:
        OneTokenError: As ``payments.adjustments.drop_adjustment``.
    """
    adjustment_id, revision = _which(form)
    async with unit_of_work() as session:
        await adjustments.drop_adjustment(
            session, adjustment_id=adjustment_id, dropped_by=caller.person.person_id, expected_revision=revision
        )


async def shown_at_desk(
    caller: Caller, found: list[AdjustmentView], *, settings: Settings, time_zone: str
) -> list[ShownAdjustment]:
    """Show adjustments to somebody of finance, each with the balance of today."""
    limit_nanos = settings.adjustment_second_person_above_units * NANOS_PER_UNIT
    async with read_session() as session:
        people = await names_of(session, {one for view in found for one in (view.proposed_by, view.decided_by or "")})
        customers = await organizations_by_id(session, {view.organization_id for view in found})
        left = await left_alone(session, person_id=caller.person.person_id, above_nanos=limit_nanos)
        balances = {
            view.id: await balance_of(session, owner_id=view.organization_id, currency=view.currency)
            for view in found
            if view.decided_at is None
        }
    names = AdjustmentNames(people, {one.id: (one.name, one.registration_code) for one in customers.values()})
    own = {one.organization_id for one in caller.memberships}
    return [
        shown_adjustment(
            view,
            names=names,
            balance=balances.get(view.id),
            needs_another=view.proposed_by == caller.person.person_id and abs(view.amount_nanos) > left[view.currency],
            is_member=view.organization_id in own,
            time_zone=time_zone,
        )
        for view in found
    ]


def _which(form: Mapping[str, Any]) -> tuple[str, int]:
    """Read which adjustment a form is about, and as what it was seen."""
    revision = whole_number(str(form.get("revision", "")))
    if revision is None:
        raise AdjustmentChanged("This form is not complete; nothing was done. Look at the adjustment again.")
    return str(form.get("adjustment_id", "")), revision
