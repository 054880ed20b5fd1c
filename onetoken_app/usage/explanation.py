"""Explains the charge of a call: computes it again from its metadata, step by step, and compares it with the journal.

The arithmetic is one of exact fractions and shares nothing with ``pricing.quote``, which made the charge. Only the size
of the hold cannot be computed again, because it depends on the length of the request's body, which is not kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.clock import iso_instant
from onetoken_app.errors import Conflict, Gone, NotFound
from onetoken_app.identifiers import Kind
from onetoken_app.ledger.call_entries import CallEntriesView, ClosedView, call_entries
from onetoken_app.money import (
    MICROS_PER_UNIT,
    NANOS_MAX,
    NANOS_PER_UNIT,
    PICOS_PER_UNIT,
    RATIO_ONE_PPM,
    Nanos,
    format_amount,
)
from onetoken_app.pricing.models import PriceBookVersion, Scope
from onetoken_app.pricing.queries import plans_by_organization
from onetoken_app.token_usage import UNIT_KINDS, UsageSource
from onetoken_app.usage.models import UsageRecord
from onetoken_app.usage.receipts import ReceiptLine, ReceiptView, receipt_of


@dataclass(frozen=True, slots=True)
class PricesView:
    """The version of the price book that a call was made with."""

    version_id: int
    scope: Scope
    organization_id: str | None
    """Of a contract: whose."""
    plan_name: str
    """The organization's when the hold was placed; empty: none, or a contract, which knows no plan."""


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """How a charge comes about, and whether the journal has the same."""

    receipt: ReceiptView
    """What the call's own record says."""
    entries: CallEntriesView
    closed: ClosedView
    """What the journal says."""
    prices: PricesView | None
    """Unset: no version has this number, or nothing was priced."""
    shares: tuple[Fraction, ...]
    """What each line of the receipt comes to, in the currency of the prices."""
    exact: Fraction
    """Their sum × the plan's ratio × the exchange rate, in the currency of the charge, before it is rounded."""
    usual_nanos: Nanos
    """The same, rounded once, half up."""
    computed_nanos: Nanos
    """What the call costs: that, or less and more of it where packages of tokens paid."""
    differences: tuple[str, ...]
    """Where metadata and journal disagree; none: the charge is right."""

    @property
    def sum_of_shares(self) -> Fraction:
        """All lines, in the currency of the prices."""
        return sum(self.shares, Fraction(0))


async def explain_call(
    session: AsyncSession, request_id: str, *, organization_id: str | None = None
) -> ExplanationView:
    """Explain what a closed call was charged.

    Args:
        session: In a snapshot, so that record and journal are of one moment.
        request_id: The call.
        organization_id: Whose it has to be; ``None``: anybody's, for the operator.

    Raises:
        NotFound: There is no such call, or it is another organization's.
        Conflict: It is still open, so that it has no charge.
        Gone: Its record is purged, and nothing can be computed from.
    """
    entries = await call_entries(session, request_id)
    if entries is None:
        raise _unknown(request_id)
    if organization_id not in {None, entries.owner_id}:
        raise NotFound(
            f"{request_id} is a call of another organization than {organization_id}; nothing is shown of it."
        )
    if entries.closed is None:
        raise Conflict(
            f"{request_id} is still open: {format_amount(entries.held_nanos)} {entries.currency.value} are set aside "
            f"since {iso_instant(entries.placed_at)}, and nothing is charged yet. Ask again when it has ended."
        )
    receipt = await receipt_of(session, organization_id=entries.owner_id, request_id=request_id)
    if receipt is None:
        raise _without_record(entries, entries.closed)
    shares = tuple(_share(line) for line in receipt.lines)
    exact = _exact(receipt, shares)
    usual_nanos = _rounded(exact)
    computed_nanos = _with_packages(receipt, shares, usual_nanos)
    prices = await _prices(session, receipt, entries)
    record = await session.get(UsageRecord, request_id)
    recorded_nanos = record.charge_nanos if record else 0
    return ExplanationView(
        receipt=receipt,
        entries=entries,
        closed=entries.closed,
        prices=prices,
        shares=shares,
        exact=exact,
        usual_nanos=usual_nanos,
        computed_nanos=computed_nanos,
        differences=(
            *_differences_of_amounts(entries, entries.closed, computed_nanos, recorded_nanos),
            *_differences_of_terms(receipt, entries, entries.closed, prices),
        ),
    )


def _share(line: ReceiptLine) -> Fraction:
    """Return what one line comes to: prices of tokens are in micros of the currency, those of units in picos."""
    scale = PICOS_PER_UNIT if line.kind in UNIT_KINDS else MICROS_PER_UNIT
    return Fraction(line.count * line.price, line.per * scale)


def _exact(receipt: ReceiptView, shares: tuple[Fraction, ...]) -> Fraction:
    """Apply the plan's ratio and the exchange rate."""
    exact = sum(shares, Fraction(0)) * Fraction(receipt.plan_ratio_ppm, RATIO_ONE_PPM)
    return (
        exact if receipt.exchange_rate_nanos is None else exact * Fraction(receipt.exchange_rate_nanos, NANOS_PER_UNIT)
    )


def _rounded(exact: Fraction) -> Nanos:
    """Round once, half up."""
    return min(NANOS_MAX, (exact * NANOS_PER_UNIT + Fraction(1, 2)).__floor__())


def _with_packages(receipt: ReceiptView, shares: tuple[Fraction, ...], usual_nanos: Nanos) -> Nanos:
    """Say what a call costs of whose tokens packages paid some: the others keep their part of the usual price.

    What is no token is charged as always, but for a recovery, which cannot tell it apart (decision 0032).
    """
    if not receipt.packages or not receipt.token_total:
        return usual_nanos
    of_tokens = zip(receipt.lines, shares, strict=True)
    token_shares = tuple(share for line, share in of_tokens if line.kind not in UNIT_KINDS)
    is_recovered = receipt.usage_source == UsageSource.CHECKPOINT
    units_nanos = 0 if is_recovered else usual_nanos - _rounded(_exact(receipt, token_shares))
    left = receipt.token_total - sum(package.token_count for package in receipt.packages)
    rest = Fraction((usual_nanos - units_nanos) * left, receipt.token_total) + Fraction(1, 2)
    return sum(package.paid_nanos for package in receipt.packages) + units_nanos + rest.__floor__()


async def _prices(session: AsyncSession, receipt: ReceiptView, entries: CallEntriesView) -> PricesView | None:
    """Say whose prices a call was made with."""
    version = await session.get(PriceBookVersion, receipt.price_version_id)
    if version is None or version.id is None:
        return None
    plans = {} if version.scope is Scope.CONTRACT else await plans_by_organization(session, now=entries.placed_at)
    return PricesView(version.id, version.scope, version.organization_id, plans.get(entries.owner_id, ""))


def _differences_of_amounts(
    entries: CallEntriesView, closed: ClosedView, computed_nanos: Nanos, recorded_nanos: Nanos
) -> Iterator[str]:
    """Compare what was computed with the close, the postings and the record."""
    metered = closed.charge_nanos + closed.absorbed_nanos
    posted = sum(paid.amount_nanos for paid in closed.paid if not paid.is_absorbed)
    absorbed = sum(paid.amount_nanos for paid in closed.paid if paid.is_absorbed)
    for words, said, other in (
        ("the metadata comes to {}, the journal charged and absorbed {}", computed_nanos, metered),
        ("the journal charged {}, its postings took {}", closed.charge_nanos, posted),
        ("the journal absorbed {}, its postings took {} from the platform", closed.absorbed_nanos, absorbed),
        ("the journal charged {}, the call's record says {}", closed.charge_nanos, recorded_nanos),
    ):
        if said != other:
            currency = entries.currency.value
            yield words.format(f"{format_amount(said)} {currency}", f"{format_amount(other)} {currency}")


def _differences_of_terms(
    receipt: ReceiptView, entries: CallEntriesView, closed: ClosedView, prices: PricesView | None
) -> Iterator[str]:
    """Compare what was agreed and how it was counted."""
    if receipt.usage_source != closed.usage_source.value:
        yield f"the record's usage is {receipt.usage_source}, the journal's {closed.usage_source.value}"
    if receipt.currency is not entries.currency:
        yield f"the record is in {receipt.currency.value}, the hold in {entries.currency.value}"
    if receipt.lines and prices is None:
        yield f"there is no price version {receipt.price_version_id}"
    if prices is not None and prices.scope is Scope.COST:
        yield f"price version {prices.version_id} holds costs, by which nobody is charged"
    if prices is not None and prices.organization_id not in {None, entries.owner_id}:
        yield f"price version {prices.version_id} is a contract of another organization"
    is_converted = receipt.price_currency is not receipt.currency
    if is_converted is not (receipt.exchange_rate_nanos is not None):
        yield f"prices in {receipt.price_currency.value} are charged in {receipt.currency.value} by no exchange rate"


def _unknown(request_id: str) -> NotFound:
    """Say that there is no such call, and when the name cannot be one's."""
    if not request_id.startswith(f"{Kind.REQUEST.value}_"):
        return NotFound(f"{request_id} names no call: a request id begins with {Kind.REQUEST.value}_.")
    return NotFound(
        f"There is no call {request_id} in this installation. One that was refused before anything was set aside "
        f"for it was never charged and has no entry; the log has its request_refused."
    )


def _without_record(entries: CallEntriesView, closed: ClosedView) -> Gone:
    """Say what is known all the same."""
    charged = f"{format_amount(closed.charge_nanos)} {entries.currency.value}"
    return Gone(
        f"The record of {entries.request_id} is no longer there, so its charge cannot be computed again. The journal "
        f"says: {closed.outcome.value} at {iso_instant(closed.closed_at)}, {charged} charged to {entries.owner_id}."
    )
