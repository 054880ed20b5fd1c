"""Finance's desk of prices: what is in force, what was published, and drafts, which one makes and another publishes."""

from typing import Any

import reflex as rx

from onetoken_app import clock
from onetoken_app.catalog.queries import models
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.components.news import asks_for_news
from onetoken_app.console.components.price_cards import draft_card, versions_table
from onetoken_app.console.components.price_desk import (
    OPEN_DRAFT,
    draft_columns,
    in_force_columns,
    proposal_form,
)
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.prices import discard_draft, moment_of, propose_prices, publish_draft
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.moments import shown_minute
from onetoken_app.console.shown.prices import (
    ShownChange,
    ShownDraft,
    ShownPrices,
    ShownVersion,
    shown_changes,
    shown_prices,
    shown_version,
)
from onetoken_app.console.shown.waiting_drafts import names_of_whom, waiting_drafts
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session
from onetoken_app.errors import BadRequest, Conflict, NotFound
from onetoken_app.identity.queries import names_of
from onetoken_app.money import Currency
from onetoken_app.pricing.drafts import difference
from onetoken_app.pricing.queries import prices_in_force, published_versions

_VERSIONS_A_PAGE = 20
_OUTCOMES = ("prices.published", "prices.nothing_published", "prices.discarded", "prices.proposed")


class PricesState(rx.State):
    """What is on the desk, and the draft that is open."""

    is_loaded: bool = False
    models: rx.Field[list[tuple[str, str]]] = rx.field(default_factory=list)
    """Id and name of each."""
    in_force: rx.Field[list[ShownPrices]] = rx.field(default_factory=list)
    waiting: rx.Field[list[ShownDraft]] = rx.field(default_factory=list)
    open_draft: ShownDraft = ShownDraft()
    changes: rx.Field[list[ShownChange]] = rx.field(default_factory=list)
    moment: str = ""
    """From when on, as the browser's field writes it; empty: at once."""
    moment_words: str = ""
    versions: rx.Field[list[ShownVersion]] = rx.field(default_factory=list)
    older_than: str = ""
    """The version after which the next page begins; empty: this is the last."""
    is_newest_page: bool = True
    form_key: str = "form-0"
    """Another one after each draft that was made here; it empties the form."""
    _proposals: int = 0
    outcome: str = ""
    """What was done last: the key of its words."""

    @event_for(Role.STAFF_FINANCE)
    async def load(self) -> None:
        """Read everything anew, and the open draft with it; one that was closed leaves the desk."""
        async with read_session() as session:
            self.models = [(one.id, one.name) for one in await models(session)]
            found = await prices_in_force(session, now=clock.utc_now())
            whom = await names_of_whom(session)
        self.in_force = shown_prices(found, models=dict(self.models), whom=whom, time_zone=await reader_zone(self))
        self.waiting = await waiting_drafts(await reader_zone(self), reader_id=caller().person.person_id)
        await self._read_versions(before=None)
        self.outcome, self.is_loaded = "", True
        await self._open(self.open_draft.id)

    @event_for(Role.STAFF_FINANCE)
    async def refresh(self) -> None:
        """Read the list of drafts anew; what is open stays."""
        found = await waiting_drafts(await reader_zone(self), reader_id=caller().person.person_id)
        if found != self.waiting:
            self.waiting = found

    @event_for(Role.STAFF_FINANCE)
    async def newest(self) -> None:
        """Go back to the last versions."""
        await self._read_versions(before=None)

    @event_for(Role.STAFF_FINANCE)
    async def older(self) -> None:
        """Go on to older versions."""
        await self._read_versions(before=int(self.older_than) if self.older_than else None)

    @event_for(Role.STAFF_FINANCE)
    async def propose(self, form: dict[str, Any]) -> None:
        """Make a draft of what is in the form, and open it."""
        draft_id = await propose_prices(caller(), form=form, time_zone=await reader_zone(self))
        await self._look(draft_id)
        self._proposals += 1
        self.outcome, self.form_key = "prices.proposed", f"form-{self._proposals}"

    @event_for(Role.STAFF_FINANCE)
    async def look(self, draft_id: int) -> None:
        """Open one of the drafts on the list."""
        await self._look(draft_id)

    @event_for(Role.STAFF_FINANCE)
    async def choose_moment(self, moment: str) -> None:
        """Choose from when on; what changes is read for that moment."""
        moment_of(moment, time_zone=await reader_zone(self))
        self.moment = moment
        await self._open(self.open_draft.id)

    @event_for(Role.STAFF_FINANCE)
    async def publish(self, draft_id: int, moment: str) -> None:
        """Publish the open draft, which somebody else made, from the moment that the dialog named."""
        if not self.open_draft.id:
            return
        if (draft_id, moment) != (self.open_draft.id, self.moment):
            raise Conflict("Another draft or moment was opened meanwhile; nothing was published. Look at it again.")
        effective_at = moment_of(moment, time_zone=await reader_zone(self))
        try:
            version_id = await publish_draft(caller(), draft_id=draft_id, effective_at=effective_at)
        except (BadRequest, Conflict, NotFound):
            await self.load()
            raise
        await self.load()
        self.outcome = "prices.nothing_published" if version_id is None else "prices.published"

    @event_for(Role.STAFF_FINANCE)
    async def withdraw(self, draft_id: int) -> None:
        """Give the open draft up."""
        if not self.open_draft.id:
            return
        if draft_id != self.open_draft.id:
            raise Conflict("Another draft was opened meanwhile; nothing was discarded. Look at it again.")
        try:
            await discard_draft(caller(), draft_id=draft_id)
        except (Conflict, NotFound):
            await self.load()
            raise
        await self.load()
        self.outcome = "prices.discarded"

    async def _look(self, draft_id: int) -> None:
        """Open a draft, for the moment that it proposes."""
        self.moment, self.open_draft = "", ShownDraft(id=draft_id)
        await self.load()
        if self.open_draft.begins_field:
            self.moment = self.open_draft.begins_field
            await self._open(draft_id)

    async def _read_versions(self, *, before: int | None) -> None:
        """Read one page of versions; one more says whether there is another."""
        async with read_session() as session:
            found = await published_versions(session, limit=_VERSIONS_A_PAGE + 1, before=before)
            names = await names_of(session, {one.published_by for one in found if one.published_by})
        shown, zone = found[:_VERSIONS_A_PAGE], await reader_zone(self)
        self.versions = [shown_version(view, names=names, time_zone=zone) for view in shown]
        self.older_than = str(shown[-1].id) if len(found) > len(shown) else ""
        self.is_newest_page = before is None

    async def _open(self, draft_id: int) -> None:
        """Show a draft of the list with what it changes at the chosen moment, or none."""
        self.open_draft = next((one for one in self.waiting if one.id == draft_id), ShownDraft())
        self.changes = []
        if not self.open_draft.id:
            self.moment = self.moment_words = ""
            return
        zone = await reader_zone(self)
        effective_at = moment_of(self.moment, time_zone=zone)
        self.moment_words = shown_minute(effective_at, zone)
        async with read_session() as session:
            lines = await difference(session, self.open_draft.id, at=effective_at or clock.utc_now())
        self.changes = list(shown_changes(lines, Currency(self.open_draft.currency)))


def prices() -> rx.Component:
    """Show the desk."""
    state = PricesState
    said = [(key, rx.el.p(text(key), class_name="note tone-good", role="status")) for key in _OUTCOMES]
    return framed(
        page_heading(text("prices.title"), lead=text("prices.lead")),
        rx.match(state.outcome, *said, rx.fragment()),
        card(
            data_table(
                columns=draft_columns(state.look),
                rows=state.waiting,
                caption=text("prices.drafts"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("prices.no_drafts"), text("prices.no_drafts_next")),
            ),
            title=text("prices.drafts"),
        ),
        rx.el.div(
            rx.cond(state.open_draft.id != 0, draft_card(state)), id=OPEN_DRAFT, tab_index=-1, class_name="open-order"
        ),
        card(
            data_table(
                columns=in_force_columns(),
                rows=state.in_force,
                caption=text("prices.in_force"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("prices.none"), text("prices.none_next")),
            ),
            title=text("prices.in_force"),
        ),
        card(
            rx.cond(
                state.models.length() > 0,
                proposal_form(state.models, on_submit=state.propose, form_key=state.form_key),
                empty_state(text("models.none"), text("prices.none_next")),
            ),
            title=text("prices.propose_title"),
        ),
        card(versions_table(state), title=text("prices.versions")),
        rx.el.p(text("frame.times_in", zone=LocaleState.zone), class_name="quiet-text"),
        asks_for_news(state.refresh),
        here="/staff/prices",
    )


PAGE = Page(
    route="/staff/prices",
    title_key="prices.title",
    body=prices,
    on_load=(LocaleState.derive, PricesState.load),
)
