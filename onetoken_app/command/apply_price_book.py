"""Puts what an ``apply`` file says about prices into the price book, each so far as it differs."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from onetoken_app import clock
from onetoken_app.catalog import queries as catalog_queries
from onetoken_app.command.apply_file import ApplyFile, ModelEntry, OrganizationEntry
from onetoken_app.command.apply_prices import ExchangeEntry, PlanEntry
from onetoken_app.command.apply_run import ApplyRun
from onetoken_app.command.marked_yaml import BadFile, complaints_at
from onetoken_app.money import Currency
from onetoken_app.pricing import service as pricing
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import EVERYBODY, For


async def put_price_book(run: ApplyRun, file: ApplyFile) -> None:
    """Publish the prices, offers, plans and exchange rates that differ from those in force.

    Raises:
        BadFile: One of them cannot be; the message names its line.
    """
    await _put_exchange_rates(run, file.exchange_rates)
    await _put_plans(run, file.plans)
    await _put_list(run, file.models)
    for model in file.models:
        await _put_offers(run, model)
        await _put_costs(run, model)


async def put_contract(run: ApplyRun, entry: OrganizationEntry, organization_id: str) -> None:
    """Give an organization the plan and the contracted prices that the file states.

    Raises:
        BadFile: There is no such plan or model; the message names the line.
    """
    if entry.plan is not None:
        with complaints_at(entry.lines["plan"]):
            assignment_id = await pricing.assign_plan(
                run.session, organization_id=organization_id, plan_name=entry.plan, effective_at=clock.utc_now()
            )
        if assignment_id is not None:
            await run.note(
                f"plan of {entry.name} is {entry.plan or 'none'}",
                action="plan_assigned",
                subject_id=organization_id,
                organization_id=organization_id,
                facts={"plan": entry.plan},
            )
    for priced in entry.contract:
        if priced.ends_at is not None and priced.ends_at <= clock.utc_now():
            continue
        model_id = await _model_id(run, priced.model, priced.line)
        await _publish(
            run,
            {model_id: priced.price.rates},
            currency=priced.price.currency,
            meant_for=For(Scope.CONTRACT, organization_id, ends_at=priced.ends_at),
            line=priced.line,
            words=f"contracted prices of {priced.model} for {entry.name}",
        )


async def _put_exchange_rates(run: ApplyRun, entries: Sequence[ExchangeEntry]) -> None:
    """Publish the exchange rates."""
    for entry in entries:
        with complaints_at(entry.line):
            version = await pricing.publish_exchange_rate(
                run.session,
                from_currency=entry.from_currency,
                to_currency=entry.to_currency,
                rate_nanos=entry.rate_nanos,
                effective_at=clock.utc_now(),
            )
        if version is not None:
            pair = f"{entry.from_currency.value} to {entry.to_currency.value}"
            await run.note(
                f"exchange rate of {pair} published as version {version}",
                action="exchange_rate_published",
                subject_id=str(version),
                facts={
                    "from": entry.from_currency.value,
                    "to": entry.to_currency.value,
                    "rate_nanos": entry.rate_nanos,
                },
            )


async def _put_plans(run: ApplyRun, entries: Sequence[PlanEntry]) -> None:
    """Publish what plans multiply by."""
    for entry in entries:
        with complaints_at(entry.line):
            version = await pricing.publish_plan(
                run.session, plan_name=entry.name, ratio_ppm=entry.ratio_ppm, effective_at=clock.utc_now()
            )
        if version is not None:
            await run.note(
                f"plan {entry.name} published",
                action="plan_published",
                subject_id=str(version),
                facts={"plan": entry.name, "ratio_ppm": entry.ratio_ppm},
            )


async def _put_list(run: ApplyRun, models: Sequence[ModelEntry]) -> None:
    """Publish the list's prices that differ, as one version a currency."""
    rates: defaultdict[Currency, dict[str, ModelRates]] = defaultdict(dict)
    for entry in models:
        rates[entry.price.currency][await _model_id(run, entry.name, entry.line)] = entry.price.rates
    for currency, priced in rates.items():
        await _publish(
            run, priced, currency=currency, meant_for=EVERYBODY, line=models[0].lines["price"], words="prices"
        )


async def _put_offers(run: ApplyRun, entry: ModelEntry) -> None:
    """Publish a model's offers; one that is over is past, and says nothing any more."""
    for offer in entry.offers:
        if offer.ends_at <= clock.utc_now():
            continue
        await _publish(
            run,
            {await _model_id(run, entry.name, entry.line): offer.price.rates},
            currency=offer.price.currency,
            meant_for=For(Scope.OFFER, ends_at=offer.ends_at),
            line=offer.line,
            words=f"an offer of {entry.name}",
            begins_at=offer.begins_at,
        )


async def _put_costs(run: ApplyRun, entry: ModelEntry) -> None:
    """Publish what calls of a model cost through its channels."""
    channel_ids = {channel.name: channel.id for channel in await catalog_queries.channels(run.session)}
    for route in entry.routes:
        if route.cost is None:
            continue
        await _publish(
            run,
            {await _model_id(run, entry.name, entry.line): route.cost.rates},
            currency=route.cost.currency,
            meant_for=For(Scope.COST, channel_id=channel_ids[route.channel]),
            line=route.cost.line,
            words=f"costs of {entry.name} through {route.channel}",
        )


async def _publish(
    run: ApplyRun,
    rates: dict[str, ModelRates],
    *,
    currency: Currency,
    meant_for: For,
    line: int,
    words: str,
    begins_at: datetime | None = None,
) -> None:
    """Publish what differs, from now or from a later moment on."""
    now = clock.utc_now()
    with complaints_at(line):
        version_id = await pricing.publish_prices(
            run.session,
            currency=currency,
            rates=rates,
            effective_at=now if begins_at is None else max(now, begins_at),
            meant_for=meant_for,
        )
    if version_id is not None:
        await run.note(
            f"{words} published in {currency.value} as version {version_id}",
            action="prices_published",
            subject_id=str(version_id),
            organization_id=meant_for.organization_id,
            facts={"currency": currency.value, "scope": meant_for.scope.value},
        )


async def _model_id(run: ApplyRun, name: str, line: int) -> str:
    """Look a model up."""
    model = await catalog_queries.model_by_name(run.session, name)
    if model is None:
        raise BadFile(line, f"there is no model {name!r}, neither in this file nor in the catalog")
    return model.id
