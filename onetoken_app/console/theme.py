"""What every page's head and tones share. Colours, spacing and type stand in ``assets/console.css``, once."""

import hashlib
from enum import StrEnum

import reflex as rx

from onetoken_app.console.front_end import PROJECT_ROOT

STYLESHEETS = ["/console.css"]
PRODUCT_NAME = "OneToken"


class Tone(StrEnum):
    """What a badge or a note says before it is read."""

    NEUTRAL = "neutral"
    """A fact."""
    GOOD = "good"
    """As it should be."""
    WARNING = "warning"
    """Look here when you have time."""
    BAD = "bad"
    """Something failed or is about to be lost."""


def head_components() -> list[rx.Component]:
    """Return what stands in the head of every page; the script's address changes with its content."""
    script = (PROJECT_ROOT / "assets" / "console.js").read_bytes()
    return [
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="robots", content="noindex"),
        rx.el.meta(name="color-scheme", content="light dark"),
        rx.el.script(src=f"/console.js?v={hashlib.sha256(script).hexdigest()[:12]}", defer=True),
    ]
