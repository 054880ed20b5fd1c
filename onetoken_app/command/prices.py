"""Proposes, shows, publishes and discards prices, as an operator does on the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.catalog import queries as catalog
from onetoken_app.command.failure import CommandFailed
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.errors import OneTokenError
from onetoken_app.money import Currency
from onetoken_app.pricing import drafts, genai_catalog
from onetoken_app.pricing.drafts import DifferenceLine, DraftView
from onetoken_app.pricing.genai_catalog import Proposal
from onetoken_app.pricing.price_book import Place, PricesInForce
from onetoken_app.pricing.queries import prices_in_force
from onetoken_app.pricing.written import member_of, written_price

_CURRENCY = Currency.USD
"""What the package's prices are in."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    draft_id: int | None
    """Unset: nothing differs from what is in force."""
    difference: tuple[str, ...]
    """A line for each price that would change."""
    remarks: tuple[str, ...]
    """A line for each model or price that was not taken over."""


async def import_prices(*, provider: str | None, models: frozenset[str]) -> Imported:
    """Make a draft of the public prices of models of ours, so far as they differ from the list.

    Args:
        provider: The provider's id in the package; ``None``: by the address of each model's channels.
        models: Names of models; empty: every model.

    Raises:
        CommandFailed: There is no such model.
    """
    now = clock.utc_now()
    async with read_session() as session:
        proposals = await _proposals(session, provider=provider, models=models, now=now)
        in_force = await prices_in_force(session, now=now)
    rates = {
        proposal.model_id: proposal.rates
        for proposal in proposals.values()
        if proposal.rates is not None and _differs(proposal, in_force.get(Place(proposal.model_id, _CURRENCY)))
    }
    remarks = tuple(line for name, proposal in sorted(proposals.items()) for line in _remarks(name, proposal))
    if not rates:
        return Imported(None, (), remarks)
    source = genai_catalog.package_release()
    async with unit_of_work() as session:
        draft_id = await drafts.make_draft(
            session, currency=_CURRENCY, rates=rates, source=source, actor=audit.OPERATOR
        )
        lines = await drafts.difference(session, draft_id, at=now)
    return Imported(draft_id, tuple(map(difference_words, lines)), remarks)


async def list_drafts() -> list[DraftView]:
    """Return every draft, newest first."""
    async with read_session() as session:
        return await drafts.drafts(session)


async def show_draft(draft_id: int) -> list[str]:
    """Return a line for each price that a draft would change if it were published now."""
    async with read_session() as session:
        lines = await drafts.difference(session, draft_id, at=clock.utc_now())
    return [difference_words(line) for line in lines]


async def publish_draft(draft_id: int, *, effective_at: str | None) -> int | None:
    """Publish a draft as the operator; return the version, or ``None`` when nothing differs.

    Without a moment it is in force from the proposed one on, or at once.

    Raises:
        CommandFailed: The moment cannot be read, or the draft cannot be published.
    """
    moment = None if effective_at is None else read_moment(effective_at)
    try:
        async with unit_of_work() as session:
            return await drafts.publish_draft(session, draft_id, effective_at=moment, actor=audit.OPERATOR)
    except OneTokenError as error:
        raise CommandFailed(error.public_message) from error


async def discard_draft(draft_id: int) -> None:
    """Give a draft up, as the operator.

    Raises:
        CommandFailed: There is none, or it is closed.
    """
    try:
        async with unit_of_work() as session:
            await drafts.discard_draft(session, draft_id, actor=audit.OPERATOR)
    except OneTokenError as error:
        raise CommandFailed(error.public_message) from error


def difference_words(line: DifferenceLine) -> str:
    """Say one difference."""
    before, after = (
        "none" if price is None else written_price(line.kind, price) for price in (line.before, line.after)
    )
    tier = f" from {line.from_input_tokens} input tokens" if line.from_input_tokens else ""
    return f"{line.model_name}: {member_of(line.kind)}{tier}: {before} -> {after}"


def read_moment(text: str) -> datetime:
    """Read a moment such as ``2027-01-01T00:00+08:00`` or a date, which begins at midnight, UTC.

    Raises:
        CommandFailed: It is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text}: a moment is written like 2027-01-01T00:00+08:00, or as a date, which begins at 00:00 UTC"
        raise CommandFailed(message) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _proposals(
    session: AsyncSession, *, provider: str | None, models: frozenset[str], now: datetime
) -> dict[str, Proposal]:
    """Ask the package about models of ours, by name."""
    known = {model.name: model for model in await catalog.models(session)}
    if missing := sorted(models - set(known)):
        message = f"there is no model {missing[0]!r} in the catalog"
        raise CommandFailed(message)
    channels = {channel.id: channel for channel in await catalog.channels(session)}
    proposals = {}
    for name in sorted(models or known):
        ways = [(route, channels[route.channel_id]) for route in await catalog.routes_of(session, known[name].id)]
        proposals[name] = genai_catalog.propose(known[name].id, ways, at=now, provider=provider)
    return proposals


def _differs(proposal: Proposal, known: PricesInForce | None) -> bool:
    """Whether a proposal is not what the list says already."""
    return known is None or known.rates != proposal.rates


def _remarks(name: str, proposal: Proposal) -> Iterator[str]:
    """Say what was not taken over."""
    found = f"{name} ({proposal.found_as})" if proposal.found_as else name
    if proposal.problem:
        yield f"{found}: left out: {proposal.problem}"
    for price in proposal.left_out:
        yield f"{found}: {price} has no place in the price book and was not taken over"
