"""A customer's first hour: sign in, mint a key, call with it, see the call, revoke the key, sign out."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.browser import running_browser
from tests.journeys.conftest import RunningConsole

ASKED_FOR = re.compile(r"/sign-in/?\?next=/")
pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """One browser for the whole hour."""
    with running_browser() as browser:
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        yield context
        context.close()


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the browser complained about: errors of scripts, breaches of the content policy."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A tab; sign-in is kept between tabs, as in life."""
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()


def call(console: RunningConsole, secret: str) -> int:
    """Call the relay as an application does; return the status."""
    request = urllib.request.Request(  # noqa: S310 # an address of this test's own server
        f"{console.url}/v1/chat/completions",
        data=json.dumps({"model": "mock", "messages": [{"role": "user", "content": "Hello"}]}).encode(),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 # as above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


class TestFirstHour:
    """Steps of one visit, in order; each goes on where the one before ended."""

    minted: str = ""

    def test_pages_send_a_stranger_to_the_sign_in(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/usage")
        page.wait_for_url(ASKED_FOR)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    def test_a_wrong_password_is_refused_in_words(
        self, page: Page, console: RunningConsole, complaints: list[str]
    ) -> None:
        page.goto(f"{console.url}/sign-in")
        page.get_by_label("E-mail address").fill(console.email)
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("do not belong together")).to_be_visible()
        expect(page.get_by_label("Password")).to_have_value("")
        complaints[:] = [words for words in complaints if "401" not in words]

    def test_the_right_one_opens_the_page_that_was_asked_for(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/keys")
        page.wait_for_url(ASKED_FOR)
        page.get_by_label("E-mail address").fill(console.email)
        page.get_by_label("Password").fill(console.password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="API keys")).to_be_visible()
        assert page.context.cookies()[0]["httpOnly"]
        assert page.evaluate("document.cookie") == ""

    def test_the_overview_shows_the_balance_and_how_to_begin(self, page: Page, console: RunningConsole) -> None:
        page.goto(console.url)
        expect(page.get_by_text("1,000.00").first).to_be_visible()
        expect(page.get_by_text("Make your first call")).to_be_visible()
        expect(page.locator("#first-curl")).to_contain_text("/v1/chat/completions")

    def test_a_project_is_created_and_renamed(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/projects")
        page.get_by_label("Name").fill("Default")
        page.get_by_role("button", name="Create project").click()
        expect(page.get_by_role("alert").filter(has_text="A project of this name exists")).to_be_visible()
        expect(page.get_by_label("Name")).to_have_value("Default")
        page.get_by_label("Name").fill("Website")
        page.get_by_role("button", name="Create project").dblclick()
        expect(page.get_by_role("cell", name="Website", exact=True)).to_be_visible()
        expect(page.get_by_label("Name")).to_have_value("")
        expect(page.locator("#refusal")).to_have_count(0)
        page.get_by_role("button", name="Rename Website").click()
        renaming = page.locator("#open-project")
        expect(renaming.get_by_label("Name")).to_have_value("Website")
        renaming.get_by_label("Name").fill("Public website")
        renaming.get_by_role("button", name="Rename").click()
        expect(page.get_by_role("cell", name="Public website", exact=True)).to_be_visible()
        expect(renaming.get_by_label("Name")).to_have_count(0)

    def test_a_key_is_minted_and_its_secret_seen_once(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/keys")
        page.get_by_role("button", name="Create key").first.click()
        form = page.get_by_role("dialog", name="Create an API key")
        form.get_by_label("Name").fill("journey")
        form.get_by_label("Project").select_option("Public website")
        form.get_by_label("Only these").check()
        form.get_by_label("mock", exact=True).check()
        form.get_by_role("button", name="Create key").click()
        expect(page.locator("#minted-secret")).to_contain_text("otk_live_")
        type(self).minted = page.locator("#minted-secret").inner_text()
        page.keyboard.press("Escape")
        expect(page.locator("#minted-secret")).to_be_visible()
        page.get_by_role("button", name="I have stored it").click()
        expect(page.get_by_role("row").filter(has_text="journey")).to_contain_text("Public website")
        assert self.minted not in page.content()
        stores = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert self.minted not in stores

    def test_a_call_with_it_appears_with_its_charge(self, page: Page, console: RunningConsole) -> None:
        assert call(console, self.minted) == 200
        page.goto(f"{console.url}/usage")
        row = page.get_by_role("row").filter(has_text="journey")
        expect(row).to_contain_text("mock")
        expect(row).to_contain_text("USD 0.00002")
        expect(row).to_contain_text("Answered")
        page.goto(console.url)
        expect(page.get_by_text("999.99").first).to_be_visible()

    def test_a_budget_stops_calls_and_a_raised_one_lets_the_next_pass(
        self, page: Page, console: RunningConsole
    ) -> None:
        page.goto(f"{console.url}/budgets")
        page.get_by_label("Budget of").select_option("Key · journey")
        page.get_by_label("Limit in USD").fill("much")
        page.get_by_role("button", name="Set the budget").click()
        expect(page.get_by_role("alert").filter(has_text="plain number")).to_be_visible()
        page.get_by_label("Limit in USD").fill("0.000001")
        page.get_by_role("button", name="Set the budget").click()
        row = page.get_by_role("row").filter(has_text="journey")
        expect(row).to_contain_text("Day")
        deadline = time.monotonic() + 30
        while (status := call(console, self.minted)) != 402 and time.monotonic() < deadline:
            pass
        assert status == 402
        row.get_by_role("button", name="Change journey").click()
        page.locator("#open-budget").get_by_label("Limit in USD").fill("100")
        page.get_by_role("button", name="Save the limit").click()
        expect(row).to_contain_text("100.00")
        assert call(console, self.minted) == 200
        row.get_by_role("button", name="Remove journey").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_text("There is no budget.")).to_be_visible()

    def test_a_project_with_keys_in_use_is_archived_once_they_have_moved(
        self, page: Page, console: RunningConsole
    ) -> None:
        page.goto(f"{console.url}/projects")
        page.get_by_role("button", name="Archive Public website").click()
        question = page.get_by_role("dialog")
        expect(question).to_contain_text("keys that are not revoked: 1")
        expect(question.get_by_role("button", name="Archive this project")).to_have_count(0)
        question.get_by_role("link", name="Go to the keys").click()
        page.get_by_role("button", name="Move journey").click()
        page.get_by_role("dialog").get_by_label("Project").select_option("Default")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_role("row").filter(has_text="journey")).to_contain_text("Default")
        page.goto(f"{console.url}/projects")
        page.get_by_role("button", name="Archive Public website").click()
        page.get_by_role("button", name="Archive this project").click()
        expect(page.get_by_role("row").filter(has_text="Public website")).to_contain_text("Archived")
        expect(page.get_by_role("button", name="Rename Public website")).to_have_count(0)
        page.goto(f"{console.url}/keys")
        page.get_by_role("button", name="Create key").first.click()
        form = page.get_by_role("dialog", name="Create an API key")
        expect(form.get_by_label("Project").locator("option")).to_have_text(["Default"])

    def test_the_language_changes_and_is_remembered(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/usage")
        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("heading", name="用量", exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="用量", exact=True)).to_be_visible()
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("heading", name="Usage", exact=True)).to_be_visible()

    def test_a_revoked_key_is_refused_within_a_second(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/keys")
        row = page.get_by_role("row").filter(has_text="journey")
        row.get_by_role("button", name="Revoke").click()
        page.get_by_role("button", name="Revoke this key").click()
        expect(row).to_contain_text("Revoked")
        deadline = time.monotonic() + 1
        while (status := call(console, self.minted)) != 401 and time.monotonic() < deadline:
            pass
        assert status == 401

    def test_signing_out_closes_every_tab(self, page: Page, context: BrowserContext, console: RunningConsole) -> None:
        other = context.new_page()
        other.goto(f"{console.url}/usage")
        expect(other.get_by_role("heading", name="Usage")).to_be_visible()
        page.goto(console.url)
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(re.compile("/sign-in"))
        other.wait_for_url(re.compile("/sign-in"))
        page.goto(f"{console.url}/keys")
        page.wait_for_url(ASKED_FOR)
        other.close()

    def test_the_browser_had_nothing_to_complain_about(self, complaints: list[str]) -> None:
        assert complaints == []

    def test_the_secret_is_nowhere_on_disk(self, console: RunningConsole) -> None:
        found = [
            str(path)
            for path in console.installation.folder.rglob("*")
            if path.is_file() and self.minted.encode() in path.read_bytes()
        ]
        assert self.minted
        assert found == []
