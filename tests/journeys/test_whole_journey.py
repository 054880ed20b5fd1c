"""Two people, two windows, the whole business: a customer comes in, is verified, pays, calls and sees the charge."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.browser import running_browser, sign_in
from tests.journeys.conftest import running_upstream
from tests.journeys.test_sign_up import CODE, link_of_mail
from tests.journeys.test_top_up import ACCOUNT, approve
from tests.journeys.test_verification import FIELDS, upload
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file
from tests.support.mail_server import SENDER, MailServerOfTest, running_mail_server
from tests.verification.files import PDF

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
CUSTOMER, DESK = "li@company.example", "desk@ops.example"
COMPANY = "Example Technology Ltd"
AMOUNT = "250.00"
ASKED_FOR = "Page two is dark."


@dataclass(frozen=True, slots=True)
class Windows:
    """What each of them looks at, with cookies of their own."""

    customer: Page
    staff: Page


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServerOfTest]:
    """Where the console's mails go."""
    with running_mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, mail_server: MailServerOfTest) -> Iterator[Installation]:
    """An installation with a model for sale, and one person who reviews and looks after payments."""
    variables = {
        "ONETOKEN_SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}",
        "ONETOKEN_MAIL_FROM": SENDER,
        "ONETOKEN_BANK_ACCOUNT": ACCOUNT,
    }
    installation = Installation(tmp_path_factory.mktemp("whole"), variables)
    with running_upstream() as base_url:
        installation.apply(apply_file(base_url=base_url))
        for role in ("reviewer", "finance"):
            installation.succeed("staff", "add", DESK, "--role", role, "--password-env", "TEST_PASSWORD")
        yield installation


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console and relay."""
    with installation.console() as running:
        yield running


@pytest.fixture(scope="module")
def windows(server: RunningProcess) -> Iterator[Windows]:
    """Two browsers' worth of cookies: nobody yet, and the staff."""
    with running_browser() as browser:
        pages = []
        for _ in range(2):
            context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)
            pages.append(context.new_page())
        sign_in(pages[1], server.url, DESK, PASSWORD)
        yield Windows(*pages)


@pytest.fixture
def customer(windows: Windows) -> Page:
    """The customer's window."""
    return windows.customer


@pytest.fixture
def staff(windows: Windows) -> Page:
    """The window at the operator's desk."""
    return windows.staff


def wait_for_mail(mail_server: MailServerOfTest, recipient: str, subject: str, *, page: Page) -> None:
    """Wait until somebody was written to."""
    deadline = time.monotonic() + 60
    while not any(
        recipient in one.recipients and subject in str(one.mail["Subject"]) for one in list(mail_server.received)
    ):
        assert time.monotonic() < deadline, f"{recipient} got no mail about {subject}"
        page.wait_for_timeout(50)


def take_case(page: Page, url: str) -> None:
    """Open the one case that waits, and take it."""
    page.goto(f"{url}/staff/reviews")
    page.get_by_role("button", name=f"View {COMPANY}").click()
    page.get_by_role("button", name="Start the review").click()


def decided_case(page: Page) -> Locator:
    """Find the case among those that were decided."""
    return page.get_by_role("table", name="Decided cases").get_by_role("row").filter(has_text=COMPANY)


class TestWholeJourney:
    """Steps of both, in order."""

    def test_the_customer_confirms_the_address_and_registers(
        self, customer: Page, server: RunningProcess, mail_server: MailServerOfTest
    ) -> None:
        customer.goto(f"{server.url}/sign-up")
        customer.get_by_label("Work e-mail address").fill(CUSTOMER)
        customer.get_by_role("button", name="Send the link").click()
        customer.goto(link_of_mail(mail_server, 1, page=customer))
        expect(customer.get_by_text(CUSTOMER)).to_be_visible()
        customer.get_by_label("Name of the organization").fill(COMPANY)
        customer.get_by_label("Registration code").fill(CODE)
        customer.get_by_label("Internal research").check()
        customer.get_by_role("textbox", name="Your name", exact=True).fill("Li Wei")
        customer.get_by_label("Your position").fill("Head of IT")
        customer.get_by_label("Password").fill(PASSWORD)
        for box in ("I act for this organization", "Terms of service", "Privacy policy"):
            customer.get_by_label(box).check()
        customer.get_by_role("button", name="Register the organization").click()
        expect(customer.get_by_text("Your organization is not verified yet")).to_be_visible()

    def test_the_customer_hands_the_papers_in(self, customer: Page, tmp_path: Path) -> None:
        customer.get_by_role("link", name="Go to verification").click()
        for label, words in FIELDS.items():
            customer.get_by_label(label).fill(words)
        for kind in ("business_licence", "authorization_letter"):
            file = tmp_path / f"{kind}.pdf"
            file.write_bytes(PDF)
            upload(customer, kind, file)
            expect(customer.get_by_role("link", name=file.name)).to_be_visible()
        customer.get_by_role("button", name="Save").click()
        expect(customer.get_by_text("Saved.", exact=True)).to_be_visible()
        customer.get_by_role("button", name="Submit for verification").click()
        expect(customer.get_by_text("It waits for a reviewer")).to_be_visible()

    def test_the_staff_ask_for_more_and_the_customer_hears_of_it(
        self, customer: Page, staff: Page, server: RunningProcess, mail_server: MailServerOfTest
    ) -> None:
        take_case(staff, server.url)
        staff.locator("select[name=reason]").select_option("document_unreadable")
        staff.get_by_label("Message to the organization").fill(ASKED_FOR)
        staff.get_by_role("button", name="Send to the organization").click()
        expect(staff.get_by_text("No case waits.")).to_be_visible()
        expect(decided_case(staff)).to_contain_text("A document cannot be read")
        wait_for_mail(mail_server, CUSTOMER, "verification", page=customer)
        customer.reload()
        expect(customer.get_by_text(ASKED_FOR)).to_be_visible()
        customer.get_by_role("button", name="Submit for verification").click()
        expect(customer.get_by_text("It waits for a reviewer")).to_be_visible()

    def test_the_staff_approve(self, customer: Page, staff: Page, server: RunningProcess) -> None:
        take_case(staff, server.url)
        staff.get_by_role("button", name="Approve", exact=True).click()
        staff.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
        expect(staff.get_by_text("No case waits.")).to_be_visible()
        expect(decided_case(staff)).to_contain_text("Verified")
        customer.get_by_role("link", name="Overview").click()
        expect(customer.get_by_text("Nothing is left to spend")).to_be_visible()

    def test_the_customer_orders_and_reports_and_finance_hears_of_it(
        self, customer: Page, mail_server: MailServerOfTest
    ) -> None:
        customer.get_by_role("main").get_by_role("link", name="Top up").first.click()
        customer.get_by_label("Amount in USD").fill(AMOUNT)
        customer.get_by_label("I have read this and consent").check()
        customer.get_by_role("button", name="Place the order").click()
        expect(customer.get_by_text(ACCOUNT)).to_be_visible()
        customer.get_by_role("button", name="Report the transfer").click()
        expect(customer.get_by_text("We look for the transfer")).to_be_visible()
        wait_for_mail(mail_server, DESK, f"{COMPANY} reported", page=customer)

    def test_finance_credits_what_arrived_and_keeps_it_in_sight(
        self, staff: Page, server: RunningProcess, installation: Installation
    ) -> None:
        staff.goto(f"{server.url}/staff/top-ups")
        expect(staff.get_by_text("Nothing was decided yet.")).to_be_visible()
        staff.get_by_role("button", name=f"View {COMPANY}").click()
        approve(staff, received="25.00")
        expect(staff.get_by_role("alert").filter(has_text="not what was ordered")).to_be_visible()
        approve(staff, received=AMOUNT)
        expect(staff.get_by_text("Credited. The organization gets a mail.")).to_be_visible()
        decided = staff.get_by_role("table", name="Decided transfers").get_by_role("row").filter(has_text=COMPANY)
        expect(decided).to_contain_text("2026-11-24/7")
        assert installation.verified()["ok"]

    def test_the_customer_calls_and_sees_the_charge(
        self, customer: Page, server: RunningProcess, installation: Installation
    ) -> None:
        customer.get_by_role("link", name="Overview").click()
        expect(customer.get_by_text("Make your first call")).to_be_visible()
        customer.get_by_role("link", name="Create an API key").click()
        customer.get_by_role("button", name="Create key").first.click()
        form = customer.get_by_role("dialog", name="Create an API key")
        form.get_by_label("Name").fill("first application")
        form.get_by_role("button", name="Create key").click()
        expect(customer.locator("#minted-secret")).to_contain_text("otk_live_")
        secret = customer.locator("#minted-secret").inner_text()
        with openai.OpenAI(api_key=secret, base_url=f"{server.url}/v1", max_retries=0, timeout=30) as client:
            answer = client.chat.completions.create(model="mock", messages=[{"role": "user", "content": "Hello"}])
        assert answer.choices[0].message.content
        customer.get_by_role("button", name="I have stored it").click()
        customer.get_by_role("link", name="Usage").click()
        row = customer.get_by_role("row").filter(has_text="first application")
        expect(row).to_contain_text("USD 0.00")
        expect(row).to_contain_text("Answered")
        customer.get_by_role("link", name="Overview").click()
        expect(customer.get_by_text("249.99").first).to_be_visible()
        assert installation.verified()["ok"]
