"""News while something waits: what a page asks by itself, as long as somebody sees it."""

from typing import Any

import reflex as rx

from onetoken_app.console.values import Value


def asks_for_news(refresh: Any, *, while_waiting: Value | bool = True) -> rx.Component:
    """Ask every few seconds while something waits for somebody else; the page's script decides when.

    Args:
        refresh: An event of that name; without a connection it is dropped, not kept for later.
        while_waiting: Whether something waits; otherwise nothing is asked.
    """
    asking = rx.el.button(
        type="button", on_click=refresh.temporal, hidden=True, custom_attrs={"data-asks-for-news": ""}
    )
    return asking if while_waiting is True else rx.cond(while_waiting, asking)
