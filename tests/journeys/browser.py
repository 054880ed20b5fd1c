"""A real Chromium: Playwright's own if it is installed, else ``chromium`` on PATH; and how a person signs in there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

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


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Sign in as a person does."""
    page.goto(f"{url}/sign-in")
    page.locator(".shell.is-ready").wait_for()
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("form button[type=submit]").click()
    page.locator(".menu").wait_for()


def settle(page: Page) -> None:
    """Wait until the page has its language, its rows and its fonts."""
    page.locator(".shell.is-ready").wait_for()
    page.locator(".skeletons").first.wait_for(state="detached")
    page.evaluate("document.fonts.ready")
