"""A decision shows on the page that waits for it, and new work on the desk; a page on which nothing waits is silent."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.journeys.browser import running_browser, sign_in
from tests.journeys.test_top_up import ACCOUNT, AMOUNT, approve
from tests.support.installation import PASSWORD, Installation, apply_file

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
OWNER, FINANCE, COLLEAGUE = "owner@test.example", "fin@ops.example", "ada@ops.example"
LONGER_THAN_TWO_TURNS_MS = 9_000


@dataclass(slots=True)
class Window:
    """A page, and what it asked by itself."""

    page: Page
    asked: list[str] = field(default_factory=list)

    def listen(self, socket: WebSocket) -> None:
        """Keep what asks for news."""
        socket.on("framesent", lambda frame: self.asked.append(str(frame)) if ".refresh" in str(frame) else None)


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Window, Window, Window]]:
    """The console's address, and the windows of an owner and of two people of finance."""
    installation = Installation(tmp_path_factory.mktemp("news"), {"ONETOKEN_BANK_ACCOUNT": ACCOUNT})
    installation.apply(apply_file(base_url="http://127.0.0.1:9/v1", credit="0.00"))
    for email in (FINANCE, COLLEAGUE):
        installation.succeed("staff", "add", email, "--role", "finance", "--password-env", "TEST_PASSWORD")
    with installation.console() as server, running_browser() as browser:
        opened: list[Window] = []
        for email in (OWNER, FINANCE, COLLEAGUE):
            context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
            context.set_default_timeout(20_000)
            window = Window(context.new_page())
            window.page.on("websocket", partial(window.listen))
            sign_in(window.page, server.url, email, PASSWORD)
            opened.append(window)
        owner, finance, colleague = opened
        yield server.url, owner, finance, colleague


class TestNews:
    """Steps of three people, in order; nobody loads a page again."""

    def test_a_page_on_which_nothing_waits_asks_nothing(self, windows: tuple[str, Window, Window, Window]) -> None:
        url, owner, finance, colleague = windows
        for window in (finance, colleague):
            window.page.goto(f"{url}/staff/top-ups")
            expect(window.page.get_by_text("No transfer waits.")).to_be_visible()
        owner.page.goto(f"{url}/top-up")
        expect(owner.page.get_by_role("button", name="Place the order")).to_be_visible()
        owner.page.wait_for_timeout(LONGER_THAN_TWO_TURNS_MS)
        assert owner.asked == []
        assert finance.asked

    def test_a_report_shows_at_every_desk(self, windows: tuple[str, Window, Window, Window]) -> None:
        _, owner, finance, colleague = windows
        owner.page.get_by_label("Amount in USD").fill(AMOUNT)
        owner.page.get_by_label("I have read this and consent").check()
        owner.page.get_by_role("button", name="Place the order").click()
        owner.page.get_by_role("button", name="Report the transfer").click()
        expect(owner.page.get_by_text("We look for the transfer")).to_be_visible()
        for window in (finance, colleague):
            window.page.get_by_role("button", name="View Test Ltd").click()

    def test_what_is_typed_at_a_desk_outlives_the_news(self, windows: tuple[str, Window, Window, Window]) -> None:
        _, _, finance, colleague = windows
        colleague.page.get_by_label("Amount that arrived").fill("17")
        approve(finance.page)
        expect(colleague.page.get_by_role("row").filter(has_text="1 / 2")).to_be_visible()
        expect(colleague.page.get_by_label("Amount that arrived")).to_have_value("17")

    def test_a_credit_shows_where_it_is_waited_for_and_then_the_page_is_silent(
        self, windows: tuple[str, Window, Window, Window]
    ) -> None:
        _, owner, _, colleague = windows
        colleague.page.get_by_role("button", name="View Test Ltd").click()
        expect(colleague.page.locator(".facts").get_by_text("Approved by")).to_be_visible()
        owner.page.get_by_label("Amount in USD").fill("33")
        approve(colleague.page)
        expect(owner.page.get_by_text("The amount is on your balance.")).to_be_visible()
        expect(owner.page.get_by_label("Amount in USD")).to_have_value("33")
        owner.asked.clear()
        owner.page.wait_for_timeout(LONGER_THAN_TWO_TURNS_MS)
        assert owner.asked == []

    def test_a_hidden_tab_asks_nothing(self, windows: tuple[str, Window, Window, Window]) -> None:
        _, _, finance, _ = windows
        finance.page.evaluate("Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })")
        finance.page.wait_for_timeout(500)
        finance.asked.clear()
        finance.page.wait_for_timeout(LONGER_THAN_TWO_TURNS_MS)
        assert finance.asked == []
