"""Three people at once: somebody orders and reports a transfer, finance refuses it, and then two of them approve it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import running_browser, sign_in
from tests.journeys.test_accessibility import findings
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
OWNER, OTHER = "owner@test.example", "other@test.example"
FINANCE, COLLEAGUE = "fin@ops.example", "ada@ops.example"
ACCOUNT = "OneToken Ltd, Example Bank, 6222 0000 1234 5678"
AMOUNT = "20000.50"
OTHER_ORGANIZATION = """\
  - name: Unverified Ltd
    code: 91110000600037341L
    verified: false
    credit: "0.00"
    people: [{email: other@test.example, password_env: TEST_PASSWORD, role: owner}]
"""


@dataclass(frozen=True, slots=True)
class Desks:
    """A window for each person, with cookies of its own."""

    owner: Page
    other: Page
    finance: Page
    colleague: Page


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with a verified and an unverified organization, and two people of finance."""
    installation = Installation(tmp_path_factory.mktemp("top-up"), {"ONETOKEN_BANK_ACCOUNT": ACCOUNT})
    installation.apply(apply_file(base_url="http://127.0.0.1:9/v1", credit="0.00") + OTHER_ORGANIZATION)
    for email in (FINANCE, COLLEAGUE):
        installation.succeed("staff", "add", email, "--role", "finance", "--password-env", "TEST_PASSWORD")
    return installation


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console."""
    with installation.console() as running:
        yield running


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the browsers complained about."""
    return []


@pytest.fixture(scope="module")
def desks(server: RunningProcess, complaints: list[str]) -> Iterator[Desks]:
    """Everybody signed in, each in a browser of their own."""
    with running_browser() as browser:
        pages = []
        for email in (OWNER, OTHER, FINANCE, COLLEAGUE):
            context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            context.set_default_timeout(20_000)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            sign_in(page, server.url, email, PASSWORD)
            pages.append(page)
        yield Desks(*pages)


@pytest.fixture
def owner(desks: Desks) -> Page:
    """The window of whoever pays."""
    return desks.owner


@pytest.fixture
def finance(desks: Desks) -> Page:
    """The window of whoever looks for the transfer."""
    return desks.finance


@pytest.fixture
def colleague(desks: Desks) -> Page:
    """The window of the second person."""
    return desks.colleague


def approve(page: Page, *, received: str = AMOUNT, bank_entry: str = "2026-11-24/7") -> None:
    """Fill in what the bank statement says."""
    page.get_by_label("Amount that arrived").fill(received)
    page.get_by_label("Entry of the bank statement").fill(bank_entry)
    page.get_by_role("button", name="Approve", exact=True).click()


class TestTopUp:
    """Steps of one order, in order."""

    def test_an_unverified_organization_is_led_to_verification(self, desks: Desks, server: RunningProcess) -> None:
        desks.other.goto(f"{server.url}/top-up")
        desks.other.get_by_role("button", name="Later").click()
        expect(desks.other.get_by_role("link", name="Go to verification")).to_be_visible()
        expect(desks.other.get_by_role("button", name="Place the order")).to_have_count(0)
        expect(desks.other.get_by_text("There is no order yet.")).to_be_visible()

    def test_the_overview_says_that_nothing_is_left(self, owner: Page, server: RunningProcess) -> None:
        owner.goto(f"{server.url}/overview")
        expect(owner.get_by_text("Nothing is left to spend")).to_be_visible()
        owner.get_by_role("main").get_by_role("link", name="Top up").first.click()
        expect(owner.get_by_role("heading", name="Top up", exact=True)).to_be_visible()

    def test_a_wrong_amount_is_refused_in_words_and_stays(self, owner: Page, installation: Installation) -> None:
        owner.get_by_label("Amount in USD").fill("12,5")
        owner.get_by_label("I have read this and consent").check()
        owner.get_by_role("button", name="Place the order").click()
        expect(owner.get_by_role("alert").filter(has_text="plain number")).to_be_visible()
        expect(owner.get_by_label("Amount in USD")).to_have_value("12,5")
        assert installation.rows("SELECT count(*) FROM payments_order") == [(0,)]

    def test_without_consent_the_form_is_not_sent(self, owner: Page, installation: Installation) -> None:
        owner.get_by_label("Amount in USD").fill(AMOUNT)
        owner.get_by_label("I have read this and consent").uncheck()
        owner.get_by_role("button", name="Place the order").click()
        expect(owner.get_by_text("Order OT-")).to_have_count(0)
        assert installation.rows("SELECT count(*) FROM payments_order") == [(0,)]

    def test_a_double_click_is_one_order_with_reference_and_account(
        self, owner: Page, installation: Installation
    ) -> None:
        owner.get_by_label("I have read this and consent").check()
        owner.get_by_role("button", name="Place the order").dblclick()
        expect(owner.get_by_text("Transfer awaited").first).to_be_visible()
        expect(owner.get_by_text(ACCOUNT)).to_be_visible()
        expect(owner.get_by_label("Amount in USD")).to_have_value("")
        ((reference, digest, address),) = installation.rows(
            "SELECT reference_code, statement_sha256, caller_ip FROM payments_order"
        )
        assert (len(digest), address) == (64, "127.0.0.1")
        owner.locator("[data-copies=order-reference]").click()
        expect(owner.locator("[data-copies=order-reference]")).to_contain_text("Copied")
        assert owner.evaluate("navigator.clipboard.readText()") == reference
        assert findings(owner) == []

    def test_the_transfer_is_reported(self, owner: Page) -> None:
        expect(owner.get_by_label("Payer")).to_have_value("Test Ltd")
        owner.get_by_role("button", name="Report the transfer").click()
        expect(owner.get_by_text("We look for the transfer")).to_be_visible()
        expect(owner.get_by_role("button", name="Report the transfer")).to_have_count(0)

    def test_finance_refuses_it_with_a_reason_and_words(self, finance: Page, server: RunningProcess) -> None:
        finance.goto(f"{server.url}/staff/top-ups")
        finance.get_by_role("button", name="View Test Ltd").click()
        expect(finance.get_by_role("button", name="Refuse")).to_be_visible()
        assert findings(finance) == []
        finance.locator("select[name=reason]").select_option("other")
        finance.get_by_role("button", name="Refuse").click()
        expect(finance.get_by_role("alert").filter(has_text="in words of your own")).to_be_visible()
        finance.locator("select[name=reason]").select_option("not_received")
        finance.get_by_label("Message to the organization").fill("Nothing arrived until noon.")
        finance.get_by_role("button", name="Refuse").click()
        expect(finance.get_by_text("No transfer waits.")).to_be_visible()

    def test_the_owner_reads_why_and_reports_again(self, owner: Page) -> None:
        owner.reload()
        expect(owner.get_by_text("The transfer has not arrived")).to_be_visible()
        expect(owner.get_by_text("Nothing arrived until noon.")).to_be_visible()
        owner.get_by_label("Your bank's number of the transfer").fill("BANK-7")
        owner.get_by_role("button", name="Report the transfer").click()
        expect(owner.get_by_text("We look for the transfer")).to_be_visible()

    def test_one_person_is_not_enough(
        self, finance: Page, colleague: Page, server: RunningProcess, installation: Installation
    ) -> None:
        for page in (finance, colleague):
            page.goto(f"{server.url}/staff/top-ups")
            page.get_by_role("button", name="View Test Ltd").click()
            expect(page.get_by_text("needs the approval of two people")).to_be_visible()
        approve(finance, received="20000.05")
        expect(finance.get_by_role("alert").filter(has_text="not what was ordered")).to_be_visible()
        approve(finance)
        expect(finance.get_by_text("A second person has to approve it too")).to_be_visible()
        expect(finance.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        assert installation.rows("SELECT state FROM payments_order") == [("reported",)]

    def test_a_window_that_is_out_of_date_is_told_so_and_brought_up_to_date(
        self, colleague: Page, installation: Installation
    ) -> None:
        approve(colleague)
        expect(colleague.get_by_role("alert").filter(has_text="Somebody changed this order")).to_be_visible()
        expect(colleague.get_by_text("1 / 2")).to_be_visible()
        assert installation.rows("SELECT state FROM payments_order") == [("reported",)]

    def test_the_second_person_credits_it(self, colleague: Page, installation: Installation) -> None:
        approve(colleague, bank_entry="2026-11-24/8")
        expect(colleague.get_by_role("alert").filter(has_text="another entry")).to_be_visible()
        approve(colleague)
        expect(colleague.get_by_text("Credited. The organization gets a mail.")).to_be_visible()
        assert installation.rows("SELECT state FROM payments_order") == [("credited",)]
        assert installation.verified()["ok"]

    def test_the_balance_and_the_receipt_are_there(self, owner: Page, server: RunningProcess) -> None:
        owner.goto(f"{server.url}/overview")
        expect(owner.get_by_text("20,000.50").first).to_be_visible()
        owner.goto(f"{server.url}/top-up")
        owner.get_by_role("button", name="View OT-").click()
        with owner.expect_popup() as opened:
            owner.get_by_role("link", name="Open the receipt").click()
        expect(opened.value.get_by_role("heading", name="Receipt")).to_be_visible()
        expect(opened.value.get_by_text("BANK-7")).to_be_visible()
        opened.value.close()
        with owner.expect_download() as kept:
            owner.get_by_role("link", name="Download the receipt").click()
        assert kept.value.suggested_filename.startswith("onetoken-receipt-OT-")
        assert "USD 20,000.50" in kept.value.path().read_text(encoding="utf-8")

    def test_the_receipt_is_for_its_organization_only(
        self, desks: Desks, server: RunningProcess, installation: Installation
    ) -> None:
        ((order_id,),) = installation.rows("SELECT id FROM payments_order")
        address = f"{server.url}/account/receipts/{order_id}"
        assert desks.other.request.get(address).status == 404
        assert desks.finance.request.get(address).status == 404
        assert desks.owner.request.get(address).status == 200

    def test_an_order_is_called_off(self, owner: Page) -> None:
        owner.get_by_label("Amount in USD").fill("100")
        owner.get_by_label("I have read this and consent").check()
        owner.get_by_role("button", name="Place the order").click()
        owner.get_by_role("button", name="Cancel the order").first.click()
        owner.get_by_role("dialog").get_by_role("button", name="Cancel the order").click()
        expect(owner.get_by_text("Your organization called this order off.")).to_be_visible()

    def test_the_browsers_had_nothing_to_complain_about(self, complaints: list[str]) -> None:
        assert complaints == []
