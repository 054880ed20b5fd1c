"""A billing member looks at the month that runs, asks for an invoice with a nervous finger, and withdraws it.

Two people of finance open another request: one issues it, the other comes too late and enters a red letter. Then they
put the balance right together.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import running_browser, settle, sign_in
from tests.journeys.screens import StagedConsole, running_staged_console
from tests.journeys.staged_business import FAPIAO, STAFF
from tests.journeys.test_accessibility import findings
from tests.support.installation import PASSWORD

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
COLLEAGUE = "colleague@ops.example"
ISSUED = "SELECT number, state FROM billing_invoice WHERE kind = 'general_fapiao' AND currency = 'CNY'"
ASKED = "SELECT state, kind, amount_nanos, title, tax_id, phone FROM billing_invoice WHERE currency = 'CNY'"


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedConsole]:
    """A console with an organization of the mainland that paid 7,500 CNY."""
    with running_staged_console(tmp_path_factory.mktemp("invoices")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with running_browser() as running:
        yield running


def a_window(browser: Browser, staged: StagedConsole, email: str) -> Page:
    """Open a window with cookies of its own for somebody who is signed in."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    sign_in(opened, staged.url, email, PASSWORD)
    return opened


@pytest.fixture(scope="module")
def page(browser: Browser, staged: StagedConsole) -> Page:
    """Its billing member's window."""
    return a_window(browser, staged, FAPIAO)


@pytest.fixture(scope="module")
def finance(browser: Browser, staged: StagedConsole) -> list[Page]:
    """The windows of two people of finance who look at one request."""
    windows = [a_window(browser, staged, email) for email in (STAFF, COLLEAGUE)]
    for window in windows:
        window.goto(f"{staged.url}/staff/invoices")
        window.get_by_role("row", name="General VAT fapiao").get_by_role("button", name="View").click()
        expect(window.locator("#open-invoice").get_by_text("91330100799655058B")).to_be_visible()
    return windows


class TestInvoices:
    def test_the_month_that_runs_is_there_with_its_lines(self, page: Page, staged: StagedConsole) -> None:
        page.get_by_role("link", name="Statements").click()
        settle(page)
        running = page.locator("section", has_text="so far")
        expect(running.locator("tr", has_text="Top-up").get_by_text("7,500.00")).to_be_visible()
        expect(page.get_by_text("The first statement is closed at")).to_be_visible()
        running.get_by_role("button", name="By model, key and project").click()
        expect(page.get_by_role("heading", name="By project")).to_be_visible()
        with page.expect_download() as kept:
            running.get_by_role("link", name="CSV").click()
        assert kept.value.suggested_filename.endswith("-CNY-preliminary.csv")
        assert staged.installation.rows(ASKED) == []

    def test_a_refusal_leaves_what_was_typed(self, page: Page) -> None:
        page.get_by_role("link", name="Invoices").click()
        settle(page)
        page.get_by_label("Special VAT fapiao").check()
        page.get_by_label("Amount in CNY").fill("7500.01")
        page.get_by_text("Address, phone and bank").click()
        page.get_by_label("Phone").fill("0571-8000 0000")
        page.get_by_role("button", name="Request the invoice").click()
        expect(page.get_by_role("alert").filter(has_text="7500.00 CNY can be invoiced")).to_be_visible()
        expect(page.get_by_label("Amount in CNY")).to_have_value("7500.01")
        expect(page.get_by_label("Special VAT fapiao")).to_be_checked()
        expect(page.get_by_label("Phone")).to_have_value("0571-8000 0000")

    def test_a_double_click_asks_once(self, page: Page, staged: StagedConsole) -> None:
        page.get_by_label("Amount in CNY").fill("1000.50")
        page.get_by_role("button", name="Request the invoice").dblclick()
        expect(page.get_by_text("Your request waits for finance.")).to_be_visible()
        expect(page.get_by_role("table").locator("tbody tr", has_text="Special VAT fapiao")).to_have_count(1)
        expect(page.locator(".sums").get_by_text("6,499.50")).to_be_visible()
        asked = ("requested", "special_fapiao", 1_000_500_000_000, "杭州示例信息技术有限公司", "91330100799655058B")
        assert staged.installation.rows(ASKED) == [(*asked, "0571-8000 0000")]

    def test_the_next_one_names_a_top_up(self, page: Page, staged: StagedConsole) -> None:
        page.get_by_label("Top-ups by name").check()
        page.locator(".when-orders").get_by_role("checkbox").first.check()
        page.get_by_role("button", name="Request the invoice").click()
        expect(page.get_by_role("table").locator("tbody tr", has_text="General VAT fapiao")).to_have_count(1)
        amounts = {row[2] for row in staged.installation.rows(ASKED)}
        assert amounts == {1_000_500_000_000, 4_500_000_000_000}

    def test_the_request_is_withdrawn(self, page: Page, staged: StagedConsole) -> None:
        page.get_by_role("row", name="Special VAT fapiao").get_by_role("button", name="View").click()
        card = page.locator("#open-invoice")
        expect(card.get_by_text("1,000.50")).to_be_visible()
        card.get_by_role("button", name="Withdraw the request").click()
        page.get_by_role("dialog").get_by_role("button", name="Withdraw the request").click()
        expect(page.get_by_text("Your organization withdrew this request.")).to_be_visible()
        expect(page.locator(".sums").get_by_text("3,000.00")).to_be_visible()
        states = sorted(row[0] for row in staged.installation.rows(ASKED))
        assert states == ["requested", "withdrawn"]

    def test_finance_issues_another_with_a_nervous_finger(self, finance: list[Page], staged: StagedConsole) -> None:
        first, _ = finance
        first.get_by_role("button", name="Take the request").click()
        expect(first.get_by_text("You are issuing this invoice. The organization can no longer")).to_be_visible()
        first.get_by_role("textbox", name=re.compile("^Number")).fill("2644 2000 0000 7777 0001")
        first.get_by_role("button", name="Enter the invoice").dblclick()
        expect(first.get_by_text("Entered. The organization gets a mail.")).to_be_visible()
        assert staged.installation.rows(ISSUED) == [("26442000000077770001", "issued")]

    def test_who_comes_too_late_does_nothing_and_sees_it_as_it_is(
        self, finance: list[Page], staged: StagedConsole
    ) -> None:
        _, second = finance
        second.get_by_label("Why it was refused").fill("Ask for the other kind.")
        second.get_by_role("button", name="Refuse").click()
        expect(second.get_by_text("Somebody changed this invoice since you opened it")).to_be_visible()
        expect(second.locator("#open-invoice").get_by_text("26442000000077770001").first).to_be_visible()
        assert staged.installation.rows(ISSUED) == [("26442000000077770001", "issued")]

    def test_a_part_is_reversed_and_its_organization_reads_why(self, finance: list[Page], page: Page) -> None:
        _, second = finance
        second.get_by_label("Amount in CNY").fill("500")
        second.get_by_label("Number of the red letter").fill("26442000000077770002")
        second.get_by_label("Why it is reversed").fill("Five hundred went back.")
        second.get_by_role("button", name="Enter the red letter").dblclick()
        expect(second.get_by_text("The red letter is entered.")).to_be_visible()
        assert findings(second) == []
        second.get_by_label("Number of an invoice or red letter").fill("26442000000077770002")
        second.get_by_role("button", name="Search").click()
        decided = second.get_by_role("table", name="Decided invoices")
        expect(decided.locator("tbody tr")).to_have_count(1)
        page.get_by_role("row", name="General VAT fapiao").get_by_role("button", name="View").click()
        expect(page.locator("#open-invoice").get_by_text("Five hundred went back.")).to_be_visible()

    def test_a_balance_is_put_right_and_the_statement_says_why(self, finance: list[Page], page: Page) -> None:
        first, second = finance
        for window in (first, second):
            window.goto(f"{window.url.partition('/staff')[0]}/staff/adjustments")
            settle(window)
        first.get_by_label("Registration code or id").fill("91330100799655058B")
        first.get_by_label("Takes from the balance").check()
        first.get_by_label("Amount, in the currency").fill("1200.5")
        first.get_by_label("Reason, as the organization reads it").fill("A transfer came back.")
        first.get_by_label("Evidence").fill("Letter 17 of the bank")
        first.get_by_role("button", name="Propose the adjustment").dblclick()
        expect(first.get_by_text("it needs two people: a colleague has to make it.")).to_be_visible()
        assert findings(first) == []
        expect(second.get_by_text("1,200.50")).to_have_count(1)
        second.get_by_role("row", name="1,200.50").get_by_role("button", name="View").click()
        second.get_by_role("button", name="Adjust the balance").dblclick()
        expect(second.get_by_text("The balance is adjusted.")).to_be_visible()
        page.goto(f"{page.url.rpartition('/')[0]}/statements")
        expect(page.get_by_text("-1,200.500000000: A transfer came back.")).to_be_visible()
