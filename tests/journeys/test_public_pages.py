"""What a stranger reads before there is an account: the first page, models and prices, texts, status."""

import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import running_browser
from tests.journeys.conftest import CONTACT, OPERATOR, RunningConsole

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A stranger's tab."""
    with running_browser() as browser:
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        yield context.new_page()
        context.close()


class TestStranger:
    def test_the_first_page_says_what_it_is(self, page: Page, console: RunningConsole) -> None:
        page.goto(console.url)
        expect(page.get_by_role("heading", level=1)).to_contain_text("one address")
        expect(page.locator("#home-example")).to_contain_text("/v1")
        page.locator(".shell.is-ready").wait_for()
        page.get_by_role("banner").get_by_role("link", name="Sign in").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    def test_every_page_says_who_runs_it_and_whom_to_ask(self, page: Page, console: RunningConsole) -> None:
        for path in ("/", "/sign-in", "/terms"):
            page.goto(f"{console.url}{path}")
            expect(page.get_by_role("contentinfo")).to_contain_text(f"Operated by {OPERATOR}")
            contact = page.get_by_role("contentinfo").get_by_role("link", name=CONTACT)
            expect(contact).to_have_attribute("href", f"mailto:{CONTACT}")
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("contentinfo")).to_contain_text(f"运营方：{OPERATOR}")
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("contentinfo")).to_contain_text(f"Operated by {OPERATOR}")

    def test_models_have_prices_and_regions(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/models")
        row = page.get_by_role("row").filter(has_text="mock")
        for words in ("Mainland", "8,192", "USD 1.00", "USD 0.10", "USD 2.00"):
            expect(row).to_contain_text(words)

    def test_a_version_of_the_terms_is_at_its_own_address(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/sign-in")
        page.locator(".shell.is-ready").wait_for()
        page.get_by_role("link", name="Terms of service").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("OneToken Terms of Service")
        page.get_by_role("complementary").get_by_role("link", name="2026-05-18").last.click()
        page.wait_for_url("**/terms**version=2026-05-18")
        expect(page.get_by_role("heading", level=2)).to_have_count(11)
        page.goto(f"{console.url}/terms?version=2020-01-01")
        expect(page.get_by_text("no such version")).to_be_visible()

    def test_the_exact_text_has_the_digest_that_is_shown(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/privacy")
        expect(page.locator(".digest")).to_have_text(re.compile("[0-9a-f]{64}"))
        shown = page.locator(".digest").inner_text()
        file = page.get_by_role("link", name="Open the file").get_attribute("href")
        answer = httpx.get(f"{console.url}{file}", trust_env=False)
        assert hashlib.sha256(answer.content).hexdigest() == shown

    def test_the_text_follows_the_language(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/terms")
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("服务条款")
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Terms")

    def test_the_status_names_no_customer_and_no_count(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/status")
        expect(page.get_by_role("row").filter(has_text="mock")).to_be_visible()
        page.get_by_label("Period").select_option("week")
        expect(page.get_by_role("row").filter(has_text="mock")).to_be_visible()
        assert "Test Ltd" not in page.content()
