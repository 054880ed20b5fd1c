"""Packages: staff offers them, organizations buy them from their prepaid balance. What is offered never changes.

The price becomes as much credit, which was paid for; the bonus is promotional credit beside it. Both are for the same
models until the same moment, and the ledger knows them by the sale's id, so that a package is sold once.

A package of tokens is for a number of tokens of named models, at what they cost when it was bought (decision 0032).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit.chain import Fact
from onetoken_app.catalog.models import Model
from onetoken_app.credit.customers import (
    checked_amount,
    checked_submission,
    locked_customer,
    note,
    refuse_members,
    refuse_while_blocked,
)
from onetoken_app.credit.errors import FormUsed, PackageTooDear, PackageWithdrawn
from onetoken_app.credit.models import Package, PackageModel, PackageSale
from onetoken_app.errors import BadRequest, NotFound
from onetoken_app.identifiers import Kind, new_id
from onetoken_app.ledger import service as ledger
from onetoken_app.ledger.errors import InsufficientFunds, NoSuchAccount
from onetoken_app.money import NANOS_PER_UNIT, Currency, Nanos, format_amount
from onetoken_app.pricing.queries import price_book
from onetoken_app.token_usage import TokenUsage

NAME_CHARACTERS_MAX = 64
VALID_DAYS_MAX = 3 * 366
TOKENS_MAX = 10**12
_HALF_AND_HALF = TokenUsage(input=100, output=100)
"""What tokens are worth by the list is asked for so few that no tier is reached."""
_OFFERED_BY_A_MEMBER = (
    "Whoever offers this package belongs to your organization, which therefore cannot buy it; nothing was bought. Ask "
    "the operator for another offer."
)


@dataclass(frozen=True, slots=True)
class PackageOffer:
    """What a package is."""

    name: str
    currency: Currency
    price_nanos: Nanos
    bonus_nanos: Nanos
    valid_days: int
    model_ids: Sequence[str] = ()
    """None: every model."""
    token_count: int = 0
    """0: it is credit, not tokens."""


async def offer_package(session: AsyncSession, *, offer: PackageOffer, bonus_max_nanos: Nanos, offered_by: str) -> str:
    """Offer a package to every organization that is billed in its currency; return its id.

    One person offers it, so its bonus is bounded: by its price, and by what one person may grant.

    Args:
        session: Open unit of work; the caller commits.
        offer: 1 to 64 characters of a name, whole cents, 1 to 1 098 days, known models. Tokens have a price of whole
            nanos each, at least one model, and no bonus.
        bonus_max_nanos: What one person of finance may give.
        offered_by: Who of finance; has the role, as the edge checked.

    Raises:
        AmountRefused, BadRequest: There cannot be such a package.
        NotFound: There is no such model.
    """
    name = offer.name.strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise BadRequest(f"A package's name has 1 to {NAME_CHARACTERS_MAX} printable characters.", parameter="name")
    if type(offer.valid_days) is not int or not 0 < offer.valid_days <= VALID_DAYS_MAX:
        raise BadRequest(f"A package is valid for 1 to {VALID_DAYS_MAX} days.", parameter="valid_days")
    price_nanos = checked_amount(offer.price_nanos, parameter="price")
    _check_tokens(offer)
    bonus_max_nanos = min(price_nanos, bonus_max_nanos)
    await _check_discount(session, offer, most_nanos=bonus_max_nanos)
    package = Package(
        id=new_id(Kind.PACKAGE),
        name=name,
        currency=offer.currency,
        price_nanos=price_nanos,
        bonus_nanos=_checked_bonus(offer.bonus_nanos, most_nanos=bonus_max_nanos),
        token_count=offer.token_count,
        valid_days=offer.valid_days,
        offered_by=offered_by,
        offered_at=clock.utc_now(),
    )
    session.add(package)
    await session.flush()
    for model_id in sorted(set(offer.model_ids)):
        if await session.get(Model, model_id) is None:
            raise NotFound("There is no such model; nothing was offered.")
        session.add(PackageModel(package_id=package.id, model_id=model_id))
    await session.flush()
    facts: dict[str, Fact] = {
        "price": format_amount(package.price_nanos),
        "bonus": format_amount(package.bonus_nanos),
        "currency": package.currency.value,
        "valid_days": package.valid_days,
        "model_count": len(set(offer.model_ids)),
        "token_count": package.token_count,
    }
    await note(
        session, "package_offered", actor_id=offered_by, subject_id=package.id, organization_id=None, facts=facts
    )
    return package.id


def _checked_bonus(bonus_nanos: Nanos, *, most_nanos: Nanos) -> Nanos:
    """Refuse a bonus that would be a gift by one person alone, however small the price."""
    checked_amount(bonus_nanos, parameter="bonus", least_nanos=0)
    if bonus_nanos > most_nanos:
        raise BadRequest(
            f"A bonus is at most the price, and at most what one person may grant: {format_amount(most_nanos)} here. "
            f"Nothing was offered.",
            parameter="bonus",
        )
    return bonus_nanos


def _check_tokens(offer: PackageOffer) -> None:
    """Refuse a package of tokens whose last token could be neither used nor paid for, or that is for no model."""
    if type(offer.token_count) is not int or not 0 <= offer.token_count <= TOKENS_MAX:
        raise BadRequest(
            f"Tokens are a plain number up to {TOKENS_MAX:,}; 0: the package is credit. Nothing was offered.",
            parameter="tokens",
        )
    if not offer.token_count:
        return
    if not offer.model_ids:
        raise BadRequest("Tokens are of named models: choose at least one. Nothing was offered.", parameter="tokens")
    if offer.bonus_nanos:
        raise BadRequest("Tokens have no bonus: offer more of them. Nothing was offered.", parameter="bonus")
    if offer.price_nanos % offer.token_count:
        step = math.lcm(offer.token_count, NANOS_PER_UNIT // 100)
        fitting = format_amount(-(-offer.price_nanos // step) * step)
        raise BadRequest(
            f"A token's price is a whole number of billionths. The next price that divides into {offer.token_count:,} "
            f"tokens is {fitting}; change the price or the tokens. Nothing was offered.",
            parameter="price",
        )


async def _check_discount(session: AsyncSession, offer: PackageOffer, *, most_nanos: Nanos) -> None:
    """Refuse tokens that would be a gift by one person alone, at half input and half output by the list of now."""
    if not offer.token_count:
        return
    book = await price_book(session, now=clock.utc_now())
    for model_id in offer.model_ids:
        sheet = book.sheet_for(model_id=model_id, organization_id="", currency=offer.currency)
        if sheet is None:
            raise BadRequest(
                "One of these models has no price in this currency; nothing was offered.", parameter="tokens"
            )
        usual_nanos = sheet.charge_for(_HALF_AND_HALF) * offer.token_count // _HALF_AND_HALF.token_total
        if usual_nanos - offer.price_nanos > most_nanos:
            raise BadRequest(
                f"By the list these tokens cost {format_amount(usual_nanos)}, half of them input and half output. What "
                f"a package saves is at most its price, and at most what one person may grant: "
                f"{format_amount(most_nanos)} here. Nothing was offered.",
                parameter="price",
            )


async def withdraw_package(session: AsyncSession, *, package_id: str, withdrawn_by: str) -> None:
    """Sell a package no more; doing it again changes nothing, and what was sold stays.

    Raises:
        NotFound: There is no such package.
    """
    package = await session.get(Package, package_id, with_for_update=True, populate_existing=True)
    if package is None:
        raise NotFound("There is no such package.")
    if package.withdrawn_at is not None:
        return
    package.withdrawn_at = clock.utc_now()
    await session.flush()
    await note(session, "package_withdrawn", actor_id=withdrawn_by, subject_id=package.id, organization_id=None)


async def buy_package(
    session: AsyncSession, *, organization_id: str, package_id: str, submission_id: str, bought_by: str
) -> str:
    """Turn a part of the prepaid balance into a package; return the sale's id. The same form again returns the first.

    Args:
        session: Open unit of work; the caller commits.
        organization_id: Who buys; verified, and neither suspended nor frozen.
        package_id: Which package; as it is, since it never changes.
        submission_id: Made once per form.
        bought_by: A member who may; the edge checked the role.

    Raises:
        CreditBlocked: The organization may not call now.
        FormUsed: The form bought something else before.
        NotFound: There is no such package.
        PackageTooDear: The available balance is below its price.
        PackageWithdrawn: It is sold no more, or is in another currency.
        StaffInvolved: Whoever offered it belongs to the organization.
    """
    checked_submission(submission_id)
    customer = await locked_customer(session, organization_id)
    first = await _sale_of_form(session, organization_id, submission_id)
    if first is not None:
        if first.package_id != package_id:
            raise FormUsed("This form bought another package before; load the page anew. Nothing was bought.")
        return first.id
    package = await session.get(Package, package_id, with_for_update=True, populate_existing=True)
    if package is None:
        raise NotFound("There is no such package.")
    if package.withdrawn_at is not None or package.currency is not customer.currency:
        raise PackageWithdrawn("This package is not for sale any more; nothing was bought. Look at the others.")
    await refuse_members(session, customer.id, package.offered_by, message=_OFFERED_BY_A_MEMBER)
    await refuse_while_blocked(session, customer)
    now = clock.utc_now()
    sale = PackageSale(
        id=new_id(Kind.PACKAGE_SALE),
        package_id=package.id,
        organization_id=organization_id,
        submission_id=submission_id,
        expires_at=now + timedelta(days=package.valid_days),
        bought_by=bought_by,
        bought_at=now,
    )
    session.add(sale)
    await session.flush()
    facts: dict[str, Fact] = {
        "package_id": package.id,
        "price": format_amount(package.price_nanos),
        "currency": package.currency.value,
    }
    await note(
        session, "package_bought", actor_id=bought_by, subject_id=sale.id, organization_id=organization_id, facts=facts
    )
    await _deliver(session, package, sale)
    return sale.id


async def _deliver(session: AsyncSession, package: Package, sale: PackageSale) -> None:
    """Open the lots: the paid one, and the bonus."""
    query = select(PackageModel.model_id).where(PackageModel.package_id == package.id)
    scopes = list(await session.exec(query))
    try:
        await ledger.sell_package(
            session,
            owner_id=sale.organization_id,
            currency=package.currency,
            amount_nanos=package.price_nanos,
            expires_at=sale.expires_at,
            reference=f"package:{sale.id}",
            scopes=scopes,
            token_count=package.token_count,
        )
    except (InsufficientFunds, NoSuchAccount) as error:
        available = format_amount(int(error.metadata.get("available_nanos", 0)))
        price, currency = format_amount(package.price_nanos), package.currency.value
        raise PackageTooDear(
            f"This package costs {price} {currency}, and {available} {currency} of the balance is available; nothing "
            f"was bought. Top up first.",
            metadata={"price": price, "available": available, "currency": currency},
        ) from error
    if package.bonus_nanos:
        await ledger.grant_promotional_credit(
            session,
            owner_id=sale.organization_id,
            currency=package.currency,
            amount_nanos=package.bonus_nanos,
            expires_at=sale.expires_at,
            reference=f"package_bonus:{sale.id}",
            scopes=scopes,
        )


async def _sale_of_form(session: AsyncSession, organization_id: str, submission_id: str) -> PackageSale | None:
    """Find what the same form bought before."""
    query = select(PackageSale).where(
        PackageSale.organization_id == organization_id, PackageSale.submission_id == submission_id
    )
    return (await session.exec(query)).first()
