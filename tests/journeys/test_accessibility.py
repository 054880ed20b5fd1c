"""axe finds nothing serious on any page: as a stranger, a customer and staff, light and dark, wide and narrow."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import running_browser
from tests.journeys.conftest import STAFF_EMAIL, RunningConsole
from tests.journeys.screens import CUSTOMER, SIGNED_OUT, STAFF, View, settle, sign_in
from tests.support.installation import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
VIEWS = (View(1280, "light", "en"), View(380, "dark", "zh-CN"))
OPTIONS = {"resultTypes": ["violations"]}
BROKEN = "<html><body><img src='x.png'><input><p style='color:#ccc;background:#fff'>faint</p></body></html>"


def findings(page: Page) -> list[str]:
    """Run axe over what is on the screen; name what is serious or critical."""
    response = Axe().run(page, options=OPTIONS).response
    return [
        f"{page.url}: {found['id']}: {', '.join(str(node['target']) for node in found['nodes'][:3])}"
        for found in response["violations"]
        if found["impact"] in {"serious", "critical"}
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all looks."""
    with running_browser() as running:
        yield running


class TestAxe:
    def test_finds_what_is_wrong(self, browser: Browser) -> None:
        page = browser.new_page()
        page.set_content(BROKEN)
        found = " ".join(findings(page))
        assert all(name in found for name in ("image-alt", "color-contrast", "html-has-lang", "label"))
        page.close()

    @pytest.mark.parametrize("view", VIEWS, ids=[view.suffix for view in VIEWS])
    @pytest.mark.parametrize(
        ("email", "places"),
        [(None, SIGNED_OUT), ("customer", CUSTOMER), (STAFF_EMAIL, STAFF)],
        ids=["stranger", "customer", "staff"],
    )
    def test_finds_nothing_serious(
        self, browser: Browser, console: RunningConsole, view: View, email: str | None, places: dict[str, str]
    ) -> None:
        context = browser.new_context(
            viewport={"width": view.width, "height": 900}, color_scheme=view.appearance, locale=view.locale
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        if email is not None:
            sign_in(page, console.url, console.email if email == "customer" else email, PASSWORD)
        found = []
        for place in places.values():
            page.goto(f"{console.url}{place}")
            settle(page)
            found += findings(page)
        context.close()
        assert not found, "\n".join(found)


class TestMenuOfANarrowScreen:
    @pytest.mark.parametrize(("who", "route"), [("customer", "/agreements"), (STAFF_EMAIL, "/staff/channels")])
    def test_shows_where_one_is(self, browser: Browser, console: RunningConsole, who: str, route: str) -> None:
        context = browser.new_context(viewport={"width": 380, "height": 900}, locale="en-US")
        context.set_default_timeout(20_000)
        page = context.new_page()
        sign_in(page, console.url, console.email if who == "customer" else who, PASSWORD)
        page.goto(f"{console.url}{route}")
        settle(page)
        expect(page.locator(".menu-entry[aria-current]")).to_be_in_viewport(ratio=0.99)
        context.close()
