"""One thing to look at, and the step by which most of them are reached: a row that is opened."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page as Tab

NOBODY = ""
Step = Callable[[Tab], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing to look at."""

    name: str
    """Of its pictures."""
    route: str
    who: str = NOBODY
    """The address of whoever looks, who is signed in."""
    step: Step | None = None
    """What they do on the page before they look."""
    opens: str = ""
    """The dialog that the step opens."""


def look_at(words: str | re.Pattern[str], *, place: str = "") -> Step:
    """Open the row that has these words, or what matches them; older rows are asked for.

    Args:
        words: Of the row.
        place: Where it opens; empty: where what the button names stands, as what was open before may still be there.
    """

    def step(page: Tab) -> None:
        row = page.locator("tbody tr").filter(has_text=words).first
        if row.count() == 0:
            page.locator(".pager button").last.click()
        button = row.locator(".actions button").first
        named = re.sub(r"^.* (?=OT-)", "", (button.locator(".unseen").first.text_content() or "").strip())
        button.click()
        opened = page.locator(place) if place else page.locator(".open-order").filter(has_text=named)
        opened.first.wait_for()

    return step
