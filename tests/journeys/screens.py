"""Takes a picture of every page × appearance × language × width, for people to look at.

python -m tests.journeys.screens --url http://localhost:8000 --email … --password … --out screens
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from tests.journeys.browser import running_browser

WIDTHS = (380, 1440)
APPEARANCES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOCALES = ("en", "zh-CN")
SIGNED_OUT = {
    "home": "/",
    "models": "/models",
    "status": "/status",
    "terms": "/terms",
    "privacy": "/privacy",
    "sign-in": "/sign-in",
    "sign-up": "/sign-up",
    "sign-up-continue": "/sign-up/continue",
    "password-forgotten": "/password/forgotten",
    "password-reset": "/password/reset",
    "invitation": "/invitation",
    "missing": "/no-such-page",
}
CUSTOMER = {
    "overview": "/overview",
    "quick-start": "/quick-start",
    "playground": "/playground",
    "usage": "/usage",
    "keys": "/keys",
    "top-up": "/top-up",
    "verification": "/verification",
    "members": "/members",
    "agreements": "/agreements",
}
DIALOGS = {
    "/keys": ("mint-key", "restrict-key", "revoke-key"),
    "/members": ("invite-member", "change-role", "remove-member"),
}
STAFF = {
    "reviews": "/staff/reviews",
    "bank-transfers": "/staff/top-ups",
    "organizations": "/staff/organizations",
    "channels": "/staff/channels",
}


@dataclass(frozen=True, slots=True)
class View:
    """One way of looking."""

    width: int
    appearance: Literal["light", "dark"]
    locale: str

    @property
    def suffix(self) -> str:
        """What the file's name says of it."""
        return f"{self.locale}-{self.appearance}-{self.width}"


def take_all(browser: Browser, *, url: str, out: Path, accounts: dict[str, tuple[str, str]]) -> int:
    """Take every picture; return how many.

    Args:
        browser: A running browser.
        url: The console's address.
        out: Where the pictures go.
        accounts: E-mail address and password of ``customer`` and, if there is one, ``staff``.
    """
    out.mkdir(parents=True, exist_ok=True)
    places = {"signed out": SIGNED_OUT, "customer": CUSTOMER, "staff": STAFF}
    count = 0
    for who, routes in places.items():
        if who != "signed out" and who not in accounts:
            continue
        for view in [View(width, look, locale) for width in WIDTHS for look in APPEARANCES for locale in LOCALES]:
            context = browser.new_context(
                viewport={"width": view.width, "height": 900}, color_scheme=view.appearance, locale=view.locale
            )
            page = context.new_page()
            page.add_init_script(f"localStorage.setItem('onetoken-locale', '{view.locale}')")
            if who in accounts:
                sign_in(page, url, *accounts[who])
            for name, route in routes.items():
                _take(page, f"{url}{route}", out / f"{name}-{view.suffix}.png")
                count += 1
            if who == "customer":
                count += _take_dialogs(page, url, out, view)
            context.close()
    return count


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Sign in as a person does."""
    page.goto(f"{url}/sign-in")
    page.locator(".shell.is-ready").wait_for()
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("form button[type=submit]").click()
    page.locator(".menu").wait_for()


def _take(page: Page, address: str, file: Path) -> None:
    """Take the whole of one page, when it has loaded."""
    page.goto(address)
    settle(page)
    page.screenshot(path=file, full_page=True)


def _take_dialogs(page: Page, url: str, out: Path, view: View) -> int:
    """Take the dialogs of the customer's pages; return how many."""
    for route, names in DIALOGS.items():
        page.goto(f"{url}{route}")
        settle(page)
        for name in names:
            page.locator(f"[data-opens={name}]").first.click()
            page.locator(f"#{name}[open]").wait_for()
            page.evaluate("document.fonts.ready")
            page.screenshot(path=out / f"dialog-{name}-{view.suffix}.png")
            page.keyboard.press("Escape")
    return sum(len(names) for names in DIALOGS.values())


def settle(page: Page) -> None:
    """Wait until the page has its language, its rows and its fonts."""
    page.locator(".shell.is-ready").wait_for()
    page.locator(".skeletons").first.wait_for(state="detached")
    page.evaluate("document.fonts.ready")


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--email", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--staff-email")
    parser.add_argument("--staff-password")
    parser.add_argument("--out", type=Path, default=Path("screens"))
    chosen = parser.parse_args()
    accounts = {"customer": (chosen.email, chosen.password)}
    if chosen.staff_email:
        accounts["staff"] = (chosen.staff_email, chosen.staff_password)
    with running_browser() as browser:
        count = take_all(browser, url=chosen.url, out=chosen.out, accounts=accounts)
    sys.stdout.write(f"{count} pictures in {chosen.out}\n")


if __name__ == "__main__":
    main()
