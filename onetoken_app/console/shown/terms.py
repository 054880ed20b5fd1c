"""Plans, exchange rates, offers, contracted prices and drafts of terms, as finance reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from onetoken_app.console.shown.amounts import shown_count
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.prices import ShownPrice, shown_rates
from onetoken_app.money import format_amount, format_ratio
from onetoken_app.organizations.queries import OrganizationView
from onetoken_app.pricing.models import TermsKind
from onetoken_app.pricing.terms_queries import AssignmentView, ExchangeView, PlanView, SpecialView, TermsDraftView


@dataclass(frozen=True, slots=True)
class ShownComing:
    """A ratio to come."""

    ratio: str = ""
    begins: str = ""


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan."""

    name: str = ""
    ratio: str = ""
    """Empty: it begins later."""
    organization_count: str = ""
    coming: list[ShownComing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ShownPayer:
    """An organization with its plan."""

    id: str = ""
    name: str = ""
    code: str = ""
    currency: str = ""
    plan: str = ""
    """Empty: none."""
    ratio: str = ""


@dataclass(frozen=True, slots=True)
class ShownAssignment:
    """A plan that an organization has, had or will have."""

    plan: str = ""
    begins: str = ""
    is_coming: bool = False


@dataclass(frozen=True, slots=True)
class ShownSpecial:
    """Prices of one model in an offer or a contract."""

    version: str = ""
    model: str = ""
    prices: list[ShownPrice] = field(default_factory=list)
    begins: str = ""
    until: str = ""
    is_coming: bool = False
    is_ended_early: bool = False


@dataclass(frozen=True, slots=True)
class ShownRate:
    """A version of an exchange rate."""

    version: str = ""
    pair: str = ""
    rate: str = ""
    begins: str = ""
    published: str = ""
    is_coming: bool = False
    is_in_force: bool = False


@dataclass(frozen=True, slots=True)
class ShownTermsDraft:
    """A draft that waits, beside what is in force by its moment."""

    id: int = 0
    kind: str = ""
    subject: str = ""
    """The plan, the organization, the pair of currencies; of an end the version, with whose it is."""
    before: str = ""
    """Empty: nothing; of an end: it does not end by itself."""
    after: str = ""
    """Empty: nothing; of an end: at once."""
    begins: str = ""
    """Empty: when it is published."""
    made: str = ""
    made_by: str = ""
    is_own: bool = False
    """The reader made it, so somebody else publishes it."""


def shown_plan(view: PlanView, *, time_zone: str) -> ShownPlan:
    """Show a plan."""
    return ShownPlan(
        name=view.name,
        ratio=_ratio(view.ratio_ppm),
        organization_count=shown_count(view.organization_count),
        coming=[ShownComing(format_ratio(ratio), shown_minute(moment, time_zone)) for ratio, moment in view.coming],
    )


def shown_payer(view: OrganizationView, *, plans: Mapping[str, str], ratios: Mapping[str, int]) -> ShownPayer:
    """Show an organization; ``plans`` by organization, ``ratios`` by plan."""
    plan = plans.get(view.id, "")
    return ShownPayer(
        id=view.id,
        name=view.name,
        code=view.registration_code,
        currency=view.currency.value,
        plan=plan,
        ratio=_ratio(ratios.get(plan)),
    )


def shown_assignment(view: AssignmentView, *, now: datetime, time_zone: str) -> ShownAssignment:
    """Show one plan of an organization's history."""
    return ShownAssignment(view.plan_name, shown_minute(view.effective_at, time_zone), view.effective_at > now)


def shown_special(
    views: list[SpecialView], *, models: Mapping[str, str], now: datetime, time_zone: str
) -> list[ShownSpecial]:
    """Show offers or contracted prices, a row a model; ``models`` are names by id."""
    return [
        ShownSpecial(
            version=str(view.version_id),
            model=models.get(model_id, ""),
            prices=shown_rates(rates, view.currency),
            begins=shown_minute(view.effective_at, time_zone),
            until=shown_minute(view.ends_at, time_zone),
            is_coming=view.effective_at > now,
            is_ended_early=view.is_ended_early,
        )
        for view in views
        for model_id, rates in view.rates
    ]


def shown_rate(view: ExchangeView, *, now: datetime, time_zone: str) -> ShownRate:
    """Show a version of an exchange rate."""
    return ShownRate(
        version=str(view.version),
        pair=f"{view.from_currency.value} → {view.to_currency.value}",
        rate=format_amount(view.rate_nanos),
        begins=shown_minute(view.effective_at, time_zone),
        published=shown_minute(view.published_at, time_zone),
        is_coming=view.effective_at > now,
        is_in_force=view.is_in_force,
    )


def shown_terms_draft(
    view: TermsDraftView, *, names: Mapping[str, str], whom: Mapping[str, str], reader_id: str, time_zone: str
) -> ShownTermsDraft:
    """Show a draft to one person of finance.

    Args:
        view: The draft.
        names: Of people, by id.
        whom: Names of organizations, by id.
        reader_id: Who looks.
        time_zone: Of every moment.
    """
    begins = shown_minute(view.effective_at, time_zone)
    subject, before, after = _change(view, whom.get(view.organization_id or "", ""), begins, time_zone)
    return ShownTermsDraft(
        id=view.id,
        kind=view.kind.value,
        subject=subject,
        before=before,
        after=after,
        begins=begins,
        made=shown_minute(view.created_at, time_zone),
        made_by=names.get(view.created_by, ""),
        is_own=view.created_by == reader_id,
    )


def _change(view: TermsDraftView, organization_name: str, begins: str, time_zone: str) -> tuple[str, str, str]:
    """Say what a draft is about, what holds by its moment, and what would hold then."""
    if view.kind is TermsKind.RATIO:
        return view.plan_name, _ratio(view.ratio_ppm_before), _ratio(view.ratio_ppm)
    if view.kind is TermsKind.PLAN:
        before = _plan(view.plan_name_before, view.ratio_ppm_before)
        return organization_name, before, _plan(view.plan_name, view.ratio_ppm)
    if view.kind is TermsKind.EXCHANGE:
        pair = " → ".join(one.value for one in (view.from_currency, view.to_currency) if one)
        return pair, _rate(view.rate_nanos_before), _rate(view.rate_nanos)
    version = " · ".join(part for part in (str(view.version_id), organization_name) if part)
    return version, shown_minute(view.ends_at_before, time_zone), begins


def _ratio(ratio_ppm: int | None) -> str:
    """Write a ratio, if there is one."""
    return "" if ratio_ppm is None else format_ratio(ratio_ppm)


def _plan(name: str, ratio_ppm: int | None) -> str:
    """Write a plan with its ratio."""
    return f"{name} × {_ratio(ratio_ppm)}" if name else ""


def _rate(rate_nanos: int | None) -> str:
    """Write an exchange rate, if there is one."""
    return "" if rate_nanos is None else format_amount(rate_nanos)
