"""Drafts of prices that wait, with the names of everybody in them."""

from sqlmodel.ext.asyncio.session import AsyncSession

from onetoken_app.catalog.queries import channels
from onetoken_app.console.shown.prices import ShownDraft, shown_draft
from onetoken_app.database import read_session
from onetoken_app.identity.queries import names_of
from onetoken_app.organizations.queries import organizations
from onetoken_app.pricing.drafts import drafts
from onetoken_app.pricing.models import DraftState


async def names_of_whom(session: AsyncSession) -> dict[str, str]:
    """Name whomever contracts and costs are of, by id."""
    named = {one.id: one.name for one in await organizations(session)}
    return named | {one.id: one.name for one in await channels(session)}


async def waiting_drafts(time_zone: str, *, reader_id: str) -> list[ShownDraft]:
    """Read the drafts that wait, for one person of finance."""
    async with read_session() as session:
        found = await drafts(session, state=DraftState.OPEN)
        names = await names_of(session, {one.created_by for one in found if one.created_by})
        whom = await names_of_whom(session)
    return [shown_draft(view, names=names, whom=whom, reader_id=reader_id, time_zone=time_zone) for view in found]
