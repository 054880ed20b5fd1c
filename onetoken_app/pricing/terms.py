"""Drafts of what else decides what a customer pays: ratios, organizations' plans, exchange rates, early ends.

As with prices, one person makes a draft and another one publishes it. Each step is on the audit log.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.chain import Fact
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.money import Currency
from onetoken_app.pricing.errors import NothingChanges, OwnDraft
from onetoken_app.pricing.models import (
    DraftState,
    ExchangeRate,
    PlanAssignment,
    PlanVersion,
    PriceBookVersion,
    TermsDraft,
    TermsKind,
    VersionEnd,
)
from onetoken_app.pricing.publication import publication, refuse_members
from onetoken_app.pricing.service import assignment_for, end_for, exchange_rate_for, numbered, plan_version_for

Published = PlanVersion | PlanAssignment | ExchangeRate | VersionEnd


@dataclass(frozen=True, slots=True)
class Terms:
    """What is proposed; of each kind its own members are set."""

    kind: TermsKind
    plan_name: str = ""
    ratio_ppm: int | None = None
    organization_id: str | None = None
    from_currency: Currency | None = None
    to_currency: Currency | None = None
    rate_nanos: int | None = None
    version_id: int | None = None
    effective_at: datetime | None = None
    """From when on; unset: from the moment at which it is published."""


async def propose_terms(session: AsyncSession, terms: Terms, *, proposed_by: str) -> int:
    """Write a draft down; return its number.

    Args:
        session: Open unit of work; the caller commits.
        terms: What is proposed.
        proposed_by: Who of finance; has the role, as the edge checked.

    Raises:
        BadRequest: A value cannot be used, or the moment is in the past.
        NotFound: There is no such plan by then, organization or version.
        Conflict: The version was ended already.
        NothingChanges: It is so already by then.
        OwnOrganization: It is for an organization that this person belongs to.
    """
    row = await _row_for(session, terms, effective_at=terms.effective_at or clock.utc_now())
    if row is None:
        raise NothingChanges("It is so already by then. Nothing was proposed.")
    draft = TermsDraft(**asdict(terms), created_at=clock.utc_now(), created_by=proposed_by)
    if isinstance(row, VersionEnd):
        version = await session.get(PriceBookVersion, row.version_id)
        draft.organization_id = version.organization_id if version else None
    await refuse_members(session, organization_id=draft.organization_id, person_id=proposed_by)
    session.add(draft)
    await session.flush()
    await _note(session, draft, person_id=proposed_by, action="price_terms_draft_made")
    return numbered(draft.id)


async def publish_terms(
    session: AsyncSession, draft_id: int, *, published_by: str, rise_notice: timedelta
) -> int | None:
    """Publish what somebody else proposed.

    Args:
        session: Open unit of work; the caller commits.
        draft_id: Which draft.
        published_by: Who of finance; has the role, as the edge checked.
        rise_notice: How much earlier a rise has to be published.

    Returns:
        The number of what was published, of an end the version's; ``None`` when it is so already.

    Raises:
        BadRequest: Its moment is over, or a value cannot be used any more.
        NotFound: There is no such draft, or no such plan any more.
        Conflict: Somebody published or discarded it already, or ended the version.
        OwnDraft: It is this person who made it.
        OwnOrganization: It is for an organization that this person belongs to.
        RiseTooSoon: Somebody would pay more, too soon.
    """
    draft = await _open_draft(session, draft_id)
    if draft.created_by == published_by:
        raise OwnDraft(
            "Who made a draft of prices does not publish it. Nothing was published. A colleague of finance has to."
        )
    await refuse_members(session, organization_id=draft.organization_id, person_id=published_by)
    moment = draft.effective_at or clock.utc_now()
    holds_from = await _holds_from(session, draft, moment)
    async with publication(session, effective_at=holds_from, rise_notice=rise_notice):
        row = await _row_for(session, _terms_of(draft), effective_at=moment)
        if row is not None:
            if isinstance(row, VersionEnd):
                row.ended_by = published_by
            session.add(row)
            await session.flush()
    if row is not None:
        draft.published_as = row.version_id if isinstance(row, VersionEnd) else numbered(row.id)
    await _close(session, draft, DraftState.PUBLISHED, person_id=published_by, action="price_terms_draft_published")
    return draft.published_as


async def discard_terms(session: AsyncSession, draft_id: int, *, discarded_by: str) -> None:
    """Give a draft up, one's own or another's.

    Raises:
        NotFound: There is no such draft.
        Conflict: Somebody published or discarded it already.
    """
    draft = await _open_draft(session, draft_id)
    await _close(session, draft, DraftState.DISCARDED, person_id=discarded_by, action="price_terms_draft_discarded")


async def _row_for(session: AsyncSession, terms: Terms, *, effective_at: datetime) -> Published | None:
    """Return the row that the terms come to; ``None`` when it is so already."""
    if terms.kind is TermsKind.RATIO and terms.ratio_ppm is not None:
        return await plan_version_for(
            session, plan_name=terms.plan_name, ratio_ppm=terms.ratio_ppm, effective_at=effective_at
        )
    if terms.kind is TermsKind.PLAN and terms.organization_id is not None:
        return await assignment_for(
            session, organization_id=terms.organization_id, plan_name=terms.plan_name, effective_at=effective_at
        )
    if terms.kind is TermsKind.END and terms.version_id is not None:
        return await end_for(session, version_id=terms.version_id, ends_at=effective_at)
    if terms.from_currency is None or terms.to_currency is None or terms.rate_nanos is None:
        raise BadRequest("The form is incomplete. Nothing was done.", parameter="kind")
    return await exchange_rate_for(
        session,
        from_currency=terms.from_currency,
        to_currency=terms.to_currency,
        rate_nanos=terms.rate_nanos,
        effective_at=effective_at,
    )


async def _holds_from(session: AsyncSession, draft: TermsDraft, moment: datetime) -> datetime:
    """Say from when on prices differ by a draft: by the end of what has not begun, from its beginning on."""
    version = await session.get(PriceBookVersion, draft.version_id) if draft.version_id is not None else None
    return max(moment, version.effective_at) if version else moment


def _terms_of(draft: TermsDraft) -> Terms:
    """Return what a draft proposes."""
    return Terms(**{name: getattr(draft, name) for name in Terms.__slots__})


async def _open_draft(session: AsyncSession, draft_id: int) -> TermsDraft:
    """Return a draft that nobody has closed; locked, so that two people do not both close it."""
    query = select(TermsDraft).where(TermsDraft.id == draft_id).with_for_update()
    draft = (await session.exec(query)).first()
    if draft is None:
        raise NotFound("There is no such draft.")
    if draft.state is not DraftState.OPEN:
        raise Conflict(f"This draft was {draft.state.value} already.")
    return draft


async def _close(session: AsyncSession, draft: TermsDraft, state: DraftState, *, person_id: str, action: str) -> None:
    """Put down what became of a draft, and who did it."""
    draft.state, draft.closed_at, draft.closed_by = state, clock.utc_now(), person_id
    session.add(draft)
    await session.flush()
    await _note(session, draft, person_id=person_id, action=action)


async def _note(session: AsyncSession, draft: TermsDraft, *, person_id: str, action: str) -> None:
    """Put a step on the audit log."""
    facts: dict[str, Fact] = {
        "kind": draft.kind.value,
        "effective_at": clock.iso_instant(draft.effective_at) if draft.effective_at else "",
        "published_as": draft.published_as or 0,
        "plan": draft.plan_name,
        "ratio_ppm": draft.ratio_ppm or 0,
        "from": draft.from_currency.value if draft.from_currency else "",
        "to": draft.to_currency.value if draft.to_currency else "",
        "rate_nanos": draft.rate_nanos or 0,
        "version_id": draft.version_id or 0,
    }
    await audit.record(
        session,
        actor=Actor(ActorKind.PERSON, person_id),
        action=action,
        subject_id=str(draft.id),
        organization_id=draft.organization_id,
        facts=facts,
    )
