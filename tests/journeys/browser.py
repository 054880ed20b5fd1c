"""A real Chromium: Playwright's own if it is installed, else ``chromium`` on PATH."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class NoBrowser(Exception):
    """There is no Chromium on this machine."""


def chromium_program(playwright: Playwright) -> str:
    """Return the program to start.

    Raises:
        NoBrowser: Playwright has none of its own and there is none on PATH.
    """
    own = Path(playwright.chromium.executable_path)
    found = str(own) if own.exists() else shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        message = "no Chromium: install one with “playwright install chromium” or “apt-get install chromium”"
        raise NoBrowser(message)
    return found


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start a headless browser, and close it afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(playwright), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
