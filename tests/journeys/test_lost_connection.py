"""The line breaks at every step that changes something: before the click arrives, and before its answer comes back.

Each time the person reads what happened, finds what they typed, does it again, and it is done once.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.browser import running_browser, sign_in
from tests.journeys.test_sign_up import CODE
from tests.journeys.test_top_up import ACCOUNT, approve
from tests.journeys.test_verification import FIELDS, upload
from tests.support.cuttable_line import CuttableLine
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file, free_port
from tests.verification.files import PDF

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(600)]
CUSTOMER, DESK, INVITED = "li@company.example", "desk@ops.example", "han@company.example"
COMPANY = "Example Technology Ltd"
AMOUNT = "250.00"
UNANSWERED = "The connection broke before the answer came"
STEP_LOST = "The connection broke before your last step arrived. Nothing was done."


@dataclass(frozen=True, slots=True)
class Place:
    """Who uses what, over which line."""

    installation: Installation
    line: CuttableLine
    server: RunningProcess
    customer: Page
    staff: Page

    def count(self, query: str) -> int:
        """Return the one number that a query finds."""
        ((number,),) = self.installation.rows(query)
        return int(number)

    def lose_the_click(self, page: Page, act: Callable[[], Any], *, is_posted: bool = False) -> None:
        """Do something that never arrives, and find the line whole again.

        Args:
            page: Whose window.
            act: What they do.
            is_posted: Whether the page's script posts it. A browser itself repeats a post whose connection broke, so
                the line stays cut until the page says that there was no answer.
        """
        self.line.lose_questions()
        act()
        while not self.line.lost_byte_count:
            page.wait_for_timeout(20)
        self._break_and_mend(page, is_posted=is_posted)

    def lose_the_answer(
        self, page: Page, act: Callable[[], Any], *, until: str, becomes: int = 1, is_posted: bool = False
    ) -> None:
        """Do something that arrives and is done, hear nothing of it, and find the line whole again."""
        self.line.lose_answers()
        act()
        while self.count(until) != becomes:
            page.wait_for_timeout(20)
        self._break_and_mend(page, is_posted=is_posted)

    def _break_and_mend(self, page: Page, *, is_posted: bool) -> None:
        self.line.cut()
        if is_posted:
            expect(said(page, "The connection broke")).to_be_visible()
        expect(page.locator(".reconnecting")).to_be_visible()
        self.line.mend()
        expect(page.locator(".reconnecting")).to_have_count(0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An installation behind a line, with two windows: nobody's yet, and that of the operator's desk."""
    line = CuttableLine(port=free_port(), leads_to=free_port())
    variables = {"ONETOKEN_PUBLIC_URL": line.url, "ONETOKEN_BANK_ACCOUNT": ACCOUNT}
    installation = Installation(tmp_path_factory.mktemp("lost"), variables)
    installation.apply(apply_file(base_url="http://127.0.0.1:9/v1"))
    for role in ("reviewer", "finance"):
        installation.succeed("staff", "add", DESK, "--role", role, "--password-env", "TEST_PASSWORD")
    with installation.console(port=line.leads_to) as server, line.open(), running_browser() as browser:
        pages = []
        for _ in range(2):
            context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)
            pages.append(context.new_page())
        sign_in(pages[1], line.url, DESK, PASSWORD)
        yield Place(installation, line, server, *pages)


@pytest.fixture
def customer(place: Place) -> Page:
    """The customer's window."""
    return place.customer


@pytest.fixture
def staff(place: Place) -> Page:
    """The window at the operator's desk."""
    return place.staff


def said(page: Page, words: str) -> Locator:
    """Find what is said about a step: by the frame, or by a form, which holds all its words and shows some."""
    return page.locator(".refusal, .outcomes .is-shown").filter(has_text=words)


def latest_link(place: Place, path: str) -> str:
    """Return the newest link of the outbox that leads to a page."""
    links: list[str] = re.findall(rf"http\S+{path}#[\w-]{{40,}}", place.installation.succeed("outbox").output)
    return links[-1]


class TestSignUp:
    def test_asking_for_the_mail(self, place: Place, customer: Page) -> None:
        customer.goto(f"{place.line.url}/sign-up")
        customer.get_by_label("Work e-mail address").fill(CUSTOMER)
        send = customer.get_by_role("button", name="Send the link")
        place.lose_the_click(customer, send.click, is_posted=True)
        expect(said(customer, UNANSWERED)).to_be_visible()
        expect(customer.get_by_label("Work e-mail address")).to_have_value(CUSTOMER)
        assert place.count("SELECT count(*) FROM notifications_letter") == 0
        send.click()
        expect(customer.get_by_text("look into your mailbox")).to_be_visible()

    def test_a_click_that_is_lost_registers_nothing_and_keeps_the_form(self, place: Place, customer: Page) -> None:
        customer.goto(latest_link(place, "/sign-up/continue"))
        expect(customer.get_by_text(CUSTOMER)).to_be_visible()
        customer.get_by_label("Name of the organization").fill(COMPANY)
        customer.get_by_label("Registration code").fill(CODE)
        customer.get_by_label("Internal research").check()
        customer.get_by_role("textbox", name="Your name", exact=True).fill("Li Wei")
        customer.get_by_label("Your position").fill("Head of IT")
        customer.get_by_label("Password").fill(PASSWORD)
        for box in ("I act for this organization", "Terms of service", "Privacy policy"):
            customer.get_by_label(box).check()
        place.lose_the_click(
            customer, customer.get_by_role("button", name="Register the organization").click, is_posted=True
        )
        expect(said(customer, UNANSWERED)).to_be_visible()
        expect(customer.get_by_label("Name of the organization")).to_have_value(COMPANY)
        expect(customer.get_by_label("Password")).to_have_value(PASSWORD)
        expect(customer.get_by_label("Terms of service")).to_be_checked()
        assert place.count("SELECT count(*) FROM organizations_organization") == 1

    def test_an_answer_that_is_lost_leaves_one_organization_and_the_way_in(self, place: Place, customer: Page) -> None:
        register = customer.get_by_role("button", name="Register the organization")
        organizations = "SELECT count(*) FROM organizations_organization"
        place.lose_the_answer(customer, register.click, until=organizations, becomes=2, is_posted=True)
        expect(said(customer, UNANSWERED)).to_be_visible()
        register.click()
        expect(said(customer, "used already. If it was you, sign in")).to_be_visible()
        assert place.count(organizations) == 2
        assert place.count("SELECT count(*) FROM agreements_acceptance WHERE signatory_name = 'Li Wei'") == 2
        sign_in(customer, place.line.url, CUSTOMER, PASSWORD)
        expect(customer.get_by_text("Your organization is not verified yet")).to_be_visible()


class TestVerification:
    def test_particulars(self, place: Place, customer: Page) -> None:
        customer.goto(f"{place.line.url}/verification")
        for label, words in FIELDS.items():
            customer.get_by_label(label).fill(words)
        save, revision = (
            customer.get_by_role("button", name="Save"),
            "SELECT coalesce(sum(revision), 0) FROM verification_case",
        )
        place.lose_the_click(customer, save.click)
        expect(said(customer, STEP_LOST)).to_be_visible()
        for label, words in FIELDS.items():
            expect(customer.get_by_label(label)).to_have_value(words)
        assert place.count(revision) == 0
        place.lose_the_answer(customer, save.click, until="SELECT count(*) FROM verification_case")
        expect(said(customer, STEP_LOST)).to_have_count(0)
        expect(customer.get_by_label("Legal representative")).to_have_value("Wang Fang")
        once = place.count(revision)
        save.click()
        expect(customer.get_by_text("Saved.", exact=True)).to_be_visible()
        assert place.count(revision) == once

    def test_documents(self, place: Place, customer: Page, tmp_path: Path) -> None:
        files = {kind: tmp_path / f"{kind}.pdf" for kind in ("business_licence", "authorization_letter")}
        for file in files.values():
            file.write_bytes(PDF)
        (kind, file), (last_kind, last_file) = files.items()
        documents = "SELECT count(*) FROM verification_document"
        place.lose_the_click(customer, lambda: upload(customer, kind, file), is_posted=True)
        expect(said(customer, UNANSWERED)).to_be_visible()
        assert place.count(documents) == 0
        again = customer.get_by_role("button", name="Upload")
        place.lose_the_answer(customer, again.click, until=documents, is_posted=True)
        expect(said(customer, UNANSWERED)).to_be_visible()
        expect(customer.get_by_role("link", name=file.name)).to_be_visible()
        again.click()
        expect(said(customer, UNANSWERED)).to_have_count(0)
        expect(customer.get_by_text("No file chosen yet").first).to_be_visible()
        upload(customer, last_kind, last_file)
        expect(customer.get_by_role("link", name=last_file.name)).to_be_visible()
        assert place.count(documents) == 2

    def test_handing_in(self, place: Place, customer: Page) -> None:
        submitted = "SELECT count(*) FROM verification_event WHERE state = 'submitted'"
        hand_in = customer.get_by_role("button", name="Submit for verification")
        place.lose_the_click(customer, hand_in.click)
        expect(said(customer, STEP_LOST)).to_be_visible()
        assert place.count(submitted) == 0
        place.lose_the_answer(customer, hand_in.click, until=submitted)
        expect(customer.get_by_text("It waits for a reviewer")).to_be_visible()
        expect(said(customer, STEP_LOST)).to_have_count(0)

    def test_taking_and_approving(self, place: Place, customer: Page, staff: Page) -> None:
        staff.goto(f"{place.line.url}/staff/reviews")
        staff.get_by_role("button", name=f"View {COMPANY}").click()
        take = staff.get_by_role("button", name="Start the review")
        expect(take).to_be_visible()
        taken = "SELECT count(*) FROM verification_case WHERE state = 'in_review'"
        place.lose_the_answer(staff, take.click, until=taken)
        approving = staff.get_by_role("button", name="Approve", exact=True)
        approving.click()
        confirm = staff.get_by_role("dialog").get_by_role("button", name="Approve", exact=True)
        place.lose_the_click(staff, confirm.click)
        expect(said(staff, STEP_LOST)).to_be_visible()
        approving.click()
        approved = "SELECT count(*) FROM verification_event WHERE state = 'approved'"
        place.lose_the_answer(staff, confirm.click, until=approved)
        expect(staff.get_by_text("No case waits.")).to_be_visible()
        assert place.count(approved) == 1
        assert place.count("SELECT count(*) FROM notifications_letter WHERE kind = 'case_news'") == 1
        expect(customer.get_by_text("Your organization is verified")).to_be_visible()


class TestTopUp:
    def test_ordering(self, place: Place, customer: Page) -> None:
        customer.goto(f"{place.line.url}/top-up")
        customer.get_by_label("Amount in USD").fill(AMOUNT)
        customer.get_by_label("I have read this and consent").check()
        submit, orders = customer.get_by_role("button", name="Place the order"), "SELECT count(*) FROM payments_order"
        place.lose_the_click(customer, submit.click)
        expect(said(customer, STEP_LOST)).to_be_visible()
        expect(customer.get_by_label("Amount in USD")).to_have_value(AMOUNT)
        expect(customer.get_by_label("I have read this and consent")).to_be_checked()
        assert place.count(orders) == 0
        place.lose_the_answer(customer, submit.click, until=orders)
        expect(customer.get_by_text("Transfer awaited").first).to_be_visible()
        expect(customer.get_by_label("Amount in USD")).to_have_value("")
        assert place.count(orders) == 1

    def test_reporting(self, place: Place, customer: Page) -> None:
        customer.get_by_label("Your bank's number of the transfer").fill("BANK-7")
        report = customer.get_by_role("button", name="Report the transfer")
        place.lose_the_click(customer, report.click)
        expect(said(customer, STEP_LOST)).to_be_visible()
        expect(customer.get_by_label("Your bank's number of the transfer")).to_have_value("BANK-7")
        reported = "SELECT count(*) FROM payments_order WHERE state = 'reported'"
        assert place.count(reported) == 0
        place.lose_the_answer(customer, report.click, until=reported)
        expect(customer.get_by_text("We look for the transfer")).to_be_visible()
        assert place.count("SELECT report_number FROM payments_order") == 1

    def test_approving(self, place: Place, customer: Page, staff: Page) -> None:
        staff.goto(f"{place.line.url}/staff/top-ups")
        staff.get_by_role("button", name=f"View {COMPANY}").click()
        expect(staff.get_by_label("Amount that arrived")).to_be_visible()
        place.lose_the_click(staff, lambda: approve(staff, received=AMOUNT))
        expect(said(staff, STEP_LOST)).to_be_visible()
        expect(staff.get_by_label("Amount that arrived")).to_have_value(AMOUNT)
        credited = "SELECT count(*) FROM payments_order WHERE state = 'credited'"
        assert place.count(credited) == 0
        place.lose_the_answer(staff, lambda: approve(staff, received=AMOUNT), until=credited)
        expect(staff.get_by_role("table", name="Decided transfers").get_by_text(COMPANY)).to_be_visible()
        assert place.count("SELECT count(*) FROM payments_approval") == 1
        expect(customer.get_by_text("The amount is on your balance.")).to_be_visible()
        assert place.installation.verified()["ok"]


class TestKeys:
    def test_minting(self, place: Place, customer: Page) -> None:
        customer.goto(f"{place.line.url}/keys")
        opening = customer.get_by_role("button", name="Create key").first
        opening.click()
        form = customer.get_by_role("dialog", name="Create an API key")
        form.get_by_label("Name").fill("first application")
        submit = form.get_by_role("button", name="Create key")
        keys = "SELECT count(*) FROM keys_api_key WHERE name = 'first application'"
        place.lose_the_click(customer, submit.click, is_posted=True)
        expect(said(customer, UNANSWERED)).to_be_visible()
        expect(form.get_by_label("Name")).to_have_value("first application")
        assert place.count(keys) == 0
        place.lose_the_answer(customer, submit.click, until=keys, is_posted=True)
        expect(said(customer, "revoke that key and create it again")).to_be_visible()
        submit.click()
        expect(said(customer, "A key of this name exists")).to_be_visible()
        form.get_by_role("button", name="Cancel").click()
        assert place.count(keys) == 1
        customer.get_by_role("button", name="Revoke first application").click()
        customer.get_by_role("button", name="Revoke this key").click()
        expect(customer.get_by_role("row").filter(has_text="Revoked")).to_have_count(1)
        opening.click()
        form.get_by_label("Name").fill("first application")
        submit.click()
        expect(customer.locator("#minted-secret")).to_contain_text("otk_live_")
        customer.get_by_role("button", name="I have stored it").click()


class TestMembers:
    def test_inviting(self, place: Place, customer: Page) -> None:
        customer.goto(f"{place.line.url}/members")
        customer.get_by_role("button", name="Invite somebody").click()
        form = customer.get_by_role("dialog")
        form.get_by_label("E-mail address").fill(INVITED)
        submit = form.get_by_role("button", name="Send the invitation")
        open_offers = "SELECT count(*) FROM organizations_invitation WHERE withdrawn_at IS NULL"
        place.lose_the_click(customer, submit.click, is_posted=True)
        expect(said(customer, UNANSWERED)).to_be_visible()
        expect(form.get_by_label("E-mail address")).to_have_value(INVITED)
        assert place.count(open_offers) == 0
        place.lose_the_answer(customer, submit.click, until=open_offers, is_posted=True)
        expect(said(customer, UNANSWERED)).to_be_visible()
        expect(customer.get_by_role("row", include_hidden=True).filter(has_text=INVITED)).to_have_count(1)
        submit.click()
        expect(form).to_have_count(0)
        expect(customer.get_by_role("row").filter(has_text=INVITED)).to_have_count(1)
        assert place.count(open_offers) == 1

    def test_accepting(self, place: Place, staff: Page) -> None:
        staff.context.clear_cookies()
        staff.goto(latest_link(place, "/invitation"))
        staff.get_by_role("textbox", name="Your name", exact=True).fill("Han Mei")
        staff.get_by_label("Your position").fill("Engineer")
        staff.locator("input[name=password]").fill(PASSWORD)
        for box in ("I act for this organization", "Terms of service", "Privacy policy"):
            staff.get_by_label(box).check()
        accept = staff.get_by_role("button", name="Accept the invitation")
        place.lose_the_click(staff, accept.click, is_posted=True)
        expect(said(staff, UNANSWERED)).to_be_visible()
        accepted = "SELECT count(*) FROM organizations_invitation WHERE accepted_at IS NOT NULL"
        assert place.count(accepted) == 0
        place.lose_the_answer(staff, accept.click, until=accepted, is_posted=True)
        expect(said(staff, UNANSWERED)).to_be_visible()
        accept.click()
        expect(said(staff, "accepted already. If it was you, sign in")).to_be_visible()
        assert place.count("SELECT count(*) FROM organizations_membership") == 3


class TestRestart:
    def test_a_server_that_is_started_anew_leaves_the_order_to_be_looked_for(
        self, place: Place, customer: Page
    ) -> None:
        customer.goto(f"{place.line.url}/top-up")
        customer.get_by_label("Amount in USD").fill("12")
        customer.get_by_label("I have read this and consent").check()
        place.line.lose_questions()
        customer.get_by_role("button", name="Place the order").click()
        while not place.line.lost_byte_count:
            customer.wait_for_timeout(20)
        place.line.cut()
        place.server.kill_group()
        expect(customer.locator(".reconnecting")).to_be_visible()
        with place.installation.console(port=place.server.port):
            place.line.mend()
            expect(said(customer, "look whether the step was done before you repeat it")).to_be_visible()
            expect(customer.get_by_label("Amount in USD")).to_have_value("12")
            customer.get_by_role("button", name="Place the order").click()
            expect(customer.get_by_label("Amount in USD")).to_have_value("")
            assert place.count("SELECT count(*) FROM payments_order") == 2
