"""Two people of finance: one drafts a price, the other one publishes it, and strangers read it on the list."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from onetoken_app.clock import utc_now
from onetoken_app.command.opening import in_database
from onetoken_app.money import Currency
from onetoken_app.settings import Settings
from onetoken_app.token_usage import UsageSource
from tests.journeys.browser import running_browser, settle, sign_in
from tests.journeys.test_accessibility import findings
from tests.reconciliation.test_read_bill import HEAD
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file
from tests.usage.books import settled
from tests.usage.drafts import a_draft

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
FINANCE, COLLEAGUE = "fin@ops.example", "ada@ops.example"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with a priced model and two people of finance."""
    at_once = {"ONETOKEN_PRICE_RISE_NOTICE_DAYS": "0"}
    installation = Installation(tmp_path_factory.mktemp("prices"), at_once)
    installation.apply(apply_file(base_url="http://127.0.0.1:9/v1"))
    for email in (FINANCE, COLLEAGUE):
        installation.succeed("staff", "add", email, "--role", "finance", "--password-env", "TEST_PASSWORD")
    bill = installation.folder / "bill.csv"
    yesterday = (utc_now() - timedelta(days=1)).date()
    bill.write_text(f"{HEAD}\n{yesterday},vendor-large,7,1000,200,0.0125,USD\n")
    ((channel,),) = installation.rows("SELECT name FROM catalog_channel")
    installation.succeed("reconcile", "import", str(bill), "--channel", channel)
    with ThreadPoolExecutor(1) as another_thread:  # a browser's driver may run a loop in this one
        another_thread.submit(_make_a_call, installation).result()
    return installation


def _make_a_call(installation: Installation) -> None:
    """Close a call that was charged 2.00 and cost 0.75."""
    draft = a_draft(
        requested_at=utc_now(), charge_nanos=2_000_000_000, usage_source=UsageSource.UPSTREAM, model_name="margined",
        cost_nanos=750_000_000, cost_currency=Currency.USD, channel_id="chn_1",
    )  # fmt: skip
    in_database(Settings(_env_file=None, data_dir=installation.data_dir), lambda: settled(draft))


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console."""
    with installation.console() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for everybody, with a context each."""
    with running_browser() as running:
        yield running


def a_desk(browser: Browser, server: RunningProcess, email: str) -> Page:
    """Open the desk of prices as somebody."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900}, timezone_id="Asia/Shanghai")
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, server.url, email, PASSWORD)
    page.goto(f"{server.url}/staff/prices")
    settle(page)
    return page


@pytest.fixture(scope="module")
def finance(browser: Browser, server: RunningProcess) -> Page:
    """The desk of whoever makes the draft."""
    return a_desk(browser, server, FINANCE)


@pytest.fixture(scope="module")
def colleague(browser: Browser, server: RunningProcess) -> Page:
    """The desk of whoever publishes it."""
    return a_desk(browser, server, COLLEAGUE)


class TestPrices:
    """Steps of one draft, in order."""

    def test_a_price_that_is_no_number_is_refused_in_words_and_stays(
        self, finance: Page, installation: Installation
    ) -> None:
        finance.locator("input[name=input]").fill("3,5")
        finance.locator("input[name=output]").fill("7.000001")
        finance.get_by_role("button", name="Make a draft").click()
        expect(finance.get_by_role("alert").filter(has_text="plain number")).to_be_visible()
        expect(finance.locator("input[name=output]")).to_have_value("7.000001")
        assert installation.rows("SELECT count(*) FROM pricing_draft") == [(0,)]

    def test_who_makes_a_draft_sees_what_it_changes_and_cannot_publish_it(self, finance: Page) -> None:
        finance.locator("input[name=input]").fill("3.5")
        finance.get_by_role("button", name="Make a draft").click()
        expect(finance.get_by_text("The draft is made.")).to_be_visible()
        rows = finance.locator("#open-draft tbody tr")
        expect(rows.filter(has_text="3.50").filter(has_text="Changed")).to_have_count(1)
        expect(rows.filter(has_text="7.000001").filter(has_text="Changed")).to_have_count(1)
        expect(finance.get_by_text("You made this draft.")).to_be_visible()
        expect(finance.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
        expect(finance.locator("input[name=input]")).to_have_value("")
        assert findings(finance) == []

    def test_a_colleague_is_told_what_changes_and_from_when_on(
        self, colleague: Page, installation: Installation
    ) -> None:
        colleague.get_by_role("button", name="View 1").click()
        moment = colleague.locator("#open-draft").get_by_label("In force from")
        moment.fill("2020-01-01T00:00")
        moment.blur()
        colleague.get_by_role("button", name="Publish", exact=True).click()
        dialog = colleague.get_by_role("dialog")
        expect(dialog.get_by_text("From 2020-01-01 00:00 on (Asia/Shanghai):")).to_be_visible()
        expect(dialog.get_by_role("listitem").filter(has_text="7.000001")).to_contain_text("per million tokens")
        dialog.get_by_role("button", name="Publish", exact=True).click()
        expect(colleague.get_by_role("alert").filter(has_text="past")).to_be_visible()
        assert installation.rows("SELECT state FROM pricing_draft") == [("open",)]

    def test_a_colleague_publishes_it(self, colleague: Page, installation: Installation) -> None:
        moment = colleague.locator("#open-draft").get_by_label("In force from")
        moment.fill("")
        moment.blur()
        colleague.get_by_role("button", name="Publish", exact=True).click()
        dialog = colleague.get_by_role("dialog")
        expect(dialog.get_by_text("At once:")).to_be_visible()
        dialog.get_by_role("button", name="Publish", exact=True).click()
        expect(colleague.get_by_text("Published.", exact=True)).to_be_visible()
        expect(colleague.get_by_text("No draft waits.")).to_be_visible()
        ((maker, publisher),) = installation.rows(
            "SELECT made.email, closed.email FROM pricing_draft "
            "JOIN identity_person made ON made.id = created_by JOIN identity_person closed ON closed.id = closed_by"
        )
        assert (maker, publisher) == (FINANCE, COLLEAGUE)

    def test_strangers_read_the_new_price(self, browser: Browser, server: RunningProcess) -> None:
        page = browser.new_page(locale="en-US")
        page.goto(f"{server.url}/models")
        expect(page.get_by_text("7.000001")).to_be_visible()
        expect(page.get_by_text("per million tokens").first).to_be_visible()
        page.close()


class TestCosts:
    """What upstreams bill, and what is left of the charges."""

    def test_a_bill_stands_beside_our_own_figures(self, finance: Page, server: RunningProcess) -> None:
        finance.goto(f"{server.url}/staff/reconciliation")
        settle(finance)
        (rows, files) = (finance.locator("table").nth(number).locator("tbody tr") for number in range(2))
        expect(rows.filter(has_text="vendor-large").filter(has_text="Only billed")).to_contain_text("0.0125")
        expect(files).to_have_count(1)
        finance.get_by_label("Rows").select_option("differences")
        expect(rows.filter(has_text="vendor-large")).to_have_count(1)
        finance.get_by_label("Period").select_option("today")
        expect(finance.get_by_text("Nothing to compare in this period.")).to_be_visible()
        assert findings(finance) == []

    def test_a_margin_is_what_was_charged_less_the_cost(self, finance: Page, server: RunningProcess) -> None:
        finance.goto(f"{server.url}/staff/margins")
        settle(finance)
        row = finance.locator("tbody tr").filter(has_text="margined")
        for words in ("2.00", "0.75", "1.25", "62.5\N{NO-BREAK SPACE}%"):
            expect(row).to_contain_text(words)
        finance.get_by_label("Period").select_option("last_month")
        expect(finance.get_by_text("No calls in this period.")).to_be_visible()
        assert findings(finance) == []
