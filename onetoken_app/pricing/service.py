"""Publishes prices, plans and exchange rates. What was published is never changed; what comes later supersedes it.

Nothing takes effect in the past, because nobody is charged after the fact, and nothing is written when nothing differs.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.catalog.models import Channel, Model
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.money import Currency
from onetoken_app.organizations.models import Organization
from onetoken_app.pricing.models import (
    ExchangeRate,
    PlanAssignment,
    PlanVersion,
    PriceBookVersion,
    Rate,
    Scope,
    VersionEnd,
    VersionSeal,
)
from onetoken_app.pricing.price_book import Place
from onetoken_app.pricing.queries import exchanges_in_force, plans_by_organization, prices_in_force, ratios_by_plan
from onetoken_app.pricing.rates import ModelRates

RATIO_PPM_MAX = 1_000_000_000
"""A plan that multiplies by more than a thousand is a mistake."""
EXCHANGE_RATE_NANOS_MAX = 1_000_000_000_000
"""So is a rate above a thousand."""
_BACK_DATING_MAX = timedelta(minutes=1)
_PLAN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class For:
    """Whom prices are for, and until when."""

    scope: Scope = Scope.LIST
    organization_id: str | None = None
    """Of a contract: whose."""
    channel_id: str | None = None
    """Of costs: whose."""
    ends_at: datetime | None = None
    """Of an offer always, of a contract or costs perhaps: from when on they no longer apply."""

    def place(self, model_id: str, currency: Currency) -> Place:
        """Return the place of one model's prices."""
        return Place(model_id, currency, self.scope, self.organization_id, self.channel_id)


EVERYBODY = For()
"""The list."""


async def publish_prices(
    session: AsyncSession,
    *,
    currency: Currency,
    rates: Mapping[str, ModelRates],
    effective_at: datetime,
    meant_for: For = EVERYBODY,
    published_by: str | None = None,
) -> int | None:
    """Publish a version that names the models whose prices differ from those in force at ``effective_at``.

    Args:
        session: Open unit of work; the caller commits.
        currency: What the prices are in.
        rates: All prices of each model; a kind left out has no price of its own.
        effective_at: From when on; at most a minute ago.
        meant_for: Whom they are for; by default they go to the list.
        published_by: The person; ``None``: the operator, by file or command.

    Returns:
        The version's number, or ``None`` when nothing differs and nothing was written.

    Raises:
        BadRequest: The prices of a model cannot price a call, or a moment is impossible.
        NotFound: There is no such model, organization or channel.
    """
    check_moment(effective_at)
    await check_prices(session, rates=rates, meant_for=meant_for, effective_at=effective_at)
    in_force = await prices_in_force(session, now=effective_at)
    differing = {}
    for model_id, model_rates in rates.items():
        known = in_force.get(meant_for.place(model_id, currency))
        if known is None or (known.rates, known.ends_at) != (model_rates, meant_for.ends_at):
            differing[model_id] = model_rates
    if not differing:
        return None
    version = PriceBookVersion(
        currency=currency,
        effective_at=effective_at,
        published_at=clock.utc_now(),
        scope=meant_for.scope,
        organization_id=meant_for.organization_id,
        channel_id=meant_for.channel_id,
        ends_at=meant_for.ends_at,
        published_by=published_by,
    )
    session.add(version)
    await session.flush()
    version_id = numbered(version.id)
    session.add_all(_rows(version_id, differing))
    await session.flush()
    session.add(VersionSeal(version_id=version_id))
    await session.flush()
    return version_id


async def check_prices(
    session: AsyncSession, *, rates: Mapping[str, ModelRates], meant_for: For, effective_at: datetime
) -> None:
    """Refuse prices that could not be published.

    Raises:
        BadRequest: The prices of a model cannot price a call, or the scope lacks something.
        NotFound: There is no such model, organization or channel.
    """
    for model_rates in rates.values():
        model_rates.check()
    await _check_whom(session, meant_for, effective_at=effective_at)
    await _refuse_unknown_models(session, set(rates))


async def end_version(
    session: AsyncSession, *, version_id: int, ends_at: datetime, ended_by: str | None = None
) -> None:
    """End an offer or a contract before its time, once.

    Args:
        session: Open unit of work; the caller commits.
        version_id: The version.
        ends_at: From when on it no longer applies; at most a minute ago.
        ended_by: The person; ``None``: the operator.

    Raises:
        NotFound: There is no such version.
        BadRequest: It is a version of the list, which is superseded and not ended; the moment is in the past, or the
            version ends by then anyway.
        Conflict: It was ended already.
    """
    session.add(await end_for(session, version_id=version_id, ends_at=ends_at, ended_by=ended_by))
    await session.flush()


async def end_for(
    session: AsyncSession, *, version_id: int, ends_at: datetime, ended_by: str | None = None
) -> VersionEnd:
    """Return the row that ``end_version`` writes; raises what it does."""
    check_moment(ends_at)
    version = await session.get(PriceBookVersion, version_id)
    if version is None:
        raise NotFound("There is no such price version.")
    if version.scope is Scope.LIST:
        raise BadRequest("Prices of the list do not end; publish others in their place.", parameter="version_id")
    if await session.get(VersionEnd, version_id) is not None:
        raise Conflict("This price version was ended already.")
    if version.ends_at is not None and version.ends_at <= ends_at:
        raise BadRequest("This price version ends by then anyway. Nothing was changed.", parameter="ends_at")
    return VersionEnd(version_id=version_id, ends_at=ends_at, ended_by=ended_by)


async def publish_plan(session: AsyncSession, *, plan_name: str, ratio_ppm: int, effective_at: datetime) -> int | None:
    """Say what a plan multiplies prices by from a moment on.

    Args:
        session: Open unit of work; the caller commits.
        plan_name: 1–64 characters; a new name makes a new plan.
        ratio_ppm: Parts per million; from 1 to ``RATIO_PPM_MAX``.
        effective_at: At most a minute ago.

    Returns:
        The version's number, or ``None`` when it is so already and nothing was written.

    Raises:
        BadRequest: A value cannot be used.
    """
    return await _published(
        session,
        await plan_version_for(session, plan_name=plan_name, ratio_ppm=ratio_ppm, effective_at=effective_at),
    )


async def plan_version_for(
    session: AsyncSession, *, plan_name: str, ratio_ppm: int, effective_at: datetime
) -> PlanVersion | None:
    """Return the row that ``publish_plan`` writes, or ``None``; raises what it does."""
    check_moment(effective_at)
    if _PLAN_NAME.fullmatch(plan_name) is None:
        raise BadRequest(
            "A plan's name has 1 to 64 Latin letters, digits, spaces and . _ - and begins with a letter or digit. "
            "Nothing was changed.",
            parameter="plan_name",
        )
    if not 1 <= ratio_ppm <= RATIO_PPM_MAX:
        raise BadRequest("A plan's ratio is above 0 and at most 1000. Nothing was changed.", parameter="ratio")
    if (await ratios_by_plan(session, now=effective_at)).get(plan_name) == ratio_ppm:
        return None
    return PlanVersion(
        plan_name=plan_name, ratio_ppm=ratio_ppm, effective_at=effective_at, published_at=clock.utc_now()
    )


async def assign_plan(
    session: AsyncSession, *, organization_id: str, plan_name: str, effective_at: datetime
) -> int | None:
    """Give an organization a plan from a moment on, or none any more.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Whose calls are charged by it.
        plan_name: A plan that has a ratio by then; empty: none.
        effective_at: At most a minute ago.

    Returns:
        The assignment's number, or ``None`` when it is so already and nothing was written.

    Raises:
        BadRequest: The moment is in the past.
        NotFound: There is no such organization or plan.
    """
    return await _published(
        session,
        await assignment_for(session, organization_id=organization_id, plan_name=plan_name, effective_at=effective_at),
    )


async def assignment_for(
    session: AsyncSession, *, organization_id: str, plan_name: str, effective_at: datetime
) -> PlanAssignment | None:
    """Return the row that ``assign_plan`` writes, or ``None``; raises what it does."""
    check_moment(effective_at)
    if await session.get(Organization, organization_id) is None:
        raise NotFound("There is no such organization.")
    if plan_name and plan_name not in await ratios_by_plan(session, now=effective_at):
        raise NotFound(f"There is no plan {plan_name!r} at that time.")
    if (await plans_by_organization(session, now=effective_at)).get(organization_id, "") == plan_name:
        return None
    return PlanAssignment(
        organization_id=organization_id,
        plan_name=plan_name,
        effective_at=effective_at,
        assigned_at=clock.utc_now(),
    )


async def publish_exchange_rate(
    session: AsyncSession, *, from_currency: Currency, to_currency: Currency, rate_nanos: int, effective_at: datetime
) -> int | None:
    """Say at what rate prices in one currency are charged in another, from a moment on.

    Args:
        session: Open unit of work; the caller commits.
        from_currency: What prices are in.
        to_currency: What organizations are billed in.
        rate_nanos: 10⁻⁹ of ``to_currency`` for one of ``from_currency``; from 1 to ``EXCHANGE_RATE_NANOS_MAX``.
        effective_at: At most a minute ago.

    Returns:
        The rate's version, or ``None`` when it is so already and nothing was written.

    Raises:
        BadRequest: A value cannot be used.
    """
    return await _published(
        session,
        await exchange_rate_for(
            session,
            from_currency=from_currency,
            to_currency=to_currency,
            rate_nanos=rate_nanos,
            effective_at=effective_at,
        ),
    )


async def exchange_rate_for(
    session: AsyncSession, *, from_currency: Currency, to_currency: Currency, rate_nanos: int, effective_at: datetime
) -> ExchangeRate | None:
    """Return the row that ``publish_exchange_rate`` writes, or ``None``; raises what it does."""
    check_moment(effective_at)
    if from_currency is to_currency or not 1 <= rate_nanos <= EXCHANGE_RATE_NANOS_MAX:
        raise BadRequest(
            "An exchange rate joins two currencies, is above 0 and at most 1000. Nothing was changed.", parameter="rate"
        )
    known = (await exchanges_in_force(session, now=effective_at)).get((from_currency, to_currency))
    if known is not None and known.rate_nanos == rate_nanos:
        return None
    return ExchangeRate(
        from_currency=from_currency,
        to_currency=to_currency,
        rate_nanos=rate_nanos,
        effective_at=effective_at,
        published_at=clock.utc_now(),
    )


async def _published(session: AsyncSession, row: PlanVersion | PlanAssignment | ExchangeRate | None) -> int | None:
    """Write a row, if there is one; return its number."""
    if row is None:
        return None
    session.add(row)
    await session.flush()
    return numbered(row.id)


def numbered(number: int | None) -> int:
    """Return the number that the database gave a flushed row."""
    if number is None:
        message = "a flushed row has its number"
        raise AssertionError(message)
    return number


def _rows(version_id: int, rates: Mapping[str, ModelRates]) -> Iterator[Rate]:
    """Make a version's rows."""
    for model_id, model_rates in sorted(rates.items(), key=itemgetter(0)):
        for kind, from_input_tokens, price in model_rates.rows():
            yield Rate(
                version_id=version_id,
                model_id=model_id,
                kind=kind,
                from_input_tokens=from_input_tokens,
                micros_per_million=price,
            )


def check_moment(moment: datetime) -> None:
    """Refuse the past.

    Raises:
        BadRequest: The moment is over.
    """
    if moment < clock.utc_now() - _BACK_DATING_MAX:
        raise BadRequest("Prices cannot take effect in the past. Nothing was changed.", parameter="effective_at")


async def _check_whom(session: AsyncSession, meant_for: For, *, effective_at: datetime) -> None:
    """Refuse a scope without what belongs to it."""
    if (meant_for.organization_id is not None) != (meant_for.scope is Scope.CONTRACT):
        raise BadRequest("A contract, and nothing else, is with an organization.", parameter="organization_id")
    if (meant_for.channel_id is not None) != (meant_for.scope is Scope.COST):
        raise BadRequest("Costs, and nothing else, are those of a channel.", parameter="channel_id")
    if meant_for.scope is Scope.LIST and meant_for.ends_at is not None:
        raise BadRequest("Prices of the list do not end; publish others in their place.", parameter="ends_at")
    if meant_for.scope is Scope.OFFER and meant_for.ends_at is None:
        raise BadRequest("An offer has an end.", parameter="ends_at")
    if meant_for.ends_at is not None and meant_for.ends_at <= effective_at:
        raise BadRequest("Prices end after they take effect.", parameter="ends_at")
    if meant_for.organization_id and await session.get(Organization, meant_for.organization_id) is None:
        raise NotFound("There is no such organization.")
    if meant_for.channel_id and await session.get(Channel, meant_for.channel_id) is None:
        raise NotFound("There is no such channel.")


async def _refuse_unknown_models(session: AsyncSession, model_ids: set[str]) -> None:
    """Refuse prices of models that do not exist."""
    known = set(await session.exec(select(Model.id).where(col(Model.id).in_(model_ids))))
    if model_ids - known:
        raise NotFound("There is no such model.")
