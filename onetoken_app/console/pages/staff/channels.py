"""Every channel with how it did lately, for the operator's people; credentials are never read here."""

from datetime import timedelta

import reflex as rx

from onetoken_app import clock
from onetoken_app.audit import service as audit
from onetoken_app.audit.models import ActorKind
from onetoken_app.audit.service import Actor
from onetoken_app.catalog.queries import channels as all_channels
from onetoken_app.catalog.service import switch_channel
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.channel_rows import channel_columns, failure_columns, switch_dialogs
from onetoken_app.console.components.data_table import data_table, empty_state
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState, reader_zone
from onetoken_app.console.session import caller, event_for
from onetoken_app.console.shown.channels import ShownChannel, ShownFailure, shown_channel, shown_failure
from onetoken_app.console.text.lookup import text
from onetoken_app.database import read_session, unit_of_work
from onetoken_app.usage.channel_health import attempts_by_channel, last_failures

_COUNTED = timedelta(hours=1)
_FAILURES_SINCE = timedelta(days=1)
_FAILURES_MAX = 50


class ChannelsState(rx.State):
    """The lists on screen, and the channel that a dialog asks about."""

    is_loaded: bool = False
    may_change: bool = False
    channels: rx.Field[list[ShownChannel]] = rx.field(default_factory=list)
    failures: rx.Field[list[ShownFailure]] = rx.field(default_factory=list)
    selected: ShownChannel = ShownChannel()

    @event_for(Role.STAFF)
    async def load(self) -> None:
        """Read the lists anew."""
        now, zone = clock.utc_now(), await reader_zone(self)
        async with read_session() as session:
            views = await all_channels(session)
            counts = await attempts_by_channel(session, since=now - _COUNTED)
            failed = await last_failures(session, since=now - _FAILURES_SINCE, count_max=_FAILURES_MAX)
        names = {view.id: view.name for view in views}
        self.channels = [shown_channel(view, counts.get(view.id, {})) for view in views]
        self.failures = [shown_failure(view, channel_names=names, time_zone=zone) for view in failed]
        self.may_change = caller().may(Role.STAFF_ADMINISTRATOR)
        self.is_loaded = True

    @event_for(Role.STAFF_ADMINISTRATOR)
    async def select(self, channel_id: str) -> None:
        """Take the channel that a dialog is going to be about."""
        self.selected = next((one for one in self.channels if one.id == channel_id), ShownChannel())

    @event_for(Role.STAFF_ADMINISTRATOR)
    async def take_out(self, channel_id: str) -> None:
        """Send no more calls to a channel."""
        await self._switch(channel_id, is_enabled=False)

    @event_for(Role.STAFF_ADMINISTRATOR)
    async def put_back(self, channel_id: str) -> None:
        """Send calls to a channel again."""
        await self._switch(channel_id, is_enabled=True)

    async def _switch(self, channel_id: str, *, is_enabled: bool) -> None:
        """Switch a channel, with a line in the audit log when that changes anything."""
        actor = Actor(ActorKind.PERSON, caller().person.person_id)
        async with unit_of_work() as session:
            if await switch_channel(session, channel_id=channel_id, is_enabled=is_enabled):
                action = "channel_put_back" if is_enabled else "channel_taken_out"
                await audit.record(session, actor=actor, action=action, subject_id=channel_id)
        await self.load()


def channels() -> rx.Component:
    """Show channels and failures."""
    state = ChannelsState
    return framed(
        page_heading(text("channels.title"), lead=text("channels.lead")),
        card(
            data_table(
                columns=channel_columns(may_change=state.may_change, on_select=state.select),
                rows=state.channels,
                caption=text("channels.title"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("channels.none"), text("channels.none_next")),
            )
        ),
        card(
            data_table(
                columns=failure_columns(),
                rows=state.failures,
                caption=text("channels.last_failures"),
                is_loaded=state.is_loaded,
                empty=empty_state(text("channels.no_failures"), text("channels.no_failures_next")),
            ),
            title=text("channels.last_failures"),
        ),
        switch_dialogs(
            state.selected,
            on_take_out=state.take_out(state.selected.id),
            on_put_back=state.put_back(state.selected.id),
        ),
        here="/staff/channels",
    )


PAGE = Page(
    route="/staff/channels",
    title_key="channels.title",
    body=channels,
    on_load=(LocaleState.derive, ChannelsState.load),
)
