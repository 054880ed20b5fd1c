"""Parts of the channels page: its two tables, and the questions before a channel is taken out or put back."""

from typing import Any

import reflex as rx

from onetoken_app.console.components.data_table import Align, Column
from onetoken_app.console.components.dialogs import confirm_dialog
from onetoken_app.console.components.row_actions import row_action
from onetoken_app.console.components.status_badge import status_badge
from onetoken_app.console.text.lookup import text
from onetoken_app.console.theme import Tone
from onetoken_app.console.values import Value

TAKE_OUT_DIALOG = "take-channel-out"
PUT_BACK_DIALOG = "put-channel-back"
_REGION_TONES = {"mainland": Tone.NEUTRAL, "overseas": Tone.WARNING}
_SWITCH_TONES = {"on": Tone.GOOD, "off": Tone.NEUTRAL}
_HEALTH_TONES = {"good": Tone.GOOD, "troubled": Tone.WARNING, "failing": Tone.BAD, "quiet": Tone.NEUTRAL}
_OUTCOME_TONES = {
    "unreachable": Tone.BAD, "too_slow": Tone.BAD, "failed": Tone.BAD, "busy": Tone.WARNING, "refused": Tone.WARNING,
}  # fmt: skip


def channel_columns(*, may_change: Value, on_select: Any) -> list[Column]:
    """Describe the table of channels.

    Args:
        may_change: Whether the reader may take channels out and put them back.
        on_select: Takes the channel that a dialog is going to be about.
    """
    return [
        Column(text("channels.name"), _name),
        Column(text("channels.region"), lambda one: status_badge(one.region, prefix="region", tones=_REGION_TONES)),
        Column(text("channels.switch"), lambda one: status_badge(one.switch, prefix="switch", tones=_SWITCH_TONES)),
        Column(
            text("channels.health"),
            lambda one: status_badge(one.health, prefix="channel_health", tones=_HEALTH_TONES),
        ),
        Column(text("channels.attempts"), lambda one: one.attempt_count, align=Align.NUMBER),
        Column(text("channels.failures"), _failures),
        Column(
            text("keys.actions"), lambda one: _action(one, on_select(one.id)), align=Align.ACTIONS, is_shown=may_change
        ),
    ]


def failure_columns() -> list[Column]:
    """Describe the table of attempts that failed."""
    return [
        Column(text("channels.moment"), lambda one: rx.el.span(one.moment, class_name="figure")),
        Column(text("channels.name"), lambda one: rx.el.span(one.channel, class_name="strong")),
        Column(text("channels.model"), lambda one: rx.el.code(one.upstream_model)),
        Column(
            text("channels.outcome"),
            lambda one: status_badge(one.outcome, prefix="attempt_outcome", tones=_OUTCOME_TONES),
        ),
        Column(text("channels.duration"), lambda one: one.duration, align=Align.NUMBER),
        Column(text("channels.request"), lambda one: rx.el.code(one.request_id)),
    ]


def switch_dialogs(channel: Value, *, on_take_out: Any, on_put_back: Any) -> rx.Component:
    """Ask before calls stop going to a channel, or go there again."""
    return rx.fragment(
        confirm_dialog(
            element_id=TAKE_OUT_DIALOG,
            title=text("channels.take_out_title"),
            consequence=rx.fragment(
                rx.el.p(rx.el.strong(channel.name)), rx.el.p(text("channels.take_out_consequence"))
            ),
            confirm=text("channels.take_out"),
            on_confirm=on_take_out,
        ),
        confirm_dialog(
            element_id=PUT_BACK_DIALOG,
            title=text("channels.put_back_title"),
            consequence=rx.fragment(
                rx.el.p(rx.el.strong(channel.name)), rx.el.p(text("channels.put_back_consequence"))
            ),
            confirm=text("channels.put_back"),
            on_confirm=on_put_back,
            takes_away=False,
        ),
    )


def _name(channel: Value) -> rx.Component:
    """Name a channel, with its provider and address below."""
    return rx.el.span(
        rx.el.span(channel.name, class_name="strong"), rx.el.br(), channel.provider, " ", rx.el.code(channel.base_url)
    )


def _failures(channel: Value) -> rx.Component:
    """Say how many attempts failed in each way."""
    return rx.el.span(
        rx.foreach(
            channel.failures,
            lambda one: rx.fragment(
                rx.el.span(
                    status_badge(one.outcome, prefix="attempt_outcome", tones=_OUTCOME_TONES),
                    " ",
                    one.count,
                    class_name="figure",
                ),
                " ",
            ),
        )
    )


def _action(channel: Value, select: Any) -> rx.Component:
    """Offer the one that is left."""
    return rx.cond(
        channel.switch == "on",
        row_action(text("channels.take_out"), channel.name, TAKE_OUT_DIALOG, select, class_name="warns"),
        row_action(text("channels.put_back"), channel.name, PUT_BACK_DIALOG, select),
    )
