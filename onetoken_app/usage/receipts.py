"""Receipts of calls: what a charge was made of, so that whoever was charged can recompute it from this alone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.ledger.call_entries import PotView, paid_in
from onetoken_app.ledger.kinds import Outcome
from onetoken_app.ledger.models import Correction, HoldClose
from onetoken_app.money import Currency, MicrosPerMillion, Nanos
from onetoken_app.pricing.models import ExchangeRate, PriceBookVersion, Rate
from onetoken_app.pricing.quote import MS_PER_HOUR
from onetoken_app.pricing.rates import ModelRates, rates_from_rows
from onetoken_app.token_usage import INPUT_KINDS, UNIT_KINDS, TokenKind
from onetoken_app.usage.models import UsageRecord

COUNTERS: Mapping[TokenKind, str] = {
    TokenKind.REQUESTS: "request_count",
    TokenKind.IMAGES: "image_count",
    TokenKind.AUDIO_MS: "audio_ms",
    TokenKind.WEB_SEARCHES: "web_search_count",
    TokenKind.FILE_SEARCHES: "file_search_count",
    TokenKind.TOOL_CALLS: "tool_call_count",
    **{kind: f"{kind.value}_tokens" for kind in TokenKind if kind not in UNIT_KINDS},
}
"""The column of a record that counts each kind."""
TOTAL_KINDS = tuple(kind for kind in TokenKind if kind not in UNIT_KINDS and kind is not TokenKind.REASONING)
"""Kinds that make up all tokens of a call; reasoning is within the output."""
_TOKENS_PER_PRICE = 1_000_000


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One kind of use: ``count × price ÷ per`` is its share, before the plan's ratio and the exchange."""

    kind: TokenKind
    count: int
    price: MicrosPerMillion
    """As the price book has it: micros for ``per`` tokens; of units, picos for ``per`` of them."""
    per: int
    """What the price, as it is written, is of: 1 000 000 tokens, one piece, or the milliseconds of an hour."""


@dataclass(frozen=True, slots=True)
class PackageShare:
    """Tokens of a call that a package of tokens paid."""

    token_count: int
    unit_nanos: Nanos
    """What each of them cost when the package was bought, in the charge's currency."""

    @property
    def paid_nanos(self) -> Nanos:
        """What they took from the package."""
        return self.token_count * self.unit_nanos


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """One closed call, as its organization may check it."""

    request_id: str
    requested_at: datetime
    closed_at: datetime
    outcome: Outcome
    interface_path: str
    is_streaming: bool
    model_name: str
    region: str
    response_status: int
    error_code: str
    attempt_count: int
    usage_counts: dict[str, int]
    """By the columns of a record."""
    price_version_id: int
    price_currency: Currency
    tier_from_input_tokens: int
    """From which length of the input on these prices apply; 0: always."""
    lines: tuple[ReceiptLine, ...]
    plan_ratio_ppm: int
    exchange_rate_version: int
    """0: the prices are in the charge's currency."""
    exchange_rate_nanos: Nanos | None
    """10⁻⁹ of the charge's currency for one of the prices'; unset: none was needed."""
    usage_source: str
    currency: Currency
    charge_nanos: Nanos
    """What the organization was charged, a correction included."""
    absorbed_nanos: Nanos
    """What was metered beyond that and no balance covered; nobody is charged for it."""
    packages: tuple[PackageShare, ...]
    """Of the tokens those that packages paid; the other ones are charged at the prices of the lines, in proportion."""

    @property
    def token_total(self) -> int:
        """All tokens of the call."""
        return sum(self.usage_counts[COUNTERS[kind]] for kind in TOTAL_KINDS)


async def receipt_of(session: AsyncSession, *, organization_id: str, request_id: str) -> ReceiptView | None:
    """Return the receipt of a closed call; ``None``: the organization has no such call, or its record is purged."""
    query = (
        sa.select(UsageRecord, HoldClose, Correction)
        .join(HoldClose, col(HoldClose.request_id) == col(UsageRecord.request_id))
        .outerjoin(Correction, col(Correction.request_id) == col(UsageRecord.request_id))
        .where(col(UsageRecord.request_id) == request_id, col(UsageRecord.organization_id) == organization_id)
    )
    row = (await session.exec(query)).first()  # type: ignore[call-overload] # SQLModel types only its own select
    if row is None:
        return None
    record, close, correction = row
    version = await session.get(PriceBookVersion, record.price_version_id)
    exchange = await session.get(ExchangeRate, record.exchange_rate_version)
    tier, lines = _lines(record, await _rates(session, record))
    return ReceiptView(
        request_id=record.request_id,
        requested_at=record.requested_at,
        closed_at=correction.corrected_at if correction else close.closed_at,
        outcome=close.outcome,
        interface_path=record.interface_path,
        is_streaming=record.is_streaming,
        model_name=record.model_name,
        region=record.region,
        response_status=record.response_status,
        error_code=record.error_code,
        attempt_count=record.attempt_count,
        usage_counts={column: getattr(record, column) for column in COUNTERS.values()},
        price_version_id=record.price_version_id,
        price_currency=version.currency if version else record.currency,
        tier_from_input_tokens=tier,
        lines=lines,
        plan_ratio_ppm=record.plan_ratio_ppm,
        exchange_rate_version=record.exchange_rate_version,
        exchange_rate_nanos=exchange.rate_nanos if exchange else None,
        usage_source=record.usage_source.value,
        currency=record.currency,
        charge_nanos=close.amount_nanos + (correction.amount_nanos if correction else 0),
        absorbed_nanos=close.absorbed_nanos + (correction.absorbed_nanos if correction else 0),
        packages=await _packages(session, close, correction),
    )


async def _packages(session: AsyncSession, close: HoldClose, correction: Correction | None) -> tuple[PackageShare, ...]:
    """Read how many tokens packages paid, by lot; what a correction gave back is left out."""
    numbers = [close.transaction_number, *([correction.transaction_number] if correction else [])]
    paid_nanos: Counter[PotView] = Counter()
    for paid in await paid_in(session, numbers):
        if paid.pot.unit_nanos:
            paid_nanos[paid.pot] += paid.amount_nanos
    return tuple(PackageShare(nanos // pot.unit_nanos, pot.unit_nanos) for pot, nanos in paid_nanos.items() if nanos)


async def _rates(session: AsyncSession, record: UsageRecord) -> ModelRates:
    """Read the prices that a call was made with."""
    query = select(Rate.kind, Rate.from_input_tokens, Rate.micros_per_million).where(
        Rate.version_id == record.price_version_id, Rate.model_id == record.model_id
    )
    rows = (await session.exec(query)).all()
    return rates_from_rows((TokenKind(kind), threshold, price) for kind, threshold, price in rows)


def _lines(record: UsageRecord, priced: ModelRates) -> tuple[int, tuple[ReceiptLine, ...]]:
    """Say which tier applies and what each kind was counted and priced at; kinds of which there is nothing stay out."""
    counts = {kind: int(getattr(record, column)) for kind, column in COUNTERS.items()}
    input_total = sum(counts[kind] for kind in INPUT_KINDS)
    threshold, prices = 0, dict(priced.rates)
    for tier in priced.tiers:
        if tier.from_input_tokens <= input_total:
            threshold, prices = tier.from_input_tokens, prices | dict(tier.rates)
    if TokenKind.REASONING in prices:
        counts[TokenKind.REASONING] = min(counts[TokenKind.REASONING], counts[TokenKind.OUTPUT])
        counts[TokenKind.OUTPUT] -= counts[TokenKind.REASONING]
    else:
        counts[TokenKind.REASONING] = 0
    lines = [
        ReceiptLine(kind=kind, count=count, price=_price_of(kind, prices), per=_per(kind))
        for kind, count in counts.items()
        if count
    ]
    return threshold, tuple(sorted(lines, key=lambda line: list(TokenKind).index(line.kind)))


def _price_of(kind: TokenKind, prices: Mapping[TokenKind, MicrosPerMillion]) -> MicrosPerMillion:
    """Return what a kind is charged at, with its fall-back as docs/relay-api.md says it."""
    if kind in prices or kind in UNIT_KINDS:
        return prices.get(kind, 0)
    return prices.get(TokenKind.INPUT if kind in INPUT_KINDS else TokenKind.OUTPUT, 0)


def _per(kind: TokenKind) -> int:
    """Return what a price of this kind is of."""
    if kind is TokenKind.AUDIO_MS:
        return MS_PER_HOUR
    return 1 if kind in UNIT_KINDS else _TOKENS_PER_PRICE
