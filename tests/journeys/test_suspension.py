"""A reviewer suspends an organization: its calls are refused within a second, and its people read why; and it ends."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Page, expect

from onetoken_app import clock
from tests.journeys.browser import running_browser, sign_in
from tests.journeys.conftest import running_upstream
from tests.journeys.test_accessibility import findings
from tests.support.installation import PASSWORD, Installation, RunningProcess, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
OWNER, REVIEWER, COLLEAGUE = "owner@test.example", "rev@ops.example", "ada@ops.example"
CONTACT = "help@ops.example"
WORDS = "A key of yours was published in a repository."


@dataclass(frozen=True, slots=True)
class Desks:
    """A window for each person, with cookies of its own."""

    owner: Page
    reviewer: Page
    colleague: Page


@dataclass(frozen=True, slots=True)
class Place:
    """What runs, and a key that works there."""

    installation: Installation
    server: RunningProcess
    secret: str

    def call(self) -> httpx.Response:
        """Make a call as a program of the organization does."""
        body = {"model": "mock", "messages": [{"role": "user", "content": "Say hello."}]}
        headers = {"authorization": f"Bearer {self.secret}"}
        with httpx.Client(trust_env=False, timeout=20) as client:
            return client.post(f"{self.server.url}/v1/chat/completions", json=body, headers=headers)

    def call_after(self, changed_at_seconds: float) -> httpx.Response:
        """Make calls until one is answered otherwise than before, for a second and what a call takes."""
        first = self.call()
        answer = first
        while answer.status_code == first.status_code and clock.monotonic_seconds() < changed_at_seconds + 3:
            answer = self.call()
        return answer


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A console with an organization that calls, and two reviewers."""
    installation = Installation(tmp_path_factory.mktemp("suspension"), variables={"ONETOKEN_CONTACT_EMAIL": CONTACT})
    with running_upstream() as base_url:
        (secret,) = installation.apply(apply_file(base_url=base_url))
        for email in (REVIEWER, COLLEAGUE):
            installation.succeed("staff", "add", email, "--role", "reviewer", "--password-env", "TEST_PASSWORD")
        installation.succeed("staff", "add", "sup@ops.example", "--role", "support", "--password-env", "TEST_PASSWORD")
        with installation.console() as server:
            yield Place(installation, server, secret)


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the browsers complained about."""
    return []


@pytest.fixture(scope="module")
def desks(place: Place, complaints: list[str]) -> Iterator[Desks]:
    """Everybody signed in, each in a browser of their own."""
    with running_browser() as browser:
        pages = []
        for email in (OWNER, REVIEWER, COLLEAGUE):
            page = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900}).new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            sign_in(page, place.server.url, email, PASSWORD)
            pages.append(page)
        yield Desks(*pages)


def open_organization(page: Page, url: str) -> None:
    """Open the organization on the staff's page."""
    page.goto(f"{url}/staff/organizations")
    page.get_by_role("button", name="View").click()
    expect(page.get_by_text("This organization was never suspended.")).to_be_visible()


class TestSuspension:
    """Steps of one suspension, in order."""

    def test_a_reviewer_suspends_and_calls_are_refused_within_a_second(self, desks: Desks, place: Place) -> None:
        assert place.call().status_code == 200
        open_organization(desks.colleague, place.server.url)
        open_organization(desks.reviewer, place.server.url)
        page = desks.reviewer
        page.get_by_label("Reason").select_option("security")
        page.get_by_label("In your own words").fill(WORDS)
        page.get_by_role("button", name="Suspend", exact=True).dblclick()
        expect(page.get_by_text("Suspended. New calls are refused")).to_be_visible()
        answer = place.call_after(clock.monotonic_seconds())
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "organization_suspended"
        assert findings(page) == []
        assert place.installation.rows("SELECT cause, words FROM organizations_suspension") == [("security", WORDS)]

    def test_a_colleague_who_comes_too_late_sees_it_as_it_is(self, desks: Desks) -> None:
        page = desks.colleague
        page.get_by_label("Reason").select_option("overdue")
        page.get_by_label("In your own words").fill("Nothing was paid.")
        page.get_by_role("button", name="Suspend", exact=True).click()
        expect(page.locator("#refusal")).to_contain_text("suspended already")
        expect(page.get_by_text(WORDS)).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()

    @pytest.mark.parametrize("route", ["/overview", "/keys", "/top-up", "/agreements"])
    def test_the_customer_reads_what_why_and_what_next(self, desks: Desks, place: Place, route: str) -> None:
        page = desks.owner
        page.goto(f"{place.server.url}{route}")
        banner = page.get_by_role("region", name="Suspension")
        expect(banner).to_contain_text("Your organization is suspended since")
        expect(banner).to_contain_text(WORDS)
        expect(banner).to_contain_text("Revoke the keys that others may know")
        expect(banner.get_by_role("link", name=CONTACT)).to_be_visible()
        assert findings(page) == []

    def test_who_may_not_decide_is_told_who_may(self, desks: Desks, place: Place) -> None:
        browser = desks.owner.context.browser
        assert browser is not None
        page = browser.new_context(locale="en-US").new_page()
        sign_in(page, place.server.url, "sup@ops.example", PASSWORD)
        page.goto(f"{place.server.url}/staff/organizations")
        page.get_by_role("button", name="View").click()
        expect(page.get_by_text("Reviewers and administrators of the staff suspend")).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_have_count(0)

    def test_whoever_suspended_it_resumes_it(self, desks: Desks, place: Place, complaints: list[str]) -> None:
        page = desks.reviewer
        page.get_by_label("Why it is over").fill("The key is revoked.")
        page.get_by_role("button", name="Resume", exact=True).click()
        expect(page.get_by_text("Resumed. Calls are admitted again")).to_be_visible()
        assert place.call_after(clock.monotonic_seconds()).status_code == 200
        desks.owner.reload()
        expect(desks.owner.get_by_role("heading", level=1)).to_be_visible()
        expect(desks.owner.get_by_role("region", name="Suspension")).to_have_count(0)
        actions = place.installation.rows(
            "SELECT action FROM audit_entry WHERE action LIKE 'organization_%ed' ORDER BY sequence_number"
        )
        assert actions[-2:] == [("organization_suspended",), ("organization_resumed",)]
        letters = place.installation.rows("SELECT recipient FROM notifications_letter WHERE kind LIKE 'organization_%'")
        assert letters == [(OWNER,), (OWNER,)]
        assert complaints == []
