"""The larger parts of the desk of prices: what was published, and the draft that is open."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.card import card, note
from onetoken_app.console.components.data_table import data_table, empty_state, pager
from onetoken_app.console.components.price_desk import (
    change_columns,
    discard_dialog,
    draft_actions,
    draft_facts,
    moment_field,
    publish_dialog,
    version_columns,
)
from onetoken_app.console.locale import LocaleState
from onetoken_app.console.text.lookup import text


def versions_table(state: Any) -> rx.Component:
    """List what was published, the last first."""
    return data_table(
        columns=version_columns(),
        rows=state.versions,
        caption=text("prices.versions"),
        is_loaded=state.is_loaded,
        empty=empty_state(text("prices.none"), text("prices.none_next")),
        pager=pager(
            has_newer=~state.is_newest_page,
            has_older=state.older_than != "",
            on_newest=state.newest,
            on_older=state.older,
        ),
    )


def draft_card(state: Any) -> rx.Component:
    """Show what the draft changes, and what may be done about it."""
    draft = state.open_draft
    return card(
        draft_facts(draft),
        data_table(
            columns=change_columns(),
            rows=state.changes,
            caption=text("prices.changes"),
            is_loaded=state.is_loaded,
            empty=empty_state(text("prices.nothing_changes"), text("prices.nothing_changes_next")),
        ),
        rx.cond(
            draft.is_own,
            note(text("prices.own"), tone="warning"),
            moment_field(state.moment, LocaleState.zone, draft_id=draft.id, on_choose=state.choose_moment),
        ),
        draft_actions(is_own=draft.is_own),
        publish_dialog(
            changes=state.changes,
            moment=state.moment_words,
            zone=LocaleState.zone,
            on_confirm=state.publish(draft.id, state.moment),
        ),
        discard_dialog(on_confirm=state.withdraw(draft.id)),
        title=text("prices.changes_of", number=draft.id),
    )
