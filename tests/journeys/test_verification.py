"""Two people at once: an owner proves the organization, a reviewer asks for more, and then approves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import running_browser, sign_in
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file
from tests.verification.files import PDF

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
OWNER = "owner@test.example"
REVIEWER = "rita@ops.example"
FIELDS = {
    "Legal representative": "Wang Fang",
    "Registered address": "1 Example Road, Beijing",
    "Contact person": "Li Wei",
    "Contact's telephone": "+86 10 0000 0000",
}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with an organization that is not verified, and a reviewer."""
    installation = Installation(tmp_path_factory.mktemp("verification"))
    file = apply_file(base_url="http://127.0.0.1:9/v1").replace("verified: true", "verified: false")
    installation.apply(file)
    installation.succeed("staff", "add", REVIEWER, "--role", "reviewer", "--password-env", "TEST_PASSWORD")
    return installation


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console."""
    with installation.console() as running:
        yield running


@pytest.fixture(scope="module")
def desks(server: RunningProcess) -> Iterator[tuple[Page, Page]]:
    """Two windows of two browsers' worth of cookies: the owner's and the reviewer's."""
    with running_browser() as browser:
        pages = []
        for email in (OWNER, REVIEWER):
            context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)
            page = context.new_page()
            sign_in(page, server.url, email, PASSWORD)
            pages.append(page)
        yield pages[0], pages[1]


@pytest.fixture
def owner(desks: tuple[Page, Page]) -> Page:
    """The owner's window."""
    return desks[0]


@pytest.fixture
def reviewer(desks: tuple[Page, Page]) -> Page:
    """The reviewer's window."""
    return desks[1]


def upload(page: Page, kind: str, file: Path) -> None:
    """Hand a file to the form."""
    form = page.locator(".document-form")
    form.get_by_label("Kind").select_option(kind)
    form.get_by_label("File").set_input_files(file)
    form.get_by_role("button", name="Upload").click()


class TestVerification:
    """Steps of one case, in order."""

    def test_the_owner_accepts_the_texts_first(self, owner: Page, server: RunningProcess) -> None:
        owner.goto(f"{server.url}/verification")
        owner.get_by_role("link", name="Read and accept").click()
        owner.get_by_role("textbox", name="Your name", exact=True).fill("Li Wei")
        owner.get_by_label("Your position").fill("Director")
        for box in ("I act for this organization", "Terms of service 2026", "Privacy policy 2026"):
            owner.get_by_role("checkbox", name=box).check()
        owner.get_by_role("button", name="Accept for the organization").click()
        expect(owner.get_by_role("row").filter(has_text="Li Wei, Director")).to_have_count(2)
        owner.get_by_role("checkbox", name="Serving the general public").check()
        owner.get_by_role("button", name="Save").click()
        expect(owner.get_by_text("Do not serve the public before it is")).to_be_visible()

    def test_the_owner_sees_what_is_missing(self, owner: Page, server: RunningProcess) -> None:
        owner.goto(f"{server.url}/verification")
        missing = owner.locator(".plain-list")
        expect(missing).to_contain_text("Business licence")
        expect(owner.get_by_role("button", name="Submit for verification")).to_be_disabled()

    def test_a_file_that_is_none_is_refused_in_words(self, owner: Page, tmp_path: Path) -> None:
        file = tmp_path / "licence.pdf"
        file.write_bytes(b"MZ not a document")
        upload(owner, "business_licence", file)
        expect(owner.get_by_text("Only PDF, JPEG and PNG are read")).to_be_visible()

    def test_typed_particulars_outlive_an_upload(self, owner: Page, tmp_path: Path) -> None:
        for label, words in FIELDS.items():
            owner.get_by_label(label).fill(words)
        for kind in ("business_licence", "authorization_letter"):
            file = tmp_path / f"{kind}.pdf"
            file.write_bytes(PDF)
            upload(owner, kind, file)
            expect(owner.get_by_role("link", name=f"{kind}.pdf")).to_be_visible()
        expect(owner.get_by_label("Legal representative")).to_have_value("Wang Fang")
        owner.get_by_role("button", name="Save").click()
        expect(owner.get_by_text("Saved.", exact=True)).to_be_visible()

    def test_the_case_is_handed_in(self, owner: Page) -> None:
        owner.get_by_role("button", name="Submit for verification").click()
        expect(owner.get_by_text("It waits for a reviewer")).to_be_visible()
        expect(owner.get_by_role("button", name="Upload")).to_have_count(0)

    def test_the_reviewer_reads_it_and_asks_for_more(self, reviewer: Page, server: RunningProcess) -> None:
        reviewer.goto(f"{server.url}/staff/reviews")
        reviewer.get_by_role("button", name="View Test Ltd").click()
        expect(reviewer.get_by_text("Wang Fang")).to_be_visible()
        address = reviewer.get_by_role("link", name="business_licence.pdf").get_attribute("href")
        assert reviewer.request.get(f"{server.url}{address}").body() == PDF
        with reviewer.expect_download() as kept:
            reviewer.get_by_role("link", name="business_licence.pdf").click()
        assert kept.value.suggested_filename == "business_licence.pdf"
        reviewer.get_by_role("button", name="Start the review").click()
        reviewer.locator("select[name=reason]").select_option("other")
        reviewer.get_by_role("button", name="Send to the organization").click()
        expect(reviewer.get_by_role("alert").filter(has_text="in words of your own")).to_be_visible()
        reviewer.locator("select[name=reason]").select_option("document_unreadable")
        reviewer.get_by_label("Message to the organization").fill("Page two is dark.")
        reviewer.get_by_role("button", name="Send to the organization").click()
        expect(reviewer.get_by_text("No case waits.")).to_be_visible()

    def test_the_owner_reads_why_and_hands_in_again(self, owner: Page) -> None:
        owner.reload()
        expect(owner.get_by_text("A document cannot be read")).to_be_visible()
        expect(owner.get_by_text("Page two is dark.")).to_be_visible()
        owner.get_by_role("button", name="Submit for verification").click()
        expect(owner.get_by_text("It waits for a reviewer")).to_be_visible()

    def test_serving_the_public_needs_consent(self, reviewer: Page) -> None:
        reviewer.reload()
        reviewer.get_by_role("button", name="View Test Ltd").click()
        expect(reviewer.get_by_role("listitem").filter(has_text="Serving the general public")).to_be_visible()
        reviewer.get_by_role("button", name="Start the review").click()
        reviewer.get_by_role("button", name="Approve", exact=True).click()
        reviewer.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
        expect(reviewer.get_by_role("alert").filter(has_text="declares to serve the general public")).to_be_visible()

    def test_an_approval_counts_at_once(self, owner: Page, reviewer: Page, installation: Installation) -> None:
        reviewer.get_by_role("button", name="Approve", exact=True).click()
        consent = reviewer.get_by_role("checkbox", name="The operator consents")
        consent.click()
        expect(consent).to_be_checked()
        reviewer.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
        expect(reviewer.get_by_text("No case waits.")).to_be_visible()
        owner.reload()
        expect(owner.get_by_text("Your organization is verified")).to_be_visible()
        assert installation.rows("SELECT count(*) FROM organizations_organization WHERE verified_at IS NOT NULL") == [
            (1,)
        ]

    def test_a_document_is_handed_to_nobody_else(self, owner: Page, server: RunningProcess) -> None:
        address = owner.get_by_role("link", name="business_licence.pdf").get_attribute("href")
        owner.context.clear_cookies()
        assert owner.request.get(f"{server.url}{address}").status == 401
