"""The quick start and the playground: a first call from the browser, of which nothing is left anywhere."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.journeys.browser import running_browser, sign_in
from tests.journeys.conftest import RunningConsole

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.timeout(400)]
CANARY = "canary-of-the-playground-7f3a"


@pytest.fixture(scope="module")
def frames() -> list[str]:
    """What the page sent over its sockets."""
    return []


@pytest.fixture(scope="module")
def page(console: RunningConsole, frames: list[str]) -> Iterator[Page]:
    """A developer's tab."""

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: frames.append(str(frame)))

    with running_browser() as browser:
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("websocket", listen)
        sign_in(page, console.url, console.email, console.password)
        yield page
        context.close()


class TestQuickStart:
    def test_snippets_name_the_model_the_address_and_the_beginning_of_a_key(
        self, page: Page, console: RunningConsole
    ) -> None:
        page.goto(f"{console.url}/quick-start")
        expect(page.locator("#quick-key")).to_contain_text("export OTK_API_KEY='otk_live_")
        for name in ("curl", "python", "node"):
            expect(page.locator(f"#quick-{name}")).to_contain_text("mock")
            expect(page.locator(f"#quick-{name}")).to_contain_text("/v1")
        assert console.secret not in page.content()


class TestPlayground:
    def ask(self, page: Page, key: str, words: str) -> None:
        """Ask one question."""
        page.get_by_label("API key", exact=False).first.fill(key)
        page.get_by_label("Your message").fill(words)
        page.get_by_role("button", name="Send").click()

    def test_a_wrong_key_is_refused_in_words_and_the_question_stays(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/playground")
        self.ask(page, "otk_live_wrong", CANARY)
        expect(page.get_by_text("mistyped, expired or revoked")).to_be_visible()
        expect(page.get_by_label("Your message")).to_have_value(CANARY)
        expect(page.locator(".turn")).to_have_count(0)

    def test_an_answer_streams_in_with_its_figures(
        self, page: Page, console: RunningConsole, frames: list[str]
    ) -> None:
        self.ask(page, console.secret, CANARY)
        expect(page.locator(".turn.assistant .turn-words")).not_to_be_empty()
        expect(page.locator("[data-figures]")).to_contain_text("req_")
        expect(page.locator("[data-figures]")).to_contain_text("Output")
        assert frames
        assert [frame for frame in frames if CANARY in frame or console.secret in frame] == []

    def test_it_is_gone_with_the_page(self, page: Page, console: RunningConsole) -> None:
        page.goto(f"{console.url}/usage")
        expect(page.get_by_role("row").filter(has_text="mock").first).to_be_visible()
        page.go_back()
        expect(page.locator("[data-turns]")).to_be_empty()
        expect(page.get_by_label("API key", exact=False).first).to_have_value("")
        stores = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert CANARY not in stores
        assert console.secret not in stores

    def test_nothing_of_it_is_on_disk(self, console: RunningConsole) -> None:
        found = [
            str(path)
            for path in console.installation.folder.rglob("*")
            if path.is_file() and CANARY.encode() in path.read_bytes()
        ]
        assert found == []
