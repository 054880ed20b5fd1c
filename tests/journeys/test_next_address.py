"""After the sign-in the browser goes to the page that was asked for, and never to somebody else's."""

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser

from tests.journeys.browser import running_browser
from tests.journeys.conftest import RunningConsole

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
ELSEWHERE = [
    "//evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/.//evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "http://[",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all of them."""
    with running_browser() as running:
        yield running


class TestNextAddress:
    @pytest.mark.parametrize(
        ("asked_for", "end"),
        [("/usage/?model=a%20b", "/usage/?model=a%20b"), *((address, None) for address in ELSEWHERE)],
    )
    def test_stays_here(self, browser: Browser, console: RunningConsole, asked_for: str, end: str | None) -> None:
        context = browser.new_context(locale="en-US")
        context.set_default_timeout(20_000)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{console.url}/sign-in?next={quote(asked_for)}")
        page.locator(".shell.is-ready").wait_for()
        page.locator("input[name=email]").fill(console.email)
        page.locator("input[name=password]").fill(console.password)
        page.locator("form button[type=submit]").click()
        if end is not None:
            page.wait_for_url(f"{console.url}{end}")
        page.wait_for_url(lambda address: "/sign-in" not in address)
        assert page.url.startswith(f"{console.url}/")
        assert {urlsplit(url).hostname for url in asked} == {urlsplit(console.url).hostname}
        context.close()
