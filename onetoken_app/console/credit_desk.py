"""Units of work of finance around credit: grants, contracts with their limits, freezes; what each form says.

A form names the organization that it stood on the screen for, whatever the server has opened since.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from onetoken_app import clock
from onetoken_app.billing.contracts import ContractTerms, ContractView, agree_contract, contract_of
from onetoken_app.billing.models import BillingCycle
from onetoken_app.console.callers import Caller
from onetoken_app.console.shown.credit_desk import ShownCustomer, shown_customer
from onetoken_app.console.small_numbers import whole_number
from onetoken_app.credit import freezes, grants
from onetoken_app.credit.customers import amount_from_text
from onetoken_app.credit.desk import FreezeView, GrantView, freezes_of, frozen_among
from onetoken_app.credit.desk import grants as grants_of
from onetoken_app.credit.grants import GrantForm
from onetoken_app.credit.models import GrantKind, GrantState
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.identity.queries import names_of
from onetoken_app.ledger.queries import spendable_of
from onetoken_app.money import NANOS_PER_UNIT
from onetoken_app.organizations.circulars import mail_room
from onetoken_app.organizations.queries import organizations
from onetoken_app.settings import Settings

Form = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HistoryView:
    """What was done about an organization's credit, and by whom."""

    grants: list[GrantView]
    freezes: list[FreezeView]
    contract: ContractView | None
    names: dict[str, str]
    """Of people, by id."""


async def customers() -> list[ShownCustomer]:
    """Return every organization with what it can spend on any model."""
    async with read_session() as session:
        found = await organizations(session)
        ids = [one.id for one in found]
        spendable = await spendable_of(session, owner_ids=ids, now=clock.utc_now())
        frozen = await frozen_among(session, ids)
    return [
        shown_customer(
            one, spendable_nanos=spendable.get((one.id, one.currency), 0), is_frozen=one.id in frozen
        )
        for one in found
    ]  # fmt: skip


async def waiting_grants() -> tuple[list[GrantView], dict[str, str]]:
    """Return the grants that wait for a second person, and what people are called."""
    async with read_session() as session:
        found = await grants_of(session, state=GrantState.PROPOSED)
        return found, await names_of(session, {one.proposed_by for one in found})


async def history_of(organization_id: str) -> HistoryView:
    """Return what was done about an organization's credit."""
    async with read_session() as session:
        given = await grants_of(session, organization_id=organization_id)
        frozen = await freezes_of(session, organization_id)
        people = {one.proposed_by for one in given} | {one.decided_by for one in given}
        people |= {one.frozen_by for one in frozen} | {one.lifted_by for one in frozen}
        names = await names_of(session, {one for one in people if one})
        return HistoryView(given, frozen, await contract_of(session, organization_id), names)


async def give(caller: Caller, settings: Settings, form: Form) -> bool:
    """Give credit, or propose it; return whether it was given.

    Raises:
        OneTokenError: As ``credit.grants.propose_grant``; something cannot be read.
    """
    kind = _said(form, "grant_kind")
    if kind not in set(GrantKind):
        raise BadRequest("Choose a kind.", parameter="grant_kind")
    wanted = GrantForm(
        _said(form, "organization_id"),
        GrantKind(kind),
        amount_from_text(_said(form, "amount")),
        _day(form, "last_day"),
        _said(form, "reason"),
        _said(form, "submission_id"),
    )
    async with unit_of_work() as session:
        grant = await grants.propose_grant(
            session,
            wanted,
            proposed_by=caller.person.person_id,
            second_person_above_nanos=settings.grant_second_person_above_units * NANOS_PER_UNIT,
            mail_room=mail_room(settings),
        )
        return grant.state is GrantState.GRANTED


async def approve(caller: Caller, settings: Settings, grant_id: str) -> None:
    """Give what a colleague proposed.

    Raises:
        OneTokenError: As ``credit.grants.approve_grant``.
    """
    async with unit_of_work() as session:
        await grants.approve_grant(
            session, grant_id=grant_id, approved_by=caller.person.person_id, mail_room=mail_room(settings)
        )


async def refuse(caller: Caller, grant_id: str) -> None:
    """Give nothing.

    Raises:
        OneTokenError: As ``credit.grants.refuse_grant``.
    """
    async with unit_of_work() as session:
        await grants.refuse_grant(session, grant_id=grant_id, refused_by=caller.person.person_id)


async def agree(caller: Caller, settings: Settings, form: Form) -> None:
    """Enter or change a contract, and with it the credit limit.

    Raises:
        OneTokenError: As ``billing.contracts.agree_contract``; something cannot be read.
    """
    cycle, revision = _said(form, "cycle"), _said(form, "contract_revision")
    if cycle not in set(BillingCycle):
        raise BadRequest("Choose a cycle.", parameter="cycle")
    terms = ContractTerms(
        number=_said(form, "number"),
        credit_limit_nanos=amount_from_text(_said(form, "credit_limit"), parameter="credit_limit"),
        cycle=BillingCycle(cycle),
        payment_days=_count(form, "payment_days"),
        starts_on=_day(form, "starts_on"),
        ends_on=_day(form, "ends_on") if _said(form, "ends_on") else None,
    )
    async with unit_of_work() as session:
        await agree_contract(
            session,
            organization_id=_said(form, "organization_id"),
            terms=terms,
            reason=_said(form, "reason"),
            agreed_by=caller.person.person_id,
            limit_max_nanos=settings.contract_credit_limit_max_units * NANOS_PER_UNIT,
            expected_revision=_count(form, "contract_revision") if revision else None,
        )


async def freeze(caller: Caller, settings: Settings, form: Form) -> None:
    """Freeze an organization's credit.

    Raises:
        OneTokenError: As ``credit.freezes.freeze_credit``.
    """
    async with unit_of_work() as session:
        await freezes.freeze_credit(
            session,
            organization_id=_said(form, "organization_id"),
            reason=_said(form, "reason"),
            frozen_by=caller.person.person_id,
            mail_room=mail_room(settings),
        )


async def release(caller: Caller, settings: Settings, form: Form) -> None:
    """Release an organization's credit.

    Raises:
        OneTokenError: As ``credit.freezes.release_credit``.
    """
    async with unit_of_work() as session:
        await freezes.release_credit(
            session,
            organization_id=_said(form, "organization_id"),
            reason=_said(form, "reason"),
            lifted_by=caller.person.person_id,
            mail_room=mail_room(settings),
        )


def _said(form: Form, name: str) -> str:
    """Return what stands in a field."""
    return str(form.get(name, "")).strip()


def _day(form: Form, name: str) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(_said(form, name))
    except ValueError as error:
        raise BadRequest("Choose a day.", parameter=name) from error


def _count(form: Form, name: str) -> int:
    """Read a small whole number."""
    number = whole_number(_said(form, name), digits_max=6)
    if number is None:
        raise BadRequest("Write a whole number.", parameter=name)
    return number
