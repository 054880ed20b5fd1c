"""Every channel, for the operator's people; credentials are never read here."""

import reflex as rx

from onetoken_app.catalog.queries import channels as all_channels
from onetoken_app.console.callers import Role
from onetoken_app.console.components.card import card, page_heading
from onetoken_app.console.components.data_table import Column, data_table, empty_state
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.frame import Page, framed
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.session import event_for
from onetoken_app.console.shown.platform import ShownChannel, shown_channel
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.database import read_session

_REGION_TONES = {"mainland": Tone.NEUTRAL, "overseas": Tone.WARNING}
_SWITCH_TONES = {"on": Tone.GOOD, "off": Tone.NEUTRAL}


class ChannelsState(rx.State):
    """The list on screen."""

    is_loaded: bool = False
    channels: rx.Field[list[ShownChannel]] = rx.field(default_factory=list)

    @event_for(Role.STAFF)
    async def load(self) -> None:
        """Read the list anew."""
        async with read_session() as session:
            self.channels = [shown_channel(view) for view in await all_channels(session)]
        self.is_loaded = True


def channels() -> rx.Component:
    """Show the list."""
    return framed(
        page_heading(text("channels.title"), lead=text("channels.lead")),
        card(
            data_table(
                columns=[
                    Column(text("channels.name"), lambda one: rx.el.span(one.name, class_name="strong")),
                    Column(text("channels.provider"), lambda one: one.provider),
                    Column(text("channels.base_url"), lambda one: rx.el.code(one.base_url)),
                    Column(
                        text("channels.region"),
                        lambda one: status_badge(one.region, prefix="region", tones=_REGION_TONES),
                    ),
                    Column(
                        text("channels.switch"),
                        lambda one: status_badge(one.switch, prefix="switch", tones=_SWITCH_TONES),
                    ),
                ],
                rows=ChannelsState.channels,
                caption=text("channels.title"),
                is_loaded=ChannelsState.is_loaded,
                empty=empty_state(text("channels.none"), text("channels.none_next")),
            )
        ),
        here="/staff/channels",
    )


PAGE = Page(
    route="/staff/channels",
    title_key="channels.title",
    body=channels,
    on_load=(LocaleState.derive, ChannelsState.load),
)
