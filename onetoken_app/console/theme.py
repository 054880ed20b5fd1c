"""What every page's head and tones share. Colours, spacing and type stand in ``assets/console.css``, once."""

import hashlib
from enum import StrEnum

import reflex as rx

from onetoken_app.console.front_end import PROJECT_ROOT

STYLESHEETS = ["/console.css", "/public.css"]
_SCRIPTS = ("console.js", "playground.js")
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
    """Return what stands in the head of every page; a script's address changes with its content."""
    return [
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="robots", content="noindex"),
        rx.el.meta(name="color-scheme", content="light dark"),
        rx.el.script(src=_address("link.js")),
        rx.el.script(src=_address("screen.js")),
        *[rx.el.script(src=_address(name), defer=True) for name in _SCRIPTS],
    ]


def _address(name: str) -> str:
    """Return where one of our scripts is; another content has another address."""
    content = (PROJECT_ROOT / "assets" / name).read_bytes()
    return f"/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
