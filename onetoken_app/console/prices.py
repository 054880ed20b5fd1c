"""Units of work around drafts of prices: what was typed is read here, and handed to the pricing room."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from onetoken_app import clock
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.console.callers import Caller
from onetoken_app.console.named_customers import customer_named
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.money import Currency
from onetoken_app.organizations.time_zones import zone_of
from onetoken_app.pricing import drafts
from onetoken_app.pricing.models import Scope
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.service import For
from onetoken_app.pricing.written import parse_written_price
from onetoken_app.settings import get_settings
from onetoken_app.token_usage import TokenKind

BY_HAND = "console"
"""The source of a draft that was typed into the form."""
PRICE_CHARACTERS_MAX = 32
DRAFTED_SCOPES = (Scope.LIST, Scope.OFFER, Scope.CONTRACT)
"""Whom the form makes drafts for."""


async def propose_prices(caller: Caller, *, form: Mapping[str, Any], time_zone: str) -> int:
    """Make a draft of one model's prices; return its number.

    Args:
        caller: Somebody of finance, as the event's role says.
        form: As typed: the model, the currency, whom the prices are for and when, and a price by kind; empty: the kind
            has none of its own.
        time_zone: Of the moments in the form.

    Raises:
        BadRequest: A price or a moment cannot be read, prices of the input or the output are missing, or something
            does not belong to whom they are for.
        OneTokenError: As ``pricing.drafts.make_draft``.
    """
    currency, scope = str(form.get("currency", "")), str(form.get("scope") or Scope.LIST)
    if currency not in set(Currency):
        raise BadRequest("Choose a currency.", parameter="currency")
    if scope not in DRAFTED_SCOPES:
        raise BadRequest("Choose whom the prices are for. No draft was made.", parameter="scope")
    named = str(form.get("contracted_with", "")).strip()
    if bool(named) != (scope == Scope.CONTRACT):
        raise BadRequest(
            "Contracted prices, and no others, are of an organization. No draft was made.", parameter="contracted_with"
        )
    customer = await customer_named(named, parameter="contracted_with") if named else None
    meant_for = For(
        Scope(scope),
        customer.id if customer else None,
        ends_at=moment_of(str(form.get("ends_at", "")), time_zone=time_zone, parameter="ends_at"),
    )
    written = {kind: str(form.get(kind.value, "")).strip() for kind in TokenKind}
    rates = ModelRates({kind: _price(kind, typed) for kind, typed in written.items() if typed})
    effective_at = moment_of(str(form.get("effective_at", "")), time_zone=time_zone)
    async with unit_of_work() as session:
        return await drafts.make_draft(
            session,
            currency=Currency(currency),
            rates={str(form.get("model_id", "")): rates},
            source=BY_HAND,
            actor=_actor(caller),
            meant_for=meant_for,
            effective_at=effective_at,
        )


async def publish_draft(caller: Caller, *, draft_id: int, effective_at: datetime | None) -> int | None:
    """Publish a draft that somebody else made; return the version, or ``None`` when nothing differs.

    Args:
        caller: Somebody of finance, as the event's role says.
        draft_id: Which draft.
        effective_at: From when on; ``None``: from now on.

    Raises:
        OneTokenError: As ``pricing.drafts.publish_draft``.
    """
    async with unit_of_work() as session:
        return await drafts.publish_draft(
            session,
            draft_id,
            effective_at=effective_at or clock.utc_now(),
            actor=_actor(caller),
            rise_notice=timedelta(days=get_settings().price_rise_notice_days),
        )


async def discard_draft(caller: Caller, *, draft_id: int) -> None:
    """Give a draft up, one's own or another's.

    Raises:
        OneTokenError: As ``pricing.drafts.discard_draft``.
    """
    async with unit_of_work() as session:
        await drafts.discard_draft(session, draft_id, actor=_actor(caller))


def moment_of(written: str, *, time_zone: str, parameter: str = "effective_at") -> datetime | None:
    """Read a moment as a browser's field writes it, in the reader's zone; ``None`` for an empty one.

    Raises:
        BadRequest: It is none.
    """
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).replace(tzinfo=zone_of(time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest("Choose a day and a time.", parameter=parameter) from None


def _price(kind: TokenKind, typed: str) -> int:
    """Read one price exactly."""
    try:
        return parse_written_price(kind, typed[: PRICE_CHARACTERS_MAX + 1])
    except ValueError:
        raise BadRequest(
            "A price is a plain number, not negative: of a million tokens with at most 6 decimals, of anything else "
            "with at most 12. No draft was made.",
            parameter="price",
        ) from None


def _actor(caller: Caller) -> Actor:
    """Name the person for the audit log."""
    return Actor(ActorKind.PERSON, caller.person.person_id)
