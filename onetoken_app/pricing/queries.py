"""Reads the price book: which rates are in force at a moment."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.money import Currency, MicrosPerMillion
from onetoken_app.pricing.errors import UnknownPrice
from onetoken_app.pricing.models import PriceBookVersion, Rate
from onetoken_app.pricing.quote import PriceSheet
from onetoken_app.pricing.rates import ModelRates, rates_from_rows
from onetoken_app.token_usage import TokenKind


async def price_sheets(session: AsyncSession, *, now: datetime) -> dict[tuple[str, Currency], PriceSheet]:
    """Return the sheets in force at ``now``, by model and currency.

    A model whose input or output has no price is left out: it cannot be called.
    """
    sheets = {}
    for (model_id, currency), (version_id, priced) in (await rates_in_force(session, now=now)).items():
        try:
            sheet = PriceSheet(
                price_version_id=version_id,
                model_id=model_id,
                currency=currency,
                rates=priced.rates,
                tiers=priced.tiers,
            )
        except UnknownPrice:
            continue
        sheets[model_id, currency] = sheet
    return sheets


async def next_price_change_at(session: AsyncSession, *, now: datetime) -> datetime | None:
    """Return when the sheets change next without anybody publishing, or ``None``."""
    query = select(sa.func.min(PriceBookVersion.effective_at, type_=sa.inspect(PriceBookVersion).c.effective_at.type))
    return (await session.exec(query.where(col(PriceBookVersion.effective_at) > now))).first()


async def rates_in_force(session: AsyncSession, *, now: datetime) -> dict[tuple[str, Currency], tuple[int, ModelRates]]:
    """Return the version and the rates in force at ``now``, by model and currency.

    They are those of the latest version, effective by then, that names the model; of two versions with the same
    moment the one published last counts.
    """
    rank = (
        sa.func.rank()
        .over(
            partition_by=(col(Rate.model_id), col(PriceBookVersion.currency)),
            order_by=(col(PriceBookVersion.effective_at).desc(), col(PriceBookVersion.id).desc()),
        )
        .label("version_rank")
    )
    ranked = (
        sa.select(
            col(Rate.model_id), col(PriceBookVersion.currency), col(Rate.version_id), col(Rate.kind),
            col(Rate.from_input_tokens), col(Rate.micros_per_million), rank,
        )
        .join(PriceBookVersion, col(PriceBookVersion.id) == col(Rate.version_id))
        .where(col(PriceBookVersion.effective_at) <= now)
        .subquery()
    )  # fmt: skip
    rows = (await session.exec(sa.select(ranked).where(ranked.c.version_rank == 1))).all()  # type: ignore[call-overload] # SQLModel types only its own select
    found: dict[tuple[str, Currency], tuple[int, list[tuple[TokenKind, int, MicrosPerMillion]]]] = {}
    for row in rows:
        _version_id, prices = found.setdefault((row.model_id, row.currency), (row.version_id, []))
        prices.append((row.kind, row.from_input_tokens, row.micros_per_million))
    return {place: (version_id, rates_from_rows(prices)) for place, (version_id, prices) in found.items()}
