"""Somebody comes in: the mail, its link, the form with its refusals, the account, and a forgotten password."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from tests.journeys.browser import running_browser
from tests.support.installation import Installation, RunningProcess, apply_file
from tests.support.mail_server import SENDER, MailServerOfTest, running_mail_server

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]
EMAIL = "li@company.example"
CODE = "91110000600037341L"
PASSWORD = "seven small boats at noon"
OTHER_PASSWORD = "eight tall trees by night"


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServerOfTest]:
    """Where the console's mails go."""
    with running_mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, mail_server: MailServerOfTest) -> Installation:
    """An installation that can send mails and has one customer."""
    variables = {"ONETOKEN_SMTP_URL": f"smtp://127.0.0.1:{mail_server.port}", "ONETOKEN_MAIL_FROM": SENDER}
    installation = Installation(tmp_path_factory.mktemp("sign-up"), variables)
    installation.apply(apply_file(base_url="http://127.0.0.1:9/v1"))
    return installation


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningProcess]:
    """Its console."""
    with installation.console() as running:
        yield running


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """The browser of somebody new."""
    with running_browser() as browser:
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        yield context
        context.close()


@pytest.fixture(scope="module")
def frames() -> list[str]:
    """What pages sent over their sockets."""
    return []


@pytest.fixture
def page(context: BrowserContext, frames: list[str]) -> Iterator[Page]:
    """A tab."""

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: frames.append(str(frame)))

    page = context.new_page()
    page.on("websocket", listen)
    yield page
    page.close()


def link_of_mail(mail_server: MailServerOfTest, number: int, *, page: Page, recipient: str = EMAIL) -> str:
    """Wait for somebody's mail and return its link, as seen from the address that the test's browser uses."""
    deadline = time.monotonic() + 60
    while len(mails := [mail for mail in mail_server.received if mail.recipients == [recipient]]) < number:
        assert time.monotonic() < deadline, "no mail came"
        page.wait_for_timeout(50)
    found = re.search(r"http\S+#[\w-]{40,}", mails[number - 1].words)
    assert found
    return found[0]


class TestComingIn:
    """Steps of one person, in order."""

    link: str = ""

    def test_private_use_is_refused_in_words(self, page: Page, server: RunningProcess) -> None:
        page.goto(server.url)
        page.locator(".shell.is-ready").wait_for()
        page.get_by_role("main").get_by_role("link", name="Sign up").click()
        page.get_by_label("Work e-mail address").fill(EMAIL)
        page.get_by_label("Who will use it?").select_option("natural_person")
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_text("for organizations only")).to_be_visible()

    def test_an_organization_gets_a_mail(
        self, page: Page, server: RunningProcess, mail_server: MailServerOfTest
    ) -> None:
        page.goto(f"{server.url}/sign-up")
        page.get_by_label("Work e-mail address").fill(EMAIL)
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_text("look into your mailbox")).to_be_visible()
        type(self).link = link_of_mail(mail_server, 1, page=page)

    def test_a_link_that_is_not_whole_says_so(self, page: Page) -> None:
        page.goto(self.link[:-4])
        expect(page.get_by_text("open the link of the mail again")).to_be_visible()

    def test_a_wrong_check_digit_is_found_and_nothing_is_lost(
        self, page: Page, installation: Installation, frames: list[str]
    ) -> None:
        page.goto(self.link)
        expect(page.get_by_text(EMAIL)).to_be_visible()
        assert "#" not in page.url
        page.get_by_label("Name of the organization").fill("Example Technology Ltd")
        page.get_by_label("Registration code").fill(f"{CODE[:-1]}X")
        page.get_by_label("Internal research").check()
        page.get_by_role("textbox", name="Your name", exact=True).fill("Li Wei")
        page.get_by_label("Your position").fill("Head of IT")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("I act for this organization").check()
        page.get_by_label("Terms of service").check()
        page.get_by_label("Privacy policy").check()
        page.get_by_role("button", name="Register the organization").click()
        expect(page.get_by_text("check digit does not fit")).to_be_in_viewport(ratio=1)
        expect(page.get_by_label("Registration code")).to_be_in_viewport(ratio=1)
        page.get_by_label("Registration code").fill(CODE)
        page.get_by_role("button", name="Register the organization").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        expect(page.get_by_text("Example Technology Ltd").first).to_be_visible()
        expect(page.get_by_text("Your organization is not verified yet")).to_be_visible()
        expect(page.get_by_role("link", name="Go to verification")).to_have_attribute("href", "/verification")
        expect(page.get_by_text("There is no call yet.")).to_be_visible()
        expect(page.locator("#first-curl")).to_have_count(0)
        accepted = installation.rows("SELECT kind FROM agreements_acceptance WHERE signatory_name = 'Li Wei'")
        assert len(accepted) == 2
        secret = self.link.partition("#")[2]
        assert frames
        assert [frame for frame in frames if secret in frame or PASSWORD in frame] == []

    def test_the_link_works_once(self, page: Page) -> None:
        page.goto(self.link)
        expect(page.get_by_text("used already")).to_be_visible()

    def test_a_forgotten_password_is_replaced(
        self, page: Page, server: RunningProcess, mail_server: MailServerOfTest
    ) -> None:
        page.goto(f"{server.url}/overview")
        page.context.clear_cookies()
        page.goto(f"{server.url}/sign-in")
        page.get_by_role("link", name="Forgotten password?").click()
        expect(page.get_by_role("button", name="Send the link")).to_be_visible()
        page.get_by_label("E-mail address").fill(EMAIL)
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_text("a mail is on its way")).to_be_visible()
        page.goto(link_of_mail(mail_server, 2, page=page))
        expect(page.get_by_text(EMAIL)).to_be_visible()
        page.get_by_label("Password").fill(OTHER_PASSWORD)
        page.get_by_role("button", name="Save the password").click()
        page.wait_for_url(re.compile("/sign-in"))
        page.get_by_label("E-mail address").fill(EMAIL)
        page.get_by_label("Password").fill(OTHER_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()


class TestComingInFromElsewhere:
    """An organization outside of the mainland."""

    def test_gives_the_number_of_its_register(
        self, page: Page, server: RunningProcess, mail_server: MailServerOfTest, installation: Installation
    ) -> None:
        page.context.clear_cookies()
        page.goto(f"{server.url}/sign-up")
        page.get_by_label("Work e-mail address").fill("anna@firma.example")
        page.get_by_role("button", name="Send the link").click()
        page.goto(link_of_mail(mail_server, 1, page=page, recipient="anna@firma.example"))
        expect(page.get_by_text("anna@firma.example")).to_be_visible()
        page.get_by_label("Name of the organization").fill("Beispiel GmbH")
        expect(page.get_by_text("unified social credit code")).to_be_visible()
        page.get_by_label("Where it is registered").select_option(label="Germany")
        expect(page.get_by_text("unified social credit code")).to_be_hidden()
        page.get_by_label("Registration code").fill("HRB")
        page.get_by_label("Testing").check()
        page.get_by_role("textbox", name="Your name", exact=True).fill("Anna Beispiel")
        page.get_by_label("Your position").fill("Director")
        page.get_by_label("Password").fill(PASSWORD)
        for box in ("I act for this organization", "Terms of service", "Privacy policy"):
            page.get_by_label(box).check()
        page.get_by_role("button", name="Register the organization").click()
        expect(page.get_by_text("This cannot be the number of a register")).to_be_visible()
        expect(page.get_by_text("check digit does not fit")).to_be_hidden()
        page.get_by_label("Registration code").fill("HRB 86891")
        page.get_by_role("button", name="Register the organization").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        rows = installation.rows(
            "SELECT registration_code FROM organizations_organization WHERE name = 'Beispiel GmbH'"
        )
        assert [tuple(row) for row in rows] == [("DE-HRB 86891",)]
