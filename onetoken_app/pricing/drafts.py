"""Drafts of prices: proposed by an import or by staff, looked at as a difference, then published or discarded.

Each step is on the audit log with who took it. A draft that was published or discarded stays as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.catalog.models import Model
from onetoken_app.errors import Conflict, NotFound
from onetoken_app.money import Currency, MicrosPerMillion
from onetoken_app.pricing.errors import OwnDraft
from onetoken_app.pricing.models import Draft, DraftRate, DraftState, Scope
from onetoken_app.pricing.periods import refuse_overlap, refuse_unconvertible
from onetoken_app.pricing.publication import publication, refuse_members
from onetoken_app.pricing.queries import prices_in_force
from onetoken_app.pricing.rates import ModelRates, rates_from_rows
from onetoken_app.pricing.service import EVERYBODY, For, check_moment, check_prices, numbered, publish_prices
from onetoken_app.token_usage import TokenKind


class Change(StrEnum):
    """How a draft differs from what is in force."""

    ADDED = "added"
    """It has a price that is not there."""
    REMOVED = "removed"
    """A price that is there is not in it."""
    CHANGED = "changed"
    """Another price."""


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """One price that would be another one."""

    model_id: str
    model_name: str
    kind: TokenKind
    from_input_tokens: int
    """The tier's threshold; 0: below every tier."""
    before: MicrosPerMillion | None
    """In force; unset: none of its own."""
    after: MicrosPerMillion | None
    """In the draft; unset: none of its own."""

    @property
    def change(self) -> Change:
        """What kind of difference it is."""
        if self.before is None:
            return Change.ADDED
        return Change.REMOVED if self.after is None else Change.CHANGED


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as staff see it."""

    id: int
    scope: Scope
    currency: Currency
    organization_id: str | None
    channel_id: str | None
    effective_at: datetime | None
    """From when on, as proposed; unset: whoever publishes it says."""
    ends_at: datetime | None
    source: str
    state: DraftState
    created_at: datetime
    created_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    version_id: int | None
    model_count: int


async def make_draft(
    session: AsyncSession,
    *,
    currency: Currency,
    rates: Mapping[str, ModelRates],
    source: str,
    actor: Actor,
    meant_for: For = EVERYBODY,
    effective_at: datetime | None = None,
) -> int:
    """Write a draft down; return its number.

    Args:
        session: Open unit of work; the caller commits.
        currency: What the prices are in.
        rates: All prices of each model; at least one model.
        source: Where they come from; at most 64 characters.
        actor: Who proposes them.
        meant_for: Whom they are for; by default the list.
        effective_at: From when on; ``None``: whoever publishes them says.

    Raises:
        BadRequest: The prices of a model cannot price a call, a moment is impossible, or nobody could be charged in
            the currency.
        NotFound: There is no such model or organization.
        OwnOrganization: The actor belongs to the organization.
        PricesOverlap: Others of an offer or a contract would hold at the same time.
    """
    moment = effective_at or clock.utc_now()
    check_moment(moment)
    await check_prices(session, rates=rates, meant_for=meant_for, effective_at=moment)
    await _check_special(session, meant_for, currency, rates, effective_at=moment, actor=actor)
    draft = Draft(
        scope=meant_for.scope,
        currency=currency,
        organization_id=meant_for.organization_id,
        channel_id=meant_for.channel_id,
        effective_at=effective_at,
        ends_at=meant_for.ends_at,
        source=source[:64],
        created_at=clock.utc_now(),
        created_by=person_id_of(actor),
    )
    session.add(draft)
    await session.flush()
    draft_id = numbered(draft.id)
    session.add_all(
        DraftRate(
            draft_id=draft_id,
            model_id=model_id,
            kind=kind,
            from_input_tokens=from_input_tokens,
            micros_per_million=price,
        )
        for model_id, model_rates in rates.items()
        for kind, from_input_tokens, price in model_rates.rows()
    )
    await session.flush()
    await _note(session, draft, actor=actor, action="price_draft_made")
    return draft_id


async def publish_draft(
    session: AsyncSession,
    draft_id: int,
    *,
    effective_at: datetime | None,
    actor: Actor,
    rise_notice: timedelta | None = None,
) -> int | None:
    """Publish what differs of a draft, from a moment on.

    A person's draft is published by another one. The operator's, made by command, needs no second.

    Args:
        session: Open unit of work; the caller commits.
        draft_id: Which draft.
        effective_at: From when on; ``None``: from the proposed moment on, and at once where that is over.
        actor: Who publishes it.
        rise_notice: How much earlier a rise has to be published, and that customers are told; ``None``: neither.

    Returns:
        The version's number, or ``None`` when nothing differs from what is in force by then.

    Raises:
        BadRequest: The moment is in the past, or after the draft's own end.
        NotFound: There is no such draft.
        Conflict: Somebody published or discarded it already.
        OwnDraft: It is this person who made it.
        OwnOrganization: It is for an organization that this person belongs to.
        PricesOverlap: Others of an offer or a contract would hold at the same time.
        RiseTooSoon: Somebody would pay more, too soon.
    """
    draft = await _open_draft(session, draft_id)
    if draft.created_by is not None and draft.created_by == person_id_of(actor):
        raise OwnDraft(
            "Who made a draft of prices does not publish it. Nothing was published. A colleague of finance has to."
        )
    moment = effective_at or max(draft.effective_at or clock.utc_now(), clock.utc_now())
    rates, meant_for = await _rates_of(session, draft_id), _meant_for(draft)
    async with publication(session, effective_at=moment, rise_notice=rise_notice):
        await _check_special(session, meant_for, draft.currency, rates, effective_at=moment, actor=actor)
        version_id = await publish_prices(
            session,
            currency=draft.currency,
            rates=rates,
            effective_at=moment,
            meant_for=meant_for,
            published_by=person_id_of(actor),
        )
    draft.version_id = version_id
    await _close(session, draft, DraftState.PUBLISHED, actor=actor, action="price_draft_published")
    return version_id


async def discard_draft(session: AsyncSession, draft_id: int, *, actor: Actor) -> None:
    """Give a draft up.

    Raises:
        NotFound: There is no such draft.
        Conflict: Somebody published or discarded it already.
    """
    draft = await _open_draft(session, draft_id)
    await _close(session, draft, DraftState.DISCARDED, actor=actor, action="price_draft_discarded")


async def drafts(session: AsyncSession, *, state: DraftState | None = None) -> list[DraftView]:
    """Return drafts, newest first; ``state`` narrows them."""
    count = sa.func.count(sa.distinct(col(DraftRate.model_id)))
    query = (
        select(Draft, count)
        .join(DraftRate, col(DraftRate.draft_id) == col(Draft.id))
        .group_by(*sa.inspect(Draft).columns)
        .order_by(col(Draft.id).desc())
    )
    if state is not None:
        query = query.where(Draft.state == state)
    names = [name for name in DraftView.__slots__ if name != "model_count"]
    return [
        DraftView(model_count=model_count, **{name: getattr(draft, name) for name in names})
        for draft, model_count in await session.exec(query)
    ]


async def difference(session: AsyncSession, draft_id: int, *, at: datetime) -> list[DifferenceLine]:
    """Return how a draft differs from what is in force at ``at``, by model, threshold and kind.

    Raises:
        NotFound: There is no such draft.
    """
    draft = await session.get(Draft, draft_id)
    if draft is None:
        raise NotFound("There is no such draft of prices.")
    in_force = await prices_in_force(session, now=at)
    names = dict((await session.exec(select(Model.id, Model.name))).all())
    lines = []
    for model_id, proposed in (await _rates_of(session, draft_id)).items():
        known = in_force.get(_meant_for(draft).place(model_id, draft.currency))
        before = _by_place(known.rates) if known else {}
        after = _by_place(proposed)
        lines += [
            DifferenceLine(model_id, names[model_id], kind, threshold, before.get(place), after.get(place))
            for place in {*before, *after}
            for threshold, kind in (place,)
            if before.get(place) != after.get(place)
        ]
    order = list(TokenKind)
    return sorted(lines, key=lambda line: (line.model_name, line.from_input_tokens, order.index(line.kind)))


async def _check_special(
    session: AsyncSession,
    meant_for: For,
    currency: Currency,
    rates: Mapping[str, ModelRates],
    *,
    effective_at: datetime,
    actor: Actor,
) -> None:
    """Refuse what contracted prices and offers must not be."""
    await refuse_members(session, organization_id=meant_for.organization_id, person_id=person_id_of(actor))
    await refuse_unconvertible(session, meant_for=meant_for, currency=currency, effective_at=effective_at)
    await refuse_overlap(
        session, meant_for=meant_for, currency=currency, model_ids=set(rates), effective_at=effective_at
    )


def _meant_for(draft: Draft) -> For:
    """Say whom a draft is for."""
    return For(draft.scope, draft.organization_id, draft.channel_id, draft.ends_at)


def _by_place(rates: ModelRates) -> dict[tuple[int, TokenKind], MicrosPerMillion]:
    """Index prices by threshold and kind."""
    return {(from_input_tokens, kind): price for kind, from_input_tokens, price in rates.rows()}


async def _rates_of(session: AsyncSession, draft_id: int) -> dict[str, ModelRates]:
    """Return a draft's prices by model."""
    rows: dict[str, list[tuple[TokenKind, int, MicrosPerMillion]]] = {}
    for row in await session.exec(select(DraftRate).where(DraftRate.draft_id == draft_id)):
        rows.setdefault(row.model_id, []).append((row.kind, row.from_input_tokens, row.micros_per_million))
    return {model_id: rates_from_rows(prices) for model_id, prices in rows.items()}


async def _open_draft(session: AsyncSession, draft_id: int) -> Draft:
    """Return a draft that nobody has closed; locked, so that two people do not both close it."""
    query = select(Draft).where(Draft.id == draft_id).with_for_update()
    draft = (await session.exec(query)).first()
    if draft is None:
        raise NotFound("There is no such draft of prices.")
    if draft.state is not DraftState.OPEN:
        raise Conflict(f"This draft was {draft.state.value} already.")
    return draft


async def _close(session: AsyncSession, draft: Draft, state: DraftState, *, actor: Actor, action: str) -> None:
    """Put down what became of a draft, and who did it."""
    draft.state = state
    draft.closed_at, draft.closed_by = clock.utc_now(), person_id_of(actor)
    session.add(draft)
    await session.flush()
    await _note(session, draft, actor=actor, action=action)


async def _note(session: AsyncSession, draft: Draft, *, actor: Actor, action: str) -> None:
    """Put a step on the audit log."""
    await audit.record(
        session,
        actor=actor,
        action=action,
        subject_id=str(draft.id),
        organization_id=draft.organization_id,
        facts={
            "scope": draft.scope.value,
            "currency": draft.currency.value,
            "source": draft.source,
            "version_id": draft.version_id or 0,
        },
    )


def person_id_of(actor: Actor) -> str | None:
    """Return the person, if it is one."""
    return actor.id if actor.kind is ActorKind.PERSON else None
