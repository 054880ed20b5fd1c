"""Units of work around drafts of prices: what was typed is read here, and handed to the pricing room."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from onetoken_app import clock
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.console.callers import Caller
from onetoken_app.database import unit_of_work
from onetoken_app.errors import BadRequest
from onetoken_app.money import Currency
from onetoken_app.organizations.time_zones import zone_of
from onetoken_app.pricing import drafts
from onetoken_app.pricing.rates import ModelRates
from onetoken_app.pricing.written import parse_written_price
from onetoken_app.settings import get_settings
from onetoken_app.token_usage import TokenKind

BY_HAND = "console"
"""The source of a draft that was typed into the form."""
PRICE_CHARACTERS_MAX = 32


async def propose_prices(caller: Caller, *, model_id: str, currency: str, written: Mapping[str, str]) -> int:
    """Make a draft of one model's list prices; return its number.

    Args:
        caller: Somebody of finance, as the event's role says.
        model_id: The model.
        currency: What the prices are in.
        written: Prices as typed, by kind; empty: the kind has none of its own.

    Raises:
        BadRequest: A price cannot be read, or those of the input or the output are missing.
        NotFound: There is no such model.
    """
    if currency not in set(Currency):
        raise BadRequest("Choose a currency.", parameter="currency")
    rates = ModelRates({kind: _price(kind, typed) for kind in TokenKind if (typed := written.get(kind, "").strip())})
    async with unit_of_work() as session:
        return await drafts.make_draft(
            session, currency=Currency(currency), rates={model_id: rates}, source=BY_HAND, actor=_actor(caller)
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


def moment_of(written: str, *, time_zone: str) -> datetime | None:
    """Read a moment as a browser's field writes it, in the reader's zone; ``None`` for an empty one.

    Raises:
        BadRequest: It is none.
    """
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).replace(tzinfo=zone_of(time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest("Choose a day and a time.", parameter="effective_at") from None


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
