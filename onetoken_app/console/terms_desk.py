"""Units of work of finance's desk of plans and rates: what a form says is read here, and handed to the pricing room."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from onetoken_app import clock
from onetoken_app.catalog.queries import models
from onetoken_app.console.callers import Caller
from onetoken_app.console.prices import moment_of
from onetoken_app.console.shown.terms import (
    ShownAssignment,
    ShownPayer,
    ShownPlan,
    ShownRate,
    ShownSpecial,
    ShownTermsDraft,
    shown_assignment,
    shown_payer,
    shown_plan,
    shown_rate,
    shown_special,
    shown_terms_draft,
)
from onetoken_app.console.small_numbers import whole_number
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.identity.queries import names_of
from onetoken_app.money import Currency, parse_amount, parse_price
from onetoken_app.organizations.queries import organizations
from onetoken_app.pricing import terms
from onetoken_app.pricing.models import TermsKind
from onetoken_app.pricing.queries import plans_by_organization, ratios_by_plan
from onetoken_app.pricing.terms import Terms
from onetoken_app.pricing.terms_queries import (
    assignments_of,
    exchange_versions,
    plans,
    special_versions,
    waiting_terms,
)
from onetoken_app.settings import Settings

RATES_SHOWN = 20
NUMBER_CHARACTERS_MAX = 32
PLAN_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything but the organization that is open."""

    plans: list[ShownPlan]
    payers: list[ShownPayer]
    offers: list[ShownSpecial]
    rates: list[ShownRate]


@dataclass(frozen=True, slots=True)
class OpenPayer:
    """What an organization is charged by, beside the list."""

    assignments: list[ShownAssignment]
    contracted: list[ShownSpecial]


async def read_desk(time_zone: str) -> Desk:
    """Read plans, organizations, offers and the last exchange rates."""
    now = clock.utc_now()
    async with read_session() as session:
        ratios, assigned = await ratios_by_plan(session, now=now), await plans_by_organization(session, now=now)
        names = {one.id: one.name for one in await models(session)}
        offers = await special_versions(session, now=now)
        return Desk(
            plans=[shown_plan(one, time_zone=time_zone) for one in await plans(session, now=now)],
            payers=[shown_payer(one, plans=assigned, ratios=ratios) for one in await organizations(session)],
            offers=shown_special(offers, models=names, now=now, time_zone=time_zone),
            rates=[
                shown_rate(one, now=now, time_zone=time_zone)
                for one in await exchange_versions(session, now=now, limit=RATES_SHOWN)
            ],
        )


async def read_payer(organization_id: str, time_zone: str) -> OpenPayer:
    """Read one organization's plans and contracted prices."""
    now = clock.utc_now()
    async with read_session() as session:
        assigned = await assignments_of(session, organization_id)
        names = {one.id: one.name for one in await models(session)}
        contracted = await special_versions(session, now=now, organization_id=organization_id)
    return OpenPayer(
        assignments=[shown_assignment(one, now=now, time_zone=time_zone) for one in assigned],
        contracted=shown_special(contracted, models=names, now=now, time_zone=time_zone),
    )


async def waiting(caller: Caller, time_zone: str) -> list[ShownTermsDraft]:
    """Read the drafts that wait, for one person of finance."""
    async with read_session() as session:
        found = await waiting_terms(session)
        names = await names_of(session, {one.created_by for one in found})
        whom = {one.id: one.name for one in await organizations(session)}
    return [
        shown_terms_draft(one, names=names, whom=whom, reader_id=caller.person.person_id, time_zone=time_zone)
        for one in found
    ]


async def propose(caller: Caller, *, form: Mapping[str, Any], time_zone: str) -> int:
    """Make a draft of what a form says; return its number.

    Raises:
        OneTokenError: As ``pricing.terms.propose_terms``, and for what cannot be read.
    """
    kind = str(form.get("terms_kind", ""))
    if kind not in set(TermsKind):
        raise BadRequest("The form is incomplete. Nothing was proposed.", parameter="terms_kind")
    moment = moment_of(str(form.get("effective_at", "")), time_zone=time_zone)
    async with unit_of_work() as session:
        return await terms.propose_terms(
            session, _READERS[TermsKind(kind)](form, moment), proposed_by=caller.person.person_id
        )


async def publish(caller: Caller, *, settings: Settings, draft_id: int) -> bool:
    """Publish what somebody else proposed; return whether it changed anything.

    Raises:
        OneTokenError: As ``pricing.terms.publish_terms``.
    """
    notice = timedelta(days=settings.price_rise_notice_days)
    async with unit_of_work() as session:
        number = await terms.publish_terms(session, draft_id, published_by=caller.person.person_id, rise_notice=notice)
    return number is not None


async def discard(caller: Caller, *, draft_id: int) -> None:
    """Give a draft up, one's own or another's.

    Raises:
        OneTokenError: As ``pricing.terms.discard_terms``.
    """
    async with unit_of_work() as session:
        await terms.discard_terms(session, draft_id, discarded_by=caller.person.person_id)


def _ratio(form: Mapping[str, Any], moment: datetime | None) -> Terms:
    """Read what a plan multiplies by."""
    ratio_ppm = _number(form, "ratio", parse_price, "A plan's ratio is a plain number above 0 with at most 6 decimals.")
    return Terms(TermsKind.RATIO, plan_name=_typed(form, "plan_name"), ratio_ppm=ratio_ppm, effective_at=moment)


def _plan(form: Mapping[str, Any], moment: datetime | None) -> Terms:
    """Read which plan an organization is to have."""
    return Terms(
        TermsKind.PLAN,
        plan_name=_typed(form, "plan"),
        organization_id=_typed(form, "organization_id"),
        effective_at=moment,
    )


def _exchange(form: Mapping[str, Any], moment: datetime | None) -> Terms:
    """Read an exchange rate."""
    pair = _typed(form, "from_currency"), _typed(form, "to_currency")
    if not set(pair) <= set(Currency):
        raise BadRequest("Choose both currencies. Nothing was proposed.", parameter="to_currency")
    rate_nanos = _number(form, "rate", parse_amount, "A rate is a plain number above 0 with at most 9 decimals.")
    from_currency, to_currency = map(Currency, pair)
    return Terms(
        TermsKind.EXCHANGE,
        from_currency=from_currency,
        to_currency=to_currency,
        rate_nanos=rate_nanos,
        effective_at=moment,
    )


def _end(form: Mapping[str, Any], moment: datetime | None) -> Terms:
    """Read which version is to end."""
    version_id = whole_number(_typed(form, "version"))
    if version_id is None:
        raise BadRequest("Choose what is to end. Nothing was proposed.", parameter="version")
    return Terms(TermsKind.END, version_id=version_id, effective_at=moment)


_READERS: Mapping[TermsKind, Callable[[Mapping[str, Any], datetime | None], Terms]] = {
    TermsKind.RATIO: _ratio,
    TermsKind.PLAN: _plan,
    TermsKind.EXCHANGE: _exchange,
    TermsKind.END: _end,
}


def _typed(form: Mapping[str, Any], name: str) -> str:
    """Return what stands in a field."""
    return str(form.get(name, "")).strip()[: PLAN_CHARACTERS_MAX + 1]


def _number(form: Mapping[str, Any], name: str, parse: Callable[[str], int], rule: str) -> int:
    """Read a decimal number exactly."""
    try:
        return parse(_typed(form, name))
    except ValueError:
        raise BadRequest(f"{rule} Nothing was proposed.", parameter=name) from None
