"""Finance agrees on prices and a plan with a customer: drafted by one, published by another, charged, and explained."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from onetoken_app.clock import utc_now
from tests.journeys.browser import running_browser, settle, sign_in
from tests.journeys.conftest import EMAIL, RunningConsole, running_upstream
from tests.journeys.test_accessibility import findings
from tests.support.installation import PASSWORD, Installation, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
FINANCE, COLLEAGUE = "fin@ops.example", "ada@ops.example"
CODE = "91350100M000100Y43"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """A customer with a priced model and a key, and two people of finance."""
    installation = Installation(tmp_path_factory.mktemp("contracted"))
    with running_upstream() as base_url:
        (secret,) = installation.apply(apply_file(base_url=base_url))
        for email in (FINANCE, COLLEAGUE):
            installation.succeed("staff", "add", email, "--role", "finance", "--password-env", "TEST_PASSWORD")
        with installation.console() as server:
            yield RunningConsole(installation, server, email=EMAIL, password=PASSWORD, secret=secret)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for everybody, with a context each."""
    with running_browser() as running:
        yield running


def a_tab_of(browser: Browser, console: RunningConsole, email: str, route: str) -> Page:
    """Open a page as somebody."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900}, timezone_id="Asia/Shanghai")
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, console.url, email, PASSWORD)
    page.goto(f"{console.url}{route}")
    settle(page)
    return page


@pytest.fixture(scope="module")
def finance(browser: Browser, console: RunningConsole) -> Page:
    """Whoever makes the drafts."""
    return a_tab_of(browser, console, FINANCE, "/staff/prices")


@pytest.fixture(scope="module")
def colleague(browser: Browser, console: RunningConsole) -> Page:
    """Whoever publishes them."""
    return a_tab_of(browser, console, COLLEAGUE, "/staff/prices")


def go(page: Page, console: RunningConsole, route: str) -> None:
    """Open another page in a tab."""
    page.goto(f"{console.url}{route}")
    settle(page)


def explained_call(console: RunningConsole) -> dict[str, object]:
    """Make a call as an application does, and let the command compute its charge again."""
    request = urllib.request.Request(  # noqa: S310 # an address of this test's own server
        f"{console.url}/v1/chat/completions",
        data=json.dumps({"model": "mock", "messages": [{"role": "user", "content": "Hello"}]}).encode(),
        headers={"Authorization": f"Bearer {console.secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 # as above
        request_id = answer.headers["x-request-id"]
    told: dict[str, object] = console.installation.succeed("ledger", "explain", request_id, "--json").json()
    assert told["ok"], told
    return told


def in_days(days: int) -> str:
    """Return a moment as a browser's field takes it."""
    return (utc_now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


class TestContractedPrices:
    """Steps of one contract, in order."""

    def test_what_cannot_be_is_refused_in_words_and_stays_as_it_was_typed(
        self, finance: Page, console: RunningConsole
    ) -> None:
        finance.locator("select[name=scope]").select_option("contract")
        typed = {"contracted_with": "NOBODY", "input": "0.40", "cache_read": "0.05", "output": "0.80"}
        for name, value in (typed | {"effective_at": "2020-01-01T00:00"}).items():
            finance.locator(f"form input[name={name}]").fill(value)
        draft, alert = finance.get_by_role("button", name="Make a draft"), finance.get_by_role("alert")
        draft.click()
        expect(alert.filter(has_text="no organization")).to_be_visible()
        finance.locator("input[name=contracted_with]").fill(CODE)
        draft.click()
        expect(alert.filter(has_text="past")).to_be_visible()
        finance.locator("form input[name=effective_at]").fill("")
        finance.locator("form input[name=input]").fill("-1")
        draft.click()
        expect(alert.filter(has_text="plain number")).to_be_visible()
        expect(finance.locator("form input[name=output]")).to_have_value("0.80")
        expect(finance.locator("input[name=contracted_with]")).to_have_value(CODE)
        assert console.installation.rows("SELECT count(*) FROM pricing_draft") == [(0,)]

    def test_one_drafts_them(self, finance: Page) -> None:
        finance.locator("form input[name=input]").fill("0.40")
        finance.locator("form input[name=ends_at]").fill(in_days(30))
        finance.get_by_role("button", name="Make a draft").click()
        expect(finance.get_by_text("The draft is made.")).to_be_visible()
        opened = finance.locator("#open-draft")
        expect(opened.get_by_text("Test Ltd")).to_be_visible()
        expect(opened.get_by_text("You made this draft.")).to_be_visible()
        assert findings(finance) == []

    def test_a_colleague_publishes_them_and_the_next_call_is_charged_by_them(
        self, colleague: Page, console: RunningConsole
    ) -> None:
        assert explained_call(console)["price_scope"] == "list"
        go(colleague, console, "/staff/prices")
        colleague.get_by_role("button", name="View 1").click()
        colleague.get_by_role("button", name="Publish", exact=True).click()
        colleague.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
        expect(colleague.get_by_text("Published.", exact=True)).to_be_visible()
        ((version,),) = console.installation.rows("SELECT id FROM pricing_version WHERE scope = 'contract'")
        calls = (explained_call(console) for _ in range(20))  # the relay asks for changes every quarter of a second
        told = next(one for one in calls if one["price_scope"] == "contract")
        assert told["price_version"] == version
        prices = {line["kind"]: line["price"] for line in told["lines"]}  # type: ignore[attr-defined] # a list of objects
        assert prices == {"input": "0.40", "output": "0.80"}

    def test_prices_that_would_share_a_time_are_refused(self, finance: Page, console: RunningConsole) -> None:
        finance.locator("select[name=scope]").select_option("contract")
        typed = {"contracted_with": CODE, "input": "0.3", "output": "0.6", "effective_at": in_days(2)}
        for name, value in (typed | {"ends_at": in_days(4)}).items():
            finance.locator(f"form input[name={name}]").fill(value)
        finance.get_by_role("button", name="Make a draft").click()
        expect(finance.get_by_role("alert").filter(has_text="End that one first")).to_be_visible()
        expect(finance.locator("form input[name=input]")).to_have_value("0.3")
        assert console.installation.rows("SELECT count(*) FROM pricing_draft") == [(1,)]


class TestPlans:
    """Steps of one plan, in order."""

    def test_one_drafts_a_plan(self, finance: Page, console: RunningConsole) -> None:
        go(finance, console, "/staff/plans")
        finance.get_by_text("Make a plan, or change its ratio").click()
        finance.get_by_label("Plan", exact=False).first.fill("partner")
        for wrong in ("0", "-1", "1001", "0.1234567", "a"):
            finance.locator("input[name=ratio]").fill(wrong)
            finance.get_by_role("button", name="Draft the ratio").click()
            expect(finance.get_by_role("alert").filter(has_text="ratio")).to_be_visible()
            expect(finance.locator("input[name=plan_name]")).to_have_value("partner")
        assert console.installation.rows("SELECT count(*) FROM pricing_terms_draft") == [(0,)]
        finance.locator("input[name=ratio]").fill("0.85")
        finance.get_by_role("button", name="Draft the ratio").click()
        expect(finance.get_by_text("You made this draft.")).to_be_visible()
        expect(finance.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
        assert findings(finance) == []

    def test_a_colleague_publishes_it_and_gives_it_to_the_customer(
        self, finance: Page, colleague: Page, console: RunningConsole
    ) -> None:
        go(colleague, console, "/staff/plans")
        colleague.get_by_role("button", name="View 1 partner").click()
        colleague.get_by_role("button", name="Publish", exact=True).click()
        expect(colleague.get_by_text("Published. Customers")).to_be_visible()
        colleague.get_by_role("button", name="View Test Ltd").click()
        colleague.locator("#open-payer select[name=plan]").select_option("partner")
        colleague.get_by_role("button", name="Draft the plan").click()
        expect(colleague.get_by_text("You made this draft.")).to_be_visible()
        go(finance, console, "/staff/plans")
        finance.get_by_role("button", name="View 2 Test Ltd").click()
        expect(finance.locator("#open-terms").get_by_text("partner × 0.85")).to_be_visible()
        finance.get_by_role("button", name="Publish", exact=True).click()
        expect(finance.get_by_text("Published. Customers")).to_be_visible()

    def test_the_end_of_contracted_prices_is_a_rise_that_needs_notice(
        self, finance: Page, colleague: Page, console: RunningConsole
    ) -> None:
        go(finance, console, "/staff/plans")
        finance.get_by_role("button", name="View Test Ltd").click()
        finance.locator("#open-payer").get_by_text("End prices early").click()
        finance.get_by_role("button", name="Draft the end").click()
        expect(finance.get_by_text("You made this draft.")).to_be_visible()
        go(colleague, console, "/staff/plans")
        colleague.get_by_role("button", name="View 3").click()
        colleague.get_by_role("button", name="Publish", exact=True).click()
        expect(colleague.get_by_role("alert").filter(has_text="7 days before")).to_be_visible()
        assert console.installation.rows("SELECT count(*) FROM pricing_version_end") == [(0,)]

    def test_the_customer_reads_its_plan_and_its_contracted_prices(
        self, browser: Browser, console: RunningConsole
    ) -> None:
        page = a_tab_of(browser, console, EMAIL, "/models")
        expect(page.get_by_text("Your plan is “partner”")).to_be_visible()
        expect(page.get_by_text("Contract", exact=True)).to_be_visible()
        expect(page.get_by_text("0.40").first).to_be_visible()
        expect(page.get_by_text("Prices that change from")).not_to_have_count(0)
        assert findings(page) == []
