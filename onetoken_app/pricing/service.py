"""Publishes prices. A published version is never changed; a new one supersedes it from its effective moment on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import itemgetter

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.catalog.models import Model
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.money import Currency
from onetoken_app.pricing.models import PriceBookVersion, Rate
from onetoken_app.pricing.queries import rates_in_force
from onetoken_app.pricing.rates import ModelRates

_BACK_DATING_MAX = timedelta(minutes=1)


async def publish_prices(
    session: AsyncSession,
    *,
    currency: Currency,
    rates: Mapping[str, ModelRates],
    effective_at: datetime,
) -> int | None:
    """Publish a version that names the models whose prices differ from those in force at ``effective_at``.

    Args:
        session: Open unit of work; the caller commits.
        currency: What the rates are in.
        rates: All prices of each model; a kind left out has no price of its own.
        effective_at: From when on; at most a minute ago, because prices are not changed after the fact.

    Returns:
        The version's number, or ``None`` when nothing differs and nothing was written.

    Raises:
        BadRequest: The prices of a model cannot price a call, or the moment is in the past.
        NotFound: There is no such model.
    """
    if effective_at < clock.utc_now() - _BACK_DATING_MAX:
        raise BadRequest("Prices cannot take effect in the past.", parameter="effective_at")
    for model_rates in rates.values():
        model_rates.check()
    await _refuse_unknown_models(session, set(rates))
    in_force = await rates_in_force(session, now=effective_at)
    differing = {
        model_id: model_rates
        for model_id, model_rates in rates.items()
        if model_rates != _published_rates(in_force, model_id=model_id, currency=currency)
    }
    if not differing:
        return None
    version = PriceBookVersion(currency=currency, effective_at=effective_at, published_at=clock.utc_now())
    session.add(version)
    await session.flush()
    version_id = version.id
    if version_id is None:
        message = "a flushed price book version has its number"
        raise AssertionError(message)
    session.add_all(
        Rate(
            version_id=version_id,
            model_id=model_id,
            kind=kind,
            from_input_tokens=from_input_tokens,
            micros_per_million=price,
        )
        for model_id, model_rates in sorted(differing.items(), key=itemgetter(0))
        for kind, from_input_tokens, price in model_rates.rows()
    )
    await session.flush()
    return version_id


async def _refuse_unknown_models(session: AsyncSession, model_ids: set[str]) -> None:
    """Refuse prices of models that do not exist."""
    known = set(await session.exec(select(Model.id).where(col(Model.id).in_(model_ids))))
    if model_ids - known:
        raise NotFound("There is no such model.")


def _published_rates(
    in_force: Mapping[tuple[str, Currency], tuple[int, ModelRates]], *, model_id: str, currency: Currency
) -> ModelRates | None:
    """Return a model's rates, or ``None`` when it has none in this currency."""
    entry = in_force.get((model_id, currency))
    return entry[1] if entry else None
