"""Publishes prices. A published version is never changed; a new one supersedes it from its effective moment on."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.catalog.models import Model
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.money import NANOS_MAX, Currency, MicrosPerMillion
from onetoken_app.pricing.models import PriceBookVersion, Rate
from onetoken_app.pricing.queries import rates_in_force
from onetoken_app.token_usage import TokenKind

_BACK_DATING_MAX = timedelta(minutes=1)


async def publish_prices(
    session: AsyncSession,
    *,
    currency: Currency,
    rates: Mapping[str, Mapping[TokenKind, MicrosPerMillion]],
    effective_at: datetime,
) -> int | None:
    """Publish a version that names the models whose prices differ from those in force at ``effective_at``.

    Args:
        session: Open unit of work; the caller commits.
        currency: What the rates are in.
        rates: All rates of each model, micro-currency per 1 000 000 tokens; a kind left out has no price of its own.
        effective_at: From when on; at most a minute ago, because prices are not changed after the fact.

    Returns:
        The version's number, or ``None`` when nothing differs and nothing was written.

    Raises:
        BadRequest: A rate is negative, an input or output rate is missing, or the moment is in the past.
        NotFound: There is no such model.
    """
    if effective_at < clock.utc_now() - _BACK_DATING_MAX:
        raise BadRequest("Prices cannot take effect in the past.", parameter="effective_at")
    for model_rates in rates.values():
        _check_rates(model_rates)
    await _refuse_unknown_models(session, set(rates))
    in_force = await rates_in_force(session, now=effective_at)
    differing = {
        model_id: dict(model_rates)
        for model_id, model_rates in rates.items()
        if _published_rates(in_force, model_id=model_id, currency=currency) != dict(model_rates)
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
        Rate(version_id=version_id, model_id=model_id, kind=kind, micros_per_million=micros)
        for model_id, model_rates in sorted(differing.items())
        for kind, micros in model_rates.items()
    )
    await session.flush()
    return version_id


def _check_rates(rates: Mapping[TokenKind, MicrosPerMillion]) -> None:
    """Refuse rates that cannot price a call."""
    if TokenKind.INPUT not in rates or TokenKind.OUTPUT not in rates:
        raise BadRequest("A model needs a price for its input and one for its output.", parameter="price")
    if any(not 0 <= micros <= NANOS_MAX for micros in rates.values()):
        raise BadRequest("A price is at least 0 and fits into 63 bits.", parameter="price")


async def _refuse_unknown_models(session: AsyncSession, model_ids: set[str]) -> None:
    """Refuse prices of models that do not exist."""
    known = set(await session.exec(select(Model.id).where(col(Model.id).in_(model_ids))))
    if model_ids - known:
        raise NotFound("There is no such model.")


def _published_rates(
    in_force: Mapping[tuple[str, Currency], tuple[int, dict[TokenKind, MicrosPerMillion]]],
    *,
    model_id: str,
    currency: Currency,
) -> dict[TokenKind, MicrosPerMillion] | None:
    """Return a model's rates, or ``None`` when it has none in this currency."""
    entry = in_force.get((model_id, currency))
    return entry[1] if entry else None
