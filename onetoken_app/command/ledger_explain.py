"""Says how the charge of one call comes about: to a person line by line, to a program as one object."""

from collections.abc import Iterator
from fractions import Fraction

from onetoken_app.clock import iso_instant
from onetoken_app.command.failure import CommandFailed
from onetoken_app.database import begin_snapshot, read_session
from onetoken_app.ledger.call_entries import PaidView, PotView
from onetoken_app.money import format_amount, format_ratio
from onetoken_app.organizations.queries import organizations
from onetoken_app.pricing.written import member_of, written_price
from onetoken_app.usage.explanation import ExplanationView, explain_call
from onetoken_app.usage.receipts import PackageShare


async def explain(request_id: str, *, organization: str | None) -> ExplanationView:
    """Explain a call.

    Args:
        request_id: The call.
        organization: Whose it has to be, by id or name; ``None``: anybody's.

    Raises:
        CommandFailed: There is no such organization.
        OneTokenError: There is no such call, it is another's, open, or without its record.
    """
    async with read_session() as session:
        await begin_snapshot(session)
        organization_id = None
        if organization is not None:
            known = [view.id for view in await organizations(session) if organization in {view.id, view.name}]
            if len(known) != 1:
                how_many = "several organizations have" if known else "no organization has"
                message = f"{organization}: {how_many} this name or id; onetoken ledger explain takes either"
                raise CommandFailed(message)
            organization_id = known[0]
        return await explain_call(session, request_id, organization_id=organization_id)


def explanation_lines(explained: ExplanationView) -> Iterator[str]:
    """Yield the steps, and the verdict last."""
    receipt, entries, closed = explained.receipt, explained.entries, explained.closed
    currency = entries.currency.value
    yield f"{receipt.request_id}: {receipt.model_name or 'no model'} for {entries.owner_id}"
    yield f"usage: {receipt.usage_source}, {receipt.attempt_count} attempts, {receipt.outcome.value}"
    yield f"prices: {_prices_in_words(explained)}"
    for line, share in zip(receipt.lines, explained.shares, strict=True):
        price = written_price(line.kind, line.price)
        yield f"  {member_of(line.kind)}: {line.count} × {price} ÷ {line.per} = {exactly(share)}"
    yield f"sum: {exactly(explained.sum_of_shares)} {receipt.price_currency.value}"
    yield f"× ratio {format_ratio(receipt.plan_ratio_ppm)}"
    if receipt.exchange_rate_nanos is not None:
        rate, version = format_amount(receipt.exchange_rate_nanos), receipt.exchange_rate_version
        yield f"× exchange rate {rate} (version {version}, {receipt.price_currency.value} to {currency})"
    yield f"exactly: {exactly(explained.exact)} {currency}"
    yield f"rounded once, half up: {format_amount(explained.usual_nanos)} {currency}"
    yield from _package_lines(explained, currency)
    held = "; ".join(f"{format_amount(part.amount_nanos)} of {_pot(part.pot)}" for part in entries.held)
    set_aside = f"{format_amount(entries.held_nanos)} {currency} at {iso_instant(entries.placed_at)}"
    yield f"hold: {set_aside}: {held or 'nothing'}"
    charge, absorbed = format_amount(closed.charge_nanos), format_amount(closed.absorbed_nanos)
    yield f"close: {charge} {currency} charged, {absorbed} absorbed, at {iso_instant(closed.closed_at)}"
    if closed.corrected_at is not None:
        added = format_amount(closed.correction_nanos)
        yield f"  of the charge {added} {currency} by a correction at {iso_instant(closed.corrected_at)}"
    for paid in closed.paid:
        yield f"  transaction {paid.transaction_number}: {format_amount(paid.amount_nanos)} {currency} {_payer(paid)}"
    for difference in explained.differences:
        yield f"WRONG: {difference}"
    if not explained.differences:
        yield "the charge is what the journal has"


def explanation_object(explained: ExplanationView) -> dict[str, object]:
    """Return the same as an object; amounts, prices and ratios are text, exact to the last digit."""
    receipt, entries, closed, prices = explained.receipt, explained.entries, explained.closed, explained.prices
    exchange = None
    if receipt.exchange_rate_nanos is not None:
        rate = format_amount(receipt.exchange_rate_nanos)
        exchange = {"version": receipt.exchange_rate_version, "from": receipt.price_currency.value, "rate": rate}
    return {
        "request_id": receipt.request_id,
        "organization_id": entries.owner_id,
        "model": receipt.model_name,
        "usage_source": receipt.usage_source,
        "usage": receipt.usage_counts,
        "price_version": receipt.price_version_id,
        "price_scope": prices.scope.value if prices else None,
        "price_currency": receipt.price_currency.value,
        "plan": prices.plan_name if prices else "",
        "tier_from_input_tokens": receipt.tier_from_input_tokens,
        "lines": [
            {
                "kind": line.kind.value,
                "count": line.count,
                "price": written_price(line.kind, line.price),
                "per": line.per,
                "share": exactly(share),
            }
            for line, share in zip(receipt.lines, explained.shares, strict=True)
        ],
        "sum": exactly(explained.sum_of_shares),
        "ratio": format_ratio(receipt.plan_ratio_ppm),
        "exchange_rate": exchange,
        "exact": exactly(explained.exact),
        "usual": format_amount(explained.usual_nanos),
        "packages": [_package_object(package) for package in receipt.packages],
        "computed": format_amount(explained.computed_nanos),
        "currency": entries.currency.value,
        "hold": {
            "placed_at": iso_instant(entries.placed_at),
            "amount": format_amount(entries.held_nanos),
            "parts": [{**_pot_object(part.pot), "amount": format_amount(part.amount_nanos)} for part in entries.held],
        },
        "close": {
            "outcome": closed.outcome.value,
            "closed_at": iso_instant(closed.closed_at),
            "charge": format_amount(closed.charge_nanos),
            "absorbed": format_amount(closed.absorbed_nanos),
            "corrected_at": iso_instant(closed.corrected_at) if closed.corrected_at else None,
            "correction": format_amount(closed.correction_nanos),
            "postings": [
                {
                    "transaction": paid.transaction_number,
                    **_pot_object(paid.pot),
                    "amount": format_amount(paid.amount_nanos),
                }
                for paid in closed.paid
            ],
        },
        "ok": not explained.differences,
        "differences": list(explained.differences),
    }


def _package_lines(explained: ExplanationView, currency: str) -> Iterator[str]:
    """Say what packages of tokens paid, and what that makes of the charge."""
    receipt = explained.receipt
    for package in receipt.packages:
        price, paid = format_amount(package.unit_nanos), format_amount(package.paid_nanos)
        yield f"a package paid {package.token_count} of {receipt.token_total} tokens: × {price} = {paid} {currency}"
    if receipt.packages:
        yield f"with the other tokens at the usual price: {format_amount(explained.computed_nanos)} {currency}"


def exactly(value: Fraction) -> str:
    """Write a number with all its digits; one that never ends, such as a third of an hour's price, as a quotient."""
    for digits in range(2, 46):
        scaled = value * 10**digits
        if scaled.denominator == 1:
            sign = "-" if scaled < 0 else ""
            whole, fraction = divmod(abs(scaled.numerator), 10**digits)
            return f"{sign}{whole}.{fraction:0{digits}d}"
    return f"{value.numerator}/{value.denominator}"


def _prices_in_words(explained: ExplanationView) -> str:
    """Say whose prices were applied."""
    receipt, prices = explained.receipt, explained.prices
    if prices is None:
        return "none"
    plan = f", plan {prices.plan_name}" if prices.plan_name else ""
    tier = f", tier from {receipt.tier_from_input_tokens} input tokens" if receipt.tier_from_input_tokens else ""
    return f"version {prices.version_id}, {prices.scope.value}{plan}{tier}, in {receipt.price_currency.value}"


def _pot(pot: PotView) -> str:
    """Name an account; a lot by its reference."""
    return f"{pot.kind.value} {pot.lot_id}".rstrip()


def _payer(paid: PaidView) -> str:
    """Say who paid, or got something back."""
    if paid.is_absorbed:
        return "borne by the platform"
    return f"{'from' if paid.amount_nanos > 0 else 'back to'} {_pot(paid.pot)}"


def _package_object(package: PackageShare) -> dict[str, object]:
    """Say how many tokens a package paid, for a program."""
    return {"tokens": package.token_count, "price": format_amount(package.unit_nanos)}


def _pot_object(pot: PotView) -> dict[str, object]:
    """Name an account for a program."""
    return {"account": pot.account_id, "kind": pot.kind.value, "lot": pot.lot_id}
